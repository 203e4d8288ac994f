"""The rubric: loading it from data, and holding it against the policy's text."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext

from assessments.models import Criterion, Indicator, Rubric
from organizations.choices import ASSESSED_TIERS, Tier

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
RUBRIC_FILE = FIXTURES / "rubric.csv"
POLICY_FILE = FIXTURES / "policy.txt"

_TITLES = {
    Tier.COUNTY: "六好县（市、区）工会标准",
    Tier.TOWNSHIP: "六好乡镇（街道）工会标准",
    Tier.GRASSROOTS: "六好基层工会标准",
}
#: How section 三 heads each tier's six criteria.
_HEADINGS = {
    Tier.COUNTY: "(一)六好县(市、区)工会",
    Tier.TOWNSHIP: "(二)六好乡镇(街道)工会",
    Tier.GRASSROOTS: "(三)六好基层工会",
}


def policy_text() -> str:
    """The policy, whole, to the letter."""
    return POLICY_FILE.read_text(encoding="utf-8")


def policy_criteria() -> dict[tuple[Tier, int], tuple[str, str]]:
    """(title, text) of each of the 18 criteria, as they stand in section 三 of the policy."""
    found: dict[tuple[Tier, int], tuple[str, str]] = {}
    tier = None
    for line in policy_text().splitlines():
        heading = next((t for t, words in _HEADINGS.items() if line.startswith(words)), None)
        if heading:
            tier = heading
        elif line.startswith("四、"):
            break
        elif tier and line[:1].isdigit():
            number, rest = line.split("、", 1)
            title, text = rest.split("。", 1)
            found[tier, int(number)] = (title, text)
    return found


@transaction.atomic
def load(path: Path = RUBRIC_FILE, version: int = 1) -> list[Rubric]:
    """Make this version of the three rubrics what the file says; loading again changes nothing.

    Raises RubricLocked where a version in use would change.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        _load_tier(tier, version, [row for row in rows if row["tier"] == tier])
        for tier in ASSESSED_TIERS
    ]


def _load_tier(tier: Tier, version: int, rows: list[dict[str, str]]) -> Rubric:
    rubric, _ = Rubric.objects.get_or_create(
        tier=tier, version=version, defaults={"title": _TITLES[tier]}
    )
    wanted = {
        row["code"]: _indicator_fields(row) | {"position": position}
        for position, row in enumerate(rows, start=1)
    }
    existing = {
        indicator.code: indicator
        for indicator in Indicator.objects.filter(criterion__rubric=rubric).select_related(
            "criterion"
        )
    }
    if existing.keys() == wanted.keys() and all(
        _is_same(existing[row["code"]], row, wanted[row["code"]]) for row in rows
    ):
        return rubric
    rubric.refuse_if_locked()
    criteria = {
        int(row["criterion_no"]): Criterion.objects.update_or_create(
            rubric=rubric,
            number=int(row["criterion_no"]),
            defaults={"title": row["criterion_title"]},
        )[0]
        for row in {row["criterion_no"]: row for row in rows}.values()
    }
    Indicator.objects.filter(criterion__rubric=rubric).exclude(code__in=wanted).delete()
    for row in rows:
        Indicator.objects.update_or_create(
            criterion__rubric=rubric,
            code=row["code"],
            defaults=wanted[row["code"]] | {"criterion": criteria[int(row["criterion_no"])]},
        )
    return rubric


def _is_same(indicator: Indicator, row: dict[str, str], fields: dict[str, object]) -> bool:
    criterion = indicator.criterion
    place = (criterion.number, criterion.title)
    return place == (int(row["criterion_no"]), row["criterion_title"]) and all(
        getattr(indicator, name) == value for name, value in fields.items()
    )


def _indicator_fields(row: dict[str, str]) -> dict[str, object]:
    mandatory = row["mandatory"] == "1"
    return {
        "name": row["name"],
        "clause": row["clause"],
        "kind": row["kind"],
        "max_points": Decimal(row["max_points"]),
        "mandatory": mandatory,
        "conditional": row["conditional"] == "1",
        # Project default: what must be met must be shown.
        "evidence_required": mandatory,
        "threshold_percent": Decimal(row["threshold_percent"])
        if row["threshold_percent"]
        else None,
        "numerator_label": row["numerator_label"],
        "denominator_label": row["denominator_label"],
        "checklist_items": [item for item in row["checklist_items"].split(";") if item],
        "evidence_hint": row["evidence_hint"],
        "summed_code": row["summed_code"],
    }


@dataclass(frozen=True)
class Fault:
    """Something wrong with a rubric, in the words of the screen."""

    rubric: Rubric
    text: str


def faults(rubrics: Iterable[Rubric]) -> list[Fault]:
    """What keeps the rubrics from being used: not six criteria, an empty one, not 100 points. One
    query."""
    found = []
    points: dict[Rubric, dict[int, Decimal]] = {rubric: {} for rubric in rubrics}
    by_key = {rubric.pk: rubric for rubric in points}
    sums = (
        Indicator.objects.filter(criterion__rubric__in=by_key)
        .order_by()
        .values_list("criterion__rubric", "criterion__number")
        .annotate(Sum("max_points"))
    )
    for key, number, total in sums:
        points[by_key[key]][number] = total
    for rubric, numbers in points.items():
        if sorted(numbers) != [1, 2, 3, 4, 5, 6]:
            found.append(Fault(rubric, gettext("六个“好”没有都写上指标。")))
        total = sum(numbers.values(), Decimal(0))
        if total != 100:
            found.append(
                Fault(
                    rubric,
                    gettext("满分合计应为 100 分，现为 {total:f} 分。").format(
                        total=total.normalize()
                    ),
                )
            )
    return found


def problems(rubric: Rubric) -> list[str]:
    """What keeps this version from being used by a campaign, in the words of the screen."""
    return [fault.text for fault in faults([rubric])]
