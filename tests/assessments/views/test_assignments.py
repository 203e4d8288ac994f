"""The lead's pages of who reviews what, recusals, and giving a submission to somebody else."""

import pytest
from django.urls import reverse

from assessments import assigning, demo
from assessments.choices import State, Withdrawal
from assessments.models import AssignmentRun, Recusal, Review
from organizations.models import User
from tests.factories import make_self_assessment

pytestmark = pytest.mark.django_db
LIST = reverse("assessments:assignment_list")
PLAN = reverse("assessments:assignment_plan")
RECUSALS = reverse("assessments:recusal_list")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def waiting(client, city, campaign):
    """Three submissions in three places."""
    client.force_login(city.lead)
    return [
        make_self_assessment(city, campaign, State.SUBMITTED, organization=one)
        for one in (city.own, city.foreign, city.direct)
    ]


def confirm(client, draft, address=PLAN, **more):
    fields = {
        "reviewers": [one.pk for one in draft.reviewers],
        "seed": draft.plan.seed,
        "digest": draft.plan.digest,
    }
    return client.post(address, fields | more, follow=True)


# --- Automatically ------------------------------------------------------------------------------------


def test_the_preview_presets_everybody_and_a_seed(client, city, waiting):
    response = client.get(PLAN)
    draft = response.context["draft"]
    assert {one.pk for one in draft.reviewers} == {
        city.reviewer.pk,
        city.other_reviewer.pk,
        city.lead.pk,
    }
    assert draft.placed == 3
    html = response.content.decode()
    assert f"预览（种子 {draft.plan.seed}）" in html
    assert "照此分派（3 份次）" in html
    assert not Review.objects.exists()


def test_what_was_shown_is_done_and_can_be_reckoned_again(client, city, waiting):
    draft = client.get(PLAN, {"seed": 42, "reviewers": [city.reviewer.pk, city.other_reviewer.pk]})
    response = confirm(client, draft.context["draft"])
    run = AssignmentRun.objects.get()
    assert response.redirect_chain[-1][0] == run.get_absolute_url()
    html = response.content.decode()
    assert "已分派 3 份次。" in html
    assert "42" in html
    assert Review.objects.count() == 3
    replayed = client.get(run.get_absolute_url(), {"replay": 1}).content.decode()
    assert "与当时的分派完全一致" in replayed
    listed = client.get(reverse("assessments:assignment_runs")).content.decode()
    assert run.get_absolute_url() in listed


def test_by_county(client, city, waiting):
    address = f"{PLAN}?county={city.other_county.code}"
    response = client.get(address)
    assert response.context["draft"].placed == 1
    assert city.other_county.name in response.content.decode()
    confirm(client, response.context["draft"], address)
    assert Review.objects.get().self_assessment.organization == city.foreign
    assert AssignmentRun.objects.get().scope == city.other_county.name


def test_a_changed_plan_is_shown_anew(client, city, waiting):
    draft = client.get(PLAN).context["draft"]
    assigning.assign(waiting[0], city.reviewer, fresh(city.admin))
    response = confirm(client, draft)
    assert response.status_code == 409
    assert "请核对新的预览" in response.content.decode()
    assert response.context["draft"].placed == 2
    assert Review.objects.count() == 1


def test_pressed_twice_is_done_once(client, city, waiting):
    draft = client.get(PLAN).context["draft"]
    confirm(client, draft)
    assert confirm(client, draft).status_code == 409
    assert Review.objects.count() == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": "1"}, "请至少选择一位评审员。"),
        ({"seed": "一", "reviewers": "all"}, "随机种子是 0 至 999999 的整数。"),
        ({"seed": "-1", "reviewers": "all"}, "随机种子是 0 至 999999 的整数。"),
        ({"seed": "1000000", "reviewers": "all"}, "随机种子是 0 至 999999 的整数。"),
        ({"seed": "1", "reviewers": "999999"}, "已不是评审员"),
        ({"seed": "1", "reviewers": "x"}, "已不是评审员"),
    ],
)
def test_nonsense_is_named(client, city, waiting, fields, message):
    if fields.get("reviewers") == "all":
        fields = fields | {"reviewers": [city.reviewer.pk]}
    response = client.get(PLAN, fields)
    assert response.status_code == 200
    assert message in response.content.decode()
    assert client.post(PLAN, fields).status_code == 200
    assert not Review.objects.exists()


def test_nothing_to_do_is_said(client, city, campaign):
    client.force_login(city.lead)
    assert "没有可以分派的申报。" in client.get(PLAN).content.decode()


def test_what_the_lead_must_stand_back_from_is_left_to_others(client, city, waiting):
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    draft = client.get(PLAN).context["draft"]
    assert draft.placed == 2


# --- Somebody cannot go on ------------------------------------------------------------------------------


