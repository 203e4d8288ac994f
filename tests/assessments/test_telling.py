"""Who is told of which transition: exactly those whose turn it is, and the union of what became
of its submission. A row of the table without an answer here fails."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments import answering, assigning, audiences, extensions, permissions, proxies
from assessments.choices import Action, State
from assessments.models import Recusal
from assessments.workflow import TRANSITIONS
from organizations.choices import NotificationKind, Role
from organizations.models import Membership, Notification, User
from tests import factories
from tests.factories import answer_remarks, make_self_assessment, make_user, perform, send_back
from tests.uploads import PDF

pytestmark = pytest.mark.django_db
TURN, RETURNED, RESULT, INFO = (
    NotificationKind.TURN,
    NotificationKind.RETURNED,
    NotificationKind.RESULT,
    NotificationKind.INFO,
)
UNION = {"head", "reporter"}


def union(kind):
    return dict.fromkeys(UNION, kind)


#: Who is told what, by action and state, where the campaign asks for endorsements and a reviewer is
#: assigned as soon as that can be.
TOLD = {
    (Action.SUBMIT, State.DRAFT): {"township_head": TURN},
    (Action.SUBMIT, State.RETURNED): {"township_head": TURN},
    (Action.SUBMIT_ON_PAPER, State.DRAFT): {"township_head": TURN, **union(INFO)},
    (Action.SUBMIT_ON_PAPER, State.RETURNED): {"township_head": TURN, **union(INFO)},
    (Action.WITHDRAW, State.SUBMITTED): {"township_head": INFO},
    (Action.WITHDRAW_ENDORSEMENT, State.ENDORSED): union(INFO),
    (Action.ENDORSE, State.SUBMITTED): {"reviewer": TURN, **union(INFO)},
    (Action.RETURN, State.SUBMITTED): union(RETURNED),
    (Action.RETURN, State.ENDORSED): union(RETURNED),
    (Action.RETURN, State.UNDER_REVIEW): union(RETURNED),
    (Action.RESUME, State.RETURNED): {"township_head": TURN, **union(INFO)},
    (Action.BEGIN_REVIEW, State.SUBMITTED): union(INFO),
    (Action.BEGIN_REVIEW, State.ENDORSED): union(INFO),
    (Action.COMPLETE_REVIEW, State.UNDER_REVIEW): {"lead": TURN},
    (Action.REOPEN_REVIEW, State.REVIEWED): {"reviewer": TURN},
    (Action.DECIDE, State.REVIEWED): {"admin": TURN, **union(RESULT)},
    (Action.REOPEN_DECISION, State.DECIDED): {"lead": TURN, **union(RESULT)},
    (Action.PUBLISH, State.DECIDED): union(RESULT),
    (Action.WITHDRAW_PUBLICATION, State.PUBLISHED): union(RESULT),
    (Action.ACCEPT_APPEAL, State.PUBLISHED): {"reviewer": TURN, **union(RESULT)},
    (Action.FINALISE, State.PUBLISHED): union(RESULT),
}
BY = {
    Action.SUBMIT: "head",
    Action.SUBMIT_ON_PAPER: "county_head",
    Action.WITHDRAW_ENDORSEMENT: "township_head",
    Action.WITHDRAW: "head",
    Action.ENDORSE: "township_head",
    Action.COMPLETE_REVIEW: "reviewer",
    Action.BEGIN_REVIEW: "reviewer",
    Action.REOPEN_DECISION: "admin",
    Action.PUBLISH: "admin",
    Action.WITHDRAW_PUBLICATION: "admin",
    Action.ACCEPT_APPEAL: "admin",
    Action.FINALISE: "admin",
    Action.DECIDE: "lead",
    Action.REOPEN_REVIEW: "admin",
    Action.RESUME: "lead",
}


def told(city):
    """(name of the user: kind), of everything that is there."""
    names = {user.pk: name for name, user in city.users().items()}
    return {names[one.recipient_id]: one.kind for one in Notification.objects.all()}


def forget():
    Notification.objects.all().delete()


def act(city, assessment, action):
    """Run the action as whoever usually does it, with nothing told before it."""
    by = getattr(city, BY.get(action, "lead"))
    if action == Action.RETURN:
        forget()
        send_back(assessment, by)
        return
    if action == Action.SUBMIT and assessment.state == State.RETURNED:
        answer_remarks(assessment, by)
    details = {"reason": "有理由。", "opinion": "同意。"}
    if action == Action.SUBMIT_ON_PAPER:
        by = User.objects.get(pk=by.pk)
        proxies.begin(assessment.campaign, city.own, "没有电脑", by)
        scan = proxies.store_scan(assessment, SimpleUploadedFile("盖章.pdf", PDF), by)
        details |= {"signatory": "李主席", "scan": scan}
        answer_remarks(assessment, city.head)
    if action == Action.COMPLETE_REVIEW:
        factories.demo.score_like_union(assessment, by)
    if action == Action.RESUME:
        day = factories.today() - dt.timedelta(days=1)
        type(assessment.campaign).objects.update(
            submission_deadline=day, opens_on=day - dt.timedelta(days=9)
        )
        type(assessment).objects.update(correction_due=day)
        assessment.refresh_from_db()
    if action == Action.FINALISE:
        factories.pass_publicity()
    forget()
    perform(assessment, action, by, **details)


def test_every_row_of_the_table_has_an_answer():
    rows = {(row.action, source) for row in TRANSITIONS for source in row.sources}
    assert rows == set(TOLD)


@pytest.mark.parametrize(("action", "state"), TOLD)
def test_exactly_those_are_told(city, action, state):
    # BEGIN_REVIEW from SUBMITTED is for unions whose superior is not asked.
    straight = (action, state) == (Action.BEGIN_REVIEW, State.SUBMITTED)
    campaign = factories.make_campaign(endorsement=not straight)
    assessment = make_self_assessment(city, campaign, state)
    if state in (State.SUBMITTED, State.ENDORSED):
        assigning.assign(assessment, city.reviewer, city.lead)
    act(city, assessment, action)
    expected = {n: k for n, k in TOLD[action, state].items() if n != BY.get(action)}
    assert told(city) == expected
    for one in Notification.objects.all():
        assert city.own.name in one.text
        assert one.target == assessment.get_absolute_url()


def test_without_endorsement_the_leads_assign(city, campaign):
    assessment = make_self_assessment(city, campaign)
    act(city, assessment, Action.SUBMIT)
    assert told(city) == {"lead": TURN}
    act(city, assessment, Action.WITHDRAW)
    assert told(city) == {"lead": INFO}


def test_where_no_lead_is_free_the_administrators_are_told(city, campaign):
    Recusal.objects.create(reviewer=city.lead, organization=city.county, reason="亲属")
    act(city, make_self_assessment(city, campaign), Action.SUBMIT)
    assert told(city) == {"admin": TURN}


def test_the_superior_is_told_again_of_what_it_has_sent_back(city):
    """It had taken its endorsement back first."""
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, campaign, State.ENDORSED)
    perform(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head)
    send_back(assessment, city.township_head)
    act(city, assessment, Action.SUBMIT)
    assert told(city) == {"township_head": TURN}


def test_what_was_under_review_comes_back_to_its_reviewers(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    send_back(assessment, city.lead)
    act(city, assessment, Action.SUBMIT)
    assert told(city) == {"reviewer": TURN}


def test_where_no_reviewer_is_free_any_more_the_leads_are_told(city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    send_back(assessment, city.lead)
    Recusal.objects.create(reviewer=city.reviewer, organization=city.own, reason="亲属")
    act(city, assessment, Action.SUBMIT)
    assert told(city) == {"lead": TURN}


def test_leads_are_told_only_when_all_reviewers_are_in(city):
    campaign = factories.make_campaign(reviewers=2)
    both = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=both)
    act(city, assessment, Action.COMPLETE_REVIEW)
    assert told(city) == {}
    factories.demo.score_like_union(assessment, city.other_reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, city.other_reviewer)
    assert told(city) == {"lead": TURN}


def test_a_return_says_until_when(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    act(city, assessment, Action.RETURN)
    due = assessment.correction_due
    message = Notification.objects.first()
    assert f"请于{due:%Y年%m月%d日}前" in message.text
    assert message.due_on == due
    assert "市总工会退回" in message.text


def test_a_return_by_the_superior_names_the_superior(city):
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    forget()
    send_back(assessment, city.township_head)
    assert {f"被{city.township.name}退回" in m.text for m in Notification.objects.all()} == {True}


def test_no_message_to_a_union_names_a_reviewer(client, city, campaign):
    make_self_assessment(city, campaign, State.FINAL)
    staff = [city.reviewer, city.other_reviewer, city.lead, city.admin]
    for who in ("head", "reporter"):
        client.force_login(getattr(city, who))
        page = client.get("/messages/").content.decode()
        assert "评定结果已生效" in page
        assert not [one for one in staff if one.full_name in page or one.username in page]


def test_a_refused_action_tells_nobody(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    forget()
    with pytest.raises(factories.workflow.TransitionRefused):
        perform(assessment, Action.REOPEN_REVIEW, city.lead, reason="")
    assert told(city) == {}


def test_many_submissions_of_a_day_are_one_message_with_their_number(city, campaign):
    unions = [city.own, city.sibling, city.foreign]
    for one in unions:
        make_self_assessment(city, campaign, State.SUBMITTED, organization=one)
    message = Notification.objects.get(recipient=city.lead)
    assert message.count == 3
    assert message.sentence == "有 3 份新提交待分派评审员。"
    assert message.target == "/assignments/"


def test_an_act_of_assignment_is_one_message(client, city, campaign):
    rows = [
        make_self_assessment(city, campaign, State.SUBMITTED, organization=one)
        for one in (city.own, city.sibling, city.foreign)
    ]
    client.force_login(city.lead)
    client.post(
        "/assignments/",
        {"reviewer": city.other_reviewer.pk, "assessment": [row.pk for row in rows]},
    )
    message = Notification.objects.get(recipient=city.other_reviewer)
    assert message.sentence == "有 3 份申报新分派给您评审。"
    assert message.target == "/reviews/"


def test_the_head_is_asked_to_sign(city, campaign):
    assessment = make_self_assessment(city, campaign)
    answering.ask_to_sign(assessment, city.reporter)
    assert told(city) == {"head": TURN}


@pytest.mark.parametrize("granted", [True, False])
def test_an_extension_is_asked_of_the_administrators_and_answered_to_the_union(
    client, city, campaign, granted
):
    until = campaign.submission_deadline + dt.timedelta(days=3)
    asked = extensions.ask(campaign, city.own, until=until, reason="停电", by=city.reporter)
    assert told(city) == {"admin": TURN}
    client.force_login(city.admin)
    message = Notification.objects.get()
    assert client.get(f"/messages/{message.pk}/", follow=True).status_code == 200
    forget()
    extensions.answer(
        asked, granted=granted, until=until, reply="请抓紧。", by=User.objects.get(pk=city.admin.pk)
    )
    assert told(city) == union(RESULT)
    assert ("没有同意" in Notification.objects.first().text) is not granted
    client.force_login(city.head)
    message = Notification.objects.get(recipient=city.head)
    assert client.get(f"/messages/{message.pk}/", follow=True).status_code == 200


def test_audiences_leave_out_exactly_those_with_a_conflict(city):
    """The one query agrees with the predicate, for everybody and every union."""
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    Recusal.objects.create(reviewer=city.lead, organization=city.foreign, reason="亲属")
    Membership.objects.create(
        user=city.other_reviewer, organization=city.township, role=Role.VIEWER
    )
    Membership.objects.create(user=city.admin, organization=city.other_county, role=Role.VIEWER)
    gone = factories.make_organization("GRASSROOTS", city.township)
    Membership.objects.create(user=city.leader, organization=gone, role=Role.VIEWER)
    type(gone).objects.filter(pk=gone.pk).update(dissolved_on=factories.today())
    for union_ in type(city.own).objects.exclude(tier="CITY"):
        free = set(audiences.without_conflict(User.objects.all(), union_))
        expected = {
            user for user in User.objects.all() if not permissions.has_conflict(user, union_)
        }
        assert free == expected, union_


def test_people_of_a_dissolved_city_role_or_disabled_ones_are_not_told(city, campaign):
    User.objects.filter(pk=city.lead.pk).update(is_active=False)
    other = make_user((city.city, Role.LEAD_REVIEWER))
    make_self_assessment(city, campaign, State.SUBMITTED)
    assert set(Notification.objects.values_list("recipient", flat=True)) == {other.pk}


@pytest.mark.parametrize("people", [1, 40])
def test_telling_costs_the_same_however_many_are_told(city, campaign, people):
    for _ in range(people):
        make_user((city.city, Role.LEAD_REVIEWER))
    assessment = make_self_assessment(city, campaign)
    with CaptureQueriesContext(connection) as queries:
        perform(assessment, Action.SUBMIT, city.head)
    about = [one for one in queries if "organizations_notification" in one["sql"]]
    assert len(about) == 3
    assert Notification.objects.count() == people + 1
