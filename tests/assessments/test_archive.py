"""申报档案: the zip as it comes, opened again."""

import io
import zipfile

import pytest
from django.core.files.storage import default_storage

from assessments.choices import State
from assessments.exports import archive, form
from assessments.models import SelfAssessment, StoredFile
from organizations.models import AuditEvent, Membership, Organization
from tests.factories import make_self_assessment

pytestmark = pytest.mark.django_db
ZIP = "/summary/archive/archive.zip"


@pytest.fixture(autouse=True)
def quick_forms(monkeypatch):
    """What stands on the form has tests of its own."""
    monkeypatch.setattr(form, "pdf", lambda paper, link: b"%PDF " + link.encode())


@pytest.fixture
def lead(client, city):
    client.force_login(city.lead)
    return client


def taken(client, query=""):
    response = client.get(ZIP + query)
    assert response.streaming
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def notes(book):
    return book.read(archive.NOTES).decode("utf-8-sig")


def test_a_folder_for_each_union_with_its_form_and_files(lead, city, campaign):
    mine = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    make_self_assessment(city, campaign, organization=city.sibling)  # a draft
    book = taken(lead)
    assert book.testzip() is None
    folder = f"宝丰县总工会/{city.own.name}"
    names = [name for name in book.namelist() if name.startswith(f"{folder}/")]
    assert names[0] == f"{folder}/申报表.pdf"
    assert mine.revisions.get().code.encode() in book.read(names[0])
    kept = mine.revisions.get().evidence.select_related("evidence__stored_file")
    assert len(names) == 1 + kept.count()
    one = kept.order_by("indicator__code").first()
    with one.evidence.stored_file.file.open("rb") as file:
        assert book.read(f"{folder}/{one.indicator.code}_{one.evidence.name}") == file.read()
    assert any(name.startswith("叶县总工会/") for name in book.namelist())
    assert city.sibling.name not in "".join(book.namelist())
    assert "应有 2 个工会，放入 2 个" in notes(book)
    event = AuditEvent.objects.get(action="ARCHIVE_EXPORTED")
    assert event.details["unions"] == 2


def test_only_what_the_filter_leaves(lead, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    book = taken(lead, f"?county={city.other_county.code}")
    assert {name.split("/")[0] for name in book.namelist()} == {"叶县总工会", archive.NOTES}
    assert "县（市、区）：叶县总工会" in notes(book)
    assert "下载档案（1 个工会）" in (
        lead.get(f"/summary/archive/?county={city.other_county.code}").content.decode()
    )


def test_what_cannot_be_put_in_is_noted_and_the_rest_goes_on(lead, city, campaign, monkeypatch):
    first = make_self_assessment(city, campaign, State.SUBMITTED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    stored = StoredFile.objects.filter(evidence__organization=city.own).first()
    default_storage.delete(stored.file.name)
    StoredFile.objects.filter(evidence__organization=city.foreign).exclude(pk=stored.pk).update(
        infection="Eicar"
    )

    def pdf(paper, link):
        if paper.facts["union"] == city.own.name:
            raise ValueError("no glyph")
        return b"%PDF"

    monkeypatch.setattr(form, "pdf", pdf)
    book = taken(lead)
    assert book.testzip() is None
    told = notes(book)
    assert f"{first.organization.name}/申报表.pdf：没有放入" in told
    assert "存储中缺少这个文件" in told
    assert f"叶县总工会/{city.foreign.name}/申报表.pdf" in book.namelist()


def test_a_right_that_is_taken_away_ends_it(lead, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    response = lead.get(ZIP)
    Membership.objects.filter(user=city.lead).delete()
    book = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert book.namelist() == [archive.NOTES]


def test_what_a_lead_is_recused_from_is_not_in_it(lead, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    city.lead.recusals.create(organization=city.county, reason="亲属")
    assert taken(lead).namelist() == [archive.NOTES]


def test_two_unions_of_one_name_have_two_folders(lead, city, campaign):
    Organization.objects.filter(pk=city.sibling.pk).update(name=city.own.name)
    make_self_assessment(city, campaign, State.SUBMITTED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.sibling)
    forms = [name for name in taken(lead).namelist() if name.endswith("申报表.pdf")]
    assert len(set(forms)) == 2


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a/b\\c:d*e?f"g<h>i|j.pdf', "a_b_c_d_e_f_g_h_i_j.pdf"),
        ("发票\u202efdp.exe", "发票fdp.exe"),
        ("行\u2028尾\n.txt", "行尾.txt"),
        ("CON.pdf", "_CON.pdf"),
        (" . ", "未命名"),
        ("长" * 255 + ".pdf", "长" * 56 + ".pdf"),
    ],
)
def test_names_are_safe_on_any_system(name, found):
    assert archive.Names().fresh(name) == found


def test_a_name_comes_once_whatever_its_case():
    names = archive.Names()
    assert [names.fresh(name) for name in ("a.PDF", "A.pdf", "a.pdf")] == [
        "a.PDF",
        "A（2）.pdf",
        "a（3）.pdf",
    ]


def test_it_is_made_piece_by_piece(city, campaign):
    """Nothing is ahead of what has been sent but one piece."""
    make_self_assessment(city, campaign, State.SUBMITTED)
    pieces = archive.stream(SelfAssessment.objects.all, link=str, title="")
    sizes = [len(piece) for piece in pieces]
    assert len(sizes) > 3
    assert max(sizes) < 300_000
