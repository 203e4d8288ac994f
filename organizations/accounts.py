"""Accounts: opening, roles, disabling, and handing over to a successor. Who may is
`permissions.may_grant` and `may_manage_account`; each act is on the account's record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from organizations import sessions
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import Act, Role
from organizations.models import FirstPassword, Membership, Organization, User


def without_head(rows: QuerySet[Organization]) -> QuerySet[Organization]:
    """Those of the unions in which nobody can sign."""
    heads = Membership.objects.filter(
        organization=OuterRef("pk"), role=Role.HEAD, user__is_active=True
    )
    return rows.filter(~Exists(heads))


def free_username(organization: Organization) -> str:
    """The union's code and the next number: 410421100-2. Nobody has to invent one."""
    stem = organization.code.lower()
    return f"{stem}-{_last_numbers({stem})[stem] + 1}"


def _last_numbers(stems: set[str]) -> dict[str, int]:
    """The highest number in use by stem: one pass over the usernames."""
    last: dict[str, int] = defaultdict(int)
    for username in User.objects.values_list("username", flat=True).iterator(chunk_size=2000):
        stem, _, number = username.rpartition("-")
        if stem in stems and number.isdecimal():
            last[stem] = max(last[stem], int(number))
    return last


@transaction.atomic
def open_account(
    *, full_name: str, organization: Organization, role: Role, by: User, username: str = ""
) -> User:
    """A new account with one role, without a password until one is issued; its username is
    `free_username` where none is given. Raises ValidationError by field."""
    user = User(
        username=username or free_username(organization),
        full_name=full_name,
        must_change_password=True,
    )
    user.set_unusable_password()
    user.full_clean()
    user.save()
    record(action=Act.ACCOUNT_OPENED, by=by, subject=user, details={"username": user.username})
    grant(user, organization=organization, role=role, by=by)
    return user


def open_all(wanted: Sequence[tuple[Organization, Role, str]]) -> None:
    """Open many accounts, (union, role, name) each; the caller's record says which. The number of
    queries grows by batches, never by rows."""
    if not wanted:
        return
    last = _last_numbers({organization.code.lower() for organization, _, _ in wanted})
    users = []
    for organization, _, full_name in wanted:
        stem = organization.code.lower()
        last[stem] += 1
        users.append(
            User(
                username=f"{stem}-{last[stem]}",
                full_name=full_name,
                password=make_password(None),
                must_change_password=True,
            )
        )
    User.objects.bulk_create(users, batch_size=500)
    Membership.objects.bulk_create(
        [
            Membership(user=user, organization=organization, role=role)
            for user, (organization, role, _) in zip(users, wanted, strict=True)
        ],
        batch_size=500,
    )


@transaction.atomic
def grant(account: User, *, organization: Organization, role: Role, by: User) -> Membership:
    """Give a role. Raises ValidationError where the tier has no such role or it is held already."""
    membership = Membership(user=account, organization=organization, role=role)
    membership.full_clean()
    membership.save()
    _record_role(Act.ROLE_GRANTED, membership, by)
    return membership


@transaction.atomic
def revoke(membership: Membership, *, by: User) -> None:
    """Take a role away; what was done in it stays."""
    _record_role(Act.ROLE_REVOKED, membership, by)
    membership.delete()


@transaction.atomic
def disable(account: User, *, by: User, reason: str = "") -> None:
    """Nobody signs in with it any more; its sessions end at once and stay ended."""
    account.is_active = False
    account.save(update_fields=["is_active"])
    FirstPassword.objects.filter(user=account).delete()
    sessions.end_all(account)
    record(action=Act.ACCOUNT_DISABLED, by=by, subject=account, details={"reason": reason})


@transaction.atomic
def enable(account: User, *, by: User) -> None:
    """The account may be used again, with the password that it had."""
    account.is_active = True
    account.save(update_fields=["is_active"])
    record(action=Act.ACCOUNT_ENABLED, by=by, subject=account)


@transaction.atomic
def rename(account: User, *, full_name: str, by: User) -> None:
    """Correct the name; for another person use `hand_over`, so that history stays whose it is."""
    old, account.full_name = account.full_name, full_name
    account.full_clean(exclude=["password"])
    account.save(update_fields=["full_name"])
    record(
        action=Act.ACCOUNT_RENAMED, by=by, subject=account, details={"from": old, "to": full_name}
    )


@transaction.atomic
@in_chinese()
def hand_over(
    account: User, *, successor: User, memberships: Sequence[Membership], by: User
) -> None:
    """The successor takes these roles over; what the account did stays under its own name. An
    account that is left without any role is disabled."""
    for membership in memberships:
        Membership.objects.get_or_create(
            user=successor, organization=membership.organization, role=membership.role
        )
        membership.delete()
    roles = [
        f"{membership.organization} · {membership.get_role_display()}" for membership in memberships
    ]
    for subject, other in ((account, successor), (successor, account)):
        record(
            action=Act.HANDED_OVER if subject is account else Act.TAKEN_OVER,
            by=by,
            subject=subject,
            details={"other": other.username, "name": other.full_name, "roles": roles},
        )
    if not account.memberships.exists():
        disable(account, by=by, reason=f"已移交给{successor.full_name}")


@in_chinese()
def _record_role(action: str, membership: Membership, by: User) -> None:
    record(
        action=action,
        by=by,
        subject=membership.user,
        details={
            "organization": membership.organization.code,
            "name": membership.organization.name,
            "role": str(membership.get_role_display()),
        },
    )
