"""Versions of a rubric: made from another one or from a file, edited while nothing that has opened
uses them, set against the policy and against each other.

A row is one indicator as plain JSON, with the keys of FIELDS: what pages, files and comparisons
exchange.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import permissions, rubrics, versions
from assessments.assigning import NotAllowed
from assessments.choices import IndicatorKind
from assessments.models import Criterion, Indicator, Rubric
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import Act, Tier
from organizations.models import User

#: The particulars of an indicator in the order of pages and files, with their names there.
FIELDS = {
    name: Indicator._meta.get_field(name).verbose_name
    for name in (
        "code",
        "name",
        "clause",
        "kind",
        "max_points",
        "mandatory",
        "conditional",
        "evidence_required",
        "threshold_percent",
        "numerator_label",
        "denominator_label",
        "checklist_items",
        "evidence_hint",
        "summed_code",
    )
}
#: What a code begins with.
LETTERS = {Tier.COUNTY: "C", Tier.TOWNSHIP: "T", Tier.GRASSROOTS: "G"}
STALE = _(
    "您打开页面之后，别人改过这一“好”。没有保存，也没有覆盖别人的修改；请另开窗口核对后重新填写。"
)

#: What became of an indicator.
_ADDED, _CHANGED, _DROPPED = _("新增"), _("修改"), _("删去")
_STOP = re.compile("[。；，、,;]")

Row = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One 好 of a version that is to be made."""

    number: int
    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Change:
    """What became of one indicator (`sign`: 新增, 删去, 修改), by its code."""

    sign: str
    code: str
    name: str
    differences: list[versions.Difference]


def row_of(indicator: Indicator) -> Row:
    row = {name: getattr(indicator, name) for name in FIELDS}
    for name, value in row.items():
        if isinstance(value, Decimal):
            row[name] = f"{value.normalize():f}"
    return row


def with_indicators(rubrics_: QuerySet[Rubric]) -> QuerySet[Rubric]:
    """With their criteria and indicators, in order: two queries more."""
    indicators = Prefetch("indicators", Indicator.objects.order_by("position"))
    criteria = Criterion.objects.order_by("number").prefetch_related(indicators)
    return rubrics_.prefetch_related(Prefetch("criteria", criteria))


def sections_of(rubric: Rubric) -> list[Section]:
    """A version as it can be copied or written to a file; read `with_indicators`."""
    return [
        Section(one.number, one.title, [row_of(each) for each in one.indicators.all()])
        for one in rubric.criteria.all()
    ]


