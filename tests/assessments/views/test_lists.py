"""Lists: who sees whom, filters, pages; and the workbench."""

import datetime as dt

import pytest
from django.urls import reverse

from assessments.choices import Action, State
from assessments.models import Campaign
from organizations import tree
from organizations.models import Organization
from tests import factories
from tests.factories import make_self_assessment, make_user, perform, today

pytestmark = pytest.mark.django_db
URL = "/oversight/"


def listed(client, query=""):
    return [o.name for o in client.get(URL + query).context["organizations"]]


def test_a_superior_sees_its_subtree_and_nothing_else(client, city, campaign):
    client.force_login(city.county_head)
    assert listed(client) == [
        city.county.name,
        city.township.name,
        city.own.name,
        city.sibling.name,
    ]


def test_the_city_sees_all_assessed_tiers(client, city, campaign):
    client.force_login(city.leader)
    assert len(listed(client)) == 8
    assert city.industry.name not in listed(client)


def test_filters(client, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    client.force_login(city.lead)
    assert listed(client, "?state=SUBMITTED") == [city.own.name]
    assert city.own.name not in listed(client, "?state=NONE")
    assert listed(client, f"?county={city.other_county.code}&tier=GRASSROOTS") == [
        city.foreign.name
    ]
    assert listed(client, "?q=机械") == [city.own.name]
    assert listed(client, f"?q={city.foreign.code}") == [city.foreign.name]
    assert len(listed(client, "?q=%27--&tier=NOPE&county=NOPE&state=NOPE")) == 0
    assert client.get(f"{URL}?q=%00").status_code == 400


def test_a_county_filter_does_not_widen_the_scope(client, city, campaign):
    client.force_login(city.county_head)
    assert len(listed(client, f"?county={city.other_county.code}")) == 4


def test_pages_beyond_the_end_show_the_last(client, city, campaign):
    tree.plant_all(
        Organization(code=f"X{n:03}", name=f"示例{n}", tier="GRASSROOTS", parent=city.township)
        for n in range(60)
    )
    client.force_login(city.lead)
    first = client.get(URL)
    assert len(first.context["organizations"]) == 50
    assert "第 1 页 / 共 2 页（68 条）" in first.content.decode()
    assert len(listed(client, "?page=99")) == 18
    assert len(listed(client, "?page=x")) == 50
    assert "q=%E7%A4%BA%E4%BE%8B&amp;page=2" in client.get(f"{URL}?q=示例").content.decode()


def test_an_empty_list_says_so(client, city, campaign):
    client.force_login(city.lead)
    assert "没有符合条件的工会" in client.get(f"{URL}?q=没有这个名字").content.decode()


def test_dissolved_unions_are_not_expected_to_hand_in(client, city, campaign):
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on="2026-01-01")
    client.force_login(city.lead)
    assert city.own.name not in listed(client)


# --- Workbench ------------------------------------------------------------------------------------


def tasks(client):
    return [(t.title, t.text, t.button) for t in client.get("/").context["tasks"]]


def test_a_reporter_is_led_from_start_to_waiting(client, city, campaign):
    client.force_login(city.reporter)
    assert tasks(client) == [(city.own.name, "还没有开始自评。", "开始自评")]
    assessment = make_self_assessment(city, campaign)
    assert tasks(client) == [(city.own.name, "正在填报，还没有提交。", "继续填报")]
    perform(assessment, Action.SUBMIT, city.head)
    assert tasks(client)[0][2] == "查看"
    factories.send_back(assessment, city.lead)
    assert tasks(client) == [(city.own.name, "被退回修改，请按要求补充后重新提交。", "去修改")]


def test_days_left_and_the_day_after(client, city, campaign):
    client.force_login(city.reporter)
    assert "还剩 20 天" in client.get("/").content.decode()
    Campaign.objects.update(submission_deadline=today())
    assert "今天截止" in client.get("/").content.decode()
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    assert tasks(client) == [(city.own.name, "自评已经截止，本年度没有申报。", "申请延期")]


def test_somebody_with_several_unions_sees_them_all(client, city, campaign):
    client.force_login(make_user((city.own, "REPORTER"), (city.foreign, "HEAD")))
    assert {title for title, _, _ in tasks(client)} == {city.own.name, city.foreign.name}


def test_each_is_told_what_waits(client, city):
    campaign = factories.make_campaign(endorsement=True)
    make_self_assessment(city, campaign, State.SUBMITTED)
    make_self_assessment(city, campaign, State.REVIEWED, organization=city.foreign)
    make_self_assessment(city, campaign, State.UNDER_REVIEW, organization=city.direct)
    for user, text in [
        (city.township_head, "1 份下级工会的申报等待初审。"),
        (city.reviewer, "1 份申报等待您评分。"),
        (city.lead, "1 份申报评审完毕，等待评定。"),
        (city.lead, "1 份申报还没有评审员。"),
        (city.admin, "1 份申报评审完毕，等待评定。"),
    ]:
        client.force_login(user)
        assert text in client.get("/").content.decode(), user
    client.force_login(city.leader)
    assert tasks(client) == []


def test_the_menu_offers_what_the_role_opens(client, city, campaign):
    def menu(user):
        client.force_login(user)
        return [title for title, _, _ in client.get("/").context["navigation"]]

    assert menu(city.reporter) == ["工作台", "材料库", "政策原文"]
    assert menu(city.county_head) == ["工作台", "材料库", "申报情况", "工会组织", "政策原文"]
    assert menu(city.reviewer) == ["工作台", "评审任务", "现场核查", "政策原文"]
    assert menu(city.lead) == [
        "工作台",
        "申报情况",
        "评审任务",
        "分派",
        "评定",
        "现场核查",
        "雷同",
        "汇总",
        "工会组织",
        "政策原文",
    ]
    assert menu(city.admin) == [
        "工作台",
        "申报情况",
        "分派",
        "评定",
        "现场核查",
        "雷同",
        "汇总",
        "工会组织",
        "账号管理",
        "后台管理",
        "政策原文",
    ]
    for user in city.users().values():
        client.force_login(user)
        for _, url, _ in client.get("/").context["navigation"]:
            assert client.get(url).status_code == 200, (user, url)


def test_urls_of_strangers_are_not_found(client, city, campaign):
    """A foreign key in every address of a self-assessment."""
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    pages = [
        reverse("assessments:self_assessment_detail", args=[assessment.pk]),
        reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1]),
        reverse("assessments:self_assessment_return", args=[assessment.pk]),
        reverse("assessments:self_assessment_detail", args=[999_999]),
        reverse("assessments:self_assessment_criterion", args=[assessment.pk, 7]),
        reverse("assessments:evidence_download", args=[999_999]),
        reverse("assessments:review_detail", args=[999_999]),
    ]
    for user in (city.sibling_head, city.foreign_head, city.nobody, city.reviewer):
        client.force_login(user)
        for page in pages:
            assert client.get(page).status_code == 404, (user, page)
            assert client.post(page, {}).status_code in (404, 405), (user, page)


def test_other_years_are_a_click_away(client, city, campaign):
    earlier = factories.make_campaign(year=campaign.year - 1)
    make_self_assessment(city, earlier, State.RETURNED)
    client.force_login(city.reporter)
    html = client.get("/").content.decode()
    assert f'href="?year={earlier.year}"' in html
    assert "被退回修改" in client.get(f"/?year={earlier.year}").content.decode()
    client.force_login(city.lead)
    for name in ("oversight", "review_list", "assignment_list", "decision_list", "summary"):
        html = client.get(reverse(f"assessments:{name}")).content.decode()
        assert f'href="?year={earlier.year}"' in html
