"""The rubric editor in a real browser, on a desk and on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from assessments import rubric_editing, rubrics
from assessments.models import Indicator, Rubric
from organizations.choices import Tier
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.pages import see_heading
from tests.browser.test_accessibility import findings

pytestmark = pytest.mark.browser


@pytest.fixture
def draft(city):
    rubrics.load()
    first = Rubric.objects.filter(tier=Tier.GRASSROOTS, version=1)
    return rubric_editing.copy(
        rubric_editing.with_indicators(first).get(), "2027 年标准", city.admin
    )


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_draft_is_edited_and_the_balance_is_live(visit, city, draft, device):
    page = visit(
        reverse("assessments:rubric_criterion", args=[draft.pk, 1]), signed_in=city.admin, **device
    )
    first = page.get_by_label("第 1 条指标")
    balance = page.locator("#balance")
    expect(balance).to_contain_text("正好 100 分")
    points = first.get_by_label("满分")
    before = float(points.input_value())
    points.fill(str(before + 0.5))
    expect(balance).to_contain_text("多出 0.5 分")
    expect(first.get_by_label("分子名称")).to_be_hidden()
    first.get_by_label("类型").select_option("RATE")
    expect(first.get_by_label("分子名称")).to_be_visible()
    page.get_by_role("button", name="保存").click()
    expect(first.get_by_text("比率指标须写明")).to_have_count(2)
    assert findings(page) == []
    first.get_by_label("类型").select_option("SCORE")
    page.get_by_label("第 3 条指标").get_by_role("button").click()
    expect(page.get_by_label("第 4 条指标")).to_be_visible()
    page.get_by_label("第 4 条指标").get_by_label("删去").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible()
    expect(page.get_by_text("满分合计应为 100 分")).to_be_visible()
    assert Indicator.objects.get(criterion__rubric=draft, code="G1.01").max_points == before + 0.5
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    for name in ("rubric", "rubric_compare", "rubric_copy", "rubric_remove"):
        page.goto(page.url.split("/rubrics/")[0] + reverse(f"assessments:{name}", args=[draft.pk]))
        assert findings(page) == []
    for name, title in (("rubric_list", "六好标准"), ("rubric_import", "导入标准")):
        page.goto(page.url.split("/rubrics/")[0] + reverse(f"assessments:{name}"))
        see_heading(page, title)
        assert findings(page) == []
