"""公示: publishing, changing the last day, and what is put forward about a result."""

from __future__ import annotations

from typing import Any

from captcha.fields import BaseCaptchaTextInput, CaptchaField
from captcha.models import CaptchaStore
from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import appeals
from assessments.choices import AppealKind, AppealState, Outcome
from assessments.forms.decisions import ConfirmationForm, DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.models import Appeal
from organizations.models import User

_ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,.docx,.doc,.wps,.xlsx,.xls,.et,.ofd"


class SumInput(BaseCaptchaTextInput):
    """A sum to work out, as text: a screen reader says it too, and no picture is fetched."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        store = CaptchaStore.objects.get(
            hashkey=CaptchaStore.generate_key("captcha.helpers.math_challenge")
        )
        answer = self.widgets[1].attrs
        answer |= {
            "aria-label": gettext("验证：请计算 {challenge}").format(challenge=store.challenge),
            "inputmode": "numeric",
        }
        field = super().render(name, [store.hashkey, ""], attrs=attrs, renderer=renderer)
        asked = gettext("请计算：{challenge}").format(challenge=store.challenge)
        return format_html("<span>{}</span>{}", asked, field)


class PublishForm(ConfirmationForm):
    """公示 of all at once, by the person's own password."""

    title = text_field(_("公示名称"), 60, rows=1)
    days = forms.IntegerField(
        label=_("公示工作日"),
        min_value=1,
        max_value=60,
        help_text=_("公示当天不算，法定节假日和周末不算，调休上班日算。"),
        error_messages={"required": _("请填写工作日数。"), "invalid": _("请填写整数。")},
    )
    field_order = ["title", "days", "password"]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, gettext("公示须由本人确认。"), *args, **kwargs)


class RescheduleForm(DetailForm):
    """Ending a period earlier, or later."""

    closes_on = forms.DateField(
        label=_("公示截止日期"),
        help_text=_("含当日，至 24 时。"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("请选择日期。"),
            "invalid": _("请按 2026-05-31 的样子填写日期。"),
        },
    )
    reason = text_field(_("调整理由"), 200)


class ResultFilter(UnionFilter):
    """As everywhere, and by result."""

    outcome = forms.ChoiceField(
        label=_("结果"), required=False, choices=[("", _("全部结果")), *Outcome.choices]
    )


class AppealFilter(UnionFilter):
    """As everywhere, and by kind and by how far it has come."""

    kind = forms.ChoiceField(
        label=_("类别"), required=False, choices=[("", _("全部类别")), *AppealKind.choices]
    )
    state = forms.ChoiceField(
        label=_("办理情况"), required=False, choices=[("", _("全部情况")), *AppealState.choices]
    )


class AppealForm(DetailForm):
    """申诉 of the union itself."""

    text = text_field(_("内容和理由"), 2000, rows=6)
    attachment = forms.FileField(
        label=_("附件"),
        required=False,
        max_length=255,
        help_text=_("可不传。一个文件，PDF、图片或办公文档。"),
        widget=forms.FileInput(attrs={"accept": _ACCEPT}),
        error_messages={
            "empty": _("这是空文件，请重新选择。"),
            "max_length": _("文件名太长，请改短再传。"),
        },
    )

    @property
    def values(self) -> dict[str, str]:
        """What was typed, for `appeals.file`."""
        return {
            name: self.cleaned_data[name]
            for name in ("name", "contact", "text")
            if name in self.fields
        }


class ObjectionForm(AppealForm):
    """异议 or 意见 of anybody, without an account. `website` is for machines: people do not see it."""

    kind = forms.ChoiceField(
        label=_("类别"),
        choices=[(kind.value, kind.label) for kind in (AppealKind.OBJECTION, AppealKind.COMMENT)],
        initial=AppealKind.OBJECTION,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择类别。"), "invalid_choice": _("请选择类别。")},
    )
    name = text_field(_("姓名"), 40, rows=1)
    contact = text_field(_("联系方式"), 60, rows=1)
    website = forms.CharField(
        required=False,
        label=_("网址（请不要填写）"),
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    sum = CaptchaField(
        label=_("验证"),
        widget=SumInput,
        error_messages={
            "invalid": _("算得不对或时间太久，请算一下新的算式。"),
            "required": _("请填写算式的结果。"),
        },
    )
    field_order = ["kind", "name", "contact", "text", "attachment", "website", "sum"]

    def __init__(self, days_kept: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact"].help_text = gettext(
            "手机号或邮箱。只有市总工会的办理人员能看到，公示结束并答复 {days} 天后删除。"
        ).format(days=days_kept)

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(gettext("没有提交：这一栏请留空。"))
        return ""


class AssignForm(DetailForm):
    """Who handles it."""

    to = forms.ModelChoiceField(
        User.objects.none(),
        label=_("承办人"),
        empty_label=_("请选择"),
        error_messages={"required": _("请选择承办人。"), "invalid_choice": _("请选择承办人。")},
    )

    def __init__(self, appeal: Appeal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = appeals.handlers(appeal)


class AnswerForm(DetailForm):
    """What it comes to, and why."""

    outcome = forms.ChoiceField(
        label=_("办理结果"),
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择办理结果。"), "invalid_choice": _("请选择办理结果。")},
    )
    text = text_field(_("答复和理由"), 1000, rows=4)

    def __init__(self, appeal: Appeal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [(o.value, o.label) for o in appeals.outcomes(appeal)]
        self.fields["text"].help_text = (
            gettext("提出人和工会都能看到。成立的，申报回到评审中，原评定作废。")
            if appeal.kind != AppealKind.COMMENT
            else gettext("提出人能看到。")
        )


class AnswerLookUpForm(DetailForm):
    """The number and the code of the receipt."""

    number = forms.CharField(
        label=_("登记号"),
        max_length=30,
        help_text=_("例如 2026-1-12。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("请填写登记号。"), "max_length": _("登记号没有这么长。")},
    )
    code = forms.CharField(
        label=_("查询码"),
        max_length=60,
        help_text=_("提交时给您的 16 位查询码。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("请填写查询码。"), "max_length": _("查询码只有 16 位。")},
    )
