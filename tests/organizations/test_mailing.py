"""Digests: one mail with all that is unread, not too soon, not too often, never lost."""

import datetime as dt
from smtplib import SMTPException, SMTPRecipientsRefused
from unittest import mock

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.utils import timezone

from organizations import mailing, notifications
from organizations.choices import DeliveryOutcome, NotificationKind
from organizations.models import Delivery, Notification, User
from organizations.notifications import notify
from tests.assessments.test_concurrency import at_once
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SENT, FAILED, GIVEN_UP, SENDING = (
    DeliveryOutcome.SENT,
    DeliveryOutcome.FAILED,
    DeliveryOutcome.GIVEN_UP,
    DeliveryOutcome.SENDING,
)


class Broken(EmailBackend):
    """Refuses the address of `refused`, sends the others'."""

    refused = "bad@example.com"

    def send_messages(self, messages):
        for message in messages:
            if message.to == [self.refused]:
                raise SMTPRecipientsRefused({self.refused: (550, b"no such user")})
        return super().send_messages(messages)


BROKEN = f"{__name__}.Broken"


@pytest.fixture
def user(db):
    return make_user(name="李主席", email="li@example.com")


@pytest.fixture
def clock():
    """A clock that the test puts forward by calling it with minutes."""
    moment = [timezone.now()]

    def forward(minutes):
        moment[0] += dt.timedelta(minutes=minutes)

    with mock.patch("django.utils.timezone.now", side_effect=lambda: moment[0]):
        yield forward


def tell(*recipients, text="请办理。", kind=NotificationKind.TURN, **fields):
    notify(recipients, kind=kind, text=text, link="/policy/", **fields)


def send():
    call_command("send_notifications", stdout=mock.Mock())
    return len(mail.outbox)


def log():
    return list(Delivery.objects.order_by("pk").values_list("outcome", flat=True))


def test_what_is_unread_goes_in_one_mail(user, clock, settings):
    settings.PORTAL_URL = "https://portal.example"
    for text in ("第一件", "第二件", "第三件"):
        tell(user, text=text)
    notifications.mark_read(Notification.objects.get(text="第二件"))
    clock(11)
    assert send() == 1
    message = mail.outbox[0]
    assert message.to == ["li@example.com"]
    assert message.subject == "【六好创建】您有 2 条未读消息"
    assert "李主席，您好" in message.body
    assert "【轮到您办理】第三件" in message.body
    assert "第二件" not in message.body
    first = Notification.objects.get(text="第一件")
    assert f"https://portal.example/messages/{first.pk}/\n" in message.body
    assert "https://portal.example/accounts/profile/" in message.body
    entry = Delivery.objects.get()
    assert (entry.user, entry.address, entry.count, entry.outcome, entry.error) == (
        user,
        "li@example.com",
        2,
        SENT,
        "",
    )


def test_twice_is_once(user, clock):
    tell(user)
    clock(11)
    assert (send(), send()) == (1, 1)
    clock(600)
    assert send() == 1
    assert log() == [SENT]


def test_it_waits_until_some_have_come_together(user, clock, settings):
    settings.MAIL_WAIT_MINUTES = 10
    tell(user, text="第一件")
    clock(9)
    tell(user, text="第二件")
    assert send() == 0
    clock(2)
    assert send() == 1
    assert Delivery.objects.get().count == 2


def test_a_message_that_keeps_being_renewed_is_not_put_off(user, clock):
    for _ in range(3):
        tell(user)
        clock(5)
    assert send() == 1


def test_at_most_one_an_hour(user, clock, settings):
    settings.MAIL_EVERY_MINUTES = 60
    tell(user, text="第一件")
    clock(11)
    assert send() == 1
    tell(user, text="第二件")
    clock(48)
    assert send() == 1
    clock(12)
    assert send() == 2
    assert "第一件" not in mail.outbox[1].body


def test_what_has_come_again_is_told_again(user, clock):
    more = {"topic": "t", "many": "有 {count} 份。"}
    tell(user, text="一份。", **more)
    clock(11)
    send()
    tell(user, text="又一份。", **more)
    clock(61)
    assert send() == 2
    assert "有 2 份。" in mail.outbox[1].body


@pytest.mark.parametrize("kind", [NotificationKind.RETURNED, NotificationKind.REMINDER])
@pytest.mark.parametrize(("days", "urgent"), [(0, True), (1, True), (2, False)])
def test_a_deadline_tomorrow_goes_at_once(user, kind, days, urgent):
    tell(user, text="别的事")
    due = timezone.localdate() + dt.timedelta(days=days)
    tell(user, kind=kind, due=due)
    assert send() == urgent
    if urgent:
        assert "即将到期" in mail.outbox[0].subject
        tell(user, kind=kind, text="再催", due=due)
        assert send() == 2  # the hour does not hold it up


def test_no_mail_to_whoever_wants_none_or_has_no_address(clock):
    tell(
        make_user(email="a@example.com", wants_mail=False),
        make_user(email=""),
        leaver := make_user(email="b@example.com"),
    )
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    clock(11)
    assert send() == 0
    assert log() == []
    assert Notification.objects.unread().count() == 3


