"""Telling users (消息): whoever must act, or should know, finds a message in the portal; those with
an address get it by mail too (`organizations.mailing`)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.db import DatabaseError, transaction
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from organizations.choices import NotificationKind
from organizations.models import Notification, User

BATCH = 500
#: Each time somebody must have read the message between two queries: more is another fault, which
#: SQLite passes over together with the conflict.
_TRIES = 5
#: What the badge counts up to.
BADGE_MOST = 99


def is_inside(link: str) -> bool:
    """Whether it is a path of this portal and leads to no other host."""
    return link.startswith("/") and url_has_allowed_host_and_scheme(link, allowed_hosts=None)


def notify(
    recipients: Iterable[User],
    *,
    kind: NotificationKind,
    text: str,
    link: str,
    by: User | None = None,
    topic: str = "",
    many: str = "",
    many_link: str = "",
    count: int = 1,
    due: dt.date | None = None,
) -> int:
    """Leave a message for each recipient, once, and return for how many. Inactive users and `by`
    are passed over. `link` is a path of this portal, such as `reverse` gives.

    An unread message of the same kind, text and link is renewed instead of repeated. Those with
    the same `topic` on one day are folded into one, which counts them (each call adds `count`):
    from the second on it reads `many`, with {count} in it, and leads to `many_link`.
    `due` is the last day to do what is asked: a returned or urged matter goes by mail at once
    when it is tomorrow. Raises ValueError for a link that leads out of the portal.
    """
    for path in (link, many_link or link):
        if not is_inside(path):
            raise ValueError(f"{path!r} is no path of this portal")
    skipped = None if by is None else by.pk
    keys = sorted({user.pk for user in recipients if user.is_active and user.pk != skipped})
    now = timezone.now()
    message = Notification(
        kind=kind,
        key=_key(kind, f"{topic} {timezone.localdate(now)}" if topic else f"{link} {text}"),
        text=_cut(text, "text"),
        link=link,
        many=_cut(many, "many"),
        many_link=many_link,
        count=count,
        at=now,
        by=by,
        due_on=due,
    )
    with transaction.atomic():
        for start in range(0, len(keys), BATCH):
            _leave(message, keys[start : start + BATCH])
    return len(keys)


def with_unread(users: QuerySet[User]) -> QuerySet[User]:
    """With `unread`, how many messages each has not read: a request reads it with its user."""
    unread = Notification.objects.unread().filter(recipient=OuterRef("pk")).order_by()
    count = unread.values("recipient").annotate(count=Count("pk")).values("count")
    return users.annotate(unread=Coalesce(Subquery(count), 0))


def unread_count(user: User) -> int:
    """How many messages the user has not read; BADGE_MOST + 1 stands for more."""
    if hasattr(user, "unread"):
        return min(user.unread, BADGE_MOST + 1)
    return user.notifications.unread()[: BADGE_MOST + 1].count()


def mark_read(notification: Notification) -> None:
    """Twice is once: the first time stays on record."""
    Notification.objects.unread().filter(pk=notification.pk).update(read_at=timezone.now())


def mark_all_read(user: User, *, shown: dt.datetime) -> int:
    """Those that had come when the user's page was `shown`; how many that were. What has come or
    been renewed since stays unread."""
    return user.notifications.unread().filter(at__lte=shown).update(read_at=timezone.now())


def tidy(*, older_than: dt.timedelta) -> int:
    """Delete what was read before that time; how many that were. Unread messages stay."""
    before = timezone.now() - older_than
    deleted = 0
    while keys := list(
        Notification.objects.filter(read_at__lt=before).values_list("pk", flat=True)[:BATCH]
    ):
        deleted += Notification.objects.filter(pk__in=keys).delete()[0]
    return deleted


def _key(kind: str, subject: str) -> str:
    return hashlib.sha256(f"{kind} {subject}".encode()).hexdigest()


def _cut(text: str, field: str) -> str:
    return text[: Notification._meta.get_field(field).max_length]


def _leave(message: Notification, keys: list[int]) -> None:
    """Insert where no such message is unread, renew the others, under their locks: two at once
    count two, and nobody reads one away in between."""
    missing, found = keys, dict[int, int]()
    for _ in range(_TRIES):
        # count 0: the update below adds to new and old ones alike.
        Notification.objects.bulk_create(
            [_for(message, key) for key in missing], ignore_conflicts=True
        )
        rows = (
            Notification.objects.unread()
            .filter(recipient__in=missing, key=message.key)
            .order_by("recipient")
            .select_for_update()
        )
        found |= {row.recipient_id: row.pk for row in rows.only("recipient")}
        missing = [key for key in missing if key not in found]
        if not missing:
            break
    else:
        raise DatabaseError("messages that cannot be stored")
    Notification.objects.filter(pk__in=found.values()).update(
        count=F("count") + message.count,
        at=message.at,
        by=message.by,
        due_on=message.due_on,
        text=message.text,
        link=message.link,
        many=message.many,
        many_link=message.many_link,
        waiting_since=Case(When(delivery=None, then=F("waiting_since")), default=Value(message.at)),
        delivery=None,
    )


def _for(message: Notification, key: int) -> Notification:
    return Notification(
        recipient_id=key,
        kind=message.kind,
        key=message.key,
        text=message.text,
        link=message.link,
        many=message.many,
        many_link=message.many_link,
        count=0,
        at=message.at,
        by=message.by,
        due_on=message.due_on,
        waiting_since=message.at,
    )
