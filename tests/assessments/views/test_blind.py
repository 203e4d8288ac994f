"""Reviewers are blind to each other until all are in: on every page that one of them can open."""

import re
from decimal import Decimal

import pytest
from django.db.models import F
from django.urls import reverse

from assessments import deciding, demo
from assessments.choices import Action, State
from assessments.models import Evidence, Indicator, Review, ReviewScore, SelfAssessment
from assessments.scoring import Rating
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, perform

pytestmark = pytest.mark.django_db
SETTLED = "核实之后另有说法"
REMARK, OPINION = "同组评审员的意见不可先见", "同组评审员的总评不可先见"
#: What 100 points less what is taken off below comes to: no other figure looks like it.
TOTAL = "98.77"
#: The same as a mean is shown.
MEAN = "98.8"


@pytest.fixture(params=["reviewer", "lead"])
def second(request, city):
    """The one who is still scoring; a lead is as blind as anybody when reviewing themselves."""
    return {"reviewer": city.reviewer, "lead": city.lead}[request.param]


@pytest.fixture
def half_done(city, second):
    campaign = factories.make_campaign(reviewers=2)
    first = city.other_reviewer
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=[first, second])
    for reviewer in (first, second):
        demo.score_like_union(assessment, reviewer)
    scores = ReviewScore.objects.filter(review__reviewer=first)
    scores.update(remark=REMARK)
    scores.filter(indicator__code="G1.01").update(score=F("score") - Decimal("0.5"))
    perform(assessment, Action.COMPLETE_REVIEW, first, opinion=OPINION)
    Review.objects.filter(reviewer=first).update(total=Decimal(TOTAL))
    return assessment


def fresh(user):
    return User.objects.get(pk=user.pk)


def addresses(assessment, review):
    """Where somebody who reviews this can go; more is found by the links on these pages."""
    yield "/"
    for name in (
        "review_list",
        "calibration",
        "assignment_list",
        "assignment_plan",
        "recusal_list",
        "discrepancy_list",
        "decision_list",
        "oversight",
        "summary",
        "phrase_list",
        "similarity_list",
    ):
        yield reverse(f"assessments:{name}")
    yield reverse("organizations:inbox")
    yield assessment.get_absolute_url()
    yield review.get_absolute_url()
    for number in range(1, 7):
        yield reverse("assessments:self_assessment_criterion", args=[assessment.pk, number])
        yield reverse("assessments:review_criterion", args=[review.pk, number])
        yield reverse("assessments:review_aside", args=[review.pk, number])
        yield reverse("assessments:arbitrate", args=[assessment.pk, number])
    for name in ("history", "compare", "replies", "similar", "return"):
        yield reverse(f"assessments:self_assessment_{name}", args=[assessment.pk])
    yield reverse("assessments:self_assessment_revision", args=[assessment.pk, 1])
    yield reverse("assessments:review_complete", args=[review.pk])
    yield reverse("assessments:review_similar", args=[review.pk])
    for action in Action:
        slug = action.lower().replace("_", "-")
        yield reverse("assessments:self_assessment_act", args=[assessment.pk, slug])
    other = assessment.reviews.exclude(pk=review.pk).get()
    yield other.get_absolute_url()
    yield reverse("assessments:review_criterion", args=[other.pk, 1])
    file = Evidence.objects.filter(organization=assessment.organization).first()
    yield reverse("assessments:evidence_view", args=[file.pk])


def pages(client, assessment, review):
    """Each page that opens, by its address: those above, and what they link to."""
    waiting, found = list(addresses(assessment, review)), {}
    seen = set(waiting)
    for _ in range(2):
        links = set()
        for url in waiting:
            response = client.get(url)
            if response.status_code != 200 or response.streaming:
                continue
            if not response["Content-Type"].startswith("text/html"):
                continue
            found[url] = response.content.decode()
            links |= set(re.findall(r'href="(/[^"#]*)', found[url]))
        waiting = sorted(
            link.replace("&amp;", "&")
            for link in links - seen
            if not link.startswith(("/static/", "/admin/", "/logout"))
        )
        seen |= links
    return found


def leaks(found):
    return {
        url: secret
        for url, html in found.items()
        for secret in (REMARK, OPINION, TOTAL, MEAN)
        if secret in html
    }


def test_nothing_of_the_fellow_is_seen_before_all_are_in(client, second, half_done):
    client.force_login(User.objects.get(pk=second.pk))
    review = half_done.reviews.get(reviewer=second)
    found = pages(client, half_done, review)
    assert len(found) > 20
    assert leaks(found) == {}
    perform(half_done, Action.COMPLETE_REVIEW, second)
    after = pages(client, half_done, review)
    assert set(leaks(after).values()) & {REMARK}  # and what was looked for can be found


def test_whoever_reviews_anew_sees_nothing_of_how_it_was_settled(client, city, half_done, second):
    """A successor, once a decision was prepared, corrected, and sent back to the reviewers."""
    perform(half_done, Action.COMPLETE_REVIEW, second)
    batch, _ = deciding.prepare(
        half_done.campaign, SelfAssessment.objects.all(), "评定会", fresh(city.admin)
    )
    line = batch.lines.get()
    indicator = Indicator.objects.get(code="G1.02")
    deciding.correct(line, indicator, Rating(score=Decimal(1)), SETTLED, fresh(city.admin))
    deciding.propose_override(line, SETTLED, fresh(city.admin))
    perform(half_done, Action.REOPEN_REVIEW, city.admin, reason=SETTLED)
    overview = half_done.get_absolute_url()
    client.force_login(fresh(second))
    assert client.get(overview).content.decode().count(SETTLED) == 1  # why it was sent back
    client.force_login(fresh(city.leader))
    assert client.get(overview).content.decode().count(SETTLED) == 3
    for user in (city.head, city.township_head, city.county_head):
        client.force_login(fresh(user))
        html = client.get(overview).content.decode()
        assert "退回评审员" in html
        assert SETTLED not in html
