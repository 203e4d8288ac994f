"""The code of a paper form, its sealed scan, and filling in for another union."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import Action
from assessments.forms.actions import ActionForm
from assessments.forms.ratings import PlainTextField


class CodeForm(forms.Form):
    """The code at the foot of a paper form."""

    code = forms.CharField(
        label=_("验证码"),
        max_length=60,
        help_text=_(
            "在申报表每一页的页脚，例如 K7QF-2MXW-9HTC-4DKP。大小写、空格和横线都可以不管。"
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("请填写验证码。"),
            "max_length": _("验证码只有 16 位，请核对。"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ScanForm(forms.Form):
    """The scan or photo of the signed and sealed form."""

    scan = forms.FileField(
        label=_("签字盖章扫描件"),
        help_text=_("PDF、JPG 或 PNG。多页请合成一个 PDF；只有一页的，手机拍照也可以。"),
        max_length=255,
        widget=forms.ClearableFileInput(
            attrs={"accept": ".pdf,.jpg,.jpeg,.png,.webp,image/*,application/pdf"}
        ),
        error_messages={
            "required": _("请选择扫描件。"),
            "empty": _("这是空文件，请重新选择。"),
            "max_length": _("文件名太长，请改短再传。"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ProxyForm(forms.Form):
    """Why a union fills in for another one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = PlainTextField(200)
        self.fields["reason"].label = gettext("代填原因")
        self.fields["reason"].widget = forms.TextInput()
        self.fields["reason"].help_text = gettext("例如：该工会没有电脑，负责人委托镇总工会代填。")
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_reason(self) -> str:
        if not self.cleaned_data["reason"]:
            raise forms.ValidationError(gettext("请填写代填原因。"))
        return self.cleaned_data["reason"]


class PaperSubmissionForm(ActionForm):
    """The union's head has signed on paper; the head who fills in confirms by password."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(Action.SUBMIT, *args, request=request, **kwargs)
        signatory = PlainTextField(40)
        signatory.label, signatory.required = gettext("在纸质表上签字的负责人"), True
        signatory.widget = forms.TextInput()
        confirmed = self.fields["confirmed"]
        confirmed.label = gettext(
            "纸质表已由申报工会负责人签字、盖章，与网上填报的内容一致，同意代为提交。"
        )
        password = self.fields["password"]
        password.help_text = gettext("代为提交须由本工会负责人本人确认。")
        self.fields = {
            "signatory": signatory,
            "scan": ScanForm.base_fields["scan"],
            "confirmed": confirmed,
            "password": password,
        }
