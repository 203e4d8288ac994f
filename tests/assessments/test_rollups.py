"""The summary table: kept up by triggers, equal to a full recount whatever happens."""

from __future__ import annotations

import random
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from assessments import rollups, workflow
from assessments.choices import Action, State
from assessments.models import (
    Answer,
    Campaign,
    Decision,
    DecisionScore,
    Rollup,
    RollupMark,
    RollupScore,
    SelfAssessment,
)
from assessments.rollups import Figures
from organizations import reorganizing, tree
from organizations.choices import Tier
from organizations.models import Organization, User
from tests import factories
from tests.factories import make_organization, make_self_assessment, perform, today

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(city):
    return factories.make_campaign()


def grassroots(campaign, place):
    return rollups.figures_of(campaign, place.path).get("GRASSROOTS", Figures())


def _head(union):
    return User.objects.filter(memberships__organization=union, memberships__role="HEAD").first()


# --- A full recount -------------------------------------------------------------------------------


class TestAnything(TestCase):
    """Whatever happens in whatever order, the table equals a full recount."""

    @hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False), st.integers(6, 14))
    def test_equals_a_full_recount(self, chance: random.Random, steps: int):
        city = factories.make_city()
        campaigns = [factories.make_campaign(year=today().year - 1), factories.make_campaign()]
        Campaign.objects.update(cycle_start_year=today().year - 1)
        for campaign in campaigns:
            campaign.refresh_from_db()
        unions = [city.own, city.sibling, city.foreign, city.direct, city.township, city.county]
        for _ in range(steps):
            self._step(chance, city, campaigns, unions)
            if chance.random() < 0.3:  # read in between: what follows is counted on top
                rollups.refresh(chance.choice(campaigns))
        for campaign in campaigns:
            assert rollups.faults(campaign) == []
            before = list(Rollup.objects.filter(campaign=campaign).values_list("place", "tier"))
            rollups.rebuild(campaign)
            after = Rollup.objects.filter(campaign=campaign).values_list("place", "tier")
            assert sorted(before) == sorted(after)
            assert rollups.faults(campaign) == []

    def _step(self, chance, city, campaigns, unions):
        act = chance.choice(
            [self._hand_in, self._hand_in, self._go_on, self._move, self._close, self._set]
        )
        act(chance, city, campaigns, unions)

    def _hand_in(self, chance, city, campaigns, unions):
        union, campaign = chance.choice(unions), chance.choice(campaigns)
        union.refresh_from_db()
        if (
            union.is_active
            and not SelfAssessment.objects.filter(campaign=campaign, organization=union).exists()
        ):
            state = chance.choice([State.DRAFT, State.SUBMITTED, State.REVIEWED, State.DECIDED])
            head = _head(union)
            make_self_assessment(
                city,
                campaign,
                state,
                organization=union,
                head=head or factories.make_user((union, "HEAD")),
            )

    def _go_on(self, chance, city, campaigns, unions):
        for one in SelfAssessment.objects.order_by("pk"):
            action = {
                State.SUBMITTED: Action.WITHDRAW,
                State.REVIEWED: Action.DECIDE,
                State.DECIDED: chance.choice([Action.PUBLISH, Action.REOPEN_DECISION]),
            }.get(one.state)
            if action and chance.random() < 0.5:
                by = city.admin
                if action == Action.WITHDRAW:
                    by = _head(one.organization)
                try:
                    perform(one, action, by, reason="有误")
                except workflow.TransitionRefused:
                    continue

    def _move(self, chance, city, campaigns, unions):
        union, to = chance.choice(
            [
                (city.township, city.other_county),
                (city.township, city.county),
                (city.own, city.other_township),
                (city.own, city.city),
                (city.own, city.township),
            ]
        )
        self._try(
            lambda: reorganizing.move(
                Organization.objects.get(pk=union.pk),
                to=Organization.objects.get(pk=to.pk),
                reason="调整",
                on=today(),
                by=city.admin,
            )
        )

    def _close(self, chance, city, campaigns, unions):
        union = Organization.objects.get(pk=chance.choice([city.sibling, city.foreign]).pk)
        act = reorganizing.dissolve if union.is_active else reorganizing.reactivate
        self._try(lambda: act(union, reason="撤并", on=today(), by=city.admin))

    def _set(self, chance, city, campaigns, unions):
        campaign = chance.choice(campaigns)
        if campaign.outside_target.exists():
            campaign.outside_target.clear()
        else:
            campaign.outside_target.add(city.other_county)
        make_organization(Tier.GRASSROOTS, Organization.objects.get(pk=city.industry.pk))

    def _try(self, job):
        try:
            job()
        except ValidationError:
            return


def test_many_places_at_once_are_counted_afresh(city, campaign):
    rollups.refresh(campaign)
    counties = [make_organization(Tier.COUNTY, city.city) for _ in range(3)]
    townships = [make_organization(Tier.TOWNSHIP, county) for county in counties for _ in range(40)]
    tree.plant_all(
        Organization(code=f"M{n}", name=f"第{n}工会", tier=Tier.GRASSROOTS, parent=parent)
        for n, parent in enumerate(townships)
    )
    assert RollupMark.objects.count() > 100
    assert grassroots(campaign, city.city).registered == 120 + 4
    assert rollups.faults(campaign) == []
    assert not RollupMark.objects.exists()


