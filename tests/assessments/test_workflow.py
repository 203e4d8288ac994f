"""The workflow: every state × action × role, the guards, and what a transition leaves behind."""

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from assessments import assigning, demo, workflow, worksheet
from assessments.choices import DECIDED_STATES, Action, Outcome, State
from assessments.models import (
    Answer,
    Campaign,
    Evidence,
    Extension,
    ReviewScore,
    SelfAssessment,
    Veto,
)
from assessments.workflow import TransitionRefused
from organizations import audit, tree
from organizations.choices import Role
from organizations.models import Membership, User
from tests import factories
from tests.factories import make_self_assessment, make_user, perform, send_back, today

pytestmark = pytest.mark.django_db

CITY_LEADERS = {"lead", "admin"}
CITY_REVIEWERS = {"lead", "admin", "reviewer"}
#: Who may do what in which state: everything that is not named here is refused.
ALLOWED: dict[tuple[State, Action], set[str]] = {
    (State.DRAFT, Action.SUBMIT): {"head"},
    (State.RETURNED, Action.SUBMIT): {"head"},
    (State.RETURNED, Action.RESUME): CITY_LEADERS,
    (State.SUBMITTED, Action.WITHDRAW): {"head"},
    (State.SUBMITTED, Action.ENDORSE): {"township_head"},
    (State.SUBMITTED, Action.RETURN): CITY_REVIEWERS | {"township_head"},
    (State.ENDORSED, Action.WITHDRAW_ENDORSEMENT): {"township_head"},
    (State.ENDORSED, Action.RETURN): CITY_REVIEWERS,
    (State.UNDER_REVIEW, Action.RETURN): CITY_REVIEWERS,
    (State.SUBMITTED, Action.BEGIN_REVIEW): CITY_REVIEWERS,
    (State.ENDORSED, Action.BEGIN_REVIEW): CITY_REVIEWERS,
    (State.UNDER_REVIEW, Action.COMPLETE_REVIEW): {"reviewer"},
    (State.REVIEWED, Action.REOPEN_REVIEW): CITY_LEADERS,
    (State.REVIEWED, Action.DECIDE): CITY_LEADERS,
    (State.DECIDED, Action.REOPEN_DECISION): {"admin"},
    (State.DECIDED, Action.PUBLISH): {"admin"},
    (State.PUBLISHED, Action.WITHDRAW_PUBLICATION): {"admin"},
    (State.PUBLISHED, Action.ACCEPT_APPEAL): CITY_LEADERS,
    (State.PUBLISHED, Action.FINALISE): {"admin"},
}
TARGETS = {
    Action.SUBMIT: State.SUBMITTED,
    Action.WITHDRAW: State.DRAFT,
    Action.ENDORSE: State.ENDORSED,
    Action.WITHDRAW_ENDORSEMENT: State.SUBMITTED,
    Action.RETURN: State.RETURNED,
    Action.RESUME: State.SUBMITTED,
    Action.BEGIN_REVIEW: State.UNDER_REVIEW,
    Action.COMPLETE_REVIEW: State.REVIEWED,
    Action.REOPEN_REVIEW: State.UNDER_REVIEW,
    Action.DECIDE: State.DECIDED,
    Action.REOPEN_DECISION: State.REVIEWED,
    Action.PUBLISH: State.PUBLISHED,
    Action.WITHDRAW_PUBLICATION: State.DECIDED,
    Action.ACCEPT_APPEAL: State.UNDER_REVIEW,
    Action.FINALISE: State.FINAL,
}


class _RollBack(Exception):
    pass


def details_for(assessment):
    first = worksheet.load(assessment)[0].lines[0].indicator
    return {"opinion": "同意。", "reason": "有理由。", "remarks": {first: "请补充。"}}


def attempt(assessment, action, user, details):
    """The state that the action leads to, or None when refused; nothing is kept."""
    state = None
    try:
        with transaction.atomic():
            fresh = User.objects.get(pk=user.pk)
            state = workflow.perform(assessment, action, by=fresh, **details).state
            raise _RollBack
    except (_RollBack, TransitionRefused):
        return state


