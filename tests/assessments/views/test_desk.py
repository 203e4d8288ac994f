"""The scoring desk: each score saves itself; reasons, claims, phrases; on to the next."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import (
    comparison,
    deadlines,
    demo,
    phrases,
    queueing,
    reviewing,
    verdicts,
    worksheet,
)
from assessments.choices import Action, AdjustmentSource, State
from assessments.models import Answer, Campaign, Indicator, Review, ReviewScore, StockPhrase
from assessments.scoring import Rating
from organizations.models import AuditEvent, User
from tests import factories
from tests.factories import make_self_assessment, perform

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment(city, campaign):
    return make_self_assessment(city, campaign, State.UNDER_REVIEW)


@pytest.fixture
def review(client, city, assessment):
    client.force_login(city.reviewer)
    return assessment.reviews.get()


def page_of(review, number=1):
    return reverse("assessments:review_criterion", args=[review.pk, number])


def row(client, review, code):
    rows = client.get(page_of(review, int(code[1]))).context["sheet"].rows
    return next(row for row in rows if row.indicator.code == code)


def send(client, review, code, *, seen=None, **fields):
    """What the page sends for one indicator."""
    extra = {
        name: fields.pop(name) for name in ("keep", "mine", "theirs", "revision") if name in fields
    }
    seen = row(client, review, code).seen if seen is None else seen
    sent = {f"{code}-{name}": value for name, value in fields.items()}
    url = reverse("assessments:review_score", args=[review.pk, code])
    return client.post(url, sent | extra | {f"{code}-seen": seen}, headers={"HX-Request": "true"})


def stored(review, code):
    return ReviewScore.objects.filter(review=review, indicator__code=code).first()


# --- Saving one score -----------------------------------------------------------------------------


def test_one_score_saves_itself_and_tells_what_is_missing(client, review):
    response = send(client, review, "G1.01", score="2")
    html = response.content.decode()
    assert 'data-outcome="saved"' in html
    assert "低于满分，请写明理由" in html
    assert "0/51" in html
    html = send(client, review, "G1.01", score="2", remark="缺一份纪要。").content.decode()
    assert "✓ 已评" in html
    assert "1/51" in html
    assert (stored(review, "G1.01").score, stored(review, "G1.01").remark) == (2, "缺一份纪要。")
    assert ReviewScore.objects.count() == 1  # what was not sent is left alone


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("4", "得分不能超过满分 3 分。"),
        ("-1", "不能为负数"),
        ("2.3", "0.5"),
        ("三分", "请填写数字"),
    ],
)
def test_a_score_out_of_range_or_off_the_step_is_refused_and_nothing_is_lost(
    client, review, typed, message
):
    send(client, review, "G1.01", score="2", remark="先前的意见。")
    response = send(client, review, "G1.01", score=typed, remark="新的意见。")
    html = response.content.decode()
    assert 'data-outcome="wrong"' in html
    assert message in html
    assert (stored(review, "G1.01").score, stored(review, "G1.01").remark) == (2, "先前的意见。")
    whole = client.post(
        page_of(review),
        {"G1.01-seen": "x", "G1.01-score": typed, "G1.01-remark": "新的意见。"},
    )
    values = whole.context["sheet"].rows[0].values
    assert (values["score"], values["remark"]) == (typed, "新的意见。")


def test_two_windows_choose(client, review):
    seen = row(client, review, "G1.01").seen
    send(client, review, "G1.01", seen=seen, score="2", remark="甲窗")
    html = send(client, review, "G1.01", seen=seen, score="1", remark="乙窗").content.decode()
    assert 'data-outcome="conflict"' in html
    assert "甲窗" in html
    assert stored(review, "G1.01").score == 2
    theirs = row(client, review, "G1.01").seen
    send(client, review, "G1.01", seen=seen, mine=f"G1.01:{theirs}", score="1", remark="乙窗")
    assert stored(review, "G1.01").remark == "乙窗"


def test_a_remark_alone_in_another_window_is_not_overwritten(client, review):
    seen = row(client, review, "G1.01").seen
    send(client, review, "G1.01", seen=seen, remark="甲窗")
    html = send(client, review, "G1.01", seen=seen, remark="乙窗").content.decode()
    assert 'data-outcome="conflict"' in html
    assert stored(review, "G1.01").remark == "甲窗"


def test_what_the_union_has_handed_in_anew_is_not_scored_by_an_old_page(
    client, city, review, assessment
):
    factories.send_back(assessment, city.lead)
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    response = send(client, review, "G1.02", revision=1, score="1")
    assert response.status_code == 409
    assert "已经重新提交" in response.content.decode()
    assert stored(review, "G1.02") is None


def test_a_revision_without_end_is_no_fault_of_the_servers(client, city, review):
    client.force_login(city.reviewer)
    assert send(client, review, "G1.02", revision="9" * 5000, score="1").status_code == 200


def test_while_the_union_corrects_nothing_is_stored_and_nothing_shown(
    client, city, review, assessment
):
    seen = row(client, review, "G1.02").seen
    factories.send_back(assessment, city.lead)
    response = send(client, review, "G1.02", seen=seen, score="1")
    assert response.status_code == 409
    assert "不能评分" in response.content.decode()
    assert city.own.name not in response.content.decode()


def test_a_session_that_is_over_is_told(client, review):
    seen = row(client, review, "G1.01").seen
    client.logout()
    assert send(client, review, "G1.01", seen=seen, score="1").status_code == 401
    assert stored(review, "G1.01") is None


def test_an_indicator_of_another_tier_is_not_found(client, review):
    url = reverse("assessments:review_score", args=[review.pk, "T1.01"])
    assert client.post(url, {}).status_code == 404


# --- Reasons and claims ---------------------------------------------------------------------------


def gap(assessment, review, code):
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    line = next(line for line in lines if line.indicator.code == code)
    return reviewing.gap_at(assessment, stored(review, code), line)


@pytest.mark.parametrize(
    ("tolerance", "score", "missing"),
    [("0", "3", False), ("0", "2.5", True), ("0.5", "2.5", False), ("0.5", "2", True)],
)
def test_when_a_reason_is_needed(client, assessment, review, tolerance, score, missing):
    Campaign.objects.update(remark_tolerance=Decimal(tolerance))
    assessment.refresh_from_db()
    send(client, review, "G1.01", score=score)
    assert bool(gap(assessment, review, "G1.01")) is missing


def test_a_reason_is_needed_also_where_the_union_claimed_no_more(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, share="0.5")
    review = assessment.reviews.get()
    client.force_login(city.reviewer)
    send(client, review, "G1.01", score=row(client, review, "G1.01").line.answer.score)
    assert gap(assessment, review, "G1.01") == "低于满分，请写明理由"


def test_counts_that_were_verified_need_a_reason_too(client, assessment, review):
    send(client, review, "G2.06", numerator="50", denominator="120")
    assert gap(assessment, review, "G2.06") == "低于满分，请写明理由"
    send(client, review, "G1.03", checked=["牌子"])
    assert gap(assessment, review, "G1.03") == "低于满分，请写明理由"


def test_a_tolerance_below_zero_is_refused(campaign):
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(remark_tolerance=-1)


@pytest.fixture
def claimed(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    Answer.objects.filter(self_assessment=assessment, indicator__code="G3.08").update(
        not_applicable=True, not_applicable_reason="无女职工"
    )
    client.force_login(city.reviewer)
    return assessment


def test_a_claim_is_accepted_or_refused_and_nothing_is_chosen_before(client, claimed):
    review = claimed.reviews.get()
    html = client.get(page_of(review, 3)).content.decode()
    radios = html.split('name="G3.08-claim"')[1:]
    assert len(radios) == 2
    assert not any("checked" in radio.split(">")[0] for radio in radios)
    assert gap(claimed, review, "G3.08") == "请选择认可或不认可“不适用”"
    send(client, review, "G3.08", claim="refuse")
    assert gap(claimed, review, "G3.08") == "不认可“不适用”，请评分"
    assert row(client, review, "G3.08").values["claim"] == "refuse"  # kept without a score
    full = str(Indicator.objects.get(code="G3.08").max_points)
    send(client, review, "G3.08", claim="refuse", score=full)
    assert gap(claimed, review, "G3.08") == "不认可“不适用”，请写明理由"
    send(client, review, "G3.08", claim="refuse", score=full, remark="有女职工 12 人。")
    assert gap(claimed, review, "G3.08") == ""
    send(client, review, "G3.08", claim="accept")
    assert gap(claimed, review, "G3.08") == ""
    assert stored(review, "G3.08").not_applicable


def test_a_claim_that_nobody_made_is_not_accepted(client, review):
    send(client, review, "G3.08", claim="accept", score="1")
    score = stored(review, "G3.08")
    assert (score.not_applicable, score.claim_refused, score.score) == (False, False, 1)


def test_a_claim_answered_with_nonsense(client, claimed):
    review = claimed.reviews.get()
    html = send(client, review, "G3.08", claim="maybe").content.decode()
    assert 'data-outcome="wrong"' in html


# --- Side by side ---------------------------------------------------------------------------------


def columns_for(assessment, user, code="G1.01"):
    assessment = type(assessment).objects.with_context().get(pk=assessment.pk)
    rows = comparison.standing_scores(
        assessment, worksheet.load(assessment), User.objects.get(pk=user.pk)
    )
    columns = next(columns for indicator, columns in rows.items() if indicator.code == code)
    return [(column.label, column.points, column.author) for column in columns]


def test_reviewers_are_blind_until_all_are_in(city):
    two = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, two, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.other_reviewer)

    def seen_by(user):
        found = columns_for(assessment, user)
        return {
            author for label, points, author in found if label == "市级评审" and points is not None
        }

    assert seen_by(city.reviewer) == {"评审甲"}
    assert seen_by(city.lead) == {"评审乙"}
    assert seen_by(city.leader) == set()
    assert seen_by(city.head) == set()
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    assert seen_by(city.reviewer) == seen_by(city.lead) == {"评审甲", "评审乙"}
    assert seen_by(city.head) == set()


def test_adjustments_and_the_decision_stand_beside(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    indicator = Indicator.objects.get(code="G1.01")
    verdicts.adjust(
        assessment,
        indicator,
        Rating(Decimal(1)),
        source=AdjustmentSource.INSPECTION,
        reason="现场没有看到。",
        by=city.lead,
    )
    assert columns_for(assessment, city.head)[-1] == ("认定", None, "")
    perform(assessment, Action.DECIDE, city.lead)
    labels = ["自评", "上级初审", "市级评审", "调整（现场核查）", "认定"]
    found = columns_for(assessment, city.lead)
    assert [label for label, _, _ in found] == labels
    assert [points for _, points, _ in found] == [3, None, 3, 1, 1]
    assert columns_for(assessment, city.head)[-1] == ("认定", 1, "市总工会")


def test_last_years_verdict_stands_beside_without_names(client, city):
    old = factories.make_campaign(year=factories.today().year - 1)
    last = make_self_assessment(city, old, State.REVIEWED, reviewers=[city.other_reviewer])
    ReviewScore.objects.filter(indicator__code="G1.01").update(score=2, remark="去年缺纪要。")
    perform(last, Action.DECIDE, city.lead)
    this = make_self_assessment(city, factories.make_campaign(), State.UNDER_REVIEW)
    client.force_login(city.reviewer)
    html = client.get(page_of(this.reviews.get())).content.decode()
    assert f"{old.year} 年认定" in html
    assert "去年缺纪要。" in html
    assert city.other_reviewer.full_name not in html


# --- Phrases --------------------------------------------------------------------------------------


def test_a_remark_is_kept_as_a_phrase_at_one_touch(client, review):
    html = send(
        client, review, "G1.01", score="2", remark="缺纪要。", keep="G1.01"
    ).content.decode()
    assert "已存为常用语。" in html
    phrase = StockPhrase.objects.get()
    assert (phrase.text, phrase.code, phrase.is_shared) == ("缺纪要。", "G1.01", False)
    html = send(
        client, review, "G1.01", score="2", remark="缺纪要。", keep="G1.01"
    ).content.decode()
    assert "已经有了" in html
    send(client, review, "G1.01", score="1", remark="缺纪要。", phrase=phrase.pk)
    phrase.refresh_from_db()
    assert phrase.uses == 1
    aside = client.get(reverse("assessments:review_aside", args=[review.pk, 1])).content.decode()
    assert "缺纪要。" in aside
    assert "待评 1 份" in aside


def test_without_a_script_the_button_keeps_it_too(client, review):
    fields = {"G1.01-seen": row(client, review, "G1.01").seen, "G1.01-remark": "缺纪要。"}
    response = client.post(page_of(review), fields | {"keep": "G1.01"})
    assert response.url.endswith("#G1.01")
    assert StockPhrase.objects.get().text == "缺纪要。"


def test_phrases_are_ones_own_or_shared(client, city, campaign):
    phrases.keep(city.other_reviewer, "别人的。")
    shared = phrases.keep(city.lead, "共用的。", shared=True)
    client.force_login(city.reviewer)
    url = reverse("assessments:phrase_list")
    html = client.get(url).content.decode()
    assert "共用的。" in html
    assert "别人的。" not in html
    assert client.get(reverse("assessments:phrase", args=[shared.pk])).status_code == 404
    client.post(url, {"text": "我的。", "code": "g1.01", "shared": "on"})
    own = StockPhrase.objects.get(text="我的。")
    assert (own.owner, own.code) == (city.reviewer, "G1.01")
    page = reverse("assessments:phrase", args=[own.pk])
    client.post(page, {"text": "改过的。", "code": ""})
    own.refresh_from_db()
    assert (own.text, own.code) == ("改过的。", "")
    client.post(page, {"delete": ""})
    assert not StockPhrase.objects.filter(pk=own.pk).exists()


def test_what_is_shared_is_on_record(client, city, campaign):
    client.force_login(city.lead)
    client.post(reverse("assessments:phrase_list"), {"text": "材料不全。", "shared": "on"})
    phrase = StockPhrase.objects.get(owner=None)
    client.post(reverse("assessments:phrase", args=[phrase.pk]), {"delete": ""})
    acts = AuditEvent.objects.filter(action__startswith="PHRASE").order_by("number")
    assert list(acts.values_list("action", flat=True)) == ["PHRASE_SHARED", "PHRASE_WITHDRAWN"]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "", "请先写好内容"),
        ("长" * 201, "", "最多 200 字"),
        ("好。", "G9.99", "没有编号为“G9.99”的指标"),
        ("有了。", "", "已经有了"),
    ],
)
def test_a_phrase_that_cannot_be_kept_stays_in_its_field(
    client, city, campaign, text, code, message
):
    phrases.keep(city.reviewer, "有了。")
    client.force_login(city.reviewer)
    response = client.post(reverse("assessments:phrase_list"), {"text": text, "code": code})
    assert message in response.content.decode()
    assert response.context["form"]["text"].value() == text
    assert StockPhrase.objects.count() == 1


def test_fifty_phrases_an_indicator_and_no_more(city, campaign):
    for n in range(phrases.MOST):
        phrases.keep(city.reviewer, f"第 {n} 句。", "G1.01")
    with pytest.raises(phrases.NotKept, match="最多 50 句"):
        phrases.keep(city.reviewer, "再一句。", "G1.01")
    phrases.keep(city.reviewer, "再一句。", "G1.02")
    with pytest.raises(IntegrityError), transaction.atomic():
        StockPhrase.objects.create(
            text="再一句。", code="G1.02", owner=city.reviewer, created_by=city.reviewer
        )


# --- Going on -------------------------------------------------------------------------------------


def test_completing_goes_on_to_the_next_of_the_queue(client, city, campaign, review, assessment):
    second = make_self_assessment(city, campaign, State.UNDER_REVIEW, organization=city.foreign)
    third = make_self_assessment(city, campaign, State.SUBMITTED, organization=city.direct)
    url = reverse("assessments:review_complete", args=[review.pk])
    response = client.post(url, follow=True)
    assert "还不能完成评审" in response.content.decode()
    demo.score_like_union(assessment, city.reviewer)
    html = client.get(page_of(review)).content.decode()
    assert "完成评审，评下一份" in html
    response = client.post(url, follow=True)
    following = second.reviews.get()
    assert response.redirect_chain[-1][0] == f"{page_of(following)}#G1.01"
    assert client.post(url, follow=True).status_code == 200  # pressed twice: told, nothing more
    assert Review.objects.get(pk=review.pk).is_complete
    assert third.reviews.count() == 0


def test_after_the_last_comes_what_was_left_open_before(client, city, campaign, review):
    second = make_self_assessment(city, campaign, State.UNDER_REVIEW, organization=city.foreign)
    url = reverse("assessments:review_next", args=[second.reviews.get().pk])
    assert client.get(url).url == reverse("assessments:review_resume", args=[review.pk])
    Review.objects.filter(pk=review.pk).delete()
    response = client.get(url, follow=True)
    assert "没有其他待评的申报了" in response.content.decode()


def test_resuming_leads_to_the_first_gap(client, city, review, assessment):
    demo.score_like_union(assessment, city.reviewer)
    stored(review, "G4.02").delete()
    response = client.get(reverse("assessments:review_resume", args=[review.pk]))
    assert response.url == f"{page_of(review, 4)}#G4.02"
    link = client.get(page_of(review, 1)).context["next_gap_elsewhere"]
    assert link.indicator.code == "G4.02"


def test_time_spent_is_that_between_savings_without_pauses(client, city, review, monkeypatch):
    start = deadlines.now()
    moments = [0, 30, 50, 50 + 3600, 50 + 3600 + 10]
    for n, seconds in enumerate(moments):
        at = start + dt.timedelta(seconds=seconds)
        monkeypatch.setattr(deadlines, "now", lambda at=at: at)
        send(client, review, "G1.01", score="2", remark=f"第{n}稿")
    review.refresh_from_db()
    assert review.active_seconds == 60


def test_the_pace_foretells_what_is_left(city, campaign, assessment):
    review = assessment.reviews.get()
    assert queueing.pace(city.reviewer, campaign, deadlines.now()) == queueing.Pace(1, 0, None)
    demo.score_like_union(assessment, city.reviewer)
    Review.objects.filter(pk=review.pk).update(active_seconds=600)
    perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    for union in (city.foreign, city.direct):
        make_self_assessment(city, campaign, State.UNDER_REVIEW, organization=union)
    assert queueing.pace(city.reviewer, campaign, deadlines.now()) == queueing.Pace(2, 1, 1200)
