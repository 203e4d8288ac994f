"""Recording and verifying what was done. Each event carries the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.functional import Promise

from organizations.chinese import in_chinese
from organizations.models import AuditChain, AuditEvent, User

GENERAL_CHAIN = "general"
#: So many events are written at a time.
BATCH = 500


def chain_key(subject: models.Model | None) -> str:
    """The chain of a subject: app label, model name and key; without a subject the general one."""
    return GENERAL_CHAIN if subject is None else f"{subject._meta.label_lower}:{subject.pk}"


def _digest(event: AuditEvent) -> str:
    content = {
        "chain": event.chain.key,
        "number": event.number,
        "at": event.at.isoformat(),
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "action": event.action,
        "details": event.details,
        "previous": event.previous_hash,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def record(
    *,
    action: str,
    by: User | None,
    subject: models.Model | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append an event to the subject's chain, inside the caller's transaction.

    `details` must be plain JSON (no Decimal, no dates; labels are kept in Chinese). `by=None` means the portal itself.
    Raises TransactionManagementError outside of a transaction: an act and its record stand or
    fall together.
    """
    key = chain_key(subject)
    AuditChain.objects.bulk_create([AuditChain(key=key)], ignore_conflicts=True)
    chain = AuditChain.objects.select_for_update().get(key=key)
    event = _next(chain, action, by, details or {})
    event.save(force_insert=True)
    chain.save(update_fields=["length", "head"])
    return event


def record_many(
    *, action: str, by: User | None, entries: Iterable[tuple[models.Model, dict[str, Any]]]
) -> int:
    """Append one event for each (subject, details), as `record` does one: how many. Four queries
    for each BATCH of them. A subject needs nothing but its key."""
    done, entries = 0, iter(entries)
    while batch := list(islice(entries, BATCH)):
        keys = [chain_key(subject) for subject, _ in batch]
        AuditChain.objects.bulk_create(
            [AuditChain(key=key) for key in dict.fromkeys(keys)], ignore_conflicts=True
        )
        locked = AuditChain.objects.select_for_update().filter(key__in=keys).order_by("key")
        chains = {chain.key: chain for chain in locked}
        AuditEvent.objects.bulk_create(
            [
                _next(chains[key], action, by, details)
                for key, (_, details) in zip(keys, batch, strict=True)
            ]
        )
        AuditChain.objects.bulk_update(chains.values(), ["length", "head"])
        done += len(batch)
    return done


def _next(chain: AuditChain, action: str, by: User | None, details: dict[str, Any]) -> AuditEvent:
    """The event that follows the last one of the locked chain, which then ends with it."""
    event = AuditEvent(
        chain=chain,
        number=chain.length + 1,
        at=timezone.now(),
        actor=by,
        actor_name=str(by) if by else "系统",
        action=action,
        details=_in_chinese(details),
        previous_hash=chain.head,
    )
    event.hash = _digest(event)
    chain.length, chain.head = event.number, event.hash
    return event


@in_chinese()
def _in_chinese(details: Any) -> Any:
    """Words that differ by language (labels) as the record keeps them, whoever acts."""
    return json.loads(json.dumps(details, ensure_ascii=False, default=_word))


def _word(value: object) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{value!r} is no JSON")


def events_of(subject: models.Model) -> models.QuerySet[AuditEvent]:
    """The subject's events, newest first."""
    return AuditEvent.objects.filter(chain__key=chain_key(subject)).order_by("-number")


def verify() -> Iterator[str]:
    """Walk all chains; yield one English sentence for each row that was altered, removed or
    added behind the portal's back. Nothing yielded means that the record is whole."""
    for chain in AuditChain.objects.order_by("pk").iterator():
        number, head = 0, ""
        for event in chain.events.select_related("chain").order_by("number").iterator():
            number += 1
            if event.number != number:
                yield f"{chain.key}: event {number} is missing"
                number = event.number
            elif event.previous_hash != head:
                yield f"{chain.key}: event {number} does not follow the event before it"
            if event.hash != _digest(event):
                yield f"{chain.key}: event {number} was altered"
            head = event.hash
        if (number, head) != (chain.length, chain.head):
            yield f"{chain.key}: {chain.length} events were recorded, the last is not event {number}"
