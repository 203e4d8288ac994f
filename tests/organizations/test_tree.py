"""The tree's rules, in the model and in the database."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from organizations import reference, tree
from organizations.choices import PARENT_TIERS, Tier
from organizations.models import Organization
from tests.factories import make_organization

pytestmark = pytest.mark.django_db

PAIRS = [(tier, parent) for tier in Tier for parent in Tier]


@pytest.fixture
def by_tier(city):
    return {
        Tier.CITY: city.city,
        Tier.COUNTY: city.county,
        Tier.INDUSTRY: city.industry,
        Tier.TOWNSHIP: city.township,
        Tier.GRASSROOTS: city.own,
    }


@pytest.mark.parametrize(("tier", "parent_tier"), PAIRS)
def test_model_allows_exactly_the_places_of_the_design(by_tier, tier, parent_tier):
    organization = Organization(code="NEW", name="新工会", tier=tier, parent=by_tier[parent_tier])
    if parent_tier in PARENT_TIERS[tier]:
        assert tree.plant(organization).path.startswith(by_tier[parent_tier].path)
    else:
        with pytest.raises(ValidationError):
            tree.plant(organization)


@pytest.mark.parametrize(("tier", "parent_tier"), PAIRS)
def test_database_refuses_a_wrong_place_on_insert(by_tier, tier, parent_tier):
    organization = Organization(code="NEW", name="新", tier=tier, parent=by_tier[parent_tier])
    if parent_tier in PARENT_TIERS[tier]:
        Organization.objects.bulk_create([organization])
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            Organization.objects.bulk_create([organization])


@pytest.mark.parametrize(
    ("mover", "target"), [("township", "industry"), ("county", "other_county"), ("own", "sibling")]
)
def test_database_refuses_a_wrong_place_on_update(city, mover, target):
    rows = Organization.objects.filter(pk=getattr(city, mover).pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(parent=getattr(city, target))


def test_database_refuses_a_tier_that_children_cannot_stand_under(city):
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=city.county.pk).update(tier=Tier.INDUSTRY)


def test_model_names_the_child_in_the_way_of_a_new_tier(city):
    city.county.tier = Tier.INDUSTRY
    with pytest.raises(ValidationError) as error:
        tree.replant(city.county)
    assert "城关镇工会委员会" in error.value.message_dict["tier"][0]


def test_only_the_city_is_a_root(city):
    with pytest.raises(ValidationError):
        make_organization(Tier.COUNTY, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=city.county.pk).update(parent=None)


def test_nothing_is_its_own_parent(city):
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=city.county.pk).update(parent=city.county.pk)


def test_code_is_unique_and_a_name_need_not_be(city):
    make_organization(Tier.GRASSROOTS, city.other_township, city.own.name)
    with pytest.raises(ValidationError) as error:
        make_organization(Tier.GRASSROOTS, city.township, code=city.own.code)
    assert error.value.message_dict["code"] == ["已有工会使用这个代码。"]


def test_subtree_holds_the_organization_and_all_below(city):
    assert set(Organization.objects.subtree_of(city.county)) == {
        city.county,
        city.township,
        city.own,
        city.sibling,
    }
    assert Organization.objects.subtree_of(city.city).count() == Organization.objects.count()


def test_moving_takes_the_subtree_along(city):
    city.township.parent = city.other_county
    tree.replant(city.township)
    assert city.own in Organization.objects.subtree_of(city.other_county)
    assert city.own not in Organization.objects.subtree_of(city.county)
    own = Organization.objects.get(pk=city.own.pk)
    assert own.path == f"{city.township.path}{tree.step(own.pk)}"


def test_reference_data_is_the_real_city():
    assert reference.load_divisions() == 161
    assert Organization.objects.filter(tier=Tier.COUNTY).count() == 12
    assert Organization.objects.filter(tier=Tier.TOWNSHIP).count() == 148
    assert not Organization.objects.filter(path=None).exists()
    assert Organization.objects.get(code="410421100").parent.name == "宝丰县总工会"
    assert Organization.objects.get(code="410402400").name == "香山街道工会委员会"


def test_loading_again_keeps_what_an_administrator_changed():
    reference.load_divisions()
    Organization.objects.filter(code="410421").update(name="改过的名称")
    Organization.objects.filter(code="410402400").update(dissolved_on="2026-01-01")
    assert reference.load_divisions() == 0
    assert Organization.objects.get(code="410421").name == "改过的名称"
    assert not Organization.objects.get(code="410402400").is_active


def test_planting_many_takes_a_flat_number_of_queries(city, django_assert_num_queries):
    def unions(count, prefix):
        return [
            Organization(
                code=f"{prefix}{n}", name=f"示例{n}", tier=Tier.GRASSROOTS, parent=city.township
            )
            for n in range(count)
        ]

    with django_assert_num_queries(9):
        tree.plant_all(unions(1, "A"))
    with django_assert_num_queries(9):
        tree.plant_all(unions(60, "B"))  # one statement: SQLite takes 999 values in each
    assert Organization.objects.subtree_of(city.township).count() == 64
