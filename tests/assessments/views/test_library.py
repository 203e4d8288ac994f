"""材料库: what a union keeps, uses again, describes and deletes."""

import datetime as dt
import io

import pytest
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from assessments import evidence, files, library, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Attachment, Evidence, StoredFile
from organizations.models import AuditEvent, User
from tests.assessments.views.test_uploading import attached, send, stored_paths
from tests.factories import make_campaign, make_self_assessment, perform, send_back, today
from tests.uploads import DOCX, JPG, PDF, PNG, picture

pytestmark = pytest.mark.django_db

LIBRARY = "/evidence/"


@pytest.fixture
def client(client, city):
    client.force_login(city.reporter)
    return client


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, filled=False)


def add(city, name="会议.pdf", content=PDF):
    return library.add(city.own, SimpleUploadedFile(name, content), city.reporter)


def address(name, *args):
    return reverse(f"assessments:{name}", args=args)


def indicator_page(assessment, code="G1.01"):
    return address("indicator_evidence", assessment.pk, code)


def page(client, url):
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


# --- Keeping ------------------------------------------------------------------------------------


def test_files_are_kept_before_there_is_an_assessment(client, city):
    uploads = [SimpleUploadedFile("一.pdf", PDF), SimpleUploadedFile("坏.pdf", b"MZ" + bytes(9))]
    response = client.post(LIBRARY, {"files": uploads}, follow=True)
    html = response.content.decode()
    assert "已存入 1 个文件。" in html
    assert "“坏.pdf”的类型不能接受，没有上传" in html
    kept = Evidence.objects.get()
    assert (kept.organization, kept.uploaded_by, kept.name) == (city.own, city.reporter, "一.pdf")
    assert kept.stored_file.sha256 in html
    assert "王填报上传" in html
    assert "还没有用到" in html
    assert "共可用 1000 MB" in html
    event = AuditEvent.objects.filter(action="EVIDENCE_ADD").get()
    assert event.details["sha256"] == kept.stored_file.sha256


def test_a_library_is_its_unions_own(client, city):
    add(city, "机密.pdf")
    assert "机密.pdf" in page(client, LIBRARY)
    for user in (city.head, city.own_viewer):
        client.force_login(user)
        assert "机密.pdf" in page(client, LIBRARY)
    client.force_login(city.sibling_head)
    assert "机密.pdf" not in page(client, LIBRARY)
    assert client.get(f"{LIBRARY}?union={city.own.pk}").status_code == 404
    assert client.get(f"{LIBRARY}?union=x").status_code == 404
    for user in (city.leader, city.admin, city.reviewer, city.nobody):
        client.force_login(user)
        assert client.get(LIBRARY).status_code == 404
        assert client.get(f"{LIBRARY}?union={city.own.pk}").status_code == 404


def test_an_observer_looks_and_adds_nothing(client, city):
    client.force_login(city.own_viewer)
    html = page(client, LIBRARY)
    assert "data-upload" not in html
    response = client.post(LIBRARY, {"files": [SimpleUploadedFile("一.pdf", PDF)]})
    assert response.status_code == 404
    assert not Evidence.objects.exists()


def test_a_full_library_takes_nothing_more(client, city, settings):
    settings.EVIDENCE_LIBRARY_MEGABYTES = 1
    add(city, "一.pdf", PDF + bytes(600_000))
    upload = SimpleUploadedFile("二.pdf", PDF + bytes(600_001))
    response = client.post(LIBRARY, {"files": [upload]}, follow=True)
    assert "材料库合计不能超过 1 MB" in response.content.decode()
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"会议.pdf", "照片.png", "名册.docx"}),
        ("q=会议", {"会议.pdf"}),
        ("q=第三次职代会", {"照片.png"}),
        ("kind=image", {"照片.png"}),
        ("kind=office", {"名册.docx"}),
        ("kind=nonsense", {"会议.pdf", "照片.png", "名册.docx"}),
        ("use=none", {"照片.png", "名册.docx"}),
        ("use={year}", {"会议.pdf"}),
        ("use=1999", {"会议.pdf", "照片.png", "名册.docx"}),
        ("q=没有这个", set()),
        ("page=99", {"会议.pdf", "照片.png", "名册.docx"}),
    ],
)
def test_narrowing(client, city, assessment, query, found):
    used = add(city, "会议.pdf")
    add(city, "照片.png", PNG)
    add(city, "名册.docx", DOCX)
    Evidence.objects.filter(name="照片.png").update(description="第三次职代会")
    first = worksheet.load(assessment, 1)[0].lines[0].indicator
    evidence.link(assessment, first, [used.pk], city.reporter)
    query = query.replace("{year}", str(assessment.campaign.year))
    response = client.get(f"{LIBRARY}?{query}")
    assert {one.name for one, _ in response.context["rows"]} == found


