"""Stock phrases (常用语): a reviewer's own, and those that all reviewers share."""

from __future__ import annotations

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext

from assessments import permissions
from assessments.models import StockPhrase
from organizations.audit import record
from organizations.models import User

#: How many phrases one owner (or all together, shared) may keep for one indicator.
MOST = 50


class NotKept(Exception):
    """The phrase cannot be kept; the message says why, in Chinese."""


def offered(user: User, codes: Collection[str] | None = None) -> QuerySet[StockPhrase]:
    """The user's own and the shared ones, the most used first; with `codes` only those for these
    indicators or for any."""
    phrases = StockPhrase.objects.filter(Q(owner=user) | Q(owner=None))
    return phrases if codes is None else phrases.filter(code__in=[*codes, ""])


def shared_counts() -> dict[str, int]:
    """How many phrases all reviewers share, by code of the indicator."""
    rows = StockPhrase.objects.filter(owner=None).order_by()
    return dict(rows.values_list("code").annotate(Count("pk")))


def changeable(user: User) -> QuerySet[StockPhrase]:
    """The user's own; the shared ones too for whoever manages them."""
    own = Q(owner=user)
    return StockPhrase.objects.filter(
        own | Q(owner=None) if permissions.may_share_phrases(user) else own
    )


def keep(user: User, text: str, code: str = "", *, shared: bool = False) -> StockPhrase:
    """Keep a phrase, one's own or a shared one. Raises NotKept."""
    return _store(StockPhrase(owner=None if shared else user, created_by=user), text, code, user)


def change(phrase: StockPhrase, text: str, code: str, by: User) -> StockPhrase:
    """Raises NotKept."""
    return _store(phrase, text, code, by)


def _store(phrase: StockPhrase, text: str, code: str, by: User) -> StockPhrase:
    if phrase.is_shared and not permissions.may_share_phrases(by):
        raise NotKept(gettext("共用的常用语由评审组长和管理员维护。"))
    phrase.text, phrase.code = text.strip(), code
    if not phrase.text:
        raise NotKept(gettext("请先写好内容，再存为常用语。"))
    if len(phrase.text) > StockPhrase.LONGEST:
        raise NotKept(
            gettext("常用语最多 {longest} 字，现为 {count} 字。").format(
                longest=StockPhrase.LONGEST, count=len(phrase.text)
            )
        )
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=by.pk)  # one's phrases are counted one by one
            others = StockPhrase.objects.filter(owner=phrase.owner, code=code).exclude(pk=phrase.pk)
            if others.filter(text=phrase.text).exists():
                raise NotKept(gettext("这句常用语已经有了。"))
            if others.count() >= MOST:
                raise NotKept(
                    gettext("每个指标最多 {most} 句常用语，请先删去不用的。").format(most=MOST)
                )
            phrase.save()
            if phrase.is_shared:
                _record("PHRASE_SHARED", phrase, by)
    except IntegrityError:
        raise NotKept(gettext("这句常用语已经有了。")) from None
    return phrase


@transaction.atomic
def remove(phrase: StockPhrase, by: User) -> None:
    """The caller has found it among the `changeable` ones."""
    if phrase.is_shared:
        _record("PHRASE_WITHDRAWN", phrase, by)
    phrase.delete()


def count_use(user: User, key: int) -> None:
    """A phrase was put into a remark."""
    offered(user).filter(pk=key).update(uses=F("uses") + 1)


def _record(action: str, phrase: StockPhrase, by: User) -> None:
    details = {"indicator": phrase.code, "text": phrase.text}
    record(action=action, by=by, details=details)
