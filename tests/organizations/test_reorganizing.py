"""Changing the tree while others do: one after the other, and nothing half done."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations import audit, reorganizing, tree
from organizations.choices import Tier
from organizations.models import Membership, Organization, User
from tests import factories
from tests.assessments.test_concurrency import at_once
from tests.factories import make_organization, today

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db):
    return factories.make_city()


def doing(act, organization, user, **details):
    """The act as a request of its own does it: on rows that were read before."""
    organization = Organization.objects.get(pk=organization.pk)
    details = {"reason": "调整", "on": today()} | details
    return lambda: act(organization, by=User.objects.get(pk=user.pk), **details)


def is_sound():
    """Every path is the parent's and the own step; no active union stands below a dissolved one."""
    for union in Organization.objects.select_related("parent"):
        above = union.parent.path if union.parent else ""
        assert union.path == f"{above}{tree.step(union.pk)}"
        assert union.dissolved_on or union.parent is None or union.parent.is_active
    return list(audit.verify()) == []


def outcome(results):
    """How many were done, how many were refused; nothing else may have happened."""
    refused = [r for r in results if isinstance(r, ValidationError)]
    finished = [r for r in results if isinstance(r, Organization)]
    assert len(refused) + len(finished) == len(results), results
    return len(finished), len(refused)


def test_moving_a_union_against_dissolving_it(city):
    results = at_once(
        doing(reorganizing.move, city.township, city.admin, to=city.other_county),
        doing(reorganizing.dissolve, city.township, city.county_admin, with_subordinates=True),
    )
    assert outcome(results) in [(1, 1), (2, 0)]
    township = Organization.objects.get(pk=city.township.pk)
    moved, dissolved = (isinstance(result, Organization) for result in results)
    assert dissolved is not township.is_active
    assert moved is (township.parent == city.other_county)
    assert is_sound()


def test_moving_below_a_union_against_dissolving_that(city):
    results = at_once(
        doing(reorganizing.move, city.own, city.admin, to=city.industry),
        doing(reorganizing.dissolve, city.industry, city.admin),
    )
    assert outcome(results) == (1, 1)
    assert is_sound()


def test_entering_below_a_union_against_dissolving_that(city):
    new = Organization(code="N-1", name="示例", tier=Tier.GRASSROOTS, parent=city.industry)
    results = at_once(
        lambda: reorganizing.found(new, by=User.objects.get(pk=city.admin.pk)),
        doing(reorganizing.dissolve, city.industry, city.admin),
    )
    assert outcome(results) == (1, 1)
    assert is_sound()


def test_entering_below_a_union_that_was_dissolved_a_moment_ago(city):
    new = Organization(code="N-1", name="示例", tier=Tier.GRASSROOTS, parent=city.industry)
    reorganizing.dissolve(city.industry, reason="撤并", on=today(), by=city.admin)
    with pytest.raises(ValidationError, match="上级工会已经撤销。"):
        reorganizing.found(new, by=city.admin)
    assert not Organization.objects.filter(code="N-1").exists()


def test_revising_a_union_that_was_moved_a_moment_ago(city):
    """The form was opened before the move: it says nothing about the place."""
    stale = Organization.objects.get(pk=city.township.pk)
    reorganizing.move(city.township, to=city.other_county, reason="调整", on=today(), by=city.admin)
    stale.name = "改名镇工会委员会"
    reorganizing.revise(stale, by=city.admin)
    township = Organization.objects.get(pk=city.township.pk)
    assert (township.name, township.parent) == ("改名镇工会委员会", city.other_county)
    assert city.own in Organization.objects.subtree_of(city.other_county)
    assert is_sound()


def test_revising_a_union_that_was_dissolved_a_moment_ago(city):
    stale = Organization.objects.get(pk=city.own.pk)
    reorganizing.dissolve(city.own, reason="撤并", on=today(), by=city.admin)
    stale.name = "改名工会"
    with pytest.raises(ValidationError, match="这个工会已经撤销，不能修改。"):
        reorganizing.revise(stale, by=city.admin)
    assert not Organization.objects.get(pk=city.own.pk).is_active


def test_revising_against_moving(city):
    stale = Organization.objects.get(pk=city.township.pk)
    stale.name = "改名镇工会委员会"
    results = at_once(
        lambda: reorganizing.revise(stale, by=User.objects.get(pk=city.admin.pk)),
        doing(reorganizing.move, city.township, city.admin, to=city.other_county),
    )
    assert outcome(results) == (2, 0)
    township = Organization.objects.get(pk=city.township.pk)
    assert (township.name, township.parent) == ("改名镇工会委员会", city.other_county)
    assert is_sound()


def test_two_unions_merging_into_each_other(city):
    results = at_once(
        doing(reorganizing.merge, city.own, city.admin, into=city.sibling),
        doing(reorganizing.merge, city.sibling, city.admin, into=city.own),
    )
    assert outcome(results) == (1, 1)
    assert Organization.objects.filter(pk__in=[city.own.pk, city.sibling.pk]).active().count() == 1


def test_merging_against_moving_a_subordinate_in(city):
    other = make_organization(Tier.TOWNSHIP, city.county)
    results = at_once(
        doing(reorganizing.merge, city.township, city.admin, into=other),
        doing(reorganizing.move, city.foreign, city.admin, to=city.township),
    )
    assert outcome(results) in [(1, 1), (2, 0)]
    assert is_sound()


def test_dissolving_twice_at_once_dissolves_once(city):
    results = at_once(*[doing(reorganizing.dissolve, city.own, city.admin)] * 4)
    assert outcome(results) == (1, 3)
    assert audit.events_of(city.own).count() == 1


def test_merging_with_people_who_are_in_both_leaves_nobody_twice(city):
    for role in ("HEAD", "REPORTER"):
        Membership.objects.create(user=city.head, organization=city.sibling, role=role)
    doing(reorganizing.merge, city.own, city.admin, into=city.sibling, with_accounts=True)()
    held = Membership.objects.filter(user=city.head).values_list("organization", "role")
    assert sorted(held) == [(city.sibling.pk, "HEAD"), (city.sibling.pk, "REPORTER")]


def test_a_subtree_of_any_size_moves_with_the_same_queries(city):
    counts = []
    for to, number in ((city.other_county, 600), (city.county, 0)):
        with CaptureQueriesContext(connection) as queries:
            doing(reorganizing.move, city.township, city.admin, to=to)()
        counts.append(len(queries))
        tree.plant_all(
            Organization(code=f"Q{n}", name="示例", tier="GRASSROOTS", parent=city.township)
            for n in range(number)
        )
    assert counts[0] == counts[1]
    assert Organization.objects.subtree_of(city.county).count() == 604
    assert is_sound()
