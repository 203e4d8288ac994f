"""账号管理: for administrators, the accounts of their own unions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations import accounts, histories, permissions, second_factor, sign_in
from organizations.forms.accounts import (
    AccountFilter,
    AccountForm,
    GrantForm,
    HandOverForm,
    NameForm,
    ReasonForm,
    without_slip,
)
from organizations.models import Membership, Organization, User
from organizations.views import slips
from organizations.views.access import require_admin
from organizations.views.lists import Column, TableView


def _with_roles(user: User) -> Prefetch:
    """The roles of an account in the unions that the user administers."""
    administered = Organization.objects.administered_by(user)
    roles = Membership.objects.filter(organization__in=administered.values("pk"))
    return Prefetch(
        "memberships",
        roles.select_related("organization").order_by("organization__path", "role"),
        to_attr="shown_roles",
    )


def _roles(account: User) -> str:
    return gettext("；").join(
        f"{role.organization.name} · {role.get_role_display()}" for role in account.shown_roles
    )


def _state(account: User) -> str:
    if not account.is_active:
        return gettext("已停用")
    return gettext("未激活") if account.must_change_password else gettext("已激活")


class AccountList(TableView):
    template_name = "organizations/accounts/list.html"
    context_object_name = "accounts"
    title = _("账号管理")
    columns = (
        Column("name", _("姓名"), lambda one: one.full_name or one.username, "full_name"),
        Column("username", _("用户名"), lambda one: one.username, "username"),
        Column("roles", _("角色"), _roles, width=60),
        Column("state", _("状态"), _state, width=10),
        Column("seen", _("最近登录"), lambda one: one.last_login, "last_login", width=20),
    )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_admin(request)
        return super().dispatch(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[User]:
        self.filter = AccountFilter(self.request.GET, self.request.user)
        return filtered(self.request, self.filter).prefetch_related(_with_roles(self.request.user))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = without_slip(filtered(self.request, self.filter)).count()
        return super().get_context_data(**kwargs) | {
            "waiting": waiting,
            "issues_tokens": permissions.is_city_admin(self.request.user),
            "portion": min(waiting, slips.PORTION),
        }


def filtered(request: HttpRequest, filter_form: AccountFilter) -> QuerySet[User]:
    """The accounts of the list that is on the screen."""
    rows = User.objects.administered_by(request.user).select_related("first_password")
    return filter_form.apply(rows).order_by("username")


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Open an account; its slip can be printed on the next page."""
    require_admin(request)
    form = AccountForm(
        request.user,
        request.POST or None,
        initial={"organization": request.GET.get("organization", "")[:120]},
    )
    if request.method == "POST" and form.is_valid():
        try:
            account = accounts.open_account(by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(
                request,
                gettext("已开户：{full_name}，用户名 {username}。").format(
                    full_name=account.full_name, username=account.username
                ),
            )
            return redirect("organizations:account", account.pk)
    return render(request, "organizations/accounts/add.html", {"form": form})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    account, manageable = _account_or_404(request, pk)
    return _detail(request, account, manageable)


def _detail(
    request: HttpRequest, account: User, manageable: bool, form: GrantForm | None = None
) -> HttpResponse:
    roles = [
        (role, permissions.may_grant(request.user, role.organization, role.role))
        for role in account.shown_roles
    ]
    return render(
        request,
        "organizations/accounts/detail.html",
        {
            "account": account,
            "manageable": manageable,
            "is_own": account.pk == request.user.pk,
            "roles": roles,
            "has_other_roles": len(account.every_role) > len(account.shown_roles),
            "grant_form": form or GrantForm(request.user),
            "name_form": NameForm(initial={"full_name": account.full_name}),
            "reason_form": ReasonForm(),
            "is_locked": sign_in.is_locked(account.username),
            "has_second_factor": second_factor.is_enrolled(account),
            "history": histories.lines(account) if manageable else [],
        },
    )


def _account_or_404(request: HttpRequest, pk: int) -> tuple[User, bool]:
    """The account, if it has a role in a union that the user administers; and whether the user
    may manage it, which takes that of all its roles."""
    require_admin(request)
    rows = User.objects.administered_by(request.user).select_related("first_password")
    every = Membership.objects.select_related("organization")
    account = get_object_or_404(
        rows.prefetch_related(
            _with_roles(request.user), Prefetch("memberships", every, to_attr="every_role")
        ),
        pk=pk,
    )
    return account, permissions.may_manage_account(request.user, account, account.every_role)


def _manageable_or_404(request: HttpRequest, pk: int) -> User:
    account, manageable = _account_or_404(request, pk)
    if not manageable:
        raise Http404
    return account


def _not_oneself_or_404(request: HttpRequest, pk: int) -> User:
    """Nobody locks themselves out."""
    if pk == request.user.pk:
        raise Http404
    return _manageable_or_404(request, pk)


def _done(request: HttpRequest, account: User, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("organizations:account", account.pk)


@require_POST
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    account, manageable = _account_or_404(request, pk)
    form = GrantForm(request.user, request.POST)
    if form.is_valid():
        try:
            accounts.grant(account, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            return _done(request, account, gettext("已授予角色。"))
    return _detail(request, account, manageable, form)


@require_POST
def revoke(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    account, _ = _account_or_404(request, pk)
    membership = next((role for role in account.shown_roles if role.pk == membership_pk), None)
    if membership is None or not permissions.may_grant(
        request.user, membership.organization, membership.role
    ):
        raise Http404
    accounts.revoke(membership, by=request.user)
    messages.success(
        request,
        gettext("已取消角色：{organization} · {role}。").format(
            organization=membership.organization, role=membership.get_role_display()
        ),
    )
    if User.objects.administered_by(request.user).filter(pk=account.pk).exists():
        return redirect("organizations:account", account.pk)
    return redirect("organizations:accounts")


@require_POST
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    account = _not_oneself_or_404(request, pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    accounts.disable(account, by=request.user, reason=reason)
    return _done(request, account, gettext("账号已停用，已登录的会话同时结束。"))


@require_POST
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    account = _not_oneself_or_404(request, pk)
    accounts.enable(account, by=request.user)
    return _done(request, account, gettext("账号已启用。"))


@require_POST
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    account = _manageable_or_404(request, pk)
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("姓名不能为空，最多 40 字。"))
        return redirect("organizations:account", account.pk)
    accounts.rename(account, by=request.user, **form.cleaned_data)
    return _done(request, account, gettext("姓名已更正。"))


@require_POST
def unlock(request: HttpRequest, pk: int) -> HttpResponse:
    account = _manageable_or_404(request, pk)
    sign_in.unlock(account, by=request.user)
    return _done(request, account, gettext("已解除锁定，现在可以登录。"))


@require_POST
def reset_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    account = _not_oneself_or_404(request, pk)
    second_factor.reset(account, by=request.user)
    return _done(request, account, gettext("已解除二次验证，本人下次登录后可以重新设置。"))


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    account = _not_oneself_or_404(request, pk)
    form = HandOverForm(request.user, account, account.every_role, request.POST or None)
    if request.method == "POST" and form.is_valid():
        successor = _hand_over(request.user, account, form.cleaned_data)
        messages.success(
            request,
            gettext("已移交给{full_name}（{username}）。").format(
                full_name=successor.full_name, username=successor.username
            ),
        )
        return redirect("organizations:account", successor.pk)
    return render(
        request, "organizations/accounts/hand_over.html", {"account": account, "form": form}
    )


@transaction.atomic
def _hand_over(admin: User, account: User, chosen: dict[str, Any]) -> User:
    roles = chosen["memberships"]
    successor = chosen["successor"] or accounts.open_account(
        full_name=chosen["full_name"],
        organization=roles[0].organization,
        role=roles[0].role,
        by=admin,
    )
    accounts.hand_over(account, successor=successor, memberships=roles, by=admin)
    return successor


@require_POST
def slip(request: HttpRequest, pk: int) -> HttpResponse:
    """A first password for one account, shown this once."""
    account = _not_oneself_or_404(request, pk)
    if not account.is_active:
        messages.error(request, gettext("账号已停用，请先启用。"))
        return redirect("organizations:account", account.pk)
    return slips.show(request, [account], back=reverse("organizations:account", args=[pk]))


@require_POST
def slips_of_list(request: HttpRequest) -> HttpResponse:
    """First passwords for the accounts of the list that nobody has activated yet."""
    require_admin(request)
    rows = without_slip(filtered(request, AccountFilter(request.GET, request.user)))
    rows = rows.prefetch_related(
        _with_roles(request.user),
        Prefetch(
            "memberships", Membership.objects.select_related("organization"), to_attr="every_role"
        ),
    )
    chosen = [
        account
        for account in rows[: slips.PORTION]
        if account.pk != request.user.pk
        and permissions.may_manage_account(request.user, account, account.every_role)
    ]
    back = f"{reverse('organizations:accounts')}?{request.GET.urlencode()}"
    if not chosen:
        messages.info(request, gettext("没有需要发放初始密码的账号。"))
        return redirect(back)
    return slips.show(request, chosen, back=back)
