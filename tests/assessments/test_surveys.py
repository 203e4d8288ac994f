"""民主测评: one vote each, nobody's vote on record, counts that become a rate."""

import datetime as dt
import re
import threading
import time

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import evidence, surveys, worksheet
from assessments.choices import State, Vote
from assessments.models import Answer, Survey, SurveyPass
from assessments.versions import entry_of
from organizations.audit import events_of
from tests.factories import make_campaign, make_self_assessment, today
from tests.uploads import PDF

pytestmark = pytest.mark.django_db
CODE = "G6.05"


@pytest.fixture(autouse=True)
def _nobody_has_voted_this_minute():
    cache.clear()


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign)


@pytest.fixture
def head(client, city):
    client.force_login(city.head)
    return client


def address(assessment, name="survey"):
    return reverse(f"assessments:{name}", args=[assessment.pk, CODE])


def begin(client, assessment, mode="CODES", follow=False, **fields):
    fields = {"mode": mode, "eligible": 10, "closes_on": today() + dt.timedelta(days=3)} | fields
    return client.post(address(assessment), fields, follow=follow)


def survey_of(assessment):
    return assessment.surveys.get()


def issue(client, assessment):
    text = client.post(address(assessment, "survey_codes")).content.decode()
    return re.findall(r"<code>(\w{4}-\w{4})</code>", text)


def cast(survey, choice="satisfied", person=None, **fields):
    url = reverse("assessments:survey_ballot", args=[survey.token])
    return (person or Client()).post(url, {"choice": choice} | fields)


def page(response):
    return response.content.decode()


def test_a_code_votes_once(head, assessment):
    begin(head, assessment)
    codes = issue(head, assessment)
    assert len(set(codes)) == 10
    survey = survey_of(assessment)
    assert "投票成功" in page(cast(survey, code=f" {codes[0].lower().replace('-', '')} "))
    assert "已经用过" in page(cast(survey, code=codes[0]))
    assert "投票码不正确" in page(cast(survey, code="AAAA-BBBB"))
    survey.refresh_from_db()
    assert (survey.satisfied, survey.cast) == (1, 1)


def test_nothing_tells_who_voted_what(head, assessment):
    begin(head, assessment)
    codes = issue(head, assessment)
    cast(survey_of(assessment), "unsatisfied", code=codes[0])
    used = SurveyPass.objects.get(used=True)
    assert set(used.__dict__) - {"_state"} == {"id", "survey_id", "digest", "used"}
    assert codes[0] not in str(list(SurveyPass.objects.values()))
    assert not [event for event in events_of(assessment) if "unsatisfied" in str(event.details)]


def test_codes_printed_again_void_the_unused_ones(head, assessment):
    begin(head, assessment)
    old = issue(head, assessment)
    cast(survey_of(assessment), code=old[0])
    new = issue(head, assessment)
    assert len(new) == 9
    assert "投票码不正确" in page(cast(survey_of(assessment), code=old[1]))
    assert "投票成功" in page(cast(survey_of(assessment), code=new[0]))


def test_a_phone_votes_once(head, assessment):
    begin(head, assessment, mode="DEVICES")
    survey = survey_of(assessment)
    phone = Client()
    assert "投票成功" in page(cast(survey, person=phone))
    assert "已经投过票" in page(cast(survey, person=phone))
    assert "投票成功" in page(cast(survey, person=Client()))
    survey.refresh_from_db()
    assert survey.cast == 2


def test_no_more_votes_than_people(head, assessment):
    begin(head, assessment, mode="DEVICES", eligible=2)
    survey = survey_of(assessment)
    answers = [page(cast(survey)) for _ in range(3)]
    assert "投票人数已满" in answers[2]
    survey.refresh_from_db()
    assert survey.cast == 2
    assert survey.passes.count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Survey.objects.update(satisfied=3)


def test_ballots_are_refused_after_the_end(head, assessment):
    begin(head, assessment, mode="DEVICES")
    survey = survey_of(assessment)
    head.post(address(assessment, "survey_close"))
    assert "已经结束" in page(cast(survey))
    Survey.objects.update(closed_at=None, closes_at=timezone.now() - dt.timedelta(seconds=1))
    assert "已经结束" in page(cast(survey))
    survey.refresh_from_db()
    assert survey.cast == 0


@pytest.mark.parametrize(
    "fields", [{}, {"choice": "nonsense"}, {"choice": "eligible"}, {"choice": "pk"}]
)
def test_a_ballot_takes_one_of_four_answers(head, assessment, fields):
    begin(head, assessment, mode="DEVICES")
    survey = survey_of(assessment)
    url = reverse("assessments:survey_ballot", args=[survey.token])
    assert "投票成功" not in page(Client().post(url, fields))
    survey.refresh_from_db()
    assert survey.cast == 0


