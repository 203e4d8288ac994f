"""Many decisions at a time, who hears of them, and what stays on record of them."""

from decimal import Decimal

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from assessments import deciding, letters, standings, verdicts, workflow, worksheet
from assessments.choices import Action, AdjustmentSource, State
from assessments.models import (
    Decision,
    Indicator,
    PendingDecision,
    ReviewScore,
    SelfAssessment,
    Standing,
    Veto,
)
from assessments.scoring import Rating
from organizations import audit
from organizations.choices import Role
from organizations.models import Notification, User
from tests import factories
from tests.factories import (
    PASSWORD,
    give_password,
    make_many_reviewed,
    make_self_assessment,
    make_user,
    perform,
)

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def strong(city, campaign):
    return make_self_assessment(city, campaign, State.REVIEWED)


@pytest.fixture
def weak(city, campaign):
    return make_self_assessment(
        city, campaign, State.REVIEWED, organization=city.sibling, share="0.5"
    )


def prepare(city, campaign, *assessments, name="评定会", by=None):
    rows = SelfAssessment.objects.filter(pk__in=[one.pk for one in assessments])
    return deciding.prepare(campaign, rows, name, fresh(by or city.lead))


@pytest.fixture
def applied(city, campaign, strong, weak):
    batch, _ = prepare(city, campaign, strong, weak)
    Notification.objects.all().delete()
    deciding.apply(batch, "", fresh(city.lead))
    return batch


# --- Many at a time -------------------------------------------------------------------------------


def test_verdicts_of_many_are_those_of_each(city, campaign):
    two = factories.make_campaign(reviewers=2, year=campaign.year - 1)
    reviewers = [city.reviewer, city.other_reviewer]
    apart = make_self_assessment(city, two, State.REVIEWED, reviewers=reviewers)
    ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__criterion__number=4
    ).update(score=0, remark="没有。")
    make_self_assessment(city, campaign, State.REVIEWED, share="0.9")
    weak = make_self_assessment(
        city, campaign, State.REVIEWED, organization=city.sibling, share="0.5"
    )
    Veto.objects.create(
        campaign=campaign, organization=city.sibling, reason="事故", recorded_by=city.admin
    )
    verdicts.adjust(
        weak,
        Indicator.objects.get(code="G1.01"),
        Rating(Decimal(3)),
        source=AdjustmentSource.INSPECTION,
        reason="现场核实。",
        by=city.lead,
    )
    rows = SelfAssessment.objects.select_related("campaign").prefetch_related("reviews")
    with CaptureQueriesContext(connection) as queries:
        together = verdicts.verdicts_of(rows)
    assert len(queries) <= 7
    assert together[apart.pk].discrepant == (4,)
    for one in rows:
        lines = [line for section in worksheet.load(one) for line in section.lines]
        assert together[one.pk] == verdicts.verdict_of(one, lines)


def test_many_cost_no_more_queries_but_for_the_messages(city, campaign):
    rows = make_many_reviewed(city, campaign, 22)
    costs = []
    for name, some in (("一", rows[:2]), ("二", rows[2:])):
        batch, _ = prepare(city, campaign, *some, name=name)
        by = fresh(city.lead)
        with CaptureQueriesContext(connection) as queries:
            deciding.apply(batch, "", by)
        # The messages to each union; and long inserts, which SQLite takes in pieces.
        apart = ("notification", "organizations_user", "SAVEPOINT", "INSERT")
        costs.append(sum(not any(word in q["sql"] for word in apart) for q in queries))
    assert costs[0] == costs[1]


def test_one_alone_and_many_together_write_the_same(city, campaign, strong, applied):
    together = strong.decisions.get()
    perform(strong, Action.REOPEN_DECISION, city.admin, reason="再定")
    perform(strong, Action.DECIDE, city.lead)
    alone = strong.decisions.get(superseded_at=None)
    for name in ("total", "outcome", "computed_outcome", "revision", "opinion"):
        assert getattr(together, name) == getattr(alone, name)
    facts = ("number", "points", "maximum", "met")
    assert list(together.criteria.values_list(*facts)) == list(alone.criteria.values_list(*facts))
    facts = ("indicator", "points", "maximum", "met", "remark")
    assert set(together.scores.values_list(*facts)) == set(alone.scores.values_list(*facts))


def test_all_or_nothing(city, campaign, strong, weak):
    perform(weak, Action.REOPEN_REVIEW, city.lead, reason="再看")
    with pytest.raises(workflow.ManyRefused) as refused:
        workflow.perform_many(Action.DECIDE, {strong.pk: {}, weak.pk: {}}, by=fresh(city.lead))
    assert set(refused.value.problems) == {weak.pk}
    strong.refresh_from_db()
    assert strong.state == State.REVIEWED
    assert not Decision.objects.exists()


def test_each_is_on_record_and_the_leads_are_told_once(city, applied, strong, weak):
    for one in (strong, weak):
        event = audit.events_of(one).get(action="DECIDE")
        assert (event.details["from"], event.details["to"]) == ("REVIEWED", "DECIDED")
        assert event.details["role"] == "评审组长"
    assert list(audit.verify()) == []
    told = Notification.objects.get(recipient=city.admin)
    assert (told.count, told.many) == (2, "有 {count} 份申报已评定，待公示。")


