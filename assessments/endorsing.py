"""Endorsing (初审推荐): the superior union's opinion, rank and scores before the city reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext

from assessments import answering, assigning, permissions, worksheet
from assessments.choices import State
from assessments.entries import Entry, Merge, merge
from assessments.models import (
    Campaign,
    Endorsement,
    EndorsementScore,
    Indicator,
    SelfAssessment,
    TierPolicy,
)
from assessments.scoring import (
    ZERO,
    AssessmentResult,
    is_answered,
    score_assessment,
    score_indicator,
    storable,
)
from assessments.worksheet import Line
from organizations.models import User

_RATING = ["score", "checked_items", "numerator", "denominator", "not_applicable"]


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


def policy_of(assessment: SelfAssessment) -> TierPolicy:
    """What the campaign asks of the superior at this tier."""
    return assessment.campaign.policies.get(tier=assessment.rubric.tier)


def standing(assessment: SelfAssessment) -> Endorsement | None:
    """The endorsement that counts, if there is one."""
    return assessment.endorsements.standing().select_related("organization", "author").first()


def awaits_superior(assessment: SelfAssessment) -> bool:
    """Handed in, to be endorsed, and not endorsed yet."""
    return (
        assessment.state == State.SUBMITTED
        and permissions.endorsement_applies(assessment)
        and not assessment.endorsements.standing().exists()
    )


def queue(user: User, campaign: Campaign) -> QuerySet[SelfAssessment]:
    """What waits for the user's own 初审, in the order in which it was handed in."""
    return (
        SelfAssessment.objects.filter(
            campaign=campaign,
            state=State.SUBMITTED,
            organization__parent__in=permissions.endorses_for(user),
            rubric__tier__in=campaign.policies.filter(endorsement_required=True).values("tier"),
        )
        .exclude(endorsements__in=Endorsement.objects.standing())
        .order_by("submitted_at", "pk")
    )


def neighbours(user: User, assessment: SelfAssessment) -> tuple[int | None, int | None]:
    """The keys of the ones before and after this one in the queue: two queries."""
    waiting, moment = queue(user, assessment.campaign), assessment.submitted_at
    before = waiting.filter(
        Q(submitted_at__lt=moment) | Q(submitted_at=moment, pk__lt=assessment.pk)
    )
    after = waiting.filter(
        Q(submitted_at__gt=moment) | Q(submitted_at=moment, pk__gt=assessment.pk)
    )
    keys = [rows.values_list("pk", flat=True) for rows in (before.reverse(), after)]
    return keys[0].first(), keys[1].first()


# --- The superior's own scores --------------------------------------------------------------------


@dataclass
class Prepared:
    """What the superior starts from for the revision that stands: the draft, or else what it said
    the last time. `scores` are by indicator; those of answers that have changed since are left out."""

    opinion: str = ""
    rank: int | None = None
    draft: Endorsement | None = None
    scores: dict[int, EndorsementScore] = field(default_factory=dict)


def prepared(assessment: SelfAssessment) -> Prepared:
    """Three queries at most; one more where the union has handed in anew since."""
    latest = (
        assessment.endorsements.prefetch_related("scores")
        .order_by(F("at").desc(nulls_first=True), "-pk")
        .first()
    )
    if latest is None:
        return Prepared()
    scores = {score.indicator_id: score for score in latest.scores.all()}
    if scores and latest.revision != assessment.revision:
        contents = dict(
            assessment.revisions.filter(
                number__in=[latest.revision, assessment.revision]
            ).values_list("number", "content")
        )
        before, now = contents[latest.revision], contents[assessment.revision]
        codes = {i.pk: i.code for _, some in worksheet.outline(assessment.rubric_id) for i in some}
        scores = {
            key: score
            for key, score in scores.items()
            if before.get(codes[key]) == now.get(codes[key])
        }
    draft = latest if latest.at is None else None
    return Prepared(latest.opinion, latest.rank, draft, scores)


def entry_of(score: EndorsementScore) -> Entry:
    return Entry(score.rating, {"reason": score.reason})


