"""Doing what the preview showed: all or nothing."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from organizations import accounts, tree
from organizations.audit import record
from organizations.choices import Act, ImportGroup, ImportState
from organizations.importing import columns, planning, previews
from organizations.models import OrganizationImport, User


class PlanChanged(Exception):
    """The tree is not what it was when the preview was made; the preview has been made anew."""


class NotConfirmable(Exception):
    """The list has faults, or has been imported or given up already."""


def apply(batch: OrganizationImport, *, by: User) -> OrganizationImport:
    """Create, change and move what the list says, and open its accounts; one transaction.

    The file is read and compared anew: what is done is exactly what was shown. Raises
    PlanChanged (and renews the preview), NotConfirmable, or ListRefused.
    """
    listing = _listing(batch)  # before anything is locked: nobody waits for a slow file
    with transaction.atomic():
        batch = OrganizationImport.objects.select_for_update().get(pk=batch.pk)
        if batch.state != ImportState.CHECKED:
            raise NotConfirmable
        tree.lock()
        plan = planning.plan(listing, by)
        if plan.digest == batch.plan_digest:
            _carry_out(plan, by)
            batch.state, batch.applied_at = ImportState.APPLIED, timezone.now()
            batch.save(update_fields=["state", "applied_at"])
            record(
                action=Act.IMPORT,
                by=by,
                subject=batch,
                details={"file": batch.filename, "sha256": batch.sha256, "counts": batch.counts},
            )
            return batch
        previews.store(batch, plan)
    raise PlanChanged


def _listing(batch: OrganizationImport) -> columns.Listing:
    try:
        with batch.file.open("rb") as file:
            return columns.read(file)
    except FileNotFoundError as error:  # given up
        raise NotConfirmable from error


def _carry_out(plan: planning.Plan, by: User) -> None:
    rows = [row for row in plan.rows if row.union is not None]
    tree.plant_all(row.union for row in rows if row.group == ImportGroup.CREATE)
    changed = [row for row in rows if row.changes]
    for row in changed:
        for name, (_, new) in row.changes.items():
            if name == "parent":
                row.union.parent = row.parent
            else:
                setattr(row.union, name, new)
    fields = {name for row in changed for name in row.changes}
    tree.replant_all([row.union for row in changed], sorted(fields))
    accounts.open_all([(row.union, role, name) for row in rows for role, name in row.accounts])


def touched(batch: OrganizationImport) -> int:
    """How many unions the list creates, changes or moves."""
    groups = (ImportGroup.CREATE, ImportGroup.CHANGE, ImportGroup.MOVE)
    return sum(batch.counts.get(group, 0) for group in groups)
