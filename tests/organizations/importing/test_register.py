"""The template and the register as workbooks: opened again as a user would, and sent back."""

import io

import pytest
from openpyxl import load_workbook

from organizations import tree
from organizations.choices import Tier
from organizations.models import Organization
from tests.factories import make_organization
from tests.organizations.importing.files import (
    CREDIT_CODE,
    TITLES,
    counts,
    imported,
    preview,
    saved,
    shown,
    text,
    union,
)

pytestmark = pytest.mark.django_db

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"]


def download(client, name):
    response = client.get(f"/imports/{name}.xlsx")
    assert response.status_code == 200
    assert response["Content-Type"].endswith("spreadsheetml.sheet")
    return b"".join(response.streaming_content), response["Content-Disposition"]


def opened(client, name):
    return load_workbook(io.BytesIO(download(client, name)[0]))


def drop_downs(sheet):
    """What each column offers, by its heading; with the cells in which it does."""
    return {
        sheet[f"{str(choice.sqref)[0]}1"].value.rstrip("*"): (choice.formula1, str(choice.sqref))
        for choice in sheet.data_validations.dataValidation
    }


# --- The template --------------------------------------------------------------------------------


def test_the_template_has_every_column_and_marks_the_required(admin):
    sheet = opened(admin, "template").active
    headings = [cell.value for cell in sheet[1]]
    assert [heading.rstrip("*") for heading in headings] == list(TITLES)
    assert [h for h in headings if h.endswith("*")] == ["代码*", "名称*", "层级*", "上级工会*"]
    assert sheet.freeze_panes == "C2"


def test_the_template_is_named_in_chinese(admin):
    _, disposition = download(admin, "template")
    assert "%E5%B7%A5%E4%BC%9A%E5%90%8D%E5%86%8C%E5%AF%BC%E5%85%A5%E6%A8%A1%E6%9D%BF" in disposition


def test_every_column_of_the_template_is_text(admin):
    sheet = opened(admin, "template").active
    assert {sheet.column_dimensions[letter].number_format for letter in "ABCDEFGHIJKL"} == {"@"}


def test_the_template_offers_what_may_be_chosen(admin, city):
    book = opened(admin, "template")
    assert drop_downs(book["名册"]) == {
        "层级": ('"县（市、区）工会,产业工会,乡镇（街道）工会,基层工会"', "C2:C5001"),
        "上级工会": ("上级工会!$A$2:$A$7", "D2:D5001"),
        "单位性质": ('"企业,事业,机关,其他"', "E2:E5001"),
        "所有制": ('"国有,集体,民营,外商及港澳台,混合,其他"', "F2:F5001"),
        "工会法人资格": ('"是,否"', "I2:I5001"),
    }
    offered = list(book["上级工会"].iter_rows(min_row=2, values_only=True))
    superiors = Organization.objects.exclude(tier=Tier.GRASSROOTS).order_by("path")
    assert offered == [(s.name, s.code, s.get_tier_display()) for s in superiors]


def test_a_county_is_offered_its_own_superiors_only(county_admin, city):
    names = opened(county_admin, "template")["上级工会"].iter_rows(min_row=2, values_only=True)
    assert [name for name, *_ in names] == [city.county.name, city.township.name]


def test_dissolved_superiors_are_not_offered(admin, city):
    Organization.objects.filter(pk=city.industry.pk).update(dissolved_on="2026-01-01")
    names = opened(admin, "template")["上级工会"].iter_rows(min_row=2, values_only=True)
    assert city.industry.name not in [name for name, *_ in names]


def test_the_template_explains_every_column(admin):
    sheet = opened(admin, "template")["填写说明"]
    rows = list(sheet.iter_rows(values_only=True))
    start = rows.index(("列", "说明", "是否必填", "可选内容")) + 1
    assert [row[0] for row in rows[start:]] == list(TITLES)
    assert all(row[1] for row in rows[start:])
    assert [row[0] for row in rows[start:] if row[2] == "必填"] == list(TITLES[:4])


def test_the_template_without_an_entry_says_so(admin):
    content, _ = download(admin, "template")
    response = admin.post("/imports/", {"file": io.BytesIO(content)})
    assert response.context["form"].errors["file"] == ["表头下面没有内容。"]


