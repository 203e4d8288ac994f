"""Sheets that list unions: 汇总表 of a tier, 未提交名单, 初审推荐名单, 推荐名单, and every indicator of everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from openpyxl import Workbook

from assessments import worksheet
from assessments.choices import DECIDED_STATES, EDITABLE_STATES, Outcome, State
from assessments.deadlines import local_day
from assessments.exports.scope import NOTHING, Scope, shown
from assessments.models import (
    Decision,
    DecisionCriterion,
    DecisionScore,
    Endorsement,
    Recommendation,
    RecommendationList,
    Revision,
)
from assessments.scoring import storable
from organizations.choices import Tier
from organizations.workbook import Formula, Sheet

_NAMES = {
    Tier.COUNTY: "县（市、区）工会",
    Tier.TOWNSHIP: "乡镇（街道）工会",
    Tier.GRASSROOTS: "基层工会",
}
_UNITS = "单位：分。“—”表示没有。分数显示到 0.01（四舍五入），合计和平均按未舍入的分数计算。"
#: Unions whose answers are held in memory at a time.
_DETAILED = 100


def tier(book: Workbook, scope: Scope, of: Tier) -> Iterator[int]:
    """汇总表: every union of a tier, with its own total and what was decided."""
    titles = [criterion.title for criterion, _ in worksheet.outline(scope.rubrics[of].pk)]
    columns = [("自评总分", 10)]
    for title in titles:
        columns += [(title, 12), ("是否“好”", 9)]
    columns += [("评定总分", 10), ("是否达标", 10)]
    sheet = _sheet(book, scope, _NAMES[of], f"汇总表（{_NAMES[of]}）", columns)
    undecided = [NOTHING] * (2 * len(titles) + 2)
    first = 1 + len(scope.union_columns)
    for portion in scope.portions(scope.unions(of)):
        decided = _decided(portion)
        for row in portion:
            values = decided.get(row["entry__pk"], undecided)
            _append(sheet, scope, row, [shown(row["entry__self_total"]), *values])
        yield len(portion)
    totals: list[Any] = [_mean(sheet, first)]
    for number in range(len(titles)):
        column = sheet.column(first + 2 + 2 * number)
        totals += [_mean(sheet, first + 1 + 2 * number), Formula(f'=COUNTIF({column},"好")')]
    totals.append(_mean(sheet, first + 1 + 2 * len(titles)))
    last = sheet.column(first + 2 + 2 * len(titles))
    totals.append(Formula(f'=COUNTIF({last},"{Outcome.AT_STANDARD.label}")'))
    _append_totals(sheet, scope, "平均分、“好”和达标的个数", totals)
    sheet.finish()


def missing(book: Workbook, scope: Scope) -> Iterator[int]:
    """未提交名单: who has not handed in, or must hand in again."""
    sheet = _sheet(book, scope, "未提交名单", "未提交名单", [("层级", 18), ("情况", 12)])
    for of in scope.rubrics:
        late = Q(entry__pk=None) | Q(entry__state__in=EDITABLE_STATES)
        for portion in scope.portions(scope.unions(of).filter(late)):
            for row in portion:
                state = row["entry__state"]
                words = str(State(state).label) if state else "未开始"
                _append(sheet, scope, row, [str(of.label), words])
            yield len(portion)
    _append_totals(sheet, scope, "个数", ["", Formula(f"=SUBTOTAL(103,{sheet.column(2)})")])
    sheet.finish()


def recommended(book: Workbook, scope: Scope) -> Iterator[int]:
    """初审推荐名单: whom the superior union has endorsed, with its rank and opinion, and what became of
    it."""
    columns = [
        ("层级", 18),
        ("推荐单位", 30),
        ("名次", 8),
        ("初审总分", 10),
        ("自评总分", 10),
        ("评定总分", 10),
        ("是否达标", 10),
        ("推荐意见", 50),
    ]
    sheet = _sheet(book, scope, "初审推荐名单", "初审推荐名单", columns, ["推荐意见"])
    for of in scope.rubrics:
        standing = Endorsement.objects.standing().filter(self_assessment__campaign=scope.campaign)
        endorsed = scope.unions(of).filter(entry__in=standing.values("self_assessment"))
        for portion in scope.portions(endorsed):
            keys = [row["entry__pk"] for row in portion]
            found = {
                one.self_assessment_id: one
                for one in standing.filter(self_assessment__in=keys).select_related("organization")
            }
            decided = _decided(portion)
            for row in portion:
                one = found[row["entry__pk"]]
                _append(
                    sheet,
                    scope,
                    row,
                    [
                        str(of.label),
                        one.organization.name,
                        one.rank or NOTHING,
                        shown(one.total),
                        shown(row["entry__self_total"]),
                        *decided.get(row["entry__pk"], [NOTHING] * 2)[-2:],
                        one.opinion,
                    ],
                )
            yield len(portion)
    sheet.finish()


def province(book: Workbook, scope: Scope) -> Iterator[int]:
    """推荐名单: whom the city recommends to the province (推荐表彰), by tier and rank, and whether two
    persons have confirmed the list. As many as there are places: held in memory."""
    columns = [
        ("层级", 18),
        ("名次", 8),
        ("评定总分", 10),
        ("年度工作目标完成率（%）", 26),
        ("推荐依据", 40),
    ]
    made = RecommendationList.objects.filter(campaign=scope.campaign).first()
    standing = "还没有生成推荐名单。"
    if made:
        standing = "名单尚未经两人确认，仅供核对。"
    if made and made.confirmed_at:
        standing = f"名单已于{local_day(made.confirmed_at):%Y年%m月%d日}经两人确认。"
    name = "推荐名单"
    sheet = _sheet(
        book, scope, name, f"{name}（推荐省总工会表彰）", columns, ["推荐依据"], [standing]
    )
    for of in scope.rubrics:
        lines = {
            line.self_assessment_id: line
            for line in Recommendation.objects.filter(
                list__campaign=scope.campaign, listed=True, self_assessment__rubric__tier=of
            )
        }
        portions = scope.portions(scope.unions(of).filter(entry__in=list(lines)))
        rows = [(lines[row["entry__pk"]], row) for portion in portions for row in portion]
        for line, row in sorted(rows, key=lambda one: (one[0].rank, one[0].pk)):
            goals = shown(line.goals)
            _append(sheet, scope, row, [str(of.label), line.rank, line.total, goals, line.why])
        yield len(rows)
    sheet.finish()


def detail(book: Workbook, scope: Scope, of: Tier) -> Iterator[int]:
    """Every union of a tier × every indicator: what it gave itself when it last handed in, and what
    was decided."""
    outline = worksheet.outline(scope.rubrics[of].pk)
    lines = [one for _, indicators in outline for one in indicators]
    columns: list[tuple[str, int]] = [("自评总分", 10), ("评定总分", 10)]
    for one in lines:
        columns += [(f"{one.code} {one.name}（自评）", 12), (f"{one.code}（评定）", 10)]
    name = f"{_NAMES[of]}明细"
    sheet = _sheet(book, scope, name, f"指标明细（{_NAMES[of]}）", columns)
    undecided = [NOTHING] * len(lines)
    for portion in scope.portions(scope.unions(of)):
        totals = _totals(portion)
        for start in range(0, len(portion), _DETAILED):
            some = portion[start : start + _DETAILED]
            own, decided = _own_points(some), _decided_points(some)
            for row in some:
                key = row["entry__pk"]
                mine, theirs = own.get(key, {}), decided.get(key)
                values = [shown(row["entry__self_total"]), shown(totals.get(key))]
                final = undecided if theirs is None else [theirs.get(one.pk) for one in lines]
                for one, points in zip(lines, final, strict=True):
                    values += [mine.get(one.code, NOTHING), points]
                _append(sheet, scope, row, values)
            yield len(some)
    numbers = range(1 + len(scope.union_columns), 3 + len(scope.union_columns) + 2 * len(lines))
    _append_totals(sheet, scope, "平均分", [_mean(sheet, number) for number in numbers])
    sheet.finish()


def _sheet(
    book: Workbook,
    scope: Scope,
    name: str,
    title: str,
    columns: Sequence[tuple[str, int]],
    wrapped: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Sheet:
    about = [(str(column.label), column.width) for column in scope.union_columns]
    return Sheet(
        book,
        name,
        title=f"{scope.campaign.name}{title}",
        notes=[scope.made, _UNITS, *notes],
        columns=[("序号", 6), *about, *columns],
        widen=3,
        wrapped=wrapped,
    )


def _append(sheet: Sheet, scope: Scope, row: dict[str, Any], values: Iterable[Any]) -> None:
    about = [column.value(row) for column in scope.union_columns]
    sheet.append([sheet.rows + 1, *about, *values])


def _append_totals(sheet: Sheet, scope: Scope, label: str, values: Iterable[Any]) -> None:
    blank = [""] * (len(scope.union_columns) - 2)
    sheet.append_total(["", "合计", label, *blank, *values])


def _mean(sheet: Sheet, number: int) -> Formula:
    """The mean of the figures in a column, as far as a filter shows them; blank where there are none."""
    column = sheet.column(number)
    return Formula(f'=IF(SUBTOTAL(102,{column})=0,"",ROUND(SUBTOTAL(101,{column}),2))')


def _standing(portion: list[dict[str, Any]]) -> QuerySet[Decision]:
    keys = [row["entry__pk"] for row in portion if row["entry__state"] in DECIDED_STATES]
    return Decision.objects.filter(superseded_at=None, self_assessment__in=keys)


def _totals(portion: list[dict[str, Any]]) -> dict[int, Any]:
    """The total that was decided, by self-assessment."""
    return dict(_standing(portion).values_list("self_assessment", "total"))


def _decided(portion: list[dict[str, Any]]) -> dict[int, list[Any]]:
    """As a tier's sheet shows them, by self-assessment: points and “好” of the six, total, outcome.
    Two queries."""
    decisions = {
        pk: (assessment, total, outcome)
        for pk, assessment, total, outcome in _standing(portion).values_list(
            "pk", "self_assessment", "total", "outcome"
        )
    }
    found: dict[int, list[Any]] = {one: [] for one, _, _ in decisions.values()}
    criteria = DecisionCriterion.objects.filter(decision__in=list(decisions)).order_by("number")
    for decision, points, met in criteria.values_list("decision", "points", "met"):
        found[decisions[decision][0]] += [points, "好" if met else "未达"]
    for assessment, total, outcome in decisions.values():
        found[assessment] += [total, str(Outcome(outcome).label)]
    return found


def _own_points(portion: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What the unions gave themselves, by self-assessment and code, from what they last handed in."""
    latest = {row["entry__pk"]: row["entry__revision"] for row in portion if row["entry__revision"]}
    revisions = Revision.objects.filter(self_assessment__in=latest).values_list(
        "self_assessment", "number", "content"
    )
    return {
        assessment: {code: _own(answer) for code, answer in content.items()}
        for assessment, number, content in revisions
        if latest[assessment] == number
    }


def _own(answer: dict[str, Any]) -> Any:
    if answer.get("not_applicable"):
        return "不适用"
    points = answer.get("points")
    return NOTHING if points is None else storable(Decimal(points))


def _decided_points(portion: list[dict[str, Any]]) -> dict[int, dict[int, Any]]:
    """What was decided, by self-assessment and indicator."""
    found: dict[int, dict[int, Any]] = {}
    scores = DecisionScore.objects.filter(decision__in=_standing(portion))
    for assessment, indicator, points, maximum in scores.values_list(
        "decision__self_assessment", "indicator", "points", "maximum"
    ):
        found.setdefault(assessment, {})[indicator] = points if maximum else "不适用"
    return found
