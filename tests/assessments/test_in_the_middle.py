"""What happens to reviews under way when the union, the campaign or the reviewer changes: each case
has its outcome, and nothing is lost."""

import datetime as dt
import random

import pytest
from django.urls import reverse

from assessments import (
    assigning,
    assignment_runs,
    campaigns,
    deadlines,
    demo,
    permissions,
    recusals,
    rubrics,
    workflow,
)
from assessments.choices import Action, CampaignState, State, Withdrawal
from assessments.models import (
    Campaign,
    Indicator,
    Recusal,
    Review,
    ReviewScore,
    RubricLocked,
    SelfAssessment,
)
from organizations import accounts, audit, reorganizing
from organizations.choices import Role, Tier
from organizations.models import Membership, Notification, Organization, User
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user, perform

pytestmark = pytest.mark.django_db
RECUSALS = reverse("assessments:recusal_list")
ASSIGNMENTS = reverse("assessments:assignment_list")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def scored(city, campaign):
    """Two reviewers, the first has completed, the second has scored all."""
    campaign.policies.update(reviewers=2)
    both = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=both)
    for reviewer in both:
        demo.score_like_union(assessment, reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    return assessment


def complete(assessment, reviewer):
    perform(assessment, Action.COMPLETE_REVIEW, reviewer)


@pytest.fixture
def under_review(city, campaign):
    """One reviewer, who has scored all."""
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    return assessment


# --- The union --------------------------------------------------------------------------------------


def dissolve(city):
    reorganizing.dissolve(city.own, reason="企业破产", on=factories.today(), by=city.admin)


def test_a_dissolved_union_is_reviewed_to_the_end(client, city, scored):
    """What it handed in stands; it can hand in no more."""
    dissolve(city)
    client.force_login(city.other_reviewer)
    review = scored.reviews.get(reviewer=city.other_reviewer)
    assert client.get(review.get_absolute_url()).status_code == 200
    complete(scored, city.other_reviewer)
    perform(scored, Action.DECIDE, city.lead)
    assert scored.state == State.DECIDED
    client.force_login(city.lead)
    assert client.get(scored.get_absolute_url()).status_code == 200
    assert list(audit.verify()) == []


def test_a_dissolved_union_cannot_mend_so_the_lead_goes_on(city, under_review):
    factories.send_back(under_review, city.lead)
    dissolve(city)
    with pytest.raises(workflow.TransitionRefused):
        perform(under_review, Action.SUBMIT, city.head)
    yesterday = factories.today() - dt.timedelta(days=1)
    SelfAssessment.objects.update(correction_due=yesterday)
    Campaign.objects.update(submission_deadline=yesterday)
    perform(under_review, Action.RESUME, city.lead, reason="该工会已撤销，按原提交办理。")
    perform(under_review, Action.BEGIN_REVIEW, city.reviewer)
    assert under_review.reviews.get().scores.filter(score__isnull=False).exists()


def test_a_dissolved_union_can_be_given_to_somebody_else(client, city, scored):
    dissolve(city)
    review = assigning.reassign(scored, city.other_reviewer, city.lead, fresh(city.admin))
    assert review.reviewer == city.lead
    assert ReviewScore.objects.filter(review__reviewer=city.other_reviewer).exists()
    client.force_login(city.admin)
    assert str(city.own) in client.get(ASSIGNMENTS).content.decode()


def test_a_merged_union_keeps_its_submission_and_its_reviewers(city, scored):
    reorganizing.merge(
        city.own, into=city.sibling, reason="合并", on=factories.today(), by=city.admin
    )
    scored.refresh_from_db()
    assert scored.organization == city.own
    assert scored.reviews.count() == 2
    complete(scored, city.other_reviewer)
    assert scored.state == State.REVIEWED


def test_a_moved_union_stays_where_it_handed_in_and_keeps_its_scores(city, under_review):
    place, kept = under_review.place, ReviewScore.objects.count()
    reorganizing.move(
        city.own, to=city.other_township, reason="区划调整", on=factories.today(), by=city.admin
    )
    complete(under_review, city.reviewer)
    assert (under_review.place, ReviewScore.objects.count()) == (place, kept)
    assert under_review.standing.county == place[:16]


def move_under_the_reviewer(city):
    """The union comes to stand under a county to which the first reviewer belongs."""
    Membership.objects.create(user=city.reviewer, organization=city.other_county, role=Role.VIEWER)
    reorganizing.move(
        city.own, to=city.other_township, reason="区划调整", on=factories.today(), by=city.admin
    )


def test_a_move_after_the_review_is_completed_shows_and_stops_the_decision(client, city, scored):
    complete(scored, city.other_reviewer)
    move_under_the_reviewer(city)
    client.force_login(city.lead)
    listed = client.get(ASSIGNMENTS).content.decode()
    assert f"{city.reviewer.full_name}：须回避，有 1 份已经评完，评定之前须改派" in listed
    html = client.get(RECUSALS).content.decode()
    reopen = reverse("assessments:self_assessment_act", args=[scored.pk, "reopen-review"])
    assert str(city.own) in html
    assert reopen in html
    with pytest.raises(Exception, match="须回避该工会"):
        perform(scored, Action.DECIDE, city.lead)
    perform(scored, Action.REOPEN_REVIEW, city.lead, reason="评审员须回避。")
    listed = client.get(ASSIGNMENTS).content.decode()
    assert f"{city.reviewer.full_name}：须回避，有 1 份待评，须改派" in listed
    assigning.reassign(scored, fresh(city.reviewer), fresh(city.lead), fresh(city.admin))
    gone = Review.ever.get(reviewer=city.reviewer)
    assert (gone.withdrawn_why, gone.scores.count() > 0) == (Withdrawal.RECUSED, True)
    demo.score_like_union(scored, city.lead)
    for reviewer in (city.lead, city.other_reviewer):
        complete(scored, reviewer)
    perform(scored, Action.DECIDE, city.admin)
    assert scored.state == State.DECIDED
    assert "须回避的评审员" not in client.get(RECUSALS).content.decode()


def test_a_move_while_another_is_scoring_lets_the_completed_one_be_replaced(client, city, scored):
    move_under_the_reviewer(city)
    client.force_login(city.lead)
    held = scored.reviews.get(reviewer=city.reviewer)
    replace = reverse("assessments:review_replace", args=[held.pk])
    assert replace in client.get(RECUSALS).content.decode()
    response = client.post(replace, {"reviewer": city.lead.pk}, follow=True)
    assert "改派给" in response.content.decode()
    assert {one.reviewer for one in scored.reviews.all()} == {city.other_reviewer, city.lead}


def test_the_list_says_nothing_of_what_the_lead_must_stand_back_from(client, city, scored):
    complete(scored, city.other_reviewer)
    move_under_the_reviewer(city)
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    client.force_login(city.lead)
    assert "须回避的评审员" not in client.get(RECUSALS).content.decode()


# --- The reviewer -----------------------------------------------------------------------------------


def test_standing_back_from_what_is_completed_tells_the_lead_what_is_to_be_done(city, scored):
    complete(scored, city.other_reviewer)
    _, withdrawn = recusals.declare(city.reviewer, city.own, "亲属", city.reviewer)
    assert withdrawn == 0
    message = Notification.objects.get(recipient=city.lead, text__contains="申请回避")
    assert "已评完的 1 份须退回评审员后改派" in message.text
    assert message.link == RECUSALS
    with pytest.raises(Exception, match="须回避该工会"):
        perform(scored, Action.DECIDE, city.lead)


def test_a_completed_review_is_not_taken_away_from_somebody_who_is_free(city, scored):
    with pytest.raises(assigning.NotAllowed, match=r"评审甲.*的评审已经完成"):
        assigning.unassign(scored, city.reviewer, fresh(city.lead))
    complete(scored, city.other_reviewer)
    with pytest.raises(assigning.NotAllowed, match="目前是“已评审”，不能取消分派"):
        assigning.unassign(scored, city.reviewer, fresh(city.lead))


def test_what_one_typed_when_it_was_taken_away_changes_nothing(client, city, scored):
    """The browser keeps what was typed; the address is gone."""
    review = scored.reviews.get(reviewer=city.other_reviewer)
    page = reverse("assessments:review_criterion", args=[review.pk, 1])
    before = list(review.scores.order_by("pk").values_list("score", flat=True))
    assigning.unassign(scored, city.other_reviewer, fresh(city.lead))
    client.force_login(city.other_reviewer)
    for method in (client.get, client.post):
        assert method(page).status_code == 404
    kept = ReviewScore.objects.filter(review=review).order_by("pk")
    assert list(kept.values_list("score", flat=True)) == before


def test_a_reviewer_who_is_disabled_leaves_the_scores_behind(client, city, under_review):
    kept = ReviewScore.objects.count()
    accounts.disable(city.reviewer, by=city.admin)
    client.force_login(city.lead)
    assert "评审员已停用" in client.get(ASSIGNMENTS).content.decode()
    review = assigning.reassign(
        under_review, fresh(city.reviewer), city.other_reviewer, fresh(city.lead), keep=True
    )
    assert Review.objects.get(pk=review.pk).scores.count() == kept
    with pytest.raises(workflow.TransitionRefused):
        complete(under_review, city.reviewer)


def test_a_reviewer_who_loses_the_role_is_shown_to_the_lead(client, city, scored):
    city.other_reviewer.memberships.all().delete()
    client.force_login(city.lead)
    html = client.get(ASSIGNMENTS).content.decode()
    assert f"{city.other_reviewer.full_name}：评审员已停用，有 1 份待评" in html
    assert not permissions.may_review(fresh(city.other_reviewer), scored)


# --- The campaign and its rubric --------------------------------------------------------------------


def test_a_campaign_closed_too_early_says_so_and_reviews_go_on(client, city, campaign, scored):
    client.force_login(factories.give_password(city.admin))
    url, sent = f"/campaigns/{campaign.year}/close/", {"password": factories.PASSWORD, "seen": "1"}
    response = client.post(url, sent, follow=True)
    assert "1 份已提交的申报还没有评定" in response.content.decode()
    campaign.refresh_from_db()
    assert (campaign.state, campaigns.unfinished(campaign)) == (CampaignState.CLOSED, 1)
    client.force_login(city.other_reviewer)
    review = scored.reviews.get(reviewer=city.other_reviewer)
    page = reverse("assessments:review_criterion", args=[review.pk, 1])
    assert client.get(page).status_code == 200
    complete(scored, city.other_reviewer)
    perform(scored, Action.DECIDE, city.lead)
    assert campaigns.unfinished(campaign) == 0


def test_what_waits_in_a_closed_campaign_is_shared_out_still(city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    campaigns.close_campaign(campaign, city.admin)
    rows, people = SelfAssessment.objects.all(), [city.reviewer]
    draft = assignment_runs.prepare(campaign, rows, people, 1, fresh(city.lead))
    run = assignment_runs.carry_out(
        campaign, rows, people, 1, fresh(city.lead), digest=draft.plan.digest, scope="全部"
    )
    assert run.placed == 1


def test_what_was_sent_back_can_be_mended_after_closing(city, campaign, scored):
    factories.send_back(scored, city.lead)
    campaigns.close_campaign(campaign, city.admin)
    factories.answer_remarks(scored, city.head)
    perform(scored, Action.SUBMIT, city.head)
    assert scored.state == State.SUBMITTED
    assert scored.reviews.count() == 2
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.CLOSED


def test_neither_the_rubric_nor_how_scores_are_merged_changes_under_a_review(
    client, city, campaign, scored, tmp_path
):
    changed = tmp_path / "rubric.csv"
    text = rubrics.RUBRIC_FILE.read_text(encoding="utf-8")
    changed.write_text(text.replace("G1.01", "G9.01"), encoding="utf-8")
    with pytest.raises(RubricLocked):
        rubrics.load(changed)
    client.force_login(city.admin)
    indicator = Indicator.objects.get(criterion__rubric=scored.rubric, code="G1.01")
    page = reverse("admin:assessments_indicator_change", args=[indicator.pk])
    assert client.post(page, {"name": "改", "max_points": "9"}).status_code == 403
    indicator.refresh_from_db()
    assert indicator.max_points == 3
    settings = reverse("admin:assessments_campaign_change", args=[campaign.pk])
    assert 'name="several_reviewers"' not in client.get(settings).content.decode()
    complete(scored, city.other_reviewer)
    assert scored.state == State.REVIEWED


# --- One rule of conflicts ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_is_the_same_everywhere_in_any_tree(city, campaign, seed):
    """A random tree, random roles and recusals, some of unions that are dissolved."""
    chance = random.Random(seed)
    grown = [city.county, city.township, city.other_county, city.other_township, city.industry]
    below = {Tier.COUNTY: Tier.TOWNSHIP, Tier.INDUSTRY: Tier.GRASSROOTS}
    for _ in range(25):
        parent = chance.choice([one for one in grown if one.tier != Tier.GRASSROOTS])
        grown.append(make_organization(below.get(Tier(parent.tier), Tier.GRASSROOTS), parent))
    rubric = campaign.policies.get(tier=Tier.GRASSROOTS).rubric
    for union in chance.sample([one for one in grown if one.tier != Tier.INDUSTRY], 15):
        SelfAssessment.objects.create(
            campaign=campaign,
            organization=union,
            rubric=rubric,
            state=State.SUBMITTED,
            revision=1,
            place=union.path,
            submitted_at=deadlines.now(),
            self_total=0,
        )
    people = []
    for number in range(8):
        reviewer = make_user((city.city, Role.REVIEWER), name=f"评审{number}")
        for union in chance.sample(grown, chance.randint(0, 2)):
            Membership.objects.create(user=reviewer, organization=union, role=Role.VIEWER)
        for union in chance.sample(grown, chance.randint(0, 2)):
            Recusal.objects.create(reviewer=reviewer, organization=union, reason="亲属")
        people.append(reviewer)
    keys = [one.pk for one in chance.sample(grown, 6)]
    Organization.objects.filter(pk__in=keys).update(dissolved_on=factories.today())
    Review.objects.bulk_create(
        Review(self_assessment=one, reviewer=reviewer, revision=1, assigned_by=city.lead)
        for one in SelfAssessment.objects.all()
        for reviewer in people
    )
    expected, ties = set(), assignment_runs.ties_of(people)
    for review in Review.objects.select_related("reviewer", "self_assessment__organization"):
        union = review.self_assessment.organization
        barred = permissions.has_conflict(review.reviewer, union)
        assert ties[review.reviewer_id].bar(union.path) == barred
        if barred:
            expected.add(review.pk)
    found = set(recusals.conflicted(Review.objects.all()).values_list("pk", flat=True))
    assert found == expected
    assert 0 < len(found) < Review.objects.count()
