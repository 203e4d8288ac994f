"""A whole campaign, from setting it up to certificates and the list for the province. What happens
between self-assessment and decision is walked in test_story and test_two_reviewers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from assessments.choices import Action, State
from assessments.models import Campaign, SelfAssessment
from organizations.models import Organization, User
from tests import factories
from tests.browser.conftest import PHONE
from tests.browser.pages import PASSWORD, follow, menu, press, see_heading, see_success
from tests.browser.test_accessibility import findings
from tests.factories import City

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_a_whole_campaign(visit: Visit, city: City, tmp_path: Path):
    year = factories.today().year
    last_year = {
        name: factories.today() + dt.timedelta(days=days - 365)
        for name, days in (("opens_on", -10), ("submission_deadline", 20), ("review_deadline", 60))
    }
    factories.make_campaign(year=year - 1, **last_year)
    Campaign.objects.update(state="CLOSED")

    admin = visit("/", signed_in=city.admin)
    set_up(admin, year)
    campaign = Campaign.objects.get(year=year)

    head = visit("/", signed_in=city.head)
    file_plan(head, city)
    accept_plan(admin, city)

    unions = (city.own, city.sibling, city.foreign)
    mine, other, third = (
        factories.make_self_assessment(city, campaign, State.DECIDED, organization=union)
        for union in unions
    )
    public = visit("/results/", **PHONE)
    shows(public, [], unions)
    publish(admin, number=3)
    shows(public, unions, [])

    appeal(head, mine, "第四好的活动材料没有计入。")
    objection_of_the_public(public, city.sibling)
    lead = visit("/", signed_in=city.lead)
    answer(lead, city.own, city.lead, accepted=True, text="材料确有遗漏，重新评审。")
    answer(lead, city.sibling, city.lead, accepted=False, text="经核实，材料属实。")
    shows(public, [city.sibling, city.foreign], [city.own])

    factories.perform(mine, Action.COMPLETE_REVIEW, city.reviewer)
    factories.perform(mine, Action.DECIDE, city.lead)
    publish(admin, number=1)
    shows(public, unions, [])
    factories.pass_publicity()
    call_command("close_publicity")
    for assessment in (mine, other, third):
        assessment.refresh_from_db()
        assert assessment.state == State.FINAL

    number = name_them(admin)
    public.goto("/honours/")
    for union in unions:
        expect(public.locator("main")).to_contain_text(union.name)
    assert findings(public) == []
    follow(public.locator("main"), "核对证书")
    public.get_by_label("证书编号").fill(number)
    press(public, "核对")
    expect(public.locator("main")).to_contain_text("证书有效。")
    assert findings(public) == []

    enter_goals(admin, unions)
    draw_up(admin, places=2)
    for page in (admin, lead):
        confirm(page)
    download_the_list(lead, tmp_path)


def set_up(page: Page, year: int) -> None:
    """From last year's, every step as it is proposed; and the password once wrong."""
    menu(page, "创建活动")
    follow(page, "新建创建活动")
    assert findings(page) == []
    expect(page.get_by_role("spinbutton", name="年度")).to_have_value(str(year))
    press(page, "新建，下一步")
    for title in ("日期", "标准", "评审设置"):
        see_heading(page, title)
        assert findings(page) == []
        press(page, "保存，下一步")
        see_success(page, "已保存。")
    see_heading(page, f"{year}年度")
    expect(page.locator("main")).to_contain_text("没有负责人账号，不能签批提交。")
    assert findings(page) == []
    follow(page, "开放活动")
    page.get_by_label("您的登录密码").fill("不对的密码")
    press(page, "确认开放活动")
    expect(page.locator("main")).to_contain_text("密码不正确")
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "确认开放活动")
    see_success(page, "已开放。")
    expect(page.locator("main")).to_contain_text("进行中")


def file_plan(page: Page, city: City) -> None:
    """Written in the portal; a part that was left out is asked for, and nothing typed is lost."""
    menu(page, "工作台")
    follow(page.locator(".task").filter(has_text="实施方案"), "去填写")
    assert findings(page) == []
    boxes = page.locator("form#sheet textarea").all()
    assert len(boxes) == 8
    for box in boxes[1:]:
        box.fill("由组织部长负责，十月底前完成。")
    press(page, "保存并报送")
    expect(page.locator("main")).to_contain_text("报送前请填写“总体安排”，或者上传文件。")
    page.locator("form#sheet textarea").first.fill("全年分四步推进。")
    expect(page.locator("form#sheet textarea").nth(1)).to_have_value(
        "由组织部长负责，十月底前完成。"
    )
    press(page, "保存并报送")
    see_success(page, "已报送，可以打印回执。")
    see_heading(page, city.own.name)
    assert findings(page) == []


def accept_plan(page: Page, city: City) -> None:
    menu(page, "工作台")
    follow(page, "去审核")
    follow(page, city.own.name)
    press(page, "接收")
    see_success(page, "已接收，并通知了工会。")


