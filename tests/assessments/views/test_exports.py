"""我的导出: asking, waiting, downloading; and what happens when something goes wrong in between."""

import datetime as dt

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from django_tasks import task_backends

from assessments import exporting, orphans
from assessments.choices import ExportStatus
from assessments.exports import summary
from assessments.models import Export
from liuhao_portal.tasks import InProcessBackend
from organizations.models import AuditEvent, Membership, User
from tests.workbooks import opened

pytestmark = pytest.mark.django_db
LIST, NEW = "/summary/exports/", "/summary/exports/new/"


@pytest.fixture
def lead(client, city):
    client.force_login(city.lead)
    return client


@pytest.fixture
def chosen(campaign):
    return {"year": campaign.year, "place": "", "sheets": ["counties"], "columns": ["state"]}


@pytest.fixture
def nobody_works(settings):
    """Tasks are enqueued, and no worker is there."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}


def made(user, chosen):
    export = exporting.request(User.objects.get(pk=user.pk), chosen)
    export.refresh_from_db()
    return export


def act(client, export, name):
    return client.post(reverse("assessments:export_act", args=[export.pk, name]), follow=True)


def status_of(client, export):
    url = reverse("assessments:export_status", args=[export.pk])
    return client.get(url).content.decode()


def test_from_the_choice_to_the_file(lead, city, campaign, chosen):
    page = lead.post(NEW, chosen | {"place": city.county.code}, follow=True)
    export = Export.objects.get()
    assert export.get_absolute_url() in page.content.decode()
    response = lead.get(export.get_absolute_url())
    assert response["Content-Type"] == summary.MEDIA_TYPE
    assert b"".join(response.streaming_content)[:2] == b"PK"
    assert opened(export.file).sheetnames == ["说明", "各县（市、区）汇总"]
    event = AuditEvent.objects.get(action="SUMMARY_EXPORTED")
    assert event.actor == city.lead
    assert event.details["filter"] == "宝丰县总工会"
    assert event.details["sheets"] == ["counties"]


def test_settings_are_kept_by_name_and_filled_in_again(lead, city, chosen):
    lead.post(NEW, chosen | {"sheets": ["missing"], "name": "周报"})
    lead.post(NEW, chosen | {"sheets": ["missing", "criteria"], "name": "周报"})
    preset = city.lead.export_presets.get()
    html = "".join(lead.get(f"{NEW}?preset={preset.pk}").content.decode().split())
    assert html.count("checked") == 3  # two sheets and a column
    other = city.admin.export_presets.create(name="别人的", settings={"sheets": ["criteria"]})
    assert "别人的" not in lead.get(f"{NEW}?preset={other.pk}").content.decode()
    assert (
        lead.post(reverse("assessments:export_preset_forget", args=[other.pk])).status_code == 404
    )
    lead.post(reverse("assessments:export_preset_forget", args=[preset.pk]))
    assert not city.lead.export_presets.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sheets": []}, "请至少选择一张工作表。"),
        ({"sheets": ["passwords"]}, "没有这张工作表，请重新选择。"),
        ({"columns": ["password"]}, "没有这一列，请重新选择。"),
        ({"place": "nowhere"}, "没有这个县（市、区）或乡镇（街道），请重新选择。"),
        ({"year": 1900}, "请选择已开放的创建活动。"),
        ({"name": "长" * 41}, "名称不能超过 40 个字。"),
    ],
)
def test_a_wrong_choice_is_told_at_its_field_and_nothing_is_lost(lead, chosen, wrong, told):
    response = lead.post(NEW, chosen | {"name": "周报"} | wrong)
    html = response.content.decode()
    assert response.status_code == 400
    assert told in html
    assert "周报" in html or "name" in wrong
    assert not Export.objects.exists()


def test_a_pending_row_asks_for_itself_again_and_a_finished_one_no_more(
    lead, city, chosen, nobody_works
):
    export = made(city.lead, chosen)
    assert "every 2s" in status_of(lead, export)
    assert lead.get(export.get_absolute_url()).status_code == 404
    Export.objects.update(status=ExportStatus.RUNNING, done=30, total=120)
    assert "25%" in status_of(lead, export)
    act(lead, export, "cancel")
    html = status_of(lead, export)
    assert "已取消" in html
    assert "every 2s" not in html
    exporting.build.func(export.pk)  # a worker comes to it at last
    export.refresh_from_db()
    assert (export.status, export.file) == (ExportStatus.CANCELLED, "")


def test_cancelled_in_the_middle(lead, city, chosen, monkeypatch):
    """The run notices at its next sign of life, and leaves no file."""
    monkeypatch.setattr(exporting, "_BEAT", -1)

    def write(scope, target):
        yield 1
        exporting.cancel(Export.objects.get())
        yield 1
        raise AssertionError("it goes on")

    monkeypatch.setattr(summary, "write", write)
    export = made(city.lead, chosen)
    assert (export.status, export.file) == (ExportStatus.CANCELLED, "")
    assert not default_storage.exists("exports")


def test_an_error_is_told_and_it_can_be_made_again(lead, city, chosen, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(summary, "size", lambda scope: 1 / 0)
        export = made(city.lead, chosen)
    assert export.status == ExportStatus.FAILED
    assert "生成时出错" in lead.get(LIST).content.decode()
    act(lead, export, "again")
    assert Export.objects.first().is_available


def killed(export, attempt=1):
    """A worker that had begun was killed a while ago."""
    long_ago = timezone.now() - exporting.SILENCE - dt.timedelta(seconds=1)
    Export.objects.filter(pk=export.pk).update(
        status=ExportStatus.RUNNING, attempt=attempt, beat_at=long_ago
    )


def test_what_a_killed_worker_left_is_taken_up_again(lead, city, chosen, nobody_works):
    export = made(city.lead, chosen)
    killed(export)
    assert exporting.take_up() == 1
    exporting.build.func(export.pk)
    export.refresh_from_db()
    assert (export.status, export.attempt) == (ExportStatus.DONE, 2)
    assert exporting.take_up() == 0


def test_what_was_interrupted_too_often_has_failed(lead, city, chosen, nobody_works):
    export = made(city.lead, chosen)
    killed(export, exporting.ATTEMPTS)
    html = lead.get(LIST).content.decode()
    assert "多次中断" in html
    assert "重新生成" in html


def test_a_run_that_was_thought_dead_offers_nothing(city, chosen, monkeypatch):
    """Its successor owns the row; its own file is thrown away."""

    def write(scope, target):
        target.write(b"half")
        killed(Export.objects.get(), attempt=2)
        yield 1

    monkeypatch.setattr(summary, "write", write)
    export = made(city.lead, chosen)
    assert (export.status, export.attempt, export.file) == (ExportStatus.RUNNING, 2, "")
    assert default_storage.listdir("exports")[1] == []


def test_no_more_than_a_few_at_once(lead, city, chosen, nobody_works):
    for _ in range(exporting.MOST_PENDING):
        made(city.lead, chosen)
    response = lead.post(NEW, chosen)
    assert "正在生成，请等其中一份完成" in response.content.decode()
    assert Export.objects.count() == exporting.MOST_PENDING


def test_a_right_that_was_taken_away_while_it_waited(city, chosen, nobody_works):
    export = made(city.lead, chosen)
    Membership.objects.filter(user=city.lead).delete()
    exporting.build.func(export.pk)
    export.refresh_from_db()
    assert (export.status, export.file) == (ExportStatus.FAILED, "")
    assert "没有导出汇总表的权限" in export.error


def test_the_right_is_asked_for_again_when_it_is_downloaded(client, lead, city, chosen):
    url = made(city.lead, chosen).get_absolute_url()
    assert lead.get(url).status_code == 200
    recusal = city.lead.recusals.create(organization=city.county, reason="亲属")
    assert lead.get(url).status_code == 404
    recusal.delete()
    assert lead.get(url).status_code == 200
    Membership.objects.filter(user=city.lead).delete()
    assert lead.get(url).status_code == 404


def test_an_export_expires_and_is_tidied_away_once(lead, city, chosen):
    export = made(city.lead, chosen)
    Export.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert lead.get(export.get_absolute_url()).status_code == 404
    assert "已过保留期" in lead.get(LIST).content.decode()
    for _ in range(2):
        call_command("tidy_exports", verbosity=0)
    assert not Export.objects.exists()
    assert not default_storage.exists(export.file)


def test_deleting_takes_the_file_away(lead, city, chosen):
    export = made(city.lead, chosen)
    act(lead, export, "delete")
    assert not default_storage.exists(export.file)
    assert not Export.objects.exists()


def test_a_file_that_no_row_names_is_an_orphan(city, chosen, monkeypatch):
    export = made(city.lead, chosen)
    monkeypatch.setattr(orphans, "GRACE", -dt.timedelta(hours=1))
    assert list(orphans.stray_paths()) == []
    Export.objects.all().delete()
    assert list(orphans.stray_paths()) == [export.file]


@pytest.mark.django_db(transaction=True)
def test_without_a_worker_the_web_process_makes_it_beside_its_requests(city, chosen, settings):
    settings.TASKS = {"default": {"BACKEND": "liuhao_portal.tasks.InProcessBackend"}}
    assert isinstance(task_backends["default"], InProcessBackend)
    export = exporting.request(city.lead, chosen)
    deadline = timezone.now() + dt.timedelta(seconds=20)
    while export.is_pending and timezone.now() < deadline:
        export.refresh_from_db()
    assert export.is_available


@pytest.mark.django_db(transaction=True)
def test_a_worker_process_takes_what_is_queued(city, chosen, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    export = exporting.request(city.lead, chosen)
    assert export.is_pending
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    export.refresh_from_db()
    assert export.is_available
