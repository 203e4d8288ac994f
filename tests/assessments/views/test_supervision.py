"""The pages of the supervision (督查): planning, on site, putting right, following up."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessments.models import (
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
)
from assessments.supervision import rectifying
from organizations import tree
from organizations.choices import Role, Tier
from organizations.models import Organization
from tests import factories
from tests.factories import feed_back, make_finding, make_round, today
from tests.uploads import PNG

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LIST = reverse("assessments:supervision_list")
FINDINGS = reverse("assessments:supervision_findings")


def address(page, one=None):
    return reverse(f"assessments:supervision_{page}", args=[one.pk] if one else [])


def post(client, user, url, **posted):
    client.force_login(user)
    return client.post(url, posted)


def text_of(client, user, url):
    client.force_login(user)
    return client.get(url).content.decode()


def plan(**changes):
    return {
        "title": "年中督查",
        "starts_on": today(),
        "ends_on": today() + 10 * DAY,
        "purpose": "看台账。",
        "seen": 0,
    } | changes


def found(**changes):
    return {
        "text": "名册没有更新。",
        "criterion": "",
        "severity": "MINOR",
        "rectify_by": today() + 5 * DAY,
        "seen": 0,
    } | changes


def shown(client, user, url):
    """The stamp that the user's page carries."""
    client.force_login(user)
    return client.get(url).context["seen"]


def answer(client, user, url, **posted):
    return post(client, user, url, act="answer", seen=shown(client, user, url), **posted)


@pytest.fixture
def visit(city, campaign):
    round_ = make_round(city.admin, campaign, city.own, city.foreign, members=[city.reviewer])
    return round_.visits.get(organization=city.own)


@pytest.fixture
def finding(city, visit):
    made = make_finding(visit, city.reviewer, SimpleUploadedFile("现场.png", PNG))
    feed_back(visit, city.reviewer)
    made.refresh_from_db()
    return made


def test_a_round_is_planned_and_started(client, city, campaign):
    response = post(client, city.admin, address("add"), **plan())
    round_ = SupervisionRound.objects.get()
    assert response.url == round_.get_absolute_url()
    url = reverse("assessments:supervision_team_add", args=[round_.pk])
    team = {"act": "save", "name": "第一组", "leader": city.reviewer.pk}
    response = post(client, city.admin, url, **team, members=[city.lead.pk])
    places = response.url
    assert set(SupervisionTeam.objects.get().members.all()) == {city.reviewer, city.lead}
    page = text_of(client, city.admin, places)
    assert city.own.name in page
    chosen = [city.own.pk, city.foreign.pk]
    post(client, city.admin, places, act="chosen", chosen=chosen, planned_on=today())
    assert round_.visits.count() == 2
    page = text_of(client, city.admin, places)
    assert city.own.name not in page
    start = reverse("assessments:supervision_act", args=[round_.pk, "start"])
    client.post(start)
    page = text_of(client, city.admin, round_.get_absolute_url())
    assert "进行中" in page
    assert "列入走访" in page  # on record
    assert text_of(client, city.admin, LIST).count("年中督查") == 1


def test_what_is_wrong_with_a_plan_is_said_at_the_field(client, city, campaign):
    wrong = plan(ends_on=today() - DAY, title=" ", starts_on="昨天")
    response = post(client, city.admin, address("add"), **wrong)
    errors = response.context["form"].errors
    assert errors["title"] == ["请填写督查名称。"]
    assert errors["starts_on"] == ["请填写日期，例如 2026-05-31。"]
    response = post(client, city.admin, address("add"), **plan(ends_on=today() - DAY))
    assert response.context["form"].errors["ends_on"] == ["结束日期不能早于开始日期。"]
    assert "看台账。" in response.content.decode()
    assert not SupervisionRound.objects.exists()


def test_two_at_one_plan(client, city, visit):
    edit = address("edit", visit.round)
    post(client, city.admin, edit, **plan(title="先改的", seen=1))
    response = post(client, city.admin, edit, **plan(title="后改的", seen=1))
    body = response.content.decode()
    assert response.status_code == 409
    assert "对方保存的：先改的" in body
    assert 'value="后改的"' in body
    post(client, city.admin, edit, **plan(title="后改的", seen=response.context["seen"]))
    visit.round.refresh_from_db()
    assert visit.round.title == "后改的"


def test_all_that_the_filter_leaves_is_added_at_once(
    client, city, campaign, django_assert_max_num_queries
):
    round_ = make_round(city.admin, campaign, members=[city.reviewer], started=False)
    tree.plant_all(
        Organization(code=f"Z{n}", name=f"批量{n}工会", tier=Tier.GRASSROOTS, parent=city.township)
        for n in range(120)
    )
    places = address("places", round_.teams.get())
    client.force_login(city.admin)
    with django_assert_max_num_queries(30):
        client.post(f"{places}?county={city.county.code}&q=批量", {"act": "all"})
    assert round_.visits.count() == 120
    response = post(client, city.admin, places, act="chosen")
    assert response.status_code == 409
    assert "请先选择工会" in response.content.decode()
    response = post(client, city.admin, places, act="all", planned_on="2026-02-30")
    assert response.context["form"].errors["planned_on"]
    late = today() + 99 * DAY
    response = post(client, city.admin, places, act="chosen", chosen=[city.own.pk], planned_on=late)
    assert "计划日期须在督查期间之内" in response.content.decode()
    assert f'value="{city.own.pk}"' in response.content.decode()


