"""What all tables share: one way to sort, to choose columns and page sizes, and to export."""

import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from assessments import appeals, assigning, inspecting, standings
from assessments.choices import AppealKind, CaseState, State
from organizations import audit, tree
from organizations.choices import Tier
from organizations.models import AuditEvent, Organization
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user

pytestmark = pytest.mark.django_db

#: Each table, and who opens it.
TABLES = {
    "organizations:list": "admin",
    "organizations:accounts": "admin",
    "assessments:oversight": "lead",
    "assessments:review_list": "reviewer",
    "assessments:assignment_list": "lead",
    "assessments:discrepancy_list": "lead",
    "assessments:decision_list": "lead",
    "assessments:appeal_list": "lead",
    "assessments:inspection_list": "lead",
    "assessments:similarity_list": "lead",
    "assessments:plan_list": "admin",
    "assessments:case_list": "lead",
    "assessments:goal_list": "lead",
    "assessments:recommendation_list": "lead",
    "assessments:rubric_list": "admin",
    "assessments:supervision_list": "admin",
    "assessments:supervision_findings": "admin",
}
HEADING = re.compile(r"<th[^>]*>\s*(?:<a[^>]*>)?\s*([^<]*?)(?:&nbsp;.*?)?\s*<", re.DOTALL)


@pytest.fixture
def scene(city):
    """Three unions with a submission in each state that a list shows; one has a hostile name."""
    campaign, handed_in = factories.make_campaign(), []
    for number, (state, name) in enumerate(
        [
            (State.SUBMITTED, '=HYPERLINK("http://x")工会'),
            (State.REVIEWED, "评审完毕工会"),
            (State.REVIEWED, "分差很大工会"),
        ]
    ):
        union = make_organization(Tier.GRASSROOTS, city.township, name=name)
        head = make_user((union, "HEAD"))
        one = make_self_assessment(city, campaign, state, organization=union, head=head)
        if not one.reviews.exists():
            assigning.assign(one, city.reviewer, city.lead)
        type(one).objects.filter(pk=one.pk).update(
            self_total=90 - number, discrepant="2" if number == 2 else ""
        )
        inspecting.add(one, "群众反映", city.admin)
        handed_in.append(one)
    union = make_organization(Tier.GRASSROOTS, city.township, name="公示中的工会")
    shown = make_self_assessment(city, campaign, State.PUBLISHED, organization=union)
    result = shown.published_results.get()
    appeals.file(result, AppealKind.OBJECTION, {"text": "不符。"}, None, None)
    named = make_organization(Tier.GRASSROOTS, city.township, name="推荐表彰的工会")
    final = make_self_assessment(city, campaign, State.FINAL, organization=named)
    factories.make_recommendation(final, city.admin, city.lead)
    factories.make_flag(*handed_in[:2])
    supervised = factories.make_round(
        city.admin, campaign, handed_in[0].organization, members=[city.reviewer]
    )
    factories.make_finding(supervised.visits.get(), city.reviewer)
    factories.feed_back(supervised.visits.get(), city.reviewer)
    factories.make_case(city, CaseState.FORWARDED)
    standings.rebuild(campaign)
    return city


def fetch(client, scene, table, query=""):
    client.force_login(getattr(scene, TABLES[table]))
    address = reverse(table)
    if table == "organizations:list":  # without a search it shows the top of the tree
        query = f"tier=GRASSROOTS&{query}"
    return client.get(f"{address}?{query}")


def sheet_of(response):
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    return load_workbook(io.BytesIO(b"".join(response.streaming_content))).worksheets[0]


