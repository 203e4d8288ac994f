"""Saving answer by answer, last year's answers, warnings, figures with their source."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessments import answering, demo, evidence, rubrics, worksheet
from assessments.choices import Action, State
from assessments.entries import Entry
from assessments.models import (
    Answer,
    Attachment,
    Campaign,
    Evidence,
    Extension,
    Indicator,
    SelfAssessment,
    StoredFile,
)
from assessments.previous import PreviousAnswer
from assessments.scoring import Rating
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, make_user, perform, today
from tests.uploads import PNG

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, filled=False)


@pytest.fixture
def reporter(client, city):
    client.force_login(city.reporter)
    return city.reporter


def stored(assessment, code):
    return Answer.objects.filter(self_assessment=assessment, indicator__code=code).first()


def page_of(assessment, number=1):
    return reverse("assessments:self_assessment_criterion", args=[assessment.pk, number])


def row(client, assessment, code, number=1):
    """One row of the page as it stands."""
    rows = client.get(page_of(assessment, number)).context["sheet"].rows
    return next(row for row in rows if row.indicator.code == code)


def send(client, assessment, code, fields, *, seen=None, **buttons):
    """One answer, as the page sends it in the background."""
    number = int(code[1])
    seen = seen or row(client, assessment, code, number).seen
    return client.post(
        reverse("assessments:self_assessment_answer", args=[assessment.pk, code]),
        {f"{code}-{name}": value for name, value in (fields | {"seen": seen}).items()} | buttons,
        headers={"HX-Request": "true"},
    )


def outcome(response):
    return re.search(r'data-outcome="(\w*)"', response.content.decode())[1]


# --- One answer at a time -------------------------------------------------------------------------


def test_an_answer_is_stored_by_itself(client, reporter, assessment):
    response = send(client, assessment, "G1.01", {"score": "2.5", "account": "每季度研究一次。"})
    html = response.content.decode()
    assert outcome(response) == "saved"
    assert re.search(r"已保存 \d\d:\d\d", html)
    assert stored(assessment, "G1.01").score == Decimal("2.5")
    assert stored(assessment, "G1.01").updated_by == reporter
    assert Answer.objects.count() == 1
    assert re.search(r"data-criterion-points>2.5<", html)
    assert "还缺 54 处" in html
    # The next one rests on what has just been stored.
    seen = re.search(r'name="G1.01-seen" value="(\w+)"', html)[1]
    assert outcome(send(client, assessment, "G1.01", {"score": "3"}, seen=seen)) == "saved"
    assert stored(assessment, "G1.01").score == 3


def test_it_is_a_fragment_without_the_fields_that_are_being_typed_in(client, reporter, assessment):
    html = send(client, assessment, "G1.01", {"score": "2"}).content.decode()
    assert "<html" not in html
    assert "G1.01-account-error" in html
    assert 'name="G1.01-account"' not in html


def test_a_wrong_figure_is_named_at_its_field_and_nothing_is_stored(client, reporter, assessment):
    response = send(client, assessment, "G1.01", {"score": "4", "account": "说明"})
    assert outcome(response) == "wrong"
    error = re.search(r'id="G1.01-score-error"[^>]*>([^<]*)<', response.content.decode())[1]
    assert error == "得分不能超过满分 3 分。"
    assert stored(assessment, "G1.01") is None


def test_a_mended_figure_takes_its_message_away(client, reporter, assessment):
    send(client, assessment, "G1.01", {"score": "4"})
    html = send(client, assessment, "G1.01", {"score": "3"}).content.decode()
    assert re.search(r'id="G1.01-score-error"\s+hx-swap-oob="true"></div>', html)


def test_two_editors_are_shown_both_and_choose(client, city, assessment):
    client.force_login(city.reporter)
    seen = row(client, assessment, "G1.01").seen
    client.force_login(city.head)
    send(client, assessment, "G1.01", {"score": "1", "account": "主席填的"})
    client.force_login(city.reporter)
    response = send(client, assessment, "G1.01", {"score": "3"}, seen=seen)
    html = response.content.decode()
    assert outcome(response) == "conflict"
    assert "李主席 在您填写期间" in html
    assert "主席填的" in html
    assert stored(assessment, "G1.01").score == 1
    # Typing on is no choice.
    assert outcome(send(client, assessment, "G1.01", {"score": "2"}, seen=seen)) == "conflict"
    mine = re.search(r'name="mine"\s+value="([^"]+)"', html)[1]
    response = send(client, assessment, "G1.01", {"score": "2"}, seen=seen, mine=mine)
    assert outcome(response) == "saved"
    assert stored(assessment, "G1.01").score == 2


def test_a_second_window_of_ones_own_is_called_that(client, reporter, assessment):
    seen = row(client, assessment, "G1.01").seen
    send(client, assessment, "G1.01", {"score": "1"})
    html = send(client, assessment, "G1.01", {"score": "3"}, seen=seen).content.decode()
    assert "您自己在另一个窗口" in html


def test_the_deadline_passes_while_the_page_is_open(client, reporter, city, campaign, assessment):
    seen = row(client, assessment, "G1.01").seen
    Campaign.objects.update(submission_deadline=today() - dt.timedelta(days=1))
    response = send(client, assessment, "G1.01", {"score": "3"}, seen=seen)
    html = response.content.decode()
    assert response.status_code == 409
    assert "截止" in html
    ask = reverse("assessments:extension_ask", args=[campaign.year, city.own.pk])
    assert f'href="{ask}"' in html
    assert stored(assessment, "G1.01") is None
    assert f'href="{ask}"' in client.get(page_of(assessment)).content.decode()


def test_it_was_handed_in_meanwhile(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.reporter)
    seen = row(client, assessment, "G1.01").seen
    perform(assessment, Action.SUBMIT, city.head)
    response = send(client, assessment, "G1.01", {"score": "1"}, seen=seen)
    assert response.status_code == 409
    assert "目前是“已提交”" in response.content.decode()
    assert "申请延期" not in response.content.decode()
    assert stored(assessment, "G1.01").score == 3


def test_a_returned_one_takes_only_what_was_asked_for(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.RETURNED)
    client.force_login(city.reporter)
    assert outcome(send(client, assessment, "G1.01", {"score": "1"})) == "saved"
    other = send(client, assessment, "G1.02", {"score": "1"})
    assert (other.status_code, outcome(other)) == (409, "locked")
    assert stored(assessment, "G1.02").score == 3


def test_an_expired_session_is_told_so_and_not_led_to_the_sign_in_page(client, assessment):
    url = reverse("assessments:self_assessment_answer", args=[assessment.pk, "G1.01"])
    assert client.post(url, {}, headers={"HX-Request": "true"}).status_code == 401
    assert "/login/" in client.post(url, {}).url


@pytest.mark.parametrize("code", ["G9.99", "C1.01", "x"])
def test_an_unknown_indicator_is_not_found(client, reporter, assessment, code):
    url = reverse("assessments:self_assessment_answer", args=[assessment.pk, code])
    assert client.post(url, {}).status_code == 404


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("第一行\r\n第二行\v第三行\f\u2028第四行", "第一行\n第二行\n第三行\n\n第四行"),
        ("\ufeff𠮷䶮👍\x07\x1b[0m\x00完", "𠮷䶮👍[0m完"),
        ("<p class=MsoNormal><b>加粗</b></p>", "<p class=MsoNormal><b>加粗</b></p>"),
        ("字" * 5000, "字" * 5000),
        ("𠮷" * 5000, "𠮷" * 5000),
    ],
)
def test_whatever_is_pasted(client, reporter, assessment, typed, kept):
    assert outcome(send(client, assessment, "G1.01", {"account": typed})) == "saved"
    assert stored(assessment, "G1.01").account == kept


def test_a_hundred_thousand_characters_are_refused_with_their_number(client, reporter, assessment):
    response = send(client, assessment, "G1.01", {"account": "长" * 100_000})
    assert outcome(response) == "wrong"
    assert "最多 5000 字，现为 100000 字，请删减。" in response.content.decode()
    assert stored(assessment, "G1.01") is None
    full = client.post(
        page_of(assessment),
        {"G1.01-seen": row(client, assessment, "G1.01").seen, "G1.01-account": "长" * 100_000},
    )
    assert full.content.decode().count("长" * 100_000) == 1  # still there to be shortened


# --- Figures with their day and definition --------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["2025-12-31", "2025.12.31", "２０２５年１２月３１日", "2025/12/31"]
)
def test_a_day_is_read_as_people_write_it(client, reporter, assessment, typed):
    send(client, assessment, "G2.06", {"as_of": typed, "definition": "含劳务派遣工"})
    answer = stored(assessment, "G2.06")
    assert (answer.as_of, answer.definition) == (dt.date(2025, 12, 31), "含劳务派遣工")
    assert row(client, assessment, "G2.06", 2).values["as_of"] == "2025-12-31"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("去年底", "请填写日期，例如 2025-12-31。"),
        ("2025-02-30", "请填写日期，例如 2025-12-31。"),
        ("2999-01-01", "截至日期不能晚于今天。"),
    ],
)
def test_what_is_no_day_is_named(client, reporter, assessment, typed, message):
    response = send(client, assessment, "G2.06", {"as_of": typed})
    assert message in response.content.decode()
    assert stored(assessment, "G2.06") is None


def test_the_source_of_a_figure_is_frozen_with_it(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    frozen = assessment.revisions.get().content["G2.06"]
    assert (frozen["as_of"], frozen["definition"]) == (today().isoformat(), "")


def fill_rate(assessment, head, code, numerator, denominator):
    line = next(
        line
        for section in worksheet.load(assessment)
        for line in section.lines
        if line.indicator.code == code
    )
    rating = Rating(line.answer.score, None, numerator, denominator)
    texts = dict(answering.entry_of(line.answer).texts)
    seen = answering.entry_of(line.answer).fingerprint
    answering.save(assessment, [answering.Change(line.indicator, Entry(rating, texts), seen)], head)


def test_a_superiors_figure_stands_beside_the_sum_of_its_subordinates(client, city, campaign):
    for union, head, counts in (
        (city.own, city.head, (95, 100)),
        (city.sibling, city.sibling_head, (190, 200)),
    ):
        assessment = make_self_assessment(city, campaign, organization=union, head=head)
        fill_rate(assessment, head, "G2.06", *counts)
        perform(assessment, Action.SUBMIT, head)
    # Another township's union, and one that has not handed in, do not count.
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    third = factories.make_organization("GRASSROOTS", city.township)
    make_self_assessment(city, campaign, organization=third)
    township = make_self_assessment(
        city, campaign, organization=city.township, head=city.township_head, filled=False
    )
    client.force_login(city.township_head)
    below = row(client, township, "T2.08", 2).below
    assert (below.numerator, below.denominator) == (285, 300)
    assert (below.unions, below.registered) == (2, 3)
    html = send(
        client, township, "T2.08", {"numerator": "300", "denominator": "300", "score": "2"}
    ).content.decode()
    assert "下级已提交 2 个工会（在册 3 个），合计：会员数 285 ÷ 职工数 300。" in html
    assert "与您填写的相差：会员数 +15，职工数 0。" in html
    html = send(client, township, "T2.08", {"numerator": "285", "denominator": "300"})
    assert "与您填写的一致。" in html.content.decode()
    assert "下级工会还没有提交" not in html.content.decode()


def test_without_subordinates_figures_nothing_is_compared(client, city, campaign):
    township = make_self_assessment(
        city, campaign, organization=city.township, head=city.township_head
    )
    client.force_login(city.township_head)
    assert row(client, township, "T2.08", 2).gaps is None
    html = client.get(page_of(township, 2)).content.decode()
    assert "下级工会还没有提交这一项的数字" in html
    assert row(client, township, "T2.07", 2).below is None


# --- Warnings -------------------------------------------------------------------------------------


def warnings(assessment, code):
    for section in worksheet.load(assessment):
        for line in section.lines:
            if line.indicator.code == code:
                return line.warnings
    return None


LONG = "党组织每季度听取一次工会工作汇报，并有会议记录。"


@pytest.mark.parametrize(
    ("code", "fields", "expected"),
    [
        ("G1.01", {"score": "3", "account": LONG}, ["自评分较高，还没有佐证材料"]),
        ("G1.01", {"score": "2", "account": LONG}, []),
        ("G1.01", {"score": "2", "account": "好"}, ["自评说明不足一行"]),
        ("G1.01", {"score": "2"}, ["没有写自评说明"]),
        ("G1.01", {"account": "好"}, []),
        (
            "G2.06",
            {"numerator": "94", "denominator": "100", "account": LONG},
            [
                "比率没有达到 95%，只能按比例得分，这是必达指标，本项“好”不能成立",
                "没有填写数字的截至日期",
            ],
        ),
        (
            "G2.06",
            {"numerator": "95", "denominator": "100", "account": LONG, "as_of": "2025-12-31"},
            [],
        ),
    ],
)
def test_what_looks_doubtful_is_said(client, reporter, assessment, code, fields, expected):
    response = send(client, assessment, code, fields)
    assert warnings(assessment, code) == expected
    for text in expected:
        assert text in response.content.decode()


def test_a_full_mark_for_a_low_rate_is_doubtful(client, city, campaign):
    township = make_self_assessment(
        city, campaign, organization=city.township, head=city.township_head, filled=False
    )
    client.force_login(city.township_head)
    counts = {"numerator": "60", "denominator": "100", "account": LONG, "as_of": "2025-12-31"}
    send(client, township, "T2.08", counts | {"score": "2"})
    assert "自评满分，而比率只有 60.00%，请核对" in warnings(township, "T2.08")
    send(client, township, "T2.08", counts | {"score": "1"})
    assert warnings(township, "T2.08") == []


def test_warnings_do_not_block(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.head)
    assert "没有佐证材料" in client.get(assessment.get_absolute_url()).content.decode()
    perform(assessment, Action.SUBMIT, city.head)
    assert assessment.state == State.SUBMITTED


# --- Last year beside this year -------------------------------------------------------------------


@pytest.fixture
def last_year(city):
    """What the union handed in last year, at 80 %, with the story of G1.01 changed."""
    campaign = factories.make_campaign(year=today().year - 1)
    before = make_self_assessment(city, campaign, share="0.8")
    line = worksheet.load(before)[0].lines[0]
    entry = Entry(Rating(Decimal(2)), {"account": "去年的说明。", "not_applicable_reason": ""})
    seen = answering.entry_of(line.answer).fingerprint
    answering.save(before, [answering.Change(line.indicator, entry, seen)], city.head)
    perform(before, Action.SUBMIT, city.head)
    return before


@pytest.fixture
def this_year(last_year, city, campaign):
    return make_self_assessment(city, campaign, filled=False)


def test_last_years_answers_stand_beside_the_fields(client, reporter, this_year):
    html = client.get(page_of(this_year)).content.decode()
    assert f"{today().year - 1} 年填报的内容" in html
    assert "去年的说明。" in html
    assert "示例材料-工会组织“六有”.pdf" in html
    assert row(client, this_year, "G1.01").previous.points == 2


def test_a_draft_of_last_year_and_another_unions_are_not_shown(client, city, campaign):
    old = factories.make_campaign(year=today().year - 1)
    make_self_assessment(city, old)
    make_self_assessment(city, old, State.SUBMITTED, organization=city.sibling)
    assessment = make_self_assessment(city, campaign, filled=False)
    client.force_login(city.reporter)
    assert row(client, assessment, "G1.01").previous is None


def test_one_touch_takes_an_indicator_over_and_waits_for_a_look(client, reporter, this_year):
    response = client.post(page_of(this_year), {"take_over": "G1.01"})
    assert response.url == f"{page_of(this_year)}#G1.01"
    answer = stored(this_year, "G1.01")
    assert (answer.score, answer.account, answer.carried_over) == (2, "去年的说明。", True)
    assert Answer.objects.filter(self_assessment=this_year).count() == 1
    html = client.get(page_of(this_year)).content.decode()
    assert "沿用了往年的内容，请核对" in html
    assert "沿用了往年的内容，还没有核对" in html  # among what is missing


def test_one_touch_takes_the_page_over(client, reporter, this_year):
    client.post(page_of(this_year, 2), {"take_over": "all"})
    taken = Answer.objects.filter(self_assessment=this_year, carried_over=True)
    assert taken.count() == 10
    rate = stored(this_year, "G2.06")
    assert (rate.numerator, rate.denominator, rate.as_of) == (94, 120, None)


def test_taking_over_fills_what_is_empty_and_saves_what_was_typed(client, reporter, this_year):
    seen = row(client, this_year, "G1.01").seen
    fields = {"G1.01-seen": seen, "G1.01-score": "3", "take_over": "all"}
    client.post(page_of(this_year), fields)
    answer = stored(this_year, "G1.01")
    assert (answer.score, answer.account) == (3, "去年的说明。")
    answer.account, answer.carried_over = "今年的说明。", False
    answer.save()
    client.post(page_of(this_year), {"take_over": "G1.01"})
    answer.refresh_from_db()
    assert (answer.score, answer.account, answer.carried_over) == (3, "今年的说明。", False)


def files_of(assessment, code="G1.03"):
    found = Attachment.objects.filter(
        answer__self_assessment=assessment, answer__indicator__code=code
    )
    return list(found.values_list("evidence", flat=True))


def test_last_years_files_come_along_and_wait_for_a_look(client, reporter, last_year, this_year):
    client.post(page_of(this_year), {"take_over": "G1.03"})
    assert files_of(this_year) == files_of(last_year) != []
    assert stored(this_year, "G1.03").carried_over is True
    assert row(client, this_year, "G1.03").can_take_over is False
    assert worksheet.load(this_year, 1)[0].lines[2].missing == ["沿用了往年的内容，还没有核对"]
    client.post(page_of(this_year), {"confirm": "G1.03"})
    assert worksheet.load(this_year, 1)[0].lines[2].missing == []


def test_one_touch_takes_the_files_of_the_page_over(client, reporter, last_year, this_year):
    client.post(page_of(this_year, 2), {"take_over": "all"})
    codes = [line.indicator.code for line in worksheet.load(last_year, 2)[0].lines]
    assert [files_of(this_year, code) for code in codes] == [
        files_of(last_year, code) for code in codes
    ]
    assert any(files_of(this_year, code) for code in codes)


def test_files_alone_are_taken_over_where_the_answer_is_this_years(
    client, city, reporter, last_year, this_year
):
    own = {"checked": "牌子", "account": "今年的说明。"}
    send(client, this_year, "G1.03", own)
    assert row(client, this_year, "G1.03").can_take_over is True
    client.post(page_of(this_year), {"take_over": "all"})
    answer = stored(this_year, "G1.03")
    assert (answer.checked_items, answer.account) == (["牌子"], "今年的说明。")
    assert (files_of(this_year), answer.carried_over) == (files_of(last_year), True)


def test_what_has_files_of_its_own_gets_none_of_last_years(client, city, reporter, this_year):
    indicator = worksheet.load(this_year, 1)[0].lines[2].indicator
    evidence.attach(this_year, indicator, [SimpleUploadedFile("今年.png", PNG)], city.reporter)
    own = files_of(this_year)
    client.post(page_of(this_year), {"take_over": "G1.03"})
    assert files_of(this_year) == own
    assert stored(this_year, "G1.03").account


def test_files_beyond_the_quota_are_named_and_the_answer_is_taken_over(
    client, reporter, this_year, settings
):
    settings.EVIDENCE_TOTAL_MEGABYTES = 0
    html = client.post(page_of(this_year), {"take_over": "G1.03"}, follow=True).content.decode()
    assert "示例材料-工会组织“六有”.pdf”没有附上：本次申报的材料合计不能超过 0 MB" in html
    assert files_of(this_year) == []
    assert stored(this_year, "G1.03").carried_over is True


def test_a_file_with_a_virus_is_not_taken_over(client, reporter, this_year):
    StoredFile.objects.update(infection="Eicar")
    client.post(page_of(this_year), {"take_over": "G1.03"})
    assert files_of(this_year) == []


def test_last_years_files_can_be_opened_from_beside_the_fields(client, reporter, this_year):
    html = client.get(page_of(this_year)).content.decode()
    link = re.search(r'材料：<a href="([^"]+)#G1.03">', html)[1]
    shown = client.get(link).content.decode()
    file = Evidence.objects.get(name="示例材料-工会组织“六有”.pdf")
    assert file.get_absolute_url() in shown


def test_what_nobody_has_looked_at_cannot_be_handed_in(client, city, last_year, campaign):
    assessment = make_self_assessment(city, campaign)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G1.01").update(
        carried_over=True
    )
    client.force_login(city.head)
    url = reverse("assessments:self_assessment_act", args=[assessment.pk, "submit"])
    assert "G1.01 接受党组织领导：沿用了往年的内容，还没有核对" in client.get(url).content.decode()
    client.post(page_of(assessment), {"confirm": "G1.01"})
    assert stored(assessment, "G1.01").carried_over is False
    perform(assessment, Action.SUBMIT, city.head)


def test_confirming_in_the_background(client, reporter, this_year):
    client.post(page_of(this_year), {"take_over": "G1.01"})
    shown = row(client, this_year, "G1.01").values
    fields = {"score": shown["score"], "account": shown["account"]}
    html = send(client, this_year, "G1.01", fields, confirm="G1.01").content.decode()
    assert "请核对" not in html
    assert stored(this_year, "G1.01").carried_over is False


def test_changing_what_was_taken_over_is_looking_at_it(client, reporter, this_year):
    client.post(page_of(this_year), {"take_over": "G1.01"})
    send(client, this_year, "G1.01", {"score": "2.5", "account": "今年的说明。"})
    assert stored(this_year, "G1.01").carried_over is False


def test_saving_the_page_untouched_confirms_nothing(client, reporter, this_year):
    client.post(page_of(this_year), {"take_over": "G1.01"})
    held = row(client, this_year, "G1.01")
    fields = {"G1.01-seen": held.seen, "G1.01-score": "2", "G1.01-account": "去年的说明。"}
    client.post(page_of(this_year), fields)
    assert stored(this_year, "G1.01").carried_over is True


def test_without_a_last_year_there_is_nothing_to_take_over(client, reporter, assessment):
    assert "take_over" not in client.get(page_of(assessment)).content.decode()
    client.post(page_of(assessment), {"take_over": "all"})
    assert not Answer.objects.exists()


def test_a_later_version_of_an_indicator_takes_over_what_still_fits():
    before = PreviousAnswer(
        Rating(Decimal(5), ("牌子", "食堂"), 10, 20), "说明", "", "口径", Decimal(5), ()
    )
    lower = Indicator(code="G1.01", kind="SCORE", max_points=Decimal(3)).rule
    assert before.entry_for(lower).rating == Rating()
    assert before.entry_for(lower).texts["account"] == "说明"
    items = Indicator(
        code="G1.03", kind="CHECKLIST", max_points=Decimal(9), checklist_items=["牌子", "印章"]
    ).rule
    assert before.entry_for(items).rating == Rating(checked_items=("牌子",))
    rate = Indicator(
        code="G2.06", kind="RATE", max_points=Decimal(4), threshold_percent=Decimal(95)
    ).rule
    assert before.entry_for(rate).rating == Rating(numerator=10, denominator=20)


# --- The foot of the page -------------------------------------------------------------------------


def test_the_foot_tells_what_is_missing_here_and_elsewhere(client, reporter, assessment):
    html = client.get(page_of(assessment)).content.decode()
    assert "还缺 55 处" in html
    assert 'href="#G1.03">G1.03 工会组织“六有”</a>：须附佐证材料' in html
    assert f'href="{page_of(assessment, 2)}">2、组织基础建设好</a>：还缺' in html


def test_the_total_of_the_page_is_the_overviews(client, city, campaign):
    assessment = make_self_assessment(city, campaign, share="0.7")
    client.force_login(city.reporter)
    overview = client.get(assessment.get_absolute_url()).context["result"].total
    for number in range(1, 7):
        assert client.get(page_of(assessment, number)).context["total"] == overview


def test_the_whole_clause_of_the_criterion_can_be_read(client, reporter, assessment):
    html = client.get(page_of(assessment)).content.decode()
    assert rubrics.policy_criteria()["GRASSROOTS", 1][1] in html


def test_several_unions_progress_is_flat(client, city, campaign, django_assert_max_num_queries):
    unions = [city.own, city.sibling, city.foreign, city.direct]
    for union in unions:
        make_self_assessment(city, campaign, organization=union)
    client.force_login(make_user(*((union, "REPORTER") for union in unions)))
    with django_assert_max_num_queries(12):
        response = client.get("/")
    tasks = response.context["tasks"]
    assert [len(task.tiles) for task in tasks if task.tiles] == [6, 6, 6, 6]
    assert response.content.decode().count("tile-done") == 24


def test_the_workbench_puts_the_most_urgent_first_with_one_button_each(client, city, campaign):
    """Somebody of four unions: sent back and due the day after tomorrow, a draft, nothing begun with
    more time, and one that waits for others."""
    user = make_user(*((u, "HEAD") for u in (city.direct, city.own, city.sibling, city.foreign)))
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.direct)
    make_self_assessment(city, campaign, filled=False)
    until = today() + dt.timedelta(days=6)
    Extension.objects.create(
        campaign=campaign, organization=city.sibling, until=until, reason="停电"
    )
    make_self_assessment(city, campaign, State.RETURNED, organization=city.foreign)
    soon = today() + dt.timedelta(days=2)
    SelfAssessment.objects.filter(organization=city.foreign).update(correction_due=soon)
    Campaign.objects.update(submission_deadline=today() + dt.timedelta(days=1))
    client.force_login(user)
    response = client.get("/")
    tasks = [task for task in response.context["tasks"] if "实施方案" not in task.title]
    assert [(t.title, t.days_left, t.button) for t in tasks] == [
        (city.own.name, 1, "继续填报"),
        (city.foreign.name, 2, "去修改"),
        (city.sibling.name, 6, "开始自评"),
        (city.direct.name, None, "查看"),
    ]
    shown = re.findall(
        r'<li class="task .*?(?=<li class="task |</main>)', response.content.decode(), re.S
    )
    assert {len(re.findall(r'class="btn ', one)) for one in shown} == {1}


def test_demo_still_fills_in_everything(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    demo.fill_in(assessment, User.objects.get(pk=city.head.pk), Decimal(1))
    assert sum(len(s.missing) for s in worksheet.load(SelfAssessment.objects.get())) == 0
