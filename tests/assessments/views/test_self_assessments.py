"""Filling in: starting, saving, bad input, two people at once, the day after the deadline."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessments import demo, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Campaign, Extension, SelfAssessment
from tests import factories
from tests.factories import make_self_assessment, perform, send_back, today

pytestmark = pytest.mark.django_db
PDF = demo.small_pdf("hello")


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, filled=False)


@pytest.fixture
def page(client, city, assessment):
    client.force_login(city.reporter)
    return CriterionPage(client, assessment, 1)


class CriterionPage:
    """One criterion's page as a browser holds it: the fields shown, and sending them."""

    def __init__(self, client, assessment, number):
        self.client, self.number = client, number
        self.url = reverse("assessments:self_assessment_criterion", args=[assessment.pk, number])
        self.assessment = assessment
        self.reload()

    def reload(self):
        response = self.client.get(self.url)
        self.seen = {
            f"{row.indicator.code}-seen": row.seen
            for row in response.context["sheet"].rows
            if row.writable
        }
        self.stored = {
            f"{row.indicator.code}-{name}": value
            for row in response.context["sheet"].rows
            if row.writable
            for name, value in row.values.items()
            if value not in ("", False, [])
        }
        return response

    def send(self, fields=None, button="save"):
        return self.client.post(self.url, self.seen | self.stored | (fields or {}) | {button: ""})

    def errors(self, response):
        return {
            f"{row.indicator.code}-{name}": messages
            for row in response.context["sheet"].rows
            for name, messages in row.errors.items()
        }

    def answer(self, code):
        return Answer.objects.filter(self_assessment=self.assessment, indicator__code=code).first()


# --- Starting -------------------------------------------------------------------------------------


def start(client, organization, year):
    return client.post(
        reverse("assessments:self_assessment_start"),
        {"organization": organization.pk, "year": year},
    )


def test_starting_twice_opens_the_same(client, city, campaign):
    client.force_login(city.reporter)
    first = start(client, city.own, campaign.year)
    second = start(client, city.own, campaign.year)
    assert first.url == second.url == SelfAssessment.objects.get().get_absolute_url()


@pytest.mark.parametrize(
    "user", ["own_viewer", "township_head", "county_head", "sibling_head", "admin", "reviewer"]
)
def test_only_the_unions_own_writers_start_it(client, city, campaign, user):
    client.force_login(getattr(city, user))
    assert start(client, city.own, campaign.year).status_code == 404
    assert not SelfAssessment.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"organization": "x"}, {"organization": "9" * 30}])
def test_starting_with_nonsense_is_not_found(client, city, campaign, fields):
    client.force_login(city.reporter)
    url = reverse("assessments:self_assessment_start")
    assert client.post(url, {"year": campaign.year} | fields).status_code == 404


def test_after_the_deadline_nothing_starts(client, city, campaign):
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    client.force_login(city.reporter)
    assert start(client, city.own, campaign.year).url == "/"
    assert "不在填报时间内" in client.get("/").content.decode()
    assert not SelfAssessment.objects.exists()


def test_an_industrial_union_has_nothing_to_fill_in(client, city, campaign):
    head = factories.make_user((city.industry, "HEAD"))
    client.force_login(head)
    start(client, city.industry, campaign.year)
    assert not SelfAssessment.objects.exists()


def test_a_union_that_is_added_after_the_opening_gets_its_form(client, city, campaign):
    late = factories.make_organization("GRASSROOTS", city.township)
    client.force_login(factories.make_user((late, "REPORTER")))
    assert start(client, late, campaign.year).status_code == 302
    assert SelfAssessment.objects.get().organization == late


# --- Saving ---------------------------------------------------------------------------------------


def test_each_clause_stands_above_its_fields(page):
    html = page.reload().content.decode()
    assert "工会组织有牌子、有印章、有人员、有经费、有办公地点、有活动场地。" in html
    assert "建议提供：牌匾、印章、办公与活动场所照片,任职文件,经费账户" in html


def test_answers_of_every_kind_are_stored(page, client, city, assessment):
    response = page.send(
        {
            "G1.01-score": "2.5",
            "G1.01-account": "党组织每季度研究工会工作。\r\n有记录。",
            "G1.03-checked": ["牌子", "印章"],
        }
    )
    assert response.url == page.url
    answer = page.answer("G1.01")
    assert (answer.score, answer.account) == (
        Decimal("2.5"),
        "党组织每季度研究工会工作。\n有记录。",
    )
    assert answer.updated_by == city.reporter
    assert page.answer("G1.03").checked_items == ["牌子", "印章"]
    assert page.answer("G1.02") is None
    second = CriterionPage(client, assessment, 2)
    second.send({"G2.06-numerator": "118", "G2.06-denominator": "120"})
    assert second.answer("G2.06").rating.numerator == 118