@pytest.mark.parametrize("endorsement", [True, False])
@pytest.mark.parametrize("state", State)
def test_every_action_and_role_in_each_state(city, state, endorsement):
    if state == State.ENDORSED and not endorsement:
        return
    campaign = factories.make_campaign(endorsement=endorsement)
    assessment = make_self_assessment(city, campaign, state)
    if state in (State.SUBMITTED, State.ENDORSED):
        assigning.assign(assessment, city.reviewer, city.lead)
    if state == State.UNDER_REVIEW:
        demo.score_like_union(assessment, city.reviewer)
    if state == State.RETURNED:
        factories.answer_remarks(assessment, city.head)
    factories.pass_publicity()
    details = details_for(assessment)
    for action in Action:
        offered_to = set(ALLOWED.get((state, action), set()))
        if not endorsement:
            offered_to.discard("township_head")
        allowed = offered_to
        if endorsement and (state, action) == (State.SUBMITTED, Action.BEGIN_REVIEW):
            allowed = set()  # offered, and refused until the superior has endorsed
        if action == Action.RESUME:
            allowed = set()  # offered, and refused until the time to correct is over
        for name, user in city.users().items():
            result = attempt(assessment, action, user, details)
            expected = TARGETS[action] if name in allowed else None
            assert result == expected, f"{state} {action} {name}"
            offered = workflow.available(assessment, User.objects.get(pk=user.pk))
            assert (action in offered) == (name in offered_to), f"{state} {action} {name}"


def test_the_table_in_the_documentation_is_the_table_of_the_code():
    rows = [
        f"| {transition.action} | {', '.join(transition.sources)} | {transition.target} | "
        f"`{transition.may.__name__}` | "
        f"{', '.join(f'`{guard.__name__}`' for guard in transition.guards) or '—'} |"
        for transition in workflow.TRANSITIONS
    ]
    text = Path(settings.BASE_DIR, "docs", "architecture.md").read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []


def refusal(assessment, action, by, **details):
    with pytest.raises(TransitionRefused) as error:
        perform(assessment, action, by, **details)
    return [problem.message for problem in error.value.problems]


# --- Handing in -----------------------------------------------------------------------------------


