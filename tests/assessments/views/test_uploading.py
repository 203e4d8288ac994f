"""Uploads in pieces: going on after a break, cancelling, what is refused, and whose they are."""

import datetime as dt
import json
import os

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import incoming
from assessments.choices import State
from assessments.models import Answer, Campaign, Evidence, PartialUpload, StoredFile
from organizations.choices import Role
from organizations.models import AuditEvent, Membership
from tests.factories import make_self_assessment, send_back, today
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.django_db

BEGIN = "assessments:upload_begin"
SIZE = len(PDF)


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, filled=False)


@pytest.fixture
def client(client, city):
    client.force_login(city.reporter)
    return client


def begin(client, target, name="会议.pdf", size=SIZE, modified=1_700_000_000_000):
    """`target` is a self-assessment (its G1.01) or a union (its library)."""
    where = (
        {"assessment": target.pk, "indicator": "G1.01"}
        if hasattr(target, "rubric_id")
        else {"organization": target.pk}
    )
    fields = {"name": name, "size": size, "modified": modified}
    return client.post(reverse(BEGIN), where | fields)


def patch(client, url, offset, content):
    return client.patch(
        url,
        content,
        content_type="application/offset+octet-stream",
        headers={"Upload-Offset": str(offset)},
    )


def send(client, target, content=PDF, name="会议.pdf", **fields):
    """The whole file in one piece; the last answer."""
    begun = begin(client, target, name, len(content), **fields)
    assert begun.status_code == 201, begun.content
    return patch(client, begun.json()["url"], 0, content)


def attached(assessment, code="G1.01"):
    answer = Answer.objects.filter(self_assessment=assessment, indicator__code=code).first()
    return [one.evidence.name for one in answer.attachments.all()] if answer else []


def stored_paths():
    """All that lies in the storage."""
    found, folders = [], [""]
    while folders:
        folder = folders.pop()
        if not default_storage.exists(folder):
            continue
        inner, names = default_storage.listdir(folder)
        folders += [f"{folder}/{name}".strip("/") for name in inner]
        found += [f"{folder}/{name}".strip("/") for name in names]
    return found


def test_a_file_in_pieces_becomes_evidence(client, assessment):
    begun = begin(client, assessment)
    url, third = begun.json()["url"], len(PDF) // 3
    assert (begun.status_code, begun.json()["offset"]) == (201, 0)

    for offset in (0, third):
        answer = patch(client, url, offset, PDF[offset : offset + third])
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(offset + third))
    assert not Evidence.objects.exists()
    done = patch(client, url, 2 * third, PDF[2 * third :])

    evidence = Evidence.objects.get()
    assert done.json() == {"evidence": evidence.pk, "name": "会议.pdf", "notice": ""}
    assert attached(assessment) == ["会议.pdf"]
    assert evidence.stored_file.file.open("rb").read() == PDF
    assert stored_paths() == [evidence.stored_file.file.name]
    assert not PartialUpload.objects.exists()


def test_after_a_break_it_goes_on_where_it_had_stopped(client, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])

    assert client.head(url)["Upload-Offset"] == "100"
    again = begin(client, assessment)
    assert again.json() == {"url": url, "offset": 100}

    assert patch(client, url, 100, PDF[100:]).status_code == 200
    assert Evidence.objects.get().stored_file.file.open("rb").read() == PDF


@pytest.mark.parametrize(
    "other",
    [{"name": "别的.pdf"}, {"size": len(PDF) + 1}, {"modified": 1_700_000_000_001}],
)
def test_a_file_that_has_changed_starts_anew(client, assessment, other):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    again = begin(client, assessment, **other).json()
    assert again["url"] != url
    assert again["offset"] == 0


