"""工会组织: browsing and searching the tree, and changing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, Count, QuerySet, Sum, When
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from organizations import histories, permissions, reorganizing
from organizations.choices import Tier
from organizations.forms.organizations import (
    DissolveForm,
    MergeForm,
    MoveForm,
    OrganizationFilter,
    OrganizationForm,
    ReasonedForm,
)
from organizations.models import Organization, User
from organizations.views.access import (
    administered_or_404,
    organization_or_404,
    reorganizable_or_404,
)
from organizations.views.lists import PAGE_SIZE, Column, Heading, TableView

#: The tiers as they stand, not as they are spelt.
_RANK = Case(*(When(tier=tier, then=rank) for rank, tier in enumerate(Tier)), default=len(Tier))
_COLUMNS = (
    Column("name", _("工会"), lambda union: union.name, "name", width=40),
    Column("code", _("代码"), lambda union: union.code, "code"),
    Column("tier", _("层级"), lambda union: union.get_tier_display()),
    Column("parent", _("上级工会"), lambda union: str(union.parent or ""), width=30),
    Column("below", _("在册下级"), lambda union: union.below, "below", numeric=True),
    Column("workers", _("职工"), lambda union: union.workers, "workers", numeric=True),
    Column("members", _("会员"), lambda union: union.members, "members", numeric=True),
)


class OrganizationList(TableView):
    """What a search finds; without one, the unions at the top of what the user sees."""

    template_name = "organizations/organizations/list.html"
    title = _("工会组织")
    columns = _COLUMNS
    context_object_name = "organizations"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.filter = OrganizationFilter(request.GET)
        if self.filter.is_empty:
            tops = _tops(request.user)
            if len(tops) == 1:
                return detail(request, tops[0].pk)
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Organization]:
        rows = Organization.objects.visible_to(self.request.user)
        if self.filter.is_empty:
            rows = rows.filter(pk__in=[top.pk for top in _tops(self.request.user)])
        return (
            self.filter.apply(rows).select_related("parent").with_subtree_counts().order_by("path")
        )


def _tops(user: User) -> list[Organization]:
    """The unions that the user belongs to, those below another one left out."""
    own = {membership.organization_id: membership.organization for membership in user.roles}
    return [
        organization
        for organization in own.values()
        if not any(other.is_above(organization) for other in own.values())
    ]


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One union: where it stands, what is below it, its register and its history."""
    organization = organization_or_404(request, pk)
    visible = Organization.objects.visible_to(request.user)
    children = (
        organization.children.active().with_subtree_counts().order_by(_RANK, "code")
        if organization.is_active
        else Organization.objects.none()
    )
    page = Paginator(children, PAGE_SIZE).get_page(request.GET.get("page"))
    administers = permissions.may_administer(request.user, organization)
    return render(
        request,
        "organizations/organizations/detail.html",
        {
            "organization": organization,
            "ancestors": visible.filter(pk__in=organization.ancestor_keys).order_by("path"),
            "totals": _totals(organization),
            "page_obj": page,
            "headings": [
                Heading(column.label, column.numeric)
                for column in _COLUMNS
                if column.name != "parent"
            ],
            "shown": {column.name for column in _COLUMNS if column.name != "parent"},
            "actions": _actions(request.user, organization),
            "imports": administers,
            "accounts": organization.memberships.values("user").distinct().count()
            if administers
            else None,
            "history": histories.lines(organization) if administers else [],
        },
    )


def _totals(organization: Organization) -> list[dict[str, Any]]:
    """Active unions of the subtree by tier, with their workers and members."""
    rows = (
        Organization.objects.active()
        .subtree_of(organization)
        .order_by()
        .values("tier")
        .annotate(count=Count("pk"), workers=Sum("workers"), members=Sum("members"))
    )
    by_tier = {row["tier"]: row for row in rows}
    return [by_tier[tier] | {"label": tier.label} for tier in Tier if tier in by_tier]


@dataclass(frozen=True)
class Act:
    """Something that may be done with a union: its page, and how it is put."""

    name: str
    title: str
    explanation: str = ""

    @property
    def url_name(self) -> str:
        return f"organizations:{self.name}"


