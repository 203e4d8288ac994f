"""Messages: one for each recipient, renewed or folded instead of repeated, never out of the portal."""

import datetime as dt
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations import notifications
from organizations.choices import NotificationKind
from organizations.models import Notification
from organizations.notifications import notify
from tests.assessments.test_concurrency import at_once
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TURN = NotificationKind.TURN


def tell(*recipients, **fields):
    defaults = {"kind": TURN, "text": "请办理。", "link": "/"}
    return notify(recipients, **defaults | fields)


def test_each_recipient_gets_one(city):
    assert tell(city.head, city.reporter, city.head) == 2
    found = Notification.objects.order_by("recipient")
    assert {one.recipient for one in found} == {city.head, city.reporter}
    assert [(one.sentence, one.target, one.count, one.read_at) for one in found] == [
        ("请办理。", "/", 1, None)
    ] * 2


def test_whoever_acts_and_whoever_is_disabled_is_passed_over(city):
    disabled = make_user(is_active=False)
    assert tell(city.head, city.reporter, disabled, by=city.head) == 1
    assert Notification.objects.get().recipient == city.reporter


def test_an_identical_unread_one_is_renewed(city):
    tell(city.head)
    first = Notification.objects.get()
    tell(city.head)
    again = Notification.objects.get()
    assert (again.pk, again.sentence) == (first.pk, "请办理。")
    assert again.at > first.at
    tell(city.head, text="另一件事。")
    tell(city.head, kind=NotificationKind.INFO)
    tell(city.head, link="/messages/")
    assert Notification.objects.count() == 4


def test_after_it_was_read_it_comes_anew(city):
    tell(city.head)
    notifications.mark_read(Notification.objects.get())
    tell(city.head)
    assert Notification.objects.count() == 2
    assert notifications.unread_count(city.head) == 1


@pytest.mark.parametrize(
    "link",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:1", "", "x"],
)
def test_a_link_out_of_the_portal_is_refused(city, link):
    with pytest.raises(ValueError, match="portal"):
        tell(city.head, link=link)
    with pytest.raises(ValueError, match="portal"):
        tell(city.head, many_link=link or "x")
    assert not Notification.objects.exists()


def test_the_database_refuses_it_too(city):
    tell(city.head)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.update(link="//evil.example/")


def fold(*recipients, name="甲", **fields):
    many = {"topic": "t", "many": "有 {count} 份。", "many_link": "/messages/"}
    tell(*recipients, text=f"{name}一份。", **many | fields)


def test_a_topic_is_folded_into_one_with_a_count(city):
    fold(city.head, name="甲")
    one = Notification.objects.get()
    assert (one.sentence, one.target) == ("甲一份。", "/")
    for name in "乙丙":
        fold(city.head, city.reporter, name=name)
    mine = Notification.objects.get(recipient=city.head)
    assert (mine.sentence, mine.target, mine.count) == ("有 3 份。", "/messages/", 3)
    assert Notification.objects.get(recipient=city.reporter).sentence == "有 2 份。"


def test_one_act_may_count_for_many(city):
    fold(city.head, count=25)
    assert Notification.objects.get().sentence == "有 25 份。"


def test_folding_begins_anew_after_it_was_read_and_on_another_day(city):
    fold(city.head)
    notifications.mark_read(Notification.objects.get())
    fold(city.head)
    fold(city.head)
    unread = Notification.objects.unread().get()
    assert unread.count == 2
    yesterday = timezone.now() - dt.timedelta(days=1)
    with mock.patch("django.utils.timezone.now", return_value=yesterday):
        fold(city.head)
    assert sorted(Notification.objects.unread().values_list("count", flat=True)) == [1, 2]


def test_topics_and_kinds_are_apart(city):
    fold(city.head)
    fold(city.head, topic="other")
    fold(city.head, kind=NotificationKind.INFO)
    assert Notification.objects.count() == 3


@pytest.mark.parametrize("text", ["名称带{count}的工会", "{0}{x}{", "%s"])
def test_a_name_is_never_taken_for_a_place_to_fill_in(city, text):
    tell(city.head, text=text)
    tell(city.head, text=text)
    assert Notification.objects.get().sentence == text


def test_a_text_that_is_too_long_is_cut(city):
    tell(city.head, text="长" * 900)
    assert len(Notification.objects.get().text) == 500


@pytest.mark.parametrize(("people", "most"), [(1, 3), (600, 20)])
def test_it_costs_a_few_queries_for_any_number(city, people, most):
    users = [make_user() for _ in range(people)]
    with CaptureQueriesContext(connection) as queries:
        tell(*users)
    assert len([q for q in queries if "organizations_notification" in q["sql"]]) <= most
    assert Notification.objects.count() == people


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_all_counted(transactional_db):
    user = make_user()
    results = at_once(*[lambda: fold(user)] * 6)
    assert results == [None] * 6
    assert Notification.objects.get().count == 6


@pytest.mark.django_db(transaction=True)
def test_reading_while_more_comes_loses_nothing(transactional_db):
    user = make_user()
    fold(user)

    def read():
        notifications.mark_all_read(user, shown=timezone.now())

    results = at_once(*[lambda: fold(user), read] * 4)
    assert results == [None] * 8
    assert sum(Notification.objects.values_list("count", flat=True)) == 5
