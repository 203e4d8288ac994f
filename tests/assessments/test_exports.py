"""The summary workbook, opened again and recalculated; and the figures behind it."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from assessments import exporting, rollups
from assessments.choices import Action, State
from assessments.exports import summary
from assessments.models import (
    Answer,
    Decision,
    DecisionCriterion,
    DecisionScore,
    Recommendation,
    TierPolicy,
    Veto,
)
from assessments.scoring import rounded
from organizations import tree, workbook
from organizations.models import Membership, Organization, User
from tests import factories
from tests.factories import make_organization, make_self_assessment, perform
from tests.workbooks import named_rows, opened, recalculated

pytestmark = pytest.mark.django_db
TIERS = ["tier_county", "tier_township", "tier_grassroots"]


def made(user, campaign, sheets, *, place="", columns=("state",)):
    """The file of an export that has been made."""
    chosen = {"year": campaign.year, "place": place, "sheets": sheets, "columns": list(columns)}
    export = exporting.request(User.objects.get(pk=user.pk), chosen)
    export.refresh_from_db()
    assert export.is_available, export.error
    return export.file


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


def test_every_sheet_that_was_chosen_and_one_that_explains_them(city, campaign):
    book = opened(made(city.lead, campaign, list(summary.SHEETS)))
    assert book.sheetnames == [
        "说明",
        "各县（市、区）汇总",
        "各乡镇（街道）汇总",
        "县（市、区）工会",
        "乡镇（街道）工会",
        "基层工会",
        "六好得分情况",
        "指标得分情况",
        "未提交名单",
        "初审推荐名单",
        "推荐名单",
        "县（市、区）工会明细",
        "乡镇（街道）工会明细",
        "基层工会明细",
    ]
    told = {row["项目"]: row["说明"] for row in named_rows(book["说明"])}
    assert told["范围"] == "全市"
    assert told["制表"].startswith("组长，")
    assert told["工会信息列"] == "代码、工会名称、县（市、区）、状态"


def test_a_decided_union_has_all_its_figures(city, campaign):
    make_self_assessment(city, campaign, State.DECIDED, share="0.9")
    book = opened(made(city.admin, campaign, ["tier_grassroots", "detail_grassroots"]))
    row = next(r for r in named_rows(book["基层工会"]) if r["工会名称"] == city.own.name)
    assert (row["代码"], row["县（市、区）"], row["状态"]) == (
        city.own.code,
        "宝丰县总工会",
        "已评定",
    )
    assert row["自评总分"] == row["评定总分"] == 93.978557
    assert (row["党政重视支持好"], row["是否“好”"], row["是否达标"]) == (12.5, "未达", "未达标")
    assert row["职工权益维护好"] == 24.5
    row = next(r for r in named_rows(book["基层工会明细"]) if r["工会名称"] == city.own.name)
    own = {label: value for label, value in row.items() if label.endswith("（自评）")}
    final = {label: value for label, value in row.items() if label.endswith("（评定）")}
    assert sum(own.values()) == pytest.approx(93.98, abs=0.02)
    assert list(own.values()) == list(final.values())


def test_everybody_who_should_hand_in_is_there(city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    book = opened(made(city.lead, campaign, ["tier_grassroots", "missing"]))
    found = {r["工会名称"]: r for r in named_rows(book["基层工会"])[:-1]}
    assert set(found) == {city.own.name, city.sibling.name, city.foreign.name, city.direct.name}
    assert found[city.sibling.name]["状态"] == "未开始"
    assert found[city.sibling.name]["自评总分"] == "—"
    assert found[city.own.name]["是否达标"] == "—"
    assert found[city.direct.name]["县（市、区）"] == "市直单位"
    missing = {r["工会名称"]: r["情况"] for r in named_rows(book["未提交名单"])[:-1]}
    assert city.own.name not in missing
    assert missing[city.sibling.name] == "未开始"
    assert len(missing) == 7


def test_whom_the_superior_recommends(city):
    campaign = factories.make_campaign(endorsement=True)
    make_self_assessment(city, campaign, State.ENDORSED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    book = opened(made(city.lead, campaign, ["recommended"]))
    (row,) = named_rows(book["初审推荐名单"])
    assert (row["工会名称"], row["推荐单位"]) == (city.own.name, city.township.name)
    assert row["推荐意见"] == "同意推荐。"


def test_whom_the_city_recommends_to_the_province(city, campaign):
    empty = opened(made(city.lead, campaign, ["province"]))["推荐名单"]
    assert empty["A4"].value == "还没有生成推荐名单。"
    assert named_rows(empty) == []
    lines = []
    for union in (city.own, city.foreign):
        final = make_self_assessment(city, campaign, State.FINAL, organization=union)
        lines.append(factories.make_recommendation(final, city.admin, city.lead))
    sheet = opened(made(city.lead, campaign, ["province"]))["推荐名单"]
    listed = {r["工会名称"]: (r["名次"], r["评定总分"], r["推荐依据"]) for r in named_rows(sheet)}
    expected = Recommendation.objects.filter(listed=True)
    assert listed == {
        str(one.self_assessment.organization): (one.rank, float(one.total), one.why)
        for one in expected
    }
    assert listed
    assert "两人确认" in sheet["A4"].value
    city.lead.recusals.create(organization=city.county, reason="亲属")
    hidden = opened(made(city.lead, campaign, ["province"]))["推荐名单"]
    assert city.own.name not in {row["工会名称"] for row in named_rows(hidden)}


def test_a_part_of_the_tree_alone(city, campaign):
    file = made(city.lead, campaign, ["tier_grassroots", "counties"], place=city.township.code)
    book = opened(file)
    names = {r["工会名称"] for r in named_rows(book["基层工会"])[:-1]}
    assert names == {city.own.name, city.sibling.name}
    assert {r["县（市、区）"] for r in named_rows(book["各县（市、区）汇总"])} == {
        "宝丰县总工会",
        city.township.name,
    }


def test_what_a_lead_is_recused_from_is_not_listed(city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    city.lead.recusals.create(organization=city.county, reason="亲属")
    sheets = [*TIERS, "missing", "detail_grassroots"]
    book = opened(made(city.lead, campaign, sheets))
    assert not any(
        cell.value in (city.own.name, city.county.name, city.sibling.name)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row[2:3]
    )
    assert "回避" in {row["项目"] for row in named_rows(book["说明"])}


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_a_cell_that_looks_like_a_formula_is_text(city, campaign, start):
    Organization.objects.filter(pk=city.own.pk).update(name=f"{start}工会")
    sheet = opened(made(city.lead, campaign, ["tier_grassroots"]))["基层工会"]
    cell = next(c for row in sheet.iter_rows() for c in row if str(c.value) == f"{start}工会")
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_characters_that_xml_forbids_are_dropped(city, campaign):
    Organization.objects.filter(pk=city.own.pk).update(name="坏\x0b字\x01符\ufffe工会")
    book = opened(made(city.lead, campaign, ["tier_grassroots"]))
    assert "坏字符工会" in {r["工会名称"] for r in named_rows(book["基层工会"])}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("[县]:*?/\\工会", "县       工会".replace("       ", "      ")),
        ("长" * 40, "长" * 31),
        ("'引号'", "引号"),
        ("", "Sheet"),
        ("汇总", "汇总(2)"),
    ],
)
def test_a_sheet_has_a_name_that_excel_takes(name, found):
    assert workbook.sheet_name(name, ["汇总"]) == found


def test_the_sheet_is_ready_to_print(city, campaign):
    book = opened(made(city.admin, campaign, ["tier_grassroots", "counties"]))
    sheet = book["基层工会"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.print_area == "'基层工会'!$A$1:$T$9"
    assert sheet.freeze_panes == "D5"
    assert sheet.auto_filter.ref == "A4:T8"
    assert "制表：管理员" in sheet["A2"].value
    assert "单位：分" in sheet["A3"].value
    bars = book["各县（市、区）汇总"].conditional_formatting
    assert {str(one.sqref) for one in bars} == {"J5:J11", "K5:K11"}


def test_totals_recalculate_to_the_figures_of_the_portal(city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    make_self_assessment(city, campaign, State.DECIDED, organization=city.direct, share="0.9")
    sheets = ["counties", "townships", "tier_grassroots", "criteria", "indicators"]
    book = recalculated(made(city.admin, campaign, sheets))
    by_key = {(r["县（市、区）"], r["层级"]): r for r in named_rows(book["各县（市、区）汇总"])}
    own = by_key["宝丰县总工会", "基层工会"]
    assert (own["在册工会"], own["已提交"], own["已评审"], own["达标"]) == (2, 1, 1, 1)
    assert (own["达标率"], own["尚需达标"], own["90%目标"]) == (0.5, 1, "未达到")
    counties = rollups.by_county(campaign)
    whole = sum((county.together for county in counties), rollups.Figures())
    totals = {"合计": whole} | {
        tier.label: figures for tier, figures in rollups.by_tier(counties).items()
    }
    townships = {(r["县（市、区）"], r["层级"]): r for r in named_rows(book["各乡镇（街道）汇总"])}
    for label, figures in totals.items():
        row = by_key["全市", label]
        assert (row["在册工会"], row["已开始"], row["已提交"]) == (
            figures.registered,
            figures.started,
            figures.submitted,
        )
        assert (row["已评审"], row["已评定"], row["达标"]) == (
            figures.reviewed,
            figures.decided,
            figures.at_standard,
        )
        assert row["达标率"] * 100 == pytest.approx(float(figures.share_percent))
        assert row["尚需达标"] == figures.still_needed(campaign.target_percent)
        if label in ("乡镇（街道）工会", "基层工会"):
            assert townships["全市", label]["达标"] == figures.at_standard
    assert townships["市直单位", "基层工会"]["乡镇（街道）"] == "（直属）"
    total = named_rows(book["基层工会"])[-1]
    assert (total["工会名称"], total["是否达标"]) == ("平均分、“好”和达标的个数", 1)
    assert total["评定总分"] == pytest.approx((100 + 93.98) / 2, abs=0.01)
    first = named_rows(book["六好得分情况"])[-6]
    assert (first["层级"], first["评定工会数"], first["达到工会数"]) == ("基层工会", 2, 1)
    assert first["平均得分"] == 13.75
    assert first["得分率"] == pytest.approx(27.5 / 30)
    assert all(r["平均得分"] for r in named_rows(book["指标得分情况"]) if r["评定工会数"])


def test_points_are_held_as_they_are_and_rounded_for_show(city, campaign):
    """A mean of rounded figures would not be the portal's: 10.01 ÷ 2 is 5.01, 10.0099 ÷ 2 is 5.00."""
    unions = [city.own, city.sibling, city.foreign]
    for union, total in zip(unions, ("80.004", "80.004", "80.00"), strict=True):
        make_self_assessment(
            *(city, campaign, State.DECIDED),
            organization=union,
            head=factories.make_user((union, "HEAD")),
        )
        Decision.objects.filter(self_assessment__organization=union).update(total=total)
    DecisionCriterion.objects.filter(number=1, decision__total="80.00").update(points="10.0049")
    DecisionCriterion.objects.filter(number=1).exclude(decision__total="80.00").update(
        points="10.005"
    )
    DecisionScore.objects.filter(indicator__code="G1.01").update(points="1.004999")
    file = made(city.admin, campaign, ["tier_grassroots", "criteria", "indicators"])
    sheet = opened(file)["基层工会"]
    points = [c for row in sheet["F5:T8"] for c in row if isinstance(c.value, (int, float))]
    assert len(points) == 3 * 8
    assert {cell.number_format for cell in points} == {"0.00"}
    book = recalculated(file)
    scores = rollups.scores_of(campaign, city.city.path)["GRASSROOTS"]
    tier = named_rows(book["基层工会"])[-1]
    criteria = [r for r in named_rows(book["六好得分情况"]) if r["层级"] == "基层工会"]
    assert tier["评定总分"] == float(rounded(scores[rollups.TOTAL].mean)) == 80.0
    for number, row in enumerate(criteria, start=1):
        mean = float(rounded(scores[rollups.criterion_code(number)].mean))
        assert (row["平均得分"], tier[row["六好"]]) == (mean, mean)
    indicators = {r["编号"]: r for r in named_rows(book["指标得分情况"])}
    for code in ("G1.01", "G2.04", "G3.01"):
        assert indicators[code]["平均得分"] == float(rounded(scores[code].mean))
    assert indicators["G1.01"]["平均得分"] == 1.0


