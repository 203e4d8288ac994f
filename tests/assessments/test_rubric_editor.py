"""Making, changing, comparing, writing and reading versions of the rubric."""

import io
import json

import pytest
from openpyxl import load_workbook

from assessments import campaigns, rubric_editing, rubric_files, rubrics
from assessments.forms.rubrics import judged
from assessments.models import Criterion, Indicator, Rubric, RubricLocked, TierPolicy
from assessments.rubric_editing import NotAllowed
from organizations.choices import Tier
from organizations.importing.reading import ListRefused
from organizations.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


def read(rubric):
    return rubric_editing.with_indicators(Rubric.objects.filter(pk=rubric.pk)).get()


def sections(rubric):
    return rubric_editing.sections_of(read(rubric))


@pytest.fixture
def first():
    rubrics.load()
    return read(Rubric.objects.get(tier=Tier.GRASSROOTS, version=1))


@pytest.fixture
def draft(first, city):
    return rubric_editing.copy(first, "修订稿", city.admin)


@pytest.fixture
def criterion(draft):
    return Criterion.objects.get(rubric=draft, number=1)


def rows_of(criterion):
    return [rubric_editing.row_of(one) for one in criterion.indicators.order_by("position")]


def rewrite(criterion, rows, city, seen=None):
    seen = seen or rubric_editing.stamp(criterion)
    rubric_editing.rewrite(criterion, criterion.title, rows, city.admin, seen)


def test_a_copy_is_the_next_version_with_the_same_content(first, draft):
    assert (draft.tier, draft.version, draft.title) == (first.tier, 2, "修订稿")
    assert sections(draft) == sections(first)
    assert rubrics.problems(draft) == []
    assert AuditEvent.objects.get(action="RUBRIC_MADE").details == {"source": str(first)}


def test_codes_stay_and_a_new_one_was_never_used(criterion, city):
    rows = rows_of(criterion)
    codes = [row["code"] for row in rows]
    new = rows[0] | {"code": "", "name": "新指标"}
    rewrite(criterion, [rows[1], new, *rows[2:]], city)  # the first is gone
    now = rows_of(criterion)
    assert [row["code"] for row in now] == [codes[1], f"G1.{len(codes) + 1:02}", *codes[2:]]
    rewrite(criterion, now[:1], city)
    assert Indicator.objects.filter(criterion=criterion).count() == 1
    changed = AuditEvent.objects.filter(action="RUBRIC_CHANGED").first()
    assert f"删去 {codes[0]}" in changed.details["changes"]


def test_a_stale_edit_overwrites_nothing(criterion, city):
    seen = rubric_editing.stamp(criterion)
    rows = rows_of(criterion)
    rewrite(criterion, [rows[0] | {"name": "先改的"}, *rows[1:]], city)
    with pytest.raises(NotAllowed, match="别人改过"):
        rewrite(criterion, [rows[0] | {"name": "后改的"}, *rows[1:]], city, seen)
    assert rows_of(criterion)[0]["name"] == "先改的"


def test_only_the_city_s_administrator_changes_it(criterion, first, city):
    with pytest.raises(NotAllowed):
        rubric_editing.copy(first, "x", city.lead)
    with pytest.raises(NotAllowed):
        rubric_editing.remove(criterion.rubric, city.lead)


def test_a_draft_may_be_unbalanced_but_opens_no_campaign(criterion, city):
    rewrite(criterion, rows_of(criterion)[1:], city)
    draft = Rubric.objects.get(pk=criterion.rubric_id)
    (problem,) = rubrics.problems(draft)
    assert problem.startswith("满分合计应为 100 分")
    campaign = factories.make_campaign(opened=False)
    TierPolicy.objects.filter(campaign=campaign, tier=draft.tier).update(rubric=draft)
    with pytest.raises(campaigns.NotInOrder):
        campaigns.open_campaign(campaign, city.admin)


def test_what_an_open_campaign_uses_is_locked_in_its_models_too(first, city):
    factories.make_campaign()
    criterion = Criterion.objects.get(rubric=first, number=1)
    indicator = criterion.indicators.first()
    with pytest.raises(RubricLocked, match="请另建新版本"):
        rewrite(criterion, rows_of(criterion), city)
    for change in (indicator.save, indicator.delete, criterion.save, criterion.delete):
        with pytest.raises(RubricLocked):
            change()
    with pytest.raises(RubricLocked):
        rubric_editing.remove(first, city.admin)


def test_a_version_in_preparation_is_changed_but_not_deleted(draft, city):
    campaign = factories.make_campaign(opened=False)
    TierPolicy.objects.filter(campaign=campaign, tier=draft.tier).update(rubric=draft)
    criterion = draft.criteria.get(number=1)
    rewrite(criterion, rows_of(criterion), city)
    with pytest.raises(NotAllowed, match="不能删除"):
        rubric_editing.remove(draft, city.admin)
    TierPolicy.objects.all().delete()
    rubric_editing.remove(draft, city.admin)
    assert not Rubric.objects.filter(pk=draft.pk).exists()