def test_what_failed_is_tried_again_later_and_later_and_given_up(user, clock, settings):
    settings.MAIL_TRIES = 3
    tell(user)
    clock(11)
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=OSError("no route")):
        send()
        clock(9)
        send()
        assert log() == [FAILED]
        clock(2)
        send()
        assert log() == [FAILED, FAILED]
        clock(19)
        send()
        assert len(log()) == 2
        clock(2)
        send()
        assert log() == [FAILED, FAILED, GIVEN_UP]
        clock(6000)
        send()
    assert len(log()) == 3
    assert {entry.error for entry in Delivery.objects.all()} == {"OSError: no route"}
    tell(user, text="新的事")
    clock(61)
    assert send() == 1
    assert "请办理" not in mail.outbox[0].body


def test_after_a_failure_the_same_is_sent(user, clock):
    tell(user)
    clock(11)
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=SMTPException("later")):
        send()
    clock(11)
    assert send() == 1
    assert "请办理。" in mail.outbox[0].body
    assert log() == [FAILED, SENT]


def test_one_bad_address_does_not_stop_the_others(clock, settings):
    settings.EMAIL_BACKEND = BROKEN
    tell(
        make_user(email="a@example.com"),
        make_user(email=Broken.refused),
        make_user(email="c@example.com"),
    )
    clock(11)
    with mock.patch("organizations.mailing._BATCH", 1):
        assert send() == 2
    assert [one.to for one in mail.outbox] == [["a@example.com"], ["c@example.com"]]
    assert sorted(log()) == [FAILED, SENT, SENT]
    assert "no such user" in Delivery.objects.get(outcome=FAILED).error


@pytest.mark.parametrize(
    "address", ["a@example.com\nBcc: all@example.com", "x", "a@b, c@d.example"]
)
def test_an_address_that_is_none_gets_nothing(user, clock, address):
    User.objects.filter(pk=user.pk).update(email=address)
    tell(user)
    clock(11)
    assert send() == 0
    assert log() == [GIVEN_UP]


def test_names_and_texts_cannot_add_headers(clock):
    user = make_user(name="李\nBcc: all@example.com", email="li@example.com")
    tell(user, text="工会\r\nBcc: all@example.com\r\n\r\n请")
    clock(11)
    assert send() == 1
    message = mail.outbox[0].message()
    assert message["Bcc"] is None
    assert mail.outbox[0].recipients() == ["li@example.com"]


def test_a_crash_between_sending_and_noting_repeats_it_and_loses_nothing(user, clock):
    tell(user)
    clock(11)
    with (
        mock.patch("organizations.mailing._note", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        send()
    assert log() == [SENDING]
    assert len(mail.outbox) == 1
    clock(5)
    assert send() == 1  # it may still be on its way
    clock(11)
    send()
    assert log() == [FAILED]
    clock(11)
    assert send() == 2
    assert log() == [FAILED, SENT]
    assert Delivery.objects.first().error == "发送中断"


def test_what_is_renewed_while_the_mail_is_on_its_way_is_told_once_more(user, clock):
    tell(user)
    clock(11)
    real = mail.EmailMessage.send

    def slowly(self, *args, **kwargs):
        tell(user)
        return real(self, *args, **kwargs)

    with mock.patch("django.core.mail.EmailMessage.send", slowly):
        send()
    clock(61)
    assert send() == 2


def test_a_long_list_is_cut_and_says_so(user, clock):
    for number in range(25):
        tell(user, text=f"第{number}件")
    clock(11)
    send()
    body = mail.outbox[0].body
    assert "第24件" in body
    assert "第4件\n" not in body
    assert "还有 5 条没有列出" in body


def test_old_entries_of_the_log_are_tidied_but_not_those_that_hold_back_a_mail(user, clock):
    tell(user, text="一直没看")
    tell(other := make_user(email="o@example.com"), text="看过")
    clock(11)
    send()
    notifications.mark_read(Notification.objects.get(recipient=other))
    clock(401 * 24 * 60)
    call_command("tidy_messages", stdout=mock.Mock())
    assert [entry.user for entry in Delivery.objects.all()] == [user]
    assert send() == 2


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_send_each_mail_once(transactional_db, settings):
    settings.MAIL_WAIT_MINUTES = 0
    users = [make_user(email=f"u{number}@example.com") for number in range(12)]
    tell(*users)
    results = at_once(*[mailing.send_due] * 4)
    assert [one for one in results if isinstance(one, Exception)] == []
    assert sum(one[SENT] for one in results) == 12
    assert sorted(one.to[0] for one in mail.outbox) == sorted(user.email for user in users)
    assert log() == [SENT] * 12


def test_the_back_office_shows_the_log_to_the_administrators_and_lets_nobody_change_it(
    client, city, user, clock
):
    tell(user)
    clock(11)
    send()
    entry = Delivery.objects.get()
    page = f"/admin/organizations/delivery/{entry.pk}/"
    client.force_login(city.admin)
    assert "li@example.com" in client.get("/admin/organizations/delivery/").content.decode()
    assert client.get(f"{page}change/").status_code == 200
    assert client.post(f"{page}change/", {"address": "x@example.com"}).status_code in (403, 404)
    assert client.post(f"{page}delete/").status_code in (403, 404)
    assert client.get("/admin/organizations/delivery/add/").status_code in (403, 404)
    for other in (city.county_admin, city.lead, city.head):
        client.force_login(other)
        assert client.get("/admin/organizations/delivery/").status_code == 404