def test_the_command_rebuilds_and_checks(city, campaign, capsys):
    make_self_assessment(city, campaign, State.DECIDED)
    call_command("rebuild_rollups")
    call_command("rebuild_rollups", "--check")
    assert "right" in capsys.readouterr().out
    Rollup.objects.filter(tier="GRASSROOTS").update(at_standard=17)
    with pytest.raises(CommandError, match="at_standard=17"):
        call_command("rebuild_rollups", "--check", year=campaign.year)
    call_command("rebuild_rollups")
    call_command("rebuild_rollups", "--check")


# --- What is counted ------------------------------------------------------------------------------


def test_the_figures_of_any_subtree(city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    assert (grassroots(campaign, city.city).submitted, grassroots(campaign, city.city).decided) == (
        2,
        1,
    )
    assert grassroots(campaign, city.county).at_standard == 1
    assert grassroots(campaign, city.township).at_standard == 1
    assert grassroots(campaign, city.other_county).submitted == 1
    assert grassroots(campaign, city.other_township).decided == 0
    assert rollups.figures_of(campaign, city.county.path)["COUNTY"].registered == 1


def test_endorsed_is_a_figure_of_its_own(city):
    campaign = factories.make_campaign(endorsement=True)
    make_self_assessment(city, campaign, State.ENDORSED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    counted = grassroots(campaign, city.city)
    assert (counted.submitted, counted.endorsed) == (2, 1)


def test_points_and_what_part_of_them_by_criterion_and_indicator(city, campaign):
    for union in (city.own, city.sibling, city.foreign):
        make_self_assessment(
            city,
            campaign,
            State.DECIDED,
            organization=union,
            head=factories.make_user((union, "HEAD")),
        )
    decision = Decision.objects.first()
    score = decision.scores.filter(maximum__gt=0).order_by("pk").first()
    DecisionScore.objects.filter(pk=score.pk).update(points=score.maximum / 2, met=False)
    Decision.objects.filter(pk=decision.pk).update(opinion="改")  # any change of a decision
    scores = rollups.scores_of(campaign, city.city.path)["GRASSROOTS"]
    one = scores[score.indicator.code]
    assert one.unions == 3
    assert one.met == 2
    assert one.distribution == (1, 0, 0, 0, 2)
    assert one.mean == score.maximum * Decimal("2.5") / 3
    assert scores[rollups.TOTAL].unions == 3
    assert {rollups.criterion_code(number) for number in range(1, 7)} <= scores.keys()


def test_a_rate_of_several_unions_is_the_rate_of_their_sums(city, campaign):
    """9 of 10 and 10 of 990 are 19 of 1000, not the mean of 90 % and 1 %."""
    counts = {city.own: (9, 10), city.foreign: (10, 990)}
    for union, (numerator, denominator) in counts.items():
        one = make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
        Answer.objects.filter(self_assessment=one, indicator__numerator_label="满意票数").update(
            numerator=numerator, denominator=denominator
        )
    make_self_assessment(city, campaign, organization=city.sibling)  # still being written
    code = Answer.objects.filter(indicator__numerator_label="满意票数").first().indicator.code
    rollups.rebuild(campaign)
    rate = rollups.scores_of(campaign, city.city.path)["GRASSROOTS"][code]
    assert (rate.rated, rate.numerator, rate.denominator) == (2, 19, 1000)
    assert rate.rate_percent == Decimal("1.9")


def test_nothing_at_all(city, campaign):
    assert rollups.figures_of(campaign, "00000000") == {}
    assert rollups.scores_of(campaign, city.city.path) == {}
    nothing = rollups.Scores()
    assert (nothing.mean, nothing.score_percent, nothing.rate_percent) == (None, None, None)
    assert Figures().share_percent is None


# --- What it costs --------------------------------------------------------------------------------


def test_reading_asks_few_queries_and_counts_only_what_has_changed(city, campaign):
    tree.plant_all(
        Organization(code=f"Q{n}", name=f"第{n}工会", tier=Tier.GRASSROOTS, parent=city.township)
        for n in range(300)
    )
    rollups.refresh(campaign)
    with CaptureQueriesContext(connection) as asked:
        rollups.figures_of(campaign, city.city.path)
    assert len(asked) == 2
    make_self_assessment(city, campaign, State.DECIDED, organization=city.foreign)
    untouched = set(Rollup.objects.filter(is_total=False).values_list("pk", "place"))
    rollups.refresh(campaign)
    written = set(Rollup.objects.filter(is_total=False).values_list("pk", "place")) - untouched
    assert {place for _, place in written} <= {city.other_township.path, city.other_county.path}
    assert RollupScore.objects.filter(place=city.city.path).exists()


@pytest.mark.django_db(transaction=True)
def test_readers_and_writers_at_once(transactional_db):
    """Nobody waits for a counter, and nothing that is handed in meanwhile is lost."""
    city = factories.make_city()
    campaign = factories.make_campaign()
    waiting = [
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
        for union in (city.own, city.foreign)
    ]
    rollups.refresh(campaign)
    barrier, errors = threading.Barrier(4), []

    def run(job):
        barrier.wait()
        try:
            job()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    def withdraw(assessment):
        workflow.perform(assessment, Action.WITHDRAW, by=_head(assessment.organization))

    jobs = [lambda one=one: withdraw(one) for one in waiting]
    jobs += [lambda: rollups.refresh(campaign)] * 2
    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert grassroots(campaign, city.city).submitted == 0
    assert rollups.faults(campaign) == []
