"""Asking the head to sign, the head's password, more time, and the guide of the first visit."""

import datetime as dt

import pytest
from django.urls import reverse

from assessments import extensions
from assessments.choices import Action, State
from assessments.models import Campaign, Extension, ExtensionRequest, SeenGuide
from organizations import audit
from tests import factories
from tests.factories import (
    PASSWORD,
    give_password,
    make_self_assessment,
    make_user,
    perform,
    today,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign)


def act_url(assessment, action):
    return reverse("assessments:self_assessment_act", args=[assessment.pk, action])


def tasks(client):
    """Those about the self-assessment."""
    return [
        (task.title, task.text, task.button)
        for task in client.get("/").context["tasks"]
        if task.title != "报送实施方案"
    ]


# --- 请负责人签批 ---------------------------------------------------------------------------------


def ask_to_sign(client, assessment):
    url = reverse("assessments:self_assessment_ask_to_sign", args=[assessment.pk])
    return client.post(url, follow=True)


def test_the_head_is_asked_to_sign(client, city, assessment):
    client.force_login(city.reporter)
    assert "请负责人签批</button>" in client.get(assessment.get_absolute_url()).content.decode()
    assert "已请负责人签批" in ask_to_sign(client, assessment).content.decode()
    assert tasks(client) == [(city.own.name, "已请负责人签批，等待签批提交。", "查看")]
    client.force_login(city.head)
    assert tasks(client) == [(city.own.name, "王填报已填好，请您签批提交。", "去签批")]
    assert act_url(assessment, "submit") in client.get("/").content.decode()
    events = [event.action for event in audit.events_of(assessment)]
    assert "ASK_TO_SIGN" in events


def test_an_unfinished_one_is_not_ready_to_be_signed(client, city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    client.force_login(city.reporter)
    assert "请负责人签批</button>" not in client.get(assessment.get_absolute_url()).content.decode()
    html = ask_to_sign(client, assessment).content.decode()
    assert "还有 55 处没有填好" in html
    assessment.refresh_from_db()
    assert assessment.sign_requested_at is None


def test_the_request_is_done_with_when_it_is_handed_in(client, city, assessment):
    client.force_login(city.reporter)
    ask_to_sign(client, assessment)
    assessment.refresh_from_db()
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.sign_requested_at is None
    perform(assessment, Action.WITHDRAW, city.head)
    assert tasks(client)[0][2] == "继续填报"


@pytest.mark.parametrize("user", ["head", "own_viewer", "township_head", "foreign_head", "admin"])
def test_only_who_fills_in_and_cannot_sign_asks(client, city, assessment, user):
    client.force_login(getattr(city, user))
    assert ask_to_sign(client, assessment).status_code == 404


# --- The password ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"confirmed": "on"}, "请输入您的登录密码。"),
        ({"confirmed": "on", "password": "wrong"}, "密码不正确，没有提交。"),
        ({"password": PASSWORD}, "请勾选确认后再提交。"),
    ],
)
def test_signing_takes_the_heads_own_password(client, city, assessment, fields, message):
    client.force_login(give_password(city.head))
    response = client.post(act_url(assessment, "submit"), fields)
    assert message in response.content.decode()
    assert PASSWORD not in response.content.decode()
    assessment.refresh_from_db()
    assert assessment.state == State.DRAFT


def test_a_wrong_password_counts_like_one_at_the_sign_in(client, city, assessment, settings):
    """The same backends are asked, with the request and the username: what slows guessing down
    there does so here."""
    settings.AUTHENTICATION_BACKENDS = ["tests.assessments.views.test_signing.Recording"]
    Recording.seen.clear()
    client.force_login(city.head, backend="django.contrib.auth.backends.ModelBackend")
    settings.AUTHENTICATION_BACKENDS += ["django.contrib.auth.backends.ModelBackend"]
    client.post(act_url(assessment, "submit"), {"password": "wrong"})
    assert Recording.seen == []  # nothing is tried before the box is ticked
    client.post(act_url(assessment, "submit"), {"confirmed": "on", "password": "wrong"})
    assert Recording.seen == [(city.head.username, "wrong", True)]


