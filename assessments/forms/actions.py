"""The few fields that go with an action of the workflow."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.choices import Action
from assessments.forms.ratings import PlainTextField
from assessments.models import Campaign, Indicator, ReturnRemark


def own_password(help_text: str) -> forms.CharField:
    """For what has to be confirmed by the person who is signed in; see `check_own_password`."""
    return forms.CharField(
        label=gettext("您的登录密码"),
        help_text=help_text,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext("请输入您的登录密码。")},
    )


def check_own_password(form: forms.Form, request: HttpRequest | None) -> None:
    """Name it at the field where it is wrong. Asked of the same backends as a sign-in, so that
    guessing is slowed down here too."""
    user = request.user if request else None
    found = user and authenticate(
        request, username=user.get_username(), password=form.cleaned_data["password"]
    )
    if not found or found.pk != user.pk:
        form.add_error("password", gettext("密码不正确，没有提交。连续输错会暂时不能再试。"))


class ActionForm(forms.Form):
    """A confirmation with the text that the action asks for, if any."""

    #: Field, label, whether required, help, by action. An action that is not named has none.
    _FIELDS = {
        Action.COMPLETE_REVIEW: ("opinion", _("评审意见"), False, _("可不填。随评分一并保存。")),
        Action.DECIDE: ("opinion", _("评定意见"), False, _("可不填。随评定结果一并保存。")),
        Action.RESUME: (
            "reason",
            _("按原提交办理的理由"),
            True,
            _("申报工会逾期没有改好时使用；没有提交的修改保留在修改记录中。"),
        ),
        Action.REOPEN_REVIEW: ("reason", _("退回评审员的理由"), True, ""),
        Action.REOPEN_DECISION: ("reason", _("撤销评定的理由"), True, _("原评定保留在记录中。")),
        Action.WITHDRAW_PUBLICATION: (
            "reason",
            _("撤下公示的理由"),
            True,
            _("公示页面上不再有这个工会；评定保留，可以撤销评定或重新公示。"),
        ),
        Action.ACCEPT_APPEAL: ("reason", _("异议成立的理由"), True, _("申报将回到评审中。")),
    }

    def __init__(
        self, action: Action, *args: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """`request` is whose password is asked for, where the action needs one."""
        super().__init__(*args, **kwargs)
        self.action, self.request = action, request
        if action in self._FIELDS:
            name, label, required, help_text = self._FIELDS[action]
            text = PlainTextField(1000)
            text.label, text.required, text.help_text = label, required, help_text
            text.widget = forms.Textarea(attrs={"rows": 4})
            self.fields[name] = text
        if action == Action.SUBMIT:
            self.fields["confirmed"] = forms.BooleanField(
                label=gettext("本工会对申报内容和佐证材料的真实性负责，同意签批提交。"),
                error_messages={"required": gettext("请勾选确认后再提交。")},
            )
            self.fields["password"] = own_password(gettext("签批须由负责人本人确认。"))
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, field in self.fields.items():
            if isinstance(field, PlainTextField) and field.required and not cleaned.get(name):
                self.add_error(name, gettext("请填写{field}。").format(field=field.label))
        if "password" in self.fields and not self.errors:
            check_own_password(self, self.request)
        return cleaned

    @property
    def details(self) -> dict[str, Any]:
        """What `workflow.perform` takes."""
        confirmation = {"confirmed", "password"}
        return {n: value for n, value in self.cleaned_data.items() if n not in confirmation}


class ReturnForm(forms.Form):
    """What is wanting, indicator by indicator, and a word on the whole."""

    reason = PlainTextField(1000)
    due_on = forms.DateField(
        label=_("修改期限"),
        help_text=_("含当日，至 24 时。"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("请选择修改期限。"),
            "invalid": _("请按 2026-05-31 的样子填写日期。"),
        },
    )

    def __init__(
        self, indicators: list[Any], campaign: Campaign, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        today = deadlines.local_day(deadlines.now())
        self.first_day = today + dt.timedelta(days=1)
        self.last_day = max(campaign.review_deadline, self.first_day)
        usual = today + dt.timedelta(days=campaign.correction_days)
        self.fields["due_on"].initial = min(usual, self.last_day)
        limits = {"min": self.first_day.isoformat(), "max": self.last_day.isoformat()}
        self.fields["due_on"].widget.attrs |= limits
        self.fields["reason"].label = gettext("总的说明（可不填）")
        self.fields["reason"].widget = forms.Textarea(attrs={"rows": 2})
        self.indicators = {indicator.code: indicator for indicator in indicators}
        for code in self.indicators:
            self.fields[code] = PlainTextField(500)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_due_on(self) -> dt.date:
        due = self.cleaned_data["due_on"]
        if not self.first_day <= due <= self.last_day:
            raise forms.ValidationError(
                gettext("请选择 {first_day:%Y-%m-%d} 至 {last_day:%Y-%m-%d} 之间的日期。").format(
                    first_day=self.first_day, last_day=self.last_day
                )
            )
        return due

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.remarks:
            raise forms.ValidationError(gettext("请至少在一个指标上写明修改要求。"))
        return cleaned

    @property
    def remarks(self) -> dict[Any, str]:
        """What is wanting by indicator; indicators without a word are left out."""
        return {
            indicator: self.cleaned_data[code]
            for code, indicator in self.indicators.items()
            if self.cleaned_data.get(code)
        }


class ReplyForm(forms.Form):
    """An answer to each remark; some may be left for later."""

    def __init__(self, remarks: list[ReturnRemark], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remarks = remarks
        for remark in remarks:
            field = PlainTextField(500)
            field.label, field.initial = gettext("答复：改了什么，或为什么不改"), remark.reply
            field.widget = forms.Textarea(attrs={"rows": 3})
            self.fields[f"reply-{remark.pk}"] = field
        self.helper = FormHelper()
        self.helper.form_tag = False

    @property
    def rows(self) -> list[tuple[ReturnRemark, Any]]:
        return [(remark, self[f"reply-{remark.pk}"]) for remark in self.remarks]

    @property
    def replies(self) -> dict[int, str]:
        return {remark.pk: self.cleaned_data[f"reply-{remark.pk}"] for remark in self.remarks}


class OpenTooForm(forms.Form):
    """One more indicator that a correction touches, and why."""

    def __init__(self, indicators: list[Indicator], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.indicators = {indicator.code: indicator for indicator in indicators}
        self.fields["indicator"] = forms.ChoiceField(
            label=gettext("还要一并修改的指标"),
            choices=[
                ("", gettext("请选择")),
                *((i.code, f"{i.code} {i.name}") for i in indicators),
            ],
            error_messages={
                "required": gettext("请选择指标。"),
                "invalid_choice": gettext("请从列表中选择指标。"),
            },
        )
        self.fields["why"] = PlainTextField(200)
        self.fields["why"].label = gettext("理由")
        self.fields["why"].widget = forms.TextInput()
        self.fields["why"].help_text = gettext("例如：职工总数改了，这里的数字要跟着改。")
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_why(self) -> str:
        if not self.cleaned_data["why"]:
            raise forms.ValidationError(gettext("请写明理由。"))
        return self.cleaned_data["why"]
