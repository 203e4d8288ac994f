"""From the slip to the workbench, leaving the computer alone, and the code from the phone."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect

from assessments.models import SelfAssessment
from organizations import first_passwords
from organizations.choices import Role
from organizations.models import Membership
from tests import factories
from tests.browser.conftest import PHONE
from tests.browser.pages import (
    follow,
    indicator,
    press,
    see_heading,
    see_success,
    sign_in,
    sign_out,
)
from tests.browser.test_accessibility import findings
from tests.factories import City

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
OWN = "Plough-the-field-1"
TYPED = "党组织每季度听取一次工会汇报。"


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_from_the_link_on_the_slip_to_the_workbench(
    visit: Visit, city: City, device: dict[str, Any]
):
    password = first_passwords.issue(city.reporter, by=city.admin)
    page = visit(f"/accounts/login/#{city.reporter.username}.{password}", **device)
    expect(page.get_by_label("用户名")).to_have_value(city.reporter.username)
    expect(page.get_by_label("密码")).to_have_value(password)
    assert password not in page.url
    press(page, "登录")
    see_heading(page, "设定自己的密码")
    assert findings(page) == []

    page.goto("/oversight/")
    see_heading(page, "设定自己的密码")
    page.locator("#id_new_password1").fill(OWN)
    page.locator("#id_new_password2").fill(OWN)
    press(page, "保存新密码")
    see_success(page, "密码已设定")
    expect(page).to_have_url(re.compile("/oversight/$"))
    expect(page.get_by_role("navigation", name="主菜单")).to_be_visible()


def test_a_link_that_is_pasted_over_the_open_page_works_too(visit: Visit, city: City):
    page = visit("/accounts/login/")
    page.evaluate("location.hash = 'li.si%401.ABCD-EFGH-JKMN'")
    expect(page.get_by_label("用户名")).to_have_value("li.si@1")
    expect(page.get_by_label("密码")).to_have_value("ABCD-EFGH-JKMN")
    assert "#" not in page.url


def open_sheet(visit: Visit, city: City) -> Page:
    """The reporter at a page of indicators."""
    draft: SelfAssessment = factories.make_self_assessment(
        city, factories.make_campaign(), filled=False
    )
    address = reverse("assessments:self_assessment_criterion", args=[draft.pk, 1])
    return visit(address, signed_in=city.reporter)


def account(page: Page):
    return indicator(page, "G1.01").get_by_label("自评说明")


def test_whoever_leaves_is_warned_and_loses_nothing(visit: Visit, city: City, settings):
    settings.IDLE_MINUTES = 0.25
    sheet = open_sheet(visit, city)
    address = sheet.url
    account(sheet).fill(TYPED)
    warning = sheet.locator(".idle")
    expect(warning).to_contain_text("分钟后将自动退出登录", timeout=30_000)
    press(warning, "继续使用")
    expect(warning).to_have_count(0)

    expect(warning).to_contain_text("登录已自动退出", timeout=30_000)
    expect(warning).to_contain_text("填写的内容保留在浏览器里")
    assert findings(sheet) == []
    follow(warning, "重新登录")
    expect(sheet.locator(".alert-warning")).to_contain_text("因长时间未操作已自动退出")
    sign_in(sheet, city.reporter)
    expect(sheet).to_have_url(address)
    expect(account(sheet)).to_have_value(TYPED)


def test_any_form_can_keep_what_was_typed(visit: Visit, city: City):
    page = visit("/accounts/profile/", signed_in=city.head)
    email = page.get_by_label("电子邮箱")
    email.fill("not-an-address")
    press(page, "保存")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    page.goto("/accounts/profile/")
    press(page, "恢复这些内容")
    expect(email).to_have_value("not-an-address")
    email.fill("li@example.com")
    press(page, "保存")
    see_success(page, "邮箱和邮件提醒已保存。")
    page.reload()
    expect(page.get_by_text("恢复这些内容")).to_have_count(0)


def test_typing_keeps_the_session(visit: Visit, city: City, settings):
    settings.IDLE_MINUTES = 0.25  # what a slow machine takes to save
    sheet = open_sheet(visit, city)
    account(sheet).press_sequentially(TYPED[:10], delay=1_800, timeout=60_000)
    expect(sheet.locator(".idle")).to_have_count(0)
    press(sheet, "保存")
    see_success(sheet, "已保存。")


def code_for(page: Page) -> str:
    """What the phone would show that has scanned this page."""
    app = TOTP(b32decode(page.locator(".pairing code").inner_text().replace(" ", "")))
    app.time = time.time()
    return f"{app.token():06}"


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_the_second_factor_from_the_picture_to_a_recovery_code(
    visit: Visit, city: City, device: dict[str, Any]
):
    page = visit("/", **device)
    sign_in(page, city.head)
    follow(page.locator(".who"), city.head.full_name)
    see_heading(page, city.head.full_name)
    assert findings(page) == []
    follow(page, "启用二次验证")
    expect(page.get_by_role("img", name="二次验证二维码")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("验证码").fill(code_for(page))
    page.get_by_label("登录密码").fill("Browser-test-2026")
    press(page, "启用")
    see_heading(page, "恢复码")
    assert findings(page) == []
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    follow(page, "已保存，继续")
    expect(page.locator("main")).to_contain_text("恢复码还剩 10 个")
    sign_out(page)

    sign_in(page, city.head)
    see_heading(page, "二次验证")
    assert findings(page) == []
    page.get_by_label("验证码").fill("AAAAA-AAAAA")
    press(page, "继续")
    expect(page.locator("main")).to_contain_text("验证码或恢复码不正确")
    page.wait_for_timeout(1100)  # so long one has to wait after the first wrong one
    page.get_by_label("验证码").fill(codes[0])
    press(page, "继续")
    expect(page.get_by_role("navigation", name="主菜单")).to_be_visible()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_acting_for_one_of_several_unions(visit: Visit, city: City, device: dict[str, Any]):
    Membership.objects.create(user=city.head, organization=city.foreign, role=Role.REPORTER)
    page = visit("/", signed_in=city.head, **device)
    assert findings(page) == []
    page.get_by_label("以哪个工会的身份办理").select_option(label=city.foreign.name)
    press(page, "切换")
    expect(page.get_by_label("以哪个工会的身份办理")).to_have_value(str(city.foreign.pk))
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_locked_account_is_told_how_long(visit: Visit, city: City, watch):
    watch.forgiven.append("429")
    page = visit("/accounts/login/")
    for _ in range(5):
        page.get_by_label("用户名").fill(city.head.username)
        page.get_by_label("密码").fill("wrong")
        press(page, "登录")
    expect(page.get_by_role("alert")).to_contain_text("请 15 分钟后再试")
    assert findings(page) == []
