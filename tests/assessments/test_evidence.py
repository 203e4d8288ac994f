"""Evidence: what is taken, what is refused and why, who may have it, and when it goes."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.urls import reverse

from assessments import kinds
from assessments.choices import Action, State
from assessments.models import Answer, Campaign, Evidence, Indicator, StoredFile
from tests.assessments.views.test_self_assessments import CriterionPage
from tests.factories import make_self_assessment, perform, today
from tests.uploads import JPG, PDF, PNG

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, filled=False)


@pytest.fixture
def page(client, city, assessment):
    client.force_login(city.reporter)
    return CriterionPage(client, assessment, 1)


def upload(page, *files, code="G1.01", **fields):
    uploads = [SimpleUploadedFile(name, content) for name, content in files]
    return page.send({f"{code}-files": uploads} | fields)


def names(assessment, code="G1.01"):
    answer = Answer.objects.filter(self_assessment=assessment, indicator__code=code).first()
    return [one.evidence.name for one in answer.attachments.all()] if answer else []


def test_several_files_at_once(page, assessment):
    assert upload(page, ("会议纪要.pdf", PDF), ("照片.png", PNG)).status_code == 302
    assert names(assessment) == ["会议纪要.pdf", "照片.png"]
    html = page.reload().content.decode()
    assert "会议纪要.pdf" in html


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("空.pdf", b"", "是空文件，没有上传"),
        ("说明.pdf", "说明".encode(), "的类型不能接受，没有上传。可以上传：PDF、JPG"),
        ("程序.pdf", b"MZ\x90\x00" + bytes(64), "没有上传：这是程序，不能上传。"),
    ],
)
def test_a_file_that_is_refused_says_why_and_the_rest_is_kept(
    page, assessment, name, content, message
):
    response = upload(page, (name, content), ("好的.pdf", PDF), **{"G1.01-score": "2"})
    errors = page.errors(response)
    assert message in errors["G1.01-evidence"][0]
    assert name in errors["G1.01-evidence"][0]
    assert names(assessment) == ["好的.pdf"]
    assert page.answer("G1.01").score == 2


def test_good_files_are_kept_when_a_figure_is_wrong(page, assessment):
    response = upload(page, ("好的.pdf", PDF), **{"G1.01-score": "99"})
    assert list(page.errors(response)) == ["G1.01-score"]
    assert names(assessment) == ["好的.pdf"]


def test_a_file_above_the_limit_is_dropped_while_it_arrives(page, assessment, settings):
    settings.EVIDENCE_FILE_MEGABYTES = 1
    response = upload(page, ("大.pdf", PDF + bytes(1_500_000)), ("小.pdf", PDF))
    assert page.errors(response)["G1.01-evidence"] == [
        "“大.pdf”超过 1 MB，没有上传。请压缩或拆分后再传。"
    ]
    assert names(assessment) == ["小.pdf"]


def test_the_quota_of_a_self_assessment(page, assessment, settings):
    settings.EVIDENCE_TOTAL_MEGABYTES = 1
    response = upload(page, ("一.pdf", PDF + bytes(600_000)), ("二.pdf", PDF + bytes(600_001)))
    assert "合计不能超过 1 MB" in page.errors(response)["G1.01-evidence"][0]
    assert names(assessment) == ["一.pdf"]
    assert StoredFile.objects.count() == 1


def test_the_same_bytes_are_stored_once(page, assessment, client, city, campaign):
    upload(page, ("一.pdf", PDF))
    upload(page, ("二.pdf", PDF), code="G1.02")
    other = make_self_assessment(city, campaign, organization=city.foreign, filled=False)
    client.force_login(other.organization.memberships.filter(role="HEAD").last().user)
    upload(CriterionPage(client, other, 1), ("三.pdf", PDF))
    assert StoredFile.objects.count() == 1
    assert Evidence.objects.count() == 2  # one for each union
    assert names(assessment, "G1.02") == ["二.pdf"]  # the name that was chosen last


def test_hostile_names_are_only_ever_shown(page, assessment, client):
    name = "..\\..\\<b>\"'‮fdp.pdf"
    upload(page, (name, PDF))
    stored = Evidence.objects.get()
    assert stored.stored_file.file.name.startswith(
        f"evidence/{stored.stored_file.sha256[:2]}/{stored.stored_file.sha256}-"
    )
    html = page.reload().content.decode()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html.split("佐证材料")[1]
    response = client.get(stored.get_absolute_url())
    assert response.status_code == 200
    assert "\n" not in response["Content-Disposition"]


def test_a_long_name_keeps_its_ending(page):
    upload(page, ("长" * 300 + ".pdf", PDF))
    name = Evidence.objects.get().name
    assert len(name) <= 255
    assert name.endswith(".pdf")


def test_removing_leaves_the_file_in_the_library(page, assessment):
    upload(page, ("一.pdf", PDF))
    upload(page, ("一.pdf", PDF), code="G1.02")
    file = Evidence.objects.get()
    response = page.send({"detach": f"G1.01:{file.pk}"})
    assert (names(assessment), names(assessment, "G1.02")) == ([], ["一.pdf"])
    assert "文件还在材料库里" in page.client.get(response.url).content.decode()
    page.send({"detach": f"G1.02:{file.pk}"})
    assert names(assessment, "G1.02") == []
    assert default_storage.exists(Evidence.objects.get().stored_file.file.name)


def test_files_keep_the_order_that_they_are_given(page, assessment):
    upload(page, ("一.pdf", PDF), ("二.png", PNG), ("三.jpg", JPG))
    key = {file.name: file.pk for file in Evidence.objects.all()}
    page.send({"up": f"G1.01:{key['三.jpg']}"})
    assert names(assessment) == ["一.pdf", "三.jpg", "二.png"]
    page.send({"down": f"G1.01:{key['一.pdf']}"})
    assert names(assessment) == ["三.jpg", "一.pdf", "二.png"]
    page.send({"up": f"G1.01:{key['三.jpg']}"})  # the first stays the first
    page.send({"down": f"G1.01:{key['二.png']}"})
    assert names(assessment) == ["三.jpg", "一.pdf", "二.png"]
    html = page.reload().content.decode()
    assert html.index("三.jpg") < html.index("一.pdf") < html.index("二.png")


def test_removing_saves_what_was_typed(page, assessment):
    upload(page, ("一.pdf", PDF))
    page.send({"G1.01-account": "写了一半", "detach": f"G1.01:{Evidence.objects.get().pk}"})
    assert page.answer("G1.01").account == "写了一半"
    assert not names(assessment)


@pytest.mark.parametrize(
    "value", ["G1.01:999", "G1.01:x", "X:1", "::", "G1.02:{pk}", "G1.01:" + "9" * 40]
)
def test_removing_nonsense_removes_nothing(page, assessment, value):
    upload(page, ("一.pdf", PDF))
    page.send({"detach": value.replace("{pk}", str(Evidence.objects.get().pk))})
    assert names(assessment) == ["一.pdf"]


def test_a_file_of_a_revision_outlives_its_removal(city, campaign, client):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    perform(assessment, Action.WITHDRAW, city.head)
    client.force_login(city.reporter)
    page = CriterionPage(client, assessment, 1)
    file = Evidence.objects.get(answers__indicator__code="G1.03")
    page.send({"detach": f"G1.03:{file.pk}"})
    assert not names(assessment, "G1.03")
    assert Evidence.objects.filter(pk=file.pk).exists()


# --- Serving --------------------------------------------------------------------------------------


def test_a_download_is_an_attachment_and_nothing_runs_in_it(page, client, assessment):
    upload(page, ("会议纪要.pdf", PDF))
    response = client.get(Evidence.objects.get().get_absolute_url())
    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]


DRAFT_READERS = {"reporter", "head", "own_viewer"}
READERS = DRAFT_READERS | {
    "township_head",
    "county_head",
    "county_admin",
    "lead",
    "admin",
    "leader",
}


@pytest.mark.parametrize(
    ("state", "readers"),
    [
        (State.DRAFT, DRAFT_READERS),
        (State.SUBMITTED, READERS),
        (State.RETURNED, READERS),  # it was handed in, and stays readable as it was
        (State.UNDER_REVIEW, READERS | {"reviewer"}),
        (State.DECIDED, READERS | {"reviewer"}),
    ],
)
def test_who_may_have_a_file(client, city, campaign, state, readers):
    assessment = make_self_assessment(city, campaign, state)
    file = Evidence.objects.filter(organization=city.own).first()
    got = set()
    for name, user in city.users().items():
        client.force_login(user)
        status = client.get(file.get_absolute_url()).status_code
        assert status in (200, 404)
        if status == 200:
            got.add(name)
    assert got == readers
    assert assessment.state == state


def test_without_signing_in_a_file_is_not_served(client, page):
    upload(page, ("一.pdf", PDF))
    client.logout()
    assert client.get(Evidence.objects.get().get_absolute_url()).status_code == 302


def test_a_file_that_is_gone_from_the_disk_is_not_found(client, page):
    upload(page, ("一.pdf", PDF))
    file = Evidence.objects.get()
    default_storage.delete(file.stored_file.file.name)
    assert client.get(file.get_absolute_url()).status_code == 404


def test_a_full_disk_is_told_and_leaves_nothing(page, assessment, monkeypatch):
    """The disk takes the first bytes, and then no more."""

    def full(name, content):
        path = Path(default_storage.path(name))
        path.parent.mkdir(parents=True)
        path.write_bytes(content.read(100))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)
    response = upload(page, ("一.pdf", PDF), **{"G1.01-score": "2"})
    assert "存储空间不足" in page.errors(response)["G1.01-evidence"][0]
    assert not StoredFile.objects.exists()
    assert not [path for path in Path(default_storage.location).rglob("*") if path.is_file()]
    assert page.answer("G1.01").score == 2


def test_a_full_temporary_folder_costs_the_file_and_nothing_else(page, assessment, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
    response = upload(page, ("大.pdf", PDF + bytes(3_000_000)), **{"G1.01-score": "2"})
    assert page.errors(response)["G1.01-evidence"] == [
        "“大.pdf”：服务器存储空间不足，文件没有保存。请稍后再试或联系管理员。"
    ]
    assert names(assessment) == []
    assert page.answer("G1.01").score == 2


def test_files_that_come_after_the_deadline_are_kept_in_the_library(page, assessment, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(
        opens_on=today() - dt.timedelta(days=9),
        submission_deadline=today() - dt.timedelta(days=1),
    )
    response = upload(page, ("晚了.pdf", PDF))
    assert response.status_code == 409
    assert "“晚了.pdf”没有附到指标，已存入材料库。" in response.content.decode()
    assert names(assessment) == []
    assert Evidence.objects.get().name == "晚了.pdf"


def test_files_for_an_indicator_of_another_page_are_ignored(page):
    upload(page, ("一.pdf", PDF), code="G2.01")
    assert not Evidence.objects.exists()
    assert Indicator.objects.filter(code="G2.01").exists()


def test_the_page_offers_only_kinds_that_are_accepted(client, page):
    html = client.get(page.url).content.decode()
    assert f'accept="{kinds.ACCEPTED_ENDINGS}"' in " ".join(html.split())
    assert reverse("assessments:evidence_download", args=[1]) == "/evidence/1/"