@pytest.mark.usefixtures("one_minute")
def test_a_flood_of_ballots_is_slowed_down(head, assessment):
    begin(head, assessment)
    survey = survey_of(assessment)
    answers = [cast(survey, code="AAAA-BBBB").status_code for _ in range(62)]
    assert answers[0] == 200
    assert 429 in answers


@pytest.mark.usefixtures("one_minute")
def test_behind_the_proxy_each_phone_is_counted_by_itself(head, assessment, settings):
    settings.BEHIND_PROXY = True
    begin(head, assessment)
    survey = survey_of(assessment)
    phones = [Client(headers={"x-forwarded-for": f"203.0.113.{n}"}) for n in range(62)]
    answers = [cast(survey, person=phone, code="AAAA-BBBB").status_code for phone in phones]
    assert set(answers) == {200}
    flood = [cast(survey, person=phones[0], code="AAAA-BBBB").status_code for _ in range(60)]
    assert flood[-1] == 429


def test_a_cache_that_keeps_nothing_stops_nobody(head, assessment, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    begin(head, assessment)
    code = issue(head, assessment)[0]
    assert "投票成功" in page(cast(survey_of(assessment), code=code))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"eligible": 0}, "大于或等于1"),
        ({"eligible": 2001}, "小于或等于2000"),
        ({"eligible": "十"}, "整数"),
        ({"mode": "OPEN"}, "OPEN"),
        ({"closes_on": "昨天"}, "日期"),
        ({"closes_on": "2020-01-01"}, "截止日期应在今天到"),
        ({"closes_on": "2199-01-01"}, "截止日期应在今天到"),
    ],
)
def test_a_survey_that_makes_no_sense(head, assessment, fields, message):
    assert message in page(begin(head, assessment, **fields))
    assert not assessment.surveys.exists()


def test_one_survey_for_an_indicator(head, assessment):
    begin(head, assessment)
    assert "已经发起过" in page(begin(head, assessment, follow=True))
    assert assessment.surveys.count() == 1


def test_other_indicators_have_no_survey(head, assessment):
    url = reverse("assessments:survey", args=[assessment.pk, "G1.01"])
    assert head.get(url).status_code == 404


def test_counts_are_shown_after_the_end_only(head, assessment):
    begin(head, assessment, mode="DEVICES")
    for choice in ("satisfied", "satisfied", "basically", "unsatisfied", "abstained"):
        cast(survey_of(assessment), choice)
    assert surveys.result(survey_of(assessment)) is None
    head.post(address(assessment, "survey_close"))
    result = surveys.result(survey_of(assessment))
    assert result.counts == (("满意", 2), ("基本满意", 1), ("不满意", 1), ("弃权", 1))
    assert (result.satisfied, result.valid, result.turnout) == (3, 4, 50)
    assert "参与率 50%" in page(head.get(address(assessment)))


def test_basically_satisfied_counts_by_the_campaigns_setting(city):
    campaign = make_campaign(basically_satisfied_counts=False)
    survey = Survey(
        self_assessment=make_self_assessment(city, campaign, filled=False),
        eligible=10,
        satisfied=4,
        basically=3,
        closed_at=timezone.now(),
    )
    assert surveys.result(survey).satisfied == 4


def test_too_few_votes_are_not_told(head, assessment):
    begin(head, assessment, mode="DEVICES")
    for _ in range(4):
        cast(survey_of(assessment))
    head.post(address(assessment, "survey_close"))
    text = page(head.get(address(assessment)))
    assert "投票不足 5 票" in text
    assert "测评结果" not in text
    assert "不能采用" in page(head.post(address(assessment, "survey_adopt"), follow=True))


def test_the_result_becomes_the_indicators_counts(head, assessment):
    begin(head, assessment, mode="DEVICES")
    for choice in ("satisfied",) * 5 + ("basically", "unsatisfied", "abstained"):
        cast(survey_of(assessment), choice)
    head.post(address(assessment, "survey_close"))
    account = Answer.objects.get(self_assessment=assessment, indicator__code=CODE).account
    assert "已填入自评" in page(head.post(address(assessment, "survey_adopt"), follow=True))
    answer = Answer.objects.get(self_assessment=assessment, indicator__code=CODE)
    assert (answer.numerator, answer.denominator) == (6, 7)
    assert answer.account == account
    assert answer.as_of == today()
    assert answer.definition == "民主测评：应参加 10 人，投票 8 人，参与率 80%"


