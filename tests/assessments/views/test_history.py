"""What was handed in, as it was; who changed which answer; remarks and their answers."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessments import answering, correcting, deadlines, demo, evidence, versions, worksheet
from assessments.choices import Action, State
from assessments.entries import Entry
from assessments.models import AnswerChange, Indicator, ReturnRemark, SelfAssessment
from assessments.scoring import Rating
from organizations import audit
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, make_user, perform, send_back, today
from tests.uploads import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture
def returned(city, campaign):
    """Sent back at G1.01 by the city."""
    return make_self_assessment(city, campaign, State.RETURNED)


def line_of(assessment, code):
    return next(
        line
        for section in worksheet.load(assessment)
        for line in section.lines
        if line.indicator.code == code
    )


def write(assessment, code, by, *, score=None, account=None):
    """As the page of the criterion stores it."""
    line = line_of(assessment, code)
    stored = versions.entry_of(line.answer)
    rating = stored.rating if score is None else Rating(score=Decimal(score))
    texts = dict(stored.texts) | ({"account": account} if account is not None else {})
    change = answering.Change(line.indicator, Entry(rating, texts), stored.fingerprint)
    return answering.save(assessment, [change], User.objects.get(pk=by.pk))


def address(name, assessment, *more):
    return reverse(f"assessments:self_assessment_{name}", args=[assessment.pk, *more])


def hand_in_again(assessment, city, account="补充了会议纪要。"):
    write(assessment, "G1.01", city.reporter, account=account)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)


# --- Who changed which answer ---------------------------------------------------------------------


def changes_of(assessment, code):
    found = AnswerChange.objects.filter(self_assessment=assessment, indicator__code=code)
    return [(change.by.full_name, change.before, change.after) for change in found]


def test_a_change_is_kept_with_its_author_and_both_texts(client, city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    write(assessment, "G1.01", city.reporter, score=3, account="去年的做法。今年召开了两次会议。")
    write(assessment, "G1.01", city.head, account="去年的做法。今年召开了三次会议。")
    client.force_login(city.own_viewer)
    html = client.get(address("history", assessment)).content.decode()
    assert html.index("李主席") < html.index("王填报")
    assert "<del>今年召开了两次会议。</del>" in html
    assert "<ins>今年召开了三次会议。</ins>" in html
    assert "去年的做法。" in html


def test_what_one_person_types_within_minutes_is_one_change(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    for text in ("召", "召开", "召开了会议"):
        write(assessment, "G1.01", city.reporter, account=text)
    found = changes_of(assessment, "G1.01")
    assert len(found) == 1
    assert (found[0][1]["account"], found[0][2]["account"]) == ("", "召开了会议")


def test_what_is_typed_and_taken_back_leaves_nothing(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    write(assessment, "G1.01", city.reporter, account="写错了")
    write(assessment, "G1.01", city.reporter, account="")
    assert changes_of(assessment, "G1.01") == []


def test_somebody_elses_change_between_is_not_folded_over(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    for by, text in ((city.reporter, "甲"), (city.head, "乙"), (city.reporter, "丙")):
        write(assessment, "G1.01", by, account=text)
    assert [(who, after["account"]) for who, _, after in changes_of(assessment, "G1.01")] == [
        ("王填报", "丙"),
        ("李主席", "乙"),
        ("王填报", "甲"),
    ]


def test_hours_later_it_is_a_change_of_its_own(city, campaign, monkeypatch):
    assessment = make_self_assessment(city, campaign, filled=False)
    write(assessment, "G1.01", city.reporter, account="上午")
    later = deadlines.now() + dt.timedelta(minutes=11)
    monkeypatch.setattr(deadlines, "now", lambda: later)
    write(assessment, "G1.01", city.reporter, account="下午")
    assert len(changes_of(assessment, "G1.01")) == 2


def test_files_that_come_and_go_are_on_record(client, city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    indicator = line_of(assessment, "G1.01").indicator
    kept = evidence.add(
        assessment, indicator, SimpleUploadedFile("会议纪要.pdf", PDF), city.reporter
    )
    evidence.detach(assessment, indicator, kept.pk, city.head)
    assert [
        (who, before["file"], after["file"])
        for who, before, after in changes_of(assessment, "G1.01")
    ] == [
        ("李主席", "会议纪要.pdf", ""),
        ("王填报", "", "会议纪要.pdf"),
    ]


@pytest.mark.parametrize("code", ["G1.01", "G9.99", "<script>", ""])
def test_the_record_can_be_narrowed_to_an_indicator(client, city, campaign, code):
    assessment = make_self_assessment(city, campaign, filled=False)
    write(assessment, "G1.01", city.reporter, account="这一条")
    write(assessment, "G1.02", city.reporter, account="那一条")
    client.force_login(city.head)
    html = client.get(address("history", assessment), {"indicator": code}).content.decode()
    assert "这一条" in html
    assert ("那一条" in html) == (code != "G1.01")
    assert "<script>" not in html.replace("<script src", "")


@pytest.mark.parametrize(
    "name", ["township_head", "county_head", "reviewer", "lead", "admin", "leader"]
)
def test_what_was_typed_before_handing_in_is_nobody_elses(client, city, campaign, name):
    assessment = make_self_assessment(city, campaign, filled=False)
    write(assessment, "G1.01", city.reporter, account="没有提交的草稿")
    demo.fill_in(assessment, city.head, Decimal(1))
    perform(assessment, Action.SUBMIT, city.head)
    send_back(assessment, city.lead)
    client.force_login(getattr(city, name))
    response = client.get(address("history", assessment))
    assert "没有提交的草稿" not in response.content.decode()
    assert "changes" not in response.content.decode()


# --- What was handed in ---------------------------------------------------------------------------


def test_a_revision_stays_as_it_was_handed_in(client, city, returned):
    before = line_of(returned, "G1.01").answer.account
    hand_in_again(returned, city, "改过的说明")
    client.force_login(city.township_head)
    first = client.get(address("revision", returned, 1)).content.decode()
    second = client.get(address("revision", returned, 2)).content.decode()
    assert before in first
    assert "改过的说明" not in first
    assert "这是以前的一次提交" in first
    assert "改过的说明" in second
    assert "这是以前的一次提交" not in second


def test_a_file_keeps_the_name_under_which_it_was_handed_in(client, city, returned):
    file = line_of(returned, "G1.03").evidence[0]
    name = file.name
    type(file).objects.filter(pk=file.pk).update(name="新名字.pdf")
    client.force_login(city.lead)
    html = client.get(address("revision", returned, 1)).content.decode()
    assert name in html
    assert "新名字.pdf" not in html
    assert file.get_absolute_url() in html


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_revision_that_there_is_not(client, city, returned, number):
    client.force_login(city.head)
    assert client.get(address("revision", returned, number)).status_code == 404


def test_a_withdrawn_one_is_the_unions_alone(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    perform(assessment, Action.WITHDRAW, city.head)
    for user, status in ((city.head, 200), (city.township_head, 404), (city.lead, 404)):
        client.force_login(user)
        assert client.get(address("history", assessment)).status_code == status
        assert client.get(address("revision", assessment, 1)).status_code == status


def test_two_revisions_side_by_side(client, city, returned):
    hand_in_again(returned, city)
    client.force_login(city.lead)
    html = client.get(address("compare", returned)).content.decode()
    assert "<ins>补充了会议纪要。</ins>" in html
    assert "G1.01" in html
    assert "G1.02" not in html
    backwards = client.get(address("compare", returned), {"from": 2, "to": 1}).content.decode()
    assert "<del>补充了会议纪要。</del>" in backwards
    same = client.get(address("compare", returned), {"from": 2, "to": 2}).content.decode()
    assert "两次提交的内容完全相同" in same


@pytest.mark.parametrize(
    "query", [{"from": "x", "to": "-1"}, {"from": "99", "to": "98"}, {"from": "9" * 30}]
)
def test_nonsense_compares_the_last_two(client, city, returned, query):
    hand_in_again(returned, city)
    client.force_login(city.head)
    html = client.get(address("compare", returned), query).content.decode()
    assert "<ins>补充了会议纪要。</ins>" in html


def test_one_revision_has_nothing_to_be_compared_with(client, city, returned):
    client.force_login(city.head)
    assert client.get(address("compare", returned)).status_code == 404


RATE = Indicator(
    code="X", kind="RATE", max_points=5, numerator_label="会员数", denominator_label="职工数"
)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"score": "3"}, {"score": "3.00"}, []),
        ({"score": None}, {"score": "0"}, [("自评得分", "（空）", "0")]),
        ({"numerator": 0}, {"numerator": None}, [("会员数", "0", "（空）")]),
        ({"denominator": 8}, {"denominator": 9}, [("职工数", "8", "9")]),
        ({"checked_items": None}, {"checked_items": []}, [("已有项目", "（空）", "都没有")]),
        ({"checked_items": ["牌子"]}, {"checked_items": ["牌子", "印章"]}, [("已有项目", "牌子", "牌子、印章")]),
        ({"not_applicable": False}, {"not_applicable": True}, [("不适用", "否", "是")]),
        ({"not_applicable": False}, {}, []),
        ({"as_of": ""}, {"as_of": None}, []),
        (
            {"evidence": [{"name": "甲.pdf", "sha256": "a" * 64, "description": "", "valid": [None, None]}]},
            {"evidence": [{"name": "甲.pdf", "sha256": "b" * 64, "description": "二〇二六年", "valid": ["2026-01-01", None]}]},
            [("佐证材料", "甲.pdf（aaaaaaaa）", "甲.pdf（bbbbbbbb；二〇二六年；2026-01-01 起）")],
        ),
        ({"evidence": []}, {}, []),
    ],
)  # fmt: skip
def test_differences_in_the_words_of_the_screen(before, after, found):
    got = versions.differences(RATE.rule, before, after)
    assert [(one.label, one.before, one.after) for one in got] == found


# --- Remarks and answers --------------------------------------------------------------------------


def test_every_remark_must_be_answered_before_it_is_handed_in_again(client, city, returned):
    client.force_login(city.head)
    url = reverse("assessments:self_assessment_act", args=[returned.pk, "submit"])
    assert "请先答复修改要求" in client.get(url).content.decode()
    remark = ReturnRemark.objects.get()
    answered = client.post(
        address("replies", returned), {f"reply-{remark.pk}": "补了会议纪要。"}, follow=True
    )
    assert "已全部答复" in answered.content.decode()
    assert "请先答复修改要求" not in client.get(url).content.decode()
    perform(returned, Action.SUBMIT, city.head)
    client.force_login(city.lead)
    html = client.get(address("history", returned)).content.decode()
    assert "请补充材料。" in html
    assert "补了会议纪要。" in html


def test_too_long_an_answer_is_told_and_kept(client, city, returned):
    remark = ReturnRemark.objects.get()
    client.force_login(city.reporter)
    html = client.post(
        address("replies", returned), {f"reply-{remark.pk}": "长" * 501}
    ).content.decode()
    assert "最多 500 字，现为 501 字" in html
    assert "长" * 501 in html
    remark.refresh_from_db()
    assert remark.reply == ""


def test_the_day_after_the_time_to_correct_nothing_is_stored_and_nothing_lost(
    client, city, returned
):
    remark = ReturnRemark.objects.get()
    SelfAssessment.objects.update(correction_due=today() - dt.timedelta(days=1))
    type(returned.campaign).objects.update(submission_deadline=today() - dt.timedelta(days=1))
    client.force_login(city.head)
    response = client.post(address("replies", returned), {f"reply-{remark.pk}": "来不及了"})
    assert response.status_code == 409
    assert "来不及了" in response.content.decode()
    remark.refresh_from_db()
    assert remark.reply == ""


def test_what_a_correction_touches_can_be_opened_with_a_reason(client, city, returned):
    client.force_login(city.reporter)
    assert write(returned, "G1.02", city.reporter, account="跟着改").stored == 0
    empty = client.post(address("replies", returned), {"open": "1", "indicator": "", "why": ""})
    assert "请选择指标。" in empty.content.decode()
    assert "请写明理由。" in empty.content.decode()
    client.post(
        address("replies", returned), {"open": "1", "indicator": "G1.02", "why": "数字要跟着改"}
    )
    assert write(returned, "G1.02", city.reporter, account="跟着改").stored == 1
    assert correcting.unanswered(returned)[0].indicator.code == "G1.01"
    hand_in_again(returned, city)
    event = audit.events_of(returned).get(action="OPEN_TOO")
    assert (event.details["indicator"], event.details["reason"]) == ("G1.02", "数字要跟着改")
    client.force_login(city.lead)
    html = client.get(address("history", returned)).content.decode()
    assert "本单位另行修改，理由：" in html


def test_nothing_was_sent_back(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    client.force_login(city.head)
    response = client.get(address("replies", assessment), follow=True)
    assert "没有待答复的修改要求" in response.content.decode()


@pytest.mark.parametrize(
    ("days", "message"),
    [(0, "请选择"), (-3, "请选择"), (400, "请选择"), (None, "请选择修改期限"), ("五月", "请按 2026-05-31")],
)  # fmt: skip
def test_the_time_to_correct_must_make_sense(client, city, campaign, days, message):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    client.force_login(city.lead)
    due = "" if days is None else days
    if isinstance(days, int):
        due = (today() + dt.timedelta(days=days)).isoformat()
    fields = {"G1.01": "请补充。", "due_on": due}
    html = client.post(address("return", assessment), fields).content.decode()
    assert message in html
    assert "请补充。" in html
    assessment.refresh_from_db()
    assert assessment.state == State.SUBMITTED


def test_the_time_to_correct_is_the_one_that_was_given(client, city, campaign):
    type(campaign).objects.update(submission_deadline=today())
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    client.force_login(city.lead)
    due = today() + dt.timedelta(days=12)
    client.post(address("return", assessment), {"G1.01": "请补充。", "due_on": due.isoformat()})
    assessment.refresh_from_db()
    assert assessment.correction_due == due


# --- A union that never answers -------------------------------------------------------------------


def overdue(assessment):
    past = today() - dt.timedelta(days=1)
    SelfAssessment.objects.filter(pk=assessment.pk).update(correction_due=past)
    type(assessment.campaign).objects.update(submission_deadline=past)
    assessment.refresh_from_db()


def test_the_city_goes_on_with_what_was_handed_in(city, returned):
    indicator = line_of(returned, "G1.03").indicator
    remark = ReturnRemark.objects.get()
    ReturnRemark.objects.create(of_return=remark.of_return, indicator=indicator, text="换一份")
    handed_in = returned.revisions.get().content
    kept = line_of(returned, "G1.03").evidence[0]
    evidence.detach(returned, indicator, kept.pk, city.reporter)
    evidence.add(
        returned,
        indicator,
        SimpleUploadedFile("没改完.pdf", demo.small_pdf("half done")),
        city.reporter,
    )
    write(returned, "G1.01", city.reporter, score=1, account="改了一半")
    overdue(returned)
    perform(returned, Action.RESUME, city.lead, reason="逾期未改。")
    assert (returned.state, returned.revision, returned.correction_due) == (
        State.SUBMITTED,
        1,
        None,
    )
    line = line_of(returned, "G1.01")
    assert line.answer.account == handed_in["G1.01"]["account"]
    assert line.answer.score == Decimal(handed_in["G1.01"]["score"])
    assert line_of(returned, "G1.03").evidence == (kept,)
    found = [after.get("account") for _, _, after in changes_of(returned, "G1.01")]
    assert "改了一半" in found  # what was typed stays on record
    assert list(audit.verify()) == []


def test_not_before_the_time_is_up(city, returned):
    with pytest.raises(Exception, match=r"修改期限（.*）还没有过"):
        perform(returned, Action.RESUME, city.lead, reason="等不及了。")


def test_changes_are_read_in_pages_with_a_fixed_number_of_queries(
    client, city, campaign, django_assert_max_num_queries
):
    assessment = make_self_assessment(city, campaign)
    indicator = line_of(assessment, "G1.01").indicator
    writers = [make_user() for _ in range(120)]
    now = deadlines.now()
    AnswerChange.objects.bulk_create(
        AnswerChange(self_assessment=assessment, indicator=indicator, revision=0, by=writer,
                     began_at=now, at=now, before={"account": "旧"}, after={"account": "新"})
        for writer in writers
    )  # fmt: skip
    client.force_login(city.head)
    with django_assert_max_num_queries(12):
        html = client.get(address("history", assessment)).content.decode()
    assert html.count("<ins>新</ins>") == 50
