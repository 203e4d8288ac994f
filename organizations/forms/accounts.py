"""Opening accounts, giving roles, handing over, and narrowing the list of accounts."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations import permissions
from organizations.choices import Role, Tier
from organizations.forms.filters import ListFilter, named
from organizations.forms.organizations import OrganizationField
from organizations.models import FirstPassword, Membership, Organization, User


class GrantForm(forms.Form):
    """A role in a union that the administrator may give."""

    role = forms.ChoiceField(label=_("角色"))

    def __init__(self, admin: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admin = admin
        among = Organization.objects.active().administered_by(admin)
        self.fields["organization"] = OrganizationField(among, label=gettext("工会"))
        roles = Role if permissions.is_city_admin(admin) else permissions.COUNTY_GRANTS
        self.fields["role"].choices = [
            ("", gettext("请选择")),
            *((r.value, r.label) for r in roles),
        ]
        self.order_fields(["full_name", "organization", "role", "username"])
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        organization, role = cleaned.get("organization"), cleaned.get("role")
        if organization and role and not permissions.may_grant(self.admin, organization, role):
            tier = Tier(organization.tier).label
            self.add_error(
                "role", gettext("{tier}没有这个角色，或者您不能授予它。").format(tier=tier)
            )
        return cleaned


class AccountForm(GrantForm):
    """A new account with its first role."""

    full_name = forms.CharField(label=_("姓名"), max_length=40)
    username = forms.CharField(
        label=_("用户名"),
        max_length=150,
        required=False,
        help_text=_("可不填：系统用工会代码加序号，例如 410421100-1。"),
        validators=User._meta.get_field("username").validators,
    )

    def clean_username(self) -> str:
        username = self.cleaned_data["username"].strip()
        if username and User.objects.filter(username__iexact=username).exists():
            raise ValidationError(gettext("这个用户名已经有人使用。"))
        return username


class NameForm(forms.Form):
    full_name = forms.CharField(
        label=_("姓名"), max_length=40, help_text=_("只用来更正错字；换了人请用“移交给接任者”。")
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("停用理由"), max_length=200, required=False)


class HandOverForm(forms.Form):
    """Roles that go to a successor: somebody who has an account already, or a new one."""

    successor = forms.CharField(
        label=_("接任者的用户名"),
        max_length=150,
        required=False,
        help_text=_("接任者已有账号时填写。"),
    )
    full_name = forms.CharField(
        label=_("接任者姓名"),
        max_length=40,
        required=False,
        help_text=_("接任者还没有账号时填写，系统为其开户。"),
    )

    def __init__(
        self, admin: User, account: User, memberships: list[Membership], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.admin, self.account = admin, account
        self.by_key = {str(membership.pk): membership for membership in memberships}
        self.fields["memberships"] = forms.MultipleChoiceField(
            label=gettext("移交哪些角色"),
            choices=[
                (key, f"{one.organization} · {one.get_role_display()}")
                for key, one in self.by_key.items()
            ],
            initial=list(self.by_key),
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": gettext("请至少选择一个角色。")},
        )
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        username, full_name = cleaned.get("successor", "").strip(), cleaned.get("full_name")
        if bool(username) == bool(full_name) and not self.errors:
            raise ValidationError(gettext("请填写接任者的用户名或者姓名，只填一项。"))
        if username:
            among = User.objects.administered_by(self.admin).filter(is_active=True)
            found = among.filter(username=username).exclude(pk=self.account.pk).first()
            if found is None:
                self.add_error("successor", gettext("您管理的账号中没有这个用户名，或者它已停用。"))
            cleaned["successor"] = found
        cleaned["memberships"] = [self.by_key[key] for key in cleaned.get("memberships", ())]
        return cleaned


class AccountFilter(ListFilter):
    """By name, username or union; role; how far the account has come."""

    NEW, ACTIVE, DISABLED = "new", "active", "disabled"

    q = forms.CharField(label=_("姓名、用户名或工会"), required=False, max_length=60)
    role = forms.ChoiceField(
        label=_("角色"), required=False, choices=[("", _("全部角色")), *Role.choices]
    )
    state = forms.ChoiceField(
        label=_("状态"),
        required=False,
        choices=[
            ("", _("全部状态")),
            (NEW, _("未激活")),
            (ACTIVE, _("已激活")),
            (DISABLED, _("已停用")),
        ],
    )
    under = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, admin: User) -> None:
        super().__init__(data)
        key = self.value("under")
        among = Organization.objects.administered_by(admin)
        self.union = among.filter(pk=key).first() if key else None

    def apply(self, rows: QuerySet[User]) -> QuerySet[User]:
        held = Membership.objects.filter(user=OuterRef("pk"))
        if text := self.value("q"):
            in_union = held.filter(named(text, "organization__"))
            rows = rows.filter(
                Q(full_name__icontains=text) | Q(username__icontains=text) | Exists(in_union)
            )
        if role := self.value("role"):
            held = held.filter(role=role)
        if self.union is not None:
            held = held.filter(
                organization__in=Organization.objects.subtree_of(self.union).values("pk")
            )
        if role or self.union is not None:
            rows = rows.filter(Exists(held))
        state = self.value("state")
        if state == self.DISABLED:
            rows = rows.filter(is_active=False)
        elif state:
            rows = rows.filter(is_active=True, must_change_password=state == self.NEW)
        return rows


def without_slip(rows: QuerySet[User]) -> QuerySet[User]:
    """The accounts that nobody has activated and that have no slip that still holds."""
    holding = FirstPassword.objects.filter(user=OuterRef("pk"), expires_at__gt=timezone.now())
    return rows.filter(~Exists(holding), is_active=True, must_change_password=True)