def test_a_piece_at_the_wrong_place_changes_nothing_and_says_where_to_go_on(client, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    for offset in (0, 50, 200):
        answer = patch(client, url, offset, b"xx")
        assert (answer.status_code, answer.json()["offset"]) == (409, 100)
    assert patch(client, url, 100, PDF[100:]).status_code == 200
    assert Evidence.objects.get().stored_file.file.open("rb").read() == PDF


def test_more_than_was_announced_is_refused(client, assessment):
    url = begin(client, assessment).json()["url"]
    answer = patch(client, url, 0, PDF + b"x")
    assert answer.status_code == 422
    assert "在上传期间有改动" in answer.json()["message"]
    assert client.head(url)["Upload-Offset"] == "0"


def test_a_piece_that_is_too_large_is_not_even_read(client, assessment):
    url = begin(client, assessment, size=10_000_000).json()["url"]
    assert patch(client, url, 0, bytes(incoming.MAX_PIECE + 1)).status_code == 413
    assert client.head(url)["Upload-Offset"] == "0"


def test_cancelling_leaves_nothing(client, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    assert stored_paths()
    assert client.delete(url).status_code == 204
    assert stored_paths() == []
    assert client.head(url).status_code == 404


@pytest.mark.parametrize(
    ("size", "message"),
    [(0, "是空文件"), ("", "是空文件"), ("-5", "是空文件"), (21 * 1024 * 1024, "超过 20 MB")],
)
def test_what_is_too_large_or_empty_is_refused_before_a_byte_is_sent(
    client, assessment, size, message
):
    answer = begin(client, assessment, size=size)
    assert answer.status_code == 422
    assert message in answer.json()["message"]
    assert not PartialUpload.objects.exists()


def test_content_that_is_refused_leaves_nothing(client, assessment):
    answer = send(client, assessment, b"MZ\x90\x00" + bytes(64), "工资表.xlsx")
    assert answer.status_code == 422
    assert answer.json()["message"] == "“工资表.xlsx”没有上传：这是程序，不能上传。"
    assert stored_paths() == []
    assert not PartialUpload.objects.exists()
    assert not StoredFile.objects.exists()


def test_the_quota_of_a_self_assessment(client, assessment, settings):
    settings.EVIDENCE_TOTAL_MEGABYTES = 1
    assert send(client, assessment, PDF + bytes(600_000), "一.pdf").status_code == 200
    answer = send(client, assessment, PDF + bytes(600_001), "二.pdf")
    assert answer.status_code == 422
    assert "本次申报的材料合计不能超过 1 MB" in answer.json()["message"]
    assert attached(assessment) == ["一.pdf"]


def test_the_quota_of_the_library_counts_what_is_on_its_way(client, city, settings):
    settings.EVIDENCE_LIBRARY_MEGABYTES = 1
    assert begin(client, city.own, size=600_000).status_code == 201
    assert begin(client, city.own, size=600_000).status_code == 201  # the same one
    answer = begin(client, city.own, name="二.pdf", size=600_000)
    assert answer.status_code == 422
    assert "材料库合计不能超过 1 MB" in answer.json()["message"]


def test_nobody_fills_the_table_with_beginnings(client, assessment, monkeypatch):
    monkeypatch.setattr(incoming, "_MAX_UNFINISHED", 2)
    statuses = [begin(client, assessment, modified=n).status_code for n in (1, 2, 3)]
    assert statuses == [201, 201, 422]


# --- A full disk --------------------------------------------------------------------------------


def full(*args, **kwargs):
    raise OSError(28, "No space left on device")


def test_a_full_disk_during_a_piece_is_told_and_the_rest_can_follow(
    client, assessment, monkeypatch
):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    with monkeypatch.context() as disk:
        disk.setattr(default_storage, "save", full)
        answer = patch(client, url, 100, PDF[100:])
    assert answer.status_code == 507
    assert "存储空间不足" in answer.json()["message"]
    assert client.head(url)["Upload-Offset"] == "100"
    assert patch(client, url, 100, PDF[100:]).status_code == 200


def test_a_full_disk_at_the_end_keeps_the_pieces(client, assessment, monkeypatch):
    save = default_storage.save

    def full_for_whole_files(name, content):
        return full() if name.startswith("evidence/") else save(name, content)

    with monkeypatch.context() as disk:
        disk.setattr(default_storage, "save", full_for_whole_files)
        assert send(client, assessment).status_code == 507
    again = begin(client, assessment).json()
    assert again["offset"] == len(PDF)
    assert patch(client, again["url"], len(PDF), b"").status_code == 200
    assert attached(assessment) == ["会议.pdf"]


# --- The time, the session, and other people ------------------------------------------------------


def end_yesterday(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(
        opens_on=today() - dt.timedelta(days=9),
        submission_deadline=today() - dt.timedelta(days=1),
    )


def test_the_deadline_passes_while_a_file_is_coming_in(client, assessment, campaign):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    end_yesterday(campaign)

    done = patch(client, url, 100, PDF[100:])
    assert done.status_code == 200
    assert "截止" in done.json()["notice"]
    assert "已存入材料库" in done.json()["notice"]
    assert attached(assessment) == []
    assert Evidence.objects.get().organization == assessment.organization

    late = begin(client, assessment, name="又一份.pdf")
    assert late.status_code == 409
    assert "截止" in late.json()["message"]


def test_only_where_a_return_asks_for_something(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    send_back(assessment, city.lead, codes=("G1.02",))
    answer = send(client, assessment, PNG, "照片.png")
    assert "只能修改被要求修改的指标" in answer.json()["notice"]
    assert "照片.png" not in attached(assessment)


def test_without_a_session_a_script_is_told_so_and_goes_on_afterwards(client, city, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    client.logout()
    for answer in (begin(client, assessment), patch(client, url, 100, PDF[100:])):
        assert answer.status_code == 401
        assert "登录已过期" in answer.json()["message"]
    assert client.head(url).status_code == 401

    client.force_login(city.reporter)
    assert client.head(url)["Upload-Offset"] == "100"
    assert patch(client, url, 100, PDF[100:]).status_code == 200


def test_a_script_needs_the_token_like_a_form(city, assessment):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(city.reporter)
    assert begin(strict, assessment).status_code == 403


@pytest.mark.parametrize("user", ["head", "sibling_head", "township_head", "admin", "own_viewer"])
def test_an_upload_is_its_users_own(client, city, assessment, user):
    url = begin(client, assessment).json()["url"]
    client.force_login(getattr(city, user))
    assert client.head(url).status_code == 404
    assert patch(client, url, 0, PDF).status_code == 404
    assert client.delete(url).status_code == 404
    assert PartialUpload.objects.exists()


def test_who_has_left_the_union_uploads_nothing_more(client, city, assessment):
    url = begin(client, assessment).json()["url"]
    Membership.objects.filter(user=city.reporter).delete()
    assert patch(client, url, 0, PDF).status_code == 404


def test_who_may_begin(city, campaign, client):
    assessment = make_self_assessment(city, campaign, filled=False)
    allowed = set()
    for name, user in city.users().items():
        client.force_login(user)
        for target in (assessment, city.own):
            answer = begin(client, target)
            assert answer.status_code in (201, 404)
            if answer.status_code == 201:
                allowed.add(name)
    assert allowed == {"reporter", "head"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"assessment": "x", "indicator": "G1.01"},
        {"assessment": "9" * 30, "indicator": "G1.01"},
        {"assessment": "9" * 5000, "indicator": "G1.01"},
        {"organization": "9" * 5000},
        {"assessment": "{pk}", "indicator": "C1.01"},
        {"assessment": "{pk}"},
        {"organization": "²"},
    ],
)
def test_nonsense_is_not_found(client, assessment, fields):
    fields = {key: value.replace("{pk}", str(assessment.pk)) for key, value in fields.items()}
    answer = client.post(reverse(BEGIN), fields | {"name": "a.pdf", "size": 5, "modified": 1})
    assert answer.status_code == 404


@pytest.mark.parametrize("field", ["size", "modified"])
def test_a_number_without_end_is_no_number(client, assessment, field):
    fields = {"assessment": assessment.pk, "indicator": "G1.01", "name": "a.pdf", "size": 5}
    answer = client.post(reverse(BEGIN), fields | {field: "9" * 5000})
    assert answer.status_code == {"size": 422, "modified": 201}[field]


def test_two_requests_with_the_same_piece_store_it_once(client, city, assessment):
    key = begin(client, assessment).json()["url"].rstrip("/").rsplit("/", 1)[-1]
    first, second = incoming.own(key, city.reporter), incoming.own(key, city.reporter)
    incoming.append(first, 0, PDF[:100])
    with pytest.raises(incoming.OffsetMismatch) as mismatch:
        incoming.append(second, 0, PDF[:100])
    assert mismatch.value.offset == 100
    assert len(stored_paths()) == 1


def test_a_piece_that_has_vanished_is_told_at_the_end(client, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    for path in stored_paths():
        default_storage.delete(path)
    assert patch(client, url, 100, PDF[100:]).status_code == 507
    assert not Evidence.objects.exists()


def test_an_upload_is_on_record(client, city, assessment):
    send(client, assessment)
    event = AuditEvent.objects.filter(action="ATTACH").get()
    assert event.actor == city.reporter
    assert event.details["indicator"] == "G1.01"
    assert event.details["role"] == Role.REPORTER.label
    assert json.dumps(event.details["sha256"])


def test_the_page_offers_to_go_on_with_what_was_not_finished(client, city, assessment):
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[: len(PDF) // 2 + 1])
    page = reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1])
    html = client.get(page).content.decode()
    assert "上次传到 50%。请再选一次这个文件，接着传。" in html
    assert html.count("会议.pdf") == html.split('id="G1.02"')[0].count("会议.pdf")
    client.force_login(city.head)
    assert "会议.pdf" not in client.get(page).content.decode()


# --- Tidying up -----------------------------------------------------------------------------------


def old(path):
    """As if it had been stored two days ago."""
    when = (timezone.now() - dt.timedelta(days=2)).timestamp()
    os.utime(default_storage.path(path), (when, when))


def test_what_nobody_goes_on_with_expires(client, assessment):
    begin(client, assessment, name="新.pdf")
    url = begin(client, assessment).json()["url"]
    patch(client, url, 0, PDF[:100])
    hours = django_settings.UPLOAD_HOURS + 1
    PartialUpload.objects.filter(offset=100).update(
        touched_at=timezone.now() - dt.timedelta(hours=hours)
    )
    assert incoming.cancel_expired() == 1
    assert stored_paths() == []
    assert PartialUpload.objects.get().name == "新.pdf"


def test_the_command_finds_and_removes_orphans_and_nothing_else(
    client, city, assessment, capsys, django_capture_on_commit_callbacks
):
    send(client, assessment, PNG, "照片.png")
    client.get(reverse("assessments:evidence_thumbnail", args=[Evidence.objects.get().pk]))
    patch(client, begin(client, assessment).json()["url"], 0, PDF[:100])
    kept = set(stored_paths())
    assert len(kept) == 3
    strays = [
        default_storage.save(f"{folder}/aa/stray", ContentFile(b"x"))
        for folder in ("evidence", "thumbnails", "incoming")
    ]
    fresh = default_storage.save("evidence/bb/fresh", ContentFile(b"x"))
    unused = StoredFile.objects.create(
        sha256="0" * 64,
        size=1,
        media_type="image/png",
        file=default_storage.save("evidence/00/unused", ContentFile(b"x")),
    )
    StoredFile.objects.filter(pk=unused.pk).update(stored_at=timezone.now() - dt.timedelta(days=2))
    for path in (*kept, *strays, unused.file.name):
        old(path)

    call_command("tidy_evidence", "--dry-run")
    told = capsys.readouterr().out
    assert all(path in told for path in (*strays, unused.file.name))
    assert set(stored_paths()) == kept | {*strays, fresh, unused.file.name}

    with django_capture_on_commit_callbacks(execute=True):
        call_command("tidy_evidence")
    assert set(stored_paths()) == kept | {fresh}
    assert not StoredFile.objects.filter(pk=unused.pk).exists()


def test_the_command_names_what_is_missing(client, assessment, capsys):
    send(client, assessment)
    path = StoredFile.objects.get().file.name
    default_storage.delete(path)
    with pytest.raises(SystemExit):
        call_command("tidy_evidence")
    assert f"missing: {path}" in capsys.readouterr().err