def test_what_the_union_wrote_beside_the_turnout_stays(head, assessment):
    begin(head, assessment, mode="DEVICES")
    for _ in range(5):
        cast(survey_of(assessment))
    head.post(address(assessment, "survey_close"))
    answers = Answer.objects.filter(self_assessment=assessment, indicator__code=CODE)
    turnout = "民主测评：应参加 10 人，投票 5 人，参与率 50%"
    for own, expected in (("含劳务派遣工", f"含劳务派遣工；{turnout}"), ("长" * 190, "长" * 190)):
        answers.update(definition=own)
        for _ in range(2):  # taken over twice, it stands there once
            head.post(address(assessment, "survey_adopt"))
            assert answers.get().definition == expected


def test_counts_of_a_vote_on_paper_are_typed_with_their_minutes(head, city, assessment):
    """A union that has opened a survey may still go by paper."""
    begin(head, assessment, mode="DEVICES")
    line = next(
        one
        for section in worksheet.load(assessment)
        for one in section.lines
        if one.indicator.code == CODE
    )
    evidence.attach(
        assessment, line.indicator, [SimpleUploadedFile("会议记录.pdf", PDF)], city.head
    )
    fields = {"numerator": 46, "denominator": 50, "seen": entry_of(line.answer).fingerprint}
    url = reverse("assessments:self_assessment_answer", args=[assessment.pk, CODE])
    typed = {f"{CODE}-{name}": value for name, value in fields.items()}
    assert 'data-outcome="saved"' in page(head.post(url, typed))
    answer = Answer.objects.get(self_assessment=assessment, indicator__code=CODE)
    assert (answer.numerator, answer.denominator) == (46, 50)
    assert "会议记录.pdf" in answer.attachments.values_list("evidence__name", flat=True)


def test_a_survey_without_votes_can_be_taken_back(head, assessment):
    begin(head, assessment, mode="DEVICES")
    head.post(address(assessment, "survey_cancel"))
    assert not assessment.surveys.exists()
    begin(head, assessment, mode="DEVICES")
    cast(survey_of(assessment))
    assert "不能取消" in page(head.post(address(assessment, "survey_cancel"), follow=True))
    assert assessment.surveys.exists()


def test_only_the_union_itself_conducts_it(client, city, assessment):
    client.force_login(city.head)
    begin(client, assessment)
    for user in (city.own_viewer, city.township_head, city.sibling_head, city.admin):
        client.force_login(user)
        for name in ("survey_codes", "survey_close", "survey_cancel", "survey_adopt"):
            assert client.post(address(assessment, name)).status_code == 404
        assert begin(client, assessment).status_code == 404


def test_a_submitted_self_assessment_takes_no_new_survey(head, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assert "不能再修改" in page(begin(head, assessment, follow=True))
    assert not assessment.surveys.exists()


@pytest.mark.django_db(transaction=True)
def test_one_code_at_two_phones_at_once_counts_once(head, assessment):
    begin(head, assessment)
    code = issue(head, assessment)[0]
    survey = survey_of(assessment)
    start = threading.Barrier(2)
    counted = []

    def try_to_vote():
        start.wait()
        try:
            surveys.vote(survey, Vote.SATISFIED, right=code)
            counted.append(1)
        except surveys.SurveyRefused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=try_to_vote) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    survey.refresh_from_db()
    assert (len(counted), survey.cast) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_voting_while_codes_are_printed_anew(head, city, assessment):
    """Whoever prints holds the survey and comes for its codes; a vote must not hold a code and wait
    for the survey meanwhile."""
    begin(head, assessment)
    code = issue(head, assessment)[0]
    survey = survey_of(assessment)
    began, told = threading.Event(), []

    def try_to_vote():
        began.set()
        try:
            surveys.vote(survey, Vote.SATISFIED, right=code)
        except surveys.SurveyRefused as refused:
            told.append(str(refused))
        finally:
            connection.close()

    voter = threading.Thread(target=try_to_vote)
    with transaction.atomic():
        Survey.objects.select_for_update().get(pk=survey.pk)
        voter.start()
        began.wait()
        time.sleep(0.5)  # for the vote to come as far as it can
        issued = surveys.issue_codes(survey, by=city.head)
    voter.join()
    survey.refresh_from_db()
    assert (len(issued), survey.cast) == (10, 0)
    assert told == ["投票码不正确，或者已经用过。请核对纸条上的投票码。"]
