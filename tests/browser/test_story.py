"""The whole job, from the first sign-in to the Excel summary, through what people see."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from assessments.demo import small_pdf
from tests import factories
from tests.browser.pages import (
    PASSWORD,
    follow,
    indicator,
    menu,
    press,
    see_heading,
    see_success,
    sign_in,
    tile,
)
from tests.factories import City

pytestmark = pytest.mark.browser

CRITERIA = [
    "党政重视支持好",
    "组织基础建设好",
    "职工权益维护好",
    "各项活动开展好",
    "工作制度落实好",
    "开展工作效果好",
]
#: Where the union does not claim full marks, or claims that the clause does not apply.
TYPED_SCORES = {"G1.02": "２.5"}
COUNTS = {"G2.06": ("118", "1,20"), "G6.05": ("97", "100")}
NOT_APPLICABLE = {"G3.08": "本单位女职工不足十人，没有签订专项集体合同。"}


def small_png() -> bytes:
    """One red pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xb0\x1e\x23")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    )


#: The files that must be there, as (name, media type, content).
FILES = {
    "G1.03": ("工会牌匾照片.png", "image/png", small_png()),
    "G2.01": ("法人资格证书.pdf", "application/pdf", small_pdf("G2.01")),
    "G2.06": ("会员花名册.pdf", "application/pdf", small_pdf("G2.06")),
    "G6.05": ("民主测评统计.pdf", "application/pdf", small_pdf("G6.05")),
}


def test_a_union_from_self_assessment_to_the_summary(
    visit: Callable[..., Page], city: City, tmp_path: Path
):
    campaign = factories.make_campaign(endorsement=True)

    reporter = visit()
    sign_in(reporter, city.reporter)
    fill_in_everything(reporter, city)

    head = visit()
    sign_in(head, city.head)
    hand_in(head, "继续填报", total="99.49")

    township = visit()
    sign_in(township, city.township_head)
    endorse(township, city)

    lead = visit()
    sign_in(lead, city.lead)
    assign(lead, city)

    reviewer = visit()
    sign_in(reviewer, city.reviewer)
    follow(reviewer, "去评审")
    accept(reviewer, city)
    send_back(reviewer, "G1.02", "请核对经费拨付凭证后重新评分。")

    correct(head, "G1.02", remark="请核对经费拨付凭证后重新评分。", score="2")
    reply(head, "已补充经费拨付凭证，改为 2 分。")
    hand_in(head, "去修改", total="98.98")

    menu(reviewer, "评审任务")
    accept(reviewer, city)
    download_is_protected(reviewer, visit, city)
    score_everything(reviewer, lower=("G4.02", "3", "“安康杯”竞赛没有提供表彰材料，扣1分。"))

    decide(lead, city)
    timeline_tells_the_steps(lead, city)
    result_is_told_to_the_union(head, city)

    admin = visit()
    sign_in(admin, city.admin)
    summary = download_summary(admin, tmp_path)
    assert row_of(summary["基层工会"], "工会名称", city.own.name)[1:] == [
        city.own.code,
        city.own.name,
        city.county.name,
        city.township.name,
        "已评定",
        pytest.approx(98.98, abs=0.005),  # exact in the cell, to 0.01 for show
        *(14, "好", 20, "好", 23, "好", 11, "好", 18, "好", 10, "好"),
        pytest.approx(97.96, abs=0.005),
        "达标",
    ]
    county = row_of(summary["各县（市、区）汇总"], "县（市、区）", city.county.name, "基层工会")
    assert county[2:8] == [2, 1, 1, 1, 1, 1]  # what follows are formulas: test_exports.py
    assert summary["基层工会"]["A1"].value.startswith(campaign.name)


def test_a_unions_observer_finds_its_self_assessment(visit: Callable[..., Page], city: City):
    """The page may be read, so there must be a way to it from the first one."""
    draft = factories.make_self_assessment(city, factories.make_campaign(), filled=False)
    page = visit(draft.get_absolute_url(), signed_in=city.own_viewer)
    see_heading(page, city.own.name)
    menu(page, "工作台")
    assert page.locator(f"main a[href='{draft.get_absolute_url()}']").count() == 1


