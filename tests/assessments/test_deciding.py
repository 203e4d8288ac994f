"""Decisions on a list: prepared, corrected, overridden by two people, applied together or not at all."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import deciding, letters, standings, workflow, worksheet
from assessments.choices import Action, BatchState, Outcome, State
from assessments.models import (
    Adjustment,
    Decision,
    DecisionBatch,
    Indicator,
    PendingDecision,
    Recusal,
    ReviewScore,
    SelfAssessment,
    Standing,
    Veto,
)
from assessments.scoring import Rating
from organizations import audit
from organizations.models import AuditEvent, Notification, User
from tests.factories import (
    PASSWORD,
    give_password,
    make_campaign,
    make_self_assessment,
    perform,
)
from tests.pdf import text_of

pytestmark = pytest.mark.django_db
LIST = reverse("assessments:decision_list")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def reviewed(city, campaign):
    """Three submissions of one tier, of two counties and the city itself; totals 100, 90, 60."""
    return [
        make_self_assessment(city, campaign, State.REVIEWED, organization=one, share=share)
        for one, share in ((city.own, "1"), (city.foreign, "0.9"), (city.direct, "0.6"))
    ]


@pytest.fixture
def batch(city, campaign, reviewed):
    found, _ = deciding.prepare(
        campaign, SelfAssessment.objects.all(), "第1次评定会", fresh(city.lead)
    )
    return found


def line_of(batch, assessment):
    return batch.lines.get(self_assessment=assessment)


# --- Standings ------------------------------------------------------------------------------------


def test_a_standing_is_kept_and_equals_a_recount(city, campaign, reviewed):
    kept = {
        one.self_assessment_id: (one.total, one.criteria, one.stamp)
        for one in Standing.objects.all()
    }
    assert len(kept) == 3
    assert standings.rebuild(campaign) == 3
    recounted = {
        one.self_assessment_id: (one.total, one.criteria, one.stamp)
        for one in Standing.objects.all()
    }
    assert recounted == kept


def test_the_command_puts_right_what_is_wrong(city, campaign, reviewed):
    total = Standing.objects.get(self_assessment=reviewed[0]).total
    Standing.objects.filter(self_assessment=reviewed[0]).update(total=1)
    Standing.objects.filter(self_assessment=reviewed[1]).delete()
    call_command("rebuild_standings", str(campaign.year))
    assert Standing.objects.get(self_assessment=reviewed[0]).total == total
    assert Standing.objects.count() == 3
    with pytest.raises(CommandError):
        call_command("rebuild_standings", "1999")


def test_it_goes_when_it_is_scored_anew_and_comes_back(city, reviewed):
    perform(reviewed[0], Action.REOPEN_REVIEW, city.lead, reason="复核")
    assert not Standing.objects.filter(self_assessment=reviewed[0]).exists()
    perform(reviewed[0], Action.COMPLETE_REVIEW, city.reviewer)
    assert Standing.objects.filter(self_assessment=reviewed[0]).exists()


def test_a_veto_in_the_back_office_changes_it(client, city, campaign, reviewed):
    client.force_login(city.admin)
    response = client.post(
        reverse("admin:assessments_veto_add"),
        {"campaign": campaign.pk, "organization": city.own.pk, "reason": "发生重大事故"},
    )
    assert response.status_code == 302
    standing = Standing.objects.get(self_assessment=reviewed[0])
    assert standing.vetoed
    assert standing.outcome == Outcome.NOT_AT_STANDARD
    client.post(
        reverse("admin:assessments_veto_delete", args=[Veto.objects.get().pk]), {"post": "yes"}
    )
    assert not Standing.objects.get(self_assessment=reviewed[0]).vetoed


def test_ranks_are_among_all_of_the_tier_and_of_the_county(city, campaign, reviewed):
    same = make_self_assessment(
        city, campaign, State.REVIEWED, organization=city.sibling, share="0.9"
    )
    rows = {
        row.pk: (row.tier_rank, row.county_rank)
        for row in standings.with_ranks(list(SelfAssessment.objects.all()))
    }
    assert rows == {
        reviewed[0].pk: (1, 1),
        reviewed[1].pk: (2, 1),
        same.pk: (2, 2),
        reviewed[2].pk: (4, 1),
    }
    (filtered,) = standings.with_ranks([SelfAssessment.objects.get(pk=reviewed[2].pk)])
    assert filtered.tier_rank == 4  # what a filter leaves out still counts


@pytest.mark.parametrize(
    ("sort", "places"),
    [
        ("tier_rank", [1, 2, 2, 4]),
        ("-tier_rank", [4, 2, 2, 1]),
        ("county_rank", [(4, 1), (1, 1), (2, 2), (2, 1)]),
        ("-county_rank", [(4, 1), (2, 2), (1, 1), (2, 1)]),
    ],
)
def test_the_table_is_sorted_by_places(client, city, campaign, reviewed, sort, places):
    """By place in the county: county by county, those directly under the city first."""
    make_self_assessment(city, campaign, State.REVIEWED, organization=city.sibling, share="0.9")
    client.force_login(city.lead)
    rows = client.get(LIST, {"sort": sort}).context["assessments"]
    found = [(row.tier_rank, row.county_rank) for row in rows]
    assert [pair if isinstance(places[0], tuple) else pair[0] for pair in found] == places


# --- The list -------------------------------------------------------------------------------------


def test_prepared_nobody_is_told_and_nothing_is_decided(client, city, batch, reviewed):
    assert batch.lines.count() == 3
    assert not Decision.objects.exists()
    assert SelfAssessment.objects.filter(state=State.REVIEWED).count() == 3
    deciding.propose_override(line_of(batch, reviewed[0]), "事后查实弄虚作假", fresh(city.lead))
    client.force_login(city.head)
    html = client.get(reviewed[0].get_absolute_url()).content.decode()
    assert "推翻" not in html
    assert "弄虚作假" not in html
    assert "评定会" not in html
    assert not Notification.objects.filter(recipient=city.head, text__contains="评定").exists()
    assert client.get(batch.get_absolute_url()).status_code == 404


def test_listed_once_only(city, campaign, batch):
    with pytest.raises(deciding.NotAllowed, match="没有可以列入的"):
        deciding.prepare(campaign, SelfAssessment.objects.all(), "再来", fresh(city.lead))
    assert DecisionBatch.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        PendingDecision.objects.create(
            batch=batch,
            self_assessment=batch.lines.first().self_assessment,
            stamp="",
            total=1,
            outcome=Outcome.AT_STANDARD,
        )


def test_applied_together(city, batch, reviewed):
    assert deciding.apply(batch, "同意。", fresh(city.lead)) == 3
    batch.refresh_from_db()
    assert (batch.state, batch.closed_by) == (BatchState.APPLIED, city.lead)
    decisions = {one.self_assessment_id: one for one in Decision.objects.all()}
    assert sorted(one.number for one in decisions.values()) == [1, 2, 3]
    assert decisions[reviewed[0].pk].number == 1  # the best first
    assert {one.opinion for one in decisions.values()} == {"同意。"}
    assert {one.state for one in SelfAssessment.objects.all()} == {State.DECIDED}
    assert decisions[reviewed[2].pk].outcome == Outcome.NOT_AT_STANDARD
    assert list(audit.verify()) == []
    with pytest.raises(deciding.NotAllowed, match="不能再改"):
        deciding.apply(batch, "", fresh(city.lead))
    assert Decision.objects.count() == 3


def test_what_has_changed_stops_all_of_it(city, campaign, batch, reviewed):
    Veto.objects.create(
        campaign=campaign, organization=city.foreign, reason="事故", recorded_by=city.admin
    )
    standings.refresh_union(campaign, city.foreign)
    with pytest.raises(deciding.NotAllowed) as refused:
        deciding.apply(batch, "", fresh(city.lead))
    assert refused.value.lines == (f"{city.foreign}：列入之后有了变化，请先更新",)
    assert not Decision.objects.exists()
    assert deciding.refresh(batch, fresh(city.lead)) == (1, 0)
    deciding.apply(batch, "", fresh(city.lead))
    assert Decision.objects.get(self_assessment=reviewed[1]).outcome == Outcome.NOT_AT_STANDARD


def test_a_veto_that_nobody_reckoned_with_stops_it_too(city, campaign, batch):
    """Even where the standing was not brought up to date, the workflow looks for itself."""
    Veto.objects.create(
        campaign=campaign, organization=city.foreign, reason="事故", recorded_by=city.admin
    )
    with pytest.raises(deciding.NotAllowed) as refused:
        deciding.apply(batch, "", fresh(city.lead))
    assert "列入名单之后有了变化" in refused.value.lines[0]
    assert not Decision.objects.exists()
    assert batch.lines.filter(is_open=True).count() == 3


def test_what_goes_back_to_the_reviewers_drops_out(city, batch, reviewed):
    perform(reviewed[0], Action.REOPEN_REVIEW, city.lead, reason="复核")
    assert deciding.refresh(batch, fresh(city.lead)) == (0, 1)
    assert deciding.apply(batch, "", fresh(city.lead)) == 2


def test_on_a_list_it_is_decided_with_the_list_alone(city, batch, reviewed):
    with pytest.raises(workflow.TransitionRefused, match="请在名单里一并作出评定"):
        perform(reviewed[0], Action.DECIDE, city.lead)
    deciding.exclude(line_of(batch, reviewed[0]), fresh(city.lead))
    perform(reviewed[0], Action.DECIDE, city.lead)
    assert reviewed[0].state == State.DECIDED


def test_a_dropped_list_frees_everything(city, campaign, batch):
    deciding.drop(batch, fresh(city.lead))
    again, listed = deciding.prepare(
        campaign, SelfAssessment.objects.all(), "重新拟定", fresh(city.lead)
    )
    assert (listed.added, again.lines.count()) == (3, 3)
    assert AuditEvent.objects.filter(action="BATCH_DROPPED").exists()


def test_who_must_stand_back_from_one_applies_none(client, city, batch, reviewed):
    """And learns nothing of it, not even its name."""
    deciding.propose_override(line_of(batch, reviewed[0]), "理由", fresh(city.admin))
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    with pytest.raises(deciding.NotAllowed, match="须回避的申报") as refused:
        deciding.apply(batch, "", fresh(city.lead))
    assert refused.value.lines == ()
    assert not Decision.objects.exists()
    client.force_login(city.lead)
    html = client.get(batch.get_absolute_url()).content.decode()
    assert "另有 1 份是您须回避的" in html
    assert city.own.name not in html
    assert city.foreign.name in html
    assert client.get(line_of(batch, reviewed[0]).get_absolute_url()).status_code == 404


def test_a_corrected_score_counts_and_voids_an_override(city, batch, reviewed):
    line = line_of(batch, reviewed[0])
    deciding.propose_override(line, "理由", fresh(city.lead))
    deciding.correct(
        line,
        Indicator.objects.get(code="G1.01"),
        Rating(score=Decimal(1)),
        "会上核实",
        fresh(city.lead),
    )
    line = line_of(batch, reviewed[0])
    assert line.total == 98
    assert not line.override
    assert Adjustment.objects.get().reason == "会上核实"
    deciding.apply(batch, "", fresh(city.lead))
    assert Decision.objects.get(self_assessment=reviewed[0]).total == 98


def test_what_was_taken_off_meanwhile_is_not_corrected(city, batch, reviewed):
    line = line_of(batch, reviewed[0])
    deciding.exclude(line_of(batch, reviewed[0]), fresh(city.admin))
    indicator, rating = Indicator.objects.get(code="G1.01"), Rating(score=Decimal(1))
    with pytest.raises(deciding.NotAllowed, match="已经移出名单"):
        deciding.correct(line, indicator, rating, "会上核实", fresh(city.lead))
    assert not Adjustment.objects.exists()


# --- Overrides --------------------------------------------------------------------------------------


def test_an_override_takes_two_people(city, batch, reviewed):
    line = deciding.propose_override(line_of(batch, reviewed[0]), "查实弄虚作假", fresh(city.lead))
    assert line.final_outcome == Outcome.AT_STANDARD  # not confirmed yet
    seen = deciding.override_stamp(line)
    with pytest.raises(deciding.NotAllowed, match="另一人确认"):
        deciding.confirm_override(line, fresh(city.lead), seen)
    with pytest.raises(deciding.NotAllowed) as refused:
        deciding.apply(batch, "", fresh(city.lead))
    assert "推翻还没有第二人确认" in refused.value.lines[0]
    assert Notification.objects.filter(recipient=city.admin, text__contains="请确认").exists()
    deciding.confirm_override(line, fresh(city.admin), seen)
    deciding.apply(batch, "", fresh(city.lead))
    decision = Decision.objects.get(self_assessment=reviewed[0])
    assert (decision.computed_outcome, decision.outcome) == (
        Outcome.AT_STANDARD,
        Outcome.NOT_AT_STANDARD,
    )
    assert (decision.overridden_by, decision.override_confirmed_by) == (city.lead, city.admin)


def test_what_is_confirmed_is_what_was_shown(city, batch, reviewed):
    line = deciding.propose_override(line_of(batch, reviewed[0]), "一", fresh(city.lead))
    seen = deciding.override_stamp(line)
    deciding.withdraw_override(line, fresh(city.lead))
    deciding.propose_override(line_of(batch, reviewed[0]), "二", fresh(city.lead))
    with pytest.raises(deciding.NotAllowed, match="有了变化"):
        deciding.confirm_override(line, fresh(city.admin), seen)


@pytest.mark.parametrize(
    "fields",
    [
        {"override": "AT_STANDARD"},
        {"override_reason": "理由"},
        {"override": "AT_STANDARD", "override_reason": "", "override_by_id": 1},
    ],
)
def test_the_database_knows_no_half_override(batch, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.lines.update(**fields)


def test_the_database_knows_no_override_by_one(city, batch, reviewed):
    deciding.apply(batch, "", fresh(city.lead))
    for fields in (
        {"outcome": "NOT_AT_STANDARD"},
        {"override_reason": "理由"},
        {
            "outcome": "NOT_AT_STANDARD",
            "override_reason": "理由",
            "overridden_by": city.lead,
            "override_confirmed_by": city.lead,
        },
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.filter(self_assessment=reviewed[0]).update(**fields)


# --- Pages ------------------------------------------------------------------------------------------


def test_the_table_shows_points_marks_ranks_and_flags(client, city, campaign, reviewed):
    Veto.objects.create(
        campaign=campaign, organization=city.direct, reason="事故", recorded_by=city.admin
    )
    standings.refresh_union(campaign, city.direct)
    client.force_login(city.lead)
    html = client.get(LIST).content.decode()
    assert "达标（待定）" in html
    assert "一票否决" in html
    rows = client.get(LIST, {"sort": "total"}).context["assessments"]
    assert [row.pk for row in rows] == [one.pk for one in reversed(reviewed)]
    for query, expected in (
        ({"outcome": "AT_STANDARD"}, {city.own}),
        ({"flag": "vetoed"}, {city.direct}),
        ({"flag": "discrepant"}, set()),
        ({"flag": "unlisted"}, {city.own, city.foreign, city.direct}),
        ({"flag": "proxy"}, set()),
        ({"county": city.other_county.code}, {city.foreign}),
        (
            {"flag": "nonsense", "sort": "nonsense", "outcome": "x"},
            {city.own, city.foreign, city.direct},
        ),
    ):
        found = client.get(LIST, query).context["assessments"]
        assert {row.organization for row in found} == expected, query


def test_from_the_table_to_the_letter(client, city, campaign, reviewed):
    """As the lead does it; a second person confirms the override; the union opens its letter."""
    ReviewScore.objects.filter(review__self_assessment=reviewed[2], indicator__code="G1.01").update(
        remark="没有会议纪要。"
    )
    give_password(city.lead)
    give_password(city.admin)
    client.force_login(city.lead)
    prepare = reverse("assessments:decision_prepare")
    chosen = {"assessment": [reviewed[0].pk, reviewed[2].pk]}
    assert "2 份待评定" in client.get(prepare, chosen).content.decode()
    assert "请填写名单名称。" in client.post(prepare, {"name": " "}).content.decode()
    query = "&".join(f"assessment={one}" for one in chosen["assessment"])
    client.post(f"{prepare}?{query}", {"name": "第1次评定会"})
    batch = DecisionBatch.objects.get()
    assert batch.lines.count() == 2
    line = line_of(batch, reviewed[0]).get_absolute_url()
    assert "请填写推翻理由。" in client.post(line, {"act": "override"}).content.decode()
    client.post(line, {"act": "override", "override-reason": "查实弄虚作假。"})
    html = client.get(batch.get_absolute_url()).content.decode()
    assert "推翻还没有第二人确认" in html
    refused = client.post(batch.get_absolute_url(), {"password": PASSWORD})
    assert refused.status_code == 409
    client.force_login(city.admin)
    seen = client.get(line).context["seen"]
    wrong = client.post(line, {"act": "confirm", "seen": seen, "confirm-password": "不对"})
    assert "密码不正确" in wrong.content.decode()
    client.post(line, {"act": "confirm", "seen": seen, "confirm-password": PASSWORD})
    meeting = text_of(client.get(reverse("assessments:batch_meeting", args=[batch.pk])))
    assert "讨论稿，未作出评定" in meeting
    assert "推翻：查实弄虚作假。" in meeting
    client.force_login(city.lead)
    assert "请输入您的登录密码" in client.post(batch.get_absolute_url(), {}).content.decode()
    response = client.post(
        batch.get_absolute_url(), {"password": PASSWORD, "opinion": "同意。"}, follow=True
    )
    assert "已作出 2 份评定。" in response.content.decode()
    letter = Decision.objects.get(self_assessment=reviewed[0])
    client.force_login(city.head)
    assert letter.get_absolute_url() in client.get(reviewed[0].get_absolute_url()).content.decode()
    text = text_of(client.get(letter.get_absolute_url()))
    assert f"平工六好〔{campaign.year}〕1号" in text
    assert "查实弄虚作假。" in text
    assert "各项指标均得满分。" in text
    other = Decision.objects.get(self_assessment=reviewed[2])
    assert client.get(other.get_absolute_url()).status_code == 404
    client.force_login(city.lead)
    text = text_of(client.get(other.get_absolute_url()))
    assert "没有会议纪要。" in text
    assert city.reviewer.full_name not in text
    both = text_of(client.get(reverse("assessments:batch_letters", args=[batch.pk])))
    assert "1号" in both
    assert "2号" in both


def test_before_it_is_applied_there_are_no_letters(client, city, batch):
    client.force_login(city.lead)
    response = client.get(reverse("assessments:batch_letters", args=[batch.pk]), follow=True)
    assert "没有通知书" in response.content.decode()


def test_a_reopened_decision_stays_as_void(client, city, batch, reviewed):
    deciding.apply(batch, "", fresh(city.lead))
    old = Decision.objects.get(self_assessment=reviewed[0])
    perform(reviewed[0], Action.REOPEN_DECISION, city.admin, reason="发现错误")
    client.force_login(city.head)
    assert "本通知书已撤销" in text_of(client.get(old.get_absolute_url()))
    perform(reviewed[0], Action.DECIDE, city.lead)
    assert "本通知书已撤销" in text_of(client.get(old.get_absolute_url()))
    new = Decision.objects.get(self_assessment=reviewed[0], superseded_at=None)
    assert new.number == 4
    assert "已撤销" not in text_of(client.get(new.get_absolute_url()))


def test_correcting_on_the_page(client, city, batch, reviewed):
    client.force_login(city.lead)
    page = line_of(batch, reviewed[0]).get_absolute_url()
    for fields, message in (
        ({}, "请选择指标。"),
        ({"correct-indicator": "G1.01"}, "请填写得分。"),
        ({"correct-indicator": "G1.01", "correct-score": "99"}, "3"),
        ({"correct-indicator": "G1.01", "correct-score": "2"}, "请填写理由。"),
        ({"correct-indicator": "X"}, "请选择指标。"),
    ):
        assert message in client.post(page, {"act": "correct"} | fields).content.decode()
    assert not Adjustment.objects.exists()
    good = {"correct-indicator": "G1.01", "correct-score": "2", "correct-reason": "会上核实"}
    assert (
        "已调整得分。" in client.post(page, {"act": "correct"} | good, follow=True).content.decode()
    )
    assert "已移出名单。" in client.post(page, {"act": "exclude"}, follow=True).content.decode()
    assert client.get(page).status_code == 404
    assert client.post(batch.get_absolute_url() + "nonsense/").status_code == 404


def test_a_miscounted_rate_and_list_are_corrected_before_the_meeting(client, city, batch, reviewed):
    client.force_login(city.lead)
    page = line_of(batch, reviewed[0]).get_absolute_url()
    chosen = client.get(page, {"correct-indicator": "G2.06"}).content.decode()
    assert "118 ÷ 120" in chosen  # what the union says, beside the fields
    assert 'name="correct-denominator"' in chosen
    assert '<option value="G2.06" selected>' in chosen
    counts = {"correct-indicator": "G2.06", "correct-reason": "会上核对名册"}
    for typed, message in (
        ({}, "请填写核实的数字。"),
        ({"correct-numerator": "60"}, "请填写核实的数字。"),
        ({"correct-numerator": "130", "correct-denominator": "120"}, "不能大于"),
    ):
        html = client.post(page, {"act": "correct"} | counts | typed).content.decode()
        assert message in html
        assert "会上核对名册" in html
    assert not Adjustment.objects.exists()
    counts |= {"correct-numerator": "60", "correct-denominator": "120"}
    client.post(page, {"act": "correct"} | counts)
    items = {"correct-indicator": "G1.03", "correct-reason": "没有活动场地"}
    items["correct-checked"] = ["-"]
    client.post(page, {"act": "correct"} | items)
    rate, none = Adjustment.objects.order_by("indicator__code").reverse()
    assert (rate.numerator, rate.denominator, none.checked_items) == (60, 120, [])
    line = line_of(batch, reviewed[0])
    assert line.outcome == Outcome.NOT_AT_STANDARD  # both are mandatory
    record = audit.events_of(reviewed[0]).filter(action="ADJUST").order_by("number").first()
    assert record.details["rating"] == {"numerator": 60, "denominator": 120}
    deciding.apply(batch, "", fresh(city.lead))
    decision = Decision.objects.get(self_assessment=reviewed[0])
    assert decision.scores.get(indicator__code="G2.06").remark == "会上核对名册"
    assert "会上核对名册" in text_of(client.get(decision.get_absolute_url()))


def test_the_letter_names_what_to_improve_worst_first(city, batch, reviewed):
    deciding.apply(batch, "", fresh(city.lead))
    found = letters.write(Decision.objects.get(self_assessment=reviewed[2]))
    lost = [one.lost for one in found.shortfalls]
    assert lost == sorted(lost, reverse=True)
    assert len(found.criteria) == 6
    lines = [line for part in worksheet.load(reviewed[2]) for line in part.lines]
    assert {one.indicator.code for one in found.shortfalls} == {
        line.indicator.code for line in lines if line.result.points < line.result.maximum
    }


@pytest.mark.parametrize("name", ["reviewer", "head", "leader", "county_head", "county_admin"])
def test_nobody_else_finds_the_lists(client, city, batch, name):
    client.force_login(getattr(city, name))
    for address in (
        LIST,
        reverse("assessments:decision_prepare"),
        batch.get_absolute_url(),
        batch.lines.first().get_absolute_url(),
        reverse("assessments:batch_meeting", args=[batch.pk]),
        reverse("assessments:batch_letters", args=[batch.pk]),
    ):
        assert client.get(address).status_code == 404, address
        assert client.post(address).status_code in (404, 405), address


def test_numbers_are_counted_by_campaign(city, campaign, batch):
    deciding.apply(batch, "", fresh(city.lead))
    other = make_campaign(year=campaign.year - 1)
    make_self_assessment(city, other, State.DECIDED)
    assert Decision.objects.get(campaign=other).number == 1
