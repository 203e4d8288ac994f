"""督查 on a phone: what was found with a photo, handed over, put right by the union, accepted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments.models import SupervisionFinding, SupervisionVisit
from organizations.models import User
from tests import factories
from tests.browser.conftest import PHONE
from tests.browser.pages import follow, press, see_success
from tests.browser.test_accessibility import findings
from tests.factories import City
from tests.uploads import picture

pytestmark = pytest.mark.browser

FOUND = "会员名册停在去年，新进职工没有入册。"


@pytest.fixture
def to_visit(city: City) -> SupervisionVisit:
    campaign = factories.make_campaign()
    admin, reviewer = (User.objects.get(pk=one.pk) for one in (city.admin, city.reviewer))
    made = factories.make_round(admin, campaign, city.own, city.sibling, members=[reviewer])
    return made.visits.get(organization=city.own)


def axe(page: Page) -> list[str]:
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width, page.url
    return findings(page)


def test_from_the_visit_to_a_finding_that_is_put_right(
    visit: Callable[..., Page], city: City, to_visit: SupervisionVisit
):
    team = visit("/", signed_in=city.reviewer, **PHONE)
    follow(team, "去走访")
    follow(team, city.own.name)
    found = axe(team)
    follow(team, "记一个问题")
    team.get_by_label("发现的问题").fill(FOUND)
    team.get_by_label("较重").check()
    team.get_by_label("照片和材料").set_input_files(
        {"name": "台账.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG", (800, 600))}
    )
    found += axe(team)
    press(team, "保存")
    see_success(team, "已保存。")
    follow(team, "修改、加照片")
    expect(team.get_by_role("img", name="台账.jpg")).to_be_visible()
    found += axe(team)
    team.goto(to_visit.get_absolute_url())
    team.get_by_label("总体情况").fill("总体较好。")
    press(team, "反馈给工会")
    see_success(team, "已反馈给工会")

    union = visit("/", signed_in=city.head, **PHONE)
    follow(union, "去整改")
    found += axe(union)
    follow(union, FOUND)
    union.get_by_label("整改情况").fill("已逐人核对，补登十二人。")
    found += axe(union)
    press(union, "报送整改")
    see_success(union, "已报送整改")

    team.goto("/")
    follow(team, "去验收")
    follow(team, FOUND)
    found += axe(team)
    press(team, "整改到位")
    see_success(team, "已验收通过")
    assert SupervisionFinding.objects.get().state == "ACCEPTED"
    assert found == []


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_the_pages_of_the_organizer(
    visit: Callable[..., Page], city: City, to_visit: SupervisionVisit, device: dict[str, object]
):
    made = factories.make_finding(to_visit, User.objects.get(pk=city.reviewer.pk))
    factories.feed_back(to_visit, User.objects.get(pk=city.reviewer.pk))
    team = made.visit.team_id
    page = visit("/", signed_in=city.admin, **device)
    found = []
    for name, arguments in (
        ("supervision_list", []),
        ("supervision_add", []),
        ("supervision", [to_visit.round_id]),
        ("supervision_team", [team]),
        ("supervision_places", [team]),
        ("supervision_visit", [to_visit.pk]),
        ("supervision_visit_drop", [to_visit.pk]),
        ("supervision_findings", []),
        ("supervision_finding", [made.pk]),
        ("progress_report", []),
    ):
        page.goto(reverse(f"assessments:{name}", args=arguments))
        found += axe(page)
    page.goto(reverse("assessments:progress_report"))
    with page.expect_download() as download:
        press(page, "下载 Word 文档")
    assert download.value.suggested_filename.endswith(".docx")
    assert found == []
