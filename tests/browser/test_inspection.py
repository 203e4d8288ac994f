"""On site with a phone: what is typed survives a lost connection, and photos go with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import inspecting
from assessments.choices import State
from assessments.models import FindingPhoto, Inspection, InspectionFinding
from organizations.models import User
from tests import factories
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import indicator, press, see_success
from tests.factories import City
from tests.uploads import picture

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
SEEN = "现场没有牌子，印章在经理处保管。"


@pytest.fixture
def inspection(city: City) -> Inspection:
    campaign = factories.make_campaign()
    assessment = factories.make_self_assessment(city, campaign, State.UNDER_REVIEW)
    lead, inspector = (User.objects.get(pk=one.pk) for one in (city.lead, city.other_reviewer))
    chosen = inspecting.add(assessment, "群众反映", lead)
    return inspecting.schedule(
        chosen, inspectors=[inspector], planned_on=factories.today(), announced=True, by=lead
    )


def test_nothing_is_lost_on_site(visit: Visit, city: City, inspection: Inspection, watch: Watch):
    watch.forgiven.append("ERR_INTERNET_DISCONNECTED")
    address = reverse("assessments:inspection_criterion", args=[inspection.pk, 1])
    page = visit(address, signed_in=city.other_reviewer, **PHONE)
    width = PHONE["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    row = indicator(page, "G1.01")
    row.get_by_label("核查结论").select_option("REFUTED")
    row.get_by_label("核查情况").fill(SEEN)
    items = indicator(page, "G1.03")
    items.get_by_label("核查情况").fill(SEEN)
    items.get_by_label("印章").check()
    expect(page.locator("[data-save-state]")).to_have_text("有未保存的修改")

    page.context.set_offline(True)
    press(page, "保存")
    page.wait_for_url("chrome-error://**")
    assert not InspectionFinding.objects.exists()
    page.goto("about:blank")  # Chromium's own page would try again by itself
    page.context.set_offline(False)
    page.goto(address)
    press(page, "恢复这些内容")
    expect(row.get_by_label("核查情况")).to_have_value(SEEN)
    expect(row.get_by_label("核查结论")).to_have_value("REFUTED")
    expect(items.get_by_label("印章")).to_be_checked()
    row.get_by_label("拍照").set_input_files(
        {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG", (800, 600))}
    )
    press(page, "保存")
    see_success(page, "已保存。")
    finding, found = InspectionFinding.objects.all()
    assert (finding.verdict, finding.text) == ("REFUTED", SEEN)
    assert (found.indicator.code, found.checked_items) == ("G1.03", ["印章"])
    assert FindingPhoto.objects.get().name == "现场.jpg"
    expect(row.locator(".photos img")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_note_stands_beside_the_score(visit: Visit, city: City, inspection: Inspection):
    inspector = User.objects.get(pk=city.other_reviewer.pk)
    one = inspection.self_assessment.rubric.criteria.get(number=1).indicators.get(code="G1.01")
    inspecting.save(inspection, [inspecting.Entry(one, "REFUTED", SEEN, None, "")], inspector)
    inspecting.complete(
        inspection, visited_on=factories.today(), minutes="", statement="", by=inspector
    )
    review = inspection.self_assessment.reviews.get()
    address = reverse("assessments:review_criterion", args=[review.pk, 1])
    page = visit(address, signed_in=city.reviewer)
    expect(indicator(page, "G1.01")).to_contain_text("现场核查意见：不属实")
    expect(indicator(page, "G1.01")).to_contain_text(SEEN)
    expect(indicator(page, "G1.02")).not_to_contain_text("现场核查意见")
