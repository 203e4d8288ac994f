from organizations.models.account import Membership, User
from organizations.models.audit import AuditChain, AuditEvent
from organizations.models.organization import Organization

__all__ = ["AuditChain", "AuditEvent", "Membership", "Organization", "User"]
