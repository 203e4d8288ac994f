"""Objections without an account, the union's own appeal, and what the city makes of them."""

import datetime as dt
import io

import pytest
from captcha.models import CaptchaStore
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from assessments import appeals, orphans, publicity, publishing
from assessments.assigning import NotAllowed
from assessments.choices import Action, AppealKind, AppealState, State
from assessments.models import Appeal, Decision, PublicityPeriod, Recusal, StoredFile
from assessments.views import guessing
from organizations.models import Notification, User
from tests import factories
from tests.assessments.views.test_notices import HOSTILE
from tests.factories import make_self_assessment
from tests.uploads import PDF

pytestmark = pytest.mark.django_db
LOOK_UP = reverse("assessments:appeal_look_up")


@pytest.fixture(autouse=True)
def _no_memory_of_addresses():
    cache.clear()


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def published(city, campaign):
    return make_self_assessment(city, campaign, State.PUBLISHED)


@pytest.fixture
def url(published):
    return reverse("assessments:result_object", args=[publicity.result_of(published).pk])


def sent(client, url, **changes):
    """Everything that the form asks for, with the sum of a page that was just opened."""
    client.get(url)
    challenge = CaptchaStore.objects.latest("pk")
    return {
        "kind": "OBJECTION",
        "name": "张三",
        "contact": "13800000000",
        "text": "<script>alert(1)</script>入会率不符。",
        "website": "",
        "sum_0": challenge.hashkey,
        "sum_1": challenge.response,
    } | changes


def file(published, kind=AppealKind.OBJECTION, by=None, **values):
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"} | values
    return appeals.file(publicity.result_of(published), kind, values, None, by)


def handled_by(appeal, user):
    appeals.assign(appeal, fresh(user), fresh(user))
    appeal.refresh_from_db()
    return appeal