def test_coverage_shows_what_is_missing_and_what_is_not_the_policy_s(criterion):
    clauses = [row["clause"] for row in rows_of(criterion)]
    assert [piece.kind for piece in rubric_editing.coverage(criterion, clauses)] == ["same"]
    pieces = rubric_editing.coverage(criterion, [*clauses[1:], "另加一句。"])
    by_kind = {piece.kind: piece.text for piece in pieces}
    assert by_kind["removed"] == clauses[0]
    assert by_kind["added"] == "另加一句。"


def test_two_versions_are_compared_by_code(first, criterion, city):
    rows = rows_of(criterion)
    changed = rows[0] | {"clause": f"{rows[0]['clause']}另加一句。", "max_points": "9.5"}
    rewrite(criterion, [changed, *rows[2:], rows[1] | {"code": ""}], city)
    ((title, changes),) = rubric_editing.compare(sections(first), sections(criterion.rubric))
    assert title == f"1、{criterion.title}"
    told = {change.code: change for change in changes}
    assert {code: one.sign for code, one in told.items()} == {
        rows[0]["code"]: "修改",
        rows[1]["code"]: "删去",
        f"G1.{len(rows) + 1:02}": "新增",
    }
    clause, points = told[rows[0]["code"]].differences
    assert [piece.text for piece in clause.pieces if piece.kind == "added"] == ["另加一句。"]
    assert (points.label, points.after) == ("满分", "9.5")


@pytest.mark.parametrize("tier", list(rubric_editing.LETTERS))
@pytest.mark.parametrize("kind", ["json", "xlsx"])
def test_a_file_brings_back_exactly_what_was_written(first, tier, kind):
    rubric = read(Rubric.objects.get(tier=tier, version=1))
    own = rubric_editing.sections_of(rubric)
    if kind == "json":
        text = rubric_files.as_json(rubric.tier, rubric.title, own)
        file = io.BytesIO(text.encode())
    else:
        file = rubric_files.as_workbook(rubric)
    document = rubric_files.read(file)
    assert (document.tier, document.title) == (tier, rubric.title)
    assert judged(document) == (own, [])


def test_text_like_a_formula_stays_text(first, criterion, city):
    rows = rows_of(criterion)
    rewrite(criterion, [rows[0] | {"name": "=1+1"}, *rows[1:]], city)
    file = rubric_files.as_workbook(read(criterion.rubric))
    cells = [cell for row in load_workbook(file).active for cell in row if cell.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]
    file.seek(0)
    found, faults = judged(rubric_files.read(file))
    assert (found[0].rows[0]["name"], faults) == ("=1+1", [])


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("A", 7, "C4：序号应为 1 至 6"),
        ("B", "另一个名称", "C5：第 1 好的名称"),
        ("C", "T1.01", "C4：编号“T1.01”与层级或序号不符"),
        ("D", "", "D4：名称——请填写名称"),
        ("F", "投票", "F4：类型"),
        ("G", "很多", "G4：满分——请填写数字"),
        ("G", 0, "G4：满分"),
        ("H", "也许", "H4：必达只能填"),
    ],
)
def test_a_fault_of_a_workbook_is_named_by_its_cell(first, column, value, fault):
    book = load_workbook(rubric_files.as_workbook(first))
    book.active[f"{column}4"] = value
    file = io.BytesIO()
    book.save(file)
    _, faults = judged(rubric_files.read(file))
    assert any(one.startswith(fault) for one in faults), faults


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{" * 200_000, "JSON"),
        (b'{"tier": "GRASSROOTS", "title": "x"}', "JSON"),
        (b'{"tier": "CITY", "title": "x", "criteria": []}', "没有六好标准"),
        (b'{"tier": "GRASSROOTS", "title": "x", "criteria": []}', "1 至 300"),
        (b"PK\x03\x04 not a workbook", "已损坏"),
        (b"a,b\n1,2\n", "没有找到表头"),
        (b"x" * (rubric_files.MAX_BYTES + 1), "超过 1 MB"),
    ],
)
def test_a_hostile_file_is_refused_with_words(content, why):
    with pytest.raises(ListRefused, match=why):
        rubric_files.read(io.BytesIO(content))


def test_json_of_wrong_types_is_refused(first):
    content = json.loads(rubric_files.as_json(first.tier, first.title, sections(first)))
    content["criteria"][0]["indicators"][0]["name"] = {"$gt": ""}
    with pytest.raises(ListRefused):
        rubric_files.from_json(json.dumps(content))


def test_a_clause_is_split_at_the_stop_nearest_its_middle():
    assert rubric_editing.split("甲乙丙,丁戊己庚。辛。") == ("甲乙丙,", "丁戊己庚。辛。")
    assert rubric_editing.split("没有停顿") == ("没有停顿", "")