class Recording:
    """A backend that lets nobody in and remembers who tried."""

    seen: list[tuple[str, str, bool]] = []

    def authenticate(self, request, username=None, password=None):
        self.seen.append((username, password, request is not None))


def test_somebody_elses_password_does_not_sign(client, city, assessment):
    other = give_password(city.sibling_head)
    client.force_login(city.head)
    fields = {"confirmed": "on", "password": PASSWORD, "username": other.username}
    assert "密码不正确" in client.post(act_url(assessment, "submit"), fields).content.decode()


def test_the_summary_stands_before_the_signature(client, city, assessment):
    client.force_login(city.head)
    html = client.get(act_url(assessment, "submit")).content.decode()
    assert "总分（折算为 100 分）" in html
    assert "处提醒</a>" in html


# --- 延期 -----------------------------------------------------------------------------------------


@pytest.fixture
def late(campaign):
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    campaign.refresh_from_db()
    return campaign


def ask_url(campaign, organization):
    return reverse("assessments:extension_ask", args=[campaign.year, organization.pk])


def in_days(number):
    return (today() + dt.timedelta(days=number)).isoformat()


def test_more_time_is_asked_for_and_granted(client, city, late):
    client.force_login(city.reporter)
    assert tasks(client)[0][2] == "申请延期"
    url = ask_url(late, city.own)
    client.post(url, {"until": in_days(3), "reason": "停电两天。"})
    assert "等待市总工会答复" in client.get("/").content.decode()
    assert "正在等待市总工会答复" in client.get(url).content.decode()

    client.force_login(city.admin)
    assert ("延期申请", "1 个工会申请延期，等待答复。", "去答复") in tasks(client)
    assert "停电两天。" in client.get(reverse("assessments:extension_list")).content.decode()
    answer = reverse("assessments:extension_answer", args=[ExtensionRequest.objects.get().pk])
    assert client.post(answer, {"until": in_days(2), "grant": ""}).status_code == 302
    extension = Extension.objects.get()
    assert (extension.organization, extension.until.isoformat()) == (city.own, in_days(2))
    assert "延期申请" not in [title for title, _, _ in tasks(client)]

    client.force_login(city.reporter)
    assert tasks(client)[0][2] == "开始自评"
    assert list(audit.verify()) == []