def shown_entry(line: Line, score: EndorsementScore | None) -> Entry:
    """What a scoring page shows: the stored score, or the union's counts to start from."""
    if score and is_answered(line.indicator.rule, score.rating):
        return entry_of(score)
    return Entry(replace(line.answer.rating, score=None), {"reason": score.reason if score else ""})


def result_of(
    assessment: SelfAssessment, lines: Iterable[Line], scores: Mapping[int, EndorsementScore]
) -> AssessmentResult:
    """What the superior's scores come to: the same rule as the union's own."""
    thresholds = assessment.campaign.thresholds
    results: dict[int, list] = {}
    for line in lines:
        score = scores.get(line.indicator.pk) or EndorsementScore()
        found = score_indicator(line.indicator.rule, score.rating, thresholds)
        results.setdefault(line.indicator.criterion.number, []).append(found)
    return score_assessment(results, thresholds)


def findings_of(
    assessment: SelfAssessment, lines: Iterable[Line], scores: Mapping[int, EndorsementScore]
) -> dict[str, dict[str, str | None]]:
    """The scores as `Endorsement.findings` keeps them."""
    found = {}
    for line in lines:
        score = scores.get(line.indicator.pk)
        if score is None:
            continue
        result = score_indicator(line.indicator.rule, score.rating, assessment.campaign.thresholds)
        points = None if not result.is_applicable else str(storable(result.points or ZERO))
        found[line.indicator.code] = {"points": points, "reason": score.reason}
    return found


@dataclass(frozen=True)
class Gap:
    """An indicator that keeps the scores from being complete, and why."""

    criterion: int
    indicator: Indicator
    text: str


def gaps(
    assessment: SelfAssessment, lines: Iterable[Line], scores: Mapping[int, EndorsementScore]
) -> list[Gap]:
    """An unscored indicator; a missing reason below the full mark, or where a claimed “not
    applicable” is refused."""
    found = []
    for line in lines:
        indicator, score = line.indicator, scores.get(line.indicator.pk)
        text = ""
        if score is None or not is_answered(indicator.rule, score.rating):
            text = gettext("尚未评分")
        elif score.not_applicable and not line.answer.not_applicable:
            text = gettext("申报工会没有申报“不适用”，请评分")
        elif not score.reason and not score.not_applicable:
            result = score_indicator(indicator.rule, score.rating, assessment.campaign.thresholds)
            if line.answer.not_applicable:
                text = gettext("不认可“不适用”，请写明理由")
            elif (result.points or 0) < indicator.max_points:
                text = gettext("低于满分，请写明理由")
        if text:
            found.append(Gap(indicator.criterion.number, indicator, text))
    return found


def why_not_scorable(assessment: SelfAssessment, by: User) -> str | None:
    """Why scores cannot be written now, in the words of the screen; None if they can."""
    if not permissions.may_endorse(by, assessment):
        return gettext("只有上一级工会的负责人可以初审。")
    if assessment.state != State.SUBMITTED:
        return gettext("该申报目前是“{state}”，不能初审评分。").format(
            state=assessment.get_state_display()
        )
    if not policy_of(assessment).endorsement_scores:
        return gettext("本次活动不要求上级逐项评分。")
    return None


@dataclass
class Saved:
    """What became of a scoring page: see `answering.Saved`."""

    stored: int = 0
    conflicts: dict[int, EndorsementScore] = field(default_factory=dict)


