"""An administrator imports the register of a county, and the pages around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from organizations.models import Organization
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import follow, press, see_heading, see_success
from tests.browser.test_accessibility import findings
from tests.factories import City
from tests.organizations.importing.files import text, union, workbook

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
#: What ten thousand rows may take on a busy machine.
PATIENCE = 60_000


@pytest.fixture
def listing(city: City, tmp_path: Path) -> Path:
    """Ten thousand new unions below the two townships."""
    townships = (city.township.code, city.other_township.code)
    path = tmp_path / "全市名册.xlsx"
    path.write_bytes(
        workbook(
            union(f"N-{n:05}", f"示例第{n}工会委员会", townships[n % 2])
            | {"单位性质": "企业", "职工人数": 30, "会员人数": 29}
            for n in range(10_000)
        )
    )
    return path


@pytest.fixture
def faulty(city: City, tmp_path: Path) -> Path:
    path = tmp_path / "错误名册.csv"
    path.write_bytes(
        text(
            [
                union("N-1", "示例甲工会", city.township.code),
                union("N-2", "示例乙工会", "没有这个乡镇") | {"职工人数": "几十"},
            ]
        )
    )
    return path


def upload(page: Page, path: Path) -> None:
    """From the page of the uploads, by the form."""
    page.get_by_label("名册文件").set_input_files(path)
    press(page, "上传并核对")


def see_preview(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("名册预览", timeout=PATIENCE)


def tabs(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="分类").get_by_role("link").all_inner_texts()


def rows(page: Page) -> int:
    return page.locator("main tbody tr").count()


def test_ten_thousand_unions_come_in_once(visit: Visit, city: City, listing: Path):
    page = visit(f"/organizations/{city.city.pk}/", signed_in=city.admin)
    follow(page, "导入名册")
    upload(page, listing)
    expect(page.locator(".progress-box")).to_contain_text("正在上传")
    expect(page.get_by_role("button", name="上传并核对")).to_be_disabled()

    see_preview(page)
    assert "/imports/" in page.url
    assert tabs(page) == ["新增 10000"]
    assert rows(page) == 50
    expect(page.locator("main tbody tr").first).to_contain_text("N-00000")
    follow(page, "下一页")
    expect(page.locator("main tbody tr").first).to_contain_text("N-00050")
    expect(page.locator(".pages")).to_contain_text("第 2 页 / 共 200 页（10000 条）")
    assert not Organization.objects.filter(code="N-00000").exists()

    press(page, "确认导入")
    expect(page.locator(".progress-box")).to_contain_text("正在导入…")
    expect(page.locator(".alert-success")).to_contain_text("导入完成。", timeout=PATIENCE)
    expect(page.locator(".lead-line")).to_contain_text("已导入")
    assert (
        Organization.objects.subtree_of(city.township).filter(code__startswith="N-").count() == 5000
    )

    follow(page, "返回导入名册")
    upload(page, listing)
    see_preview(page)
    assert tabs(page) == ["不变 10000"]
    see_success(page, "名册与系统中的登记完全一致，不需要导入。")


def test_faults_are_shown_with_their_cells(visit: Visit, city: City, faulty: Path):
    page = visit("/imports/", signed_in=city.admin)
    upload(page, faulty)
    see_preview(page)
    assert tabs(page) == ["有错误 1", "新增 1"]
    expect(page.locator(".alert-danger")).to_contain_text("有 1 行存在错误，什么都没有导入。")
    errors = page.locator("main tbody .field-error")
    assert [" ".join(error.split()) for error in errors.all_inner_texts()] == [
        "G3 职工人数：应为人数：不带小数的数字。",
        "D3 上级工会：找不到上级工会“没有这个乡镇”。",
    ]
    expect(page.get_by_role("button", name="确认导入")).to_have_count(0)
    follow(page, "改好了，重新上传")
    see_heading(page, "导入名册")


def test_a_file_that_is_no_list_is_refused_on_the_spot(
    visit: Visit, watch: Watch, city: City, tmp_path: Path
):
    watch.forgiven.append("422")
    other = tmp_path / "网页.xls"
    other.write_text("<html><table></table></html>", encoding="utf-8")
    good = tmp_path / "名册.csv"
    good.write_bytes(text([union("N-1", "示例甲工会", city.township.code)]))
    page = visit("/imports/", signed_in=city.admin)
    upload(page, other)
    expect(page.locator(".invalid-feedback")).to_contain_text("这是网页格式的文件，只是改了后缀。")
    upload(page, good)
    see_preview(page)
    assert tabs(page) == ["新增 1"]


def test_sending_without_a_file_says_what_is_missing(visit: Visit, watch: Watch, city: City):
    watch.forgiven.append("422")
    page = visit("/imports/", signed_in=city.admin)
    press(page, "上传并核对")
    expect(page.locator(".invalid-feedback")).to_contain_text("请选择文件。")


def test_a_broken_connection_is_told_and_the_file_is_still_there(
    visit: Visit, watch: Watch, city: City, faulty: Path
):
    watch.forgiven.append("ERR_INTERNET_DISCONNECTED")
    page = visit("/imports/", signed_in=city.admin)
    page.context.set_offline(True)
    upload(page, faulty)
    expect(page.locator(".progress-box")).to_contain_text("没有送达。")
    page.context.set_offline(False)
    press(page, "上传并核对")
    see_preview(page)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(visit: Visit, city: City, faulty: Path, device: dict[str, object]):
    page = visit("/imports/", signed_in=city.admin, **device)
    found = findings(page)
    upload(page, faulty)
    see_preview(page)
    found += findings(page)
    page.get_by_role("link", name="新增 1").click()
    expect(page.get_by_role("link", name="新增 1")).to_have_attribute("aria-current", "page")
    for address in (
        page.url,
        "/imports/",
        f"/organizations/{city.city.pk}/",
        f"/organizations/{city.own.pk}/",
        f"/organizations/{city.own.pk}/edit/",
        f"/organizations/{city.own.pk}/move/",
        f"/organizations/{city.own.pk}/merge/",
        f"/organizations/{city.township.pk}/dissolve/",
        f"/organizations/{city.township.pk}/add/",
        "/organizations/?q=示例",
    ):
        page.goto(address)
        found += findings(page)
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if width > 0:
            found.append(f"{page.url} is {width} px wider than the screen")
    assert found == []
