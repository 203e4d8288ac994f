"""评定: decisions are prepared as a list, printed for the meeting, corrected, and made together in
one act; until then nobody is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext

from assessments import (
    answering,
    assigning,
    audiences,
    deadlines,
    permissions,
    standings,
    verdicts,
    versions,
    workflow,
)
from assessments.choices import Action, AdjustmentSource, BatchState, Outcome, State
from assessments.models import (
    Campaign,
    DecisionBatch,
    Indicator,
    PendingDecision,
    SelfAssessment,
)
from assessments.scoring import Rating
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import Act, NotificationKind
from organizations.models import User
from organizations.notifications import notify


class NotAllowed(Exception):
    """Cannot be done now; the message says why, in Chinese. `lines` are what stands in the way."""

    def __init__(self, message: str, lines: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Listed:
    """How many were listed, and how many of those asked for were not: listed elsewhere already, not
    reviewed, in dispute between the reviewers, or the user's to stand back from."""

    added: int
    left_out: int


@transaction.atomic
def prepare(
    campaign: Campaign, rows: QuerySet[SelfAssessment], name: str, by: User
) -> tuple[DecisionBatch, Listed]:
    """A new list of these submissions. Raises NotAllowed where there is none to list."""
    batch = DecisionBatch.objects.create(campaign=campaign, name=name, created_by=by)
    listed = add(batch, rows, by)
    if not listed.added:
        raise NotAllowed(gettext("所选的申报里没有可以列入的：须评审完毕，且没有列入别的名单。"))
    record(
        action=Act.BATCH_PREPARED,
        by=by,
        subject=batch,
        details={"name": name, "lines": listed.added},
    )
    return batch, listed


@transaction.atomic
def add(batch: DecisionBatch, rows: QuerySet[SelfAssessment], by: User) -> Listed:
    """List more of them; what is listed already stays. A fixed number of queries for each
    BATCH of rows. Raises NotAllowed."""
    _lock(batch, by)
    asked = rows.filter(campaign=batch.campaign_id)
    number = asked.count()
    free = (
        asked.filter(state=State.REVIEWED, standing__isnull=False, discrepant="")
        .exclude(pk__in=PendingDecision.objects.filter(is_open=True).values("self_assessment"))
        .select_related("organization", "standing")
    )
    lines = [
        PendingDecision(
            batch=batch,
            self_assessment=one,
            stamp=one.standing.stamp,
            total=one.standing.total,
            outcome=one.standing.outcome,
        )
        for one in free.order_by("pk").iterator(assigning.BATCH)
        if not permissions.has_conflict(by, one.organization)
    ]
    try:
        with transaction.atomic():
            PendingDecision.objects.bulk_create(lines, batch_size=assigning.BATCH)
    except IntegrityError:
        raise NotAllowed(gettext("其中有的申报刚刚列入了别的名单，请刷新后再试。")) from None
    return Listed(len(lines), number - len(lines))


def stale(batch: DecisionBatch) -> QuerySet[PendingDecision]:
    """Lines under which something has changed since they were listed."""
    return batch.lines.filter(
        Q(self_assessment__standing=None)
        | ~Q(stamp=F("self_assessment__standing__stamp"))
        | ~Q(self_assessment__state=State.REVIEWED)
    )


@transaction.atomic
def refresh(batch: DecisionBatch, by: User) -> tuple[int, int]:
    """Take the standings as they are now: how many lines were brought up to date, and how many
    dropped out since they are not reviewed any more. A changed line's override is void."""
    _lock(batch, by)
    gone, _ = (
        batch.lines.filter(
            Q(self_assessment__standing=None) | ~Q(self_assessment__state=State.REVIEWED)
        )
    ).delete()
    changed = list(stale(batch).select_related("self_assessment__standing"))
    _bring_up_to_date(changed)
    record(
        action=Act.BATCH_REFRESHED,
        by=by,
        subject=batch,
        details={"name": batch.name, "changed": len(changed), "gone": gone},
    )
    return len(changed), gone


def _bring_up_to_date(lines: list[PendingDecision]) -> None:
    for line in lines:
        standing = line.self_assessment.standing
        line.stamp, line.total, line.outcome = standing.stamp, standing.total, standing.outcome
        line.override = line.override_reason = ""
        line.override_by = line.confirmed_by = None
    fields = ["stamp", "total", "outcome"]
    fields += ["override", "override_reason", "override_by", "confirmed_by"]
    PendingDecision.objects.bulk_update(lines, fields, batch_size=assigning.BATCH)


