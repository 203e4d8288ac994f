"""Issuing, renewing and revoking the tokens of other systems; each act is on record."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from organizations.audit import record
from organizations.choices import Act
from organizations.models import ApiClient, Organization, User

#: `last_used_at` is written no more often than this: a reading system would otherwise write.
_USE_NOTED_EVERY = dt.timedelta(hours=1)


@transaction.atomic
def issue(
    *,
    name: str,
    contact: str,
    organization: Organization,
    scopes: Sequence[str],
    expires_on: dt.date,
    by: User,
) -> tuple[ApiClient, str]:
    """A new client with its token, which is given this once and stored nowhere."""
    token = _new_token()
    client = ApiClient.objects.create(
        name=name,
        contact=contact,
        organization=organization,
        scopes=list(scopes),
        expires_on=expires_on,
        created_by=by,
        prefix=token[:8],
        token_hash=_hashed(token),
    )
    _record(Act.API_CLIENT_ISSUED, client, by)
    return client, token


@transaction.atomic
def renew(client: ApiClient, *, by: User) -> str:
    """A new token in place of the old one, which holds no longer; the client is live again for a
    year."""
    client = ApiClient.objects.select_for_update().get(pk=client.pk)
    token = _new_token()
    client.prefix, client.token_hash = token[:8], _hashed(token)
    client.revoked_at = None
    client.expires_on = timezone.localdate() + dt.timedelta(days=365)
    client.save()
    _record(Act.API_CLIENT_RENEWED, client, by)
    return token


@transaction.atomic
def revoke(client: ApiClient, *, by: User) -> None:
    """The token holds no longer. Twice is once."""
    client = ApiClient.objects.select_for_update().get(pk=client.pk)
    if client.revoked_at is None:
        client.revoked_at = timezone.now()
        client.save(update_fields=["revoked_at"])
        _record(Act.API_CLIENT_REVOKED, client, by)


def find(token: str) -> ApiClient | None:
    """The live client with this token. Notes that it was used, once an hour."""
    client = (
        ApiClient.objects.select_related("organization").filter(token_hash=_hashed(token)).first()
    )
    if client is None or not client.is_live:
        return None
    now = timezone.now()
    if client.last_used_at is None or now - client.last_used_at > _USE_NOTED_EVERY:
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=now)
    return client


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(act: Act, client: ApiClient, by: User) -> None:
    record(
        action=act,
        by=by,
        details={
            "name": client.name,
            "scopes": client.scopes,
            "organization": client.organization.name,
            "prefix": client.prefix,
            "until": client.expires_on.isoformat(),
        },
    )
