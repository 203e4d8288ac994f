"""Drawing by lot: within its quota, the same for the same seed, one part independent of another."""

from hypothesis import given
from hypothesis import strategies as st

from assessments.drawing import Quota, Stratum, digest, draw, strata_of

KEYS = st.lists(st.integers(1, 500), unique=True, max_size=40)
SEEDS = st.integers(0, 999_999)


@given(first=KEYS, second=KEYS, wanted=st.integers(0, 50), seed=SEEDS)
def test_each_part_within_its_quota(first, second, wanted, seed):
    second = [key + 1000 for key in second]
    strata = [Stratum("G:a", tuple(first), wanted), Stratum("G:b", tuple(second), wanted)]
    drawn = draw(strata, seed)
    assert len(set(drawn)) == len(drawn)
    assert len([key for key in drawn if key in first]) == min(wanted, len(first))
    assert len([key for key in drawn if key in second]) == min(wanted, len(second))


@given(keys=KEYS, seed=SEEDS, mixer=st.randoms())
def test_the_same_whatever_the_order(keys, seed, mixer):
    mixed = list(keys)
    mixer.shuffle(mixed)
    one, other = Stratum("G:a", tuple(keys), 3), Stratum("G:a", tuple(mixed), 3)
    assert draw([one], seed) == draw([other], seed)
    assert digest([one], seed) == digest([other], seed)


@given(keys=KEYS, others=KEYS, seed=SEEDS)
def test_another_county_does_not_change_it(keys, others, seed):
    one = Stratum("G:a", tuple(keys), 3)
    other = Stratum("G:b", tuple(key + 1000 for key in others), 5)
    alone = set(draw([one], seed))
    assert alone == {key for key in draw([one, other], seed) if key <= 500}


def test_another_seed_draws_others():
    one = Stratum("G:a", tuple(range(100)), 10)
    assert len({draw([one], seed) for seed in range(5)}) == 5
    assert digest([one], 1) != digest([one], 2)


def test_a_share_is_rounded_up_and_a_number_is_capped():
    assert Quota(10, is_percent=True).of(41) == 5
    assert Quota(10, is_percent=True).of(0) == 0
    assert Quota(100, is_percent=True).of(7) == 7
    assert Quota(3).of(2) == 2


def test_a_tier_without_a_quota_is_left_out():
    groups = {"GRASSROOTS:1": [2, 1], "TOWNSHIP:1": [3]}
    assert strata_of(groups, {"GRASSROOTS": Quota(1)}) == [Stratum("GRASSROOTS:1", (1, 2), 1)]