# --- Using --------------------------------------------------------------------------------------


def test_one_file_serves_several_indicators_and_counts_once(client, city, assessment):
    one = add(city)
    html = page(client, address("evidence_use", one.pk))
    assert "G1.01 接受党组织领导" in html
    client.post(address("evidence_use", one.pk), {"indicator": ["G1.01", "G6.05", "X9"]})
    assert attached(assessment) == attached(assessment, "G6.05") == ["会议.pdf"]
    assert library.quota_of(assessment).used == len(PDF)
    html = page(client, LIBRARY)
    assert f"{assessment.campaign.year} 年用于 G1.01、G6.05" in html
    # Asked for again, it is there already.
    client.post(address("evidence_use", one.pk), {"indicator": ["G1.01"]})
    assert Attachment.objects.count() == 2


def test_choosing_from_the_library_at_an_indicator(client, city, assessment):
    one, two = add(city), add(city, "照片.png", PNG)
    theirs = library.add(city.sibling, SimpleUploadedFile("别家.pdf", PDF), city.sibling_head)
    html = page(client, indicator_page(assessment))
    assert "会议.pdf" in html
    assert "别家.pdf" not in html
    nonsense = ["x", "99999", "9" * 19, "9" * 5000]
    client.post(indicator_page(assessment), {"evidence": [one.pk, two.pk, theirs.pk, *nonsense]})
    assert attached(assessment) == ["会议.pdf", "照片.png"]


def test_uploading_and_arranging_without_a_script(client, city, assessment):
    url = indicator_page(assessment)
    uploads = [SimpleUploadedFile("一.pdf", PDF), SimpleUploadedFile("二.png", PNG)]
    assert client.post(url, {"files": uploads}).status_code == 302
    assert attached(assessment) == ["一.pdf", "二.png"]
    key = Evidence.objects.get(name="二.png").pk
    client.post(url, {"up": f"G1.01:{key}"})
    assert attached(assessment) == ["二.png", "一.pdf"]
    client.post(url, {"detach": f"G1.01:{key}"})
    assert attached(assessment) == ["一.pdf"]


def test_the_pages_script_gets_the_list_alone(client, city, assessment):
    send(client, assessment)
    html = page(client, f"{indicator_page(assessment)}?list")
    assert "<html" not in html
    assert "会议.pdf" in html
    key = Evidence.objects.get().pk
    response = client.post(f"{indicator_page(assessment)}?list", {"detach": f"G1.01:{key}"})
    assert response.status_code == 200
    assert "已移除“会议.pdf”" in response.content.decode()


def test_last_years_files_are_offered_at_the_same_indicator(client, city):
    last = make_self_assessment(city, make_campaign(year=today().year - 1), State.SUBMITTED)
    assessment = make_self_assessment(city, make_campaign(), filled=False)
    old = Answer.objects.get(self_assessment=last, indicator__code="G1.03").evidence.get()
    html = page(client, indicator_page(assessment, "G1.03"))
    row = html.split(f'value="{old.pk}"')[1].split("</li>")[0]
    assert "checked" in row
    assert "往年本项用过" in row
    assert "往年本项用过" not in page(client, indicator_page(assessment, "G1.01"))

    client.post(indicator_page(assessment, "G1.03"), {"evidence": [old.pk]})
    assert attached(assessment, "G1.03") == [old.name]
    assert attached(last, "G1.03") == [old.name]