def table_of(sheet):
    """The heading row of a workbook and the rows below it."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    start = next(n for n, row in enumerate(rows) if row.count(None) == 0 and n)
    return rows[start], rows[start + 1 :]


@pytest.mark.parametrize("table", TABLES)
def test_every_heading_sorts_up_and_down(client, scene, table):
    page = fetch(client, scene, table)
    links = [heading.query for heading in page.context["headings"] if heading.query]
    assert links
    for link in links:
        name = re.search(r"sort=-?(\w+)", link).group(1)
        up = fetch(client, scene, table, f"sort={name}")
        down = fetch(client, scene, table, f"sort=-{name}")
        assert 'aria-sort="ascending"' in up.content.decode()
        assert 'aria-sort="descending"' in down.content.decode()
        keys = [one.pk for one in up.context["page_obj"]]
        assert sorted(keys) == sorted(one.pk for one in down.context["page_obj"])


def test_what_is_sorted_is_in_order(client, scene):
    found = fetch(client, scene, "assessments:decision_list", "sort=self").context["page_obj"]
    assert [one.self_total for one in found] == sorted(one.self_total for one in found)
    found = fetch(client, scene, "assessments:decision_list", "sort=-self").context["page_obj"]
    assert [one.self_total for one in found] == sorted(
        (one.self_total for one in found), reverse=True
    )


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_chosen_and_the_first_stays(client, scene, table):
    page = fetch(client, scene, table)
    first = page.context["headings"][0].label
    column, _ = page.context["choosable"][-1]
    chosen = fetch(client, scene, table, f"columns={column.name}&size=20")
    labels = [heading.label for heading in chosen.context["headings"]]
    assert labels == [first, column.label]
    body = chosen.content.decode()
    cells = set(re.findall(r'<td[^>]*data-label="([^"]*)"', body)) - {"选择"}
    assert len(cells) == len(labels)
    # The choice is carried along when the list is narrowed, and by the other pages' links.
    assert f'name="columns" value="{column.name}"' in body
    assert f"columns={column.name}" in chosen.context["query"]


@pytest.mark.parametrize("table", TABLES)
def test_each_row_has_a_cell_for_each_heading(client, scene, table):
    body = fetch(client, scene, table).content.decode()
    head, rows = re.search(r"<thead>(.*?)</thead>\s*<tbody>(.*?)</tbody>", body, re.S).groups()
    counts = {row.count("<td") for row in rows.split("</tr>") if "<td" in row}
    assert counts == {head.count("<th")}


@pytest.mark.parametrize("table", TABLES)
def test_the_workbook_holds_what_the_screen_shows(client, scene, table):
    page = fetch(client, scene, table, "size=20")
    sheet = sheet_of(fetch(client, scene, table, "format=xlsx&size=20"))
    headings, rows = table_of(sheet)
    assert len(rows) == page.context["paginator"].count > 0
    assert set(headings) >= {heading.label for heading in page.context["headings"]}
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    assert "全部" in sheet["A2"].value or "层级：基层工会" in sheet["A2"].value
    event = AuditEvent.objects.order_by("pk").last()
    assert (event.action, event.details["list"]) == ("LIST_EXPORTED", sheet.title)


def test_the_workbook_follows_filter_order_and_columns(client, scene):
    query = "tier=GRASSROOTS&state=REVIEWED&sort=-self&columns=self&columns=outcome&format=xlsx"
    sheet = sheet_of(fetch(client, scene, "assessments:decision_list", query))
    headings, rows = table_of(sheet)
    assert headings == ["工会", "层级", "状态", "自评", "结果与提示", "提示"]
    assert [row[0] for row in rows] == ["评审完毕工会", "分差很大工会"]
    assert rows[1][-1] == "分差过大"
    assert sheet["A2"].value == "筛选：层级：基层工会；状态：已评审"
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.auto_filter.ref == "A4:F6"


def test_a_name_like_a_formula_stays_text(client, scene):
    sheet = sheet_of(fetch(client, scene, "assessments:oversight", "format=xlsx&q=HYPERLINK"))
    _, rows = table_of(sheet)
    assert rows[0][0] == '=HYPERLINK("http://x")工会'
    assert sheet.cell(5, 1).data_type == "s"


def test_an_empty_list_gives_a_workbook_without_rows(client, scene):
    sheet = sheet_of(fetch(client, scene, "assessments:oversight", "format=xlsx&q=没有这个工会"))
    assert table_of(sheet)[1] == []


NONSENSE = [
    "sort=password",
    "sort=-",
    "sort=path;--",
    "size=9999",
    "size=-1",
    "size=x",
    "columns=password&columns=",
    "page=0&sort=%27",
    "format=exe",
]


@pytest.mark.parametrize("table", TABLES)
def test_what_makes_no_sense_is_left_out_of_account(client, scene, table):
    usual = [one.label for one in fetch(client, scene, table).context["headings"]]
    for query in NONSENSE:
        page = fetch(client, scene, table, query)
        assert page.status_code == 200, query
        assert [one.label for one in page.context["headings"]] == usual, query
        assert page.context["paginator"].per_page == 50, query


@pytest.mark.parametrize("table", TABLES)
def test_nobody_exports_what_they_may_not_see(client, scene, table):
    client.force_login(scene.reporter)
    response = client.get(f"{reverse(table)}?format=xlsx&tier=COUNTY")
    if response.status_code == 200:  # of their own union only
        assert table_of(sheet_of(response))[1] == []
    else:
        assert response.status_code == 404


def test_a_long_export_asks_a_few_queries_for_each_portion(client, scene):
    def queries():
        client.force_login(scene.admin)
        with CaptureQueriesContext(connection) as asked:
            sheet_of(client.get(reverse("organizations:list") + "?tier=GRASSROOTS&format=xlsx"))
        return len(asked)

    few = queries()
    tree.plant_all(
        Organization(code=f"Q{n}", name=f"第{n}工会", tier=Tier.GRASSROOTS, parent=scene.township)
        for n in range(400)
    )
    assert queries() == few
    assert list(audit.verify()) == []
