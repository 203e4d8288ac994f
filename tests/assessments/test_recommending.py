"""The list for the province: by the rule, by hand with a reason, confirmed by two, and its papers."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from assessments import deadlines, library, packages, recommending, workbench
from assessments.assigning import NotAllowed
from assessments.choices import LeftOut, PackageKind, State
from assessments.files import EvidenceRefused
from assessments.models import (
    Campaign,
    Decision,
    Evidence,
    GoalCompletion,
    Recognition,
    Recommendation,
    RecommendationList,
    Recusal,
)
from organizations import audit, reorganizing
from organizations.choices import Role
from organizations.models import Notification, User
from tests import factories
from tests.factories import PASSWORD, give_password, make_organization, make_self_assessment
from tests.uploads import PNG

pytestmark = pytest.mark.django_db
LIST = reverse("assessments:recommendation_list")
GOALS = reverse("assessments:goal_list")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def unions(city, campaign):
    """Three grassroots unions with a title, of two counties, by their totals: own, foreign, sibling."""
    found = [city.own, city.foreign, city.sibling]
    for one, total in zip(found, (95, 90, 85), strict=True):
        assessment = make_self_assessment(city, campaign, State.FINAL, organization=one)
        factories.make_recognition(assessment, city.admin)
        Decision.objects.filter(self_assessment=assessment).update(total=total)
    goals = dict.fromkeys(found, Decimal(100))
    recommending.enter_goals(campaign, goals, {}, fresh(city.admin))
    return found


def draw(campaign, by, places=None, least=100):
    places = {("GRASSROOTS", None): 2} if places is None else places
    return recommending.draw_up(campaign, places, Decimal(least), fresh(by))


def listed(made):
    return [
        line.self_assessment.organization
        for line in made.lines.filter(listed=True)
        .order_by("rank")
        .select_related("self_assessment__organization")
    ]


def line_of(union):
    return Recommendation.objects.select_related("list__campaign", "self_assessment").get(
        self_assessment__organization=union
    )


def version():
    return str(RecommendationList.objects.get().version)


@pytest.fixture
def made(city, campaign, unions):
    return draw(campaign, city.admin)


@pytest.fixture
def confirmed(city, made):
    recommending.confirm(made, fresh(city.admin), version())
    return recommending.confirm(made, fresh(city.lead), version())


# --- By the rule ------------------------------------------------------------------------------------


def test_the_best_within_the_places_of_tier_and_county(city, campaign, unions):
    made = draw(campaign, city.admin)
    assert listed(made) == [city.own, city.foreign]
    assert line_of(city.sibling).why == "本层级名额已满"
    made = draw(campaign, city.admin, {("GRASSROOTS", None): 3, ("GRASSROOTS", city.county): 1})
    assert listed(made) == [city.own, city.foreign]
    assert line_of(city.sibling).left_out == LeftOut.COUNTY
    assert listed(draw(campaign, city.admin, {("GRASSROOTS", None): 0})) == []
    assert listed(draw(campaign, city.admin, {("GRASSROOTS", None): 9})) == unions


def test_who_lacks_a_title_goals_or_is_dissolved_is_left_out_with_the_reason(
    city, campaign, unions
):
    Recognition.objects.filter(organization=city.own).update(revoked_at=deadlines.now())
    GoalCompletion.objects.filter(organization=city.foreign).update(percent=99)
    city.sibling.dissolved_on = factories.today()
    city.sibling.save()
    late = make_organization("GRASSROOTS", city.township)
    assessment = make_self_assessment(city, campaign, State.FINAL, organization=late)
    factories.make_recognition(assessment, city.admin)
    made = draw(campaign, city.admin, {("GRASSROOTS", None): 9})
    assert listed(made) == []
    assert [line_of(one).left_out for one in (*unions, late)] == [
        LeftOut.NO_TITLE,
        LeftOut.GOALS,
        LeftOut.DISSOLVED,
        LeftOut.NO_GOALS,
    ]
    with pytest.raises(NotAllowed, match="名单是空的"):
        recommending.confirm(made, fresh(city.admin), version())


def test_a_union_that_has_moved_takes_a_place_where_it_handed_in(city, campaign, unions):
    reorganizing.move(
        city.own, to=city.other_county, reason="划转", on=factories.today(), by=city.admin
    )
    places = {("GRASSROOTS", None): 9, ("GRASSROOTS", city.county): 1}
    assert listed(draw(campaign, city.admin, places)) == [city.own, city.foreign]


# --- By hand, and confirmed by two ------------------------------------------------------------------


def test_by_hand_with_a_reason(client, city, campaign, made):
    client.force_login(city.lead)
    url = line_of(city.sibling).get_absolute_url()
    post = {"act": "change", "reason": "革命老区，予以照顾", "seen": version()}
    assert "请填写理由" in client.post(url, post | {"reason": " "}).text
    client.post(url, post)
    assert line_of(city.sibling).why == "人工列入：革命老区，予以照顾"
    assert client.post(url, post).status_code == 409  # a stale page
    client.post(url, post | {"seen": version(), "reason": "更正"})
    assert line_of(city.sibling).why == "本层级名额已满"
    Recognition.objects.filter(organization=city.sibling).update(revoked_at=deadlines.now())
    with pytest.raises(NotAllowed, match="没有有效的命名"):
        recommending.change(line_of(city.sibling), True, "照顾", fresh(city.lead), version())


def test_two_persons_confirm_and_the_unions_are_told(client, city, campaign, made):
    url = reverse("assessments:recommendation_confirm", args=[campaign.year])
    client.force_login(give_password(city.admin))
    post = {"password": PASSWORD, "seen": version()}
    assert "密码不正确" in client.post(url, post | {"password": "错"}).text
    client.post(url, post)
    assert "您已经确认过" in client.post(url, post).text
    assert (
        client.get(reverse("assessments:recommendation_summary", args=[campaign.year])).status_code
        == 302
    )
    client.force_login(give_password(city.lead))
    assert "刚刚有了变化" in client.post(url, post | {"seen": "0"}).text
    client.post(url, post)
    found = RecommendationList.objects.get()
    assert (found.first_by, found.second_by) == (city.admin, city.lead)
    assert Notification.objects.filter(recipient=city.head, text__contains="已列入推荐").exists()
    url_of_places = reverse("assessments:recommendation_draw", args=[campaign.year])
    stale = client.post(url_of_places, {"least_goals": "100", "grassroots-all": "1"})
    assert stale.status_code == 409
    assert "已由两人确认" in stale.text
    client.post(url, {"reason": "一个工会撤销了命名", "seen": version()})
    found.refresh_from_db()
    assert not found.is_confirmed
    assert found.first_by is None
    assert list(audit.verify()) == []


def test_the_workbench_says_who_is_to_confirm_and_who_is_recommended(client, city, campaign, made):
    def waits(user, title):
        found = workbench.tasks(fresh(user), campaign, deadlines.now())
        return [task.url for task in found if title in f"{task.title}{task.text}"]

    page = reverse("assessments:recommendation_confirm", args=[campaign.year])
    assert waits(city.lead, "确认推荐名单") == []
    recommending.confirm(made, fresh(city.admin), version())
    assert (waits(city.lead, "确认推荐名单"), waits(city.admin, "确认推荐名单")) == ([page], [])
    assert waits(city.head, "请准备推荐材料") == []
    made = recommending.confirm(made, fresh(city.lead), version())
    assert waits(city.lead, "确认推荐名单") == []
    assert waits(city.head, "请准备推荐材料") == [line_of(city.own).get_absolute_url()]
    recommending.reopen(made, "更正", fresh(city.lead), version())
    assert waits(city.head, "请准备推荐材料") == []
    assert Notification.objects.filter(recipient=city.head, text__contains="名单已重开").exists()


def test_a_change_takes_the_first_confirmation_back(city, campaign, made):
    recommending.confirm(made, fresh(city.admin), version())
    recommending.change(line_of(city.foreign), False, "不宜推荐", fresh(city.lead), version())
    made.refresh_from_db()
    assert made.first_by is None


def test_what_changed_under_the_list_stops_it(client, city, campaign, made, unions):
    Recognition.objects.filter(organization=city.own).update(revoked_at=deadlines.now())
    seen = {city.foreign.pk: Decimal(100)}
    recommending.enter_goals(campaign, {city.foreign: Decimal(120)}, seen, fresh(city.admin))
    assert recommending.obstacles(made, fresh(city.admin)) == [
        f"{city.own}：命名、评定或工会已经撤销，请移出名单",
        f"{city.foreign}：得分或年度目标完成率有了变化，请重新生成名单",
    ]
    with pytest.raises(NotAllowed, match="有了变化"):
        recommending.confirm(made, fresh(city.admin), version())
    client.force_login(city.lead)
    assert "请移出名单" in client.get(LIST).text


def test_a_title_lost_after_the_confirmation_stops_the_papers(client, city, campaign, confirmed):
    Recognition.objects.filter(organization=city.own).update(revoked_at=deadlines.now())
    client.force_login(city.lead)
    url = reverse("assessments:recommendation_forms", args=[campaign.year])
    assert "请先重开名单" in client.get(url, follow=True).text
    line = line_of(city.own)
    url = reverse("assessments:recommendation_form", args=[line.pk])
    assert "不再推荐" in client.get(url, follow=True).text


def test_who_must_stand_back_confirms_nothing(city, campaign, made):
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    with pytest.raises(NotAllowed, match="须回避"):
        recommending.confirm(made, fresh(city.lead), version())
    with pytest.raises(NotAllowed, match="须回避"):
        recommending.enter_goals(campaign, {city.own: Decimal(1)}, {}, fresh(city.lead))
    for act in (
        lambda: draw(campaign, city.reviewer),
        lambda: recommending.confirm(made, fresh(city.head), version()),
    ):
        with pytest.raises(NotAllowed, match="只有评审组长"):
            act()


# --- The pages --------------------------------------------------------------------------------------


def test_places_are_typed_and_kept(client, city, campaign, unions):
    client.force_login(city.lead)
    url = reverse("assessments:recommendation_draw", args=[campaign.year])
    county = f"grassroots-{city.county.pk}"
    post = {"least_goals": "100", "grassroots-all": "3", county: "1"}
    for wrong in ("-1", "多", "1.5", "99999"):
        page = client.post(url, post | {county: wrong})
        assert "请填写 0 到 9999 的数字" in page.text
        assert f'value="{wrong}"' in page.text
    assert "请填写至少应完成的百分比" in client.post(url, post | {"least_goals": ""}).text
    assert not RecommendationList.objects.exists()
    client.post(url, post)
    assert listed(RecommendationList.objects.get()) == [city.own, city.foreign]
    page = client.get(url).text
    assert 'value="100"' in page
    assert page.count('value="1"') == 1
    page = client.get(LIST, {"listed": "no"}).text
    assert city.sibling.name in page
    assert "本县（市、区）名额已满" in page
    assert city.own.name not in page


def test_goals_are_entered_on_the_page(client, city, campaign, unions):
    client.force_login(city.lead)
    own, other = f"goal-{city.own.pk}", f"goal-{city.foreign.pk}"
    page = client.post(GOALS, {own: "好", other: "98.5", f"goal-{city.direct.pk}": "1"})
    assert "请填写 0 到 200 的数字" in page.text
    assert 'value="98.5"' in page.text
    seen = {f"seen-{one.pk}": "100.00" for one in unions}
    client.post(GOALS, seen | {own: "", other: "98.5", f"goal-{city.direct.pk}": "1"})
    assert not GoalCompletion.objects.filter(organization__in=[city.own, city.direct]).exists()
    assert GoalCompletion.objects.get(organization=city.foreign).percent == Decimal("98.5")


def test_figures_that_another_has_entered_meanwhile_are_kept(client, city, campaign, unions):
    keys = [one.pk for one in unions]
    shown = {f"{name}-{key}": "100.00" for key in keys for name in ("goal", "seen")}
    theirs = {city.own: Decimal(90)}
    recommending.enter_goals(campaign, theirs, {city.own.pk: Decimal(100)}, fresh(city.admin))
    client.force_login(city.lead)
    client.post(GOALS, shown | {f"goal-{city.foreign.pk}": "101"})
    figures = dict(GoalCompletion.objects.values_list("organization", "percent"))
    assert [figures[key] for key in keys] == [90, 101, 100]
    stale = client.post(GOALS, shown | {f"goal-{city.own.pk}": "80"}).text
    assert "改为 90.00%" in stale
    assert 'value="80"' in stale
    assert f'name="seen-{city.own.pk}"' in stale


# --- The package and the papers ---------------------------------------------------------------------


def test_a_union_makes_its_package(client, city, campaign, confirmed):
    Campaign.objects.update(year=2026)
    line = line_of(city.own)
    client.force_login(city.head)
    url = line.get_absolute_url()
    assert "还没有填写起止日期" in client.get(url).text
    post = {
        "act": "package",
        "seen": packages.stamp(line),
        "story": "事迹" * 100,
        "published_from": "2026-09-28",
        "published_until": "2026-10-08",
    }
    minutes = {PackageKind.MINUTES: SimpleUploadedFile("记录.png", PNG)}
    page = client.post(url, post | minutes | {"published_until": ""})
    assert "要一起填写" in page.text
    assert "事迹事迹" in page.text
    assert "记录.png" in page.text  # is kept, whatever the dates
    for wrong, told in [
        ({"published_from": "昨天"}, "请按 2026-05-31 的样子填写日期"),
        ({"published_until": "2026-09-01"}, "不能早于开始日期"),
        ({"published_from": "1990-01-01"}, "不能早于 2026 年 1 月 1 日"),
        ({"published_until": "9999-12-31"}, "公示最长 90 天"),
    ]:
        assert told in client.post(url, post | wrong).text
    assert client.post(url, post).status_code == 302
    page = client.get(url).text
    assert "现有 200 字，应为 1500–2500 字" in page
    assert "只有 4 个工作日" in page
    assert "记录.png" in page
    stale = client.post(url, post | {"story": "另一人写的"})
    assert stale.status_code == 409
    assert "另一人写的" in stale.text
    evidence = Evidence.objects.get(name="记录.png")
    with pytest.raises(EvidenceRefused, match="推荐表彰"):
        library.delete(evidence, city.head)
    client.force_login(city.lead)
    assert client.get(evidence.get_absolute_url()).status_code == 200
    line.refresh_from_db()
    today = factories.today()
    for first, last, problem in [
        (today - dt.timedelta(days=20), today, "公示还没有结束"),
        (dt.date(2026, 3, 2), dt.date(2026, 3, 6), ""),
    ]:
        packages.describe(
            line,
            story="事" * 2000,
            published_from=first,
            published_until=last,
            by=fresh(city.lead),
            seen=packages.stamp(line_of(city.own)),
        )
        line = packages.with_packages(Recommendation.objects.filter(pk=line.pk)).get()
        checklist = packages.pieces(line)
        assert checklist[1].problem == problem
    assert [piece.label for piece in checklist if piece.problem] == [
        "推荐报告",
        "推荐审批表（盖章扫描件）",
        "本单位公示材料",
    ]


def test_a_file_that_is_not_accepted_is_named(client, city, confirmed):
    client.force_login(city.head)
    line = line_of(city.own)
    post = {
        "act": "package",
        "seen": packages.stamp(line),
        "story": "一段事迹",
        PackageKind.REPORT: SimpleUploadedFile("病毒.exe", b"MZ" + b"\0" * 100),
    }
    page = client.post(line.get_absolute_url(), post)
    assert "病毒.exe" in page.text
    assert "一段事迹" in page.text


def test_nobody_else_learns_of_it_before_it_is_confirmed(client, city, made):
    url = line_of(city.own).get_absolute_url()
    client.force_login(city.head)
    assert client.get(url).status_code == 404
    recommending.confirm(made, fresh(city.admin), version())
    recommending.confirm(made, fresh(city.lead), version())
    assert client.get(url).status_code == 200
    client.force_login(city.sibling_head)
    assert client.get(line_of(city.sibling).get_absolute_url()).status_code == 404
    assert client.get(url).status_code == 404


def test_the_papers_open_again_whatever_the_union_is_called(client, city, campaign, confirmed):
    city.own.name = '=HYPERLINK("x")/../\x0b甲<乙>工会'
    city.own.save()
    client.force_login(city.lead)
    url = reverse("assessments:recommendation_summary", args=[campaign.year])
    sheet = load_workbook(io.BytesIO(b"".join(client.get(url).streaming_content))).active
    cell = sheet.cell(4, 2)
    assert cell.value == '=HYPERLINK("x")/../甲<乙>工会'
    assert cell.data_type == "s"
    assert sheet.cell(4, 6).value == 95
    assert sheet.cell(4, 5).value == str(Recognition.objects.get(organization=city.own))
    assert sheet.cell(5, 2).value == city.foreign.name
    url = reverse("assessments:recommendation_forms", args=[campaign.year])
    archive = zipfile.ZipFile(io.BytesIO(b"".join(client.get(url).streaming_content)))
    assert archive.namelist() == [
        "001-推荐审批表-=HYPERLINK(_x_)_.._" + "_甲_乙_工会.docx",
        f"002-推荐审批表-{city.foreign.name}.docx",
    ]
    document = Document(io.BytesIO(archive.read(archive.namelist()[0])))
    text = "\n".join(c.text for table in document.tables for c in table._cells)
    assert '=HYPERLINK("x")/../甲<乙>工会' in text
    assert "省总工会意见" in text
    client.force_login(city.head)
    own = reverse("assessments:recommendation_form", args=[line_of(city.own).pk])
    content = io.BytesIO(b"".join(client.get(own).streaming_content))
    assert "推荐审批表" in Document(content).paragraphs[0].text


def test_an_administrator_of_two_minds_confirms_once(city, made):
    other = factories.make_user((city.city, Role.ADMIN))
    recommending.confirm(made, fresh(city.admin), version())
    with pytest.raises(NotAllowed, match="另一人确认"):
        recommending.confirm(made, fresh(city.admin), version())
    assert recommending.confirm(made, fresh(other), version()).is_confirmed