def test_a_team_that_cannot_be(client, city, visit):
    url = address("team", visit.team)
    response = post(client, city.admin, url, act="save", name="第一组", leader="")
    assert response.context["form"].errors["leader"] == ["请选择组长。"]
    response = post(client, city.admin, url, act="save", name="第一组", leader=city.head.pk)
    assert response.context["form"].errors["leader"] == ["请重新选择组长。"]
    response = post(client, city.admin, url, act="remove")
    assert (response.status_code, "不能撤销" in response.content.decode()) == (409, True)


def test_a_union_is_taken_off(client, city, visit):
    url = address("visit_drop", visit)
    assert post(client, city.admin, url, reason=" ").context["form"].errors["reason"]
    post(client, city.admin, url, reason="时间不够")
    visit.refresh_from_db()
    assert visit.state == "CANCELLED"
    response = post(client, city.admin, url, reason="再来")
    assert "可能刚刚已由别人办理" in response.content.decode()


def test_on_site_a_finding_with_photos(client, city, visit):
    add = address("finding_add", visit)
    photos = [SimpleUploadedFile(f"{n}.png", PNG + bytes([n])) for n in range(2)]
    post(client, city.reviewer, add, **found(), files=photos)
    one = SupervisionFinding.objects.get()
    assert [file.name for file in one.files.all()] == ["0.png", "1.png"]
    page = text_of(client, city.reviewer, one.get_absolute_url())
    assert "名册没有更新。" in page
    file = one.files.first()
    assert client.get(address("file", file)).status_code == 200
    assert client.get(address("file", file) + "?small")["Content-Type"] == "image/webp"
    client.force_login(city.head)
    assert client.get(address("file", file)).status_code == 404  # not before it is handed over
    post(client, city.reviewer, address("file_remove", file))
    assert one.files.count() == 1
    post(client, city.reviewer, one.get_absolute_url(), act="remove")
    assert not SupervisionFinding.objects.exists()


def test_what_is_wrong_with_a_finding_is_said_and_nothing_typed_is_lost(client, city, visit):
    add = address("finding_add", visit)
    response = post(client, city.reviewer, add, **found(text=" ", rectify_by=today() - DAY))
    errors = response.context["form"].errors
    assert errors["text"] == ["请填写发现的问题。"]
    assert errors["rectify_by"] == ["整改期限不能早于今天。"]
    wrong = SimpleUploadedFile("病毒.exe", b"MZ" + b"\0" * 99)
    response = post(client, city.reviewer, add, **found(), files=[wrong])
    assert "类型不能接受" in str(response.context["form"].errors["files"])
    assert "名册没有更新。" in response.content.decode()
    response = post(client, city.reviewer, add, **found(criterion=99999))
    assert response.context["form"].errors["criterion"]
    assert not SupervisionFinding.objects.exists()


def test_two_of_a_team_at_one_finding(client, city, visit):
    one = make_finding(visit, city.reviewer)
    post(client, city.reviewer, one.get_absolute_url(), **found(text="先写的。", seen=1))
    response = post(client, city.reviewer, one.get_absolute_url(), **found(text="后写的。", seen=1))
    assert response.status_code == 409
    assert "先写的。" in response.content.decode()
    assert "后写的。" in response.content.decode()


def test_handing_over_what_was_found(client, city, visit):
    one = make_finding(visit, city.reviewer)
    response = post(
        client, city.reviewer, visit.get_absolute_url(), visited_on=today() + DAY, summary="好。"
    )
    assert "走访日期不能晚于今天" in response.content.decode()
    assert "好。" in response.content.decode()
    post(client, city.reviewer, visit.get_absolute_url(), visited_on=today(), summary="总体好。")
    page = text_of(client, city.head, visit.get_absolute_url())
    assert "总体好。" in page
    assert "还剩 15 天" in page
    assert city.reviewer.full_name not in page  # who went is the organizer's business
    # Somebody else of the team was still writing.
    response = post(client, city.reviewer, one.get_absolute_url(), **found(text="补充。", seen=1))
    assert response.status_code == 409
    assert "这次走访已反馈，不能再改" in response.content.decode()
    assert "补充。" in response.content.decode()


