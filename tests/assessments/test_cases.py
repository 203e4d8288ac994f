"""Exemplary cases: the table, who is told, nominations, and what the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction

from assessments import cases, workbench
from assessments.assigning import NotAllowed
from assessments.choices import CaseAction, CaseState, State
from assessments.models import Answer, ExemplaryCase, Recusal
from assessments.models.case import WRITABLE
from organizations import audit
from organizations.choices import Act, Role, Tier
from organizations.models import Notification, User
from tests import factories
from tests.assessments.test_concurrency import at_once
from tests.factories import make_case, make_organization, make_self_assessment, make_user

#: Who may do what in which state, of a union below a township.
ALLOWED = {
    **{(state, CaseAction.SUBMIT): {"head", "reporter"} for state in WRITABLE},
    **{
        (state, CaseAction.WITHDRAW): {"head", "reporter"}
        for state in set(CaseState) - {CaseState.WITHDRAWN, CaseState.DECLINED}
    },
    (CaseState.SUBMITTED, CaseAction.FORWARD): {"township_head", "county_head"},
    (CaseState.SUBMITTED, CaseAction.RETURN): {"township_head", "county_head"},
    **{
        (CaseState.FORWARDED, action): {"lead", "admin"}
        for action in (CaseAction.RETURN, CaseAction.DECLINE, CaseAction.PUBLISH)
    },
    (CaseState.PUBLISHED, CaseAction.TAKE_DOWN): {"lead", "admin"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("state", CaseState)
def test_what_is_possible_in_which_state_and_for_whom(city, state):
    case = make_case(city, state if state != CaseState.NOMINATED else CaseState.DRAFT)
    ExemplaryCase.objects.filter(pk=case.pk).update(state=state, nominated_by=city.reviewer)
    case.refresh_from_db()
    for name, user in city.users().items():
        for action in CaseAction:
            offered = action in cases.available(case, user)
            assert offered == (name in ALLOWED.get((state, action), ())), (name, action)
            if not offered:
                with pytest.raises(NotAllowed):
                    cases.perform(case, action, by=user, seen=case.stamp, remarks="因为。")
    case.refresh_from_db()
    assert case.state == state


@pytest.mark.django_db
def test_each_step_is_on_record_and_told_to_whom_it_concerns(city):
    case = make_case(city)
    for action, by, told in [
        (CaseAction.SUBMIT, "head", {"township_head"}),
        (CaseAction.RETURN, "township_head", {"reporter", "head"}),
        (CaseAction.SUBMIT, "reporter", {"township_head"}),
        (CaseAction.FORWARD, "county_head", {"lead"}),
        (CaseAction.PUBLISH, "admin", {"reporter", "head"}),
        (CaseAction.TAKE_DOWN, "lead", {"reporter", "head"}),
        (CaseAction.SUBMIT, "head", {"township_head"}),
        (CaseAction.WITHDRAW, "head", set()),
    ]:
        Notification.objects.all().delete()
        user = getattr(city, by)
        case = cases.perform(case, action, by=user, seen=case.stamp, remarks="因为。")
        people = {getattr(city, name).pk for name in told}
        assert set(Notification.objects.values_list("recipient", flat=True)) == people, action
    assert len(audit.events_of(case)) == 8
    assert audit.events_of(case).last().details["body"] == "<p>高温天慰问一线职工。</p>"


@pytest.mark.django_db
def test_the_city_is_told_when_a_published_one_is_withdrawn(city):
    case = make_case(city, CaseState.PUBLISHED)
    Notification.objects.all().delete()
    cases.perform(case, CaseAction.WITHDRAW, by=city.head, seen=case.stamp)
    assert [one.recipient for one in Notification.objects.all()] == [city.lead]


@pytest.mark.django_db
def test_a_union_directly_under_the_city_has_nobody_in_between(city):
    union = make_organization(Tier.GRASSROOTS, city.city)
    head = make_user((union, Role.HEAD))
    case = ExemplaryCase(organization=union)
    criterion = make_case(city).criterion
    case = cases.save(
        case, cases.Content("好做法", "<p>正文</p>", criterion, 2026), by=head, seen=0
    )
    case = cases.perform(case, CaseAction.SUBMIT, by=head, seen=case.stamp)
    assert case.state == CaseState.FORWARDED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "action"),
    [
        (CaseState.FORWARDED, CaseAction.RETURN),
        (CaseState.FORWARDED, CaseAction.DECLINE),
        (CaseState.PUBLISHED, CaseAction.TAKE_DOWN),
    ],
)
def test_a_refusal_needs_its_reason(city, state, action):
    case = make_case(city, state)
    with pytest.raises(NotAllowed, match="请写明原因"):
        cases.perform(case, action, by=city.lead, seen=case.stamp, remarks="  ")


@pytest.mark.django_db
def test_whoever_must_stand_back_sees_nothing_and_does_nothing(city):
    case = make_case(city, CaseState.FORWARDED)
    Recusal.objects.create(reviewer=city.lead, organization=city.county, reason="亲属")
    lead = User.objects.get(pk=city.lead.pk)
    assert not cases.visible_to(lead).exists()
    assert not cases.available(case, lead)
    assert not cases.waiting_for(lead)[CaseState.FORWARDED].exists()


@pytest.mark.django_db
def test_a_nomination_is_an_offer_that_the_union_alone_sees(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    answer = Answer.objects.get(self_assessment=assessment, indicator__code="G1.01")
    Notification.objects.all().delete()
    case = cases.nominate(answer, by=city.reviewer)
    assert (case.state, case.organization, case.year) == ("NOMINATED", city.own, campaign.year)
    assert answer.account in case.body
    assert {one.recipient for one in Notification.objects.all()} == {city.head, city.reporter}
    assert audit.events_of(case).get().action == Act.CASE_NOMINATED
    seen_by = {name for name, user in city.users().items() if case in cases.visible_to(user)}
    assert seen_by == {"head", "reporter", "own_viewer"}
    with pytest.raises(NotAllowed, match="已经提名过"):
        cases.nominate(answer, by=city.reviewer)
    with pytest.raises(NotAllowed, match="只有评审这份申报的评审员"):
        cases.nominate(answer, by=city.other_reviewer)
    with pytest.raises(NotAllowed):  # not before the union has agreed
        cases.perform(case, CaseAction.PUBLISH, by=city.lead, seen=case.stamp)
    case = cases.perform(case, CaseAction.SUBMIT, by=city.head, seen=case.stamp)
    assert case.state == CaseState.SUBMITTED


@pytest.mark.django_db
def test_a_nomination_keeps_the_words_of_the_answer_as_they_are(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    answer = Answer.objects.get(self_assessment=assessment, indicator__code="G1.01")
    answer.account = "新建<b>职工之家</b>\n\n<script>alert(1)</script>3 < 5 & 6 > 4"
    body = cases.nominate(answer, by=city.reviewer).body
    assert body == (
        "<p>新建&lt;b&gt;职工之家&lt;/b&gt;</p>\n\n"
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;3 &lt; 5 &amp; 6 &gt; 4</p>"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "who", "title"),
    [
        (CaseState.RETURNED, "head", "修改先进经验"),
        (CaseState.SUBMITTED, "township_head", "转报先进经验"),
        (CaseState.FORWARDED, "lead", "编发先进经验"),
    ],
)
def test_what_waits_stands_on_the_workbench_of_whom_it_waits_for(city, state, who, title):
    make_case(city, state)
    found = {
        name
        for name, user in city.users().items()
        if title in [task.title for task in workbench.tasks(user, None, None)]
    }
    alike = {"head": {"reporter"}, "township_head": {"county_head"}, "lead": {"admin"}}
    assert found == {who} | alike[who]


@pytest.mark.django_db
def test_an_earlier_edition_does_not_stand_for_a_new_text(city):
    case = make_case(city, CaseState.FORWARDED)
    case = cases.edit(case, "改后的", "<p>改后</p>", by=city.lead, seen=case.stamp)
    case = cases.perform(case, CaseAction.RETURN, by=city.lead, seen=case.stamp, remarks="补充。")
    case = cases.perform(case, CaseAction.SUBMIT, by=city.head, seen=case.stamp)
    assert (case.edited_title, case.public_title) == ("", "送清凉进车间")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"state": "LOST"},
        {"state": "SUBMITTED"},
        {"state": "PUBLISHED", "submitted_at": "2026-05-01T00:00Z"},
        {"state": "NOMINATED"},
    ],
)
def test_the_database_refuses(city, changes):
    case = make_case(city)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExemplaryCase.objects.filter(pk=case.pk).update(**changes)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_publish_and_withdraw():
    city = factories.make_city()
    case = make_case(city, CaseState.FORWARDED)
    acts = [(CaseAction.PUBLISH, city.lead), (CaseAction.WITHDRAW, city.head)]
    outcomes = at_once(
        *(
            lambda action=action, by=by: cases.perform(case, action, by=by, seen=case.stamp)
            for action, by in acts
        )
    )
    assert sum(isinstance(one, Exception) for one in outcomes) == 1
