"""Who sees an inspection, what it looks at, and what reviewers are shown of it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from assessments import permissions, revisions
from assessments.choices import InspectionState, State
from assessments.models import Answer, Inspection, InspectionFinding, Review, SelfAssessment
from assessments.scoring import score_indicator
from assessments.worksheet import Line, Section
from organizations.models import User


def visible_to(user: User) -> QuerySet[Inspection]:
    """Those of the lead, and those on which the user is an inspector; without what they must stand
    back from. Once it is closed, the submission's reviewers see it; whoever else may see the
    submission, the union included, not before the result is published."""
    visible = SelfAssessment.objects.visible_to(user)
    if permissions.may_lead(user):
        return Inspection.objects.filter(self_assessment__in=visible)
    free = [
        inspection.pk
        for inspection in Inspection.objects.filter(inspectors=user).select_related(
            "self_assessment__organization"
        )
        if permissions.may_be_assigned(user, inspection.self_assessment.organization)
    ]
    published = visible.filter(state__in=[State.PUBLISHED, State.FINAL])
    reviewed = Review.objects.visible_to(user).values("self_assessment")
    closed = Q(self_assessment__in=published) | Q(self_assessment__in=reviewed)
    return Inspection.objects.filter(Q(pk__in=free) | (Q(state=InspectionState.DONE) & closed))


def inspectors() -> QuerySet[User]:
    """Whoever has ever been sent anywhere, by name."""
    sent = Inspection.inspectors.through.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(Exists(sent)).order_by("full_name", "pk")


def section(inspection: Inspection, number: int) -> Section | None:
    """One criterion as the union had handed it in when it was chosen: what it has written since,
    while it mends it, is nobody else's. Nothing of it where the union has taken it back (撤回).
    Answers are not to be saved."""
    assessment = inspection.self_assessment
    revision = assessment.revisions.filter(number=inspection.revision).first()
    if revision is None:
        return None
    taken_back = assessment.state == State.DRAFT
    for criterion, frozen in revisions.read(revision, assessment.rubric_id):
        if criterion.number == number:
            return Section(
                criterion,
                tuple(_line(assessment, one, told=not taken_back) for one in frozen),
            )
    return None


def _line(assessment: SelfAssessment, frozen: revisions.FrozenLine, *, told: bool) -> Line:
    answer = Answer(self_assessment=assessment, indicator=frozen.indicator)
    if told:
        answer.apply(frozen.rating)
        answer.account = frozen.content.get("account") or ""
        answer.not_applicable_reason = frozen.content.get("not_applicable_reason") or ""
    return Line(
        frozen.indicator,
        answer,
        tuple(file.evidence for file in frozen.files) if told else (),
        score_indicator(frozen.indicator.rule, answer.rating, assessment.campaign.thresholds),
    )


def notes(assessment: SelfAssessment, codes: Collection[str]) -> list[InspectionFinding]:
    """现场核查意见 at these indicators, for the reviewers: of closed inspections, the latest one
    where there are several. One query."""
    found = (
        InspectionFinding.objects.filter(
            inspection__self_assessment=assessment,
            inspection__state=InspectionState.DONE,
            indicator__code__in=codes,
        )
        .exclude(verdict="", text="")
        .select_related("inspection", "indicator")
        .order_by("inspection__closed_at")
    )
    return list({one.indicator_id: one for one in found}.values())
