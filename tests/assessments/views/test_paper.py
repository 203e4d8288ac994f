"""The paper form: what stands on it, whether it can be checked, and its sealed scan."""

import io
import re
from urllib.parse import unquote

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from docx import Document
from docx.oxml.ns import qn
from PIL import ImageFile

from assessments import demo, printing, verification, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Evidence, Revision, SealedScan
from organizations import audit
from organizations.models import Organization
from tests import factories
from tests.factories import make_self_assessment, perform, send_back
from tests.pdf import needs_poppler, poppler, text_of
from tests.uploads import PDF, picture

pytestmark = pytest.mark.django_db

HOSTILE = "甲<script>alert(1)</script>𠮷䶮乙 & {{ 7|add:7 }}"


@pytest.fixture
def submitted(city, campaign):
    assessment = make_self_assessment(city, campaign)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.01").update(
        account=HOSTILE + "很长的说明。" * 700
    )
    perform(assessment, Action.SUBMIT, city.head)
    return assessment


def pdf_of(client, assessment, **query):
    response = client.get(reverse("assessments:form_pdf", args=[assessment.pk]), query)
    return b"".join(response.streaming_content) if response.status_code == 200 else response


def word_of(client, assessment, **query):
    response = client.get(reverse("assessments:form_word", args=[assessment.pk]), query)
    document = Document(io.BytesIO(b"".join(response.streaming_content)))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return document, "\n".join([p.text for p in document.paragraphs] + cells)


def verify(client, code):
    return client.get(reverse("assessments:verify"), {"code": code})


# --- What stands on it ----------------------------------------------------------------------------


@needs_poppler
def test_everything_that_was_handed_in_stands_on_the_pdf(client, city, submitted):
    client.force_login(city.head)
    text = text_of(pdf_of(client, submitted))
    revision = submitted.revisions.get()
    for line in (one for section in worksheet.load(submitted) for one in section.lines):
        assert line.indicator.code in text
        assert "".join(line.indicator.clause.split()) in text, line.indicator.code
        for file in line.evidence:
            assert file.stored_file.sha256 in text
    assert verification.spaced(revision.code) in text
    assert revision.digest in text
    assert city.own.name in text
    assert city.township.name in text
    assert text.count("盖章") >= 2
    assert "草稿" not in text
    assert "<script>alert(1)</script>𠮷䶮" in text
    assert "{{7|add:7}}" in text
    assert text.count("很") == text.count("长") == 700  # nothing is cut off


def test_everything_that_was_handed_in_stands_in_the_word_document(client, city, submitted):
    client.force_login(city.head)
    document, text = word_of(client, submitted)
    section = document.sections[0]
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "宋体"
    revision = submitted.revisions.get()
    assert verification.spaced(revision.code) in text
    for line in (one for section in worksheet.load(submitted) for one in section.lines):
        assert line.indicator.clause in text
        for file in line.evidence:
            assert file.stored_file.sha256 in text
    assert "𠮷䶮" in text
    assert text.count("（盖章）") == 2


@needs_poppler
def test_the_pdf_is_a4_and_brings_its_chinese_font_along(client, city, submitted, tmp_path):
    client.force_login(city.head)
    file = tmp_path / "form.pdf"
    file.write_bytes(pdf_of(client, submitted))
    facts = poppler("pdfinfo", "-l", "-1", file)
    sizes = re.findall(r"Page +\d+ size: +(.*)", facts)
    assert len(sizes) > 5
    assert set(sizes) == {"595.276 x 841.89 pts (A4)"}
    fonts = [line.split() for line in poppler("pdffonts", file).splitlines()[2:]]
    assert any("CJK" in name for name, *_ in fonts)
    assert {embedded for *_, embedded, _subset, _unicode, _object, _id in fonts} == {"yes"}


@needs_poppler
def test_a_draft_is_marked_and_has_no_code(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.reporter)
    text = text_of(pdf_of(client, assessment))
    assert "草稿，尚未提交" in text
    assert "验证码" not in text
    _, word = word_of(client, assessment)
    assert "草稿，尚未提交" in word
    assert "验证码" not in word


@needs_poppler
def test_an_empty_draft_prints(client, city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    client.force_login(city.reporter)
    assert "未填" in text_of(pdf_of(client, assessment))


@needs_poppler
def test_what_the_superior_said_stands_on_it(client, city):
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, campaign, State.ENDORSED)
    client.force_login(city.head)
    assert "同意推荐。" in text_of(pdf_of(client, assessment))


