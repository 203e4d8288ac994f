"""Each answer saves itself: through a cut connection, an expired session, beside somebody else."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from assessments import worksheet
from assessments.choices import Action
from assessments.models import Answer, Campaign, SelfAssessment
from assessments.templatetags.portal import points
from organizations.models import User
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE, Watch
from tests.browser.pages import (
    PASSWORD,
    follow,
    indicator,
    press,
    see_heading,
    see_success,
    sign_in,
)
from tests.factories import City, today

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
TYPED = "党组织每季度听取一次工会工作汇报，并有会议记录。"
DEVICES = pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desk", "phone"])


@pytest.fixture
def draft(city: City) -> SelfAssessment:
    return factories.make_self_assessment(city, factories.make_campaign(), filled=False)


def open_sheet(
    visit: Visit, user: User, draft: SelfAssessment, number: int = 1, **device: Any
) -> Page:
    address = reverse("assessments:self_assessment_criterion", args=[draft.pk, number])
    return visit(address, signed_in=user, **device)


def account(page: Page, code: str = "G1.01") -> Locator:
    return indicator(page, code).get_by_label("自评说明")


def state(page: Page) -> Locator:
    return page.locator("[data-save-state]")


def see_saved(page: Page) -> None:
    expect(state(page)).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))


def stored(draft: SelfAssessment, code: str = "G1.01") -> Answer | None:
    return Answer.objects.filter(self_assessment=draft, indicator__code=code).first()


def kept(page: Page) -> int:
    """How many pages this browser keeps a draft of."""
    keys = "Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"
    return page.evaluate(keys)


@DEVICES
def test_an_answer_saves_itself(
    visit: Visit, city: City, draft: SelfAssessment, device: dict[str, Any]
):
    page = open_sheet(visit, city.reporter, draft, **device)
    account(page).press_sequentially(TYPED[:6])
    expect(state(page)).to_have_text("未保存")
    see_saved(page)
    assert stored(draft).account == TYPED[:6]
    press(indicator(page, "G1.02"), "满分")
    press(indicator(page, "G1.03"), "全部都有")
    expect(indicator(page, "G1.03").locator("[data-row-state]")).to_have_text(
        re.compile(r"^已保存 \d\d:\d\d$")
    )
    see_saved(page)
    assert stored(draft, "G1.02").score == 3
    assert len(stored(draft, "G1.03").checked_items) == 6
    assert kept(page) == 0
    # Leaving asks nothing, and what was saved is not offered again.
    page.reload()
    expect(account(page)).to_have_value(TYPED[:6])
    expect(page.get_by_text("填写而没有保存的内容")).to_have_count(0)
    expect(page.locator(".progress-now")).to_contain_text("本页 12 / 15 分 · 总分 12 还缺 53 处")


def test_what_is_typed_while_it_is_being_saved_is_saved_too(
    visit: Visit, city: City, draft: SelfAssessment
):
    page = open_sheet(visit, city.reporter, draft)
    account(page).press_sequentially(TYPED, delay=120)
    see_saved(page)
    expect(account(page)).to_have_value(TYPED)
    assert stored(draft).account == TYPED


def test_leaving_within_the_second_saves_on_the_way_out(
    visit: Visit, city: City, draft: SelfAssessment
):
    page = open_sheet(visit, city.reporter, draft)
    account(page).fill(TYPED)
    follow(page, "政策原文")
    for _ in range(50):
        if stored(draft):
            break
        page.wait_for_timeout(100)
    assert stored(draft).account == TYPED


@DEVICES
def test_a_cut_connection_loses_nothing(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch, device: dict[str, Any]
):
    watch.forgiven += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest"]
    page = open_sheet(visit, city.reporter, draft, **device)
    page.context.set_offline(True)
    account(page).fill(TYPED)
    expect(state(page)).to_have_text(re.compile("^离线：内容保留在本机"))
    page.wait_for_timeout(1500)
    assert stored(draft) is None
    assert kept(page) == 1
    page.context.set_offline(False)
    see_saved(page)
    assert stored(draft).account == TYPED
    assert kept(page) == 0


@DEVICES
def test_an_expired_session_loses_nothing(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch, device: dict[str, Any]
):
    watch.forgiven += ["401", "htmx:responseError"]
    page = open_sheet(visit, city.reporter, draft, **device)
    address = page.url
    page.context.clear_cookies(name="sessionid")
    account(page).fill(TYPED)
    expect(state(page)).to_contain_text("登录已过期：内容保留在本机")
    assert stored(draft) is None
    page.once("dialog", lambda dialog: dialog.accept())
    state(page).get_by_role("link", name="请重新登录").click()
    see_heading(page, "登录")
    sign_in(page, city.reporter)
    expect(page).to_have_url(address)
    expect(page.get_by_text("填写而没有保存的内容")).to_be_visible()
    press(page, "恢复这些内容")
    see_saved(page)
    assert stored(draft).account == TYPED


def test_a_page_older_than_the_sign_in_says_so(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch
):
    """Signed in again in another window: the page's token is of the session before."""
    watch.forgiven += ["403", "htmx:responseError"]
    page = open_sheet(visit, city.reporter, draft)
    page.context.clear_cookies(name="csrftoken")
    account(page).fill(TYPED)
    expect(state(page)).to_contain_text("登录已过期：内容保留在本机")
    assert kept(page) == 1


