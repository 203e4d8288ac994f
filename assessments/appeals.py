"""异议 and 申诉 about published results: filed, assigned, answered with a reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext

from assessments import (
    audiences,
    deadlines,
    library,
    permissions,
    workflow,
)
from assessments.answering import capacity
from assessments.assigning import NotAllowed
from assessments.choices import Action, AppealKind, AppealState, State
from assessments.models import (
    Appeal,
    PublicityPeriod,
    PublishedResult,
    SelfAssessment,
    StoredFile,
)
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import NotificationKind, Role
from organizations.models import User
from organizations.notifications import notify
from organizations.one_time_codes import plain

_NUMBER = re.compile(r"(\d{4})-(\d{1,6})-(\d{1,6})")


def file(
    result: PublishedResult,
    kind: AppealKind,
    values: Mapping[str, str],
    upload: File | None,
    by: User | None,
) -> Appeal:
    """Register it, and tell those who handle it. `values` are name, contact and text. Raises
    NotAllowed once the period is over or the result is gone, EvidenceRefused for the file."""

    def keep(stored: StoredFile | None) -> Appeal:
        return _register(
            result,
            {
                "kind": kind,
                "filed_by": by,
                "stored_file": stored,
                "file_name": (upload.name or "附件")[-255:] if upload else "",
                **values,
            },
        )

    return library.store(upload, keep) if upload else keep(None)


@transaction.atomic
def _register(result: PublishedResult, values: dict[str, Any]) -> Appeal:
    # Whoever makes the results final holds this lock too: it is before, or after.
    period = PublicityPeriod.objects.select_for_update(of=("self",)).get(pk=result.period_id)
    now = deadlines.now()
    if period.is_over(now):
        raise NotAllowed(
            gettext("公示期已于 {day:%Y年%m月%d日}结束，不能再提出异议或申诉。").format(
                day=period.closes_on
            )
        )
    found = PublishedResult.objects.public().filter(
        pk=result.pk, self_assessment__state=State.PUBLISHED
    )
    if not found.exists():
        raise NotAllowed(gettext("这个结果已经不在公示中。"))
    if values["kind"] == AppealKind.APPEAL and union_appeal(result):
        raise NotAllowed(gettext("本工会已经提出申诉，正在办理。"))
    last = period.appeals.aggregate(last=Max("number"))["last"] or 0
    appeal = Appeal.objects.create(
        period=period, result=result, number=last + 1, filed_at=now, **values
    )
    union = result.self_assessment.organization
    _record("APPEAL_FILED", appeal, appeal.filed_by)
    text = f"“{union}”的公示收到{_kind(appeal)} {appeal}，请办理。"
    _tell_handlers(handlers(appeal), appeal, text, appeal.filed_by)
    return appeal


def union_appeal(result: PublishedResult) -> Appeal | None:
    """The union's own appeal that is not answered yet."""
    return result.appeals.holding_back().filter(kind=AppealKind.APPEAL).first()


def handlers(appeal: Appeal) -> QuerySet[User]:
    """Leads and administrators of the city without a conflict of interest."""
    union = appeal.result.self_assessment.organization
    found = {*audiences.leads(union), *audiences.admins(union)}
    return User.objects.filter(pk__in=[user.pk for user in found]).order_by("full_name", "pk")


@transaction.atomic
def assign(appeal: Appeal, to: User, by: User) -> None:
    """Raises NotAllowed."""
    locked = _lock(appeal, by)
    if not handlers(locked).filter(pk=to.pk).exists():
        raise NotAllowed(
            gettext("{name}不能承办：须是市总工会组长或管理员，且不须回避。").format(name=to)
        )
    locked.assigned_to, locked.state = to, AppealState.ASSIGNED
    locked.save(update_fields=["assigned_to", "state"])
    _record("APPEAL_ASSIGNED", locked, by, {"to": str(to)})
    union = locked.result.self_assessment.organization
    _tell_handlers([to], locked, f"“{union}”的{_kind(locked)} {locked} 由您承办。", by)


