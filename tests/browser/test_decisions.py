"""A list for the meeting: prepared, one line overridden by two people, applied; nobody hears of it
before, and the union opens its letter after."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from assessments.choices import Outcome, State
from assessments.models import Decision, SelfAssessment
from tests import factories
from tests.browser.pages import PASSWORD, follow, menu, press, see_heading, see_success, sign_in
from tests.browser.test_accessibility import findings
from tests.factories import City

pytestmark = pytest.mark.browser
REASON = "遭受洪灾，整改已经到位。"


@pytest.fixture
def weak(city: City) -> SelfAssessment:
    campaign = factories.make_campaign()
    factories.make_self_assessment(city, campaign, State.REVIEWED, organization=city.sibling)
    return factories.make_self_assessment(city, campaign, State.REVIEWED, share="0.9")


def prepare(page: Page) -> None:
    menu(page, "评定")
    press(page, "拟定名单")
    press(page, "拟定")
    see_success(page, "列入 2 份")


def override(page: Page, city: City) -> str:
    """Without a reason it is refused; where it stands then."""
    follow(page, city.own.name)
    press(page, "提出推翻")
    expect(page.locator("main")).to_contain_text("请填写推翻理由。")
    assert findings(page) == []
    page.get_by_label("推翻理由").fill(REASON)
    press(page, "提出推翻")
    see_success(page, "已提出推翻，等待另一人确认。")
    expect(page.get_by_role("button", name="我同意推翻，确认")).to_have_count(0)
    return page.url


def hears_nothing(page: Page, weak: SelfAssessment) -> None:
    page.goto(weak.get_absolute_url())
    expect(page.locator("main")).not_to_contain_text(re.compile("评定结果|推翻|名单"))


def test_a_meeting_decides(visit: Callable[..., Page], city: City, weak: SelfAssessment) -> None:
    lead, second, head = (visit() for _ in range(3))
    sign_in(lead, city.lead)
    prepare(lead)
    line = override(lead, city)
    sign_in(head, city.head)
    hears_nothing(head, weak)
    sign_in(second, city.admin)
    second.goto(line)
    expect(second.locator("main")).to_contain_text(REASON)
    second.get_by_label("您的登录密码").fill(PASSWORD)
    press(second, "我同意推翻，确认")
    see_success(second, "已确认推翻。")
    follow(lead, "返回名单")
    see_heading(lead, "第1次评定会")
    lead.get_by_label("您的登录密码").fill(PASSWORD)
    press(lead, "一并作出 2 份评定")
    see_success(lead, "已作出 2 份评定。")
    assert findings(lead) == []
    decision = Decision.objects.get(self_assessment=weak)
    assert decision.outcome == Outcome.AT_STANDARD
    head.goto("/messages/")
    expect(head.locator("main")).to_contain_text("评定结果已出，请查看评定结果通知书。")
    head.goto(weak.get_absolute_url())
    link = head.get_by_role("link", name="评定结果通知书（PDF）")
    address = link.get_attribute("href")
    assert address
    assert head.request.get(address, timeout=60_000).body().startswith(b"%PDF")
    assert findings(head) == []
