"""An uploaded list from its upload to its confirmation, and its preview for the screen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from organizations.audit import record
from organizations.choices import Act, ImportGroup, ImportState
from organizations.importing import columns, planning
from organizations.models import ImportPage, Organization, OrganizationImport, User

ROWS_A_PAGE = 50
_NAME_LENGTH = 255


def upload(file: UploadedFile, *, by: User) -> OrganizationImport:
    """Keep the file and the preview of what it would do. Raises ListRefused."""
    plan = planning.plan(columns.read(file), by)
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    batch = OrganizationImport(
        filename=(file.name or "")[-_NAME_LENGTH:],
        sha256=digest.hexdigest(),
        uploaded_by=by,
        uploaded_at=timezone.now(),
    )
    batch.file.save(f"{batch.sha256[:16]}.list", file, save=False)
    store(batch, plan)
    return batch


@transaction.atomic
def store(batch: OrganizationImport, plan: planning.Plan) -> None:
    """Write the preview: pages of rows by group, so that showing one reads one row."""
    counts = plan.counts
    batch.counts = counts
    batch.ignored_headings = plan.ignored
    batch.plan_digest = plan.digest
    batch.state = ImportState.FAULTY if counts[ImportGroup.FAULT] else ImportState.CHECKED
    batch.save()
    batch.pages.all().delete()
    groups: dict[ImportGroup, list[dict[str, Any]]] = defaultdict(list)
    parents = _names_of_parents(plan)
    for row in plan.rows:
        groups[row.group].append(_shown(plan, row, parents))
    ImportPage.objects.bulk_create(
        [
            ImportPage(
                of_import=batch,
                group=group,
                number=1 + start // ROWS_A_PAGE,
                rows=rows[start : start + ROWS_A_PAGE],
            )
            for group, rows in groups.items()
            for start in range(0, len(rows), ROWS_A_PAGE)
        ],
        batch_size=100,
    )


def _names_of_parents(plan: planning.Plan) -> dict[int, str]:
    """Names by key of the superiors that unions would leave."""
    leaving = [row.changes["parent"][0] for row in plan.rows if "parent" in row.changes]
    if not leaving:
        return {}
    superiors = Organization.objects.exclude(tier="GRASSROOTS").values_list("pk", "name")
    return dict(superiors)


def _shown(plan: planning.Plan, row: planning.Planned, parents: dict[int, str]) -> dict[str, Any]:
    changes = []
    for name, (old, new) in row.changes.items():
        if name == "parent":
            old, new = parents.get(old, ""), row.parent.name if row.parent else new
        changes.append([planning.label(name), _worded(name, old), _worded(name, new)])
    tier = row.values.get("tier")
    return {
        "row": row.row,
        "code": row.values.get("code", ""),
        "name": row.values.get("name", ""),
        "tier": str(tier.label) if tier else "",
        "parent": row.parent.name if row.parent else str(row.values.get("parent", "")),
        "changes": changes,
        "accounts": [[str(role.label), name] for role, name in row.accounts],
        "faults": [
            [plan.cell(row, column), planning.label(column), reason]
            for column, reason in row.faults
        ],
        "notices": list(map(str, row.notices)),
    }


def _worded(name: str, value: Any) -> str:
    """A value as the list would have it."""
    if value in (None, ""):
        return gettext("（空）")
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    field = Organization._meta.get_field(name)
    return str(dict(field.choices).get(value, value)) if field.choices else str(value)


@transaction.atomic
def discard(batch: OrganizationImport, *, by: User) -> None:
    """Give the list up; its record stays, the file and the preview go."""
    batch = OrganizationImport.objects.select_for_update().get(pk=batch.pk)
    if batch.state not in (ImportState.CHECKED, ImportState.FAULTY):
        return
    batch.state = ImportState.DISCARDED
    batch.save(update_fields=["state"])
    batch.pages.all().delete()
    record(action=Act.IMPORT_DISCARDED, by=by, subject=batch, details={"file": batch.filename})
    file = batch.file
    transaction.on_commit(lambda: file.storage.delete(file.name))