@transaction.atomic
def exclude(line: PendingDecision, by: User) -> None:
    """Take one off the list; it can be listed again. Raises NotAllowed."""
    _lock(line.batch, by)
    line = _locked_line(line, by)
    union = line.self_assessment.organization.name
    line.delete()
    record(
        action=Act.BATCH_LINE_EXCLUDED, by=by, subject=line.batch, details={"organization": union}
    )


@transaction.atomic
def correct(
    line: PendingDecision, indicator: Indicator, rating: Rating, reason: str, by: User
) -> None:
    """Set a score, or items or counts, in place of what the reviewers come to, with a reason; the
    line follows, and an override of it is void. Raises NotAllowed."""
    _lock(line.batch, by)
    line = _locked_line(line, by)
    assessment = assigning.lock(line.self_assessment)
    if assessment.state != State.REVIEWED or not permissions.may_lead(by, assessment):
        raise NotAllowed(
            gettext("“{organization}”目前不能调整得分。").format(
                organization=assessment.organization
            )
        )
    verdicts.adjust(
        assessment, indicator, rating, source=AdjustmentSource.DECISION, reason=reason, by=by
    )
    standings.refresh(assessment)
    record(
        action="ADJUST",
        by=by,
        subject=assessment,
        details=answering.capacity(by, assessment)
        | {"indicator": indicator.code, "rating": versions.said(rating), "reason": reason},
    )
    line = PendingDecision.objects.select_related("self_assessment__standing").get(pk=line.pk)
    _bring_up_to_date([line])


@transaction.atomic
def propose_override(line: PendingDecision, reason: str, by: User) -> PendingDecision:
    """推翻: the other outcome, with a reason; it counts once somebody else has confirmed it, and
    the list cannot be applied before. Raises NotAllowed."""
    _lock(line.batch, by)
    line = _locked_line(line, by)
    other = {
        Outcome.AT_STANDARD: Outcome.NOT_AT_STANDARD,
        Outcome.NOT_AT_STANDARD: Outcome.AT_STANDARD,
    }
    line.override, line.override_reason = other[Outcome(line.outcome)], reason
    line.override_by, line.confirmed_by = by, None
    line.save()
    assessment = line.self_assessment
    _record_override("OVERRIDE_PROPOSED", line, by, reason)
    others = [
        user
        for user in {
            *audiences.leads(assessment.organization),
            *audiences.admins(assessment.organization),
        }
        if user != by
    ]
    with in_chinese():
        outcome = line.get_override_display()
    notify(
        others,
        kind=NotificationKind.TURN,
        text=f"“{assessment.organization}”的评定拟推翻为“{outcome}”，请确认。",
        link=line.get_absolute_url(),
        by=by,
    )
    return line


@transaction.atomic
def confirm_override(line: PendingDecision, by: User, seen: str) -> PendingDecision:
    """The second person agrees to what they were shown (`seen`: the reason's stamp). Raises
    NotAllowed."""
    _lock(line.batch, by)
    line = _locked_line(line, by)
    if not line.awaits_confirmation:
        raise NotAllowed(gettext("没有等待确认的推翻。"))
    if line.override_by_id == by.pk:
        raise NotAllowed(gettext("推翻须由另一人确认，不能由提出的人自己确认。"))
    if seen != override_stamp(line):
        raise NotAllowed(gettext("推翻的内容刚刚有了变化，请核对后再确认。"))
    line.confirmed_by = by
    line.save(update_fields=["confirmed_by"])
    _record_override("OVERRIDE_CONFIRMED", line, by, line.override_reason)
    return line


@transaction.atomic
def withdraw_override(line: PendingDecision, by: User) -> None:
    """What the reviewers come to stands again. Raises NotAllowed."""
    _lock(line.batch, by)
    line = _locked_line(line, by)
    if not line.override:
        return
    _record_override("OVERRIDE_WITHDRAWN", line, by, line.override_reason)
    line.override = line.override_reason = ""
    line.override_by = line.confirmed_by = None
    line.save()


def override_stamp(line: PendingDecision) -> str:
    """Tells apart what a second person is asked to confirm."""
    return verdicts.digest_of(
        [line.stamp, str(line.override), line.override_reason, line.override_by_id]
    )


def _hidden(batch: DecisionBatch, by: User) -> QuerySet[PendingDecision]:
    """Lines of which the user may not even know: those they must stand back from."""
    return batch.lines.exclude(self_assessment__in=SelfAssessment.objects.visible_to(by))


