"""Several reviewers: blind, their mean or median, where they are too far apart, and who settles it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from assessments import arbitration, calibration, deadlines, demo, scoring, verdicts, worksheet
from assessments.choices import Action, SeveralReviewers, State
from assessments.models import (
    Adjustment,
    Arbitration,
    Campaign,
    Review,
    ReviewScore,
    SelfAssessment,
)
from assessments.scoring import SCORE_STEP, Rating
from organizations import audit
from organizations.choices import Tier
from organizations.models import User
from tests.factories import make_organization, make_self_assessment, perform

pytestmark = pytest.mark.django_db
CRITERION = 4


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def apart(city, campaign):
    """Two reviewers have completed; the second gives nothing in the fourth criterion."""
    campaign.policies.update(reviewers=2)
    assessment = make_self_assessment(
        city, campaign, State.UNDER_REVIEW, reviewers=[city.reviewer, city.other_reviewer]
    )
    for reviewer in (city.reviewer, city.other_reviewer):
        demo.score_like_union(assessment, reviewer)
    ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__criterion__number=CRITERION
    ).update(score=0, remark="没有看到材料。")
    for reviewer in (city.reviewer, city.other_reviewer):
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    assert assessment.state == State.REVIEWED
    return assessment


def verdict(assessment):
    assessment = SelfAssessment.objects.with_context().get(pk=assessment.pk)
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    return verdicts.verdict_of(assessment, lines)


def points(found, number=CRITERION):
    return next(one.points for one in found.result.criteria if one.number == number)


def page(assessment, number=CRITERION):
    return reverse("assessments:arbitrate", args=[assessment.pk, number])


def send(client, assessment, **fields):
    seen = client.get(page(assessment)).context["seen"]
    return client.post(page(assessment), {"seen": seen} | fields, follow=True)


# --- Mean and median ----------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 20), min_size=1, max_size=7))
def test_the_median_is_the_middle_one(halves):
    values = [half * SCORE_STEP for half in halves]
    found = scoring.median(values)
    assert sum(value < found for value in values) <= len(values) / 2
    assert sum(value > found for value in values) <= len(values) / 2
    ordered = sorted(values)
    middle = len(ordered) // 2
    expected = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    assert found == expected


@pytest.mark.parametrize(("setting", "expected"), [("MEAN", Decimal(2)), ("MEDIAN", Decimal(3))])
def test_the_campaign_says_which(city, campaign, setting, expected):
    campaign.policies.update(reviewers=3)
    Campaign.objects.update(several_reviewers=setting)
    reviewers = [city.reviewer, city.other_reviewer, city.lead]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    ReviewScore.objects.filter(review__reviewer=city.lead, indicator__code="G4.01").update(
        score=0, remark="无"
    )
    for reviewer in reviewers:
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    result = next(one for one in verdict(assessment).results[CRITERION] if one.code == "G4.01")
    assert result.points == expected


def test_an_unknown_setting_is_refused_by_the_database(campaign):
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(several_reviewers="SUM")
    assert campaign.several_reviewers == SeveralReviewers.MEAN


# --- Discrepancies --------------------------------------------------------------------------------------


def test_the_lead_finds_it_in_the_list_and_it_cannot_be_decided(client, city, apart):
    assert apart.discrepant == str(CRITERION)
    client.force_login(city.lead)
    html = client.get(reverse("assessments:discrepancy_list")).content.decode()
    assert str(city.own) in html
    assert "仲裁第四好" in html
    assert page(apart) in html
    with pytest.raises(Exception, match="第4好分差过大"):
        perform(apart, Action.DECIDE, city.lead)
    assert "1 份申报评审员分差过大" in client.get("/").content.decode()


def test_the_page_shows_both_with_their_reasons(client, city, apart):
    client.force_login(city.lead)
    html = client.get(page(apart)).content.decode()
    assert city.reviewer.full_name in html
    assert city.other_reviewer.full_name in html
    assert "没有看到材料。" in html
    assert "相差 3 分" in html
    assert "不另定（按合成后的得分：1.5 分）" in html


def test_arbitrating_sets_scores_and_lets_it_be_decided(client, city, apart):
    before = points(verdict(apart))
    client.force_login(city.lead)
    first = Review.objects.get(reviewer=city.reviewer)
    response = send(
        client,
        apart,
        **{
            "G4.01-choice": str(first.pk),
            "G4.02-choice": "own",
            "G4.02-score": "2.5",
            "G4.02-reason": "表彰文件只有一份。",
            "reason": "已电话核实材料。",
        },
    )
    assert "已仲裁" in response.content.decode()
    apart.refresh_from_db()
    assert apart.discrepant == ""
    found = verdict(apart)
    assert (found.discrepant, found.arbitrated) == ((), (CRITERION,))
    by_code = {one.code: one.points for one in found.results[CRITERION]}
    assert by_code["G4.01"] == 3
    assert by_code["G4.02"] == Decimal("2.5")
    assert points(found) > before
    reasons = dict(Adjustment.objects.values_list("indicator__code", "reason"))
    assert reasons == {"G4.01": "已电话核实材料。", "G4.02": "表彰文件只有一份。"}
    assert [e.action for e in audit.events_of(apart).order_by("number")][-1] == "ARBITRATE"
    perform(apart, Action.DECIDE, city.lead)
    assert apart.state == State.DECIDED


def test_the_lead_counts_anew_where_both_have_it_wrong(client, city, campaign):
    campaign.policies.update(reviewers=2)
    both = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=both)
    for reviewer in both:
        demo.score_like_union(assessment, reviewer)
    second = ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__criterion__number=2
    )
    second.filter(score__isnull=False).update(score=0, remark="没有看到材料。")
    second.filter(denominator=120).update(numerator=10, remark="名册只有10人。")
    for reviewer in both:
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    client.force_login(city.lead)
    counted = {"reason": "逐人核对名册。", "G2.06-choice": "own", "seen": "x"}
    html = client.post(page(assessment, 2), counted | {"G2.06-numerator": "90"}).content.decode()
    assert "请填写核实的数字。" in html
    counted |= {"G2.06-numerator": "90", "G2.06-denominator": "120"}
    counted["seen"] = client.get(page(assessment, 2)).context["seen"]
    client.post(page(assessment, 2), counted)
    adjusted = Adjustment.objects.get()
    assert (adjusted.numerator, adjusted.denominator) == (90, 120)
    rate = next(one for one in verdict(assessment).results[2] if one.code == "G2.06")
    assert (rate.points, rate.met) == (rate.maximum * 75 / 95, False)


def test_leaving_all_as_it_is_settles_it_too(client, city, apart):
    client.force_login(city.admin)
    before = points(verdict(apart))
    send(client, apart, reason="两位评审员理由都成立，按平均分。")
    assert points(verdict(apart)) == before
    assert not Adjustment.objects.exists()
    perform(apart, Action.DECIDE, city.lead)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "请写明仲裁理由。"),
        ({"reason": "理由", "G4.01-choice": "own"}, "请填写得分。"),
        ({"reason": "理由", "G4.01-choice": "own", "G4.01-score": "99"}, "3"),
        ({"reason": "理由", "G4.01-choice": "own", "G4.01-score": "0.3"}, "0.5"),
        ({"reason": "理由", "G4.01-choice": "own", "G4.01-score": "三分"}, "请填写数字"),
        ({"reason": "理由", "G4.01-choice": "999999"}, "999999"),
        ({"reason": "理由", "G4.01-score": "2"}, "请选择“另定得分”"),
        ({"reason": "长" * 501}, "最多 500 字"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_typed_is_lost(client, city, apart, fields, message):
    client.force_login(city.lead)
    response = send(client, apart, **{"G4.02-reason": "不要丢掉我"} | fields)
    html = response.content.decode()
    assert message in html
    assert "不要丢掉我" in html
    assert not Arbitration.objects.exists()


def test_on_other_scores_than_those_shown_nothing_is_settled(client, city, apart):
    client.force_login(city.lead)
    response = client.post(page(apart), {"reason": "理由", "seen": "x"})
    assert response.status_code == 409
    assert "评分刚刚有了变化" in response.content.decode()
    assert not Arbitration.objects.exists()


def test_settled_twice_is_once(client, city, apart):
    client.force_login(city.lead)
    send(client, apart, reason="理由")
    response = client.post(page(apart), {"reason": "再来", "seen": "x"}, follow=True)
    assert "已经仲裁过" in response.content.decode()
    assert Arbitration.objects.count() == 1
    with pytest.raises(arbitration.NotAllowed):
        arbitration.arbitrate(
            apart, CRITERION, reason="再来", settings=[], seen="", by=fresh(city.lead)
        )


def test_whoever_has_reviewed_it_does_not_arbitrate(client, city, campaign):
    campaign.policies.update(reviewers=2)
    assessment = make_self_assessment(
        city, campaign, State.UNDER_REVIEW, reviewers=[city.lead, city.other_reviewer]
    )
    for reviewer in (city.lead, city.other_reviewer):
        demo.score_like_union(assessment, reviewer)
    ReviewScore.objects.filter(
        review__reviewer=city.lead, indicator__criterion__number=CRITERION
    ).update(score=0, remark="无")
    for reviewer in (city.lead, city.other_reviewer):
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    client.force_login(city.lead)
    assert "您评审过这份申报" in client.get(page(assessment), follow=True).content.decode()
    with pytest.raises(arbitration.NotAllowed, match="评审过"):
        arbitration.arbitrate(
            assessment, CRITERION, reason="理由", settings=[], seen="", by=fresh(city.lead)
        )


@pytest.mark.parametrize("name", ["reviewer", "head", "leader", "county_head", "nobody"])
def test_nobody_else_finds_the_page(client, city, apart, name):
    client.force_login(getattr(city, name))
    assert client.get(page(apart)).status_code == 404
    assert client.post(page(apart), {"reason": "理由"}).status_code == 404
    assert client.get(reverse("assessments:discrepancy_list")).status_code == 404


def test_scoring_anew_lapses_the_arbitration(client, city, apart):
    client.force_login(city.lead)
    send(client, apart, reason="理由", **{"G4.01-choice": "own", "G4.01-score": "2"})
    perform(apart, Action.REOPEN_REVIEW, city.lead, reason="请复核")
    assert Arbitration.objects.get().lapsed_at
    assert Adjustment.objects.get().lapsed_at
    for reviewer in (city.reviewer, city.other_reviewer):
        perform(apart, Action.COMPLETE_REVIEW, reviewer)
    assert apart.discrepant == str(CRITERION)
    assert verdict(apart).discrepant == (CRITERION,)


def test_one_arbitration_stands(city, apart):
    fields = {
        "self_assessment": apart,
        "revision": 1,
        "number": 1,
        "reason": "一",
        "by": city.lead,
        "at": apart.submitted_at,
    }
    Arbitration.objects.create(**fields)
    for change in ({}, {"number": 7}, {"number": 2, "reason": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Arbitration.objects.create(**fields | change)


def test_a_choice_stands_for_the_rating_of_that_reviewer(city, apart):
    assessment = SelfAssessment.objects.with_context().get(pk=apart.pk)
    sections = worksheet.load(assessment)
    found = verdicts.verdict_of(assessment, [one for s in sections for one in s.lines])
    scores = verdicts.scores_of(assessment.reviews.all())
    row = arbitration.rows(assessment, sections[CRITERION - 1], found, scores)[0]
    second, own = Review.objects.get(reviewer=city.other_reviewer), Rating(score=Decimal(1))
    assert arbitration.chosen(row, str(second.pk), None).score == 0
    assert arbitration.chosen(row, "", None) is None
    assert arbitration.chosen(row, arbitration.OWN, own) == own


# --- Statistics --------------------------------------------------------------------------------------------


def test_deviations_are_against_the_fellow_reviewers(client, city, campaign, apart):
    first, second = (
        next(one for one in calibration.of_campaign(campaign) if one.reviewer == user)
        for user in (city.reviewer, city.other_reviewer)
    )
    assert (first.assigned, first.completed) == (1, 1)
    assert first.deviation.count == 6
    assert first.by_criterion[CRITERION].mean == pytest.approx(100)
    assert second.by_criterion[CRITERION].mean == pytest.approx(-100)
    assert first.by_criterion[1].mean == 0
    assert first.deviation.mean == pytest.approx(100 / 6)
    assert first.deviation.spread == pytest.approx(
        (5 * (100 / 6) ** 2 / 6 + (500 / 6) ** 2 / 6) ** 0.5
    )
    client.force_login(city.lead)
    html = client.get(reverse("assessments:calibration")).content.decode()
    assert "四 +100.0%" in html
    assert "四 −100.0%" in html


def test_a_reviewer_sees_their_own_row_alone(client, city, apart):
    client.force_login(city.reviewer)
    html = client.get(reverse("assessments:calibration")).content.decode()
    assert city.reviewer.full_name in html
    assert city.other_reviewer.full_name not in html


def test_nothing_is_told_before_all_are_in(city, campaign, apart):
    """A third one is still scoring: how the two who are done compare is not to be known yet."""
    SelfAssessment.objects.update(state=State.UNDER_REVIEW)
    assert [one.deviation for one in calibration.of_campaign(campaign)] == [None, None]
    assert [one.completed for one in calibration.of_campaign(campaign)] == [1, 1]


@pytest.mark.parametrize(
    ("hours", "middle"),
    [([5], 5), ([1, 9], 5), ([1, 48, 3], 3), ([2, 4, 96, 1], 3), ([7, 7, 7, 7, 7], 7)],
)
def test_the_time_taken_is_the_one_in_the_middle(city, campaign, hours, middle):
    rubric = campaign.policies.get(tier=Tier.GRASSROOTS).rubric
    at = deadlines.now()
    for time in [*hours, None]:  # None: not completed
        union = make_organization(Tier.GRASSROOTS, city.township)
        assessment = SelfAssessment.objects.create(
            campaign=campaign, organization=union, rubric=rubric, place=union.path
        )
        review = Review.objects.create(
            self_assessment=assessment, reviewer=city.reviewer, revision=1, assigned_by=city.lead
        )
        if time:
            began = at - dt.timedelta(hours=time)
            Review.objects.filter(pk=review.pk).update(assigned_at=began, completed_at=at)
    (one,) = calibration.of_campaign(campaign)
    assert one.waited == dt.timedelta(hours=middle)
    assert one.days == pytest.approx(middle / 24)


def test_nobody_has_scored_the_same(city, campaign):
    make_self_assessment(city, campaign, State.REVIEWED)
    (one,) = calibration.of_campaign(campaign)
    assert one.deviation is None
    assert one.each == [None] * 6
    assert one.mean_total == 100
