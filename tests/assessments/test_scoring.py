from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.choices import IndicatorKind
from assessments.scoring import (
    IndicatorResult,
    IndicatorRule,
    Rating,
    Thresholds,
    all_needed_below,
    counts_problem,
    discrepant_criteria,
    mean_indicator,
    rounded,
    score_assessment,
    score_criterion,
    score_indicator,
    score_problem,
    storable,
)

SIX = ("牌子", "印章", "人员", "经费", "办公地点", "活动场地")
ENROLLED = IndicatorRule(
    "G2.06",
    IndicatorKind.RATE,
    Decimal(4),
    mandatory=True,
    threshold_percent=Decimal(95),
    numerator_label="会员数",
    denominator_label="职工数",
)
CHECKLIST = IndicatorRule(
    "G1.03", IndicatorKind.CHECKLIST, Decimal(9), mandatory=True, checklist_items=SIX
)


def judged(maximum="3", **fields):
    return IndicatorRule("G1.01", IndicatorKind.SCORE, Decimal(maximum), **fields)


def rate(numerator, denominator):
    return score_indicator(ENROLLED, Rating(numerator=numerator, denominator=denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "met"),
    [
        (95, 100, True),
        (94, 100, False),
        (18999, 20000, False),  # 94.995 % shows as 95.00 % and is not 95 %
        (19, 20, True),
        (18, 19, False),  # with fewer than 20 workers 95 % means all of them
        (19, 19, True),
        (0, 1, False),
    ],
)
def test_rate_is_compared_before_it_is_rounded(numerator, denominator, met):
    assert rate(numerator, denominator).met is met


def test_rate_earns_points_in_proportion_to_the_threshold_and_never_more_than_the_maximum():
    assert rate(100, 100).points == 4
    assert rate(95, 100).points == 4
    assert rate(19, 40).points == Decimal(2)


@pytest.mark.parametrize(("percent", "below"), [(95, 20), (90, 10), (100, 0), (50, 2)])
def test_all_needed_below(percent, below):
    assert all_needed_below(Decimal(percent)) == below


def test_rate_without_threshold_is_judged():
    rule = IndicatorRule("T2.07", IndicatorKind.RATE, Decimal(2))
    counts = {"numerator": 5, "denominator": 10}
    assert score_indicator(rule, Rating(**counts)).points is None
    assert score_indicator(rule, Rating(score=Decimal("1.5"), **counts)).points == Decimal("1.5")


def test_checklist_earns_in_proportion_and_is_met_only_when_complete():
    four = score_indicator(CHECKLIST, Rating(checked_items=SIX[:4]))
    assert (four.points, four.met) == (6, False)
    assert score_indicator(CHECKLIST, Rating(checked_items=SIX)).met
    assert score_indicator(CHECKLIST, Rating(checked_items=())).points == 0
    assert score_indicator(CHECKLIST, Rating()).points is None


def test_checklist_counts_no_item_twice_and_no_foreign_one():
    result = score_indicator(CHECKLIST, Rating(checked_items=("牌子", "牌子", "食堂")))
    assert result.points == Decimal("1.5")


def test_not_applicable_leaves_points_and_maximum_alike():
    rule = judged(conditional=True)
    result = score_indicator(rule, Rating(not_applicable=True))
    assert (result.points, result.maximum, result.met) == (0, 0, True)


def test_not_applicable_means_nothing_where_the_clause_is_unconditional():
    result = score_indicator(judged(), Rating(not_applicable=True))
    assert (result.points, result.maximum) == (None, 3)


@pytest.mark.parametrize(
    ("score", "problem"),
    [
        ("3", None),
        ("2.5", None),
        ("0", None),
        ("3.5", "得分不能超过满分 3 分。"),
        ("-0.5", "得分不能为负数。"),
        ("2.2", "得分以 0.5 分为一档，例如 2 或 2.5。"),
        ("NaN", "请填写数字。"),
        ("Infinity", "请填写数字。"),
    ],
)
def test_score_problem(score, problem):
    assert score_problem(Decimal(score), Decimal(3)) == problem


@pytest.mark.parametrize(
    ("numerator", "denominator", "fields"),
    [
        (1, 1, []),
        (0, 5, []),
        (6, 5, ["numerator"]),
        (0, 0, ["denominator"]),
        (-1, 5, ["numerator"]),
        (-1, 0, ["denominator", "numerator"]),
    ],
)
def test_counts_problem_names_the_field(numerator, denominator, fields):
    assert sorted(counts_problem(ENROLLED, numerator, denominator)) == fields


def points(value, maximum=10, *, met=True, mandatory=False):
    return IndicatorResult("X", Decimal(value), Decimal(maximum), met=met, mandatory=mandatory)


def test_criterion_is_met_at_exactly_eighty_percent():
    assert score_criterion(1, [points("8")]).met
    assert not score_criterion(1, [points("7.5")]).met


