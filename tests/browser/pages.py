"""What people do on the pages, in the words that they see there."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from organizations.models import User

PASSWORD = "Browser-test-2026"


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("用户名").fill(user.username)
    page.get_by_label("密码").fill(PASSWORD)
    press(page, "登录")
    expect(page.locator(".who")).to_contain_text(user.full_name)


def sign_out(page: Page) -> None:
    press(page, "退出")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def press(within: Page | Locator, name: str) -> None:
    """The button that can be seen: a sheet has one more for the Enter key."""
    seen = within.locator("button:not(.visually-hidden)")
    within.get_by_role("button", name=name, exact=True).and_(seen).click()


def follow(within: Page | Locator, name: str | re.Pattern[str]) -> None:
    """A link to another page; the next step finds that page loaded."""
    page = within if isinstance(within, Page) else within.page
    with page.expect_navigation(wait_until="load"):
        within.get_by_role("link", name=name, exact=True).click()


def menu(page: Page, title: str) -> None:
    follow(page.get_by_role("navigation", name="主菜单"), title)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def see_heading(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def see_success(page: Page, text: str) -> None:
    expect(page.locator(".alert-success")).to_contain_text(text)


def tile(page: Page, title: str) -> Locator:
    """One of the six on an overview."""
    return page.locator(".tile").filter(has_text=title)


def indicator(page: Page, code: str) -> Locator:
    return page.locator("article.indicator").filter(
        has=page.locator(".code").get_by_text(code, exact=True)
    )


def open_own_criterion(page: Page, title: str) -> None:
    """From the workbench to one of the six pages of one's own union."""
    menu(page, "工作台")
    follow(page, re.compile("^(继续填报|去修改|查看)$"))
    tile(page, title).click()
    see_heading(page, title)
