from organizations.models.account import FirstPassword, Membership, PasswordRecord, User
from organizations.models.audit import AuditChain, AuditEvent
from organizations.models.imports import ImportPage, OrganizationImport
from organizations.models.organization import Organization

__all__ = [
    "AuditChain",
    "AuditEvent",
    "FirstPassword",
    "ImportPage",
    "Membership",
    "Organization",
    "OrganizationImport",
    "PasswordRecord",
    "User",
]