def test_rates_are_sums_of_counts_on_the_sheet_of_indicators(city, campaign):
    counts = {city.own: (9, 10), city.foreign: (10, 990)}
    for union, (numerator, denominator) in counts.items():
        one = make_self_assessment(city, campaign, State.SUBMITTED, organization=union)
        Answer.objects.filter(self_assessment=one, indicator__numerator_label="满意票数").update(
            numerator=numerator, denominator=denominator
        )
    rollups.rebuild(campaign)
    code = Answer.objects.filter(indicator__numerator_label="满意票数").first().indicator.code
    book = opened(made(city.admin, campaign, ["indicators"]))
    rows = {row["编号"]: row for row in named_rows(book["指标得分情况"])}
    row = rows[code]
    assert (row["填报工会数"], row["分子合计"], row["分母合计"]) == (2, 19, 1000)
    assert re.fullmatch(r'=IF\(U(\d+)=0,"",T\1/U\1\)', row["合计比率"])
    assert rows["G1.01"]["分母合计"] is None


def test_two_counties_of_one_name_are_two_rows(city, campaign):
    Organization.objects.filter(pk=city.other_county.pk).update(name=city.county.name)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    book = opened(made(city.admin, campaign, ["counties"]))
    rows = [
        (row["在册工会"], row["已提交"])
        for row in named_rows(book["各县（市、区）汇总"])
        if (row["县（市、区）"], row["层级"]) == (city.county.name, "基层工会")
    ]
    assert rows == [(2, 0), (1, 1)]
    assert rows == [
        (one.by_tier["GRASSROOTS"].registered, one.by_tier["GRASSROOTS"].submitted)
        for one in rollups.by_county(campaign)
        if one.name == city.county.name
    ]


