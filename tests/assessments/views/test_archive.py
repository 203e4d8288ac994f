"""The archive (申报档案): one zip, with a folder for each union, made while it is sent."""

import io
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from assessments import printing
from assessments.choices import State
from assessments.exports import form
from assessments.exports.archive import NOTES, Names, safe_name, stream
from assessments.models import Evidence, Recusal, SelfAssessment, StoredFile
from organizations.models import AuditEvent, Membership, Organization
from tests import factories
from tests.factories import make_self_assessment

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(city):
    return factories.make_campaign()


def fetch(client, user, campaign, query=""):
    client.force_login(user)
    return client.get(f"{reverse('assessments:archive_file')}?year={campaign.year}{query}")


def opened(response):
    assert response.status_code == 200
    assert response.streaming
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def notes(archive):
    return archive.read(NOTES).decode("utf-8-sig")


def test_a_folder_for_each_union_with_its_form_and_evidence(client, city, campaign):
    one = make_self_assessment(city, campaign, State.SUBMITTED)
    make_self_assessment(city, campaign, organization=city.sibling)  # a draft stays out
    archive = opened(fetch(client, city.lead, campaign))
    assert archive.testzip() is None
    folder = f"{city.county.name}/{city.own.name}/"
    names = [name for name in archive.namelist() if name != NOTES]
    assert all(name.startswith(folder) for name in names)
    assert archive.read(f"{folder}申报表.pdf").startswith(b"%PDF")
    evidence = one.revisions.get().evidence.select_related("evidence__stored_file").first()
    path = next(name for name in names if evidence.indicator.code in name)
    with evidence.evidence.stored_file.file.open("rb") as source:
        assert archive.read(path) == source.read()
    assert "应有 1 个工会，放入 1 个" in notes(archive)
    assert AuditEvent.objects.filter(action="ARCHIVE_EXPORTED").count() == 1


def test_two_unions_of_one_name_and_names_that_mislead(client, city, campaign):
    hostile = "../..\\CON:\u202e工会<1>" + "长" * 80
    Organization.objects.filter(pk__in=[city.own.pk, city.sibling.pk]).update(name=hostile)
    for union in (city.own, city.sibling):
        union.refresh_from_db()
        head = factories.make_user((union, "HEAD"))
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union, head=head)
    Evidence.objects.update(name="a/b\\c:d\u202ecod.pdf")
    archive = opened(fetch(client, city.lead, campaign))
    names = archive.namelist()
    assert len(names) == len({name.casefold() for name in names})
    folders = {name.split("/")[1] for name in names if name != NOTES}
    assert len(folders) == 2
    for name in names:
        assert ".." not in name.split("/")
        assert len(name.split("/")) in (1, 3)
        assert not set(name) & set('\\:*?"<>|\u202e\0')


def test_what_cannot_be_put_in_is_noted_and_the_rest_goes_on(client, city, campaign, monkeypatch):
    for union in (city.own, city.foreign):
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union)

    real, asked = form.pdf, []

    def fails_once(*args):
        asked.append(1)
        if len(asked) == 1:
            raise printing.PrintingUnavailable("缺少 Pango。")
        return real(*args)

    monkeypatch.setattr(form, "pdf", fails_once)
    missing = StoredFile.objects.first()
    default_storage.delete(missing.file.name)
    archive = opened(fetch(client, city.lead, campaign))
    assert sum(name.endswith("申报表.pdf") for name in archive.namelist()) == 1
    told = notes(archive)
    assert "缺少 Pango" in told
    assert "存储中缺少这个文件" in told


def test_nothing_of_what_one_may_not_see(client, city, campaign):
    for union in (city.own, city.foreign):
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    archive = opened(fetch(client, city.lead, campaign))
    assert not any(city.own.name in name for name in archive.namelist())
    assert any(city.foreign.name in name for name in archive.namelist())
    for user in (city.reviewer, city.head, city.county_admin, city.leader):
        assert fetch(client, user, campaign).status_code == 404


def test_nothing_handed_in(client, city, campaign):
    response = fetch(client, city.lead, campaign)
    if response.status_code == 200:
        assert opened(response).namelist() == [NOTES]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("con.txt", "_con.txt"),
        (" .隐藏. ", "隐藏"),
        ("\u200f\u202e", "未命名"),
        ("a\tb\nc", "abc"),
        ("", "未命名"),
    ],
)
def test_a_name_is_safe_on_any_system(name, safe):
    assert safe_name(name) == safe


def test_names_differ_whatever_their_case_and_keep_their_ending():
    names = Names()
    assert names.fresh("A.pdf") == "A.pdf"
    assert names.fresh("a.PDF") == "a（2）.PDF"
    assert names.fresh("长" * 300 + ".pdf").endswith(".pdf")


@pytest.fixture
def quick_forms(monkeypatch):
    monkeypatch.setattr(form, "pdf", lambda paper, link: b"%PDF")


def test_only_what_the_filter_leaves(client, city, campaign, quick_forms):
    for union in (city.own, city.foreign):
        make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
    chosen = f"&county={city.other_county.code}"
    archive = opened(fetch(client, city.lead, campaign, chosen))
    assert {name.split("/")[0] for name in archive.namelist()} == {"叶县总工会", NOTES}
    assert "县（市、区）：叶县总工会" in notes(archive)


def test_a_right_that_is_taken_away_meanwhile_ends_it(client, city, campaign, quick_forms):
    make_self_assessment(city, campaign, State.SUBMITTED)
    response = fetch(client, city.lead, campaign)
    Membership.objects.filter(user=city.lead).delete()
    assert opened(response).namelist() == [NOTES]


def test_it_is_sent_piece_by_piece(city, campaign, quick_forms):
    make_self_assessment(city, campaign, State.SUBMITTED)
    sizes = [len(piece) for piece in stream(SelfAssessment.objects.all, link=str, title="")]
    assert len(sizes) > 3
    assert max(sizes) < 300_000