def test_saving_and_going_on_leads_to_the_next_and_from_the_last_to_the_overview(
    page, client, assessment
):
    assert page.send({"G1.01-score": "3"}, "next").url == page.url.replace(
        "criteria/1/", "criteria/2/"
    )
    last = CriterionPage(client, assessment, 6)
    assert last.send({}, "next").url == assessment.get_absolute_url()


def test_none_of_these_is_an_answer(page):
    page.send({"G1.03-checked": ["-"]})
    assert page.answer("G1.03").checked_items == []
    html = page.reload().content.decode()
    assert 'value="-" id="G1.03-checked-none" checked' in " ".join(html.split())


def test_full_width_digits_and_blanks_are_read(client, city, assessment, page):
    page.send({"G1.01-score": " ２．５ "})
    assert page.answer("G1.01").score == Decimal("2.5")
    second = CriterionPage(client, assessment, 2)
    second.send({"G2.06-numerator": "１，１８0", "G2.06-denominator": "1 200"})
    assert second.answer("G2.06").numerator == 1180


def test_rare_characters_stay_and_control_characters_go(page):
    page.send({"G1.01-account": "𠮷䶮👍‮<script>\x07\x00结束"})
    assert page.answer("G1.01").account == "𠮷䶮👍‮<script>结束"
    html = page.reload().content.decode()
    assert "<script>结束" not in html
    assert "&lt;script&gt;结束" in html


@pytest.mark.parametrize(
    ("number", "fields", "where", "message"),
    [
        (1, {"G1.01-score": "3.5"}, "G1.01-score", "得分不能超过满分 3 分。"),
        (1, {"G1.01-score": "-1"}, "G1.01-score", "得分不能为负数。"),
        (1, {"G1.01-score": "2.25"}, "G1.01-score", "得分以 0.5 分为一档，例如 2 或 2.5。"),
        (1, {"G1.01-score": "优秀"}, "G1.01-score", "请填写数字，例如 2 或 2.5。"),
        (1, {"G1.01-score": "NaN"}, "G1.01-score", "请填写数字。"),
        (1, {"G1.01-score": "1e9999999"}, "G1.01-score", "得分不能超过满分 3 分。"),
        (1, {"G1.03-checked": ["牌子", "-"]}, "G1.03-checked", "选了“以上都没有”"),
        (1, {"G1.03-checked": ["食堂"]}, "G1.03-checked", "食堂"),
        (1, {"G1.01-account": "字" * 5001}, "G1.01-account", "最多 5000 字，现为 5001 字"),
        (
            2,
            {"G2.06-numerator": "121", "G2.06-denominator": "120"},
            "G2.06-numerator",
            "“会员数”不能大于“职工数”（120）。",
        ),
        (
            2,
            {"G2.06-numerator": "0", "G2.06-denominator": "0"},
            "G2.06-denominator",
            "“职工数”必须大于 0。",
        ),
        (2, {"G2.06-denominator": "0"}, "G2.06-denominator", "“职工数”必须大于 0。"),
        (2, {"G2.06-numerator": "-3"}, "G2.06-numerator", "不能为负数。"),
        (2, {"G2.06-numerator": "95%"}, "G2.06-numerator", "请填写整数，例如 120。"),
        (2, {"G2.06-numerator": "1.5"}, "G2.06-numerator", "请填写整数，例如 120。"),
        (2, {"G2.06-denominator": "99999999999"}, "G2.06-denominator", "数字过大，请核对。"),
        (
            3,
            {"G3.04-not_applicable_reason": "理" * 201},
            "G3.04-not_applicable_reason",
            "最多 200 字",
        ),
    ],
)
def test_a_wrong_figure_is_named_at_its_field_and_the_rest_is_saved(
    client, city, assessment, number, fields, where, message
):
    client.force_login(city.reporter)
    page = CriterionPage(client, assessment, number)
    other = {1: "G1.02-score", 2: "G2.02-score", 3: "G3.01-score"}[number]
    response = page.send({other: "1"} | fields)
    assert response.status_code == 200
    errors = page.errors(response)
    assert list(errors) == [where]
    assert message in errors[where][0]
    code = where.split("-")[0]
    html = response.content.decode()
    assert re.search(rf'id="{where}-error">[^<]*{re.escape(errors[where][0][:5])}', html)
    for name, typed in fields.items():
        row = next(r for r in response.context["sheet"].rows if r.indicator.code == code)
        assert row.values[name.partition("-")[2]] == typed
    assert page.answer(other.split("-")[0]).score == 1
    assert page.answer(code) is None