def test_what_cannot_be_decided_is_not_listed(city, campaign, strong, weak):
    SelfAssessment.objects.filter(pk=weak.pk).update(discrepant="4")
    _, listed = prepare(city, campaign, strong, weak)
    assert (listed.added, listed.left_out) == (1, 1)
    partial = make_user((city.city, Role.LEAD_REVIEWER), (city.sibling, Role.VIEWER))
    SelfAssessment.objects.filter(pk=weak.pk).update(discrepant="")
    with pytest.raises(deciding.NotAllowed):
        prepare(city, campaign, weak, name="二", by=partial)


def test_what_is_done_to_a_list_is_on_its_record(city, campaign, strong, weak):
    batch, _ = prepare(city, campaign, strong, weak)
    deciding.exclude(batch.lines.get(self_assessment=weak), fresh(city.lead))
    deciding.refresh(batch, fresh(city.lead))
    acts = [event.action for event in audit.events_of(batch)]
    assert acts == ["BATCH_REFRESHED", "BATCH_LINE_EXCLUDED", "BATCH_PREPARED"]


def test_what_was_not_seen_is_not_applied(client, city, campaign, strong, weak):
    batch, _ = prepare(city, campaign, strong, weak)
    give_password(city.lead)
    client.force_login(city.lead)
    old = client.get(batch.get_absolute_url()).context["batch"].version
    deciding.propose_override(batch.lines.first(), "理由", fresh(city.admin))
    deciding.exclude(batch.lines.first(), fresh(city.admin))
    sent = {"password": PASSWORD, "opinion": "同意。", "seen": old}
    response = client.post(batch.get_absolute_url(), sent)
    assert response.status_code == 409
    html = response.content.decode()
    assert "名单刚刚有了变化" in html
    assert "同意。" in html
    assert not Decision.objects.exists()
    sent["seen"] = response.context["batch"].version
    assert client.post(batch.get_absolute_url(), sent).status_code == 302
    assert Decision.objects.count() == 1


# --- Who hears of it ------------------------------------------------------------------------------


def test_the_union_is_told_when_the_list_is_applied_and_when_it_is_reopened(city, applied, strong):
    told = Notification.objects.get(recipient=city.head)
    assert told.text == f"“{city.own.name}”评定结果已出，请查看评定结果通知书。"
    perform(strong, Action.REOPEN_DECISION, city.admin, reason="录入有误")
    assert Notification.objects.filter(recipient=city.head, text__contains="作废").exists()


# --- Letters --------------------------------------------------------------------------------------


def test_later_words_of_reviewers_do_not_change_a_letter(city, applied, weak):
    decision = weak.decisions.get()

    def html():
        found = letters.write(Decision.objects.select_related("campaign").get(pk=decision.pk))
        return render_to_string("assessments/print/letters.html", {"letters": [found]})

    before = html()
    assert "同意自评。" in before
    ReviewScore.objects.filter(review__self_assessment=weak).update(remark="后来改的。")
    assert html() == before


def test_a_void_letter_stays_with_its_mark_and_reason(client, city, applied, strong):
    decision = strong.decisions.get()
    perform(strong, Action.REOPEN_DECISION, city.admin, reason="录入有误")
    decision = Decision.objects.select_related("campaign").get(pk=decision.pk)
    html = render_to_string(
        "assessments/print/letters.html", {"letters": [letters.write(decision)]}
    )
    assert "本通知书已撤销" in html
    assert "录入有误" in html
    for user in (city.head, city.township_head, city.leader):
        client.force_login(user)
        assert client.get(decision.get_absolute_url()).status_code == 200
        for url in (strong.get_absolute_url(), f"/assessments/{strong.pk}/history/"):
            page = client.get(url).content.decode()
            assert decision.get_absolute_url() in page
            assert "已撤销的评定" in page
    client.force_login(city.foreign_head)
    assert client.get(decision.get_absolute_url()).status_code == 404


# --- Standings ------------------------------------------------------------------------------------


def test_unions_directly_under_the_city_are_ranked_together(city, campaign):
    other = factories.make_organization("GRASSROOTS", city.city)
    best, second = (
        make_self_assessment(city, campaign, State.REVIEWED, organization=one, share=share)
        for one, share in ((city.direct, "1"), (other, "0.9"))
    )
    rows = standings.with_ranks(list(SelfAssessment.objects.all()))
    assert {row.pk: row.county_rank for row in rows} == {best.pk: 1, second.pk: 2}


def test_reviewing_anew_puts_a_score_of_the_meeting_aside(city, campaign, strong):
    batch, _ = prepare(city, campaign, strong)
    deciding.correct(
        batch.lines.get(),
        Indicator.objects.get(code="G1.01"),
        Rating(Decimal(1)),
        "缺材料。",
        fresh(city.lead),
    )
    assert Standing.objects.get().total == 98
    perform(strong, Action.REOPEN_REVIEW, city.lead, reason="再看")
    perform(strong, Action.COMPLETE_REVIEW, city.reviewer)
    assert Standing.objects.get().total == 100
    assert PendingDecision.objects.get().total == 98  # until the list is brought up to date
