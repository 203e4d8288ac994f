"""推进会材料: the figures of the roll-ups and of the supervision, in a Word document with charts."""

import datetime as dt
import io
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from docx import Document
from lxml import etree
from openpyxl import load_workbook

from assessments import progress
from assessments.choices import State
from assessments.exports import word, word_charts
from assessments.exports.word_charts import Chart
from assessments.forms.filters import counties_of
from assessments.models import Campaign, Recusal, SupervisionFinding
from organizations.choices import Tier
from organizations.models import AuditEvent
from tests import factories
from tests.factories import feed_back, make_finding, make_organization, make_self_assessment, today

pytestmark = pytest.mark.django_db
PAGE = reverse("assessments:progress_report")
REPORT = reverse("assessments:progress_report_document")
ASKED = {"title": "全市推进会", "held_on": "2026-11-30"}
HOSTILE = '=HYPERLINK("http://x")<w:p>&\x0b工会'


@pytest.fixture
def supervised(city, campaign):
    """One union at standard, one with a hostile name whose finding is overdue."""
    make_self_assessment(city, campaign, State.PUBLISHED)
    union = make_organization(Tier.GRASSROOTS, city.other_county, name=HOSTILE)
    round_ = factories.make_round(city.admin, campaign, union, members=[city.lead])
    visit = round_.visits.get()
    criterion = campaign.policies.get(tier=Tier.GRASSROOTS).rubric.criteria.get(number=2)
    make_finding(visit, city.lead, text="没有\x0c台账。", criterion=criterion)
    make_finding(visit, city.lead, text="没有牌子。")
    feed_back(visit, city.lead)
    late = SupervisionFinding.objects.filter(criterion=criterion)
    late.update(rectify_by=today() - dt.timedelta(days=1))
    return union


def gather(city, campaign, user=None):
    user = user or city.admin
    return progress.of(
        campaign,
        city.city,
        user,
        campaigns=list(Campaign.objects.opened()),
        places=counties_of(user),
    )


def report(client, user, **asked):
    client.force_login(user)
    response = client.get(REPORT, ASKED | asked)
    assert response.status_code == 200
    return io.BytesIO(b"".join(response.streaming_content))


def text_of(file):
    document = Document(file)
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def test_the_figures_are_those_of_the_roll_ups(city, campaign, supervised):
    found = gather(city, campaign)
    by_label = {one.label: one for one in found.targets()}
    grassroots = by_label["基层工会达标率"]
    assert (grassroots.part, grassroots.whole, grassroots.target) == (1, 5, 90)
    assert grassroots.is_reached is False
    assert by_label["乡镇（街道）工会达标率"].share == 0
    rates = {one.target for label, one in by_label.items() if label.startswith("基层工会：")}
    assert rates == {95, 90}
    assert all(one.is_reached for label, one in by_label.items() if "：" in label and one.whole)
    assert found.behind()[0].figures.share_percent == 0
    assert found.not_handed_in() == 0
    Campaign.objects.update(
        opens_on=today() - dt.timedelta(days=30), submission_deadline=today() - dt.timedelta(days=1)
    )
    assert gather(city, Campaign.objects.get()).not_handed_in() == 8


def test_what_the_supervision_has_found(city, campaign, supervised):
    found = gather(city, campaign).supervision
    assert (found.rounds, found.planned, found.visited) == (1, 1, 1)
    assert (found.found, found.accepted, found.overdue) == (2, 0, 1)
    assert found.by_criterion() == {Tier.GRASSROOTS: {0: 1, 2: 1}}
    assert [one.text for one in found.first_overdue()] == ["没有\x0c台账。"]
    Recusal.objects.create(reviewer=city.lead, organization=city.other_county, reason="亲属")
    barred = gather(city, campaign, city.lead).supervision
    assert (barred.planned, barred.found) == (0, 0)


