"""Messages by e-mail: what a user has not read is collected into one digest.

A mail is entered in the log before it goes out, under a lock of its user: while it is on its way
nobody else sends to that user. Whatever breaks off between sending and noting that it went is
found after STUCK, and sent once more rather than lost.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from smtplib import SMTPException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from organizations.chinese import in_chinese
from organizations.choices import DeliveryOutcome, NotificationKind
from organizations.models import Delivery, Notification, User

#: When a mail that nobody has noted as sent counts as broken off.
STUCK = dt.timedelta(minutes=15)
#: How long to wait after the first failure; twice as long after each further one.
BACKOFF = dt.timedelta(minutes=10)
#: The messages that one mail spells out.
SPELT_OUT = 20
_BATCH = 500
_BROKEN_OFF = "发送中断"
_BAD_ADDRESS = "邮箱地址不正确"
_URGENT_KINDS = (NotificationKind.RETURNED, NotificationKind.REMINDER)


@in_chinese()
def send_due() -> Counter[str]:
    """Send every digest that is due now; how many ended with which outcome. May run any number of
    times, and several at once."""
    _end_broken_off()
    outcomes: Counter[str] = Counter()
    for user in _waiting_users():
        claimed = _claim(user)
        if claimed is not None:
            outcomes[_send(claimed)] += 1
    return outcomes


def forget(*, older_than: dt.timedelta) -> int:
    """Delete log entries of that age, save those without which an unread message would be mailed
    again; how many that were."""
    before = timezone.now() - older_than
    still_unread = Notification.objects.unread().filter(delivery=OuterRef("pk"))
    old = Delivery.objects.filter(~Exists(still_unread), at__lt=before)
    return old.exclude(outcome=DeliveryOutcome.SENDING).delete()[1].get(Delivery._meta.label, 0)


def _urgent(today: dt.date) -> Q:
    """A deadline by tomorrow, which a digest of the usual kind might miss."""
    return Q(kind__in=_URGENT_KINDS, due_on__lte=today + dt.timedelta(days=1))


def _waiting_users() -> Iterator[int]:
    """Keys of the users with something that has waited long enough, or cannot wait."""
    now, last = timezone.now(), 0
    long_enough = Q(waiting_since__lte=now - dt.timedelta(minutes=settings.MAIL_WAIT_MINUTES))
    waiting = (
        Notification.objects.unread()
        .filter(long_enough | _urgent(timezone.localdate(now)), delivery=None)
        .filter(recipient__is_active=True, recipient__wants_mail=True)
        .exclude(recipient__email="")
    )
    while keys := list(
        waiting.filter(recipient__gt=last)
        .values("recipient")
        .annotate(first=Min("waiting_since"))
        .order_by("recipient")
        .values_list("recipient", flat=True)[:_BATCH]
    ):
        yield from keys
        last = keys[-1]


@transaction.atomic
def _claim(key: int) -> Delivery | None:
    """Enter the mail in the log with all that is to be told; None when it is not the time for it,
    or another process is at it."""
    now = timezone.now()
    user = (
        User.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(pk=key, is_active=True, wants_mail=True)
        .exclude(email="")
        .first()
    )
    if user is None:
        return None
    waiting = user.notifications.unread().filter(delivery=None)
    is_urgent = waiting.filter(_urgent(timezone.localdate(now))).exists()
    if not _is_time(user, now, is_urgent=is_urgent):
        return None
    delivery = Delivery(user=user, address=user.email, at=now, outcome=DeliveryOutcome.SENDING)
    delivery.save()
    delivery.count = waiting.update(delivery=delivery)
    if not delivery.count:  # read in the portal meanwhile
        delivery.delete()
        return None
    delivery.subject = _subject(delivery.count, is_urgent=is_urgent)
    delivery.save(update_fields=["count", "subject"])
    return delivery


def _is_time(user: User, now: dt.datetime, *, is_urgent: bool) -> bool:
    """Nothing is on its way; after a failure the pause is over; and, unless it is urgent, the last
    mail is long enough ago."""
    last = user.deliveries.order_by("-at", "-pk").first()
    if last is None:
        return True
    if last.outcome == DeliveryOutcome.SENDING:
        return False
    if last.outcome == DeliveryOutcome.FAILED:
        return now - last.at >= BACKOFF * 2 ** (_failures(user) - 1)
    return is_urgent or now - last.at >= dt.timedelta(minutes=settings.MAIL_EVERY_MINUTES)


def _failures(user: User) -> int:
    """How many times in a row it has failed, since it last went or was given up."""
    latest = user.deliveries.exclude(outcome=DeliveryOutcome.SENDING).order_by("-at", "-pk")
    outcomes = list(latest.values_list("outcome", flat=True)[: settings.MAIL_TRIES])
    for number, outcome in enumerate(outcomes):
        if outcome != DeliveryOutcome.FAILED:
            return number
    return len(outcomes)


def _send(delivery: Delivery) -> DeliveryOutcome:
    """Send, outside of any transaction, and note what became of it."""
    try:
        validate_email(delivery.address)
    except ValidationError:
        return _note(delivery, DeliveryOutcome.GIVEN_UP, _BAD_ADDRESS)
    mail = EmailMessage(delivery.subject, _body(delivery), to=[delivery.address])
    try:
        mail.send()
    except (SMTPException, OSError, ValueError) as error:
        return _fail(delivery, f"{type(error).__name__}: {error}")
    return _note(delivery, DeliveryOutcome.SENT)


def _fail(delivery: Delivery, reason: str) -> DeliveryOutcome:
    if _failures(delivery.user) + 1 >= settings.MAIL_TRIES:
        return _note(delivery, DeliveryOutcome.GIVEN_UP, reason)
    return _note(delivery, DeliveryOutcome.FAILED, reason)


@transaction.atomic
def _note(delivery: Delivery, outcome: DeliveryOutcome, reason: str = "") -> DeliveryOutcome:
    """What failed waits for the next try; what was sent, or given up, is not tried again."""
    limit = Delivery._meta.get_field("error").max_length
    mine = Delivery.objects.filter(pk=delivery.pk, outcome=DeliveryOutcome.SENDING)
    if not mine.update(outcome=outcome, at=timezone.now(), error=reason[:limit]):
        return outcome  # it took so long that it was taken for broken off
    if outcome == DeliveryOutcome.FAILED:
        delivery.notifications.update(delivery=None)
    return outcome


def _end_broken_off() -> None:
    stuck = Delivery.objects.filter(
        outcome=DeliveryOutcome.SENDING, at__lt=timezone.now() - STUCK
    ).select_related("user")
    for delivery in stuck:
        _fail(delivery, _BROKEN_OFF)


def _subject(count: int, *, is_urgent: bool) -> str:
    words = f"您有 {count} 条未读消息"
    return f"【六好创建】{words}" + ("，其中有即将到期的事项" if is_urgent else "")


def _body(delivery: Delivery) -> str:
    told = list(delivery.notifications.order_by("-at", "-pk")[:SPELT_OUT])
    return render_to_string(
        "organizations/messages/mail.txt",
        {
            "name": str(delivery.user),
            "count": delivery.count,
            "messages": [
                (one, settings.PORTAL_URL + reverse("organizations:message", args=[one.pk]))
                for one in told
            ],
            "more": delivery.count - len(told),
            "inbox": settings.PORTAL_URL + reverse("organizations:inbox"),
            "profile": settings.PORTAL_URL + reverse("profile"),
        },
    )