def test_the_union_puts_it_right_and_the_team_checks(client, city, finding):
    url = finding.get_absolute_url()
    assert answer(client, city.head, url, text=" ").context["answering"].errors["text"]
    wrong = SimpleUploadedFile("证明.exe", b"MZ" + b"\0" * 99)
    response = answer(client, city.head, url, text="已更新。", files=[wrong])
    assert "类型不能接受" in str(response.context["answering"].errors["files"])
    assert "已更新。" in response.content.decode()
    proof = SimpleUploadedFile("新名册.png", PNG + b"2")
    first = shown(client, city.reporter, url)
    answer(client, city.head, url, text="已更新。", files=[proof])
    response = post(client, city.reporter, url, act="answer", text="我也写了。", seen=first)
    assert (response.status_code, "我也写了。" in response.content.decode()) == (409, True)

    response = post(client, city.reviewer, url, act="return", remark=" ", rectify_by="")
    assert set(response.context["checking"].errors) == {"remark", "rectify_by"}
    seen = response.context["seen"]
    back = {"remark": "没有盖章。", "rectify_by": today(), "seen": seen}
    post(client, city.reviewer, url, act="return", **back)
    page = text_of(client, city.head, url)
    assert "没有盖章。" in page
    assert "新名册.png" in page
    answer(client, city.head, url, text="已盖章。")
    seen = shown(client, city.reviewer, url)
    post(client, city.reviewer, url, act="accept", remark="", seen=seen)
    finding.refresh_from_db()
    assert finding.state == "ACCEPTED"
    response = post(client, city.reviewer, url, act="accept", remark="再通过一次", seen=seen)
    assert (response.status_code, "再通过一次" in response.content.decode()) == (409, True)


def test_who_of_the_city_saw_it_put_right_is_named_to_the_city_alone(client, city, finding):
    rectifying.accept(finding, "现场已更新。", city.reviewer)
    url, name = finding.get_absolute_url(), city.reviewer.full_name
    assert name in text_of(client, city.leader, url)
    for user in (city.head, city.county_head):
        page = text_of(client, user, url)
        assert name not in page
        assert "第一组" in page


def test_a_stale_page_does_nothing_and_keeps_what_was_typed(client, city, finding):
    url = finding.get_absolute_url()
    answer(client, city.head, url, text="已更新。")
    old = shown(client, city.reviewer, url)
    other = {"remark": "没有盖章。", "rectify_by": today(), "seen": old}
    post(client, city.admin, url, act="return", **other)
    response = post(client, city.reviewer, url, act="accept", remark="同意通过", seen=old)
    body = response.content.decode()
    assert response.status_code == 409
    assert "目前是“退回整改”" in body
    assert "同意通过" in body
    post(
        client, city.reviewer, url, act="accept", remark="现场已补。", seen=response.context["seen"]
    )
    finding.refresh_from_db()
    assert finding.state == "ACCEPTED"


def test_who_does_not_answer_does_not_get_through(client, city, finding):
    url = finding.get_absolute_url()
    for user, act in (
        (city.own_viewer, "answer"),
        (city.township_head, "answer"),
        (city.head, "accept"),
        (city.leader, "accept"),
        (city.reviewer, "answer"),
        (city.reviewer, "nonsense"),
    ):
        response = post(client, user, url, act=act, text="已整改。", remark="好。")
        assert response.status_code in (200, 404)
        finding.refresh_from_db()
        assert finding.state == "OPEN"


def test_the_follow_up_shows_what_is_overdue(client, city, finding):
    open_one = SupervisionFinding.objects.filter(pk=finding.pk)
    assert finding.text in text_of(client, city.admin, FINDINGS)
    assert finding.text not in text_of(client, city.admin, f"{FINDINGS}?state=OVERDUE")
    open_one.update(rectify_by=today() - 3 * DAY)
    page = text_of(client, city.admin, f"{FINDINGS}?state=OVERDUE&round={finding.visit.round_id}")
    assert finding.text in page
    assert "逾期 3 天" in page
    assert finding.text in text_of(client, city.head, f"{FINDINGS}?state=UNANSWERED")
    assert finding.text not in text_of(client, city.foreign_head, FINDINGS)
    assert finding.text not in text_of(client, city.admin, f"{FINDINGS}?severity=GRAVE&criterion=2")


def test_a_county_plans_in_its_own_name(client, city, campaign):
    post(client, city.county_admin, address("add"), **plan())
    round_ = SupervisionRound.objects.get()
    assert round_.organizer == city.county
    other = factories.make_user((city.other_county, Role.ADMIN))
    client.force_login(other)
    assert client.get(round_.get_absolute_url()).status_code == 404
    assert client.get(address("edit", round_)).status_code == 404


def test_a_dissolved_union_shows_so(client, city, visit):
    city.own.dissolved_on = today()
    city.own.save()
    assert "已经撤销" in text_of(client, city.reviewer, visit.get_absolute_url())
    response = post(
        client, city.reviewer, visit.get_absolute_url(), visited_on=today(), summary="好。"
    )
    assert "请由组织单位取消走访" in response.content.decode()
    assert SupervisionVisit.objects.get(pk=visit.pk).state == "PLANNED"