# --- 申报工会 -----------------------------------------------------------------------------------


def fill_in_everything(page: Page, city: City) -> None:
    see_heading(page, "我的工作台")
    press(page, "开始自评")
    see_heading(page, city.own.name)
    expect(page.locator("main")).to_contain_text("还有 55 处需要填写")
    tile(page, CRITERIA[0]).click()
    for title in CRITERIA:
        see_heading(page, title)
        for article in page.locator("article.indicator").all():
            answer(article)
        press(page, "保存并返回总览" if title == CRITERIA[-1] else "保存并到下一项")
        see_success(page, "已保存")
    expect(page.locator("main")).to_contain_text("都填好了。 请本工会负责人登录后签批提交。")
    expect(page.get_by_role("link", name="签批提交")).to_have_count(0)
    expect(tile(page, "职工权益维护好")).to_contain_text("已填 15 / 15 项")


def answer(article: Locator) -> None:
    """Everything that one indicator asks for."""
    code = article.locator(".code").inner_text()
    article.get_by_label("自评说明").fill(f"{code}：已按要求开展，资料齐全。")
    if code in NOT_APPLICABLE:
        article.get_by_label("本单位不适用这一条").check()
        article.get_by_label("不适用的理由").fill(NOT_APPLICABLE[code])
    elif code in COUNTS:
        for box, number in zip(article.locator(".counts input").all(), COUNTS[code], strict=True):
            box.fill(number)
        expect(article.locator("output")).to_contain_text("达到")
    elif article.get_by_role("group", name="逐项勾选已有的").count():
        for box in article.get_by_role("checkbox").all()[:-1]:  # the last says: none of these
            box.check()
    elif code in TYPED_SCORES:
        article.get_by_label("自评得分").fill(TYPED_SCORES[code])
    else:
        press(article, "满分")
    needs_file = article.get_by_text("须附材料").count() > 0
    assert needs_file == (code in FILES)
    if needs_file:
        name, media_type, content = FILES[code]
        article.get_by_label("添加佐证材料").set_input_files(
            {"name": name, "mimeType": media_type, "buffer": content}
        )
        expect(article.locator(".files")).to_contain_text(name)


def hand_in(page: Page, button: str, *, total: str) -> None:
    menu(page, "工作台")
    follow(page, button)
    expect(page.locator("main")).to_contain_text("可以签批提交。")
    follow(page, "签批提交")
    expect(page.locator("tfoot")).to_contain_text(total)
    press(page, "确认签批提交")
    expect(page.locator("main")).to_contain_text("请勾选确认后再提交。")
    page.get_by_label("本工会对申报内容和佐证材料的真实性负责").check()
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "确认签批提交")
    see_success(page, "已签批提交。")
    expect(page.locator(".lead-line .state")).to_have_text("已提交")


def reply(page: Page, text: str) -> None:
    """Every remark is answered before it can be handed in again."""
    menu(page, "工作台")
    follow(page, "去修改")
    follow(page, "逐条修改并答复")
    page.get_by_label("答复：改了什么").fill(text)
    press(page, "保存答复")
    see_success(page, "已全部答复")


def correct(page: Page, code: str, *, remark: str, score: str) -> None:
    """Only what was asked for can be changed; the rest of its page is there to be read."""
    menu(page, "工作台")
    follow(page, "去修改")
    expect(page.locator(".alert-danger")).to_contain_text(remark)
    follow(page.locator(".alert-danger"), re.compile(f"^{re.escape(code)} "))
    article = indicator(page, code)
    expect(article.locator(".wanted")).to_contain_text(remark)
    expect(page.locator("article.indicator").filter(has=page.locator("textarea"))).to_have_count(1)
    expect(indicator(page, "G1.01")).to_contain_text("G1.01：已按要求开展，资料齐全。")
    article.get_by_label("自评得分").fill(score)
    article.get_by_label("自评说明").fill("核对后改为 2 分，凭证附后。")
    name, media_type, content = "经费拨付凭证.pdf", "application/pdf", small_pdf("G1.02")
    article.get_by_label("添加佐证材料").set_input_files(
        {"name": name, "mimeType": media_type, "buffer": content}
    )
    press(page, "保存")
    see_success(page, "已保存")
    expect(indicator(page, code).get_by_role("link", name=name, exact=True)).to_be_visible()