@transaction.atomic
def save_scores(
    assessment: SelfAssessment,
    changes: Iterable[answering.Change],
    by: User,
    revision: int | None = None,
) -> Saved:
    """Store scores in the superior's draft; two heads at once never overwrite each other.
    `revision` is the one that the page showed. Raises NotAllowed."""
    locked = assigning.lock(assessment)
    reason = why_not_scorable(locked, by)
    if reason:
        raise NotAllowed(reason)
    if revision is not None and revision != locked.revision:
        raise NotAllowed(gettext("申报工会已经重新提交，请打开新的内容再评分。"))
    draft = write_draft(locked, by)
    claimed = set(locked.answers.filter(not_applicable=True).values_list("indicator", flat=True))
    scores = {score.indicator_id: score for score in draft.scores.all()}
    outcome, written = Saved(), []
    for change in changes:
        indicator, entry = change.indicator, change.entry
        if entry.rating.not_applicable and indicator.pk not in claimed:
            entry = replace(entry, rating=replace(entry.rating, not_applicable=False))
        score = scores.get(indicator.pk) or EndorsementScore(endorsement=draft, indicator=indicator)
        stored = entry_of(score)
        if is_answered(indicator.rule, score.rating):
            verdict = merge(typed=entry, seen=change.seen, stored=stored)
        else:  # what the page proposed becomes the superior's own by saving
            same = entry.fingerprint == stored.fingerprint
            verdict = Merge.UNTOUCHED if same else Merge.APPLY
        if verdict is Merge.CONFLICT:
            outcome.conflicts[indicator.pk] = score
        elif verdict is Merge.APPLY:
            score.apply(entry.rating)
            score.reason = entry.texts["reason"]
            written.append(score)
    EndorsementScore.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["endorsement", "indicator"],
        update_fields=[*_RATING, "reason"],
    )
    outcome.stored = len(written)
    return outcome


def write_draft(assessment: SelfAssessment, by: User) -> Endorsement:
    """The draft for the revision that stands, made from what was prepared if need be. Under the
    lock of the self-assessment."""
    found = prepared(assessment)
    draft = found.draft
    if draft is None:
        draft = Endorsement.objects.create(
            self_assessment=assessment,
            campaign=assessment.campaign,
            tier=assessment.rubric.tier,
            revision=assessment.revision,
            organization=assessment.organization.parent,
            opinion=found.opinion,
            author=by,
        )
        for score in found.scores.values():
            score.pk, score.endorsement = None, draft
        EndorsementScore.objects.bulk_create(found.scores.values())
    elif draft.revision != assessment.revision:
        draft.scores.exclude(indicator__in=found.scores).delete()
        draft.revision = assessment.revision
        draft.save(update_fields=["revision"])
    # The lists read before would be stale.
    return Endorsement.objects.get(pk=draft.pk)


# --- In bulk --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """One that was chosen to be endorsed in bulk; `reason` says why it is left out, if it is."""

    assessment: SelfAssessment
    sections: list[worksheet.Section]
    reason: str = ""


def candidates(chosen: Iterable[SelfAssessment], user: User) -> list[Candidate]:
    """Which of them may safely be endorsed with one common opinion: nothing about them looks
    doubtful, and nothing but the opinion is asked for. A fixed number of queries."""
    assessments = list(chosen)
    sections = worksheet.load_each(assessments)
    policies = {
        (policy.campaign_id, policy.tier): policy
        for policy in TierPolicy.objects.filter(
            campaign__in={assessment.campaign_id for assessment in assessments}
        )
    }
    found = []
    for assessment in assessments:
        policy = policies[assessment.campaign_id, assessment.rubric.tier]
        own = sections[assessment.pk]
        found.append(Candidate(assessment, own, _why_not_in_bulk(assessment, own, policy, user)))
    return found


def _why_not_in_bulk(
    assessment: SelfAssessment,
    sections: list[worksheet.Section],
    policy: TierPolicy,
    user: User,
) -> str:
    if not permissions.may_endorse(user, assessment):
        return gettext("不由您初审")
    if assessment.state != State.SUBMITTED:
        return gettext("目前是“{state}”").format(state=assessment.get_state_display())
    if policy.endorsement_scores:
        return gettext("须逐项评分，请逐个初审")
    if policy.endorsement_ranks:
        return gettext("须填写名次，请逐个初审")
    doubtful = sum(len(section.warnings) for section in sections)
    return (
        gettext("有 {number} 处提醒，请打开看过再初审").format(number=doubtful) if doubtful else ""
    )
