"""Changes of the tree in use: moving, merging, dissolving and reactivating unions.

Each has a reason and a date and is on the union's record. What a union handed in keeps the place
that it had then (`SelfAssessment.place`); nothing of the past is rewritten.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, ForeignObjectRel, QuerySet, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext

from organizations import tree
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import PARENT_TIERS, Act, Tier
from organizations.models import Membership, Organization, User
from organizations.models.organization import within


@dataclass(frozen=True)
class Impact:
    """What a change touches: active unions below by tier, accounts of the subtree that would lose
    their roles, and records by what they are called (自评: 3)."""

    below: list[tuple[str, int]]
    accounts: int
    records: list[tuple[str, int]]

    @property
    def subordinates(self) -> int:
        return sum(count for _, count in self.below)


def impact(organization: Organization) -> Impact:
    """What hangs on the union and everything below it: three queries, whatever the kinds of records
    and their number."""
    below = (
        Organization.objects.active()
        .subtree_of(organization)
        .exclude(pk=organization.pk)
        .order_by()
        .values_list("tier")
        .annotate(Count("pk"))
    )
    by_tier = dict(below)
    kinds = [
        relation
        for relation in Organization._meta.related_objects
        if relation.related_model not in (Organization, Membership) and not relation.many_to_many
    ]
    counts = (
        Organization.objects.filter(pk=organization.pk)
        .values_list(*[_count_below(organization, relation) for relation in kinds])
        .get()
    )
    records = [
        (str(relation.related_model._meta.verbose_name), count)
        for relation, count in zip(kinds, counts, strict=True)
        if count
    ]
    return Impact(
        below=[(str(tier.label), by_tier[tier]) for tier in Tier if tier in by_tier],
        accounts=Membership.objects.filter(within(organization.path, "organization__path"))
        .values("user")
        .distinct()
        .count(),
        records=records,
    )


def _count_below(organization: Organization, relation: ForeignObjectRel) -> Subquery:
    """How many records of the kind hang on the union or one below it; None where there are none."""
    found = relation.related_model._base_manager.filter(
        within(organization.path, f"{relation.field.name}__path")
    )
    counted = found.order_by().annotate(one=Value(1)).values("one").annotate(count=Count("pk"))
    return Subquery(counted.values("count"))


def _locked(organization: Organization) -> Organization:
    """The union as it is now, with the tree held still."""
    tree.lock()
    return Organization.objects.select_related("parent").get(pk=organization.pk)


def _check_date(on: dt.date) -> None:
    if on > timezone.localdate():
        raise ValidationError({"on": gettext("日期不能晚于今天。")})


def superiors_for(organization: Organization, user: User) -> QuerySet[Organization]:
    """The active unions under which it may stand, of those that the user administers."""
    return (
        Organization.objects.active()
        .administered_by(user)
        .filter(tier__in=PARENT_TIERS[Tier(organization.tier)])
        .exclude(pk__in=[organization.pk, organization.parent_id])
        .order_by("path")
    )


@transaction.atomic
def move(
    organization: Organization, *, to: Organization, reason: str, on: dt.date, by: User
) -> Organization:
    """Put the union, with everything below it, under another superior. Raises ValidationError."""
    _check_date(on)
    organization = _locked(organization)
    if not organization.is_active:
        raise ValidationError(gettext("这个工会已经撤销，不能移动。"))
    if to.pk == organization.parent_id:
        raise ValidationError({"to": gettext("它已经在这个上级之下。")})
    if not Organization.objects.active().filter(pk=to.pk).exists():
        raise ValidationError({"to": gettext("新的上级已经撤销。")})
    old, organization.parent = organization.parent, to
    subtree = Organization.objects.subtree_of(organization).count()
    organization = tree.replant(organization)
    details = {"from": str(old), "to": str(to), "reason": reason, "on": str(on), "moved": subtree}
    record(action=Act.ORGANIZATION_MOVED, by=by, subject=organization, details=details)
    return organization


@transaction.atomic
def dissolve(
    organization: Organization,
    *,
    reason: str,
    on: dt.date,
    by: User,
    with_subordinates: bool = False,
) -> Organization:
    """End the union on a day not after today; its people lose their roles in it, its past stays.
    Raises ValidationError, also where unions below are active and are not to go with it."""
    _check_date(on)
    organization = _locked(organization)
    if organization.tier == Tier.CITY:
        raise ValidationError(gettext("市总工会不能撤销。"))
    if not organization.is_active:
        raise ValidationError(gettext("这个工会已经撤销。"))
    below = list(Organization.objects.active().subtree_of(organization).exclude(pk=organization.pk))
    if below and not with_subordinates:
        raise ValidationError(
            gettext("还有 {count} 个在册的下级工会。请先移动它们，或选择连同下级一并撤销。").format(
                count=len(below)
            )
        )
    Organization.objects.active().subtree_of(organization).update(dissolved_on=on)
    details = {"reason": reason, "on": str(on), "below": [union.code for union in below]}
    record(action=Act.ORGANIZATION_DISSOLVED, by=by, subject=organization, details=details)
    organization.refresh_from_db()
    return organization


@transaction.atomic
def merge(
    organization: Organization,
    *,
    into: Organization,
    reason: str,
    on: dt.date,
    by: User,
    with_accounts: bool = False,
) -> Organization:
    """Dissolve the union into another of its tier: what stands below it, and if wanted its people,
    go over. Each keeps what it handed in. Raises ValidationError."""
    _check_date(on)
    organization = _locked(organization)
    into = Organization.objects.get(pk=into.pk)
    if organization.tier == Tier.CITY:
        raise ValidationError(gettext("市总工会不能合并。"))
    if into.pk == organization.pk:
        raise ValidationError({"into": gettext("不能并入自己。")})
    if into.tier != organization.tier:
        raise ValidationError({"into": gettext("只能并入同一层级的工会。")})
    if not (organization.is_active and into.is_active):
        raise ValidationError(gettext("两个工会都必须在册；其中有已经撤销的。"))
    children = list(organization.children.filter(dissolved_on=None))
    for child in children:
        child.parent = into
    tree.replant_all(children, ["parent"])
    moved = _move_accounts(organization, into) if with_accounts else 0
    organization.dissolved_on, organization.merged_into = on, into
    organization.save(update_fields=["dissolved_on", "merged_into"])
    details = {"reason": reason, "on": str(on), "children": len(children), "accounts": moved}
    record(
        action=Act.ORGANIZATION_MERGED,
        by=by,
        subject=organization,
        details=details | {"into": str(into)},
    )
    record(
        action=Act.ORGANIZATION_TOOK_OVER,
        by=by,
        subject=into,
        details=details | {"from": str(organization)},
    )
    organization.refresh_from_db()
    return organization


def _move_accounts(organization: Organization, into: Organization) -> int:
    """The people of one union get the same roles in the other."""
    going = list(organization.memberships.all())
    Membership.objects.bulk_create(
        [Membership(user_id=one.user_id, organization=into, role=one.role) for one in going],
        ignore_conflicts=True,
    )
    organization.memberships.all().delete()
    return len({one.user_id for one in going})


@transaction.atomic
def reactivate(organization: Organization, *, reason: str, on: dt.date, by: User) -> Organization:
    """Take a dissolved union back, where it was; not what was below it. Raises ValidationError."""
    _check_date(on)
    organization = _locked(organization)
    if organization.is_active:
        raise ValidationError(gettext("这个工会在册，不需要恢复。"))
    if organization.parent is not None and not organization.parent.is_active:
        raise ValidationError(
            gettext("它的上级“{parent}”已经撤销，请先恢复上级。").format(
                parent=organization.parent.name
            )
        )
    if on < organization.dissolved_on:
        raise ValidationError({"on": gettext("恢复日期不能早于撤销日期。")})
    organization.dissolved_on = organization.merged_into = None
    organization.save(update_fields=["dissolved_on", "merged_into"])
    details = {"reason": reason, "on": str(on)}
    record(action=Act.ORGANIZATION_REACTIVATED, by=by, subject=organization, details=details)
    return organization


@transaction.atomic
def found(organization: Organization, *, by: User) -> Organization:
    """Enter a new union under its `parent`. Raises ValidationError."""
    tree.lock()
    if not Organization.objects.active().filter(pk=organization.parent_id).exists():
        raise ValidationError(gettext("上级工会已经撤销。"))
    organization = tree.plant(organization)
    record(
        action=Act.ORGANIZATION_ENTERED, by=by, subject=organization, details=_entry(organization)
    )
    return organization


@transaction.atomic
def revise(organization: Organization, *, by: User) -> Organization:
    """Save a changed name, code or register, with what it was before. Its place and its life stay
    what they are by now, whatever the instance says. Raises ValidationError."""
    stored = _locked(organization)
    if not stored.is_active:
        raise ValidationError(gettext("这个工会已经撤销，不能修改。"))
    before = _entry(stored)
    organization.parent = stored.parent
    organization = tree.replant(organization)
    after = _entry(organization)
    changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if changes:
        record(action=Act.ORGANIZATION_REVISED, by=by, subject=organization, details=changes)
    return organization


@in_chinese()
def _entry(organization: Organization) -> dict[str, object]:
    """The union's entry in the words of the register."""
    names = (
        "code",
        "name",
        "kind",
        "ownership",
        "workers",
        "members",
        "has_legal_person",
        "credit_code",
    )
    entry: dict[str, object] = {}
    for name in names:
        field = Organization._meta.get_field(name)
        value = getattr(organization, name)
        entry[str(field.verbose_name)] = (
            dict(field.choices).get(value, "") if field.choices else value
        )
    return entry
