"""Who is told of a transition, and in what words: whoever must act next, and the union of what has
become of its submission. Words to a union name no reviewer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.urls import reverse

from assessments import audiences, permissions
from assessments.choices import State
from assessments.workflow.context import Context
from organizations.choices import NotificationKind, Role
from organizations.models import User
from organizations.notifications import notify
from organizations.permissions import has_role


@dataclass(frozen=True)
class Message:
    """What some users are told. Where `many` is given, such messages of one day are folded into
    one, which counts them ({count}) and leads to the page named by `list_name`."""

    to: Iterable[User]
    kind: NotificationKind
    text: str
    many: str = ""
    list_name: str = ""
    query: str = ""
    due: dt.date | None = None


Tell = Callable[[Context], Iterable[Message]]


def tell(context: Context, tells: Iterable[Tell]) -> None:
    """Leave the messages, in the transaction of the transition and after its state is written."""
    for answer in tells:
        for message in answer(context):
            _leave(context, message)


def tell_many(contexts: Iterable[Context], tells: Iterable[Tell]) -> None:
    """The same for many transitions at once: what is folded is counted first, and left once."""
    tells = list(tells)
    folded: dict[tuple[str, str, str, str], dict[int, int]] = defaultdict(dict)
    users: dict[int, User] = {}
    last: dict[tuple[str, str, str, str], tuple[Context, Message]] = {}
    for context in contexts:
        for answer in tells:
            for message in answer(context):
                if not message.many:
                    _leave(context, message)
                    continue
                key = (message.kind, message.many, message.list_name, message.query)
                last[key] = (context, message)
                for user in message.to:
                    users[user.pk] = user
                    folded[key][user.pk] = folded[key].get(user.pk, 0) + 1
    for key, counts in folded.items():
        context, message = last[key]
        for number in sorted(set(counts.values())):
            to = [users[pk] for pk, count in counts.items() if count == number]
            _leave(context, replace(message, to=to), number)


def _leave(context: Context, message: Message, count: int = 1) -> None:
    many_link = ""
    if message.many:
        many_link = reverse(f"assessments:{message.list_name}") + message.query
    notify(
        message.to,
        kind=message.kind,
        text=message.text,
        link=context.assessment.get_absolute_url(),
        by=context.by,
        topic=f"{context.assessment.campaign_id} {message.many}" if message.many else "",
        many=message.many,
        many_link=many_link,
        count=count,
        due=message.due,
    )


def whose_turn_it_is(context: Context) -> Iterable[Message]:
    """Of what has been handed in, or endorsed."""
    return [_in_turn(context)]


def whose_turn_it_was(context: Context) -> Iterable[Message]:
    """The union has taken it back: nothing is to be done for the time being."""
    yield Message(
        _in_turn(context).to,
        NotificationKind.INFO,
        f"“{context.assessment.organization.name}”已撤回申报，暂不需要您办理。",
        many="有 {count} 份申报被撤回，暂不需要您办理。",
        list_name="workbench",
    )


def union_of_endorsement(context: Context) -> Iterable[Message]:
    superior = context.assessment.organization.parent
    return [_to_union(context, NotificationKind.INFO, f"{superior}已初审推荐，待市总工会评审。")]


def union_of_withdrawn_endorsement(context: Context) -> Iterable[Message]:
    superior = context.assessment.organization.parent
    return [_to_union(context, NotificationKind.INFO, f"{superior}撤回了初审，将重新办理。")]


def union_of_paper(context: Context) -> Iterable[Message]:
    """Nobody hands in for a union without its knowing."""
    proxy, signatory = context.assessment.proxy_name, context.details["signatory"]
    text = f"{proxy}凭{signatory}签字、盖章的纸质表代为提交了申报。"
    return [_to_union(context, NotificationKind.INFO, text)]


def union_of_return(context: Context) -> Iterable[Message]:
    due = context.assessment.correction_due
    text = f"申报被{_office(context)}退回修改，请于{due:%Y年%m月%d日}前改好并重新提交。"
    return [_to_union(context, NotificationKind.RETURNED, text, due)]


def union_of_resumption(context: Context) -> Iterable[Message]:
    return [
        _to_union(context, NotificationKind.INFO, "修改期限已过，市总工会按原来的提交继续办理。")
    ]


def union_of_acceptance(context: Context) -> Iterable[Message]:
    return [_to_union(context, NotificationKind.INFO, "市总工会已受理，正在评审。")]


def leads_when_all_are_in(context: Context) -> Iterable[Message]:
    """Nobody while another reviewer is still scoring."""
    assessment = context.assessment
    if assessment.state == State.REVIEWED:
        yield Message(
            audiences.leads(assessment.organization),
            NotificationKind.TURN,
            f"“{assessment.organization.name}”评审完成，待评定。",
            many="有 {count} 份申报评审完成，待评定。",
            list_name="decision_list",
        )


def reviewers_of_reopening(context: Context) -> Iterable[Message]:
    assessment = context.assessment
    yield Message(
        audiences.reviewers_of(assessment),
        NotificationKind.TURN,
        f"“{assessment.organization.name}”的评审已退回，请您复核：{context.details['reason']}",
    )


def leads_of_reopening(context: Context) -> Iterable[Message]:
    assessment = context.assessment
    yield Message(
        audiences.leads(assessment.organization),
        NotificationKind.TURN,
        f"“{assessment.organization.name}”的评定已撤销，请重新评定：{context.details['reason']}",
    )


def admins_of_decision(context: Context) -> Iterable[Message]:
    """What has been decided is theirs to publish."""
    organization = context.assessment.organization
    yield Message(
        audiences.admins(organization),
        NotificationKind.TURN,
        f"“{organization.name}”已评定，待公示。",
        many="有 {count} 份申报已评定，待公示。",
        list_name="decision_list",
    )


def union_of_decision(context: Context) -> Iterable[Message]:
    text = "评定结果已出，请查看评定结果通知书。"
    return [_to_union(context, NotificationKind.RESULT, text)]


def union_of_void_decision(context: Context) -> Iterable[Message]:
    text = "原评定结果已撤销，通知书作废，将重新评定。"
    return [_to_union(context, NotificationKind.RESULT, text)]


def union_of_publication(context: Context) -> Iterable[Message]:
    return [_to_union(context, NotificationKind.RESULT, "评定结果已公示，请查看。")]


def union_of_withdrawn_publication(context: Context) -> Iterable[Message]:
    return [_to_union(context, NotificationKind.RESULT, "评定结果已撤下公示，将另行处理。")]


def union_of_appeal(context: Context) -> Iterable[Message]:
    return [_to_union(context, NotificationKind.RESULT, "异议成立，申报回到评审中。")]


def union_of_final_result(context: Context) -> Iterable[Message]:
    return [_to_union(context, NotificationKind.RESULT, "公示结束，评定结果已生效。")]


def _to_union(
    context: Context, kind: NotificationKind, text: str, due: dt.date | None = None
) -> Message:
    organization = context.assessment.organization
    return Message(
        audiences.writers_of(organization), kind, f"“{organization.name}”{text}", due=due
    )


def _in_turn(context: Context) -> Message:
    """The superior's head, if an endorsement is still to come (one that was taken back, or is a
    draft, is none); else the reviewers, if there are any without a conflict of interest; else the
    leads, who assign them."""
    assessment, name = context.assessment, context.assessment.organization.name
    endorsed = assessment.endorsements.standing().exists()
    if permissions.endorsement_applies(assessment) and not endorsed:
        return Message(
            audiences.heads_of(assessment.organization.parent),
            NotificationKind.TURN,
            f"“{name}”已提交申报，请您初审。",
            many="有 {count} 份申报新提交，请您初审。",
            list_name="oversight",
            query=f"?state={State.SUBMITTED}",
        )
    if reviewers := list(audiences.reviewers_of(assessment)):
        return Message(
            reviewers,
            NotificationKind.TURN,
            f"“{name}”的申报已提交，请您继续评审。",
            many="有 {count} 份分派给您的申报已提交，请继续评审。",
            list_name="review_list",
        )
    return Message(
        audiences.leads(assessment.organization),
        NotificationKind.TURN,
        f"“{name}”的申报已提交，待分派评审员。",
        many="有 {count} 份新提交待分派评审员。",
        list_name="assignment_list",
    )


def _office(context: Context) -> str:
    """Who has sent it back: the superior union, or the city, never a person."""
    superior = context.assessment.organization.parent
    if superior is not None and has_role(context.by, superior, {Role.HEAD}):
        return superior.name
    return "市总工会"