def test_the_document_says_it_all_on_a4(client, city, campaign, supervised):
    file = report(client, city.leader)
    document, text = Document(file), text_of(file)
    for part in (
        "全市推进会",
        "2026年11月30日",
        "数据截至",
        "一、对照目标",
        "应创建工会 9 个",
        "六、需要推进的事项",
        "1 个逾期未整改",
        '=HYPERLINK("http://x")<w:p>&工会',
        "没有台账。",
        "叶县总工会",
    ):
        assert part in text, part
    section = document.sections[0]
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21, 29.7)
    assert section.header.paragraphs[0].text == "全市推进会"
    assert "PAGE" in section.footer._element.xml
    assert all(table.rows[0]._tr.trPr is not None for table in document.tables)  # heading repeats
    event = AuditEvent.objects.order_by("pk").last()
    assert (event.action, event.details["on"]) == ("PROGRESS_REPORTED", "2026-11-30")


def test_its_charts_are_words_own_and_carry_their_figures(client, city, campaign, supervised):
    file = report(client, city.admin)
    with zipfile.ZipFile(file) as package:
        names = package.namelist()
        charts = [one for one in names if one.startswith("word/charts/chart")]
        assert len(charts) == 4  # steps, counties, trend, findings
        counties = etree.fromstring(package.read("word/charts/chart2.xml"))
        labels = counties.xpath("//*[local-name()='cat']//*[local-name()='v']/text()")
        values = counties.xpath("//*[local-name()='val']//*[local-name()='v']/text()")
        shown = dict(zip(labels, values, strict=False))
        assert shown["宝丰县"] == "25"
        external = counties.xpath("//*[local-name()='externalData']")
        assert len(external) == 1
        sheet = load_workbook(io.BytesIO(package.read("word/embeddings/chart2.xlsx"))).active
        assert {row[0].value: row[1].value for row in sheet.iter_rows(min_row=2)}["宝丰县"] == 25
        body = package.read("word/document.xml").decode()
        assert 'descr="各县（市、区）达标率（目标 90%）。达标率：宝丰县 25.0%' in body


def test_hostile_words_in_a_chart_stay_words():
    document = word.new(title=HOSTILE, author=HOSTILE, footer=HOSTILE, header=HOSTILE)
    word_charts.add(
        document, Chart(HOSTILE, [HOSTILE, "二"], [(HOSTILE, [1, None]), ("乙", [2, 3])])
    )
    target = io.BytesIO()
    document.save(target)
    Document(target)
    with zipfile.ZipFile(target) as package:
        sheet = load_workbook(io.BytesIO(package.read("word/embeddings/chart1.xlsx"))).active
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
        assert sheet["B3"].value is None
        etree.fromstring(package.read("word/charts/chart1.xml"))


def test_before_anything_is_handed_in(client, city, campaign):
    text = text_of(report(client, city.admin))
    assert "还没有组织督查。" in text
    assert "还没有数据。" in text  # a chart of nothing is none
    assert "0.00%" in text
    client.force_login(city.admin)
    assert client.get(PAGE).status_code == 200


def test_a_city_without_unions(client, db):
    top = make_organization(Tier.CITY, None, "平顶山市总工会")
    admin = factories.make_user((top, "ADMIN"))
    client.force_login(admin)
    assert "目前没有创建活动" in client.get(PAGE).content.decode()
    assert client.get(REPORT, ASKED).url.startswith(PAGE)
    factories.make_campaign()
    assert "0 / 0" in client.get(PAGE).content.decode()
    assert "应创建工会 0 个" in text_of(report(client, admin))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"held_on": "2026-02-30"}, "请填写日期"),
        ({"held_on": ""}, "请选择日期"),
        ({"title": " "}, "请填写会议名称"),
        ({"title": "会" * 61}, "最多 60 字"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(client, city, campaign, wrong, message):
    client.force_login(city.admin)
    response = client.get(REPORT, ASKED | wrong, follow=True)
    assert response.request["PATH_INFO"] == PAGE
    assert message in response.content.decode()


def test_the_document_costs_the_same_for_any_number_of_unions(client, city, campaign, supervised):
    report(client, city.admin)  # counts what has changed
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            report(client, city.admin)
        costs.append(len(queries))
        round_ = factories.make_round(
            city.admin, campaign, city.own, city.sibling, city.foreign, members=[city.lead]
        )
        for visit in round_.visits.all():
            make_finding(visit, city.lead)
            feed_back(visit, city.lead)
        SupervisionFinding.objects.update(rectify_by=today() - dt.timedelta(days=1))
    assert costs[0] == costs[1]
