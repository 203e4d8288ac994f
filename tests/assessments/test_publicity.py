"""公示: published in one act, open for working days, then final by itself; taken off with a reason."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from assessments import appeals, deadlines, publicity, publishing, workbench
from assessments.assigning import NotAllowed
from assessments.choices import Action, AppealKind, AppealState, State
from assessments.models import PublicityPeriod, PublishedResult, Recusal
from organizations import audit
from organizations.choices import Role
from organizations.models import AuditEvent, Notification, User
from tests import factories
from tests.factories import PASSWORD, give_password, make_self_assessment, make_user

pytestmark = pytest.mark.django_db
RESULTS = reverse("assessments:results")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def decided(city, campaign):
    return [
        make_self_assessment(city, campaign, State.DECIDED, organization=one)
        for one in (city.own, city.foreign)
    ]


def publish(city, campaign, seen=2, days=5):
    return publishing.publish(campaign, fresh(city.admin), title="第一批", days=days, seen=seen)


def states(rows):
    for one in rows:
        one.refresh_from_db()
    return [one.state for one in rows]


def close():
    out = io.StringIO()
    call_command("close_publicity", stdout=out)
    return out.getvalue().splitlines()


def test_all_that_is_decided_is_published_together(client, city, campaign, decided):
    client.force_login(give_password(city.admin))
    url = reverse("assessments:publicity_publish", args=[campaign.year])
    page = client.get(url).content.decode()
    assert city.own.name in page
    assert city.foreign.name in page
    sent = {"seen": 2, "title": "第一批", "days": 5, "password": PASSWORD}
    assert "请填写工作日数" in client.post(url, sent | {"days": ""}).content.decode()
    assert "刚刚有了变化" in client.post(url, sent | {"seen": 1}).content.decode()
    period_page = client.post(url, sent, follow=True)
    assert "已公示" in period_page.content.decode()
    period = PublicityPeriod.objects.get()
    assert states(decided) == [State.PUBLISHED] * 2
    assert period.results.count() == 2
    assert period.closes_on >= period.opens_on + dt.timedelta(days=5)
    assert Notification.objects.filter(recipient=city.head, text__contains="已公示").exists()
    with pytest.raises(NotAllowed, match="没有等待公示"):
        publish(city, campaign)
    assert list(audit.verify()) == []


def test_a_part_is_published_by_the_filter(client, city, campaign, decided):
    client.force_login(give_password(city.admin))
    url = reverse("assessments:publicity_publish", args=[campaign.year])
    county = city.county.code
    page = client.get(f"{url}?county={county}").content.decode()
    assert city.own.name in page
    assert city.foreign.name not in page
    sent = {"seen": 1, "title": "第一批", "days": 5, "password": PASSWORD}
    assert "已公示" in client.post(f"{url}?county={county}", sent, follow=True).content.decode()
    assert states(decided) == [State.PUBLISHED, State.DECIDED]
    empty = client.get(f"{url}?county={county}").content.decode()
    assert "没有符合条件、等待公示的评定" in empty
    assert "公示 1 个评定结果" in client.get(url).content.decode()


def test_what_waits_stands_on_the_workbench(city, campaign, decided):
    def waiting(user):
        tasks = workbench.tasks(fresh(user), campaign, deadlines.now())
        return [one.text for one in tasks if one.title in ("公示", "异议和申诉")]

    assert waiting(city.admin) == ["2 个评定等待公示。"]
    assert waiting(city.lead) == waiting(city.head) == []
    publish(city, campaign)
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"}
    appeal = appeals.file(publicity.result_of(decided[0]), AppealKind.OBJECTION, values, None, None)
    assert waiting(city.admin) == waiting(city.lead) == ["1 件还没有承办人，等待答复。"]
    appeals.assign(appeal, fresh(city.lead), fresh(city.admin))
    assert waiting(city.lead) == ["1 件由您承办，等待答复。"]
    assert waiting(city.admin) == []
    appeals.answer(appeal, AppealState.REJECTED, "已核实。", fresh(city.lead))
    assert waiting(city.lead) == []


def test_whom_one_belongs_to_is_left_for_another(client, city, campaign, decided):
    torn = make_user((city.city, Role.ADMIN), (city.own, Role.VIEWER))
    client.force_login(give_password(torn))
    url = reverse("assessments:publicity_publish", args=[campaign.year])
    assert "公示 2 个评定结果" in client.get(url).content.decode()
    sent = {"seen": 2, "title": "一", "days": 5, "password": PASSWORD}
    page = client.post(url, sent, follow=True).content.decode()
    assert "1 个您须回避，由其他管理员公示。" in page
    period = PublicityPeriod.objects.get()
    assert [one.self_assessment for one in period.results.all()] == [decided[1]]
    with pytest.raises(NotAllowed, match="您都须回避"):
        publishing.publish(campaign, fresh(torn), title="二", days=5, seen=1)


def test_everything_becomes_final_once_by_itself(city, campaign, decided):
    publish(city, campaign)
    assert close()[0].startswith("0 ")
    factories.pass_publicity()
    assert close()[0].startswith("2 ")
    assert states(decided) == [State.FINAL] * 2
    assert close()[0].startswith("0 ")
    events = AuditEvent.objects.filter(action=Action.FINALISE)
    assert [one.actor_name for one in events] == ["系统", "系统"]
    assert list(audit.verify()) == []


def test_an_open_objection_holds_its_union_back_and_a_comment_does_not(city, campaign, decided):
    publish(city, campaign)
    mine, other = (publicity.result_of(one) for one in decided)
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"}
    appeals.file(mine, AppealKind.OBJECTION, values, None, None)
    appeals.file(other, AppealKind.COMMENT, values, None, None)
    factories.pass_publicity()
    assert close()[0].startswith("1 ")
    assert states(decided) == [State.PUBLISHED, State.FINAL]
    with pytest.raises(factories.workflow.TransitionRefused, match="还有异议或申诉没有答复"):
        factories.perform(decided[0], Action.FINALISE, city.admin)


def test_nothing_is_final_before_its_time(city, campaign, decided):
    publish(city, campaign)
    with pytest.raises(factories.workflow.TransitionRefused, match="期满才能生效"):
        factories.perform(decided[0], Action.FINALISE, city.admin)


def test_a_period_is_ended_early_or_extended_with_a_reason(client, city, campaign, decided):
    period = publish(city, campaign)
    client.force_login(city.admin)
    url, today = period.get_absolute_url(), factories.today()
    sent = {"closes_on": today.isoformat(), "reason": "提前结束"}
    assert "请填写调整理由" in client.post(url, sent | {"reason": " "}).content.decode()
    yesterday = (today - dt.timedelta(days=1)).isoformat()
    assert "不能早于今天" in client.post(url, sent | {"closes_on": yesterday}).content.decode()
    assert client.post(url, sent).status_code == 302
    period.refresh_from_db()
    assert period.closes_on == today
    factories.pass_publicity()
    assert "已经结束，不能再调整" in client.post(url, sent).content.decode()


def test_one_is_taken_off_with_a_reason_and_may_be_published_again(client, city, campaign, decided):
    period = publish(city, campaign)
    factories.perform(decided[0], Action.WITHDRAW_PUBLICATION, city.admin, reason="材料有误")
    assert decided[0].state == State.DECIDED
    assert city.own.name not in client.get(RESULTS).content.decode()
    publish(city, campaign, seen=1)
    assert publicity.result_of(decided[0]).period.number == period.number + 1


def test_the_public_page_shows_what_is_published_and_nothing_else(client, city, campaign, decided):
    for query in ("", "?q=示例", "?tier=GRASSROOTS&outcome=AT_STANDARD", "?sort=-name&year=1"):
        assert city.own.name not in client.get(RESULTS + query).content.decode()
    publish(city, campaign)
    page = client.get(RESULTS).content.decode()
    assert city.own.name in page
    assert "提异议" in page
    assert "第一好" not in page
    found = client.get(RESULTS, {"county": city.county.code}).content.decode()
    assert city.own.name in found
    assert city.foreign.name not in found
    campaign.publishes_points = True
    campaign.save()
    assert "第一好" in client.get(RESULTS).content.decode()
    factories.pass_publicity()
    close()
    after = client.get(RESULTS).content.decode()
    assert "已生效" in after
    assert "提异议" not in after
    assert client.get(RESULTS, {"format": "xlsx"})["Content-Type"].startswith("text/html")


def test_the_results_that_are_there_come_first_though_the_next_campaign_has_opened(
    client, city, campaign, decided
):
    publish(city, campaign)
    following = factories.make_campaign(year=campaign.year + 1)
    page = client.get(RESULTS).content.decode()
    assert city.own.name in page
    assert campaign.name in page
    page = client.get(RESULTS, {"year": following.year}).content.decode()
    assert city.own.name not in page
    assert following.name in page


def test_guessed_results_are_not_there(client, city, campaign, decided):
    publish(city, campaign)
    result = PublishedResult.objects.get(self_assessment=decided[0])
    url = reverse("assessments:result_object", args=[result.pk])
    assert client.get(url).status_code == 200
    factories.perform(decided[0], Action.WITHDRAW_PUBLICATION, city.admin, reason="误")
    assert client.get(url).status_code == 404


def test_the_recused_see_nothing_of_it_at_the_desk(client, city, campaign, decided):
    period = publish(city, campaign)
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    client.force_login(city.lead)
    page = client.get(period.get_absolute_url()).content.decode()
    assert city.own.name not in page
    assert city.foreign.name in page
