"""The city's own counties, townships and streets, from the statistical division codes."""

from __future__ import annotations

import csv
from pathlib import Path

from django.conf import settings
from django.db import transaction

from organizations import tree
from organizations.models import Organization

DIVISIONS_FILE = Path(settings.BASE_DIR) / "fixtures" / "divisions.csv"


@transaction.atomic
def load_divisions(path: Path = DIVISIONS_FILE) -> int:
    """Add the divisions that are not there yet, matched by code; return how many were added.

    What an administrator has renamed, moved or dissolved since stays as it is.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = Organization.objects.in_bulk([row["code"] for row in rows], field_name="code")
    fresh = []
    for row in rows:  # parents stand before their children in the file
        if row["code"] not in known:
            organization = Organization(
                code=row["code"],
                name=row["union_name"],
                tier=row["tier"],
                parent=known.get(row["parent_code"]),
            )
            known[row["code"]] = organization
            fresh.append(organization)
    tree.plant_all(fresh)
    return len(fresh)
