"""Uploading as people do it: several at once, over a bad line, from a phone; looking at files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Locator, Page, Request, Route, expect

from assessments import evidence, worksheet
from assessments.models import Attachment, Evidence, PartialUpload, SelfAssessment
from organizations.models import User
from tests import factories
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import indicator, press, see_heading, see_success, sign_in
from tests.factories import City
from tests.uploads import PDF, PNG, picture

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
PIECES = "**/evidence/uploads/*-*/"
TYPED = "党组织每季度听取一次工会汇报。"


@pytest.fixture
def draft(city: City) -> SelfAssessment:
    return factories.make_self_assessment(city, factories.make_campaign(), filled=False)


@pytest.fixture
def page(visit: Visit, city: City, draft: SelfAssessment) -> Page:
    return open_sheet(visit, city.reporter, draft)


def open_sheet(visit: Visit, user: User, draft: SelfAssessment, **device: object) -> Page:
    address = reverse("assessments:self_assessment_criterion", args=[draft.pk, 1])
    return visit(address, signed_in=user, **device)


def large_pdf(folder: Path, name: str = "大文件.pdf", megabytes: int = 3) -> Path:
    path = folder / name
    path.write_bytes(PDF + os.urandom(megabytes * 1024 * 1024) + b"\n%%EOF\n")
    return path


def picker(page: Page, code: str = "G1.01") -> Locator:
    return indicator(page, code).get_by_label("添加佐证材料")


def files(page: Page, code: str = "G1.01") -> Locator:
    return indicator(page, code).locator(".files .file-name")


def queue(page: Page, code: str = "G1.01") -> Locator:
    return indicator(page, code).locator(".upload")


def stored(draft: SelfAssessment, code: str = "G1.01") -> list[str]:
    attachments = Attachment.objects.filter(
        answer__self_assessment=draft, answer__indicator__code=code
    )
    return [one.evidence.name for one in attachments.select_related("evidence")]


def upload_of(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


# --- Several at once --------------------------------------------------------------------------------


def test_several_at_once_in_their_order_beside_what_is_typed(page: Page, draft: SelfAssessment):
    account = indicator(page, "G1.01").get_by_label("自评说明")
    account.fill(TYPED)
    chosen = [upload_of(f"照片{n}.png", picture("PNG", (n + 1, 9))) for n in range(6)]
    picker(page).set_input_files([upload_of("会议.pdf", PDF), *chosen])
    expect(files(page)).to_have_text(["会议.pdf", *(f"照片{n}.png" for n in range(6))])
    expect(queue(page)).to_have_count(0)
    expect(indicator(page, "G1.01").locator("[data-summary]")).to_have_text("已传好 7 个")
    expect(account).to_have_value(TYPED)
    thumbnail = indicator(page, "G1.01").locator(".file-thumb img").first
    thumbnail.scroll_into_view_if_needed()
    page.wait_for_function(
        "image => image.complete && image.naturalWidth > 0", arg=thumbnail.element_handle()
    )
    assert stored(draft)[0] == "会议.pdf"
    expect(indicator(page, "G1.01").get_by_text("本次申报的材料：已用")).to_be_visible()

    press(page, "保存")
    see_success(page, "已保存。")
    expect(files(page)).to_have_count(7)


def test_a_bad_one_among_good_ones_says_why(page: Page, watch: Watch):
    watch.forgiven.append("422")
    picker(page).set_input_files(
        [
            upload_of("程序.pdf", b"MZ\x90\x00" + bytes(64)),
            upload_of("空.pdf", b""),
            upload_of("好.pdf", PDF),
        ]
    )
    expect(files(page)).to_have_text(["好.pdf"])
    expect(queue(page).nth(0)).to_contain_text("“程序.pdf”没有上传：这是程序，不能上传。")
    expect(queue(page).nth(1)).to_contain_text("“空.pdf”是空文件，没有上传。")
    press(queue(page).nth(0), "关闭 程序.pdf")
    expect(queue(page)).to_have_count(1)


def test_files_are_dropped_on_their_indicator(page: Page, draft: SelfAssessment):
    transfer = page.evaluate_handle(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "拖来的.pdf"));
          return data;
        }""",
        list(PDF),
    )
    indicator(page, "G1.02").locator("[data-drop]").dispatch_event(
        "drop", {"dataTransfer": transfer}
    )
    expect(files(page, "G1.02")).to_have_text(["拖来的.pdf"])
    # Beside its place a file is caught too: else the browser would leave the page for it.
    transfer = page.evaluate_handle(
        "() => { const d = new DataTransfer(); d.items.add(new File(['x'], 'x')); return d; }"
    )
    prevented = page.evaluate(
        """data => !document.body.dispatchEvent(new DragEvent("drop",
           { dataTransfer: data, bubbles: true, cancelable: true }))""",
        transfer,
    )
    assert prevented
    assert stored(draft, "G1.02") == ["拖来的.pdf"]