# --- 上级工会和市总工会 ---------------------------------------------------------------------------


def endorse(page: Page, city: City) -> None:
    follow(page, "去初审")
    follow(page, city.own.name)
    follow(page, "初审推荐")
    press(page, "确认初审推荐")
    expect(page.locator("main")).to_contain_text("请填写推荐意见。")
    page.get_by_label("推荐意见").fill("经初审，材料属实，同意推荐。")
    press(page, "确认初审推荐")
    see_success(page, "已初审推荐。")
    expect(page.locator(".lead-line .state")).to_have_text("已初审")


def assign(page: Page, city: City) -> None:
    menu(page, "分派")
    page.get_by_label(f"选择 {city.own.name}").check()
    option = page.get_by_role("option", name=re.compile(f"^{city.reviewer.full_name}"))
    page.get_by_label("评审员", exact=True).select_option(option.get_attribute("value"))
    press(page, "分派")
    see_success(page, city.reviewer.full_name)
    expect(page.get_by_role("row").filter(has_text=city.own.name)).to_contain_text(
        city.reviewer.full_name
    )


def accept(page: Page, city: City) -> None:
    see_heading(page, "评审任务")
    follow(page, city.own.name)
    follow(page, "受理评审")
    press(page, "确认受理评审")
    see_success(page, "已受理，可以评分。")


def send_back(page: Page, code: str, remark: str) -> None:
    follow(page, "退回修改")
    press(page, "确认退回修改")
    expect(page.locator("main")).to_contain_text("请至少在一个指标上写明修改要求。")
    indicator(page, code).get_by_label("修改要求").fill(remark)
    press(page, "确认退回修改")
    see_success(page, "已退回")
    expect(page.locator(".lead-line .state")).to_have_text("退回修改")


def score_everything(page: Page, *, lower: tuple[str, str, str]) -> None:
    """Agree with the union, but for one indicator, which gets less, with the reason."""
    code, score, remark = lower
    follow(page, "去评审")
    tile(page, CRITERIA[0]).click()
    for title in CRITERIA:
        see_heading(page, title)
        press(page, "未评分的全部采用自评分")
        article = indicator(page, code)
        if article.count():
            expect(article.get_by_label("评审得分")).to_have_value("4")
            article.get_by_label("评审得分").fill(score)
        press(page, "保存并返回总览" if title == CRITERIA[-1] else "保存并到下一项")
        see_success(page, "评分已保存。")
    gaps = page.get_by_role("listitem").filter(has_text="低于满分，请写明理由").get_by_role("link")
    expect(gaps).to_have_count(2)
    for left in (1, 0):
        wanting = gaps.first.inner_text().split()[0]
        follow(page, re.compile(f"^{re.escape(wanting)} "))
        reason = remark if wanting == code else "同意自评扣分。"
        indicator(page, wanting).get_by_label("评审意见").fill(reason)
        press(page, "保存")
        see_success(page, "评分已保存。")
        follow(page, re.compile("示例机械制造有限公司"))
        expect(gaps).to_have_count(left)
    follow(page, re.compile(r"^G3\.08 "))
    indicator(page, "G3.08").get_by_label("认可，不计分").check()
    press(page, "保存")
    see_success(page, "评分已保存。")
    follow(page, re.compile("示例机械制造有限公司"))
    expect(page.locator(".facts").first).to_contain_text(re.compile(r"还差\s*0 处"))
    follow(page, "完成评审")
    page.get_by_label("评审意见").fill("材料齐全，同意达标。")
    press(page, "确认完成评审")
    see_success(page, "评审已完成。")
    see_heading(page, "评审任务")
    expect(page.locator("tbody")).to_contain_text("我已完成")


