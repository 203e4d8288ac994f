"""What was typed is never lost, and never overwrites what somebody else saved; pages on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments.choices import State
from assessments.models import Answer, SelfAssessment
from organizations.models import User
from tests import factories
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import (
    follow,
    indicator,
    menu,
    open_own_criterion,
    press,
    see_heading,
    see_success,
    sign_in,
    sign_out,
    tile,
)
from tests.factories import City

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

FIRST, SECOND = "党政重视支持好", "组织基础建设好"
OFFER, RESTORE = "填写而没有保存的内容", "恢复这些内容"
TYPED = "党组织每季度听取一次工会汇报。"


@pytest.fixture
def draft(city: City) -> SelfAssessment:
    """A self-assessment that has been begun, with nothing in it."""
    return factories.make_self_assessment(city, factories.make_campaign(), filled=False)


@pytest.fixture
def page(visit: Visit, city: City, draft: SelfAssessment, watch: Watch) -> Page:
    """The reporter at the first of the six pages, where nothing saves itself."""
    return without_autosave(open_sheet(visit, city.reporter, draft), watch)


@pytest.fixture
def head_page(visit: Visit, city: City, draft: SelfAssessment) -> Page:
    """The head, on another computer, at the same page."""
    return open_sheet(visit, city.head, draft)


def open_sheet(
    visit: Visit, user: User, draft: SelfAssessment, number: int = 1, **device: Any
) -> Page:
    address = reverse("assessments:self_assessment_criterion", args=[draft.pk, number])
    return visit(address, signed_in=user, **device)


def without_autosave(page: Page, watch: Watch) -> Page:
    """As if every answer that saves itself were lost on its way: what is left are the browser's
    memory and the button. (What saves itself is test_autosave.)"""
    watch.forgiven += ["htmx:"]
    for run in (page.add_init_script, page.evaluate):
        run(_LOSE_ANSWERS)
    return page


#: In the page itself: what leaves while a page is being left slips past Playwright's routes.
_LOSE_ANSWERS = """(() => {
  window.fetch = () => new Promise(() => {});
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isLost = !window.nothingIsLost && url.includes("answers/");
    open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.isLost) setTimeout(() => this.dispatchEvent(new ProgressEvent("error")));
    else send.call(this, body);
  };
})()"""


UNSAVED = "离线：内容保留在本机，联网后自动保存"


def state(page: Page):
    return page.locator("[data-save-state]")


def account(page: Page, code: str = "G1.01"):
    return indicator(page, code).get_by_label("自评说明")


def score(page: Page, code: str = "G1.01"):
    return indicator(page, code).get_by_label("自评得分")


def stored(draft: SelfAssessment, code: str = "G1.01") -> str:
    """The account in the database."""
    answers = Answer.objects.filter(self_assessment=draft, indicator__code=code)
    return "".join(answers.values_list("account", flat=True))


def take_the_offer(page: Page) -> None:
    expect(page.get_by_text(OFFER)).to_be_visible()
    press(page, RESTORE)
    expect(page.get_by_text(OFFER)).to_have_count(0)


def see_no_offer(page: Page) -> None:
    expect(page.locator("#sheet")).to_be_visible()
    expect(page.get_by_text(OFFER)).to_have_count(0)


# --- Drafts -------------------------------------------------------------------------------------


def test_typed_text_survives_a_reload_on_a_phone(
    visit: Visit, city: City, draft: SelfAssessment, watch: Watch
):
    page = without_autosave(open_sheet(visit, city.reporter, draft, **PHONE), watch)
    account(page).fill(TYPED)
    press(indicator(page, "G1.02"), "满分")
    indicator(page, "G1.03").get_by_label("印章").check()
    expect(state(page)).to_have_text(UNSAVED)

    page.reload()
    expect(account(page)).to_have_value("")
    take_the_offer(page)

    expect(account(page)).to_have_value(TYPED)
    expect(score(page, "G1.02")).to_have_value("3")
    expect(indicator(page, "G1.03").get_by_label("印章")).to_be_checked()
    expect(indicator(page, "G1.03").get_by_label("牌子")).not_to_be_checked()
    expect(state(page)).to_have_text(UNSAVED)
    assert stored(draft) == ""


def test_a_browser_of_some_years_ago_offers_it_too(page: Page):
    """Chromium before 105, as office browsers still carry it, knows no `:has()`."""
    page.add_init_script("""
      for (const name of ["matches", "closest", "querySelector", "querySelectorAll"]) {
        const own = Element.prototype[name];
        Element.prototype[name] = function (selector) {
          if (selector.includes(":has(")) throw new SyntaxError(selector);
          return own.call(this, selector);
        };
      }""")
    account(page).fill(TYPED)
    page.reload()
    take_the_offer(page)
    expect(account(page)).to_have_value(TYPED)


def test_an_offer_can_be_declined_for_good(page: Page):
    account(page).fill(TYPED)
    page.reload()
    press(page, "不要了")
    page.reload()
    see_no_offer(page)
    expect(account(page)).to_have_value("")


@pytest.mark.parametrize("button", ["保存", "保存并到下一项"])
def test_nothing_is_offered_after_saving(page: Page, draft: SelfAssessment, button: str):
    account(page).fill(TYPED)
    press(page, button)
    see_success(page, "已保存。")
    open_own_criterion(page, FIRST)
    see_no_offer(page)
    expect(account(page)).to_have_value(TYPED)
    assert stored(draft) == TYPED


def test_leaving_with_unsaved_text_is_asked_about(page: Page):
    account(page).fill(TYPED)
    expect(state(page)).to_have_text(UNSAVED)
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="政策原文", exact=True).click(no_wait_after=True)
    expect(account(page)).to_have_value(TYPED)
    assert asked == ["beforeunload"]


def test_an_expired_session_loses_nothing(page: Page, city: City, draft: SelfAssessment):
    address = page.url
    account(page).fill(TYPED)
    page.context.clear_cookies(name="sessionid")
    press(page, "保存")

    see_heading(page, "登录")
    expect(page.locator(".alert-info")).to_contain_text("登录后可以恢复")
    assert stored(draft) == ""

    sign_in(page, city.reporter)
    expect(page).to_have_url(address)
    take_the_offer(page)
    press(page, "保存")
    see_success(page, "已保存。")
    see_no_offer(page)
    assert stored(draft) == TYPED


def test_a_lost_connection_loses_nothing(page: Page, draft: SelfAssessment, watch: Watch):
    watch.forgiven.append("ERR_INTERNET_DISCONNECTED")
    address = page.url
    page.context.set_offline(True)
    account(page).fill(TYPED)
    expect(state(page)).to_have_text("离线：内容保留在本机，联网后自动保存")
    press(page, "保存")
    page.wait_for_url("chrome-error://**")
    assert stored(draft) == ""

    page.goto("about:blank")  # Chromium's own page would try again by itself
    page.context.set_offline(False)
    page.goto(address)
    take_the_offer(page)
    press(page, "保存")
    see_success(page, "已保存。")
    assert stored(draft) == TYPED


def test_a_draft_is_offered_to_its_writer_only(page: Page, city: City):
    address = page.url
    account(page).fill(TYPED)
    for user, is_offered in [(city.head, False), (city.reporter, True)]:
        page.context.clear_cookies(name="sessionid")
        page.goto(address)
        sign_in(page, user)
        expect(page).to_have_url(address)
        expect(page.get_by_text(OFFER)).to_have_count(int(is_offered))


def test_signing_out_leaves_nothing_on_a_shared_computer(page: Page, city: City):
    account(page).fill(TYPED)
    open_own_criterion(page, SECOND)
    account(page, "G2.01").fill(TYPED)
    drafts = "Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"
    assert page.evaluate(drafts) == 2

    sign_out(page)

    assert page.evaluate("localStorage.length") == 0
    sign_in(page, city.head)
    open_own_criterion(page, FIRST)
    see_no_offer(page)


def test_what_was_refused_is_kept_until_it_is_saved(page: Page, draft: SelfAssessment):
    """A page that comes back with an error holds what is stored nowhere: closing it by mistake
    must not lose that."""
    address = page.url
    score(page).fill("很好")
    account(page).fill(TYPED)
    press(page, "保存")
    expect(page.locator("main")).to_contain_text("请填写数字，例如 2 或 2.5。")
    expect(account(page)).to_have_value(TYPED)
    assert stored(draft) == ""

    page.goto(address)
    expect(page.get_by_text(OFFER)).to_be_visible()
    take_the_offer(page)
    expect(account(page)).to_have_value(TYPED)
    expect(score(page)).to_have_value("很好")


def test_an_offer_that_nobody_answered_is_made_again(page: Page, draft: SelfAssessment):
    """It stands above the page: who came by a link to an indicator below has not seen it."""
    account(page, "G1.01").fill(TYPED)
    page.reload()
    account(page, "G1.02").fill("行政每年拨付专项经费。")
    press(page, "保存")
    see_success(page, "已保存。")
    assert stored(draft, "G1.02") == "行政每年拨付专项经费。"

    expect(page.get_by_text(OFFER)).to_be_visible()
    take_the_offer(page)
    expect(account(page, "G1.01")).to_have_value(TYPED)
    expect(account(page, "G1.02")).to_have_value("行政每年拨付专项经费。")


# --- Two people at one page -----------------------------------------------------------------------

THEIRS = "行政每年拨付专项经费。"


def choose_mine(page: Page) -> None:
    """Saving again is no choice; the button beside the two versions is."""
    press(page, "保存")
    expect(indicator(page, "G1.01").locator(".conflict")).to_be_visible()
    page.evaluate("window.nothingIsLost = true")
    press(indicator(page, "G1.01"), "保存我的")
    expect(indicator(page, "G1.01").locator(".conflict")).to_have_count(0)


def save_meanwhile(head_page: Page, code: str) -> None:
    account(head_page, code).fill(THEIRS)
    press(head_page, "保存")
    see_success(head_page, "已保存。")


def test_two_people_at_the_same_answer_are_told_of_each_other(
    city: City, page: Page, head_page: Page, draft: SelfAssessment
):
    account(page, "G1.01").fill(TYPED)
    account(page, "G1.02").fill("没有冲突的一项。")
    save_meanwhile(head_page, "G1.01")

    press(page, "保存")

    conflict = indicator(page, "G1.01").locator(".conflict")
    expect(conflict).to_contain_text(f"{city.head.full_name} 在您填写期间")
    expect(conflict).to_contain_text(f"对方保存的是：{THEIRS}")
    expect(account(page)).to_have_value(TYPED)
    expect(page.locator("main")).to_contain_text("其余内容已保存，下面 1 处需要改正")
    assert stored(draft) == THEIRS
    assert stored(draft, "G1.02") == "没有冲突的一项。"

    choose_mine(page)
    assert stored(draft) == TYPED


def test_a_restored_draft_does_not_undo_another_answer(
    page: Page, head_page: Page, draft: SelfAssessment
):
    account(page, "G1.01").fill(TYPED)
    save_meanwhile(head_page, "G1.02")

    page.reload()
    take_the_offer(page)
    press(page, "保存")

    see_success(page, "已保存。")
    assert stored(draft, "G1.01") == TYPED
    assert stored(draft, "G1.02") == THEIRS


def test_a_restored_draft_can_be_in_conflict(page: Page, head_page: Page, draft: SelfAssessment):
    account(page).fill(TYPED)
    save_meanwhile(head_page, "G1.01")

    page.reload()
    take_the_offer(page)
    press(page, "保存")

    expect(page.locator(".conflict, .alert-success").first).to_be_visible()
    assert stored(draft) == THEIRS
    expect(indicator(page, "G1.01").locator(".conflict")).to_be_visible()
    choose_mine(page)
    assert stored(draft) == TYPED


# --- The live rate ----------------------------------------------------------------------------------


def test_the_live_rate_says_what_the_server_says(visit: Visit, city: City, draft: SelfAssessment):
    """Typed as people type; the server's word is what the union's observer reads afterwards."""
    page = open_sheet(visit, city.reporter, draft, 2)
    observer = open_sheet(visit, city.own_viewer, draft, 2)
    members, workers = indicator(page, "G2.06").locator(".counts input").all()
    live = indicator(page, "G2.06").locator("output")
    read = indicator(observer, "G2.06").locator("dd").locator(".met, .unmet")
    for numerator, denominator, word in [
        ("18999", "20000", "未达到"),
        ("１９０００", "20 000", "达到"),
        ("18", "19", "未达到"),
        ("19", "20", "达到"),
        ("949", "1,000", "未达到"),
        ("3", "3", "达到"),
    ]:
        members.fill(numerator)
        workers.fill(denominator)
        expect(live).to_have_text(re.compile(rf"^= \d+\.\d\d% {word}$"))
        press(page, "保存")
        see_success(page, "已保存。")
        observer.reload()
        expect(read).to_have_text(word)


# --- Phones -------------------------------------------------------------------------------------------


def see_it_fits(page: Page) -> None:
    """Nothing to be scrolled sideways, and no page that is shrunk to fit."""
    page.wait_for_load_state("load")
    width = PHONE["viewport"]["width"]
    sizes = "[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"
    assert page.evaluate(sizes) == [width] * 3, page.url


def test_the_unions_pages_fit_a_phone(visit: Visit, city: City):
    draft = factories.make_self_assessment(city, factories.make_campaign())
    page = visit(**PHONE)
    see_it_fits(page)
    sign_in(page, city.head)
    see_it_fits(page)
    follow(page, "继续填报")
    see_heading(page, draft.organization.name)
    see_it_fits(page)
    for title in (FIRST, SECOND):  # with a list to tick, and with counts
        open_own_criterion(page, title)
        see_it_fits(page)
    follow(page, draft.organization.name)
    follow(page, "签批提交")
    see_it_fits(page)


def test_the_citys_pages_fit_a_phone(visit: Visit, city: City):
    assessment = factories.make_self_assessment(
        city, factories.make_campaign(), State.UNDER_REVIEW, reviewers=[city.reviewer]
    )
    page = visit(**PHONE)
    sign_in(page, city.reviewer)
    menu(page, "评审任务")
    see_it_fits(page)
    follow(page, assessment.organization.name)
    see_it_fits(page)
    for title in (FIRST, SECOND):
        tile(page, title).click()
        see_heading(page, title)
        see_it_fits(page)
        follow(page, assessment.organization.name)
    follow(page, "退回修改")
    see_it_fits(page)
    sign_out(page)

    sign_in(page, city.admin)
    for title in ("申报情况", "分派", "评定", "汇总", "政策原文"):
        menu(page, title)
        see_it_fits(page)
