"""Writing a notice: with the editor, nothing forbidden by the policy, nothing for axe to find."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from assessments.models import Notice
from organizations.models import User
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import press, see_success
from tests.browser.test_accessibility import findings
from tests.factories import City, make_notice

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def test_a_notice_is_written_corrected_and_read(visit: Visit, city: City, watch: Watch):
    page = visit("/notices/add/", signed_in=city.admin)
    page.get_by_label("标题").fill("关于报送材料的通知")
    editor = page.get_by_role("textbox", name="正文")
    editor.click()
    page.get_by_role("button", name="加粗").click()
    page.keyboard.type("请按时报送。")
    page.get_by_label("向社会公开").check()
    assert findings(page) == []
    press(page, "保存并预览")
    expect(page.locator(".rich-text strong")).to_have_text("请按时报送。")
    assert findings(page) == []
    press(page, "发布")
    see_success(page, "已发布")
    assert Notice.objects.get().body == "<div><strong>请按时报送。</strong></div>"
    page.get_by_role("link", name="更正").click()
    expect(page.get_by_role("textbox", name="正文")).to_have_text("请按时报送。")
    press(page, "保存更正")
    expect(page.get_by_text("更正于")).to_be_visible()


def test_reading_on_a_phone_without_signing_in(visit: Visit, city: City, watch: Watch):
    make_notice(User.objects.get(pk=city.admin.pk), is_public=True, pinned=True)
    page = visit("/notices/", **PHONE)
    assert findings(page) == []
    page.get_by_role("link", name="关于报送材料的通知").click()
    expect(page.get_by_text("请按时报送。")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