def test_an_incomplete_one_is_refused_with_everything_that_is_missing(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    messages = refusal(assessment, Action.SUBMIT, city.head)
    assert len([m for m in messages if m.endswith("尚未填写")]) == 51
    assert [m.split()[0] for m in messages if m.endswith("须附佐证材料")] == [
        "G1.03",
        "G2.01",
        "G2.06",
        "G6.05",
    ]


def test_not_applicable_needs_a_reason(city, campaign):
    assessment = make_self_assessment(city, campaign)
    answer = Answer.objects.get(self_assessment=assessment, indicator__code="G3.08")
    answer.not_applicable = True
    answer.save()
    assert refusal(assessment, Action.SUBMIT, city.head) == [
        "G3.08 女职工专项集体合同：选择了“不适用”，还没有写理由"
    ]


def test_submitting_freezes_a_numbered_revision(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    revision = assessment.revisions.get()
    assert (revision.number, revision.submitted_by, revision.place) == (
        1,
        city.head,
        city.own.path,
    )
    assert len(revision.content) == 51
    assert revision.content["G2.06"]["numerator"] == 118
    assert revision.evidence.count() == 4
    Answer.objects.filter(self_assessment=assessment).update(account="改了")
    revision.refresh_from_db()
    assert "改了" not in str(revision.content)


def test_the_deadline_is_the_end_of_its_day(city):
    last_day = factories.make_campaign(submission_deadline=today())
    assessment = make_self_assessment(city, last_day)
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.state == State.SUBMITTED


def test_the_day_after_the_deadline_is_too_late(city, campaign):
    assessment = make_self_assessment(city, campaign)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    assert refusal(assessment, Action.SUBMIT, city.head)[0].startswith("不在填报时间内")


def test_an_extension_gives_one_union_more_time(city, campaign):
    mine = make_self_assessment(city, campaign)
    theirs = make_self_assessment(city, campaign, organization=city.sibling, head=city.sibling_head)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    Extension.objects.create(campaign=campaign, organization=city.own, until=today(), reason="停电")
    perform(mine, Action.SUBMIT, city.head)
    assert mine.state == State.SUBMITTED
    assert refusal(theirs, Action.SUBMIT, city.sibling_head)


def test_a_closed_campaign_takes_nothing(city, campaign):
    assessment = make_self_assessment(city, campaign)
    Campaign.objects.update(state="CLOSED")
    assert refusal(assessment, Action.SUBMIT, city.head)


def test_the_place_in_the_tree_is_remembered(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    before = assessment.place
    city.township.parent = city.other_county
    tree.replant(city.township)
    assessment.refresh_from_db()
    assert assessment.place == before
    assert assessment.organization.path != before


# --- Withdrawing ----------------------------------------------------------------------------------


def test_withdrawing_ends_when_somebody_has_begun(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assigning.assign(assessment, city.reviewer, city.lead)
    review = assessment.reviews.get()
    first = worksheet.load(assessment)[0].lines[0].indicator
    ReviewScore.objects.create(review=review, indicator=first, score=1)
    assert refusal(assessment, Action.WITHDRAW, city.head) == [
        "上级或市总工会已经开始处理，不能撤回。"
    ]


def test_a_returned_one_that_was_handed_in_again_cannot_be_withdrawn(city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert refusal(assessment, Action.WITHDRAW, city.head)


def test_withdrawing_after_the_deadline_is_refused(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    assert refusal(assessment, Action.WITHDRAW, city.head)


# --- Endorsing, returning, reviewing --------------------------------------------------------------


def test_without_the_required_endorsement_the_city_cannot_begin(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED)
    assigning.assign(assessment, city.reviewer, city.lead)
    assert refusal(assessment, Action.BEGIN_REVIEW, city.reviewer) == ["须先由上级工会初审推荐。"]
    perform(assessment, Action.ENDORSE, city.township_head, opinion="同意。")
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert assessment.state == State.UNDER_REVIEW


def test_an_endorsed_one_that_the_city_returned_needs_no_second_endorsement(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.UNDER_REVIEW)
    send_back(assessment, city.reviewer)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert assessment.state == State.UNDER_REVIEW


def test_only_the_head_directly_above_endorses(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assert refusal(assessment, Action.ENDORSE, city.county_head, opinion="同意。")


def test_an_endorsement_needs_an_opinion(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED)
    assert refusal(assessment, Action.ENDORSE, city.township_head) == ["请填写意见。"]


def test_a_return_needs_a_remark_and_gives_time(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assert refusal(assessment, Action.RETURN, city.lead, remarks={}) == [
        "请至少在一个指标上写明修改要求。"
    ]
    Campaign.objects.update(submission_deadline=today(), correction_days=7)
    send_back(assessment, city.lead)
    assert assessment.correction_due == today() + dt.timedelta(days=7)


def test_a_returned_one_may_be_handed_in_after_the_campaigns_deadline(city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.revision == 2


def test_a_review_that_was_handed_over_needs_every_score(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    assert len(refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer)) == 51


def test_points_below_the_full_mark_need_a_remark(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    score = ReviewScore.objects.get(review__self_assessment=assessment, indicator__code="G1.01")
    score.score = 1
    score.save()
    assert refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer) == [
        "G1.01 接受党组织领导：低于满分，请写明理由"
    ]
    score.remark = "缺会议记录。"
    score.save()
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    assert assessment.state == State.REVIEWED


def test_refusing_not_applicable_needs_a_remark(city, campaign):
    assessment = make_self_assessment(city, campaign)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G3.08").update(
        not_applicable=True, not_applicable_reason="没有女职工"
    )
    perform(assessment, Action.SUBMIT, city.head)
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    demo.score_like_union(assessment, city.reviewer)
    score = ReviewScore.objects.get(review__self_assessment=assessment, indicator__code="G3.08")
    steps = [
        ({"not_applicable": False}, "请选择认可或不认可“不适用”"),
        ({"claim_refused": True}, "不认可“不适用”，请评分"),
        ({"score": 0}, "不认可“不适用”，请写明理由"),
    ]
    score.score = None
    for fields, text in steps:
        vars(score).update(fields)
        score.save()
        assert refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer) == [
            f"G3.08 女职工专项集体合同：{text}"
        ]


def test_with_two_reviewers_the_first_leaves_it_under_review(city):
    two = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, two, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    assert assessment.state == State.UNDER_REVIEW
    perform(assessment, Action.COMPLETE_REVIEW, city.other_reviewer)
    assert assessment.state == State.REVIEWED


def test_one_reviewer_is_not_enough_where_two_are_asked_for(city):
    two = factories.make_campaign(reviewers=2)
    assessment = make_self_assessment(city, two, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    assert assessment.state == State.UNDER_REVIEW


def test_reviewers_far_apart_block_the_decision_until_they_look_again(city):
    two = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, two, State.REVIEWED, reviewers=reviewers)
    harsh = ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__criterion__number=4
    )
    harsh.update(score=0, remark="没有开展。")
    assert refusal(assessment, Action.DECIDE, city.lead) == [
        "评审员之间在第4好分差过大，请先仲裁，或退回评审员复核。"
    ]
    perform(assessment, Action.REOPEN_REVIEW, city.lead, reason="分差过大")
    assert not assessment.reviews.filter(completed_at__isnull=False).exists()
    assert ReviewScore.objects.filter(review__self_assessment=assessment).count() == 102


# --- Deciding -------------------------------------------------------------------------------------


def test_a_decision_holds_six_criteria_and_the_outcome(city, campaign):
    assessment = make_self_assessment(city, campaign, State.DECIDED)
    decision = assessment.decisions.get()
    assert (decision.outcome, decision.total, decision.revision) == (Outcome.AT_STANDARD, 100, 1)
    assert [c.met for c in decision.criteria.all()] == [True] * 6
    assert sum(c.maximum for c in decision.criteria.all()) == 100


def test_a_weak_one_is_not_at_standard(city, campaign):
    assessment = make_self_assessment(city, campaign, State.DECIDED, share="0.5")
    assert assessment.decisions.get().outcome == Outcome.NOT_AT_STANDARD


def test_a_veto_on_record_rules_out_the_standard(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    Veto.objects.create(
        campaign=campaign, organization=city.own, reason="重大安全事故", recorded_by=city.admin
    )
    perform(assessment, Action.DECIDE, city.lead)
    assert assessment.decisions.get().outcome == Outcome.NOT_AT_STANDARD


def test_a_reopened_decision_stays_on_record_as_superseded(city, campaign):
    assessment = make_self_assessment(city, campaign, State.DECIDED)
    assert refusal(assessment, Action.REOPEN_DECISION, city.admin) == ["请填写理由。"]
    perform(assessment, Action.REOPEN_DECISION, city.admin, reason="录入有误")
    perform(assessment, Action.DECIDE, city.lead)
    assert assessment.decisions.count() == 2
    assert assessment.decisions.filter(superseded_at=None).count() == 1


def test_the_mean_of_two_reviewers_counts(city):
    two = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, two, State.REVIEWED, reviewers=reviewers)
    ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__code="G1.01"
    ).update(score=2, remark="缺一份材料。")
    perform(assessment, Action.DECIDE, city.lead)
    assert assessment.decisions.get().criteria.get(number=1).points == 15 - 0.5


# --- Conflicts of interest ------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["own", "township", "county"])
def test_nobody_reviews_a_union_they_belong_to_or_one_above_or_below(city, campaign, place):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    partial = make_user((city.city, Role.REVIEWER), (getattr(city, place), Role.VIEWER))
    with pytest.raises(assigning.NotAllowed, match="须回避"):
        assigning.assign(assessment, partial, city.lead)


def test_a_role_elsewhere_is_no_conflict(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    other = make_user((city.city, Role.REVIEWER), (city.foreign, Role.VIEWER))
    assert assigning.assign(assessment, other, city.lead)


@pytest.mark.parametrize("place", ["own", "county"])
def test_a_recusal_covers_the_subtree(city, campaign, place):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    city.reviewer.recusals.create(organization=getattr(city, place), reason="亲属")
    with pytest.raises(assigning.NotAllowed):
        assigning.assign(assessment, city.reviewer, city.lead)


def test_a_conflict_that_arises_later_stops_the_review(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    Membership.objects.create(user=city.reviewer, organization=city.own, role=Role.VIEWER)
    assert refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer)


def test_an_outsider_cannot_be_assigned(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    with pytest.raises(assigning.NotAllowed):
        assigning.assign(assessment, city.county_head, city.lead)


def test_no_more_reviewers_than_the_campaign_asks_for(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    review = assigning.assign(assessment, city.reviewer, city.lead)
    assert assigning.assign(assessment, city.reviewer, city.lead) == review
    with pytest.raises(assigning.NotAllowed, match="满额"):
        assigning.assign(assessment, city.other_reviewer, city.lead)
    assigning.unassign(assessment, city.reviewer, city.lead)
    assert assigning.assign(assessment, city.other_reviewer, city.lead)


def test_a_recused_reviewer_sees_nothing_of_the_union(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    file = Evidence.objects.filter(organization=city.own).first()
    pages = [
        assessment.get_absolute_url(),
        f"{assessment.get_absolute_url()}criteria/1/",
        assessment.reviews.get().get_absolute_url(),
        file.get_absolute_url(),
    ]
    for user in (city.reviewer, city.lead):
        client.force_login(user)
        own_review = pages[2]
        for page in pages:
            if user == city.reviewer or page != own_review:
                assert client.get(page).status_code == 200
        user.recusals.create(organization=city.county, reason="亲属")
        for page in pages:
            assert client.get(page).status_code == 404
        assert city.own.name not in client.get("/reviews/").content.decode()


def test_a_recusal_after_the_review_stops_the_decision_until_it_is_given_to_another(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    city.reviewer.recusals.create(organization=city.own, reason="亲属")
    assert refusal(assessment, Action.DECIDE, city.lead) == [
        "评审甲须回避该工会。请先退回评审员，取消分派后另行分派。"
    ]
    perform(assessment, Action.REOPEN_REVIEW, city.lead, reason="回避")
    assigning.unassign(assessment, city.reviewer, city.lead)
    assigning.assign(assessment, city.other_reviewer, city.lead)
    demo.score_like_union(assessment, city.other_reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.other_reviewer)
    perform(assessment, Action.DECIDE, city.lead)
    assert assessment.state == State.DECIDED


def test_a_lead_or_admin_keeps_out_of_a_union_they_belong_to(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    partial = make_user((city.city, Role.LEAD_REVIEWER), (city.own, Role.VIEWER))
    with pytest.raises(assigning.NotAllowed, match="须回避"):
        assigning.assign(assessment, city.reviewer, partial)
    decided = make_self_assessment(city, campaign, State.DECIDED, organization=city.foreign)
    admin = make_user((city.city, Role.ADMIN), (city.other_county, Role.VIEWER))
    assert refusal(decided, Action.PUBLISH, admin)


# --- Corners ------------------------------------------------------------------------------------


def test_an_extension_helps_a_returned_one(city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=9))
    SelfAssessment.objects.update(correction_due=today() - dt.timedelta(days=2))
    assert refusal(assessment, Action.SUBMIT, city.head)
    Extension.objects.create(campaign=campaign, organization=city.own, until=today(), reason="病")
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.state == State.SUBMITTED


def test_a_return_never_shortens_an_extension(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    until = today() + dt.timedelta(days=90)
    Extension.objects.create(campaign=campaign, organization=city.own, until=until, reason="病")
    send_back(assessment, city.lead)
    assert assessment.correction_due == until


def test_what_the_city_returns_after_closing_can_be_mended(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    Campaign.objects.update(state="CLOSED")
    send_back(assessment, city.lead)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.revision == 2


def test_a_union_directly_under_the_city_needs_no_endorsement(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED, organization=city.direct)
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert assessment.state == State.UNDER_REVIEW


def test_what_changed_since_it_was_scored_is_scored_anew(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    ReviewScore.objects.filter(indicator__code="G1.01").update(remark="原意见")
    send_back(assessment, city.reviewer, ("G1.01",))
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.01").update(score=2)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    again = ReviewScore.objects.get(indicator__code="G1.01")
    assert (again.score, again.remark) == (None, "原意见")
    assert ReviewScore.objects.get(indicator__code="G1.02").score == 3
    assert refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer) == [
        "G1.01 接受党组织领导：尚未评分"
    ]


def test_a_reviewer_cannot_find_not_applicable_what_nobody_claimed(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    ReviewScore.objects.filter(indicator__code="G3.08").update(not_applicable=True)
    assert refusal(assessment, Action.COMPLETE_REVIEW, city.reviewer) == [
        "G3.08 女职工专项集体合同：申报工会没有申报“不适用”，请评分"
    ]


def stamp(assessment, action, user):
    return workflow.stamp(workflow.look(assessment, user), action)


def test_the_head_signs_what_the_page_showed(city, campaign):
    assessment = make_self_assessment(city, campaign)
    seen = stamp(assessment, Action.SUBMIT, city.head)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.01").update(score=1)
    assert refusal(assessment, Action.SUBMIT, city.head, seen=seen) == [
        "您打开页面之后，内容有了变化。请核对之后再次确认。"
    ]
    seen = stamp(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.SUBMIT, city.head, seen=seen)
    assert assessment.state == State.SUBMITTED


def test_the_lead_decides_what_the_page_showed(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    seen = stamp(assessment, Action.DECIDE, city.lead)
    Veto.objects.create(
        campaign=campaign, organization=city.own, reason="事故", recorded_by=city.admin
    )
    assert refusal(assessment, Action.DECIDE, city.lead, seen=seen)


def test_the_superior_endorses_the_revision_that_the_page_showed(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED)
    seen = stamp(assessment, Action.ENDORSE, city.township_head)
    perform(assessment, Action.WITHDRAW, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert refusal(assessment, Action.ENDORSE, city.township_head, opinion="同意", seen=seen)


def test_the_record_names_the_role_in_which_somebody_acted(city, campaign):
    Membership.objects.create(user=city.head, organization=city.own, role=Role.REPORTER)
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    event = audit.events_of(assessment).get(action="SUBMIT")
    assert event.details["role"] == "负责人"


# --- On record ------------------------------------------------------------------------------------


def test_every_transition_is_on_record_with_from_and_to(city, campaign):
    assessment = make_self_assessment(city, campaign, State.FINAL)
    events = audit.events_of(assessment).filter(action__in=Action.values).order_by("number")
    assert [(e.action, e.details["from"], e.details["to"]) for e in events] == [
        ("SUBMIT", "DRAFT", "SUBMITTED"),
        ("BEGIN_REVIEW", "SUBMITTED", "UNDER_REVIEW"),
        ("COMPLETE_REVIEW", "UNDER_REVIEW", "REVIEWED"),
        ("DECIDE", "REVIEWED", "DECIDED"),
        ("PUBLISH", "DECIDED", "PUBLISHED"),
        ("FINALISE", "PUBLISHED", "FINAL"),
    ]
    assert list(audit.verify()) == []


def test_evidence_of_a_revision_cannot_be_deleted(city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    used = Evidence.objects.filter(answers__self_assessment=assessment).first()
    with pytest.raises(Exception, match="protected"):
        used.delete()


class RandomWalk(TestCase):
    """Whoever tries whatever: the self-assessment never ends up where it should not be."""

    @hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_any_sequence_of_actions_keeps_the_invariants(self, data):
        city = factories.make_city()
        campaign = factories.make_campaign(endorsement=data.draw(st.booleans()))
        assessment = make_self_assessment(city, campaign)
        reviewing_begun = False
        for _ in range(data.draw(st.integers(5, 25))):
            pairs = [
                (action, user)
                for user in city.users().values()
                for action in workflow.available(assessment, User.objects.get(pk=user.pk))
            ]
            if not pairs or data.draw(st.integers(0, 4)) == 0:
                users = list(city.users().values())
                pairs = [(action, user) for action in Action for user in users]
            action, user = data.draw(st.sampled_from(pairs))
            if assessment.state in assigning.ASSIGNABLE_STATES and not reviewing_begun:
                assigning.assign(assessment, city.reviewer, city.lead)
                reviewing_begun = True
            if action == Action.COMPLETE_REVIEW and assessment.state == State.UNDER_REVIEW:
                demo.score_like_union(assessment, city.reviewer)
            if assessment.state == State.RETURNED:
                factories.answer_remarks(assessment, city.head)
            self._step(assessment, action, user)
        assert list(audit.verify()) == []

    def _step(self, assessment, action, user):
        before, events = assessment.state, audit.events_of(assessment).count()
        try:
            perform(assessment, action, user, **details_for(assessment))
        except TransitionRefused:
            fresh = SelfAssessment.objects.get(pk=assessment.pk)
            assert (fresh.state, audit.events_of(assessment).count()) == (before, events)
        else:
            assert (before, action) in ALLOWED
            assert assessment.state in (TARGETS[action], before)
            assert audit.events_of(assessment).count() == events + 1
        assert assessment.revisions.count() == assessment.revision
        standing = assessment.decisions.filter(superseded_at=None).count()
        assert standing == (1 if assessment.state in DECIDED_STATES else 0)
