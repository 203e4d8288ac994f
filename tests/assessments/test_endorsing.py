"""Endorsing: opinion, rank, scores, taking back, and going on without it."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import answering, assigning, endorsing, ranking, workflow, worksheet
from assessments.choices import Action, State
from assessments.entries import Entry
from assessments.models import Answer, Campaign, Endorsement, TierPolicy
from assessments.workflow import TransitionRefused
from organizations import audit
from organizations.choices import Tier
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, perform, today

pytestmark = pytest.mark.django_db
OPINION = {"opinion": "同意推荐。"}


@pytest.fixture
def campaign(city):
    return factories.make_campaign(endorsement=True)


def refusal(assessment, action, by, **details):
    with pytest.raises(TransitionRefused) as error:
        perform(assessment, action, by, **details)
    return [problem.message for problem in error.value.problems]


def submitted(city, campaign, organization=None, state=State.SUBMITTED):
    return make_self_assessment(city, campaign, state, organization=organization)


def scored(assessment, by, *, reason="材料不足。"):
    """Every indicator scored by the superior as the union did itself."""
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    changes = [
        answering.Change(
            line.indicator, Entry(line.answer.rating, {"reason": reason}), Entry().fingerprint
        )
        for line in lines
    ]
    return endorsing.save_scores(assessment, changes, User.objects.get(pk=by.pk))


# --- Taking back ----------------------------------------------------------------------------------


def test_an_endorsement_can_be_taken_back_until_the_city_has_begun(city, campaign):
    assessment = submitted(city, campaign, state=State.ENDORSED)
    perform(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    assert assessment.state == State.SUBMITTED
    withdrawn = assessment.endorsements.get()
    assert withdrawn.opinion == "同意推荐。"
    assert withdrawn.withdrawn_at is not None
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assert assessment.endorsements.count() == 2
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert refusal(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    assert list(audit.verify()) == []


def test_one_that_was_taken_back_does_not_let_the_city_begin(city, campaign):
    assessment = submitted(city, campaign, state=State.ENDORSED)
    perform(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    assigning.assign(assessment, city.reviewer, city.lead)
    assert refusal(assessment, Action.BEGIN_REVIEW, city.lead) == ["须先由上级工会初审推荐。"]


def test_one_that_was_taken_back_does_not_keep_the_union_from_withdrawing(city, campaign):
    assessment = submitted(city, campaign, state=State.ENDORSED)
    perform(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    perform(assessment, Action.WITHDRAW, city.head)
    assert assessment.state == State.DRAFT


def test_a_later_endorsement_follows_the_earlier_one(city, campaign):
    assessment = submitted(city, campaign, state=State.ENDORSED)
    factories.send_back(assessment, city.lead)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.ENDORSE, city.township_head, opinion="改好了。", rank=1)
    assert endorsing.standing(assessment).opinion == "改好了。"
    assert assessment.endorsements.exclude(superseded_at=None).get().revision == 1


# --- Going on without it --------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "may"), [(0, False), (-1, True)])
def test_the_lead_goes_on_from_the_day_after_the_day_for_endorsing(city, campaign, days, may):
    assessment = submitted(city, campaign)
    assigning.assign(assessment, city.reviewer, city.lead)
    Campaign.objects.update(
        submission_deadline=today() - dt.timedelta(days=2),
        endorsement_deadline=today() + dt.timedelta(days=days),
    )
    if not may:
        assert refusal(assessment, Action.BEGIN_REVIEW, city.lead) == ["须先由上级工会初审推荐。"]
        return
    assert refusal(assessment, Action.BEGIN_REVIEW, city.reviewer) == [
        "上级工会逾期未初审，须由评审组长或管理员受理。"
    ]
    perform(assessment, Action.BEGIN_REVIEW, city.lead)
    event = audit.events_of(assessment).get(action="BEGIN_REVIEW")
    assert event.details["note"] == "上级逾期未初审"


def test_the_superior_may_still_endorse_after_its_day(city, campaign):
    assessment = submitted(city, campaign)
    Campaign.objects.update(
        submission_deadline=today() - dt.timedelta(days=2),
        endorsement_deadline=today() - dt.timedelta(days=1),
    )
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert "note" not in audit.events_of(assessment).get(action="BEGIN_REVIEW").details


@pytest.mark.parametrize(("days", "field"), [(19, "endorsement_deadline"), (61, "review_deadline")])
def test_the_day_for_endorsing_stands_between_the_others(campaign, days, field):
    campaign.endorsement_deadline = today() + dt.timedelta(days=days)
    with pytest.raises(ValidationError) as error:
        campaign.full_clean()
    assert field in error.value.message_dict
    with pytest.raises(IntegrityError), transaction.atomic():
        campaign.save()


# --- Ranks ----------------------------------------------------------------------------------------


def test_a_rank_is_given_once(city, campaign):
    first, second = submitted(city, campaign), submitted(city, campaign, city.sibling)
    perform(first, Action.ENDORSE, city.township_head, rank=1, **OPINION)
    assert refusal(second, Action.ENDORSE, city.township_head, rank=1, **OPINION) == [
        f"第 1 名已经给了“{city.own}”，请另选，或先到“推荐排序”调整。"
    ]
    perform(second, Action.ENDORSE, city.township_head, rank=2, **OPINION)
    with pytest.raises(IntegrityError), transaction.atomic():
        second.endorsements.update(rank=1)


def test_a_rank_is_free_again_once_the_endorsement_is_taken_back(city, campaign):
    first, second = submitted(city, campaign), submitted(city, campaign, city.sibling)
    perform(first, Action.ENDORSE, city.township_head, rank=1, **OPINION)
    perform(first, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    perform(second, Action.ENDORSE, city.township_head, rank=1, **OPINION)
    assert refusal(first, Action.ENDORSE, city.township_head, rank=1, **OPINION)


def test_a_rank_is_asked_for_where_the_campaign_says_so(city, campaign):
    TierPolicy.objects.update(endorsement_ranks=True)
    assessment = submitted(city, campaign)
    assert refusal(assessment, Action.ENDORSE, city.township_head, **OPINION) == ["请填写名次。"]


def ranked(city, campaign):
    return [
        (one.self_assessment.organization, one.rank)
        for one in ranking.ranked(city.township, campaign, Tier.GRASSROOTS)
    ]


def test_moving_up_and_down_goes_around_what_the_city_has_begun_on(city, campaign):
    third = factories.make_organization(Tier.GRASSROOTS, city.township)
    unions = [city.own, city.sibling, third]
    for rank, union in enumerate(unions, 1):
        assessment = submitted(city, campaign, union)
        perform(assessment, Action.ENDORSE, city.township_head, rank=rank, **OPINION)
        if union == city.sibling:
            assigning.assign(assessment, city.reviewer, city.lead)
            perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    rows = list(ranking.ranked(city.township, campaign, Tier.GRASSROOTS))
    ranking.save_ranks(
        city.township,
        campaign,
        Tier.GRASSROOTS,
        ranking.moved(rows, rows[2].pk, -1),
        by=city.township_head,
        seen=ranking.rank_stamp(rows),
    )
    assert ranked(city, campaign) == [(third, 1), (city.sibling, 2), (city.own, 3)]
    fixed = rows[1]
    assert ranking.moved(rows, fixed.pk, -1) == {}


def test_ranks_from_a_stale_page_are_refused(city, campaign):
    assessment = submitted(city, campaign)
    perform(assessment, Action.ENDORSE, city.township_head, rank=1, **OPINION)
    rows = list(ranking.ranked(city.township, campaign, Tier.GRASSROOTS))
    seen = ranking.rank_stamp(rows)
    assessment.endorsements.update(rank=5)
    with pytest.raises(ranking.NotAllowed, match="刚刚有了变动"):
        ranking.save_ranks(
            city.township,
            campaign,
            Tier.GRASSROOTS,
            {rows[0].pk: 2},
            by=city.township_head,
            seen=seen,
        )
    assert ranked(city, campaign) == [(city.own, 5)]


# --- Scores ---------------------------------------------------------------------------------------


@pytest.fixture
def scoring(campaign):
    TierPolicy.objects.update(endorsement_scores=True)
    return campaign


def test_scores_are_asked_for_where_the_campaign_says_so(city, scoring):
    assessment = submitted(city, scoring)
    messages = refusal(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assert len(messages) == 51
    assert all(message.endswith("尚未评分") for message in messages)


def test_scores_below_the_full_mark_need_a_reason(city, scoring):
    assessment = make_self_assessment(city, scoring, State.SUBMITTED, share="0.5")
    scored(assessment, city.township_head, reason="")
    messages = refusal(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assert messages
    assert all(message.endswith("低于满分，请写明理由") for message in messages)
    scored(assessment, city.township_head)


def test_scores_are_a_draft_until_the_endorsement_is_given(city, scoring):
    assessment = submitted(city, scoring)
    scored(assessment, city.township_head)
    draft = assessment.endorsements.get()
    assert (draft.at, draft.scores.count()) == (None, 51)
    assert endorsing.standing(assessment) is None
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    standing = endorsing.standing(assessment)
    assert (standing.pk, standing.total) == (draft.pk, assessment.self_total)


def test_the_reviewer_sees_the_superiors_scores_beside_the_own(client, city, scoring):
    assessment = make_self_assessment(city, scoring, State.SUBMITTED, share="0.5")
    scored(assessment, city.township_head, reason="材料不全。")
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    client.force_login(city.reviewer)
    page = reverse("assessments:review_criterion", args=[assessment.reviews.get().pk, 1])
    row = client.get(page).context["sheet"].rows[0]
    column = next(column for column in row.columns if column.label == "上级初审")
    assert (column.points, column.author, column.reason) == (
        row.line.result.points,
        city.township.name,
        "材料不全。",
    )


def test_scoring_has_begun_on_it_so_the_union_cannot_withdraw(city, scoring):
    assessment = submitted(city, scoring)
    scored(assessment, city.township_head)
    assert refusal(assessment, Action.WITHDRAW, city.head)


def test_scores_of_what_has_changed_since_are_asked_for_anew(city, scoring):
    assessment = submitted(city, scoring)
    scored(assessment, city.township_head)
    factories.send_back(assessment, city.township_head, ("G1.01",))
    Answer.objects.filter(indicator__code="G1.01").update(account="现在写得详细一些，不止一行。")
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    messages = refusal(assessment, Action.ENDORSE, city.township_head, **OPINION)
    assert [message.split()[0] for message in messages] == ["G1.01"]


def test_scores_come_back_after_taking_the_endorsement_back(city, scoring):
    assessment = submitted(city, scoring)
    scored(assessment, city.township_head)
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    perform(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    perform(assessment, Action.ENDORSE, city.township_head, **OPINION)
    first, second = assessment.endorsements.order_by("pk")
    assert (first.scores.count(), second.scores.count()) == (51, 51)
    assert second.withdrawn_at is None


def test_two_heads_scoring_the_same_indicator(city, scoring):
    assessment = submitted(city, scoring)
    line = worksheet.load(assessment)[0].lines[0]
    seen = endorsing.shown_entry(line, None).fingerprint

    def save(reason):
        change = answering.Change(
            line.indicator, Entry(line.answer.rating, {"reason": reason}), seen
        )
        head = User.objects.get(pk=city.township_head.pk)
        return endorsing.save_scores(assessment, [change], head)

    assert save("一").stored == 1
    second = save("二")
    assert (second.stored, list(second.conflicts)) == (0, [line.indicator.pk])


@pytest.mark.parametrize("name", ["head", "county_head", "sibling_head", "lead", "admin"])
def test_only_the_head_directly_above_scores(city, scoring, name):
    assessment = submitted(city, scoring)
    with pytest.raises(endorsing.NotAllowed):
        scored(assessment, getattr(city, name))


def test_scores_of_a_page_that_shows_an_earlier_revision_are_refused(city, scoring):
    assessment = submitted(city, scoring)
    head = User.objects.get(pk=city.township_head.pk)
    with pytest.raises(endorsing.NotAllowed, match="重新提交"):
        endorsing.save_scores(assessment, [], head, 7)
    assert not Endorsement.objects.exists()


# --- In bulk --------------------------------------------------------------------------------------


def reasons(city, *assessments):
    head = User.objects.get(pk=city.township_head.pk)
    return [one.reason for one in endorsing.candidates(assessments, head)]


def test_what_is_safe_to_endorse_in_bulk(city, campaign):
    safe = factories.beyond_doubt(submitted(city, campaign))
    assert reasons(city, safe) == [""]
    Answer.objects.filter(self_assessment=safe, indicator__code="G1.01").update(account="短")
    assert reasons(city, safe) == ["有 1 处提醒，请打开看过再初审"]
    returned = submitted(city, campaign, city.sibling, State.RETURNED)
    assert reasons(city, returned) == ["目前是“退回修改”"]
    foreign = submitted(city, campaign, city.foreign)
    assert reasons(city, foreign) == ["不由您初审"]
    TierPolicy.objects.update(endorsement_ranks=True)
    assert reasons(city, safe) == ["须填写名次，请逐个初审"]
    TierPolicy.objects.update(endorsement_scores=True)
    assert reasons(city, safe) == ["须逐项评分，请逐个初审"]


def test_the_queue_is_what_the_user_itself_endorses(city, campaign):
    mine = submitted(city, campaign)
    other = submitted(city, campaign, city.sibling)
    submitted(city, campaign, city.foreign)
    submitted(city, campaign, city.direct)
    head = User.objects.get(pk=city.township_head.pk)
    assert list(endorsing.queue(head, campaign)) == [mine, other]
    assert endorsing.neighbours(head, mine) == (None, other.pk)
    assert endorsing.neighbours(head, other) == (mine.pk, None)
    county_head = User.objects.get(pk=city.county_head.pk)
    assert not endorsing.queue(county_head, campaign).exists()
    perform(mine, Action.ENDORSE, city.township_head, **OPINION)
    assert list(endorsing.queue(head, campaign)) == [other]


def test_the_stamp_knows_the_state(city, campaign):
    assessment = submitted(city, campaign)
    look = workflow.look(assessment, city.township_head)
    seen = workflow.stamp(look, Action.ENDORSE)
    perform(assessment, Action.WITHDRAW, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert refusal(assessment, Action.ENDORSE, city.township_head, seen=seen, **OPINION)