def test_the_template_filled_in_is_accepted(admin, city):
    book = opened(admin, "template")
    sheet = book["名册"]
    tiers = drop_downs(sheet)["层级"][0].strip('"').split(",")
    superiors = [cell.value for cell in book["上级工会"]["A"][1:]]
    sheet.append(["X-1", "新设镇工会委员会", tiers[2], superiors[1]])
    register = ["企业", "民营", "0030", "30", "是", CREDIT_CODE, "王新", "李新"]
    sheet.append(["007", "示例新建工会", tiers[3], "新设镇工会委员会", *register])
    batch = imported(admin, saved(book), "模板.xlsx")
    assert counts(batch) == {"CREATE": 2, "accounts": 2}
    made = Organization.objects.get(code="007")
    assert (made.parent.code, made.workers) == ("X-1", 30)
    assert made.parent.parent == city.county


# --- The register --------------------------------------------------------------------------------


@pytest.fixture
def registered(city):
    """Unions with everything in their registers that may be in one."""
    Organization.objects.filter(pk=city.own.pk).update(
        code="00041",
        kind="ENTERPRISE",
        ownership="FOREIGN",
        workers=1200,
        members=0,
        has_legal_person=False,
        credit_code=CREDIT_CODE,
    )
    Organization.objects.filter(pk=city.sibling.pk).update(has_legal_person=True, kind="OTHER")
    for name in FORMULAS:
        make_organization(Tier.GRASSROOTS, city.industry, name)
    Organization.objects.filter(pk=city.direct.pk).update(dissolved_on="2026-01-01")
    return Organization.objects.active().count()


def test_the_register_imported_unchanged_changes_nothing(admin, registered):
    content, _ = download(admin, "register")
    batch = preview(admin, content, "名册.xlsx")
    assert counts(batch) == {"UNCHANGED": registered}
    assert (
        "名册与系统中的登记完全一致，不需要导入。"
        in admin.get(batch.get_absolute_url()).content.decode()
    )


def test_one_name_changed_in_the_register_is_one_change(admin, registered, city):
    book = opened(admin, "register")
    (cell,) = [c for c in book.active["B"] if c.value == city.own.name]
    cell.value = "示例机械集团工会委员会"
    batch = imported(admin, saved(book), "名册.xlsx")
    assert counts(batch) == {"CHANGE": 1, "UNCHANGED": registered - 1}
    assert Organization.objects.get(pk=city.own.pk).name == "示例机械集团工会委员会"


def test_the_register_says_what_is_registered(admin, registered, city):
    sheet = opened(admin, "register").active
    rows = {row[0]: row for row in sheet.iter_rows(values_only=True)}
    assert rows["00041"] == (
        *("00041", city.own.name, "基层工会", city.township.code, "企业", "外商及港澳台"),
        *(1200, 0, "否", CREDIT_CODE, None, None),
    )
    assert rows[city.city.code][:4] == (city.city.code, city.city.name, "市总工会", None)
    assert city.direct.code not in rows


def test_a_county_downloads_its_own_register_and_can_send_it_back(county_admin, registered, city):
    content, _ = download(county_admin, "register")
    sheet = load_workbook(io.BytesIO(content)).active
    codes = [row[0] for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert codes == [city.county.code, city.township.code, "00041", city.sibling.code]
    assert counts(preview(county_admin, content, "名册.xlsx")) == {"UNCHANGED": 4}


def test_what_looks_like_a_formula_is_text_in_the_register(admin, registered):
    cells = {c.value: c for c in opened(admin, "register").active["B"] if c.value in FORMULAS}
    assert sorted(cells) == sorted(FORMULAS)
    assert {cell.data_type for cell in cells.values()} == {"s"}
    assert all(cell.quotePrefix for cell in cells.values())


def test_what_looks_like_a_formula_is_text_among_the_superiors(admin, city):
    make_organization(Tier.TOWNSHIP, city.county, "=1+1")
    cells = [c for c in opened(admin, "template")["上级工会"]["A"] if c.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]


@pytest.mark.parametrize("name", [*FORMULAS, "tab\tin a name"])
def test_what_looks_like_a_formula_is_imported_as_it_is(admin, city, name):
    rows = [union("N-1", name, city.township.code)]
    batch = imported(admin, text(rows))
    assert [row["name"] for row in shown(admin, preview(admin, text(rows)), "UNCHANGED")] == [
        name.replace("\t", " ")
    ]
    assert Organization.objects.get(code="N-1").name == name.replace("\t", " ")
    assert batch.counts["CREATE"] == 1


def test_a_register_of_many_unions_costs_no_more_queries(
    admin, city, django_assert_max_num_queries
):
    tree.plant_all(
        Organization(code=f"Q{n}", name="示例", tier=Tier.GRASSROOTS, parent=city.township)
        for n in range(300)
    )
    with django_assert_max_num_queries(12):
        download(admin, "register")
    with django_assert_max_num_queries(12):
        download(admin, "template")
