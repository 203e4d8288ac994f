"""An exemplary case from a union's people to everybody, nothing for axe to find on its way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from assessments import rubrics
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import follow, press, see_success
from tests.browser.test_accessibility import findings
from tests.factories import City
from tests.uploads import picture

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def test_a_case_is_written_forwarded_edited_published_and_seen(
    visit: Visit, city: City, watch: Watch
):
    rubrics.load()
    page = visit("/cases/desk/", signed_in=city.head)
    follow(page, "写先进经验")
    page.get_by_label("标题").fill("送清凉进车间")
    page.get_by_role("textbox", name="正文").click()
    page.keyboard.type("高温天慰问一线职工。")
    page.get_by_label("对应“六好”中的哪一好").select_option(index=1)
    page.get_by_label("添加照片").set_input_files(
        [
            {"name": f"{n}.png", "mimeType": "image/png", "buffer": picture(color=color)}
            for n, color in enumerate(("red", "green"))
        ]
    )
    assert findings(page) == []
    press(page, "保存")
    expect(page.locator(".case-photos img")).to_have_count(2)
    press(page, "报送")
    see_success(page, "已报送")
    record = page.url

    page = visit("/", signed_in=city.township_head)
    follow(page, "去转报")
    follow(page, "送清凉进车间")
    assert findings(page) == []
    press(page, "转报市总工会")
    see_success(page, "已转报")

    page = visit(record, signed_in=city.lead)
    follow(page, "编辑")
    page.get_by_label("标题").fill("把清凉送进车间")
    page.get_by_label("照片 2").check()
    assert findings(page) == []
    press(page, "保存")
    expect(page.get_by_role("heading", name="工会原稿")).to_be_visible()
    assert findings(page) == []
    press(page, "发布")
    see_success(page, "已发布")

    page = visit("/cases/", **PHONE)
    assert findings(page) == []
    follow(page, "把清凉送进车间")
    expect(page.locator(".case-photos img")).to_have_count(1)
    expect(page.get_by_text("高温天慰问一线职工。")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
