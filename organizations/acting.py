"""For which of their unions somebody with several acts: one of them, or all at once."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase

from organizations.models import Organization, User

_KEY = "acting_for"


def unions(user: User) -> list[Organization]:
    """Where the user holds a role, each once, from the top of the tree down."""
    return list({role.organization_id: role.organization for role in user.all_roles}.values())


def choose(session: SessionBase, union: Organization | None) -> None:
    """From the next request on, act for this union; None means for all of them."""
    if union is None:
        session.pop(_KEY, None)
    else:
        session[_KEY] = union.pk


def apply(session: SessionBase, user: User) -> None:
    """Narrow the user of this request; a choice whose role is gone is dropped."""
    if _KEY not in session:
        return
    if any(union.pk == session[_KEY] for union in unions(user)):
        user.acting_for = session[_KEY]
    else:
        del session[_KEY]
