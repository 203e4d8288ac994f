"""The scoring desk by keyboard alone, with each score stored as it is typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import demo, evidence, phrases, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Review, ReviewScore, StockPhrase
from tests import factories
from tests.browser.conftest import PHONE
from tests.browser.pages import indicator, press
from tests.browser.test_accessibility import findings
from tests.factories import City
from tests.uploads import PNG

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture
def review(city: City) -> Review:
    """G1.03 is a list, and the union claims 2.5 of 3 for G1.02."""
    assessment = factories.make_self_assessment(city, factories.make_campaign())
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.02").update(score="2.5")
    line = worksheet.load(assessment, 1)[0].lines[0]
    files = [SimpleUploadedFile(f"照片{n}.png", PNG + bytes([n])) for n in (1, 2)]
    files.append(SimpleUploadedFile("文件.pdf", demo.small_pdf("A file")))
    evidence.attach(assessment, line.indicator, files, city.head)
    factories.perform(assessment, Action.SUBMIT, city.head)
    factories.assigning.assign(assessment, city.reviewer, city.lead)
    factories.perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    return assessment.reviews.get()


def desk(visit: Visit, city: City, review: Review, number: int = 1, **device: object) -> Page:
    address = reverse("assessments:review_criterion", args=[review.pk, number])
    return visit(address, signed_in=city.reviewer, **device)


def see_saved(page: Page) -> None:
    expect(page.locator("[data-save-state]")).to_have_text(re.compile(r"^已保存 \d\d:\d\d$"))


def see_done(page: Page, count: int) -> None:
    expect(page.locator("#desk-progress")).to_contain_text(f"本份 {count}/51")


def score(review: Review, code: str) -> ReviewScore:
    return ReviewScore.objects.get(review=review, indicator__code=code)


def test_a_criterion_by_keyboard_alone(visit: Visit, city: City, review: Review):
    phrases.keep(city.reviewer, "缺一份会议纪要。", "G1.02")
    page = desk(visit, city, review)
    expect(page.locator("#phrase-list li")).to_have_count(1)
    keys = page.keyboard
    keys.press("9")  # more than the full mark: said, and to be put right
    expect(indicator(page, "G1.01").locator(".field-error:not(:empty)")).to_be_visible()
    keys.press("Alt+0")
    keys.press("ArrowUp")
    expect(page.locator("[id='G1.01-score']")).to_have_value("0.5")
    keys.press("Alt+m")
    see_done(page, 1)
    keys.press("Alt+n")  # to G1.02, where the union claims 2.5
    keys.press("Alt+s")
    expect(page.locator("[id='G1.02-score']")).to_have_value("2.5")
    expect(indicator(page, "G1.02")).to_contain_text("低于满分，请写明理由")
    keys.press("Alt+/")
    keys.press("1")
    expect(page.locator("[id='G1.02-remark']")).to_have_value("缺一份会议纪要。")
    see_done(page, 2)
    keys.press("Alt+n")  # to the list of G1.03
    press(indicator(page, "G1.03"), "同自评，确认这些数字")
    see_done(page, 3)
    see_saved(page)
    assert score(review, "G1.01").score == 3
    assert (score(review, "G1.02").score, score(review, "G1.02").remark) == (
        2.5,
        "缺一份会议纪要。",
    )
    assert len(score(review, "G1.03").checked_items) == 6
    assert StockPhrase.objects.get().uses == 1
    with page.expect_navigation():
        keys.press("n")
    expect(page).to_have_url(re.compile(r"/criteria/2/#G2\.01$"))
    expect(page.locator(".indicator-now .code")).to_have_text("G2.01")


def test_keys_can_be_switched_off(visit: Visit, city: City, review: Review):
    page = desk(visit, city, review)
    page.keyboard.press("?")
    page.get_by_label("启用单键快捷键").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator("[id='G1.01-score']")).to_have_value("")
    page.reload()
    page.keyboard.press("m")
    expect(page.locator("[id='G1.01-score']")).to_have_value("")
    page.keyboard.press("Alt+m")
    expect(page.locator("[id='G1.01-score']")).to_have_value("3")


def test_the_last_score_completes_and_the_next_submission_opens(
    visit: Visit, city: City, review: Review
):
    assessment = review.self_assessment
    second = factories.make_self_assessment(
        city, assessment.campaign, State.UNDER_REVIEW, organization=city.foreign
    )
    demo.score_like_union(assessment, city.reviewer)
    score(review, "G1.01").delete()
    page = desk(visit, city, review)
    see_done(page, 50)
    page.keyboard.press("m")
    see_done(page, 51)
    with page.expect_navigation():
        press(page, "完成评审，评下一份")
    expect(page).to_have_url(re.compile(rf"/reviews/{second.reviews.get().pk}/criteria/1/#G1\.01$"))
    review.refresh_from_db()
    assert review.is_complete


def test_a_remark_becomes_a_phrase_and_pictures_open_here(visit: Visit, city: City, review: Review):
    page = desk(visit, city, review)
    article = indicator(page, "G1.01")
    article.get_by_label("评审意见").fill("照片看不清。")
    press(article, "存为常用语")
    expect(article).to_contain_text("已存为常用语。")
    expect(page.locator("#phrase-list")).to_contain_text("照片看不清。")
    article.get_by_role("link", name="照片1.png", exact=True).click()
    viewer = page.locator("#viewer")
    expect(viewer).to_contain_text("1 / 2")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator("img")).to_have_attribute("alt", "照片2.png")
    press(viewer, "放大")
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    item = article.locator("[data-view=pdf]")
    item.locator(".file-name").click()
    expect(item.locator("iframe")).to_be_visible()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_the_dialogs(
    visit: Visit, city: City, review: Review, device: dict[str, object]
):
    phrases.keep(city.lead, "材料不全。", shared=True)
    page = desk(visit, city, review, **device)
    expect(page.locator("#phrase-list li")).to_have_count(1)
    indicator(page, "G1.01").get_by_role("button", name="常用语", exact=True).click()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_text("键盘评分")).to_be_visible()
    assert findings(page) == []


def test_a_cut_connection_loses_no_score(visit: Visit, city: City, review: Review, watch):
    watch.forgiven += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest"]
    page = desk(visit, city, review)
    expect(page.locator("#desk-pace")).to_contain_text("待评 1 份")
    page.context.set_offline(True)
    page.keyboard.press("m")
    expect(page.locator("[data-save-state]")).to_contain_text("离线：内容保留在本机")
    page.context.set_offline(False)
    see_saved(page)
    assert score(review, "G1.01").score == 3