def test_arranging_in_place(page: Page, draft: SelfAssessment):
    account = indicator(page, "G1.01").get_by_label("自评说明")
    account.fill(TYPED)
    picker(page).set_input_files([upload_of("一.pdf", PDF), upload_of("二.png", PNG)])
    expect(files(page)).to_have_count(2)
    press(indicator(page, "G1.01"), "上移 二.png")
    expect(files(page)).to_have_text(["二.png", "一.pdf"])
    press(indicator(page, "G1.01"), "移除 一.pdf")
    expect(files(page)).to_have_text(["二.png"])
    expect(indicator(page, "G1.01")).to_contain_text("文件还在材料库里")
    expect(account).to_have_value(TYPED)
    assert stored(draft) == ["二.png"]


def test_saving_waits_for_the_files(page: Page, draft: SelfAssessment):
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            waiting.append(route)
        else:
            route.continue_()

    page.route(PIECES, hold)
    indicator(page, "G1.01").get_by_label("自评说明").fill(TYPED)
    with page.expect_request(PIECES):
        picker(page).set_input_files(upload_of("会议.pdf", PDF))
    press(page, "保存")
    expect(indicator(page, "G1.01").locator("[data-summary]")).to_contain_text("传完后自动保存")
    assert stored(draft) == []
    waiting[0].continue_()
    see_success(page, "已保存。")
    expect(files(page)).to_have_text(["会议.pdf"])
    expect(indicator(page, "G1.01").get_by_label("自评说明")).to_have_value(TYPED)


# --- A bad line -------------------------------------------------------------------------------------


def count_offsets(page: Page) -> list[int]:
    """The offsets of the pieces as they are sent."""
    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return offsets


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_cut_connection_is_gone_on_with_where_it_was(
    visit: Visit,
    city: City,
    draft: SelfAssessment,
    watch: Watch,
    tmp_path: Path,
    device: dict[str, object],
):
    page = open_sheet(visit, city.reporter, draft, **device)
    watch.forgiven.append("ERR_")
    offsets = count_offsets(page)
    cuts = iter([False, True, False, True])

    def cut(route: Route) -> None:
        if route.request.method == "PATCH" and next(cuts, False):
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(PIECES, cut)
    path = large_pdf(tmp_path)
    picker(page).set_input_files(path)
    expect(files(page)).to_have_text(["大文件.pdf"], timeout=30_000)
    again = [offset for offset in offsets if offsets.count(offset) > 1]
    assert len(set(again)) == 2
    assert offsets.count(0) == 1
    assert Evidence.objects.get().stored_file.file.open("rb").read() == path.read_bytes()


def break_off(page: Page, path: Path) -> None:
    """Send the first piece of a file; then the line is dead."""
    sent = []

    def dead(route: Route) -> None:
        if route.request.method == "PATCH" and sent:
            route.abort("connectionreset")
        else:
            sent.extend([1] if route.request.method == "PATCH" else [])
            route.continue_()

    page.route(PIECES, dead)
    picker(page).set_input_files(path)
    expect(queue(page)).to_contain_text("网络中断，恢复后会接着传")


def test_after_closing_the_window_the_same_file_goes_on(
    page: Page, draft: SelfAssessment, watch: Watch, tmp_path: Path
):
    watch.forgiven.append("ERR_")
    path = large_pdf(tmp_path)
    break_off(page, path)
    begun = PartialUpload.objects.get()
    assert 0 < begun.offset < begun.size

    page.unroute(PIECES)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(queue(page)).to_contain_text("大文件.pdf")
    expect(queue(page)).to_contain_text("请再选一次这个文件，接着传。")
    offsets = count_offsets(page)
    picker(page).set_input_files(path)
    expect(files(page)).to_have_text(["大文件.pdf"])
    expect(queue(page)).to_have_count(0)
    assert offsets[0] == begun.offset
    assert Evidence.objects.get().stored_file.file.open("rb").read() == path.read_bytes()


def test_cancelling(page: Page, draft: SelfAssessment, watch: Watch, tmp_path: Path):
    watch.forgiven.append("ERR_")
    break_off(page, large_pdf(tmp_path))
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        press(queue(page), "取消 大文件.pdf")
    expect(queue(page)).to_have_count(0)
    assert not PartialUpload.objects.exists()
    assert stored(draft) == []


def test_cancelling_what_was_left_from_last_time(page: Page, watch: Watch, tmp_path: Path):
    watch.forgiven.append("ERR_")
    break_off(page, large_pdf(tmp_path))
    page.once("dialog", lambda dialog: dialog.accept())
    page.unroute(PIECES)
    page.reload()
    press(queue(page), "不传了")
    expect(queue(page)).to_have_count(0)
    assert not PartialUpload.objects.exists()