def publish(page: Page, *, number: int) -> None:
    menu(page, "工作台")
    expect(page.locator(".task").filter(has_text="公示")).to_contain_text(f"{number} 个评定")
    follow(page, "去公示")
    assert findings(page) == []
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, f"公示 {number} 个评定结果")
    see_success(page, "已公示")
    assert findings(page) == []


def shows(page: Page, there: list[Organization], not_there: list[Organization]) -> None:
    """The page for everybody, without signing in."""
    page.goto("/results/")
    for union in there:
        expect(page.locator("main")).to_contain_text(union.name)
    for union in not_there:
        expect(page.locator("main")).not_to_contain_text(union.name)
    assert findings(page) == []


def appeal(page: Page, assessment: SelfAssessment, text: str) -> None:
    page.goto(assessment.get_absolute_url())
    follow(page, "提出申诉")
    assert findings(page) == []
    press(page, "提出申诉")
    expect(page.locator("main")).to_contain_text("请填写内容和理由。")
    page.get_by_label("内容和理由").fill(text)
    press(page, "提出申诉")
    see_success(page, "申诉已登记")


def objection_of_the_public(page: Page, union: Organization) -> None:
    """Without an account, on a phone; the sum is asked again, and nothing typed is lost."""
    page.goto("/results/")
    follow(page.locator("tr").filter(has_text=union.name), re.compile("^提异议"))
    assert findings(page) == []
    page.get_by_label("姓名").fill("张三")
    page.get_by_label("联系方式").fill("13800000000")
    page.get_by_label("内容和理由").fill("<b>公示</b>的材料与实际不符。")
    page.get_by_label(re.compile("^验证")).fill("999")
    press(page, "提交")
    expect(page.locator("main")).to_contain_text("算得不对")
    expect(page.get_by_label("姓名")).to_have_value("张三")
    sum_ = page.get_by_label(re.compile("^验证"))
    sum_.fill(worked_out(sum_.get_attribute("aria-label") or ""))
    press(page, "提交")
    see_heading(page, "已登记")
    expect(page.locator(".facts")).to_contain_text("查询码")


def worked_out(label: str) -> str:
    first, sign, second = re.search(r"(\d+)\s*([+\-*×−])\s*(\d+)", label).groups()
    a, b = int(first), int(second)
    return str({"+": a + b, "-": a - b, "−": a - b}.get(sign, a * b))


def answer(page: Page, union: Organization, by: User, *, accepted: bool, text: str) -> None:
    """Taken on by whoever answers it."""
    menu(page, "工作台")
    follow(page, "去办理")
    follow(page, union.name)
    assert findings(page) == []
    page.get_by_label("承办人").select_option(label=str(by))
    press(page, "确定承办人")
    see_success(page, "已确定承办人。")
    page.get_by_label("成立" if accepted else "不成立", exact=True).check()
    page.get_by_label("答复和理由").fill(text)
    press(page, "答复")
    see_success(page, "已答复。")


def name_them(page: Page) -> str:
    """All that are at standard in one act; the number of a certificate."""
    menu(page, "命名推荐")
    follow(page, "去命名")
    assert findings(page) == []
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "一并命名 3 个工会")
    see_success(page, "命名")
    assert findings(page) == []
    for what in ("证书", "通知书"):
        link = page.get_by_role("link", name=f"第 1 批{what}")
        answer = page.request.get(link.get_attribute("href") or "", timeout=60_000)
        assert answer.body().startswith(b"%PDF")
    return page.locator("td[data-label='证书编号']").first.inner_text()


def enter_goals(page: Page, unions: tuple[Organization, ...]) -> None:
    menu(page, "命名推荐")
    follow(page, "目标完成率")
    for union in unions:
        page.get_by_label(f"{union.name}完成率（%）").fill("105")
    assert findings(page) == []
    press(page, "保存本页")
    see_success(page, "已保存")


def draw_up(page: Page, *, places: int) -> None:
    """By rule: as many as there are places; the others with their reason."""
    follow(page, "推荐表彰")
    follow(page, "设定名额，生成名单")
    page.get_by_label("全市基层工会名额").fill(str(places))
    assert findings(page) == []
    press(page, "按规则生成名单")
    expect(page.locator("main")).to_contain_text(f"名单 {places} 个工会")
    expect(page.locator("tbody")).to_contain_text("名额")
    assert findings(page) == []


def confirm(page: Page) -> None:
    """One of two; the first one cannot be the second, too."""
    menu(page, "命名推荐")
    follow(page, "推荐表彰")
    follow(page, "去确认")
    assert findings(page) == []
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "我确认这份名单")
    expect(page.locator(".alert-success")).to_contain_text("确认")


def download_the_list(page: Page, folder: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="推荐汇总表（Excel）").click()
    path = folder / "list.xlsx"
    download.value.save_as(path)
    rows = list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))
    names = {value for row in rows for value in row if isinstance(value, str)}
    assert len([name for name in names if name.endswith("工会委员会")]) >= 2
