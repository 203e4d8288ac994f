"""Publishing many results in one act, and making them final once their time is over."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext

from assessments import deadlines, permissions, publicity, workflow
from assessments.assigning import NotAllowed
from assessments.choices import Action, State
from assessments.models import Appeal, Campaign, PublicityPeriod, SelfAssessment
from organizations.models import User


def awaiting(campaign: Campaign, by: User) -> QuerySet[SelfAssessment]:
    """What is decided and not published, of the unions that the user may see."""
    rows = SelfAssessment.objects.visible_to(by).filter(campaign=campaign, state=State.DECIDED)
    return rows.select_related("organization__parent").order_by("place")


@transaction.atomic
def publish(
    campaign: Campaign,
    by: User,
    *,
    title: str,
    days: int,
    seen: int,
    among: QuerySet[SelfAssessment] | None = None,
) -> PublicityPeriod:
    """公示 of everything that waits for it (or of a part of `awaiting`), but for what the user must
    stand back from. `seen` is how many the page announced. Raises NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以公示。"))
    waiting = list(awaiting(campaign, by) if among is None else among)
    if not waiting:
        raise NotAllowed(gettext("没有等待公示的评定：可能刚刚已由别人公示。"))
    if len(waiting) != seen:
        raise NotAllowed(
            gettext("等待公示的评定刚刚有了变化，现在是 {count} 个，请核对后再公示。").format(
                count=len(waiting)
            )
        )
    rows = [one for one in waiting if permissions.may_administer(by, one)]
    if not rows:
        raise NotAllowed(gettext("这些工会您都须回避，请由其他管理员公示。"))
    period = publicity.open_period(campaign, by, deadlines.now(), title=title, days=days)
    try:
        workflow.perform_many(Action.PUBLISH, {one.pk: {"period": period} for one in rows}, by=by)
    except workflow.ManyRefused as error:
        raise NotAllowed(gettext("等待公示的评定刚刚有了变化，请刷新后再公示。")) from error
    return period


def close_due() -> int:
    """Make final what nobody objects to any more and whose period is over: how many. May run
    twice, and twice at once: whoever comes second finds nothing left."""
    today = deadlines.local_day(deadlines.now())
    over = PublicityPeriod.objects.filter(
        closes_on__lt=today,
        results__removed_at=None,
        results__self_assessment__state=State.PUBLISHED,
    )
    keys = list(over.order_by("pk").values_list("pk", flat=True).distinct())
    return sum(_close(key) for key in keys)


@transaction.atomic
def _close(key: int) -> int:
    PublicityPeriod.objects.select_for_update().get(pk=key)
    appealed = Appeal.objects.holding_back().filter(result__self_assessment=OuterRef("pk"))
    due = SelfAssessment.objects.select_for_update(of=("self",)).filter(
        ~Exists(appealed),
        state=State.PUBLISHED,
        published_results__period=key,
        published_results__removed_at=None,
    )
    keys = list(due.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return 0
    return len(workflow.perform_many(Action.FINALISE, {one: {} for one in keys}, by=None))