def test_a_draft_may_be_half_done(client, city, assessment, page):
    second = CriterionPage(client, assessment, 2)
    second.send({"G2.06-numerator": "118"})
    assert second.answer("G2.06").denominator is None


def test_an_empty_page_stores_nothing(page):
    page.send()
    assert not Answer.objects.exists()


def test_an_answer_can_be_emptied_again(page):
    page.send({"G1.01-score": "2"})
    page.reload()
    page.send({"G1.01-score": ""})
    assert page.answer("G1.01").score is None


# --- Two people at once, and a page that has gone stale -------------------------------------------


def test_two_people_on_one_answer_the_second_is_told_and_overwrites_nothing(
    page, client, city, assessment
):
    client.force_login(city.head)
    theirs = CriterionPage(client, assessment, 1)
    theirs.send({"G1.01-score": "1", "G1.01-account": "主席填的"})
    client.force_login(city.reporter)
    response = page.send({"G1.01-score": "3", "G1.02-score": "2"})
    html = response.content.decode()
    assert "李主席 在您填写期间" in html
    assert "主席填的" in html
    assert page.answer("G1.01").score == 1
    assert page.answer("G1.02").score == 2
    row = response.context["sheet"].rows[0]
    assert row.values["score"] == "3"
    # Saving again is no choice yet: the button beside the two versions is.
    assert page.send({"G1.01-score": "3"}).status_code == 200
    assert page.answer("G1.01").score == 1
    page.send({"G1.01-score": "3", "mine": f"G1.01:{row.theirs}"})
    assert page.answer("G1.01").score == 3


def test_the_other_ones_version_can_be_chosen(page, client, city, assessment):
    client.force_login(city.head)
    CriterionPage(client, assessment, 1).send({"G1.01-score": "1", "G1.01-account": "主席填的"})
    client.force_login(city.reporter)
    response = page.send({"G1.01-score": "3", "G1.02-score": "2", "theirs": "G1.01"})
    assert response.url == f"{page.url}#G1.01"
    assert (page.answer("G1.01").score, page.answer("G1.01").account) == (1, "主席填的")
    assert page.answer("G1.02").score == 2


def test_choosing_ones_own_overwrites_only_what_has_been_shown(page, client, city, assessment):
    client.force_login(city.head)
    theirs = CriterionPage(client, assessment, 1)
    theirs.send({"G1.01-score": "1"})
    client.force_login(city.reporter)
    shown = page.send({"G1.01-score": "3"}).context["sheet"].rows[0].theirs
    client.force_login(city.head)
    theirs.reload()
    theirs.send({"G1.01-score": "2"})
    client.force_login(city.reporter)
    response = page.send({"G1.01-score": "3", "mine": f"G1.01:{shown}"})
    assert response.context["sheet"].rows[0].conflict.score == 2
    assert page.answer("G1.01").score == 2


def test_two_people_on_different_answers_do_not_get_in_each_others_way(
    page, client, city, assessment
):
    client.force_login(city.head)
    CriterionPage(client, assessment, 1).send({"G1.01-score": "1"})
    client.force_login(city.reporter)
    assert page.send({"G1.02-score": "2"}).status_code == 302
    assert (page.answer("G1.01").score, page.answer("G1.02").score) == (1, 2)


def test_saving_the_same_twice_is_no_conflict(page):
    page.send({"G1.01-score": "2"})
    assert page.send({"G1.01-score": "2"}).status_code == 302