def test_a_criterion_that_does_not_apply_at_all_is_not_counted(city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    DecisionCriterion.objects.filter(number=4).update(points=0, maximum=0)
    rollups.rebuild(campaign)
    book = opened(made(city.admin, campaign, ["criteria"]))
    rows = {r["序号"]: r for r in named_rows(book["六好得分情况"]) if r["层级"] == "基层工会"}
    assert (rows[3]["评定工会数"], rows[4]["评定工会数"], rows[4]["达到工会数"]) == (1, 0, 0)


def test_the_other_sheets_recalculate_as_well(city, campaign):
    for union in (city.own, city.township, city.county):
        make_self_assessment(
            *(city, campaign, State.DECIDED),
            organization=union,
            head=factories.make_user((union, "HEAD")),
            share="0.9",
        )
    sheets = ["missing", "tier_county", "tier_township", "detail_grassroots", "detail_township"]
    book = recalculated(made(city.admin, campaign, sheets))
    *listed, last = named_rows(book["未提交名单"])
    assert (last["工会名称"], last["情况"]) == ("个数", len(listed))
    for tier, name in (("COUNTY", "县（市、区）工会"), ("TOWNSHIP", "乡镇（街道）工会")):
        scores = rollups.scores_of(campaign, city.city.path)[tier][rollups.TOTAL]
        assert named_rows(book[name])[-1]["评定总分"] == float(rounded(scores.mean))
    for tier, name in (("GRASSROOTS", "基层工会明细"), ("TOWNSHIP", "乡镇（街道）工会明细")):
        scores = rollups.scores_of(campaign, city.city.path)[tier]
        means = {
            label.split("（")[0].split()[0]: mean
            for label, mean in named_rows(book[name])[-1].items()
            if label.endswith("（评定）")
        }
        assert len(means) > 40
        for code, mean in means.items():
            assert mean == float(rounded(scores[code].mean)), code


def test_nothing_is_divided_by_zero(city, campaign):
    """No data at all, and a campaign that assesses one tier."""
    Organization.objects.exclude(pk=city.city.pk).update(dissolved_on="2026-01-01")
    TierPolicy.objects.exclude(tier="GRASSROOTS").delete()
    book = recalculated(made(city.admin, campaign, list(summary.SHEETS)))
    assert "县（市、区）工会" not in book.sheetnames
    assert [r["工会名称"] for r in named_rows(book["基层工会"])] == ["平均分、“好”和达标的个数"]
    last = named_rows(book["各县（市、区）汇总"])[-1]
    assert (last["在册工会"], last["达标率"], last["尚需达标"]) == (0, None, 0)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            assert not any(str(value).startswith(("#", "Err:")) for value in row)


def test_who_has_lost_the_right_gets_no_file(city, campaign):
    chosen = {"year": campaign.year, "place": "", "sheets": TIERS, "columns": []}
    Membership.objects.filter(user=city.lead).delete()
    with pytest.raises(exporting.ExportRefused):
        exporting.request(User.objects.get(pk=city.lead.pk), chosen)


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
    assert re.search(r'data-label="达标率"><ahref="[^"]+reached=at_standard">25%</a></td>', html)
