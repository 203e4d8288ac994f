"""Placing organizations in the tree. Nothing else writes `Organization.path`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, LPad, Substr

from organizations.choices import PARENT_TIERS, Tier
from organizations.initials import initials
from organizations.models import Organization
from organizations.models.organization import PATH_STEP


def step(pk: int) -> str:
    """The organization's own part of its path."""
    return f"{pk:0{PATH_STEP}d}"


def lock() -> None:
    """One writer of the tree at a time: a parent's path must not change while a child's is
    computed from it. The root stands for the whole tree; changes of it are rare."""
    list(Organization.objects.select_for_update().filter(parent=None).values_list("pk"))


def _path_below_parent(organization: Organization) -> str:
    """The path by the parent's place as it is in the database now."""
    above = Organization.objects.filter(pk=organization.parent_id).values_list("path", flat=True)
    return f"{above.first() or ''}{step(organization.pk)}"


@transaction.atomic
def plant(organization: Organization) -> Organization:
    """Save a new organization under its `parent`.

    Raises ValidationError where a field or the place in the tree is wrong.
    """
    lock()
    organization.full_clean()
    organization.initials = initials(organization.name)
    organization.save(force_insert=True)
    organization.path = _path_below_parent(organization)
    organization.save(update_fields=["path"])
    return organization


@transaction.atomic
def replant(organization: Organization) -> Organization:
    """Save a changed organization; where its parent changed, its whole subtree moves along.

    Self-assessments that were handed in keep the place they had. Raises ValidationError where
    the new place breaks the tree's rules.
    """
    lock()
    organization.full_clean()
    old = Organization.objects.get(pk=organization.pk)
    organization.path = _path_below_parent(organization)
    organization.initials = initials(organization.name)
    organization.save()
    if organization.path != old.path:
        Organization.objects.subtree_of(old).exclude(pk=organization.pk).update(
            path=Concat(Value(organization.path), Substr("path", len(old.path) + 1))
        )
    return organization


@transaction.atomic
def plant_all(organizations: Iterable[Organization]) -> None:
    """Create many new organizations, in any order of tiers, with a flat number of queries.

    Parents are given by unsaved or saved instances. Tiers are trusted here to be checked by
    the caller; the database refuses a wrong place with IntegrityError all the same.
    """
    lock()
    waiting = list(organizations)
    for organization in waiting:
        organization.initials = initials(organization.name)
    for tier in sorted(Tier, key=_rank):
        batch = [organization for organization in waiting if organization.tier == tier]
        Organization.objects.bulk_create(batch, batch_size=1000)
        for organization in batch:
            prefix = organization.parent.path if organization.parent else ""
            organization.path = f"{prefix}{step(organization.pk)}"
        _write_paths(Organization.objects.filter(tier=tier, path=None))


@transaction.atomic
def replant_all(organizations: Sequence[Organization], fields: Sequence[str]) -> None:
    """Save these fields of many organizations; where parents changed, whole subtrees move along.

    As with `plant_all`, the caller has checked the places. The number of queries grows by
    batches, never by rows.
    """
    if not organizations or not fields:
        return
    lock()
    for organization in organizations:
        organization.initials = initials(organization.name)
    Organization.objects.bulk_update(organizations, [*fields, "initials"], batch_size=500)
    if "parent" in fields:
        for tier in sorted(Tier, key=_rank):
            rows = Organization.objects.filter(tier=tier)
            _write_paths(rows.exclude(path=_path()))


def _rank(tier: Tier) -> int:
    """Tiers in the order in which parents stand before children."""
    return 1 + max((_rank(parent) for parent in PARENT_TIERS[tier]), default=0)


def _path() -> Concat:
    """The path that a row should have by its parent's."""
    parent_path = Organization.objects.filter(pk=OuterRef("parent_id")).values("path")
    own_step = LPad(Cast("pk", CharField()), PATH_STEP, Value("0"))
    return Concat(Coalesce(Subquery(parent_path), Value("")), own_step)


def _write_paths(rows: QuerySet[Organization]) -> None:
    rows.update(path=_path())
