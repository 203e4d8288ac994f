"""先进经验 on the pages: written, forwarded, edited and published; what is public, and bad input."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from assessments import cases, orphans
from assessments.choices import CaseState, State
from assessments.models import CasePhoto, ExemplaryCase, StoredFile
from organizations import audit
from organizations.choices import Act
from tests import factories
from tests.assessments.views.test_notices import HOSTILE
from tests.factories import make_case, make_self_assessment
from tests.uploads import PDF, PNG, picture

pytestmark = pytest.mark.django_db

GALLERY, DESK = "/cases/", "/cases/desk/"


def fields(case, **changes):
    return {
        "title": "送清凉进车间",
        "body": "<div>高温天<strong>慰问</strong>一线职工。</div>",
        "criterion": case.criterion_id,
        "year": case.year,
        "seen": case.stamp,
    } | changes


def post_as(client, user, url, posted):
    client.force_login(user)
    return client.post(url, posted, follow=True)


def edit_url(case):
    return reverse("assessments:case_edit", args=[case.pk])


def public_url(case):
    return reverse("assessments:case", args=[case.pk])


def act(client, user, case, name, **posted):
    case.refresh_from_db()
    url = reverse("assessments:case_act", args=[case.pk, name])
    return post_as(client, user, url, {"seen": case.stamp} | posted)


def located_jpeg():
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", size=(2400, 1200), exif=exif)


def test_from_the_union_to_everybody(client, city):
    criterion = make_case(city, title="别的").criterion
    add = reverse("assessments:case_add", args=[city.own.pk])
    photos = [SimpleUploadedFile(f"{n}.png", picture(color=(n, 0, 0))) for n in (1, 2)]
    posted = {"title": "送清凉进车间", "body": "<p>高温天慰问。</p>", "photos": photos, "seen": 0}
    posted |= {"criterion": criterion.pk, "year": factories.today().year}
    post_as(client, city.head, add, posted)
    case = ExemplaryCase.objects.get(title="送清凉进车间")
    first, second = case.photos.all()
    act(client, city.head, case, "submit")
    act(client, city.township_head, case, "forward")
    edited = {"title": "编辑后的标题", "body": "<p>编辑后的正文</p>", "hidden": [second.pk]}
    case.refresh_from_db()
    post_as(client, city.lead, edit_url(case), edited | {"seen": case.stamp})
    client.logout()
    assert client.get(public_url(case)).status_code == 404
    act(client, city.lead, case, "publish")
    client.logout()
    page = client.get(public_url(case)).content.decode()
    assert "编辑后的标题" in page
    assert "编辑后的正文" in page
    assert "送清凉" not in page
    assert not any(user.full_name in page for user in city.users().values())
    for photo, expected in ((first, 200), (second, 404)):
        for name in ("case_photo", "case_thumbnail"):
            url = reverse(f"assessments:{name}", args=[photo.pk])
            assert client.get(url).status_code == expected
    client.force_login(city.head)
    page = client.get(case.get_absolute_url()).content.decode()
    assert "高温天慰问。" in page
    assert "编辑后的正文" in page
    assert Act.CASE_EDITED in [event.action for event in audit.events_of(case)]


def test_the_public_finds_what_is_published_and_nothing_else(client, city):
    for state in CaseState:
        if state == CaseState.NOMINATED:
            continue
        case = make_case(city, title=f"状态{state}")
        photo = cases.add_photo(case, SimpleUploadedFile("照片.png", PNG), city.head)
        factories.lead_case(case, city, state)
        client.logout()
        shown = 200 if state == CaseState.PUBLISHED else 404
        gone = 410 if state == CaseState.WITHDRAWN else shown
        assert client.get(public_url(case)).status_code == gone
        url = reverse("assessments:case_photo", args=[photo.pk])
        assert client.get(url).status_code == shown, state
        assert client.get(case.get_absolute_url()).status_code == 302
    titles = [one.title for one in client.get(GALLERY).context["cases"]]
    assert titles == ["状态PUBLISHED"]


def test_withdrawn_while_somebody_reads(client, city):
    case = make_case(city, CaseState.PUBLISHED)
    assert client.get(public_url(case)).status_code == 200
    act(client, city.head, case, "withdraw")
    client.logout()
    page = client.get(public_url(case))
    assert page.status_code == 410
    assert "已由发布单位撤回" in page.content.decode()
    assert case.title not in page.content.decode()
    # Whoever wanted to edit it meanwhile is told as well.
    client.force_login(city.lead)
    page = client.post(edit_url(case), fields(case), follow=True)
    assert "已撤回，现在不能修改" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tier=GRASSROOTS", True),
        ("tier=COUNTY", False),
        ("criterion=1", True),
        ("criterion=2", False),
        ("criterion=99&tier=PLANET&of_year=abc&county=zz&page=99", True),
        ("county={own}", True),
        ("county={other}", False),
        ("of_year={year}", True),
        ("q=机械", True),
        ("q=没有", False),
    ],
)
def test_the_gallery_is_narrowed(client, city, query, found):
    case = make_case(city, CaseState.PUBLISHED)
    query = query.format(own=city.county.code, other=city.other_county.code, year=case.year)
    assert list(client.get(f"{GALLERY}?{query}").context["cases"]) == [case] * found


def test_the_gallery_comes_in_pages(client, city):
    for number in range(13):
        make_case(city, CaseState.PUBLISHED, title=f"第{number}篇")
    assert len(client.get(GALLERY).context["cases"]) == 12
    assert len(client.get(f"{GALLERY}?page=2").context["cases"]) == 1


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("who", ["head", "lead"])
def test_nothing_hostile_is_kept(client, city, hostile, who):
    case = make_case(city, CaseState.DRAFT if who == "head" else CaseState.PUBLISHED)
    title, body = f"标题{hostile}"[:120], f"<div>正文</div>{hostile}"
    post_as(client, getattr(city, who), edit_url(case), fields(case, title=title, body=body))
    case.refresh_from_db()
    kept = (case.body if who == "head" else case.edited_body).lower().replace("&lt;", "")
    assert "正文" in kept
    for bad in ("<script", "<img", "javascript:", "data:", "style", "onerror=", "onclick=",
                "<iframe", "<svg", "<math", "<form", "<input", "<base"):  # fmt: skip
        assert bad not in kept
    for url in (case.get_absolute_url(), public_url(case), GALLERY, DESK):
        assert hostile not in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": "  "}, "请填写标题。"),
        ({"title": "长" * 121}, "最多 120 字"),
        ({"body": ""}, "请填写正文。"),
        ({"body": "<div><br></div>&nbsp;"}, "请填写正文。"),
        ({"body": "长" * 100_000}, "正文太长"),
        ({"criterion": ""}, "请选择对应的“好”。"),
        ({"criterion": "999999"}, "请从列表中选择。"),
        ({"year": "1900"}, "请从列表中选择年度。"),
    ],
)
def test_bad_input_is_answered_at_the_field(client, city, changes, message):
    case = make_case(city, title="原来的")
    page = post_as(client, city.head, edit_url(case), fields(case, **changes)).content.decode()
    assert message in page
    assert ("送清凉进车间" in page) == ("title" not in changes)
    case.refresh_from_db()
    assert case.title == "原来的"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("程序.exe", b"MZ\x90", "没有上传"),
        ("方案.pdf", PDF, "“方案.pdf”不是照片"),
        ("空.png", b"", "是空文件"),
        ("坏.png", PNG[:40], "已损坏或不完整"),
        ("藏.png", PNG + b"PK\x05\x06" + b"\0" * 18, "藏有另一种文件"),
        ("炸弹.png", picture(size=(20_000, 10_000), color=1), "万像素"),
        ("很大.jpg", b"\xff" * (20 * 1024 * 1024 + 1), "超过 20 MB"),
    ],
)
def test_a_photo_of_the_wrong_kind_is_refused_and_the_text_kept(
    client, city, name, content, message
):
    case = make_case(city)
    upload = SimpleUploadedFile(name, content)
    page = post_as(client, city.head, edit_url(case), fields(case, title="新的", photos=upload))
    assert message in page.content.decode()
    case.refresh_from_db()
    assert (case.title, case.photos.count()) == ("新的", 0)
    assert not StoredFile.objects.exists()


def test_a_photo_is_made_anew_and_tells_no_place(client, city):
    case = make_case(city)
    content = located_jpeg()
    assert b"SECRET-PLACE" in content
    photos = [SimpleUploadedFile("王某某家.jpg", content) for _ in range(2)]
    post_as(client, city.head, edit_url(case), fields(case, photos=photos))
    photo = CasePhoto.objects.get()  # twice is once
    for name in ("case_photo", "case_thumbnail"):
        response = client.get(reverse(f"assessments:{name}", args=[photo.pk]))
        kept = b"".join(response.streaming_content)
        assert "王" not in response.get("Content-Disposition", "")
        with Image.open(io.BytesIO(kept)) as image:
            assert (image.format, dict(image.getexif())) == ("WEBP", {})
            assert max(image.size) <= 1600
        assert b"SECRET-PLACE" not in kept
    StoredFile.objects.update(stored_at="2020-01-01T00:00Z")
    assert orphans.unused_files() == []
    case.refresh_from_db()
    post_as(client, city.head, edit_url(case), fields(case, remove=[photo.pk]))
    assert not StoredFile.objects.exists()


def test_no_more_than_nine_photos(client, city):
    case = make_case(city)
    photos = [SimpleUploadedFile(f"{n}.png", picture(color=(n * 25, 0, 0))) for n in range(10)]
    page = post_as(client, city.head, edit_url(case), fields(case, photos=photos))
    assert "最多 9 张照片，“9.png”没有上传" in page.content.decode()
    assert case.photos.count() == 9


@pytest.mark.parametrize(("state", "who"), [(CaseState.DRAFT, "head"), ("PUBLISHED", "lead")])
def test_two_editors_at_once(client, city, state, who):
    case = make_case(city, state)
    user = getattr(city, who)
    post_as(client, user, edit_url(case), fields(case, title="甲写的"))
    page = post_as(client, user, edit_url(case), fields(case, title="乙写的"))
    assert page.status_code == 409
    assert "刚刚有了变化" in page.content.decode()
    assert "对方保存的：甲写的" in page.content.decode()
    assert 'value="乙写的"' in page.content.decode()
    seen = page.context["seen"]
    post_as(client, user, edit_url(case), fields(case, title="乙写的", seen=seen))
    case.refresh_from_db()
    assert (case.edited_title or case.title) == "乙写的"


def test_a_stale_page_decides_nothing(client, city):
    case = make_case(city, CaseState.FORWARDED)
    page = act(client, city.lead, case, "publish", seen=case.stamp - 1)
    assert page.status_code == 409
    page = act(client, city.lead, case, "decline")
    assert "请填写原因" in page.content.decode()
    case.refresh_from_db()
    assert case.state == CaseState.FORWARDED


def test_another_county_finds_nothing(client, city):
    case = make_case(city, CaseState.SUBMITTED)
    client.force_login(city.foreign_head)
    for url in (case.get_absolute_url(), edit_url(case)):
        assert client.get(url).status_code == 404
    assert act(client, city.foreign_head, case, "submit").status_code == 404
    assert list(client.get(DESK).context["cases"]) == []


def test_nominated_at_one_touch(client, city, campaign):
    review = make_self_assessment(city, campaign, State.UNDER_REVIEW).reviews.get()
    client.force_login(city.reviewer)
    page = client.get(reverse("assessments:review_criterion", args=[review.pk, 1]))
    url = reverse("assessments:review_nominate", args=[review.pk, "G1.01"])
    assert f'formaction="{url}"' in page.content.decode()
    page = client.post(url, follow=True).content.decode()
    assert "等该工会确认" in page
    assert "已经提名过" in client.post(url, follow=True).content.decode()
    assert client.post(url.replace("G1.01", "X9.99")).status_code == 404
    case = ExemplaryCase.objects.get()
    client.force_login(city.head)
    page = client.get(case.get_absolute_url()).content.decode()
    assert "本单位报送之前，别人看不到" in page
    assert city.reviewer.full_name not in page
