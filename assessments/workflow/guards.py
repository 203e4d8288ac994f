"""What must hold for a transition: each guard returns the problems it sees, none when it holds."""

from __future__ import annotations

from django.utils.translation import gettext

from assessments import correcting, deadlines, endorsing, permissions, publicity, ranking, reviewing
from assessments.models import Appeal, Indicator, PendingDecision, Review
from assessments.workflow.context import Context, Problem


def in_time(context: Context) -> list[Problem]:
    if deadlines.is_in_time(context.assessment, context.at):
        return []
    return [Problem(gettext("不在填报时间内。如需延期，可以申请延期。"))]


def organization_is_active(context: Context) -> list[Problem]:
    return (
        [] if context.assessment.organization.is_active else [Problem(gettext("该工会已经撤销。"))]
    )


def complete(context: Context) -> list[Problem]:
    return [
        _at(line.indicator, text) for section in context.sections for line, text in section.missing
    ]


def remarks_are_answered(context: Context) -> list[Problem]:
    return [
        _at(remark.indicator, gettext("请先答复修改要求"))
        for remark in correcting.unanswered(context.assessment)
    ]


def correction_is_overdue(context: Context) -> list[Problem]:
    """Nobody takes the correction out of the union's hands before its time is up."""
    if not deadlines.is_in_time(context.assessment, context.at):
        return []
    due = deadlines.due_on(context.assessment)
    return [
        Problem(
            gettext("修改期限（{due:%Y年%m月%d日}）还没有过，请等申报工会改好。").format(due=due)
        )
    ]


def is_signed_on_paper(context: Context) -> list[Problem]:
    found = []
    if not context.details.get("signatory"):
        found.append(Problem(gettext("请填写在纸质表上签字的负责人姓名。")))
    if context.details.get("scan") is None:
        found.append(Problem(gettext("请上传负责人签字、盖章的纸质表扫描件或照片。")))
    return found


def nobody_has_begun(context: Context) -> list[Problem]:
    """An endorsement that the superior has taken back is as good as none."""
    begun = (
        context.assessment.returns.exists()
        or context.assessment.endorsements.standing().exists()
        or context.assessment.endorsements.drafted().filter(scores__isnull=False).exists()
        or Review.objects.filter(self_assessment=context.assessment, scores__isnull=False).exists()
    )
    return [Problem(gettext("上级或市总工会已经开始处理，不能撤回。"))] if begun else []


def endorsed_if_required(context: Context) -> list[Problem]:
    """A union whose superior has endorsed an earlier revision need not be endorsed again. After
    the campaign's day for it, the city's lead goes on without the superior."""
    assessment = context.assessment
    if not endorsing.awaits_superior(assessment):
        return []
    if not deadlines.endorsement_is_over(assessment.campaign, context.at):
        return [Problem(gettext("须先由上级工会初审推荐。"))]
    if not permissions.may_lead(context.by, assessment):
        return [Problem(gettext("上级工会逾期未初审，须由评审组长或管理员受理。"))]
    return []


def endorsement_is_complete(context: Context) -> list[Problem]:
    """What the campaign asks of the superior besides an opinion: a rank, and scores."""
    assessment, rank = context.assessment, context.details.get("rank")
    policy = endorsing.policy_of(assessment)
    found = []
    if rank is None and policy.endorsement_ranks:
        found.append(Problem(gettext("请填写名次。")))
    if rank is not None and (other := ranking.rank_taken_by(assessment, rank)):
        found.append(
            Problem(
                gettext("第 {rank} 名已经给了“{other}”，请另选，或先到“推荐排序”调整。").format(
                    rank=rank, other=other
                )
            )
        )
    if policy.endorsement_scores:
        scores = endorsing.prepared(assessment).scores
        found += [
            _at(gap.indicator, gap.text)
            for gap in endorsing.gaps(assessment, context.lines, scores)
        ]
    return found


def has_reviewers(context: Context) -> list[Problem]:
    return [] if context.assessment.reviews.exists() else [Problem(gettext("请先分派评审员。"))]


def has_opinion(context: Context) -> list[Problem]:
    return [] if context.details.get("opinion") else [Problem(gettext("请填写意见。"))]


def has_reason(context: Context) -> list[Problem]:
    return [] if context.details.get("reason") else [Problem(gettext("请填写理由。"))]


def has_remarks(context: Context) -> list[Problem]:
    if context.details.get("remarks"):
        return []
    return [Problem(gettext("请至少在一个指标上写明修改要求。"))]


def own_review_is_complete(context: Context) -> list[Problem]:
    review = context.own_review
    if review is None or review.is_complete:
        return [Problem(gettext("您没有未完成的评审。"))]
    if review.awaits_confirmation:
        return [Problem(gettext("这份评审沿用了前一位评审员的评分，请先逐项核对并确认。"))]
    scores = {score.indicator_id: score for score in review.scores.all()}
    return [
        _at(gap.indicator, gap.text)
        for gap in reviewing.gaps(context.assessment, scores, context.lines)
    ]


def decided_with_its_list(context: Context) -> list[Problem]:
    """What is on a list for the meeting is decided with it, and as it was listed. Whoever gives a
    line holds the lock of its list."""
    line = context.details.get("pending")
    if line is None:
        listed = PendingDecision.objects.filter(self_assessment=context.assessment, is_open=True)
        waits = listed.select_related("batch").first()
        return (
            [
                Problem(
                    gettext("已列入“{batch}”，请在名单里一并作出评定。").format(batch=waits.batch)
                )
            ]
            if waits
            else []
        )
    if line.stamp != context.verdict.stamp:
        return [Problem(gettext("列入名单之后有了变化，请先更新名单。"))]
    if line.awaits_confirmation:
        return [Problem(gettext("推翻还没有第二人确认。"))]
    return []


def reviewers_are_free(context: Context) -> list[Problem]:
    """A conflict of interest (回避) that arose after the review was completed."""
    return [
        Problem(
            gettext("{reviewer}须回避该工会。请先退回评审员，取消分派后另行分派。").format(
                reviewer=review.reviewer
            )
        )
        for review in context.reviews
        if permissions.has_conflict(review.reviewer, context.assessment.organization)
    ]


def reviewers_agree(context: Context) -> list[Problem]:
    discrepant = context.verdict.discrepant
    if not discrepant:
        return []
    names = gettext("、").join(
        gettext("第{number}好").format(number=number) for number in discrepant
    )
    return [
        Problem(
            gettext("评审员之间在{names}分差过大，请先仲裁，或退回评审员复核。").format(names=names)
        )
    ]


def publicity_is_over(context: Context) -> list[Problem]:
    period = publicity.period_of(context.assessment)
    if period is None or period.is_over(context.at):
        return []
    return [
        Problem(
            gettext("公示到 {closes_on:%Y-%m-%d} 结束，期满才能生效。").format(
                closes_on=period.closes_on
            )
        )
    ]


def no_open_appeal(context: Context) -> list[Problem]:
    open_ = Appeal.objects.holding_back().filter(result__self_assessment=context.assessment)
    return [Problem(gettext("还有异议或申诉没有答复，请先办结。"))] if open_.exists() else []


def _at(indicator: Indicator, text: str) -> Problem:
    return Problem(
        gettext("{subject}：{text}").format(
            subject=f"{indicator.code} {indicator.name}", text=text
        ),
        indicator,
    )
