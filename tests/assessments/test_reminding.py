"""提醒 30, 7 and 1 days before, and the calendar of the same days."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from icalendar import Calendar

from assessments import campaigns, deadlines, reminding, timetable
from assessments.choices import State
from assessments.models import Campaign, Extension, Reminder, SelfAssessment
from assessments.supervision import rectifying
from organizations.models import Notification, User
from tests import factories
from tests.factories import make_plan, make_self_assessment, today

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


def run():
    out = io.StringIO()
    call_command("send_reminders", stdout=out)
    return int(out.getvalue().split()[0])


def move(campaign, **days):
    Campaign.objects.filter(pk=campaign.pk).update(
        **{name: today() + dt.timedelta(days=left) for name, left in days.items()}
    )


def told(user):
    return list(
        Notification.objects.filter(recipient=user, kind="REMINDER")
        .order_by("pk")
        .values_list("text", flat=True)
    )


@pytest.mark.parametrize(("left", "distance"), [(30, 30), (12, 30), (7, 7), (2, 7), (1, 1), (0, 1)])
def test_whoever_is_behind_is_told_once_a_distance(city, campaign, left, distance):
    move(campaign, submission_deadline=left)
    make_self_assessment(city, campaign, State.SUBMITTED)
    assert run() > 0
    assert Reminder.objects.filter(user=city.sibling_head).get().days == distance
    (text,) = told(city.sibling_head)
    assert ("今天截止" if left == 0 else f"还剩 {left} 天") in text
    assert told(city.head) == []  # has handed in
    assert run() == 0
    assert len(told(city.sibling_head)) == 1


def test_nobody_is_told_early_or_late(city, campaign):
    move(campaign, submission_deadline=31, review_deadline=60)
    assert run() == 0
    move(campaign, opens_on=-40, submission_deadline=-1)
    assert run() == 0


def test_a_union_with_more_time_is_told_by_its_own_day(city, campaign):
    move(campaign, submission_deadline=7)
    later = today() + dt.timedelta(days=20)
    Extension.objects.create(campaign=campaign, organization=city.sibling, until=later, reason="忙")
    run()
    assert "还剩 20 天" in told(city.sibling_head)[0]


def test_what_was_sent_back_and_the_reviewers(city, campaign):
    returned = make_self_assessment(city, campaign, State.RETURNED)
    make_self_assessment(city, campaign, State.UNDER_REVIEW, organization=city.foreign)
    move(campaign, submission_deadline=-1, review_deadline=7)
    SelfAssessment.objects.filter(pk=returned.pk).update(
        correction_due=today() + dt.timedelta(days=1)
    )
    campaigns.close_campaign(campaign, by=None)
    run()
    assert "被退回，请改好后重新提交" in told(city.head)[-1]
    assert "等待您评分" in told(city.reviewer)[-1]


def test_superiors_are_told_of_what_waits_for_them(city):
    campaign = factories.make_campaign(endorsement=True)
    make_self_assessment(city, campaign, State.SUBMITTED)
    move(campaign, endorsement_deadline=25)
    run()
    assert "等待您初审" in told(city.township_head)[-1]
    assert not any("等待您初审" in text for text in told(city.county_head))


def test_plans_that_are_missing(city, campaign):
    make_plan(campaign, city.own, city.head, "FILED")
    move(campaign, plan_deadline=7, submission_deadline=40)
    run()
    assert "实施方案" in told(city.sibling_head)[0]
    assert told(city.head) == []


def test_supervision_teams_and_the_unions_that_have_something_to_put_right(client, city, campaign):
    move(campaign, submission_deadline=60, review_deadline=90)
    round_ = factories.make_round(
        city.admin, campaign, city.own, city.foreign, members=[city.reviewer]
    )
    visit = round_.visits.get(organization=city.own)
    finding = factories.make_finding(visit, city.reviewer, days=7)
    assert run() == 1  # the round ends in thirty days; nothing is handed over yet
    assert "还有工会没有走访" in told(city.reviewer)[-1]
    factories.feed_back(visit, city.reviewer)
    assert run() == 2
    for user in (city.head, city.reporter):
        assert "督查反馈的问题请整改" in told(user)[-1]
        assert "还剩 7 天" in told(user)[-1]
    assert run() == 0
    for user, occasion, day in [
        (city.head, "督查整改截止", finding.rectify_by),
        (city.reviewer, "督查走访截止", round_.ends_on),
    ]:
        client.force_login(user)
        page = client.get("/calendar/").content.decode()
        assert occasion in page
        assert f"{day.year}年{day.month}月{day.day}日" in page
    days = {day.occasion for day in timetable.days_of(fresh(city.foreign_head))}
    assert not days & {"VISITS", "RECTIFY"}
    rectifying.answer(finding, "已更新名册。", [], fresh(city.head))
    assert "RECTIFY" not in {day.occasion for day in timetable.days_of(fresh(city.head))}


def test_a_campaign_that_is_not_open_reminds_of_nothing(city):
    campaign = factories.make_campaign(opened=False)
    move(campaign, submission_deadline=7)
    assert run() == 0


def test_many_are_told_by_few_queries(city, campaign, django_assert_max_num_queries):
    move(campaign, submission_deadline=7)
    for _ in range(3):
        factories.make_user((city.sibling, "REPORTER"))
    with django_assert_max_num_queries(60):
        assert reminding.send(deadlines.now()) > 3


# --- 日程 -----------------------------------------------------------------------------------------


def test_everybody_sees_the_own_days(client, city, campaign):
    later = today() + dt.timedelta(days=33)
    Extension.objects.create(campaign=campaign, organization=city.own, until=later, reason="忙")
    client.force_login(city.head)
    page = client.get("/calendar/").content.decode()
    assert "实施方案报送截止" in page
    assert f"{later.year}年{later.month}月{later.day}日" in page
    assert "评审完成" not in page
    client.force_login(city.reviewer)
    assert "评审完成" in client.get("/calendar/").content.decode()
    client.force_login(factories.make_user())
    assert "目前没有将到的截止日期" in client.get("/calendar/").content.decode()


def test_the_file_is_read_without_signing_in_until_the_address_is_renewed(client, city, campaign):
    client.force_login(city.head)
    client.post("/calendar/address/")
    key = timetable.key_of(fresh(city.head))
    assert f"/calendar/{key}.ics" in client.get("/calendar/").content.decode()
    client.logout()
    response = client.get(f"/calendar/{key}.ics")
    assert response["Content-Type"].startswith("text/calendar")
    events = {str(one["summary"]): one for one in Calendar.from_ical(response.content).events}
    due = events[f"{campaign.year}年度“六好”：自评提交截止"]
    assert due.decoded("dtstart") == campaign.submission_deadline
    assert str(due["url"]) == f"http://testserver/?year={campaign.year}"
    assert len(due.alarms.times) == 2
    timetable.renew_address(city.head)
    assert client.get(f"/calendar/{key}.ics").status_code == 404
    key = timetable.key_of(fresh(city.head))
    User.objects.filter(pk=city.head.pk).update(is_active=False)
    assert client.get(f"/calendar/{key}.ics").status_code == 404
    assert client.get("/calendar/geheim.ics").status_code == 404


def test_an_entry_keeps_its_identity_when_its_day_moves(city, campaign):
    before = {day.uid for day in timetable.days_of(fresh(city.head))}
    move(campaign, submission_deadline=25)
    assert {day.uid for day in timetable.days_of(fresh(city.head))} == before
