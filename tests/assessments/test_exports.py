"""The summary workbook, opened again; and the figures behind it."""

import io
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from assessments import rollups
from assessments.choices import Action, State
from assessments.exports import summary
from assessments.models import Veto
from organizations import tree
from organizations.models import Organization
from tests import factories
from tests.factories import make_organization, make_self_assessment, perform, today

pytestmark = pytest.mark.django_db


def opened(client, campaign):
    response = client.get(reverse("assessments:summary_workbook", args=[campaign.year]))
    assert response["Content-Type"] == summary.MEDIA_TYPE
    return load_workbook(io.BytesIO(b"".join(response.streaming_content)))


def rows(sheet):
    """Rows below the heading as dictionaries; a repeated heading keeps its first value."""
    table = list(sheet.iter_rows(values_only=True))
    head = next(i for i, row in enumerate(table) if row[0] in ("序号", "县（市、区）"))
    found = []
    for row in table[head + 1 :]:
        named = {}
        for label, value in zip(table[head], row, strict=True):
            named.setdefault(label, value)
        found.append(named)
    return found


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


def test_a_sheet_for_each_tier_and_the_counties(admin, campaign):
    assert opened(admin, campaign).sheetnames == [
        "各县（市、区）汇总",
        "县（市、区）工会",
        "乡镇（街道）工会",
        "基层工会",
    ]


def test_a_decided_union_has_all_its_figures(admin, city, campaign):
    make_self_assessment(city, campaign, State.DECIDED, share="0.9")
    sheet = opened(admin, campaign)["基层工会"]
    row = next(r for r in rows(sheet) if r["工会名称"] == city.own.name)
    assert (row["代码"], row["县（市、区）"], row["状态"]) == (
        city.own.code,
        "宝丰县总工会",
        "已评定",
    )
    assert row["自评总分"] == row["评定总分"] == 93.98
    assert (row["党政重视支持好"], row["是否“好”"], row["是否达标"]) == (12.5, "未达", "未达标")
    assert row["职工权益维护好"] == 24.5