@needs_poppler
def test_an_earlier_one_stays_as_it_was_and_says_so(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.01").update(
        account="第二次的说明"
    )
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    client.force_login(city.head)
    first, second = (text_of(pdf_of(client, assessment, revision=n)) for n in (1, 2))
    assert "第二次的说明" not in first
    assert "已被后来的提交取代" in first
    assert "第二次的说明" in second
    assert "已被后来的提交取代" not in second


@needs_poppler
def test_only_what_was_frozen_is_printed(client, city, submitted):
    Organization.objects.filter(pk=city.own.pk).update(name="后来改的名字")
    Answer.objects.filter(self_assessment=submitted).update(account="后来改的说明")
    client.force_login(city.lead)
    text = text_of(pdf_of(client, submitted))
    assert "后来改的" not in text


def test_the_file_has_the_name_of_the_union(client, city, submitted):
    client.force_login(city.head)
    response = client.get(reverse("assessments:form_word", args=[submitted.pk]))
    assert city.own.name in unquote(response["Content-Disposition"])
    pdf = client.get(reverse("assessments:form_pdf", args=[submitted.pk]))
    assert pdf["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("number", ["0", "2", "x", "99999999999"])
def test_a_revision_that_there_is_not(client, city, submitted, number):
    client.force_login(city.head)
    url = reverse("assessments:form_pdf", args=[submitted.pk])
    assert client.get(url, {"revision": number}).status_code == 404


def test_a_draft_is_not_for_the_superior(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.township_head)
    for name in ("form_pdf", "form_word"):
        assert client.get(reverse(f"assessments:{name}", args=[assessment.pk])).status_code == 404


@needs_poppler
def test_a_document_loads_nothing(tmp_path, monkeypatch):
    secret = tmp_path / "secret.css"
    secret.write_text("p { display: none }")
    html = (
        f'<link rel="stylesheet" href="file://{secret}"><img src="http://127.0.0.1:9/x.png"><p>正文'
    )
    monkeypatch.setattr(printing, "render_to_string", lambda name, context: context[name])
    assert "正文" in text_of(printing.pdf("html", "css", {"html": html, "css": ""}))


def test_without_pango_the_page_says_what_to_do(client, city, submitted, monkeypatch):
    def unavailable(*args):
        raise printing.PrintingUnavailable("服务器缺少生成 PDF 所需的组件")

    monkeypatch.setattr(printing, "pdf", unavailable)
    client.force_login(city.head)
    url = reverse("assessments:form_pdf", args=[submitted.pk])
    assert "缺少生成 PDF 所需的组件" in client.get(url, follow=True).content.decode()


# --- Whether it agrees ----------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{0}", "{1}", " {2} ", "{3}"])
def test_a_code_shows_what_was_handed_in_however_it_is_typed(client, city, submitted, typed):
    code = submitted.revisions.get().code
    spaced = verification.spaced(code)
    forms = [
        code,
        spaced,
        spaced.lower().replace("-", " "),
        "".join(chr(ord(c) + 0xFEE0) for c in code),
    ]
    html = verify(client, typed.format(*forms)).content.decode()
    assert "是最近一次提交的" in html
    assert city.own.name in html
    assert submitted.revisions.get().digest[:16] in html


def test_the_qr_code_leads_to_it(client, submitted):
    url = reverse("assessments:verify_code", args=[submitted.revisions.get().code])
    response = client.get(url)
    assert "是最近一次提交的" in response.content.decode()
    assert response["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("typed", ["AAAA-BBBB-CCCC-DDDD", "<script>", "' OR 1=1", "a" * 60, "中文"])
def test_an_unknown_code(client, submitted, typed):
    response = verify(client, typed)
    assert response.status_code == 404
    assert "没有这个验证码" in response.content.decode()
    assert "<script>" not in response.content.decode().replace("<script ", "")


def test_nothing_that_does_not_stand_on_the_first_page_is_told(client, city, submitted):
    html = verify(client, submitted.revisions.get().code).content.decode()
    for hidden in ("很长的说明", city.head.full_name, Evidence.objects.first().name):
        assert hidden not in html


def test_a_superseded_one_and_a_withdrawn_one_are_told(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    first = assessment.revisions.get().code
    send_back(assessment, city.lead)
    assert "已经撤回或者正在修改" in verify(client, first).content.decode()
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    assert "已经被取代" in verify(client, first).content.decode()


@pytest.mark.parametrize("field", ["content", "facts", "self_total", "signatory"])
def test_what_was_altered_afterwards_shows(client, submitted, field):
    revision = submitted.revisions.get()
    if field == "content":
        revision.content["G1.01"]["score"] = "1"
    elif field == "facts":
        revision.facts["union"] = "别的工会"
    else:
        setattr(revision, field, "1")
    revision.save()
    assert "与提交时不一致" in verify(client, revision.code).content.decode()


@pytest.mark.usefixtures("one_minute")
def test_guessing_is_slowed_down(client, submitted, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "guess"}
    }
    cache.clear()
    answers = [verify(client, "AAAA-BBBB-CCCC-DDDD").status_code for _ in range(31)]
    assert set(answers[:30]) == {404}
    assert answers[30] == 429
    assert "查询太频繁" in verify(client, submitted.revisions.get().code).content.decode()
    cache.clear()


def test_every_revision_has_a_code_of_its_own(city, submitted):
    revision = submitted.revisions.get()
    with pytest.raises(Exception, match=r"(?i)unique"):
        Revision.objects.create(
            self_assessment=submitted, number=9, place="", content={}, code=revision.code,
            self_total=1, submitted_by=city.head, submitted_at=revision.submitted_at,
        )  # fmt: skip


# --- The sealed scan ------------------------------------------------------------------------------


def send_scan(client, assessment, *upload):
    data = {"scan": SimpleUploadedFile(*upload)} if upload else {}
    return client.post(reverse("assessments:sealed_scan", args=[assessment.pk]), data)


@pytest.mark.parametrize("upload", [("盖章.pdf", PDF), ("盖章.jpg", picture("JPEG"))])
def test_a_scan_is_kept_on_record_and_shown_to_those_who_read(client, city, submitted, upload):
    client.force_login(city.reporter)
    assert send_scan(client, submitted, *upload).status_code == 302
    scan = SealedScan.objects.get()
    assert scan.revision == submitted.revisions.get()
    assert audit.events_of(submitted).filter(action="SCAN_ADDED").exists()
    for user in (city.head, city.township_head, city.lead):
        client.force_login(user)
        assert "已上传签字盖章扫描件" in client.get(submitted.get_absolute_url()).content.decode()
        history = reverse("assessments:self_assessment_history", args=[submitted.pk])
        assert scan.evidence.name in client.get(history).content.decode()
        assert client.get(scan.evidence.get_absolute_url()).status_code == 200
    client.force_login(city.foreign_head)
    assert client.get(scan.evidence.get_absolute_url()).status_code == 404


def test_a_later_scan_takes_the_place_of_the_first(client, city, submitted):
    client.force_login(city.head)
    send_scan(client, submitted, "一.pdf", PDF)
    send_scan(client, submitted, "二.pdf", demo.small_pdf("second"))
    history = reverse("assessments:self_assessment_history", args=[submitted.pk])
    html = client.get(history).content.decode()
    assert html.index("二.pdf") < html.index("一.pdf")
    assert "（以前的）" in html


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        ((), "请选择扫描件。"),
        (("空.pdf", b""), "这是空文件"),
        (("表.pdf", b"MZ not a pdf"), "表.pdf"),
        (("说明.docx", b"PK\x03\x04"), "说明.docx"),
    ],
)
def test_what_is_no_scan_is_refused_at_the_field(client, city, submitted, upload, message):
    client.force_login(city.reporter)
    response = send_scan(client, submitted, *upload)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert not SealedScan.objects.exists()


@pytest.mark.parametrize("state", [State.RETURNED, State.DECIDED])
def test_not_while_it_is_corrected_and_not_once_it_is_decided(client, city, campaign, state):
    assessment = make_self_assessment(city, campaign, state)
    client.force_login(city.reporter)
    assert "提交之后、评定之前" in send_scan(client, assessment, "一.pdf", PDF).content.decode()
    assert not SealedScan.objects.exists()


def test_a_scan_cannot_be_deleted(client, city, submitted):
    client.force_login(city.reporter)
    send_scan(client, submitted, "一.pdf", demo.small_pdf("sealed"))
    evidence = SealedScan.objects.get().evidence
    url = reverse("assessments:evidence_delete", args=[evidence.pk])
    client.post(url)
    assert Evidence.objects.filter(pk=evidence.pk).exists()


def test_printing_does_not_make_the_portal_take_half_pictures(client, city, submitted):
    """WeasyPrint would: it changes a switch of Pillow for the whole process."""
    client.force_login(city.head)
    client.get(reverse("assessments:form_pdf", args=[submitted.pk]))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