def test_a_page_from_before_the_submission_saves_nothing_and_keeps_what_was_typed(
    client, city, campaign
):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.reporter)
    page = CriterionPage(client, assessment, 1)
    perform(assessment, Action.SUBMIT, city.head)
    before = page.answer("G1.01").account
    response = page.send({"G1.01-account": "来不及保存的话"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "没有保存：该申报目前是“已提交”" in html
    assert "来不及保存的话" in html
    assert page.answer("G1.01").account == before


def test_the_day_after_the_deadline_a_draft_is_read_only(client, city, assessment, page):
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    response = page.send({"G1.01-score": "3", "G1.01-account": "迟到的说明"})
    assert response.status_code == 409
    assert "截止，只能查看" in response.content.decode()
    assert "迟到的说明" in response.content.decode()
    assert page.answer("G1.01") is None
    assert 'name="save"' not in client.get(page.url).content.decode()


def test_an_extension_keeps_it_open(city, campaign, assessment, page):
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    Extension.objects.create(campaign=campaign, organization=city.own, until=today(), reason="停电")
    assert page.send({"G1.01-score": "3"}).status_code == 302


# --- Returned -------------------------------------------------------------------------------------


@pytest.fixture
def returned(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    client.force_login(city.reporter)
    return assessment


def test_a_returned_one_is_open_only_where_a_remark_asks(client, city, returned):
    page = CriterionPage(client, returned, 1)
    assert list(page.seen) == ["G1.01-seen"]
    forged = {"G1.02-seen": "x" * 20, "G1.02-score": "1"}
    page.send({"G1.01-score": "1"} | forged)
    assert (page.answer("G1.01").score, page.answer("G1.02").score) == (1, 3)


def test_the_remarks_stand_on_the_overview_and_at_the_field(client, returned):
    overview = client.get(returned.get_absolute_url()).content.decode()
    assert "部分内容不全。" in overview
    page = client.get(reverse("assessments:self_assessment_criterion", args=[returned.pk, 1]))
    assert "请补充材料。" in page.content.decode()


def test_after_the_correction_date_it_is_read_only(client, city, returned):
    page = CriterionPage(client, returned, 1)
    SelfAssessment.objects.update(correction_due=today() - dt.timedelta(days=1))
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=2))
    assert page.send({"G1.01-score": "1"}).status_code == 409


def test_evidence_cannot_be_added_where_nothing_was_asked_for(client, city, returned):
    page = CriterionPage(client, returned, 1)
    file = SimpleUploadedFile("补充.pdf", PDF)
    assert page.send({"G1.02-files": file}).status_code == 302
    assert not page.answer("G1.02").evidence.exists()


def test_only_the_latest_return_counts(client, city, campaign, returned):
    factories.answer_remarks(returned, city.head)
    perform(returned, Action.SUBMIT, city.head)
    send_back(returned, city.lead, ("G1.02",))
    assert list(CriterionPage(client, returned, 1).seen) == ["G1.02-seen"]


# --- The overview ---------------------------------------------------------------------------------


def test_the_overview_lists_what_is_missing_with_links(client, city, assessment):
    client.force_login(city.reporter)
    html = client.get(assessment.get_absolute_url()).content.decode()
    assert "还有 55 处需要填写" in html
    assert f'href="/assessments/{assessment.pk}/criteria/2/#G2.06"' in html


def test_when_all_is_there_the_reporter_is_sent_to_the_head(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.reporter)
    html = client.get(assessment.get_absolute_url()).content.decode()
    assert "请本工会负责人登录后签批提交" in html
    assert "/actions/submit/" not in html
    client.force_login(city.head)
    assert "/actions/submit/" in client.get(assessment.get_absolute_url()).content.decode()


def test_the_timeline_names_acts_and_hides_the_citys_people_from_the_union(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.DECIDED)
    client.force_login(city.head)
    html = client.get(assessment.get_absolute_url()).content.decode()
    assert "签批提交" in html
    assert "平顶山市总工会评审员" in html
    assert "评审甲" not in html
    client.force_login(city.lead)
    assert "评审甲" in client.get(assessment.get_absolute_url()).content.decode()


def test_a_superior_sees_the_progress_of_a_draft_and_not_its_content(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.county_head)
    html = client.get(assessment.get_absolute_url()).content.decode()
    assert "内容在提交之后可以查看" in html
    assert "示例说明" not in html
    assert "示例材料" not in html
    page = reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1])
    assert client.get(page).status_code == 404
    perform(assessment, Action.SUBMIT, city.head)
    assert "示例说明" in client.get(page).content.decode()


def test_self_score_on_the_overview_is_the_scorings(client, city, campaign):
    assessment = make_self_assessment(city, campaign, share="0.7")
    client.force_login(city.reporter)
    response = client.get(assessment.get_absolute_url())
    expected = worksheet.result_of(worksheet.load(assessment), campaign)
    assert response.context["result"] == expected