def test_a_full_disk_is_told_and_tried_again(
    page: Page, draft: SelfAssessment, watch: Watch, monkeypatch: pytest.MonkeyPatch
):
    watch.forgiven.append("507")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(default_storage, "save", full)
        picker(page).set_input_files(upload_of("会议.pdf", PDF))
        expect(queue(page)).to_contain_text("服务器存储空间不足")
    press(queue(page), "重试 会议.pdf")
    expect(files(page)).to_have_text(["会议.pdf"])
    assert stored(draft) == ["会议.pdf"]


def test_an_expired_session_waits_for_the_sign_in(
    page: Page, city: City, draft: SelfAssessment, watch: Watch
):
    watch.forgiven.append("401")
    page.context.clear_cookies(name="sessionid")
    picker(page).set_input_files(upload_of("会议.pdf", PDF))
    expect(queue(page)).to_contain_text("登录已过期")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="在新窗口登录").click()
    sign_in(opened.value, city.reporter)
    opened.value.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(files(page)).to_have_text(["会议.pdf"])
    assert stored(draft) == ["会议.pdf"]


def test_a_file_that_changes_on_its_way_is_noticed(
    page: Page, draft: SelfAssessment, watch: Watch, tmp_path: Path
):
    watch.forgiven.append("ERR_")
    path = large_pdf(tmp_path)
    break_off(page, path)
    path.write_bytes(path.read_bytes() + b"more")
    expect(queue(page)).to_contain_text("文件在上传期间有改动或已移走", timeout=30_000)
    assert stored(draft) == []


# --- On a phone -------------------------------------------------------------------------------------


def test_a_photo_is_taken_and_uploaded_on_a_phone(visit: Visit, city: City, draft: SelfAssessment):
    page = open_sheet(visit, city.reporter, draft, **PHONE)
    with page.expect_file_chooser() as chooser:
        press(indicator(page, "G1.01"), "拍照上传")
    field = chooser.value.element
    assert (field.get_attribute("accept"), field.get_attribute("capture")) == (
        "image/*",
        "environment",
    )
    chooser.value.set_files([upload_of("IMG_20260308.jpg", picture("JPEG", (800, 600)))])
    expect(files(page)).to_have_text(["IMG_20260308.jpg"])
    width = PHONE["viewport"]["width"]
    for address in (
        page.url,
        reverse("assessments:library"),
        reverse("assessments:indicator_evidence", args=[draft.pk, "G1.01"]),
        *(
            reverse(f"assessments:evidence_{name}", args=[Evidence.objects.get().pk])
            for name in ("view", "edit", "use", "delete")
        ),
    ):
        page.goto(address)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") == width, address


# --- The library and the viewer ---------------------------------------------------------------------


def test_the_library_takes_files_and_gives_them_to_indicators(
    visit: Visit, city: City, draft: SelfAssessment
):
    page = visit(reverse("assessments:library"), signed_in=city.reporter)
    with page.expect_navigation():
        page.get_by_label("添加佐证材料").set_input_files(
            [upload_of("会议.pdf", PDF), upload_of("照片.png", PNG)]
        )
    expect(page.locator(".files .file-name")).to_have_count(2)
    page.get_by_role("link", name="附到指标 会议.pdf").click()
    page.get_by_label("G1.02").check()
    press(page, "附到所选指标")
    see_success(page, "已附到 1 个指标")
    assert stored(draft, "G1.02") == ["会议.pdf"]


def test_a_pdf_opens_in_the_browsers_viewer_and_a_picture_on_the_page(
    visit: Visit, city: City, draft: SelfAssessment
):
    first = worksheet.load(draft, 1)[0].lines[0].indicator
    uploads = [SimpleUploadedFile("会议.pdf", PDF), SimpleUploadedFile("照片.png", PNG)]
    evidence.attach(draft, first, uploads, User.objects.get(pk=city.reporter.pk))
    pdf, image = Evidence.objects.get(name="会议.pdf"), Evidence.objects.get(name="照片.png")
    page = visit(reverse("assessments:evidence_view", args=[pdf.pk]), signed_in=city.reporter)
    see_heading(page, "会议.pdf")
    page.wait_for_function("document.querySelector('iframe') !== null")
    for _ in range(100):
        if any(frame.url.startswith("chrome-extension://") for frame in page.frames):
            break
        page.wait_for_timeout(100)
    assert any(frame.url.startswith("chrome-extension://") for frame in page.frames), [
        frame.url for frame in page.frames
    ]
    page.goto(reverse("assessments:evidence_view", args=[image.pk]))
    shown = page.locator(".viewer img")
    page.wait_for_function("image => image.naturalWidth === 40", arg=shown.element_handle())