@DEVICES
def test_the_policys_own_words_are_at_hand(
    visit: Visit, city: City, draft: SelfAssessment, device: dict[str, Any]
):
    """Above the fields of each indicator its clause, and all of the criterion in a fold; what the
    marks mean is told by a touch or a key, and nothing overflows."""
    page = open_sheet(visit, city.reporter, draft, 2, **device)
    whole = page.locator("blockquote.clause").first
    expect(whole).to_be_hidden()
    page.get_by_text("这个“好”的政策原文").click()
    expect(whole).to_contain_text("职工(包括各种用工形式、多种用工期限的职工)入会率达到95%以上")
    mark = indicator(page, "G2.06").locator(".explained").filter(has_text="必达")
    expect(mark).not_to_have_attribute("open", "")
    mark.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(mark).to_have_attribute("open", "")
    expect(mark).to_contain_text("所在的“组织基础建设好”就不成立")
    width = device["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_pasted_from_word_leaves_its_formatting_behind(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch
):
    watch.forgiven.append("inline")  # the browser itself looks at the styles that come along
    page = open_sheet(visit, city.reporter, draft)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async ([html, text]) => navigator.clipboard.write([new ClipboardItem({
            "text/html": new Blob([html], { type: "text/html" }),
            "text/plain": new Blob([text], { type: "text/plain" }),
        })])""",
        [
            "<html xmlns:o='urn:schemas-microsoft-com:office:office'><style>p.MsoNormal {}</style>"
            "<p class=MsoNormal style='font-family:宋体'><b>一、班子建设</b><o:p></o:p></p>"
            "<table><tr><td>会议</td><td>12 次</td></tr></table></html>",
            "一、班子建设\r\n会议\t12 次\u000b另起一行\u0007𠮷䶮",
        ],
    )
    account(page).focus()
    page.keyboard.press("Control+V")
    see_saved(page)
    assert stored(draft).account.splitlines()[0] == "一、班子建设"
    assert stored(draft).account.endswith("另起一行𠮷䶮")
    assert "<" not in stored(draft).account
    assert "Mso" not in stored(draft).account


def test_two_editors_choose(visit: Visit, city: City, draft: SelfAssessment):
    page = open_sheet(visit, city.reporter, draft)
    other = open_sheet(visit, city.head, draft, **PHONE)
    account(other).fill("主席先写好的。")
    see_saved(other)

    account(page).fill(TYPED)
    conflict = indicator(page, "G1.01").locator(".conflict")
    expect(conflict).to_contain_text(f"{city.head.full_name} 在您填写期间")
    expect(conflict).to_contain_text("主席先写好的。")
    expect(state(page)).to_have_text("有一项与别人的修改冲突，请选择")
    account(page).press_sequentially("再补一句。")
    page.wait_for_timeout(1500)
    assert stored(draft).account == "主席先写好的。"
    press(conflict, "保存我的")
    see_saved(page)
    expect(conflict).to_have_count(0)
    assert stored(draft).account == f"{TYPED}再补一句。"

    account(other).fill("主席又改了。")
    expect(indicator(other, "G1.01").locator(".conflict")).to_contain_text(TYPED)
    press(indicator(other, "G1.01"), "采用对方的")
    see_success(other, "已保存。")
    expect(account(other)).to_have_value(f"{TYPED}再补一句。")
    expect(other.get_by_text("填写而没有保存的内容")).to_have_count(0)


def test_a_wrong_figure_is_named_and_kept(visit: Visit, city: City, draft: SelfAssessment):
    page = open_sheet(visit, city.reporter, draft)
    address = page.url
    score = indicator(page, "G1.01").get_by_label("自评得分")
    score.fill("9")
    expect(indicator(page, "G1.01")).to_contain_text("得分不能超过满分 3 分。")
    expect(score).to_have_attribute("aria-invalid", "true")
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(address)
    press(page, "恢复这些内容")
    expect(score).to_have_value("9")
    expect(indicator(page, "G1.01")).to_contain_text("得分不能超过满分 3 分。")
    press(indicator(page, "G1.01"), "减半分")
    expect(score).to_have_value("3")
    see_saved(page)
    expect(score).not_to_have_attribute("aria-invalid", "true")
    expect(indicator(page, "G1.01")).not_to_contain_text("得分不能超过")


def test_the_deadline_passes_while_the_page_is_open(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch
):
    watch.forgiven.append("409")
    page = open_sheet(visit, city.reporter, draft)
    Campaign.objects.update(
        submission_deadline=factories.dt.date(2020, 1, 1), opens_on="2020-01-01"
    )
    account(page).fill(TYPED)
    expect(state(page)).to_contain_text("没有保存：现在不能修改，内容保留在本机")
    expect(indicator(page, "G1.01")).to_contain_text("截止，只能查看")
    expect(account(page)).to_have_value(TYPED)
    assert kept(page) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    follow(indicator(page, "G1.01"), "申请延期")
    page.get_by_label("希望延期至").fill(str(today() + factories.dt.timedelta(days=3)))
    page.get_by_label("理由").fill("停电两天，没有填完。")
    press(page, "提交申请")
    see_success(page, "已提交延期申请")


# --- Taking over, signing -------------------------------------------------------------------------


@DEVICES
def test_last_years_answers_are_taken_over_looked_at_and_signed(
    visit: Visit, city: City, device: dict[str, Any]
):
    old = factories.make_campaign(year=today().year - 1)
    factories.perform(factories.make_self_assessment(city, old), Action.SUBMIT, city.head)
    draft = factories.make_self_assessment(city, factories.make_campaign())
    Answer.objects.filter(self_assessment=draft, indicator__code="G1.01").update(
        score=None, account=""
    )
    page = open_sheet(visit, city.reporter, draft, **device)
    article = indicator(page, "G1.01")
    press(article, "沿用")
    see_success(page, "请逐项核对")
    expect(article.get_by_label("自评得分")).to_have_value("3")
    expect(article).to_contain_text("请核对；没有核对的不能提交")
    press(article, "核对无误")
    see_saved(page)
    expect(article).not_to_contain_text("请核对；没有核对的不能提交")
    expect(page.locator(".progress-now")).to_contain_text("都填好了")

    page.goto(draft.get_absolute_url())
    press(page, "请负责人签批")
    see_success(page, "已请负责人签批")
    head = visit("/", signed_in=city.head, **device)
    task = head.locator(".task").filter(has_text=city.own.name)
    expect(task).to_contain_text("王填报已填好，请您签批提交。")
    follow(head, "去签批")
    head.get_by_label("本工会对申报内容和佐证材料的真实性负责").check()
    head.get_by_label("您的登录密码").fill("不对的密码")
    press(head, "确认签批提交")
    expect(head.locator("main")).to_contain_text("密码不正确，没有提交。")
    head.get_by_label("您的登录密码").fill(PASSWORD)
    press(head, "确认签批提交")
    see_success(head, "已签批提交。")
    follow(head, "撤回")
    press(head, "确认撤回")
    see_success(head, "已撤回，可以继续修改。")


# --- Live figures -----------------------------------------------------------------------------------


def shown(page: Page, code: str) -> str:
    return indicator(page, code).locator("[data-points]").inner_text()


def test_the_live_figures_are_the_servers(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch
):
    """The same inputs to both: points of an indicator, of the page and in all, to the cent. The
    page is cut off while it is filled in, so that what it shows is its own reckoning."""
    watch.forgiven += ["htmx:", "ERR_FAILED"]
    chance = random.Random(20260101)
    page = open_sheet(visit, city.reporter, draft, 2)
    page.route("**/answers/**", lambda route: route.abort())
    boxes = indicator(page, "G2.03").locator(".checks input").all()
    members, workers = indicator(page, "G2.06").locator(".counts input").all()
    score = indicator(page, "G2.01").get_by_label("自评得分")
    cases = [(15257, 48000, 2, "2"), (94995, 100000, 1, "０.5"), (19, 20, 3, "3"), (0, 7, 0, "")]
    cases += [
        (chance.randint(0, n), n, chance.randint(0, 3), str(chance.randint(0, 6) / 2))
        for n in (chance.randint(1, 3000) for _ in range(12))
    ]
    for numerator, denominator, ticked, judged in cases:
        members.fill(str(numerator))
        workers.fill(f"{denominator:,}")
        for number, box in enumerate(boxes):
            box.set_checked(number < ticked if ticked else number == 3)
        score.fill(judged)
        live = [shown(page, code) for code in ("G2.01", "G2.03", "G2.06")]
        live += page.locator("[data-criterion-points], [data-total]").all_inner_texts()
        with page.expect_navigation(wait_until="load"):  # the page before also says 已保存
            press(page, "保存")
        see_success(page, "已保存。")
        sections = worksheet.load(draft)
        result = worksheet.result_of(sections, draft.campaign)
        by_code = {line.indicator.code: line.result for s in sections for line in s.lines}
        expected = [points(by_code[code].points) for code in ("G2.01", "G2.03", "G2.06")]
        expected += [points(result.criteria[1].points), points(result.total)]
        assert live == expected, (numerator, denominator, ticked, judged)


def test_what_does_not_apply_leaves_the_points_and_the_maximum(
    visit: Visit, city: City, draft: SelfAssessment
):
    page = open_sheet(visit, city.reporter, draft, 3)
    reason = indicator(page, "G3.08").get_by_label("不适用的理由")
    expect(reason).to_be_hidden()
    indicator(page, "G3.08").get_by_label("本单位不适用这一条").check()
    reason.fill("女职工不足十人。")
    press(indicator(page, "G3.01"), "满分")
    expect(page.locator("[data-criterion-maximum]")).to_have_text("23")
    live = page.locator("[data-total]").inner_text()
    see_saved(page)
    total = worksheet.result_of(worksheet.load(draft), draft.campaign).total
    assert live == points(total) == points(Decimal(200) / Decimal(98))


# --- Without JavaScript, and the weight --------------------------------------------------------------


def test_without_javascript_the_button_saves(visit: Visit, city: City, draft: SelfAssessment):
    page = open_sheet(visit, city.reporter, draft, java_script_enabled=False)
    account(page).fill(TYPED)
    page.locator("[id='G1.02-score']").fill("2.5")
    press(page, "保存")
    see_success(page, "已保存。")
    assert stored(draft).account == TYPED
    assert stored(draft, "G1.02").score == Decimal("2.5")


def test_the_guide_is_put_away_for_good(visit: Visit, city: City, draft: SelfAssessment):
    page = visit("/", signed_in=city.reporter, **PHONE)
    press(page, "知道了，不再显示")
    expect(page.get_by_text("三步就好")).to_have_count(0)
    assert page.evaluate("localStorage.length") == 0
    again = visit("/", signed_in=city.reporter)
    expect(again.get_by_text("三步就好")).to_have_count(0)


def test_the_longest_page_weighs_little(visit: Visit, city: City, draft: SelfAssessment):
    """HTML, CSS and JS over the wire, compressed: at most 120 KB (design, “Budgets”)."""
    page = visit("/policy/", signed_in=city.reporter)
    bodies: dict[str, int] = {}
    page.on(
        "response",
        lambda response: bodies.setdefault(response.url, len(gzip.compress(response.body()))),
    )
    page.goto(f"{draft.get_absolute_url()}criteria/3/", wait_until="networkidle")
    weight = sum(size for url, size in bodies.items() if not url.endswith((".png", ".svg")))
    assert any("htmx" in url for url in bodies)
    assert weight < 120_000
