"""The rule for candidates: places are kept, nobody better is passed over, everybody left out has a reason."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from assessments.choices import LeftOut
from assessments.nominating import Contender, Quotas, nominate

TIERS, COUNTIES = ("TOWNSHIP", "GRASSROOTS"), ("甲", "乙", "丙")
percents = st.one_of(st.none(), st.integers(95, 105).map(Decimal))
contenders = st.lists(
    st.builds(
        Contender,
        key=st.just(0),
        code=st.integers(0, 10**9).map(str),
        tier=st.sampled_from(TIERS),
        county=st.sampled_from(COUNTIES),
        total=st.integers(80, 84).map(Decimal),
        goals=percents,
        has_title=st.booleans(),
        is_active=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.code,
)
quotas = st.builds(
    Quotas,
    tiers=st.dictionaries(st.sampled_from(TIERS), st.integers(0, 5)),
    counties=st.dictionaries(
        st.tuples(st.sampled_from(TIERS), st.sampled_from(COUNTIES)), st.integers(0, 2)
    ),
    least_goals=st.just(Decimal(100)),
)
BARRED = {LeftOut.DISSOLVED, LeftOut.NO_TITLE, LeftOut.NO_GOALS, LeftOut.GOALS}


def nominated(found, given_quotas):
    return list(nominate(sorted(found, key=lambda one: one.merit), given_quotas))


@given(contenders, quotas, st.randoms())
def test_the_rule(found, given_quotas, random):
    result = nominated(found, given_quotas)
    shuffled = random.sample(found, len(found))
    assert nominated(shuffled, given_quotas) == result
    chosen = [one.contender for one in result if not one.left_out]
    by_tier = Counter(one.tier for one in chosen)
    by_county = Counter((one.tier, one.county) for one in chosen)
    assert all(number <= given_quotas.tiers.get(tier, 0) for tier, number in by_tier.items())
    assert all(number <= given_quotas.counties.get(key, 99) for key, number in by_county.items())
    for one in result:
        union = one.contender
        fit = union.is_active and union.has_title and (union.goals or 0) >= 100
        assert fit == (one.left_out not in BARRED)
        better = [
            other for other in chosen if other.merit < union.merit and other.tier == union.tier
        ]
        match one.left_out:
            case LeftOut.TIER:
                assert len(better) == given_quotas.tiers.get(union.tier, 0)
            case LeftOut.COUNTY:
                here = [other for other in better if other.county == union.county]
                assert len(here) == given_quotas.counties[union.tier, union.county]


def union(code, total, **facts):
    defaults = {"key": 0, "tier": "GRASSROOTS", "county": "甲", "goals": Decimal(100)}
    return Contender(**defaults | {"code": code, "total": Decimal(total)} | facts)


def test_ties_are_broken_by_goals_then_code_and_said():
    found = [union("B", 90), union("A", 90), union("C", 90, goals=Decimal(101)), union("D", 80)]
    result = nominated(found, Quotas({"GRASSROOTS": 2}, {}, Decimal(100)))
    assert [(one.contender.code, one.rank, one.left_out, one.tied) for one in result] == [
        ("C", 1, "", False),
        ("A", 1, "", False),
        ("B", 1, LeftOut.TIER, True),
        ("D", 4, LeftOut.TIER, False),
    ]


def test_no_places_and_too_few_unions():
    assert nominated([union("A", 90)], Quotas({}, {}, Decimal(100)))[0].left_out == LeftOut.TIER
    zero = Quotas({"GRASSROOTS": 5}, {("GRASSROOTS", "甲"): 0}, Decimal(100))
    assert nominated([union("A", 90)], zero)[0].left_out == LeftOut.COUNTY
    assert [
        one.left_out
        for one in nominated([union("A", 90)], zero.__class__({"GRASSROOTS": 5}, {}, Decimal(100)))
    ] == [""]
    assert nominated([], zero) == []