def obstacles(batch: DecisionBatch, by: User, most: int = 20) -> list[str]:
    """The first of what keeps the list from being applied, in the words of the screen."""
    found = []
    for lines, text in (
        (stale(batch), gettext("列入之后有了变化，请先更新")),
        (
            batch.lines.exclude(override="").filter(confirmed_by=None),
            gettext("推翻还没有第二人确认"),
        ),
        (
            batch.lines.exclude(self_assessment__discrepant=""),
            gettext("评审员分差过大，须先仲裁"),
        ),
    ):
        seen = lines.exclude(pk__in=_hidden(batch, by))
        for line in seen.select_related("self_assessment__organization")[:most]:
            found.append(
                gettext("{subject}：{text}").format(
                    subject=line.self_assessment.organization, text=text
                )
            )
    return found[:most]


@transaction.atomic
def apply(batch: DecisionBatch, opinion: str, by: User, seen: str = "") -> int:
    """Make all of the decisions in one act, all through one row of the workflow; all or none. How
    many. `seen` is the version that the page showed. Raises NotAllowed with what stands in the
    way."""
    locked = _lock(batch, by)
    if seen and seen != str(locked.version - 1):
        raise NotAllowed(gettext("名单刚刚有了变化，请核对之后再确认。"))
    lines = list(
        locked.lines.select_related("self_assessment__organization").order_by(
            "self_assessment__rubric__tier", "-total", "pk"
        )
    )
    if not lines:
        raise NotAllowed(gettext("名单是空的。"))
    if _hidden(locked, by):
        raise NotAllowed(gettext("名单里有您须回避的申报，请由其他组长或管理员作出评定。"))
    problems = obstacles(locked, by)
    if problems:
        raise NotAllowed(gettext("还不能作出评定。"), problems)
    details = {line.self_assessment_id: {"opinion": opinion, "pending": line} for line in lines}
    try:
        workflow.perform_many(Action.DECIDE, details, by=by)
    except workflow.ManyRefused as error:
        names = {line.self_assessment_id: line.self_assessment.organization for line in lines}
        found = [
            gettext("{subject}：{text}").format(subject=names[key], text=problem.message)
            for key, problems in error.problems.items()
            for problem in problems
        ]
        raise NotAllowed(gettext("还不能作出评定，没有作出任何一份。"), found[:20]) from None
    _close(locked, BatchState.APPLIED, by)
    record(
        action=Act.BATCH_APPLIED,
        by=by,
        subject=locked,
        details={"name": locked.name, "lines": len(lines)},
    )
    return len(lines)


@transaction.atomic
def drop(batch: DecisionBatch, by: User) -> None:
    """作废: nobody was told, and everything on it can be listed anew. Raises NotAllowed."""
    locked = _lock(batch, by)
    _close(locked, BatchState.DROPPED, by)
    record(action=Act.BATCH_DROPPED, by=by, subject=locked, details={"name": locked.name})


def _close(batch: DecisionBatch, state: BatchState, by: User) -> None:
    batch.lines.update(is_open=False)
    batch.state, batch.closed_by, batch.closed_at = state, by, deadlines.now()
    batch.save()


def _lock(batch: DecisionBatch, by: User) -> DecisionBatch:
    """Locked to be changed: what a page has shown of it before is the past."""
    locked = DecisionBatch.objects.select_for_update().get(pk=batch.pk)
    if not permissions.may_lead(by):
        raise NotAllowed(gettext("只有评审组长和管理员可以评定。"))
    if not locked.is_open:
        raise NotAllowed(
            gettext("名单“{batch}”{state}，不能再改。").format(
                batch=locked, state=locked.get_state_display()
            )
        )
    locked.version += 1
    locked.save(update_fields=["version"])
    return locked


def _locked_line(line: PendingDecision, by: User) -> PendingDecision:
    found = (
        PendingDecision.objects.select_for_update(of=("self",))
        .select_related("self_assessment__organization", "batch")
        .filter(pk=line.pk)
        .first()
    )
    if found is None:
        raise NotAllowed(gettext("这一份已经移出名单。"))
    if not permissions.may_lead(by, found.self_assessment):
        raise NotAllowed(
            gettext("您须回避“{organization}”。").format(
                organization=found.self_assessment.organization
            )
        )
    return found


def _record_override(action: str, line: PendingDecision, by: User, reason: str) -> None:
    record(
        action=action,
        by=by,
        subject=line.self_assessment,
        details=answering.capacity(by, line.self_assessment)
        | {"outcome": line.override, "reason": reason},
    )