def test_an_objection_without_an_account_and_its_answer(client, city, url):
    upload = SimpleUploadedFile("证明.pdf", PDF)
    page = client.post(url, sent(client, url, attachment=upload)).content.decode()
    appeal = Appeal.objects.get()
    assert str(appeal) in page
    assert appeal.code in page
    assert Notification.objects.filter(recipient=city.lead, text__contains=str(appeal)).exists()
    assert orphans.unused_files() == []

    client.force_login(city.lead)
    desk = client.get(appeal.get_absolute_url()).content.decode()
    assert "&lt;script&gt;" in desk
    assert "<script>alert" not in desk
    assert "13800000000" in desk
    saved = client.get(reverse("assessments:appeal_attachment", args=[appeal.pk]))
    assert "attachment" in saved["Content-Disposition"]
    answer = {"act": "answer", "outcome": "REJECTED", "text": "经核实，人数无误。"}
    assert "承办人" in client.post(appeal.get_absolute_url(), answer).content.decode()
    client.post(appeal.get_absolute_url(), {"act": "assign", "to": city.lead.pk})
    refused = client.post(appeal.get_absolute_url(), answer | {"text": " "}).content.decode()
    assert "请填写答复和理由" in refused
    assert client.post(appeal.get_absolute_url(), answer).status_code == 302
    assert client.post(appeal.get_absolute_url(), answer).status_code == 409  # a stale page
    assert Notification.objects.filter(recipient=city.head, text__contains="不成立").exists()

    client.logout()
    code = {"number": str(appeal), "code": appeal.code.lower()}
    page = client.post(LOOK_UP, code).content.decode()
    assert "不成立" in page
    assert "经核实，人数无误。" in page
    assert "13800000000" not in page
    assert client.post(LOOK_UP, code | {"code": "A" * 16}).status_code == 404
    assert client.post(LOOK_UP, {"number": "１-x", "code": appeal.code}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sum_1": "1000"}, "算得不对"),
        ({"sum_0": "unknown"}, "算得不对"),
        ({"website": "http://spam"}, "这一栏请留空"),
        ({"text": "  "}, "请填写内容和理由"),
        ({"name": ""}, "请填写姓名"),
        ({"contact": ""}, "请填写联系方式"),
        ({"kind": "APPEAL"}, "请选择类别"),
        ({"text": "长" * 2001}, "最多 2000 字"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_typed_is_lost(client, url, changes, words):
    page = client.post(url, sent(client, url, **changes)).content.decode()
    assert words in page
    assert changes.get("contact", "13800000000") in page
    assert not Appeal.objects.exists()


def test_a_file_of_another_kind_is_refused_and_not_kept(client, url):
    upload = SimpleUploadedFile("程序.pdf", b"MZ\x90\x00" * 50)
    page = client.post(url, sent(client, url, attachment=upload)).content.decode()
    assert "没有上传" in page
    assert not Appeal.objects.exists()


@pytest.mark.usefixtures("one_minute")
def test_a_sum_counts_once_and_a_flood_is_stopped(client, url):
    form = sent(client, url)
    assert "已登记" in client.post(url, form).content.decode()
    assert "算得不对" in client.post(url, form).content.decode()
    for _ in range(9):
        client.post(url, sent(client, url))
    refused = client.post(url, sent(client, url))
    assert refused.status_code == 429
    assert "提交太频繁" in refused.content.decode()
    assert Appeal.objects.count() == 10


@pytest.mark.usefixtures("one_minute")
def test_a_flood_from_one_address_stops_nobody_behind_the_same_proxy(
    client, url, settings, monkeypatch
):
    settings.BEHIND_PROXY = True
    monkeypatch.setattr(guessing, "FILED_AN_HOUR", 1)
    for address, expected in (("203.0.113.7", 200), ("203.0.113.7", 429), ("203.0.113.8", 200)):
        form = sent(client, url)
        response = client.post(url, form, HTTP_X_FORWARDED_FOR=f"10.9.9.9, {address}")
        assert response.status_code == expected
        assert ("入会率不符" in response.content.decode()) == (expected == 429)  # nothing is lost
    assert Appeal.objects.count() == 2


def test_after_the_deadline_it_is_said_so(client, city, published, url):
    form = sent(client, url)
    factories.pass_publicity()
    refused = client.post(url, form)
    assert refused.status_code == 409
    assert "不能再提出" in refused.content.decode()
    client.force_login(city.head)
    own = reverse("assessments:union_appeal", args=[published.pk])
    assert "不能再提出" in client.get(own).content.decode()
    assert client.post(own, {"text": "晚了"}).status_code == 409
    assert not Appeal.objects.exists()


def test_the_last_day_counts_in_full(published):
    PublicityPeriod.objects.update(closes_on=factories.today())
    assert file(published).number == 1


def test_an_accepted_appeal_of_the_union_leads_back_to_review(client, city, published):
    client.force_login(city.head)
    own = reverse("assessments:union_appeal", args=[published.pk])
    assert client.post(own, {"text": "第一好少算。"}).status_code == 302
    again = client.post(own, {"text": "再申诉。"})
    assert "正在办理" in again.content.decode()
    assert "再申诉。" in again.content.decode()
    appeal, other = Appeal.objects.get(), file(published)
    handled_by(appeal, city.lead)
    appeals.answer(appeal, AppealState.ACCEPTED, "确有漏算。", fresh(city.lead))
    published.refresh_from_db()
    assert published.state == State.UNDER_REVIEW
    assert Decision.objects.get().superseded_reason == "确有漏算。"
    assert publicity.result_of(published) is None
    other.refresh_from_db()  # what else was open against the same result
    assert (other.state, other.answer) == (AppealState.ACCEPTED, "确有漏算。")
    assert Notification.objects.filter(recipient=city.head, text__contains="异议成立").exists()


def test_only_the_handler_without_a_conflict_answers(client, city, published):
    appeal = handled_by(file(published), city.lead)
    with pytest.raises(NotAllowed, match="承办人"):
        appeals.answer(appeal, AppealState.REJECTED, "不", fresh(city.admin))
    with pytest.raises(NotAllowed, match="不能承办"):
        appeals.assign(appeal, fresh(city.reviewer), fresh(city.lead))
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    with pytest.raises(NotAllowed, match="须回避"):
        appeals.answer(appeal, AppealState.REJECTED, "不", fresh(city.lead))
    client.force_login(city.lead)
    assert client.get(appeal.get_absolute_url()).status_code == 404


def test_a_result_under_appeal_is_not_taken_off_the_list(city, published):
    file(published)
    with pytest.raises(factories.workflow.TransitionRefused, match="没有答复"):
        factories.perform(published, Action.WITHDRAW_PUBLICATION, city.admin, reason="误")


def test_a_result_under_appeal_is_not_published_again(city, campaign, published):
    def refuse_to_publish(why):
        with pytest.raises(factories.workflow.TransitionRefused, match="您不能进行这项操作"):
            factories.perform(published, Action.PUBLISH, city.admin)
        with pytest.raises(NotAllowed, match=why):
            publishing.publish(campaign, fresh(city.admin), title="又一批", days=5, seen=1)
        assert PublicityPeriod.objects.count() == 1

    appeal = file(published, AppealKind.APPEAL, fresh(city.head))
    refuse_to_publish("没有等待公示的评定")
    handled_by(appeal, city.lead)
    appeals.answer(appeal, AppealState.ACCEPTED, "确有漏算。", fresh(city.lead))
    published.refresh_from_db()
    refuse_to_publish("没有等待公示的评定")  # it has to be reviewed and decided first


def test_nothing_hostile_comes_out_of_what_is_put_forward(client, city, published):
    text = "\n".join(HOSTILE)
    objection = file(published, name=HOSTILE[1][:40], contact=HOSTILE[3][:60], text=text)
    appeal = file(published, AppealKind.APPEAL, fresh(city.head), text=text)
    appeals.answer(handled_by(objection, city.lead), AppealState.REJECTED, text, fresh(city.lead))
    found = client.post(LOOK_UP, {"number": str(objection), "code": objection.code})
    pages = [found.content.decode()]
    own = reverse("assessments:union_appeal", args=[published.pk])
    for user, address in (
        (city.lead, objection.get_absolute_url()),
        (city.lead, reverse("assessments:appeal_list")),
        (city.head, own),
        (city.head, reverse("organizations:inbox")),
    ):
        client.force_login(user)
        pages.append(client.get(address).content.decode())
    assert sum("&lt;script&gt;alert(1)&lt;/script&gt;" in page for page in pages) >= 4
    for page in pages:
        assert not [one for one in HOSTILE if one in page]
    assert str(appeal) in pages[3]


def test_a_comment_is_answered_and_changes_nothing(city, published):
    appeal = handled_by(file(published, AppealKind.COMMENT), city.lead)
    with pytest.raises(NotAllowed, match="请选择办理结果"):
        appeals.answer(appeal, AppealState.ACCEPTED, "好", fresh(city.lead))
    appeals.answer(appeal, AppealState.ANSWERED, "谢谢。", fresh(city.lead))
    published.refresh_from_db()
    assert published.state == State.PUBLISHED


def test_contacts_are_forgotten_in_time(city, published):
    open_ = file(published)
    done = handled_by(file(published), city.lead)
    appeals.answer(done, AppealState.REJECTED, "不成立。", fresh(city.lead))
    assert appeals.forget_contacts() == 0
    old = factories.today() - dt.timedelta(days=91)
    PublicityPeriod.objects.update(opens_on=old, closes_on=old)
    assert appeals.forget_contacts() == 1
    assert appeals.forget_contacts() == 0
    done.refresh_from_db()
    open_.refresh_from_db()
    assert (done.name, done.contact, open_.name) == ("", "", "张三")


def test_sums_that_nobody_worked_out_do_not_pile_up(client, url):
    for _ in range(2):
        client.get(url)
    CaptchaStore.objects.filter(pk=CaptchaStore.objects.earliest("pk").pk).update(
        expiration=factories.deadlines.now() - dt.timedelta(minutes=1)
    )
    call_command("close_publicity", stdout=io.StringIO())
    assert CaptchaStore.objects.count() == 1


def test_an_attachment_is_no_orphan(published):
    values = {"name": "张三", "contact": "1", "text": "见附件。"}
    result = publicity.result_of(published)
    appeals.file(result, AppealKind.OBJECTION, values, SimpleUploadedFile("证明.pdf", PDF), None)
    StoredFile.objects.update(stored_at=factories.deadlines.now() - dt.timedelta(days=3))
    assert Appeal.objects.get().stored_file not in orphans.unused_files()