def test_everybody_who_should_hand_in_is_there(admin, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    found = {r["工会名称"]: r for r in rows(opened(admin, campaign)["基层工会"])}
    assert set(found) == {city.own.name, city.sibling.name, city.foreign.name, city.direct.name}
    assert found[city.sibling.name]["状态"] == "未开始"
    assert found[city.sibling.name]["自评总分"] == "—"
    assert found[city.own.name]["是否达标"] == "—"
    assert found[city.direct.name]["县（市、区）"] == "市直单位"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_a_cell_that_looks_like_a_formula_is_text(admin, city, campaign, start):
    Organization.objects.filter(pk=city.own.pk).update(name=f"{start}工会")
    sheet = opened(admin, campaign)["基层工会"]
    cell = next(c for row in sheet.iter_rows() for c in row if str(c.value) == f"{start}工会")
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_characters_that_xml_forbids_are_dropped(admin, city, campaign):
    Organization.objects.filter(pk=city.own.pk).update(name="坏\x0b字\x01符工会")
    assert "坏字符工会" in {r["工会名称"] for r in rows(opened(admin, campaign)["基层工会"])}


def test_the_sheet_is_ready_to_print(admin, campaign):
    sheet = opened(admin, campaign)["基层工会"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.freeze_panes == "D5"
    assert sheet.auto_filter.ref == "A4:T8"
    assert sheet["A2"].value.startswith("制表：管理员  日期：")


def test_county_rows_add_up_to_the_city(admin, city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    table = rows(opened(admin, campaign)["各县（市、区）汇总"])
    by_key = {(r["县（市、区）"], r["层级"]): r for r in table}
    own = by_key["宝丰县总工会", "基层工会"]
    assert (own["在册工会"], own["已提交"], own["已评审"], own["达标"]) == (2, 1, 1, 1)
    assert (own["达标率（%）"], own["尚需达标"]) == (50, 1)
    assert by_key["市直单位", "基层工会"]["在册工会"] == 1
    city_row = by_key["全市", "合计"]
    assert (city_row["在册工会"], city_row["已提交"], city_row["达标"]) == (8, 2, 1)
    assert city_row["90%目标"] == "未达到"


@pytest.mark.parametrize("user", ["head", "county_admin", "county_head", "reviewer", "leader"])
def test_only_the_citys_administrators_and_leads_export(client, city, campaign, user):
    client.force_login(getattr(city, user))
    for url in (
        reverse("assessments:summary"),
        reverse("assessments:summary_workbook", args=[campaign.year]),
    ):
        assert client.get(url).status_code == 404


def test_a_year_without_a_campaign_is_not_found(admin, city):
    factories.make_campaign(opened=False)
    for year in (today().year, 1900, 99999999999999999999):
        assert admin.get(f"/summary/{year}/workbook.xlsx").status_code == 404
    assert "还没有开放的创建活动" in admin.get("/summary/").content.decode()


def test_no_data_at_all_still_makes_a_workbook(admin, city, campaign):
    Organization.objects.filter(pk__in=[city.foreign.pk, city.direct.pk]).update(
        dissolved_on="2026-01-01"
    )
    Organization.objects.exclude(pk=city.city.pk).update(dissolved_on="2026-01-01")
    book = opened(admin, campaign)
    assert rows(book["基层工会"]) == []
    assert rows(book["各县（市、区）汇总"])[-1]["在册工会"] == 0


# --- The figures ----------------------------------------------------------------------------------


def figures(campaign, county="宝丰县总工会", tier="GRASSROOTS"):
    return next(c for c in rollups.by_county(campaign) if c.name == county).by_tier[tier]


def test_submitted_reviewed_and_at_standard_are_three_figures(city, campaign):
    make_self_assessment(city, campaign, State.REVIEWED)
    make_self_assessment(city, campaign, organization=city.sibling)
    counted = figures(campaign)
    assert (counted.registered, counted.started, counted.submitted) == (2, 2, 1)
    assert (counted.reviewed, counted.decided, counted.at_standard) == (1, 0, 0)


def test_a_union_counts_once_in_the_three_years(city, campaign):
    earlier = factories.make_campaign(year=campaign.year - 1)
    type(campaign).objects.update(cycle_start_year=campaign.year - 1)
    campaign.refresh_from_db()
    for each in (earlier, campaign):
        make_self_assessment(city, each, State.DECIDED)
    assert figures(campaign).at_standard == 1
    assert figures(earlier).at_standard == 1


def test_a_standard_of_an_earlier_year_of_the_cycle_counts(city, campaign):
    earlier = factories.make_campaign(year=campaign.year - 1)
    make_self_assessment(city, earlier, State.DECIDED)
    assert figures(campaign).at_standard == 0
    type(campaign).objects.filter(pk=campaign.pk).update(cycle_start_year=campaign.year - 1)
    campaign.refresh_from_db()
    assert figures(campaign).at_standard == 1
    assert figures(campaign).submitted == 0


def test_a_reopened_decision_does_not_count(city, campaign):
    assessment = make_self_assessment(city, campaign, State.DECIDED)
    perform(assessment, Action.REOPEN_DECISION, city.admin, reason="有误")
    assert figures(campaign).at_standard == 0


def test_a_vetoed_union_does_not_count(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    Veto.objects.create(
        campaign=campaign, organization=city.own, reason="群体性事件", recorded_by=city.admin
    )
    perform(assessment, Action.DECIDE, city.lead)
    assert (figures(campaign).decided, figures(campaign).at_standard) == (1, 0)


def test_what_the_campaign_leaves_out_is_not_registered(city, campaign):
    campaign.outside_target.add(city.other_county)
    assert "叶县总工会" not in {county.name for county in rollups.by_county(campaign)}


def test_a_union_that_moved_counts_where_it_handed_in(city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    city.township.parent = city.other_county
    tree.replant(city.township)
    assert figures(campaign).submitted == 1
    assert figures(campaign, "叶县总工会").submitted == 0


def test_a_draft_counts_where_the_union_stands_now(city, campaign):
    make_self_assessment(city, campaign)
    city.township.parent = city.other_county
    tree.replant(city.township)
    assert figures(campaign, "叶县总工会").started == 1


def test_a_whole_city_of_unions_under_industry_and_city(city, campaign):
    make_organization("GRASSROOTS", city.industry)
    names = {county.name for county in rollups.by_county(campaign)}
    assert {"平顶山市教育工会", "市直单位"} <= names


@pytest.mark.parametrize(
    ("registered", "at_standard", "needed", "reached"),
    [(10, 9, 0, True), (10, 8, 1, False), (11, 9, 1, False), (11, 10, 0, True), (0, 0, 0, False)],
)
def test_the_target_is_compared_before_it_is_rounded(registered, at_standard, needed, reached):
    counted = rollups.Figures(registered=registered, at_standard=at_standard)
    assert counted.still_needed(Decimal(90)) == needed
    assert counted.reaches(Decimal(90)) is reached


def test_the_summary_page_shows_the_same_figures(admin, city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    html = "".join(admin.get(reverse("assessments:summary")).content.decode().split())
    assert 'data-label="达标率">25%</td>' in html
