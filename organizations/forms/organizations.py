"""Entering, revising and reorganizing unions, and narrowing their list."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations import accounts, reorganizing
from organizations.choices import PARENT_TIERS, Tier
from organizations.forms.filters import ListFilter, named
from organizations.importing import columns
from organizations.models import Organization, User
from organizations.models.organization import REGISTER_FIELDS

_YES_NO = [("", _("未填")), ("true", _("是")), ("false", _("否"))]


def find_organization(text: str, among: QuerySet[Organization]) -> Organization:
    """The union with this code, or the only one with this name. Raises ValidationError."""
    text = text.strip()
    found = list(among.filter(Q(code=text) | Q(name=text)).order_by("path")[:6])
    exact = [organization for organization in found if organization.code == text]
    if exact:
        return exact[0]
    if len(found) > 1:
        codes = gettext("、").join(organization.code for organization in found[:5])
        raise ValidationError(
            gettext("有几个工会叫这个名称，请填代码：{codes}。").format(codes=codes)
        )
    if not found:
        raise ValidationError(gettext("找不到这个工会，请填完整的名称或代码。"))
    return found[0]


class OrganizationField(forms.CharField):
    """A union by its code or full name, among those given as `among`."""

    def __init__(self, among: QuerySet[Organization], **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("填工会的代码或全称。"))
        super().__init__(max_length=120, **kwargs)
        self.among = among

    def clean(self, value: Any) -> Organization | None:
        text = super().clean(value)
        return find_organization(text, self.among) if text else None


class OrganizationForm(forms.ModelForm):
    """A union's entry; the register (台账) only for a grassroots union."""

    has_legal_person = forms.TypedChoiceField(
        label=_("工会法人资格"),
        choices=_YES_NO,
        required=False,
        coerce={"true": True, "false": False}.get,
        empty_value=None,
    )

    class Meta:
        model = Organization
        fields = ("name", "code", "tier", *REGISTER_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        union = self.instance
        self.helper = FormHelper()
        self.helper.form_tag = False
        if union.pk:
            del self.fields["tier"]
            self.initial["has_legal_person"] = {True: "true", False: "false"}.get(
                union.has_legal_person, ""
            )
        else:
            allowed = [tier for tier in Tier if union.parent.tier in PARENT_TIERS[tier]]
            self.fields["tier"].choices = [(tier.value, tier.label) for tier in allowed]
            # Stands anywhere: where no good one is sent, the place is not found wrong as well.
            union.tier = self.initial["tier"] = Tier.GRASSROOTS
        if union.pk and union.tier != Tier.GRASSROOTS:
            for name in REGISTER_FIELDS:
                del self.fields[name]

    def clean_code(self) -> str:
        """As a list would have it, so that what is entered here can be imported."""
        code = self.cleaned_data["code"]
        if "code" not in self.changed_data:
            return code
        try:
            return columns.code_of(code)
        except columns.CellFault as fault:
            raise ValidationError(str(fault)) from fault

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("tier", self.instance.tier) != Tier.GRASSROOTS:
            for name in REGISTER_FIELDS:
                if name in self.fields and cleaned.get(name) not in ("", None):
                    self.add_error(name, gettext("只有基层工会填写这一项。"))
        return cleaned


class ReasonedForm(forms.Form):
    """An act with a reason and the day from which it holds."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("例如批准文件及文号。"),
    )
    on = forms.DateField(label=_("生效日期"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["on"].widget.attrs["max"] = today.isoformat()
        self.initial.setdefault("on", today.isoformat())
        self.helper = FormHelper()
        self.helper.form_tag = False


class MoveForm(ReasonedForm):
    to = forms.ModelChoiceField(label=_("新的上级工会"), queryset=None, empty_label=_("请选择"))
    field_order = ["to"]

    def __init__(self, organization: Organization, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = reorganizing.superiors_for(organization, user)


class MergeForm(ReasonedForm):
    field_order = ["into"]
    with_accounts = forms.BooleanField(
        label=_("把账号一并转到合并后的工会"),
        required=False,
        help_text=_("不勾选时，原工会的人员不再有任何角色。"),
    )

    def __init__(self, organization: Organization, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        among = Organization.objects.active().administered_by(user).filter(tier=organization.tier)
        self.fields["into"] = OrganizationField(
            among.exclude(pk=organization.pk), label=gettext("并入哪个工会")
        )
        self.order_fields(self.field_order)


class DissolveForm(ReasonedForm):
    with_subordinates = forms.BooleanField(label=_("连同全部下级工会一并撤销"), required=False)

    def __init__(self, has_subordinates: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_subordinates:
            del self.fields["with_subordinates"]


class OrganizationFilter(ListFilter):
    """By name, pinyin initials or code; tier; active or dissolved; whether anybody can sign."""

    DISSOLVED = "dissolved"

    q = forms.CharField(label=_("名称、拼音首字母或代码"), required=False, max_length=60)
    tier = forms.ChoiceField(
        label=_("层级"), required=False, choices=[("", _("全部层级")), *Tier.choices]
    )
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("在册")), (DISSOLVED, _("已撤销"))]
    )
    head = forms.ChoiceField(
        label=_("负责人"),
        required=False,
        choices=[("", _("不限负责人")), ("none", _("没有负责人账号"))],
    )

    def apply(self, rows: QuerySet[Organization]) -> QuerySet[Organization]:
        if text := self.value("q"):
            rows = rows.filter(named(text))
        if tier := self.value("tier"):
            rows = rows.filter(tier=tier)
        if self.value("head"):
            rows = accounts.without_head(rows)
        return rows.filter(dissolved_on__isnull=self.value("state") != self.DISSOLVED)