def decide(page: Page, city: City) -> None:
    """On a list for the meeting, and then all of the list in one act."""
    menu(page, "评定")
    row = page.get_by_role("row").filter(has_text=city.own.name)
    expect(row).to_contain_text(re.compile(r"98\.98.*97\.96.*达标（待定）", re.DOTALL))
    page.get_by_label(f"选择 {city.own.name}").check()
    press(page, "拟定名单")
    see_heading(page, "拟定名单")
    press(page, "拟定")
    see_success(page, "已拟定名单，列入 1 份。")
    page.get_by_label("评定意见").fill("同意评审意见。")
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "一并作出 1 份评定")
    see_success(page, "已作出 1 份评定。")
    follow(page, city.own.name)
    expect(page.locator(".facts").first).to_contain_text("达标（97.96 分）")


def timeline_tells_the_steps(page: Page, city: City) -> None:
    """What happened, without the uploads, each once it happened."""
    steps = page.locator(".timeline li strong").all_inner_texts()
    steps = [step for step in steps if step != "上传佐证材料"]
    oldest_first = steps if steps[0] == "开始自评" else steps[::-1]
    assert oldest_first == [
        "开始自评",
        "签批提交",
        "初审推荐",
        "分派评审员",
        "受理评审",
        "退回修改",
        "签批提交",
        "受理评审",
        "完成评审",
        "评定",
    ]
    timeline = page.locator(".timeline")
    for person in (city.reporter, city.head, city.township_head, city.reviewer, city.lead):
        expect(timeline).to_contain_text(person.full_name)
    for name, _, _ in FILES.values():
        expect(timeline).to_contain_text(f"《{name}》")


def result_is_told_to_the_union(page: Page, city: City) -> None:
    """The union reads the outcome and the steps, but not who reviewed it."""
    menu(page, "工作台")
    follow(page, "查看")
    expect(page.locator(".facts").first).to_contain_text("达标（97.96 分）")
    expect(page.locator(".timeline")).to_contain_text("完成评审")
    expect(page.locator("main")).not_to_contain_text(city.reviewer.full_name)


def download_is_protected(page: Page, visit: Callable[..., Page], city: City) -> None:
    """The reviewer gets the very file; another union's head and a passer-by do not."""
    name, _, content = FILES["G1.03"]
    follow(page, "去评审")
    tile(page, CRITERIA[0]).click()
    file = indicator(page, "G1.03").get_by_role("link", name=name, exact=True)
    # A click opens it in place (see test_desk); it has a page of its own, too.
    page.goto(urljoin(page.url, file.get_attribute("href")))
    see_heading(page, name)
    link = page.get_by_role("link", name="下载", exact=True)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == name
    assert download.value.path().read_bytes() == content
    address = link.get_attribute("href")
    assert address
    stranger = visit()
    turned_away = stranger.request.get(address)
    assert "/accounts/login/" in turned_away.url
    sign_in(stranger, city.foreign_head)
    assert stranger.request.get(address).status == 404
    follow(page, "返回")
    follow(page, city.own.name)
    follow(page, "申报总览与办理记录")


# --- 汇总 ---------------------------------------------------------------------------------------


def download_summary(page: Page, folder: Path) -> openpyxl.Workbook:
    menu(page, "汇总")
    follow(page, "生成 Excel 汇总表")
    press(page, "生成")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^下载")).click()
    assert download.value.suggested_filename.endswith(".xlsx")
    path = folder / "summary.xlsx"
    download.value.save_as(path)
    return openpyxl.load_workbook(path)


def row_of(sheet: Any, heading: str, *first: str) -> list[Any]:
    """The one row whose cells from the column with this heading on are these."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    column = next(row.index(heading) for row in rows if heading in row)
    (found,) = [row for row in rows if row[column : column + len(first)] == list(first)]
    return found
