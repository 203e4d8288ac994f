from organizations.models.account import FirstPassword, Membership, PasswordRecord, User
from organizations.models.api_client import ApiClient
from organizations.models.audit import AuditChain, AuditEvent
from organizations.models.imports import ImportPage, OrganizationImport
from organizations.models.notification import Delivery, Notification
from organizations.models.organization import Organization

__all__ = [
    "ApiClient",
    "AuditChain",
    "AuditEvent",
    "Delivery",
    "FirstPassword",
    "ImportPage",
    "Membership",
    "Notification",
    "Organization",
    "OrganizationImport",
    "PasswordRecord",
    "User",
]
