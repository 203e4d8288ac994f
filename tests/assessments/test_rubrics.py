"""The rubric is the policy's, to the letter."""

from decimal import Decimal

import pytest

from assessments import rubrics
from assessments.models import Criterion, Indicator, Rubric, RubricLocked
from organizations.choices import ASSESSED_TIERS, Tier
from tests import factories

pytestmark = pytest.mark.django_db

ALL_CRITERIA = [(tier, number) for tier in ASSESSED_TIERS for number in range(1, 7)]


@pytest.fixture(autouse=True)
def _loaded():
    rubrics.load()


def test_policy_has_eighteen_criteria():
    assert sorted(rubrics.policy_criteria()) == sorted(ALL_CRITERIA)


@pytest.mark.parametrize(("tier", "number"), ALL_CRITERIA)
def test_clauses_joined_are_the_policy_character_for_character(tier, number):
    title, text = rubrics.policy_criteria()[tier, number]
    criterion = Criterion.objects.get(rubric__tier=tier, rubric__version=1, number=number)
    clauses = criterion.indicators.order_by("position").values_list("clause", flat=True)
    assert "".join(clauses) == text
    assert criterion.title == title
    assert f"{number}、{title}。{text}" in rubrics.policy_text()


@pytest.mark.parametrize(
    ("tier", "count"), [(Tier.COUNTY, 41), (Tier.TOWNSHIP, 47), (Tier.GRASSROOTS, 51)]
)
def test_each_tier_has_its_indicators_and_a_hundred_points(tier, count):
    points = Indicator.objects.filter(criterion__rubric__tier=tier).values_list(
        "max_points", flat=True
    )
    assert (len(points), sum(points)) == (count, Decimal(100))


def test_the_two_thresholds_of_the_policy():
    thresholds = Indicator.objects.exclude(threshold_percent=None).values_list(
        "code", "threshold_percent"
    )
    assert dict(thresholds) == {"G2.06": Decimal(95), "G6.05": Decimal(90)}


def test_kinds_and_marks():
    assert set(Indicator.objects.filter(kind="CHECKLIST").values_list("code", flat=True)) == {
        "G1.03",
        "G2.03",
    }
    assert set(Indicator.objects.filter(mandatory=True).values_list("code", flat=True)) == {
        "T3.11",
        "G1.03",
        "G2.01",
        "G2.06",
        "G6.05",
    }
    assert "G3.08" in Indicator.objects.filter(conditional=True).values_list("code", flat=True)


def test_loading_again_changes_nothing():
    before = list(Indicator.objects.order_by("pk").values())
    rubrics.load()
    assert list(Indicator.objects.order_by("pk").values()) == before


def test_a_rubric_in_use_cannot_be_changed_by_loading(tmp_path, city):
    factories.make_campaign()
    changed = tmp_path / "rubric.csv"
    text = rubrics.RUBRIC_FILE.read_text(encoding="utf-8")
    changed.write_text(text.replace("接受党组织领导", "改过的名称"), encoding="utf-8")
    with pytest.raises(RubricLocked):
        rubrics.load(changed)
    assert not Indicator.objects.filter(name="改过的名称").exists()
    rubrics.load(changed, version=2)
    assert Indicator.objects.get(name="改过的名称").criterion.rubric.version == 2


def test_faults_name_what_is_not_in_order():
    rubric = Rubric.objects.create(tier=Tier.COUNTY, version=9, title="空标准")
    assert [fault.text for fault in rubrics.faults([rubric])] == [
        "六个“好”没有都写上指标。",
        "满分合计应为 100 分，现为 0 分。",
    ]
    assert rubrics.faults(Rubric.objects.filter(version=1)) == []
