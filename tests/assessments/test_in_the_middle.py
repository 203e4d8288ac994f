"""What changes around a submission while it is under review: each has a defined outcome, and nothing
that was scored is lost."""

import datetime as dt

import pytest
from django.urls import reverse

from assessments import assigning, campaigns, demo, workflow
from assessments.choices import Action, CampaignState, State
from assessments.models import Campaign, Indicator, Review, ReviewScore
from organizations import accounts, reorganizing
from organizations.models import Organization, User
from tests import factories
from tests.factories import make_self_assessment, perform, today

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def under_review(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    return assessment


def dissolve(city):
    organization = Organization.objects.get(pk=city.own.pk)
    reorganizing.dissolve(organization, reason="企业破产", on=today(), by=city.admin)


def test_a_dissolved_union_is_reviewed_and_decided_to_the_end(client, city, under_review):
    dissolve(city)
    perform(under_review, Action.COMPLETE_REVIEW, city.reviewer)
    perform(under_review, Action.DECIDE, city.lead)
    assert under_review.state == State.DECIDED
    client.force_login(city.lead)
    assert client.get(under_review.get_absolute_url()).status_code == 200


def test_a_dissolved_union_cannot_mend_so_the_lead_goes_on(city, under_review):
    factories.send_back(under_review, city.lead)
    dissolve(city)
    with pytest.raises(workflow.TransitionRefused):
        perform(under_review, Action.SUBMIT, city.head)
    type(under_review).objects.update(correction_due=today() - dt.timedelta(days=1))
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    perform(under_review, Action.RESUME, city.lead, reason="该工会已撤销，按原提交办理。")
    perform(under_review, Action.BEGIN_REVIEW, city.reviewer)
    assert under_review.reviews.get().scores.filter(score__isnull=False).exists()


def test_a_moved_union_stays_where_it_handed_in_and_keeps_its_scores(city, under_review):
    place, scored = under_review.place, ReviewScore.objects.count()
    organization = Organization.objects.get(pk=city.own.pk)
    reorganizing.move(
        organization, to=city.other_township, reason="区划调整", on=today(), by=city.admin
    )
    perform(under_review, Action.COMPLETE_REVIEW, city.reviewer)
    assert (under_review.place, ReviewScore.objects.count()) == (place, scored)
    assert under_review.standing.county == place[:16]


def test_a_reviewer_who_is_disabled_leaves_the_scores_behind(client, city, under_review):
    scored = ReviewScore.objects.count()
    accounts.disable(city.reviewer, by=city.admin)
    client.force_login(city.lead)
    assert "评审员已停用" in client.get(reverse("assessments:assignment_list")).content.decode()
    review = assigning.reassign(
        under_review, fresh(city.reviewer), city.other_reviewer, fresh(city.lead), keep=True
    )
    assert Review.objects.get(pk=review.pk).scores.count() == scored
    with pytest.raises(workflow.TransitionRefused):
        perform(under_review, Action.COMPLETE_REVIEW, city.reviewer)


def test_a_campaign_closed_too_early_says_so_and_reviews_go_on(
    client, city, campaign, under_review
):
    client.force_login(city.admin)
    response = client.post(
        reverse("admin:assessments_campaign_changelist"),
        {"action": "close_campaigns", "_selected_action": [campaign.pk]},
        follow=True,
    )
    assert "还有 1 份已提交的申报没有评定，可以继续评审和评定。" in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.CLOSED
    assert campaigns.unfinished(campaign) == 1
    perform(under_review, Action.COMPLETE_REVIEW, city.reviewer)
    perform(under_review, Action.DECIDE, city.lead)
    assert campaigns.unfinished(campaign) == 0


def test_the_rubric_of_an_open_campaign_stays_as_it_is(client, city, under_review):
    indicator = Indicator.objects.get(code="G1.01")
    client.force_login(city.admin)
    url = reverse("admin:assessments_indicator_change", args=[indicator.pk])
    assert client.post(url, {"name": "改", "max_points": "9"}).status_code == 403
    indicator.refresh_from_db()
    assert indicator.max_points == 3
