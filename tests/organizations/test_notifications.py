"""Messages: one for each recipient, renewed or folded instead of repeated, never out of the portal."""

import pytest
from django.db import IntegrityError, transaction

from organizations import notifications
from organizations.choices import NotificationKind
from organizations.models import Notification
from organizations.notifications import notify
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