MOVE = Act("move", _("调整上级"), _("连同它的全部下级一起移到新的上级之下。"))
MERGE = Act("merge", _("合并到其他工会"), _("本工会撤销，直接下级转到合并后的工会。"))
DISSOLVE = Act(
    "dissolve", _("撤销"), _("撤销后不再参加创建活动，人员失去在该工会的角色；历史记录都保留。")
)
REACTIVATE = Act(
    "reactivate", _("恢复"), _("恢复为在册工会，仍在原来的上级之下；原有人员的角色一并恢复。")
)


EDIT = Act("edit", _("修改登记"))
ADD = Act("add", _("新增下级工会"))


def _actions(user: User, organization: Organization) -> list[Act]:
    """What the user may do here."""
    found = []
    reorganizes = permissions.may_reorganize(user, organization)
    if reorganizes and organization.is_active:
        found.append(EDIT)
    takes_children = organization.is_active and organization.tier != Tier.GRASSROOTS
    if takes_children and permissions.may_administer(user, organization):
        found.append(ADD)
    if reorganizes and organization.tier != Tier.CITY:
        found += [MOVE, MERGE, DISSOLVE] if organization.is_active else [REACTIVATE]
    return found


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new union below this one."""
    parent = administered_or_404(request, pk)
    if ADD not in _actions(request.user, parent):
        raise Http404
    form = OrganizationForm(request.POST or None, instance=Organization(parent=parent))
    return _save(
        request,
        form,
        reorganizing.found,
        gettext("在“{parent}”之下新增工会").format(parent=parent.name),
        parent,
    )


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    organization = reorganizable_or_404(request, pk)
    if EDIT not in _actions(request.user, organization):
        raise Http404
    form = OrganizationForm(request.POST or None, instance=organization)
    return _save(request, form, reorganizing.revise, gettext("修改登记"), organization)


def _save(
    request: HttpRequest,
    form: OrganizationForm,
    save: Callable[..., Organization],
    title: str,
    back: Organization,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            organization = save(form.instance, by=request.user)
        except ValidationError as error:
            _refuse(form, error)
        else:
            messages.success(
                request, gettext("已保存：{organization}。").format(organization=organization.name)
            )
            return redirect(organization)
    return render(
        request,
        "organizations/organizations/form.html",
        {"form": form, "title": title, "back": back},
    )


def _refuse(form: Form, error: ValidationError) -> None:
    """Show the refusal at the field that it names, or at the head where the form has none such."""
    for name, errors in getattr(error, "error_dict", {None: error}).items():
        form.add_error(name if name in form.fields else None, errors)


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    organization = reorganizable_or_404(request, pk)
    form = MoveForm(organization, request.user, request.POST or None)
    return _act(request, organization, MOVE, form, reorganizing.move)


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    organization = reorganizable_or_404(request, pk)
    form = MergeForm(organization, request.user, request.POST or None)
    return _act(request, organization, MERGE, form, reorganizing.merge)


@require_http_methods(["GET", "POST"])
def dissolve(request: HttpRequest, pk: int) -> HttpResponse:
    organization = reorganizable_or_404(request, pk)
    has_subordinates = organization.children.active().exists()
    form = DissolveForm(has_subordinates, request.POST or None)
    return _act(request, organization, DISSOLVE, form, reorganizing.dissolve)


@require_http_methods(["GET", "POST"])
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    organization = reorganizable_or_404(request, pk)
    form = ReasonedForm(request.POST or None)
    return _act(request, organization, REACTIVATE, form, reorganizing.reactivate)


def _act(
    request: HttpRequest,
    organization: Organization,
    act: Act,
    form: Form,
    perform: Callable[..., Organization],
) -> HttpResponse:
    """Show what the act touches; on a valid form do it."""
    if act not in _actions(request.user, organization):
        raise Http404
    if request.method == "POST" and form.is_valid():
        try:
            organization = perform(organization, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            _refuse(form, error)
        else:
            messages.success(
                request,
                gettext("{title}已完成：{organization}。").format(
                    title=act.title, organization=organization.name
                ),
            )
            return redirect(organization)
    return render(
        request,
        "organizations/organizations/act.html",
        {
            "organization": organization,
            "act": act,
            "form": form,
            "impact": reorganizing.impact(organization),
        },
    )
