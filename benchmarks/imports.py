"""A list of unions imported, and the same rows read and stored by the bare libraries."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import count

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from organizations.choices import Role, Tier
from organizations.importing import applying, previews, spreadsheet
from organizations.importing.columns import COLUMNS
from organizations.models import Membership, Organization, User

Job = Callable[[], None]

_TITLES = [column.title for column in COLUMNS if column.field not in ("head", "reporter")]
_rounds = count(1)


def listing(rows: int) -> bytes:
    """`rows` new unions below the real townships, with their registers."""
    townships = list(Organization.objects.filter(tier=Tier.TOWNSHIP).values_list("code", flat=True))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("名册")
    sheet.append(_TITLES)
    for number in range(rows):
        sheet.append(
            [
                f"IMPORT-{number:07}",
                f"示例第{number}商贸有限责任公司工会委员会",
                "基层工会",
                townships[number % len(townships)],
                *("企业", "民营", number % 500 + 20, number % 500, "是", ""),
            ]
        )
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _undone(job: Job) -> Job:
    """The job in a transaction that is rolled back: each round finds the same tree."""

    def run() -> None:
        with transaction.atomic():
            job()
            transaction.set_rollback(True)

    return run


def importing(content: bytes) -> Job:
    """Upload, preview and confirmation."""
    city = Organization.objects.get(tier=Tier.CITY)
    admin = User.objects.create_user("importer", full_name="importer")
    Membership.objects.create(user=admin, organization=city, role=Role.ADMIN)

    def job() -> None:
        file = SimpleUploadedFile(f"{next(_rounds)}.xlsx", content)
        batch = previews.upload(file, by=admin)
        applying.apply(batch, by=admin)

    return _undone(job)


def bare(content: bytes) -> Job:
    """calamine and bulk_create: no check, no preview, no path, no initials."""
    kinds = {"企业": "ENTERPRISE"}
    ownerships = {"民营": "PRIVATE"}

    def job() -> None:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        parents = dict(Organization.objects.filter(tier=Tier.TOWNSHIP).values_list("code", "pk"))
        Organization.objects.bulk_create(
            [
                Organization(
                    code=code,
                    name=name,
                    tier=Tier.GRASSROOTS,
                    parent_id=parents[parent],
                    kind=kinds[kind],
                    ownership=ownerships[ownership],
                    workers=workers,
                    members=members,
                    has_legal_person=legal == "是",
                )
                for code, name, _, parent, kind, ownership, workers, members, legal, _ in rows[1:]
            ],
            batch_size=1000,
        )

    return _undone(job)


_CHILD = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
sys.stderr.write(open("/proc/self/status").read())
"""


def peak_of_reader(content: bytes) -> float:
    """The most memory that the child which reads the list has, in MB. (Linux counts the memory of
    the parent at the fork into RUSAGE_CHILDREN: the child is asked itself.)"""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        child = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-I", "-c", _CHILD, spreadsheet.__file__, file.name],
            capture_output=True,
            check=True,
            text=True,
        )
    line = next(line for line in child.stderr.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
