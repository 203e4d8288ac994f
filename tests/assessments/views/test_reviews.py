"""Reviewing: the queue, the scoring pages, sending back, completing; and the lead's pages."""

import datetime as dt

import pytest
from django.urls import reverse

from assessments import assigning, demo, reviewing
from assessments.choices import Action, State
from assessments.models import Answer, Review, ReviewScore, SelfAssessment
from organizations.choices import Role
from organizations.models import Membership
from tests import factories
from tests.factories import PASSWORD, give_password, make_self_assessment, make_user, perform, today

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, State.UNDER_REVIEW)


@pytest.fixture
def review(client, city, assessment):
    client.force_login(city.reviewer)
    return assessment.reviews.get()


def act_url(assessment, action):
    return reverse(
        "assessments:self_assessment_act",
        args=[assessment.pk, action.lower().replace("_", "-")],
    )


class ScoringPage:
    def __init__(self, client, review, number=1):
        self.client, self.review = client, review
        self.url = reverse("assessments:review_criterion", args=[review.pk, number])
        self.reload()

    def reload(self):
        rows = self.client.get(self.url).context["sheet"].rows
        self.fields = {f"{row.indicator.code}-seen": row.seen for row in rows if row.writable}
        for row in rows:
            for name, value in row.values.items():
                if value not in ("", False, []):
                    self.fields[f"{row.indicator.code}-{name}"] = value

    def send(self, button="save", **fields):
        sent = {name.replace("_", ".", 1).replace("_", "-", 1): v for name, v in fields.items()}
        return self.client.post(self.url, self.fields | sent | {button: ""})

    def score(self, code):
        return ReviewScore.objects.filter(review=self.review, indicator__code=code).first()


# --- Queue ----------------------------------------------------------------------------------------


def test_the_queue_holds_what_is_assigned_to_me(client, city, campaign, review):
    other = make_self_assessment(
        city,
        campaign,
        State.UNDER_REVIEW,
        organization=city.foreign,
        reviewers=[city.other_reviewer],
    )
    html = client.get(reverse("assessments:review_list")).content.decode()
    assert city.own.name in html
    assert other.organization.name not in html


@pytest.mark.parametrize("user", ["head", "county_head", "county_admin", "leader", "nobody"])
def test_who_is_no_reviewer_finds_no_queue(client, city, campaign, user):
    client.force_login(getattr(city, user))
    assert client.get(reverse("assessments:review_list")).status_code == 404


@pytest.mark.parametrize("user", ["other_reviewer", "lead", "admin", "head", "county_head"])
def test_a_review_is_its_reviewers_alone(client, city, review, user):
    client.force_login(getattr(city, user))
    for url in (review.get_absolute_url(), ScoringUrl(review)):
        assert client.get(url).status_code == 404
        assert client.post(url, {}).status_code in (404, 405)


def ScoringUrl(review, number=1):  # noqa: N802
    return reverse("assessments:review_criterion", args=[review.pk, number])


def test_a_conflict_that_arises_closes_the_review(client, city, review):
    Membership.objects.create(user=city.reviewer, organization=city.township, role=Role.VIEWER)
    assert client.get(review.get_absolute_url()).status_code == 404


# --- Scoring --------------------------------------------------------------------------------------


def test_scores_and_remarks_are_stored(client, review):
    page = ScoringPage(client, review)
    response = page.send("next", G1_01_score="2.5", G1_01_remark="缺一份纪要。")
    assert response.url == ScoringUrl(review, 2)
    score = page.score("G1.01")
    assert (score.score, score.remark) == (2.5, "缺一份纪要。")
    assert page.score("G1.03").checked_items == [
        "牌子",
        "印章",
        "人员",
        "经费",
        "办公地点",
        "活动场地",
    ]
    assert page.score("G1.02") is None


def test_a_wrong_score_is_named_and_the_rest_is_stored(client, review):
    page = ScoringPage(client, review)
    response = page.send(G1_01_score="4", G1_02_score="1")
    row = response.context["sheet"].rows[0]
    assert row.errors == {"score": ["得分不能超过满分 3 分。"]}
    assert row.values["score"] == "4"
    assert page.score("G1.01") is None
    assert page.score("G1.02").score == 1


def test_two_windows_of_one_reviewer(client, review):
    first, second = ScoringPage(client, review), ScoringPage(client, review)
    first.send(G1_01_score="1")
    first.reload()
    second.fields = first.fields
    first.send(G1_01_score="2")
    response = second.send(G1_01_score="3")
    assert "另一个窗口" in response.content.decode()
    assert first.score("G1.01").score == 2


def test_a_page_of_an_earlier_revision_scores_nothing(client, city, review, assessment):
    page = ScoringPage(client, review)
    factories.send_back(assessment, city.lead)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    page.fields["revision"] = 1
    response = page.send(G1_02_score="1")
    assert response.status_code == 409
    assert "已经重新提交" in response.content.decode()
    assert page.score("G1.02") is None


