"""The dashboard in a real browser: drawn on a desk and on a phone, saved as a picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from assessments.choices import State
from tests import factories
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.pages import see_heading
from tests.browser.test_accessibility import findings
from tests.factories import make_self_assessment
from tests.pdf import poppler

pytestmark = pytest.mark.browser


@pytest.fixture
def leader(city):
    campaign = factories.make_campaign()
    make_self_assessment(city, campaign, State.DECIDED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    return city.leader


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_charts_are_drawn_saved_and_followed(visit, leader, device):
    page = visit("/dashboard/", signed_in=leader, **device)
    see_heading(page, "总览")
    charts = page.locator(".chart-canvas canvas")
    expect(charts).to_have_count(5)
    for number in range(charts.count()):
        assert charts.nth(number).bounding_box()["height"] > 200
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert findings(page) == []
    section = page.locator(".chart").filter(has_text="进度漏斗")
    expect(section.locator("table")).to_be_hidden()
    section.get_by_text("数据表").click()
    expect(section.locator("table")).to_be_visible()
    with page.expect_download() as saved:
        section.get_by_role("button", name="把“进度漏斗”存为图片").click()
    assert saved.value.suggested_filename == "进度漏斗.png"
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as saved:
        page.get_by_role("button", name="把“各县（市、区）达标率分布”存为图片").click()
    painted = Image.open(saved.value.path())
    assert len(painted.convert("RGB").getcolors(1 << 24)) > 10  # tiles, and words on them
    # A figure leads to the list behind it.
    with page.expect_navigation():
        section.get_by_role("row", name="已提交").get_by_role("link").click()
    see_heading(page, "申报情况")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_on_paper_stand_the_charts_with_their_figures(visit, leader, tmp_path):
    page = visit("/dashboard/", signed_in=leader, **DESKTOP)
    see_heading(page, "总览")
    expect(page.locator(".chart-canvas canvas")).to_have_count(5)
    printed = tmp_path / "dashboard.pdf"
    page.pdf(path=printed, prefer_css_page_size=True)
    told = poppler("pdftotext", "-layout", printed, "-")
    assert "进度漏斗" in told
    assert re.search(r"已提交\s+2\b", told)
    assert "存为图片" not in told
    assert "修改密码" not in told
    assert re.search(r"Page size: +84[12][.\d]* x 59[45]", poppler("pdfinfo", printed))  # A4
    drawn = poppler("pdfimages", "-list", printed).splitlines()[2:]
    assert len(drawn) >= 5
    expect(page.locator(".chart").filter(has_text="进度漏斗").locator("table")).to_be_hidden()


def test_without_a_script_the_tables_are_there(visit, leader):
    page = visit("/dashboard/", signed_in=leader, **DESKTOP, java_script_enabled=False)
    expect(page.locator(".chart table").first).to_be_visible()
    expect(page.locator(".chart-save").first).to_be_hidden()