def test_criterion_fails_on_one_unmet_mandatory_indicator_at_any_score():
    result = score_criterion(1, [points("10"), points("10", met=False, mandatory=True)])
    assert (result.met, result.unmet_mandatory) == (False, ("X",))


def six(*values):
    return {number: [points(value)] for number, value in enumerate(values, start=1)}


def test_at_standard_needs_all_six():
    assert score_assessment(six(8, 8, 8, 8, 8, 8)).at_standard
    assert not score_assessment(six(10, 10, 10, 10, 10, 7)).at_standard


def test_at_standard_needs_the_total():
    strict = Thresholds(pass_total=Decimal("80.01"))
    assert not score_assessment(six(8, 8, 8, 8, 8, 8), strict).at_standard


def test_a_veto_rules_out_the_standard():
    result = score_assessment(six(10, 10, 10, 10, 10, 10), vetoed=True)
    assert (result.at_standard, result.met_count) == (False, 6)


def test_total_is_scaled_to_a_hundred_when_something_does_not_apply():
    results = six(10, 10, 10, 10, 10)
    results[6] = [IndicatorResult("X", Decimal(0), Decimal(0), met=True)]
    result = score_assessment(results)
    assert (result.total, result.at_standard) == (100, True)


def test_mean_of_two_reviewers():
    merged = mean_indicator(judged(), [points("2", 3), points("3", 3, met=False)])
    assert (merged.points, merged.met) == (Decimal("2.5"), True)  # judged: the mean counts
    facts = mean_indicator(CHECKLIST, [points("9", 9), points("7.5", 9, met=False)])
    assert (facts.points, facts.met) == (Decimal("8.25"), False)


def test_mean_leaves_out_a_reviewer_who_finds_it_not_applicable():
    refused = IndicatorResult("X", Decimal(0), Decimal(0), met=True)
    assert mean_indicator(judged(), [refused, points("2", 3)]).points == 2
    assert mean_indicator(judged(), [refused, refused]).maximum == 0


def test_discrepancy_is_more_than_twenty_percent_of_the_maximum():
    first = score_assessment(six(10, 10, 10, 10, 10, 10))
    at_the_line = score_assessment(six(8, 10, 10, 10, 10, 10))
    beyond = score_assessment(six(7.5, 10, 10, 10, 10, 10))
    assert discrepant_criteria([first, at_the_line], Decimal(20)) == ()
    assert discrepant_criteria([first, beyond], Decimal(20)) == (1,)


exact = st.decimals(min_value=0, max_value=100, places=12)


@given(exact)
def test_storing_does_not_change_what_is_shown(value):
    assert rounded(storable(value)) == rounded(value)


@given(exact)
def test_rounding_is_half_up(value):
    assert abs(rounded(value) - value) <= Decimal("0.005")
    assert rounded(Decimal("0.005")) == Decimal("0.01")


ratings = st.builds(
    Rating,
    score=st.none() | st.integers(0, 6).map(lambda halves: Decimal(halves) / 2),
    checked_items=st.none() | st.lists(st.sampled_from(SIX), unique=True).map(tuple),
    numerator=st.none() | st.integers(0, 50),
    denominator=st.none() | st.integers(50, 100),
    not_applicable=st.booleans(),
)
rules = st.sampled_from(
    [
        judged(),
        judged(conditional=True),
        judged(mandatory=True),
        ENROLLED,
        CHECKLIST,
        IndicatorRule("T2.07", IndicatorKind.RATE, Decimal(2)),
    ]
)


def is_possible(rule: IndicatorRule, rating: Rating) -> bool:
    """A score above the full mark is refused before it is reckoned with."""
    return rule.is_computed or rating.score is None or rating.score <= rule.max_points


pairs = st.tuples(rules, ratings).filter(lambda pair: is_possible(*pair))


@given(pairs)
def test_points_lie_between_zero_and_the_maximum(pair):
    rule, rating = pair
    result = score_indicator(rule, rating)
    if result.points is not None:
        assert 0 <= result.points <= result.maximum


@given(st.integers(0, 200), st.integers(1, 200))
def test_a_higher_rate_never_earns_less(numerator, denominator):
    if numerator >= denominator:
        return
    lower, higher = rate(numerator, denominator), rate(numerator + 1, denominator)
    assert lower.points <= higher.points
    assert lower.met <= higher.met


@given(st.lists(pairs, min_size=1, max_size=10))
def test_full_marks_everywhere_are_at_standard_and_more_points_never_hurt(pairs):
    results = [score_indicator(rule, rating) for rule, rating in pairs]
    before = score_criterion(1, results)
    better = [
        IndicatorResult(r.code, r.maximum, r.maximum, met=True, mandatory=r.mandatory)
        for r in results
    ]
    after = score_criterion(1, better)
    assert after.met
    assert before.met <= after.met
    assert before.points <= after.points