def test_nothing_is_attached_after_handing_in(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    one = add(city, "晚了.png", PNG)
    response = client.post(indicator_page(assessment), {"evidence": [one.pk]}, follow=True)
    assert "不能再修改" in response.content.decode()
    assert "晚了.png" not in attached(assessment)
    answer = client.post(address("evidence_use", one.pk), {"indicator": ["G1.01"]})
    assert answer.status_code == 409
    assert "不能再修改" in answer.content.decode()


def test_a_returned_one_takes_files_only_where_it_was_asked(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    send_back(assessment, city.lead, codes=("G1.02",))
    one = add(city, "补充.png", PNG)
    html = page(client, address("evidence_use", one.pk))
    assert "G1.02" in html
    assert "G1.01 " not in html
    client.post(address("evidence_use", one.pk), {"indicator": ["G1.01", "G1.02"]})
    assert "补充.png" not in attached(assessment)
    assert attached(assessment, "G1.02") == ["补充.png"]


def test_an_indicator_of_another_tier_is_not_found(client, assessment):
    assert client.get(indicator_page(assessment, "C1.01")).status_code == 404
    assert client.get(indicator_page(assessment, "<b>")).status_code == 404


# --- Describing -----------------------------------------------------------------------------------


def describe(client, one, **fields):
    data = {"name": one.name, "description": "", "valid_from": "", "valid_until": ""}
    return client.post(address("evidence_edit", one.pk), data | fields)


def test_name_description_and_period(client, city):
    one = add(city)
    response = describe(
        client,
        one,
        name="职代会决议",
        description="第三次职代会",
        valid_from="2026-03-08",
        valid_until="2029-03-07",
    )
    assert response.status_code == 302
    one.refresh_from_db()
    assert (one.name, one.description) == ("职代会决议.pdf", "第三次职代会")
    assert one.period == (dt.date(2026, 3, 8), dt.date(2029, 3, 7))
    html = page(client, LIBRARY)
    assert "第三次职代会" in html
    assert "生效日期：2026年3月8日至2029年3月7日" in html
    change = AuditEvent.objects.get(action="EVIDENCE_CHANGE").details
    assert (change["before"]["name"], change["after"]["name"]) == ("会议.pdf", "职代会决议.pdf")


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": ""}, "name", "请填写文件名。"),
        ({"name": "长" * 256}, "name", "255"),
        ({"description": "长" * 201}, "description", "200"),
        ({"valid_from": "昨天"}, "valid_from", "日期"),
        ({"valid_until": "2026-01-01"}, "valid_from", "请同时填写开始日期"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-01-01"}, "valid_until", "不能早于"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(client, city, fields, field, message):
    one = add(city)
    response = describe(client, one, **fields)
    assert response.status_code == 200
    assert message in response.context["form"].errors[field][0]
    one.refresh_from_db()
    assert (one.name, one.description, one.valid_from) == ("会议.pdf", "", None)


def test_what_was_handed_in_keeps_its_name_until_it_comes_back(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    one = Evidence.objects.filter(organization=city.own).first()
    name = one.name
    assert describe(client, one, name="别的.pdf").status_code == 409
    one.refresh_from_db()
    assert one.name == name
    perform(assessment, Action.WITHDRAW, city.head)
    assert describe(client, one, name="别的.pdf").status_code == 302
    one.refresh_from_db()
    assert one.name == "别的.pdf"


def test_a_revision_keeps_what_was_said_of_its_files(city, campaign):
    assessment = make_self_assessment(city, campaign)
    one = Evidence.objects.filter(answers__indicator__code="G1.03").get()
    library.describe(
        one,
        name="照片.pdf",
        description="挂牌",
        valid_from=dt.date(2026, 3, 8),
        valid_until=None,
        by=city.reporter,
    )
    perform(assessment, Action.SUBMIT, city.head)
    frozen = assessment.revisions.get().content["G1.03"]["evidence"]
    assert frozen == [
        {
            "name": "照片.pdf",
            "sha256": one.stored_file.sha256,
            "description": "挂牌",
            "valid": ["2026-03-08", None],
        }
    ]


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "javascript:x"])
def test_the_way_back_stays_in_the_portal(client, city, target):
    one = add(city)
    assert describe(client, one, next=target).url == f"{LIBRARY}?union={city.own.pk}"
    assert describe(client, one, next="/assessments/1/").url == "/assessments/1/"
    assert "evil" not in page(client, f"{address('evidence_view', one.pk)}?next={target}")


# --- Deleting -------------------------------------------------------------------------------------


def test_deleting_is_asked_first_and_takes_the_bytes(
    client, city, django_capture_on_commit_callbacks
):
    one = add(city, "照片.png", PNG)
    client.get(address("evidence_thumbnail", one.pk))
    assert len(stored_paths()) == 2
    assert "确定删除吗" in page(client, address("evidence_delete", one.pk))
    assert Evidence.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(address("evidence_delete", one.pk))
    assert response.url == f"{LIBRARY}?union={city.own.pk}"
    assert not Evidence.objects.exists()
    assert not StoredFile.objects.exists()
    assert stored_paths() == []
    assert AuditEvent.objects.get(action="EVIDENCE_DELETE").details["file"] == "照片.png"


def test_bytes_that_another_union_has_too_stay(client, city, django_capture_on_commit_callbacks):
    one = add(city)
    theirs = library.add(city.sibling, SimpleUploadedFile("别家.pdf", PDF), city.sibling_head)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address("evidence_delete", one.pk))
    assert theirs.stored_file.file.open("rb").read() == PDF


def test_what_an_indicator_uses_cannot_be_deleted(client, city, assessment):
    send(client, assessment)
    one = Evidence.objects.get()
    assert address("evidence_delete", one.pk) not in page(client, LIBRARY)
    response = client.post(address("evidence_delete", one.pk))
    assert response.status_code == 409
    assert "请先从指标中移除" in response.content.decode()
    assert Evidence.objects.exists()


@pytest.mark.parametrize("back", [Action.WITHDRAW, None])
def test_what_was_ever_handed_in_cannot_be_deleted(client, city, campaign, back):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    one = Evidence.objects.filter(answers__indicator__code="G1.03").get()
    if back:
        perform(assessment, back, city.head)
        found = next(line for line in worksheet.load(assessment, 1)[0].lines if line.evidence)
        evidence.detach(assessment, found.indicator, one.pk, User.objects.get(pk=city.head.pk))
    response = client.post(address("evidence_delete", one.pk))
    assert response.status_code == 409
    assert "已随申报提交过" in response.content.decode()
    with pytest.raises(files.EvidenceRefused):
        library.delete(one, city.head)
    assert Evidence.objects.filter(pk=one.pk).exists()


@pytest.mark.parametrize("name", ["evidence_edit", "evidence_delete", "evidence_use"])
def test_only_the_unions_writers_change_its_files(client, city, campaign, name):
    make_self_assessment(city, campaign, State.UNDER_REVIEW)
    one = Evidence.objects.filter(organization=city.own).first()
    for user in (city.own_viewer, city.reviewer, city.lead, city.admin, city.sibling_head):
        client.force_login(user)
        assert client.get(address(name, one.pk)).status_code == 404
        assert client.post(address(name, one.pk), {"name": "x.pdf"}).status_code == 404


# --- Looking --------------------------------------------------------------------------------------


def with_place():
    """A photo that says where it was taken, upside down."""
    exif = Image.Exif()
    exif[0x0112] = 3
    exif.get_ifd(0x8825)[2] = (33.0, 45.0, 0.0)
    exif[0x010F] = "SECRET-CAMERA"
    image = Image.new("RGB", (1600, 800), "white")
    image.paste("red", (0, 0, 1600, 400))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_a_thumbnail_is_small_upright_and_says_nothing_of_the_place(client, city):
    one = add(city, "照片.jpg", with_place())
    response = client.get(address("evidence_thumbnail", one.pk))
    content = b"".join(response.streaming_content)
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == (
        "image/webp",
        "nosniff",
    )
    assert "private" in response["Cache-Control"]
    small = Image.open(io.BytesIO(content))
    assert (small.format, small.size) == ("WEBP", (320, 160))
    assert not small.getexif()
    assert b"SECRET" not in content
    assert small.getpixel((160, 20))[1] > 200  # the white half has come up
    assert small.getpixel((160, 140))[1] < 60


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK", "L"])
def test_thumbnails_of_pictures_of_any_sort(client, city, mode):
    buffer = io.BytesIO()
    Image.new(mode, (50, 40)).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    one = add(city, "图.png", buffer.getvalue())
    response = client.get(address("evidence_thumbnail", one.pk))
    assert response.status_code == 200
    assert Image.open(io.BytesIO(b"".join(response.streaming_content))).size == (50, 40)


def test_a_thumbnail_is_made_once(client, city, monkeypatch):
    one = add(city, "照片.jpg", JPG)
    for _ in range(2):
        assert client.get(address("evidence_thumbnail", one.pk)).status_code == 200
        monkeypatch.setattr(files.thumbnails, "make", None)
    assert len(stored_paths()) == 2


def test_what_is_no_picture_has_no_thumbnail(client, city):
    assert client.get(address("evidence_thumbnail", add(city).pk)).status_code == 404


def test_a_picture_that_cannot_be_decoded_is_tried_once(client, city):
    """Its head is right, its pixels are not: a JPEG cut off in the middle."""
    broken = picture("JPEG", (2000, 2000), quality=95)
    one = add(city, "断.jpg", broken[: len(broken) // 2])
    url = address("evidence_thumbnail", one.pk)
    assert client.get(url).status_code == 404
    assert StoredFile.objects.get().thumbnail == ""
    assert url not in page(client, LIBRARY)


def test_a_pdf_is_shown_in_a_sandbox_that_only_the_portal_frames(client, city):
    one = add(city)
    html = page(client, address("evidence_view", one.pk))
    content = address("evidence_content", one.pk)
    frame = html.split("<iframe")[1].split(">")[0]
    assert f'src="{content}"' in frame
    response = client.get(content)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("inline")
    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(one.get_absolute_url())["X-Frame-Options"] == "DENY"
    assert client.get(address("evidence_view", one.pk))["X-Frame-Options"] == "DENY"


def test_an_office_file_is_a_download_only(client, city):
    one = add(city, "名册.docx", DOCX)
    html = page(client, address("evidence_view", one.pk))
    assert "<iframe" not in html
    assert "请下载后用 Office 或 WPS 查看" in html
    assert client.get(address("evidence_content", one.pk)).status_code == 404
    assert client.get(one.get_absolute_url())["Content-Disposition"].startswith("attachment")


def test_a_reviewer_sees_the_files_with_all_that_is_known(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    one = Evidence.objects.filter(answers__indicator__code="G1.03").get()
    client.force_login(city.reviewer)
    review = reverse("assessments:review_criterion", args=[assessment.reviews.get().pk, 1])
    html = page(client, review)
    assert one.name in html
    assert one.stored_file.sha256 in html
    assert "移除" not in html
    view = page(client, address("evidence_view", one.pk))
    assert "附到指标" not in view
    assert "改名" not in view


def test_hostile_names_stand_escaped_on_every_page(client, city, assessment):
    name = "\"><script>alert(1)</script>'\u202e.pdf"
    send(client, assessment, name=name)
    one = Evidence.objects.get()
    for url in (
        LIBRARY,
        indicator_page(assessment),
        *(address(f"evidence_{page}", one.pk) for page in ("view", "edit", "use", "delete")),
        address("self_assessment_criterion", assessment.pk, 1),
    ):
        html = page(client, url)
        assert "<script>alert" not in html, url
        assert "\u202e" not in html, url


# --- Other storages -------------------------------------------------------------------------------


def test_everything_runs_on_a_storage_that_is_no_disk(
    client, city, assessment, monkeypatch, django_capture_on_commit_callbacks
):
    """Only the storage API is used: no path, no folder to make, no move."""
    memory = InMemoryStorage()
    monkeypatch.setattr(default_storage, "_wrapped", memory)
    send(client, assessment, JPG, "照片.jpg")
    one = Evidence.objects.get()
    monkeypatch.setattr(StoredFile._meta.get_field("file"), "storage", memory)
    one = Evidence.objects.select_related("stored_file").get()
    assert client.get(address("evidence_thumbnail", one.pk)).status_code == 200
    got = client.get(one.get_absolute_url())
    assert b"".join(got.streaming_content) == JPG
    client.post(indicator_page(assessment), {"detach": f"G1.01:{one.pk}"})
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address("evidence_delete", one.pk))
    assert memory.listdir("evidence/" + one.stored_file.sha256[:2]) == ([], [])


# --- Two hundred photos -----------------------------------------------------------------------------


def test_two_hundred_photos_keep_their_order(client, city, assessment):
    for number in range(200):
        content = picture("PNG", (1, 1 + number))
        assert send(client, assessment, content, f"照片{number:03}.png").status_code == 200
    assert attached(assessment) == [f"照片{number:03}.png" for number in range(200)]
    html = page(client, address("self_assessment_criterion", assessment.pk, 1))
    assert html.count('loading="lazy"') == 200


def test_two_hundred_photos_at_once_without_a_script(client, city, assessment):
    uploads = [
        SimpleUploadedFile(f"照片{number:03}.png", picture("PNG", (1, 1 + number)))
        for number in range(200)
    ]
    assert client.post(indicator_page(assessment), {"files": uploads}).status_code == 302
    assert len(attached(assessment)) == 200


def test_an_old_library_needs_no_current_assessment(client, city):
    one = add(city)
    assert "还没有开始自评" in page(client, address("evidence_use", one.pk))
