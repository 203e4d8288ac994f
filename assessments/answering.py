"""Writing a self-assessment: starting it, saving answers, and when that is allowed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import audiences, deadlines, versions, worksheet
from assessments.choices import State
from assessments.entries import Entry, Merge, merge
from assessments.models import Answer, Campaign, Indicator, SelfAssessment, TierPolicy
from assessments.permissions import may_fill_in, may_start
from assessments.previous import LastTime
from assessments.scoring import Rating
from assessments.versions import entry_of
from organizations.audit import record
from organizations.choices import NotificationKind, Role
from organizations.models import Organization, User
from organizations.notifications import notify

_NOT_ASKED = _("本次创建活动不需要该工会填报。")


class NotEditable(Exception):
    """The self-assessment cannot be written now; the message says why, in Chinese."""


@dataclass(frozen=True)
class Change:
    """What a page sends for one indicator; `seen` is the fingerprint of what it had shown."""

    indicator: Indicator
    entry: Entry
    seen: str


@dataclass
class Saved:
    """What became of a page: how many entries were stored, and the conflicting ones with what
    somebody else had stored meanwhile (by indicator key)."""

    stored: int = 0
    conflicts: dict[int, Answer] = field(default_factory=dict)


def _write(
    answer: Answer, entry: Entry, by: User, *, carried_over: bool = False
) -> versions.Written:
    """The entry, and who wrote it when, into the answer; the caller saves both the answer and
    what is returned."""
    before = versions.content_of_answer(answer)
    answer.apply(entry.rating)
    answer.account = entry.texts["account"]
    answer.not_applicable_reason = entry.texts["not_applicable_reason"]
    as_of = entry.texts.get("as_of")
    answer.as_of = dt.date.fromisoformat(as_of) if as_of else None
    answer.definition = entry.texts.get("definition", "")
    answer.carried_over = carried_over
    answer.updated_at, answer.updated_by = deadlines.now(), by
    return versions.Written(answer.indicator_id, before, versions.content_of_answer(answer))


_WRITTEN = [
    "score",
    "checked_items",
    "numerator",
    "denominator",
    "not_applicable",
    "not_applicable_reason",
    "account",
    "as_of",
    "definition",
    "carried_over",
    "updated_at",
    "updated_by",
]


def start(campaign: Campaign, organization: Organization, by: User) -> SelfAssessment:
    """The organization's self-assessment in the campaign, made if need be (twice is once).

    Raises NotEditable where the user may not, the tier is not assessed, or the campaign is not open.
    """
    if not may_start(by, organization):
        raise NotEditable(_NOT_ASKED)
    return begin(campaign, organization, by)


@transaction.atomic
def begin(campaign: Campaign, organization: Organization, by: User) -> SelfAssessment:
    """As `start`, for a caller who has asked who may. Raises NotEditable."""
    existing = SelfAssessment.objects.filter(campaign=campaign, organization=organization).first()
    if existing:
        return existing
    policy = TierPolicy.objects.filter(campaign=campaign, tier=organization.tier).first()
    if policy is None:
        raise NotEditable(_NOT_ASKED)
    fresh = SelfAssessment(
        campaign=campaign,
        organization=organization,
        rubric=policy.rubric,
        place=organization.path or "",
    )
    if not deadlines.is_in_time(fresh, deadlines.now()):
        raise NotEditable(gettext("不在填报时间内。如需延期，可以申请延期。"))
    assessment, created = SelfAssessment.objects.get_or_create(
        campaign=campaign,
        organization=organization,
        defaults={"rubric": policy.rubric, "place": organization.path or ""},
    )
    if created:
        record(action="START", by=by, subject=assessment, details=capacity(by, assessment))
    return assessment


def capacity(
    user: User, assessment: SelfAssessment, acts_as: Collection[Role] = tuple(Role)
) -> dict[str, str | bool]:
    """In which organization and role the user acts on this self-assessment, for the record: the
    nearest organization in which the user holds one of the roles that the act takes."""
    nearest = None
    for membership in user.roles:
        organization = membership.organization
        if membership.role in acts_as and (
            assessment.organization.pk == organization.pk
            or organization.is_above(assessment.organization)
        ):
            nearest = membership  # roles are ordered from the root: the last one is the nearest
    if nearest is None:
        return {"organization": "", "role": "", "city": False}
    with translation.override(settings.LANGUAGE_CODE):
        role = nearest.get_role_display()
    return {
        "organization": nearest.organization.name,
        "role": role,
        "city": nearest.organization.parent_id is None,
    }


def why_not_editable(assessment: SelfAssessment, by: User, at: dt.datetime) -> str | None:
    """Why the user cannot write the answers now, in the words of the screen; None if possible."""
    if not may_fill_in(by, assessment):
        return gettext("只有本工会的填报员和负责人可以填写，代填的上级工会在代填期间可以填写。")
    if not assessment.is_editable_state:
        return gettext("该申报目前是“{state}”，不能再修改。").format(
            state=assessment.get_state_display()
        )
    if deadlines.is_in_time(assessment, at):
        return None
    due = deadlines.due_on(assessment)
    if deadlines.local_day(at) <= due:
        return gettext("创建活动尚未开始或已经结束，只能查看。")
    return gettext("填报已于 {due:%Y年%m月%d日} 截止，只能查看。如需延期，可以申请延期。").format(
        due=due
    )


def editable_indicators(assessment: SelfAssessment) -> set[int] | None:
    """Keys of the indicators that may be written; None means all. A returned self-assessment
    is open only where a remark asks for something."""
    if assessment.state == State.RETURNED:
        return set(worksheet.open_remarks(assessment))
    return None


def lock(assessment: SelfAssessment, by: User) -> SelfAssessment:
    """The row, locked for this transaction and read anew.

    Raises NotEditable where the user cannot write the answers (any more).
    """
    locked = (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )
    reason = why_not_editable(locked, by, deadlines.now())
    if reason:
        raise NotEditable(reason)
    return locked


@transaction.atomic
def save(assessment: SelfAssessment, changes: Iterable[Change], by: User) -> Saved:
    """Store what changed; nothing that somebody else stored meanwhile is overwritten.

    Raises NotEditable. Completeness is not asked for: a draft may be half done.
    """
    locked = lock(assessment, by)
    allowed = editable_indicators(locked)
    answers = {
        answer.indicator_id: answer for answer in locked.answers.select_related("updated_by")
    }
    outcome = Saved()
    to_create, to_update, written = [], [], []
    for change in changes:
        key = change.indicator.pk
        if allowed is not None and key not in allowed:
            continue
        answer = answers.get(key) or Answer(self_assessment=locked, indicator=change.indicator)
        verdict = merge(typed=change.entry, seen=change.seen, stored=entry_of(answer))
        if verdict is Merge.CONFLICT:
            outcome.conflicts[key] = answer
        elif verdict is Merge.APPLY:
            written.append(_write(answer, change.entry, by))
            (to_update if answer.pk else to_create).append(answer)
    Answer.objects.bulk_create(to_create)
    Answer.objects.bulk_update(to_update, _WRITTEN)
    versions.keep(locked, written, by)
    outcome.stored = len(to_create) + len(to_update)
    return outcome


@transaction.atomic
def take_over(
    assessment: SelfAssessment, indicators: Iterable[Indicator], last: LastTime, by: User
) -> list[Indicator]:
    """Fill what is still empty with what was handed in the last time; what has been typed this
    year stays. What is filled waits to be confirmed. Returns the indicators that were filled.

    Raises NotEditable.
    """
    locked = lock(assessment, by)
    allowed = editable_indicators(locked)
    answers = {answer.indicator_id: answer for answer in locked.answers.all()}
    filled, written = [], []
    for indicator in indicators:
        before = last.answers.get(indicator.code)
        if before is None or (allowed is not None and indicator.pk not in allowed):
            continue
        answer = answers.get(indicator.pk) or Answer(self_assessment=locked, indicator=indicator)
        own, earlier = entry_of(answer), before.entry_for(indicator.rule)
        texts = {name: text or earlier.texts[name] for name, text in own.texts.items()}
        merged = Entry(earlier.rating if own.rating == Rating() else own.rating, texts)
        if merged.fingerprint != own.fingerprint:
            written.append(_write(answer, merged, by, carried_over=True))
            answer.save()
            filled.append(indicator)
    versions.keep(locked, written, by)
    return filled


def mark_carried_over(assessment: SelfAssessment, indicator: Indicator, by: User) -> None:
    """Files of the last time have been taken over: somebody has to look. The caller holds the lock."""
    assessment.answers.filter(indicator=indicator).update(
        carried_over=True, updated_at=deadlines.now(), updated_by=by
    )


@transaction.atomic
def confirm(assessment: SelfAssessment, indicator: Indicator, by: User) -> None:
    """What was taken over for the indicator has been looked at and holds this year too.

    Raises NotEditable.
    """
    lock(assessment, by).answers.filter(indicator=indicator, carried_over=True).update(
        carried_over=False, updated_at=deadlines.now(), updated_by=by
    )


@transaction.atomic
def ask_to_sign(assessment: SelfAssessment, by: User) -> None:
    """请负责人签批: all is filled in, and the union's head is asked to sign.

    Raises NotEditable, also while something is missing.
    """
    locked = lock(assessment, by)
    missing = sum(len(section.missing) for section in worksheet.load(locked))
    if missing:
        raise NotEditable(
            gettext("还有 {missing} 处没有填好，填好之后再请负责人签批。").format(missing=missing)
        )
    locked.sign_requested_at, locked.sign_requested_by = deadlines.now(), by
    locked.save(update_fields=["sign_requested_at", "sign_requested_by"])
    record(action="ASK_TO_SIGN", by=by, subject=locked, details=capacity(by, locked))
    notify(
        audiences.heads_of(locked.organization),
        kind=NotificationKind.TURN,
        text=f"“{locked.organization.name}”的申报已填好，请您签批提交。",
        link=locked.get_absolute_url(),
        by=by,
    )