def test_whoever_has_left_is_shown_and_all_of_theirs_is_given_to_others(client, city, waiting):
    for one in waiting:
        assigning.assign(one, city.reviewer, fresh(city.lead))
    User.objects.filter(pk=city.reviewer.pk).update(is_active=False)
    html = client.get(LIST).content.decode()
    assert "评审员已停用，有 3 份待评，须改派" in html
    address = f"{PLAN}?replaces={city.reviewer.pk}"
    assert address in html
    draft = client.get(address).context["draft"]
    assert draft.placed == 3
    confirm(client, draft, address, keep="on")
    assert not Review.objects.filter(reviewer=city.reviewer).exists()
    assert Review.ever.filter(withdrawn_why=Withdrawal.LEFT).count() == 3
    assert "须改派" not in client.get(LIST).content.decode()


def test_one_submission_is_given_to_somebody_else(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    demo.score_like_union(assessment, city.reviewer)
    review = assessment.reviews.get()
    client.force_login(city.lead)
    assert (
        reverse("assessments:review_replace", args=[review.pk]) in client.get(LIST).content.decode()
    )
    page = reverse("assessments:review_replace", args=[review.pk])
    assert "请选择评审员。" in client.post(page, {}).content.decode()
    own = client.post(page, {"reviewer": city.reviewer.pk})
    assert "请选择评审员。" in own.content.decode()  # not offered
    response = client.post(
        page, {"reviewer": city.other_reviewer.pk, "keep": "on", "note": "出差"}, follow=True
    )
    assert "改派给" in response.content.decode()
    new = assessment.reviews.get()
    assert new.awaits_confirmation
    assert Review.ever.get(pk=review.pk).withdrawn_note == "出差"
    client.force_login(city.other_reviewer)
    assert "沿用了前一位评审员的评分" in client.get(new.get_absolute_url()).content.decode()
    confirmed = client.post(reverse("assessments:review_confirm", args=[new.pk]), follow=True)
    assert "已确认沿用的评分" in confirmed.content.decode()
    assert not assessment.reviews.get().awaits_confirmation
    client.force_login(city.reviewer)
    assert client.get(review.get_absolute_url()).status_code == 404
    assert (
        str(assessment.organization)
        not in client.get(reverse("assessments:review_list")).content.decode()
    )


# --- Recusals -----------------------------------------------------------------------------------------------


def test_a_reviewer_stands_back_with_a_reason(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    review = assessment.reviews.get()
    client.force_login(city.reviewer)
    page = reverse("assessments:review_recuse", args=[review.pk])
    assert page in client.get(review.get_absolute_url()).content.decode()
    assert "请写明理由。" in client.post(page, {"reason": " "}).content.decode()
    assert "最多 200 字" in client.post(page, {"reason": "长" * 201}).content.decode()
    response = client.post(page, {"reason": "配偶在该单位任职。"}, follow=True)
    assert "已回避" in response.content.decode()
    assert client.get(review.get_absolute_url()).status_code == 404
    assert client.get(assessment.get_absolute_url()).status_code == 404
    client.force_login(city.lead)
    assert "配偶在该单位任职。" in client.get(RECUSALS).content.decode()


def test_the_lead_keeps_the_list(client, city, campaign):
    client.force_login(city.lead)
    fields = {"reviewer": city.reviewer.pk, "code": city.county.code, "reason": "曾在该县任职"}
    assert "已登记回避" in client.post(RECUSALS, fields, follow=True).content.decode()
    assert "已经登记过" in client.post(RECUSALS, fields).content.decode()
    recusal = Recusal.objects.get()
    assert recusal.declared_by == city.lead
    lift = reverse("assessments:recusal_lift", args=[recusal.pk])
    assert "请写明理由。" in client.post(lift, {}).content.decode()
    assert (
        "已解除回避" in client.post(lift, {"reason": "核实无此关系"}, follow=True).content.decode()
    )
    assert not Recusal.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "请选择评审员。"),
        ({"code": "没有这个"}, "没有这个代码的工会。"),
        ({"reason": ""}, "请写明理由。"),
    ],
)
def test_what_is_wrong_with_a_new_one_is_named(client, city, fields, message):
    client.force_login(city.lead)
    good = {"reviewer": city.reviewer.pk, "code": city.county.code, "reason": "亲属"}
    response = client.post(RECUSALS, (good | fields) if fields else {})
    assert message in response.content.decode()
    assert not Recusal.objects.exists()


def test_nobody_frees_themselves(client, city):
    recusal = Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    client.force_login(city.lead)
    lift = reverse("assessments:recusal_lift", args=[recusal.pk])
    assert client.post(lift, {"reason": "不用了"}).status_code == 404
    assert Recusal.objects.exists()