def test_a_page_of_a_review_that_was_taken_away(client, city, review, assessment):
    stale = Review.objects.select_related("self_assessment").get(pk=review.pk)
    assigning.unassign(assessment, city.reviewer, city.lead)
    with pytest.raises(reviewing.NotAllowed, match="已经取消分派"):
        reviewing.save(stale, [], city.reviewer)
    assert client.post(ScoringUrl(review), {}).status_code == 404


def test_after_completing_nothing_can_be_scored(client, city, assessment, review):
    page = ScoringPage(client, review)
    demo.score_like_union(assessment, city.reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    response = page.send(G1_01_score="1")
    assert response.status_code == 409
    assert page.score("G1.01").score == 3


def test_before_accepting_nothing_can_be_scored(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    client.force_login(city.lead)
    assign(client, city.reviewer, assessment)
    review = assessment.reviews.get()
    client.force_login(city.reviewer)
    response = client.post(ScoringUrl(review), {"G1.01-seen": "x", "G1.01-score": "1"})
    assert response.status_code == 409
    assert not review.scores.exists()


def test_completing_with_gaps_lists_them(client, review, assessment):
    response = client.post(act_url(assessment, Action.COMPLETE_REVIEW), {"opinion": ""})
    assert response.status_code == 409
    assert "G1.01 接受党组织领导：尚未评分" in response.content.decode()


def test_completing_leads_back_to_the_queue(client, city, review, assessment):
    demo.score_like_union(assessment, city.reviewer)
    response = client.post(act_url(assessment, Action.COMPLETE_REVIEW), {"opinion": "材料齐全。"})
    assert response.url == reverse("assessments:review_list")
    review.refresh_from_db()
    assert review.opinion == "材料齐全。"


def test_an_accepted_not_applicable_leaves_points_and_maximum(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G3.08").update(
        not_applicable=True, not_applicable_reason="无女职工"
    )
    perform(assessment, Action.SUBMIT, city.head)
    client.force_login(city.lead)
    assign(client, city.reviewer, assessment)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    client.force_login(city.reviewer)
    page = ScoringPage(client, assessment.reviews.get(), 3)
    page.send()
    assert page.score("G3.08") is None  # nothing is chosen to begin with
    page.send(G3_08_claim="accept")
    assert page.score("G3.08").not_applicable
    page.fields["G3.08-seen"] = page.client.get(page.url).context["sheet"].rows[7].seen
    page.send(G3_08_claim="refuse", G3_08_score="1", G3_08_remark="有女职工 12 人。")
    score = page.score("G3.08")
    assert (score.not_applicable, score.claim_refused, score.score) == (False, True, 1)


# --- Sending back ---------------------------------------------------------------------------------


def send_back(client, assessment, **remarks):
    url = reverse("assessments:self_assessment_return", args=[assessment.pk])
    fields = {code.replace("_", "."): text for code, text in remarks.items()}
    due = (today() + dt.timedelta(days=5)).isoformat()
    return client.post(url, {"reason": "部分材料不全。", "due_on": due} | fields)


def test_sending_back_with_remarks(client, review, assessment):
    assert send_back(client, assessment, G1_01="请补充会议纪要。").status_code == 302
    assessment.refresh_from_db()
    assert assessment.state == State.RETURNED
    remark = assessment.returns.get().remarks.get()
    assert (remark.indicator.code, remark.text) == ("G1.01", "请补充会议纪要。")


def test_sending_back_without_a_remark_keeps_what_was_typed(client, review, assessment):
    response = send_back(client, assessment, G1_01="  ")
    html = response.content.decode()
    assert "请至少在一个指标上写明修改要求" in html
    assert "部分材料不全。" in html
    assessment.refresh_from_db()
    assert assessment.state == State.UNDER_REVIEW


def test_sending_back_what_has_moved_on_is_told(client, city, review, assessment):
    demo.score_like_union(assessment, city.reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    response = send_back(client, assessment, G1_01="请补充。")
    assert response.status_code == 409
    assert "已评审" in response.content.decode()
    assert "请补充。" in response.content.decode()


def test_scores_survive_a_return(client, city, review, assessment):
    ScoringPage(client, review).send(G1_01_score="2")
    send_back(client, assessment, G1_02="请补充。")
    assert client.get(ScoringUrl(review)).status_code == 404  # the union is writing
    assert client.get(review.get_absolute_url()).status_code == 200
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    client.post(act_url(assessment, Action.BEGIN_REVIEW))
    review.refresh_from_db()
    assert (review.revision, ScoringPage(client, review).score("G1.01").score) == (2, 2)


# --- Endorsing and other actions ------------------------------------------------------------------


def test_the_superior_endorses_with_an_opinion(client, city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED)
    client.force_login(city.township_head)
    url = act_url(assessment, Action.ENDORSE)
    assert "请填写推荐意见" in client.post(url, {"opinion": " "}).content.decode()
    assert client.post(url, {"opinion": "同意推荐。"}).status_code == 302
    endorsement = assessment.endorsements.get()
    assert (endorsement.organization, endorsement.opinion) == (city.township, "同意推荐。")


def test_submitting_needs_the_confirmation(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(give_password(city.head))
    url = act_url(assessment, Action.SUBMIT)
    assert "请勾选确认后再提交" in client.post(url, {}).content.decode()
    assert client.post(url, {"confirmed": "on", "password": PASSWORD}).status_code == 302
    assessment.refresh_from_db()
    assert assessment.state == State.SUBMITTED


def test_pressing_submit_twice_is_told_and_changes_nothing(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(give_password(city.head))
    url = act_url(assessment, Action.SUBMIT)
    response = [client.post(url, {"confirmed": "on", "password": PASSWORD}) for _ in range(2)][1]
    assert response.status_code == 409
    assert "不能进行这项操作" in response.content.decode()
    assert assessment.revisions.count() == 1


@pytest.mark.parametrize("action", Action)
def test_a_stranger_finds_no_action(client, city, campaign, action):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    for user in (city.sibling_head, city.foreign_head, city.nobody, city.reviewer):
        client.force_login(user)
        assert client.get(act_url(assessment, action)).status_code == 404
        assert client.post(act_url(assessment, action)).status_code == 404


def test_an_action_that_does_not_exist_is_not_found(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.head)
    assert client.get(act_url(assessment, "delete")).status_code == 404


# --- Assignment and decision ----------------------------------------------------------------------


def assign(client, reviewer, *assessments, button="assign"):
    return client.post(
        reverse("assessments:assignment_list"),
        {"reviewer": reviewer.pk, "assessment": [a.pk for a in assessments], button: ""},
        follow=True,
    )


def test_the_lead_assigns_several_and_takes_one_back(client, city, campaign):
    one = make_self_assessment(city, campaign, State.SUBMITTED)
    two = make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    client.force_login(city.lead)
    assert "已分派给 评审甲：2 份" in assign(client, city.reviewer, one, two).content.decode()
    assert Review.objects.count() == 2
    assign(client, city.reviewer, one, button="unassign")
    assert Review.objects.get().self_assessment == two


def test_a_conflict_of_interest_is_refused_by_name(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    partial = make_user((city.city, Role.REVIEWER), (city.county, Role.VIEWER), name="回避者")
    client.force_login(city.lead)
    html = assign(client, partial, assessment).content.decode()
    assert f"回避者 不能评审“{city.own.name}”：须回避" in html
    assert not Review.objects.exists()


def test_assigning_nonsense(client, city, campaign):
    client.force_login(city.lead)
    url = reverse("assessments:assignment_list")
    assert client.post(url, {"reviewer": "x"}).status_code == 404
    assert client.post(url, {"reviewer": city.head.pk}).status_code == 404
    response = client.post(url, {"reviewer": city.reviewer.pk, "assessment": ["x"]}, follow=True)
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["assignment_list", "decision_list"])
@pytest.mark.parametrize("user", ["head", "county_admin", "reviewer", "leader", "nobody"])
def test_the_leads_pages_are_the_leads(client, city, campaign, name, user):
    client.force_login(getattr(city, user))
    assert client.get(reverse(f"assessments:{name}")).status_code == 404
    assert client.post(reverse(f"assessments:{name}")).status_code in (404, 405)


def test_the_lead_sees_the_marks_and_decides(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    ReviewScore.objects.filter(indicator__code="G2.06").update(
        numerator=100, denominator=120, remark="花名册只有 100 人。"
    )
    client.force_login(city.lead)
    assert city.own.name in client.get(reverse("assessments:decision_list")).content.decode()
    html = client.get(act_url(assessment, Action.DECIDE)).content.decode()
    assert "（必达指标 G2.06 未达到）" in html
    client.post(act_url(assessment, Action.DECIDE), {"opinion": "入会率未达到。"})
    decision = assessment.decisions.get()
    assert [c.met for c in decision.criteria.all()] == [True, False, True, True, True, True]
    assert decision.get_outcome_display() == "未达标"
    html = client.get(reverse("assessments:decision_list")).content.decode()
    assert "未达标" in html
    client.force_login(city.head)
    assert "入会率未达到。" in client.get(assessment.get_absolute_url()).content.decode()


def test_an_opened_list_without_a_campaign(client, city):
    client.force_login(city.lead)
    for name in ("assignment_list", "decision_list", "review_list", "oversight", "workbench"):
        assert client.get(reverse(f"assessments:{name}")).status_code == 200
    assert not SelfAssessment.objects.exists()


def test_a_self_assessment_of_another_year(client, city, campaign):
    last = factories.make_campaign(year=campaign.year - 1, opened=True)
    make_self_assessment(city, last, State.SUBMITTED)
    client.force_login(city.lead)
    url = reverse("assessments:assignment_list")
    assert city.own.name not in client.get(url).content.decode()
    assert city.own.name in client.get(f"{url}?year={last.year}").content.decode()