def stamp(criterion: Criterion) -> str:
    """Changes whenever anything of the criterion does, whoever writes it."""
    rows = [row_of(one) for one in criterion.indicators.order_by("position")]
    text = json.dumps([criterion.title, rows], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def coverage(criterion: Criterion, clauses: Iterable[str]) -> list[versions.Piece]:
    """The policy's text of a criterion against the clauses of its indicators: what is covered
    (same), missing (removed) and not the policy's (added)."""
    _title, text = rubrics.policy_criteria()[Tier(criterion.rubric.tier), criterion.number]
    return versions.pieces(text, "".join(clauses))


def split(clause: str) -> tuple[str, str]:
    """A clause in two at the stop nearest to its middle; the second is empty where there is none."""
    ends = [stop.end() for stop in _STOP.finditer(clause) if stop.end() < len(clause)]
    at = min(ends, key=lambda end: abs(2 * end - len(clause)), default=len(clause))
    return clause[:at], clause[at:]


def is_removable(rubric: Rubric) -> bool:
    """Whether no campaign has chosen it, not even one in preparation."""
    return not rubric.policies.exists()


@transaction.atomic
def make(tier: Tier, title: str, sections: Iterable[Section], by: User, source: str) -> Rubric:
    """The next version of a tier. `source` says on record what it was made from. Raises
    NotAllowed."""
    _require_right(by)
    # Locking them makes two who do this at once queue for the number.
    taken = [one.version for one in Rubric.objects.select_for_update().filter(tier=tier)]
    rubric = Rubric.objects.create(tier=tier, version=max(taken, default=0) + 1, title=title)
    for section in sections:
        criterion = Criterion.objects.create(
            rubric=rubric, number=section.number, title=section.title
        )
        Indicator.objects.bulk_create(
            Indicator(criterion=criterion, position=place, **_values(row))
            for place, row in enumerate(section.rows, start=section.number * 100)
        )
    _record(Act.RUBRIC_MADE, rubric, by, {"source": source})
    return rubric


def copy(rubric: Rubric, title: str, by: User) -> Rubric:
    """A new version with the same content. Raises NotAllowed."""
    return make(Tier(rubric.tier), title, sections_of(rubric), by, _name_of(rubric))


@transaction.atomic
def rewrite(criterion: Criterion, title: str, rows: Sequence[Row], by: User, seen: str) -> None:
    """Make these the indicators of the criterion, in this order: one whose code is known is
    changed, one without a code gets the next that no version has used, what is left out is deleted.
    `seen` is the `stamp` of what was edited. Raises NotAllowed, RubricLocked."""
    _require_right(by)
    rubric = _locked(criterion.rubric_id)
    if stamp(criterion) != seen:
        raise NotAllowed(STALE)
    existing = {one.code: one for one in criterion.indicators.all()}
    before = {code: row_of(one) for code, one in existing.items()}
    number = _highest_number(rubric, criterion)
    kept = []
    for place, row in enumerate(rows, start=criterion.number * 100):
        if not row["code"]:
            number += 1
            row = row | {"code": f"{_prefix(rubric, criterion)}{number:02}"}
        indicator = existing.get(row["code"]) or Indicator(criterion=criterion)
        for name, value in (_values(row) | {"position": place}).items():
            setattr(indicator, name, value)
        kept.append(indicator)
    criterion.indicators.exclude(code__in=[one.code for one in kept]).delete()
    for indicator in kept:
        indicator.save()
    criterion.title = title
    criterion.save()
    changes = compare_rows(before, {one.code: row_of(one) for one in kept})
    with in_chinese():
        told = [f"{one.sign} {one.code}" for one in changes]
    _record(
        Act.RUBRIC_CHANGED,
        rubric,
        by,
        {"criterion": str(criterion), "changes": told},
    )


@transaction.atomic
def remove(rubric: Rubric, by: User) -> None:
    """Delete a version that nothing uses. Raises NotAllowed, RubricLocked."""
    _require_right(by)
    locked = _locked(rubric.pk)
    if not is_removable(locked):
        raise NotAllowed(gettext("已有活动选用了这一版标准，不能删除。"))
    _record(Act.RUBRIC_REMOVED, locked, by, {"rubric": _name_of(locked)})
    locked.delete()


def compare(before: Iterable[Section], after: Iterable[Section]) -> list[tuple[str, list[Change]]]:
    """What differs between two versions, 好 by 好."""
    old, new = ({one.number: one for one in sections} for sections in (before, after))
    found = []
    for number in sorted(old.keys() | new.keys()):
        nothing = Section(number, "", [])
        earlier, later = old.get(number, nothing), new.get(number, nothing)
        changes = compare_rows(_by_code(earlier.rows), _by_code(later.rows))
        if earlier.title != later.title:
            titles = versions.shown(earlier.title), versions.shown(later.title)
            name = gettext("名称")
            changes.insert(0, Change(_CHANGED, "", name, [versions.Difference(name, *titles)]))
        if changes:
            title = later.title or earlier.title
            found.append((gettext("{number}、{title}").format(number=number, title=title), changes))
    return found


def compare_rows(before: Mapping[str, Row], after: Mapping[str, Row]) -> list[Change]:
    """By code: first what the later version has, then what it has no more."""
    found = []
    for code in [*after, *(code for code in before if code not in after)]:
        old, new = before.get(code, {}), after.get(code, {})
        sign = _CHANGED if old and new else _ADDED if new else _DROPPED
        if differences := _differences(old, new):
            found.append(Change(sign, code, (new or old)["name"], differences))
    return found


def _by_code(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["code"]: row for row in rows}


def _differences(old: Row, new: Row) -> list[versions.Difference]:
    found = []
    for name, label in FIELDS.items():
        before, after = old.get(name), new.get(name)
        if before == after or not (before or after):
            continue
        pieces = versions.pieces(before or "", after or "") if name == "clause" else []
        found.append(versions.Difference(label, _told(name, before), _told(name, after), pieces))
    return found


def _told(name: str, value: Any) -> str:
    if name == "kind" and value:
        return str(IndicatorKind(value).label)
    return versions.shown(value or None) if name == "checklist_items" else versions.shown(value)


def _values(row: Row) -> Row:
    """A row as fields of the model."""
    values = {name: row[name] for name in FIELDS}
    for name in ("max_points", "threshold_percent"):
        values[name] = None if values[name] in (None, "") else Decimal(values[name])
    return values


def _prefix(rubric: Rubric, criterion: Criterion) -> str:
    return f"{LETTERS[Tier(rubric.tier)]}{criterion.number}."


def code_pattern(tier: Tier, number: int) -> re.Pattern[str]:
    """The codes that an indicator of this criterion can have."""
    return re.compile(rf"{LETTERS[tier]}{number}\.[0-9]{{2,3}}")


def _highest_number(rubric: Rubric, criterion: Criterion) -> int:
    prefix = _prefix(rubric, criterion)
    codes = Indicator.objects.filter(code__startswith=prefix).values_list("code", flat=True)
    return max((int(code.removeprefix(prefix)) for code in codes.distinct()), default=0)


def _locked(key: int) -> Rubric:
    """The version, held until the end of the transaction: `campaigns.open_campaign` holds it too."""
    rubric = Rubric.objects.select_for_update().get(pk=key)
    rubric.refuse_if_locked()
    return rubric


def _require_right(by: User) -> None:
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以修改标准。"))


@in_chinese()
def _name_of(rubric: Rubric) -> str:
    """As the record names it."""
    return str(rubric)


def _record(act: Act, rubric: Rubric, by: User, details: dict[str, Any]) -> None:
    record(action=act, by=by, subject=rubric, details=details)