@transaction.atomic
def answer(appeal: Appeal, outcome: AppealState, text: str, by: User) -> None:
    """By whoever it is assigned to. One that holds sends the submission back to review and answers
    all others against the same result. Raises NotAllowed."""
    # The submission first: two who accept two against the same result wait here, one for the other.
    SelfAssessment.objects.select_for_update(of=("self",)).get(published_results=appeal.result_id)
    locked = _lock(appeal, by)
    if locked.assigned_to_id != by.pk:
        raise NotAllowed(gettext("请先由承办人办理：可以改由自己承办。"))
    if outcome not in outcomes(locked):
        raise NotAllowed(gettext("请选择办理结果。"))
    assessment = locked.result.self_assessment
    if outcome == AppealState.ACCEPTED:
        try:
            workflow.perform(assessment, Action.ACCEPT_APPEAL, by=by, reason=text)
        except workflow.TransitionRefused as error:
            raise NotAllowed(str(error)) from error
        return
    locked.state, locked.answer = outcome, text
    locked.answered_by, locked.answered_at = by, deadlines.now()
    locked.save()
    _record("APPEAL_ANSWERED", locked, by, {"outcome": outcome, "reason": text})
    if locked.kind != AppealKind.COMMENT:
        union = assessment.organization
        notify(
            audiences.writers_of(union),
            kind=NotificationKind.RESULT,
            text=f"“{union}”的公示{_kind(locked)}不成立，结果不变：{text}",
            link=assessment.get_absolute_url(),
            by=by,
        )


def _tell_handlers(users: Iterable[User], appeal: Appeal, text: str, by: User | None) -> None:
    notify(users, kind=NotificationKind.TURN, text=text, link=appeal.get_absolute_url(), by=by)


@in_chinese()
def _kind(appeal: Appeal) -> str:
    """As messages call it."""
    return appeal.get_kind_display()


def outcomes(appeal: Appeal) -> tuple[AppealState, ...]:
    """What it may come to."""
    if appeal.kind == AppealKind.COMMENT:
        return (AppealState.ANSWERED,)
    return (AppealState.ACCEPTED, AppealState.REJECTED)


def find(number: str, code: str) -> Appeal | None:
    """What was filed under a number and its code, however they were typed."""
    found = _NUMBER.fullmatch(number.strip())
    if found is None:
        return None
    year, period, own = map(int, found.groups())
    wanted = Q(number=own, period__number=period, period__campaign__year=year, code=plain(code))
    related = ("period__campaign", "result__self_assessment__organization")
    return Appeal.objects.filter(wanted).select_related(*related).first()


def forget_contacts() -> int:
    """Delete the names and addresses of the public, CONTACT_DAYS after the end of the period and
    once all is answered: how many. May run twice."""
    before = deadlines.local_day(deadlines.now()) - dt.timedelta(days=settings.CONTACT_DAYS)
    return (
        Appeal.objects.exclude(name="", contact="")
        .exclude(state__in=(AppealState.REGISTERED, AppealState.ASSIGNED))
        .filter(filed_by=None, period__closes_on__lt=before)
        .update(name="", contact="")
    )


def _lock(appeal: Appeal, by: User) -> Appeal:
    locked = (
        Appeal.objects.select_for_update(of=("self",))
        .select_related("period__campaign", "result__self_assessment__organization")
        .get(pk=appeal.pk)
    )
    if not permissions.may_lead(by, locked.result.self_assessment):
        raise NotAllowed(gettext("只有评审组长和管理员可以办理，须回避的除外。"))
    if not locked.is_open:
        raise NotAllowed(gettext("这一件已经答复。"))
    return locked


def _record(
    action: str, appeal: Appeal, by: User | None, details: dict[str, Any] | None = None
) -> None:
    assessment = appeal.result.self_assessment
    acted = capacity(by, assessment, (Role.HEAD, Role.LEAD_REVIEWER, Role.ADMIN)) if by else {}
    found = acted | {"number": str(appeal), "kind": appeal.kind} | (details or {})
    record(action=action, by=by, subject=assessment, details=found)
