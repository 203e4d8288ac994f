"""Another system that is to read from the portal (数据接口)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.choices import ApiScope, Tier
from organizations.forms.organizations import OrganizationField
from organizations.models import ApiClient, Organization

#: A token is renewed at least so often.
_LONGEST = dt.timedelta(days=3 * 366)


class ApiClientForm(forms.ModelForm):
    organization = OrganizationField(
        Organization.objects.active().exclude(tier=Tier.GRASSROOTS),
        label=_("数据范围"),
        help_text=_("填工会的代码或全称；可读该工会及下级的数据。"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("可读内容"),
        choices=ApiScope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请至少选择一项。")},
    )

    class Meta:
        model = ApiClient
        fields = ("name", "contact", "organization", "scopes", "expires_on")
        widgets = {"expires_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_expires_on(self) -> dt.date:
        day, today = self.cleaned_data["expires_on"], timezone.localdate()
        if day < today:
            raise forms.ValidationError(gettext("有效期不能早于今天。"))
        if day > today + _LONGEST:
            raise forms.ValidationError(gettext("有效期最长三年。"))
        return day
