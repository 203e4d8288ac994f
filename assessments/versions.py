"""Answers as they were: what differs between two versions, and who changed what.

A version is a dictionary of what was entered for one indicator, as `Revision.content` and
`AnswerChange` keep it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.entries import Entry
from assessments.models import Answer, AnswerChange, SelfAssessment
from assessments.scoring import IndicatorRule, Rating
from organizations.models import User

#: What one person types at one answer within this time is one change.
FOLD_WITHIN = dt.timedelta(minutes=10)
#: The fields of a version in the order in which a page shows them, with their names there.
FIELDS = {
    "not_applicable": _("不适用"),
    "not_applicable_reason": _("不适用理由"),
    "score": _("自评得分"),
    "checked_items": _("已有项目"),
    "numerator": _("分子"),
    "denominator": _("分母"),
    "as_of": _("截至日期"),
    "definition": _("口径"),
    "account": _("自评说明"),
    "file": _("佐证材料"),
    "evidence": _("佐证材料"),
}
_CLAUSE_ENDS = re.compile(r"(?<=[。；，！？,;\n])")


def entry_of(answer: Answer) -> Entry:
    """A stored answer as an entry."""
    return Entry(
        answer.rating,
        {
            "account": answer.account,
            "not_applicable_reason": answer.not_applicable_reason,
            "as_of": answer.as_of.isoformat() if answer.as_of else "",
            "definition": answer.definition,
        },
    )


def content_of(entry: Entry) -> dict[str, Any]:
    """An entry as a version."""
    rating = entry.rating
    return {
        "score": None if rating.score is None else f"{rating.score.normalize():f}",
        "checked_items": None if rating.checked_items is None else list(rating.checked_items),
        "numerator": rating.numerator,
        "denominator": rating.denominator,
        "not_applicable": rating.not_applicable,
        **entry.texts,
    }


def said(rating: Rating) -> dict[str, Any]:
    """Of a rating what is there, for the record."""
    content = content_of(Entry(rating))
    return {name: value for name, value in content.items() if value not in (None, False)}


def content_of_answer(answer: Answer) -> dict[str, Any]:
    """A stored answer as a version."""
    return content_of(entry_of(answer))


@dataclass(frozen=True)
class Written:
    """What became of one answer."""

    indicator_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def keep(assessment: SelfAssessment, written: Iterable[Written], by: User) -> None:
    """Put on record what became of the answers. The caller holds the lock."""
    changed = [one for one in written if one.before != one.after]
    if not changed:
        return
    now = deadlines.now()
    latest: dict[int, AnswerChange] = {}
    for change in AnswerChange.objects.filter(
        self_assessment=assessment,
        indicator__in=[one.indicator_id for one in changed],
        began_at__gt=now - FOLD_WITHIN,
    ).order_by("at", "pk"):
        latest[change.indicator_id] = change
    fresh = []
    for one in changed:
        last = latest.get(one.indicator_id)
        if (
            last is not None
            and (last.by_id, last.revision) == (by.pk, assessment.revision)
            and last.after == one.before
        ):
            last.after, last.at = dict(one.after), now
            last.delete() if last.before == last.after else last.save()
            continue
        fresh.append(
            AnswerChange(
                self_assessment=assessment,
                indicator_id=one.indicator_id,
                revision=assessment.revision,
                by=by,
                began_at=now,
                at=now,
                before=dict(one.before),
                after=dict(one.after),
            )
        )
    AnswerChange.objects.bulk_create(fresh)


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both versions have, or one of them (`kind`: same, removed, added)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Difference:
    """One field that differs, as the screen shows both. `pieces` sets long texts against each
    other, clause by clause."""

    label: str
    before: str
    after: str
    pieces: list[Piece] = field(default_factory=list)


def differences(
    rule: IndicatorRule, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Difference]:
    """What differs, field by field; nothing where the versions say the same."""
    found = []
    for name, label in FIELDS.items():
        old, new = before.get(name), after.get(name)
        if name == "evidence":
            old, new = _files(old or [], new or []), _files(new or [], old or [])
        if name == "score":
            old, new = _score(old), _score(new)
        if (_says_nothing(old) and _says_nothing(new)) or old == new:
            continue
        parts = pieces(str(old or ""), str(new or "")) if name == "account" else []
        found.append(Difference(_label(rule, name, label), shown(old), shown(new), parts))
    return found


def _says_nothing(value: Any) -> bool:
    """However it is kept. A zero says something, and so does an empty list: “none of them”."""
    return value is None or value is False or value == ""


def _label(rule: IndicatorRule, name: str, label: str) -> str:
    return {"numerator": rule.numerator_label, "denominator": rule.denominator_label}.get(
        name
    ) or label


def _files(files: list[Mapping[str, Any]], others: list[Mapping[str, Any]]) -> list[str]:
    """The files of a frozen version with what was said of them; the same name on another file is
    told apart by its checksum."""
    shown = []
    for one in files:
        same_name = {other["sha256"] for other in [*files, *others] if other["name"] == one["name"]}
        start, end = one["valid"]
        facts = [
            one["sha256"][:8] if len(same_name) > 1 else "",
            one["description"],
            gettext("{start} 起").format(start=start)
            if start and not end
            else gettext("{start} 至 {end}").format(start=start or "", end=end)
            if end
            else "",
        ]
        told = gettext("；").join(fact.strip() for fact in facts if fact)
        shown.append(one["name"] + (gettext("（{told}）").format(told=told) if told else ""))
    return sorted(shown)


def _score(score: str | None) -> str | None:
    return None if score is None else f"{Decimal(score).normalize():f}"


def shown(value: Any) -> str:
    """A value in the words of the screen."""
    if value is None or value == "":
        return gettext("（空）")
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if isinstance(value, list):
        return gettext("、").join(value) or gettext("都没有")
    return str(value)


def pieces(before: str, after: str) -> list[Piece]:
    """Two texts set against each other, clause by clause."""
    old, new = _CLAUSE_ENDS.split(before), _CLAUSE_ENDS.split(after)
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Piece("same", "".join(old[a:b])))
            continue
        found += [
            Piece(word, text)
            for word, text in (("removed", "".join(old[a:b])), ("added", "".join(new[c:d])))
            if text
        ]
    return found