def test_a_refusal_says_why_and_one_may_ask_again(client, city, late):
    client.force_login(city.reporter)
    url = ask_url(late, city.own)
    client.post(url, {"until": in_days(3), "reason": "停电两天。"})
    request = ExtensionRequest.objects.get()
    client.force_login(city.admin)
    answer = reverse("assessments:extension_answer", args=[request.pk])
    refused = client.post(answer, {"refuse": ""})
    assert "不同意时，请写明理由。" in refused.content.decode()
    client.post(answer, {"refuse": "", "reply": "全市已经汇总。"})
    request.refresh_from_db()
    assert (request.granted, request.reply, request.decided_by) == (
        False,
        "全市已经汇总。",
        city.admin,
    )
    assert not Extension.objects.exists()
    again = client.post(answer, {"grant": "", "until": in_days(3)})
    assert "这份申请已经答复" in again.content.decode()
    client.force_login(city.reporter)
    assert "上次的延期申请没有同意：全市已经汇总。" in client.get("/").content.decode()
    assert client.post(url, {"until": in_days(4), "reason": "确有困难。"}).status_code == 302


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"until": in_days(3)}, "请写明理由。"),
        ({"reason": "停电"}, "请选择日期。"),
        ({"until": "改天", "reason": "停电"}, "请填写日期"),
        ({"until": in_days(-1), "reason": "停电"}, "不早于今天"),
        ({"until": in_days(300), "reason": "停电"}, "不能晚于评审完成日期"),
        ({"until": in_days(3), "reason": "停" * 201}, "最多 200 字"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(client, city, late, fields, message):
    client.force_login(city.reporter)
    response = client.post(ask_url(late, city.own), fields)
    assert message in response.content.decode()
    assert not ExtensionRequest.objects.exists()


def test_asking_twice_is_asking_once(client, city, late):
    client.force_login(city.reporter)
    for _ in range(2):
        client.post(ask_url(late, city.own), {"until": in_days(3), "reason": "停电"})
    assert ExtensionRequest.objects.count() == 1


def test_on_the_record_of_the_self_assessment(client, city, campaign, assessment):
    extensions.ask(
        campaign,
        city.own,
        until=today() + dt.timedelta(days=25),
        reason="停电",
        by=city.reporter,
    )
    client.force_login(city.reporter)
    assert "申请延期</strong>" in client.get(assessment.get_absolute_url()).content.decode()


def test_a_closed_campaign_gives_no_more_time(client, city, late):
    Campaign.objects.update(state="CLOSED")
    client.force_login(city.reporter)
    response = client.post(ask_url(late, city.own), {"until": in_days(3), "reason": "停电"})
    assert "创建活动没有开放" in response.content.decode()
    assert tasks(client)[0][2] != "申请延期"


@pytest.mark.parametrize("user", ["own_viewer", "township_head", "foreign_head", "lead"])
def test_only_the_union_itself_asks(client, city, late, user):
    client.force_login(getattr(city, user))
    assert client.get(ask_url(late, city.own)).status_code == 404


def test_the_unions_observer_is_led_to_what_can_be_seen(client, city, late):
    """Not to a request that only others may make."""
    client.force_login(city.own_viewer)
    assert [button for _, _, button in tasks(client)] == [""]
    Campaign.objects.update(submission_deadline=today())
    late.refresh_from_db()
    assessment = make_self_assessment(city, late, filled=False)
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    (task,) = client.get("/").context["tasks"]
    assert (task.button, task.url) == ("查看", assessment.get_absolute_url())


def test_nobody_answers_for_a_union_of_ones_own(client, city, late):
    both = make_user((city.city, "ADMIN"), (city.own, "HEAD"))
    request = extensions.ask(
        late, city.own, until=today() + dt.timedelta(days=3), reason="停电", by=both
    )
    client.force_login(both)
    url = reverse("assessments:extension_answer", args=[request.pk])
    assert client.post(url, {"grant": "", "until": in_days(3)}).status_code == 404
    with pytest.raises(extensions.NotPossible):
        extensions.answer(request, granted=True, until=request.until, reply="", by=both)


# --- The guide ------------------------------------------------------------------------------------


def test_the_guide_is_there_until_it_is_put_away(client, city, campaign):
    client.force_login(city.reporter)
    assert "三步就好" in client.get("/").content.decode()
    client.post(reverse("assessments:guide_put_away"))
    client.post(reverse("assessments:guide_put_away"))
    assert "三步就好" not in client.get("/").content.decode()
    assert SeenGuide.objects.get().user == city.reporter
    client.force_login(city.head)
    assert "三步就好" in client.get("/").content.decode()


@pytest.mark.parametrize("user", ["own_viewer", "reviewer", "admin", "leader"])
def test_who_does_not_fill_in_is_not_guided(client, city, campaign, user):
    client.force_login(getattr(city, user))
    assert "三步就好" not in client.get("/").content.decode()


def test_the_instructions_are_open_to_everybody(client, db):
    html = client.get(reverse("assessments:help")).content.decode()
    assert "填报说明" in html
    assert "最多 5000 字" in html


def test_a_page_that_is_filled_in_leads_to_the_instructions(client, city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    client.force_login(city.reporter)
    url = reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1])
    assert f'href="{reverse("assessments:help")}"' in client.get(url).content.decode()


def test_somebody_who_waits_for_an_answer_is_not_asked_to_ask_again(client, city, late):
    factories.make_organization("GRASSROOTS", city.township)
    client.force_login(city.reporter)
    client.post(ask_url(late, city.own), {"until": in_days(3), "reason": "停电"})
    assert tasks(client)[0][2] != "申请延期"
