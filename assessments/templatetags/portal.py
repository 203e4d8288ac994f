"""Formatting for the screens; nothing is computed here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import Action, State
from assessments.scoring import rounded
from organizations.models import AuditEvent

register = template.Library()

_NUMERALS = _("〇一二三四五六")

_STATE_COLORS = {
    "": "idle",
    State.DRAFT: "draft",
    State.RETURNED: "returned",
    State.SUBMITTED: "waiting",
    State.ENDORSED: "waiting",
    State.UNDER_REVIEW: "waiting",
    State.REVIEWED: "done",
    State.DECIDED: "done",
    State.PUBLISHED: "done",
    State.FINAL: "done",
}

_EVENT_LABELS = {
    "START": _("开始自评"),
    "ATTACH": _("上传佐证材料"),
    "DETACH": _("移除佐证材料"),
    "REORDER": _("调整材料顺序"),
    "EVIDENCE_ADD": _("存入材料库"),
    "EVIDENCE_CHANGE": _("修改材料说明"),
    "EVIDENCE_DELETE": _("删除材料"),
    "ASSIGN": _("分派评审员"),
    "UNASSIGN": _("取消分派"),
    "CONFIRM_SCORES": _("确认沿用的评分"),
    "ARBITRATE": _("评审分差仲裁"),
    "ADJUST": _("评定前调整得分"),
    "OVERRIDE_PROPOSED": _("拟推翻评定"),
    "OVERRIDE_CONFIRMED": _("确认推翻"),
    "OVERRIDE_WITHDRAWN": _("撤回推翻"),
    "APPEAL_FILED": _("收到异议、申诉或意见"),
    "APPEAL_ASSIGNED": _("确定异议承办人"),
    "APPEAL_ANSWERED": _("答复异议、申诉或意见"),
    "RECOGNISED": _("命名"),
    "RECHECKED": _("复查"),
    "RECOGNITION_REVOKED": _("撤销命名"),
    "REVOCATION_WITHDRAWN": _("撤回撤销命名"),
    "PACKAGE_CHANGED": _("修改推荐材料"),
    "INSPECTION_ADDED": _("列入现场核查"),
    "INSPECTION_SCHEDULED": _("安排现场核查"),
    "INSPECTION_PHOTO": _("上传核查照片"),
    "INSPECTION_PHOTO_REMOVED": _("删除核查照片"),
    "INSPECTION_DONE": _("办结现场核查"),
    "INSPECTION_CANCELLED": _("取消现场核查"),
    "INSPECTION_APPLIED": _("按现场核查调整得分"),
    "SURVEY_OPENED": _("发起民主测评"),
    "SURVEY_CODES_ISSUED": _("发放投票码"),
    "SURVEY_CLOSED": _("结束民主测评"),
    "SURVEY_CANCELLED": _("取消民主测评"),
    "SURVEY_ADOPTED": _("采用民主测评结果"),
    "PHRASE_SHARED": _("共用常用语"),
    "PHRASE_WITHDRAWN": _("删除共用常用语"),
    "ASK_TO_SIGN": _("请负责人签批"),
    "OPEN_TOO": _("另行修改相关指标"),
    "PROXY_OPENED": _("开始代填"),
    "PROXY_ENDED": _("结束代填"),
    "SCAN_ADDED": _("上传签字盖章扫描件"),
    "ASK_EXTENSION": _("申请延期"),
    "GRANT_EXTENSION": _("同意延期"),
    "REFUSE_EXTENSION": _("不同意延期"),
    "SIMILARITY_CLEARED": _("雷同核实：无问题"),
    "SIMILARITY_CONFIRMED": _("雷同核实：属实"),
} | {action.value: action.label for action in Action}


@register.filter
def points(value: Decimal | str | None) -> str:
    """Points rounded half up to 0.01, without needless zeros: 13.5, 8.33; “—” for none (which
    a template may also give as an empty string)."""
    if value is None or isinstance(value, str):
        return "—"
    return f"{rounded(value).normalize():f}"


@register.filter
def bare(value: Decimal | None) -> str:
    """A figure as a script reads it; empty for none."""
    return "" if value is None else points(value)


@register.filter
def decimal(text: str) -> Decimal:
    """A frozen figure as a number."""
    return Decimal(text)


@register.filter
def numeral(number: int | str) -> str:
    """1–6 as the language numbers things: 一…六 in Chinese."""
    return _NUMERALS[int(number)]


@register.filter
def signed_percent(value: float) -> str:
    """A difference in percent to one decimal, with its sign: +1.5%, −0.3%, 0.0%."""
    text = f"{abs(value):.1f}%"
    return text if text == "0.0%" else f"{'+' if value > 0 else '−'}{text}"


@register.filter(expects_localtime=True)
def day(value: dt.date | None) -> str:
    return (
        gettext("{year}年{month}月{day}日").format(
            year=value.year, month=value.month, day=value.day
        )
        if value
        else "—"
    )


@register.filter
def moment(value: dt.datetime | None) -> str:
    """A day and the time on it."""
    if value is None:
        return "—"
    local = timezone.localtime(value)
    return gettext("{year}年{month}月{day}日 {local:%H:%M}").format(
        year=local.year, month=local.month, day=local.day, local=local
    )


@register.simple_tag
def state_badge(state: str | None) -> SafeString:
    """A state in its colour; nothing stands for a self-assessment that has not begun."""
    label = State(state).label if state else gettext("未开始")
    return format_html('<span class="state state-{}">{}</span>', _STATE_COLORS[state or ""], label)


@register.filter
def slug(action: str) -> str:
    """An action as it stands in an address."""
    return action.lower().replace("_", "-")


@register.filter
def event_label(event: AuditEvent) -> str:
    return str(_EVENT_LABELS.get(event.action, event.action))


@register.filter
def megabytes(size: int) -> str:
    """A size in bytes, as people read it."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


@register.filter
def duration(seconds: int) -> str:
    """Seconds as people say them, in whole minutes and never less than one: 4 小时 20 分."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    if not hours:
        return gettext("{minutes} 分钟").format(minutes=minutes)
    return (
        gettext("{hours} 小时 {minutes} 分").format(hours=hours, minutes=minutes)
        if minutes
        else gettext("{hours} 小时").format(hours=hours)
    )


@register.filter
def abs_days(days: int) -> int:
    return abs(days)


@register.filter
def signed(number: int) -> str:
    """A difference with its sign: +20, -3, 0."""
    return f"{number:+d}" if number else "0"


@register.filter
def clock(value: dt.datetime) -> str:
    """The time of a moment; with its day where that is not today."""
    local = timezone.localtime(value)
    if local.date() == timezone.localdate():
        return f"{local:%H:%M}"
    return gettext("{month}月{day}日 {local:%H:%M}").format(
        month=local.month, day=local.day, local=local
    )
