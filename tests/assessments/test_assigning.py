"""Assignment: what is scored stays on record, plans are carried out as shown, recusals take effect."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments import (
    allotting,
    assigning,
    assignment_runs,
    deadlines,
    demo,
    permissions,
    recusals,
    verdicts,
    worksheet,
)
from assessments.choices import Action, State, Withdrawal
from assessments.models import AssignmentRun, Recusal, Review, ReviewScore, SelfAssessment
from organizations import audit, reorganizing
from organizations.choices import Role, Tier
from organizations.models import Membership, Notification, User
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user, perform

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def under_review(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    return assessment


def rows(campaign):
    return SelfAssessment.objects.filter(campaign=campaign)


# --- What was scored stays ------------------------------------------------------------------------


def test_taken_away_and_given_back_the_scores_are_there(city, under_review):
    scored = ReviewScore.objects.count()
    assigning.unassign(under_review, city.reviewer, fresh(city.lead))
    assert not under_review.reviews.exists()
    gone = Review.ever.get()
    assert (gone.withdrawn_why, gone.withdrawn_by) == (Withdrawal.CHANGED, city.lead)
    assert ReviewScore.objects.count() == scored
    assigning.assign(under_review, city.reviewer, fresh(city.lead))
    back = under_review.reviews.get()
    assert back.pk == gone.pk
    assert back.scores.count() == scored
    assert list(audit.verify()) == []


def test_what_is_withdrawn_counts_for_nothing(city, under_review):
    assigning.reassign(under_review, city.reviewer, city.other_reviewer, fresh(city.lead))
    review = under_review.reviews.get()
    assert (review.reviewer, review.scores.count()) == (city.other_reviewer, 0)
    verdict = verdicts.verdict_of(
        under_review, [line for one in worksheet.load(under_review) for line in one.lines]
    )
    assert verdict.reviewers == 0
    assert not permissions.may_review(fresh(city.reviewer), under_review)


def test_scores_are_taken_over_and_have_to_be_confirmed(city, under_review):
    scored = ReviewScore.objects.count()
    review = assigning.reassign(
        under_review, city.reviewer, city.other_reviewer, fresh(city.lead), keep=True, note="出差"
    )
    review = Review.objects.get(pk=review.pk)
    assert review.scores.count() == scored
    assert review.awaits_confirmation
    with pytest.raises(Exception, match="先逐项核对并确认"):
        perform(under_review, Action.COMPLETE_REVIEW, city.other_reviewer)
    assigning.confirm_taken_over(review, fresh(city.other_reviewer))
    perform(under_review, Action.COMPLETE_REVIEW, city.other_reviewer)
    assert under_review.state == State.REVIEWED


def test_scores_of_somebody_who_must_stand_back_are_never_taken_over(city, under_review):
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    with pytest.raises(assigning.NotAllowed, match="须回避"):
        assigning.reassign(
            under_review, fresh(city.reviewer), city.other_reviewer, fresh(city.lead), keep=True
        )
    assert under_review.reviews.get().reviewer == city.reviewer  # nothing is half done
    assigning.reassign(under_review, fresh(city.reviewer), city.other_reviewer, fresh(city.lead))
    assert Review.ever.get(reviewer=city.reviewer).withdrawn_why == Withdrawal.RECUSED


def test_what_has_changed_meanwhile_is_scored_anew_when_given_back(city, under_review):
    assigning.unassign(under_review, city.reviewer, fresh(city.lead))
    assigning.assign(under_review, city.other_reviewer, fresh(city.lead))
    factories.send_back(under_review, city.lead, ("G1.01",))
    answer = under_review.answers.get(indicator__code="G1.01")
    answer.account = "改过的说明。"
    answer.save()
    factories.answer_remarks(under_review, city.head)
    perform(under_review, Action.SUBMIT, city.head)
    assigning.reassign(under_review, city.other_reviewer, city.reviewer, fresh(city.lead))
    review = under_review.reviews.get()
    assert review.revision == 2
    assert review.scores.get(indicator__code="G1.01").score is None
    assert review.scores.get(indicator__code="G1.02").score is not None


# --- Plans ------------------------------------------------------------------------------------------


@pytest.fixture
def many(city, campaign):
    """Twenty submissions in two counties, three reviewers."""
    townships = (city.township, city.other_township)
    for number in range(20):
        union = make_organization(Tier.GRASSROOTS, townships[number % 2], f"示例第{number}工会")
        SelfAssessment.objects.create(
            campaign=campaign,
            organization=union,
            rubric=campaign.policies.get(tier=Tier.GRASSROOTS).rubric,
            state=State.SUBMITTED,
            revision=1,
            place=union.path,
            submitted_at=deadlines.now(),
            self_total=100,
        )
    return [city.reviewer, city.other_reviewer, city.lead]


def test_a_plan_is_carried_out_as_it_was_shown(city, campaign, many):
    draft = assignment_runs.prepare(campaign, rows(campaign), many, 7, fresh(city.admin))
    run = assignment_runs.carry_out(
        campaign, rows(campaign), many, 7, fresh(city.admin), digest=draft.plan.digest, scope="全部"
    )
    stored = set(Review.objects.values_list("self_assessment", "reviewer"))
    assert stored == set(draft.plan.pairs)
    assert sorted(share.gets for share in draft.shares) == [6, 7, 7]
    assert (run.seed, run.placed, run.unplaced) == (7, 20, 0)
    assert assignment_runs.replay(AssignmentRun.objects.get())
    one = SelfAssessment.objects.first()
    (event,) = [e for e in audit.events_of(one) if e.action == "ASSIGN"]
    assert event.details["seed"] == 7
    assert Notification.objects.filter(recipient=city.reviewer).count() == 1


def test_a_conflict_is_never_planned(city, campaign, many):
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    Membership.objects.create(
        user=city.other_reviewer, organization=city.other_township, role=Role.VIEWER
    )
    draft = assignment_runs.prepare(campaign, rows(campaign), many, 1, fresh(city.admin))
    for item, key in draft.plan.pairs:
        assessment = SelfAssessment.objects.get(pk=item)
        assert permissions.may_be_assigned(User.objects.get(pk=key), assessment.organization)
    assert not draft.plan.missing


def test_what_cannot_be_placed_is_named_with_the_reason(city, campaign, many):
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    draft = assignment_runs.prepare(campaign, rows(campaign), [city.reviewer], 1, fresh(city.admin))
    assert draft.placed == 10
    assert draft.unplaced == 10
    _, missing, reason = draft.why_unplaced(50)[0]
    assert missing == 1
    assert "1 人须回避" in reason


def test_what_changed_after_the_preview_is_shown_again(city, campaign, many):
    draft = assignment_runs.prepare(campaign, rows(campaign), many, 7, fresh(city.admin))
    assigning.assign(SelfAssessment.objects.first(), city.reviewer, fresh(city.admin))
    with pytest.raises(assignment_runs.Changed):
        assignment_runs.carry_out(
            campaign, rows(campaign), many, 7, fresh(city.admin), digest=draft.plan.digest, scope=""
        )
    assert Review.objects.count() == 1
    assert not AssignmentRun.objects.exists()


def test_all_of_one_who_has_left_go_to_others(city, campaign, many):
    for assessment in rows(campaign)[:6]:
        assigning.assign(assessment, city.reviewer, fresh(city.admin))
    User.objects.filter(pk=city.reviewer.pk).update(is_active=False)
    assert assigning.left_behind(Review.objects.all()).count() == 6
    others = [city.other_reviewer, city.lead]
    draft = assignment_runs.prepare(
        campaign, rows(campaign), others, 3, fresh(city.admin), city.reviewer
    )
    assert draft.placed == 6
    assignment_runs.carry_out(
        campaign,
        rows(campaign),
        others,
        3,
        fresh(city.admin),
        digest=draft.plan.digest,
        scope="",
        replaces=city.reviewer,
        keep=True,
    )
    assert not Review.objects.filter(reviewer=city.reviewer).exists()
    gone = Review.ever.filter(reviewer=city.reviewer)
    assert {one.withdrawn_why for one in gone} == {Withdrawal.LEFT}
    assert Review.objects.count() == 6


def test_queries_grow_with_the_batches_not_with_the_rows(city, campaign, many):
    def cost(scope):
        draft = assignment_runs.prepare(campaign, scope, many, 1, fresh(city.admin))
        with CaptureQueriesContext(connection) as queries:
            assignment_runs.carry_out(
                campaign, scope, many, 1, fresh(city.admin), digest=draft.plan.digest, scope=""
            )
        return len(queries)

    few = rows(campaign).filter(pk__in=list(rows(campaign).values_list("pk", flat=True)[:3]))
    assert abs(cost(few) - cost(rows(campaign))) <= 6  # a message for each reviewer


# --- Recusals -----------------------------------------------------------------------------------------


def test_a_recusal_takes_effect_at_once_and_the_leads_are_told(city, under_review):
    recusals.declare(city.reviewer, city.own, "配偶在该单位任职。", city.reviewer)
    assert not under_review.reviews.exists()
    assert Review.ever.get().withdrawn_why == Withdrawal.RECUSED
    assert not SelfAssessment.objects.visible_to(fresh(city.reviewer)).exists()
    text = Notification.objects.get(recipient=city.lead, text__contains="申请回避").text
    assert str(city.own) in text
    with pytest.raises(assigning.NotAllowed):
        assigning.assign(under_review, fresh(city.reviewer), fresh(city.lead))


def test_lifted_one_can_be_given_it_again_and_finds_the_scores(city, under_review):
    recusal, withdrawn = recusals.declare(city.reviewer, city.own, "误会", city.lead)
    assert withdrawn == 1
    recusals.lift(recusal, "核实不需要回避。", city.admin)
    review = assigning.assign(under_review, fresh(city.reviewer), fresh(city.lead))
    assert review.scores.count() > 0
    with pytest.raises(assigning.NotAllowed, match="已经解除"):
        recusals.lift(recusal, "再来一次", city.admin)


def test_declared_twice_is_refused(city):
    recusals.declare(city.reviewer, city.own, "亲属", city.lead)
    with pytest.raises(assigning.NotAllowed, match="已经登记过"):
        recusals.declare(city.reviewer, city.own, "亲属", city.lead)


def test_a_move_can_make_a_conflict_that_the_lead_is_shown(city, campaign, under_review):
    """The union moves under a county that its reviewer belongs to."""
    Membership.objects.create(user=city.reviewer, organization=city.other_county, role=Role.VIEWER)
    assert not recusals.conflicted(Review.objects.all()).exists()
    reorganizing.move(
        city.own, to=city.other_township, reason="区划调整", on=factories.today(), by=city.admin
    )
    assert recusals.conflicted(Review.objects.all()).get().reviewer == city.reviewer
    assigning.unassign(under_review, fresh(city.reviewer), fresh(city.lead))
    assert Review.ever.get().withdrawn_why == Withdrawal.RECUSED


def test_the_rule_in_the_database_is_the_rule_of_the_permissions(city, campaign):
    """Over every pair of a place in the tree and a tie."""
    unions = [city.county, city.township, city.own, city.sibling, city.foreign, city.direct]
    for union in (city.own, city.foreign, city.direct):
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
    ties = [(one, kind) for one in unions for kind in ("role", "recusal")]
    for number, (union, kind) in enumerate(ties):
        reviewer = make_user((city.city, Role.REVIEWER), name=f"评审{number}")
        if kind == "role":
            Membership.objects.create(user=reviewer, organization=union, role=Role.VIEWER)
        else:
            Recusal.objects.create(reviewer=reviewer, organization=union, reason="亲属")
        for assessment in SelfAssessment.objects.all():
            Review.objects.create(
                self_assessment=assessment, reviewer=reviewer, revision=1, assigned_by=city.lead
            )
    found = set(recusals.conflicted(Review.objects.all()).values_list("pk", flat=True))
    expected = {
        review.pk
        for review in Review.objects.select_related("reviewer", "self_assessment__organization")
        if permissions.has_conflict(review.reviewer, review.self_assessment.organization)
    }
    assert found == expected
    assert 0 < len(found) < Review.objects.count()
    for user in User.objects.filter(reviews__isnull=False).distinct():
        tie = assignment_runs.ties_of([user])[user.pk]
        for assessment in SelfAssessment.objects.select_related("organization"):
            organization = assessment.organization
            assert tie.bar(organization.path) == permissions.has_conflict(fresh(user), organization)
    assert isinstance(tie, allotting.Ties)
