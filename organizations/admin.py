"""The back office for organizations, accounts and the audit record."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations import accounts, sign_in, tree
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import Tier
from organizations.importing import register
from organizations.models import (
    AuditEvent,
    Delivery,
    Membership,
    Organization,
    OrganizationImport,
    User,
)
from organizations.models.organization import REGISTER_FIELDS, within
from organizations.permissions import is_city_admin
from organizations.workbook import MEDIA_TYPE


class CityAdminOnly:
    """The city's administrators may do everything in the back office, others nothing."""

    def _allowed(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and is_city_admin(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request)


class RecordedAdmin(CityAdminOnly, admin.ModelAdmin):
    """Every change goes on the audit record too, beside Django's own history; the two stand or
    fall together."""

    @method_decorator(transaction.atomic)
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str]:
        """Nothing is filled in from the address: it may say anything."""
        return {}

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        self._record(request, "ADD", obj, [])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        self._record(request, "CHANGE", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, "DELETE", obj, [])
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, action: str, obj: models.Model, message: Any) -> None:
        with in_chinese():
            details = {"object": obj._meta.label_lower, "key": str(obj.pk), "name": str(obj)}
        record(action=action, by=request.user, details=details | {"message": message})


class ReadOnly(CityAdminOnly):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CountyFilter(admin.SimpleListFilter):
    """The subtree of a county-level or industrial union."""

    title = _("所属县（市、区）或产业")
    parameter_name = "county"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tops = Organization.objects.filter(tier__in=[Tier.COUNTY, Tier.INDUSTRY]).order_by("code")
        return list(tops.values_list("path", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        known = {path for path, _ in self.lookup_choices}
        return queryset.filter(within(chosen)) if chosen in known else queryset


@admin.register(Organization)
class OrganizationAdmin(RecordedAdmin):
    """Names, codes and registers. Place and life of a union change on its page in the portal,
    with a reason and a date."""

    list_display = ["name", "code", "tier", "parent", "kind", "workers", "members", "dissolved_on"]
    list_filter = [
        "tier",
        CountyFilter,
        "kind",
        "ownership",
        "has_legal_person",
        ("dissolved_on", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["parent"]
    list_per_page = 50
    search_fields = ["name", "code", "initials"]
    autocomplete_fields = ["parent"]
    show_full_result_count = False
    actions = ["export_register"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).administered_by(request.user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["name", "code", "tier", "parent", *REGISTER_FIELDS, *self._life(obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["tier", "parent", *self._life(obj)] if obj else []

    @staticmethod
    def _life(obj: Organization | None) -> list[str]:
        return ["dissolved_on", "merged_into"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Organizations are dissolved by a date, never deleted: their past stays."""
        return False

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        (tree.replant if change else tree.plant)(obj)

    @admin.action(description=_("导出所选工会的名册"))
    def export_register(self, request: HttpRequest, queryset: QuerySet) -> FileResponse:
        return FileResponse(
            register.write(queryset),
            as_attachment=True,
            filename=register.filename(),
            content_type=MEDIA_TYPE,
        )


class MembershipInline(CityAdminOnly, admin.TabularInline):
    """Roles are given and taken away, never turned into others."""

    model = Membership
    extra = 1
    autocomplete_fields = ["organization"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("organization", "user")


class NewUserForm(forms.ModelForm):
    """A new account has no password until a slip is issued for it."""

    class Meta:
        model = User
        fields = ("username", "full_name")

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        self.instance.must_change_password = True
        return super().save(commit)


@admin.register(User)
class UserAdmin(RecordedAdmin):
    """Nobody sets another's password: the account's page in the portal issues a first one."""

    list_display = ["username", "full_name", "is_active", "must_change_password", "last_login"]
    list_filter = ["is_active", "must_change_password", "memberships__role"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["username", "full_name"]
    ordering = ["username"]
    fields = ["username", "full_name", "email", "is_active", "last_login", "date_joined"]
    readonly_fields = ["is_active", "last_login", "date_joined"]
    inlines = [MembershipInline]
    actions = ["disable", "enable", "unlock"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).administered_by(request.user)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewUserForm
            kwargs["fields"] = NewUserForm._meta.fields
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.fields if obj else list(NewUserForm._meta.fields)

    def view_on_site(self, obj: User) -> str:
        return reverse("organizations:account", args=[obj.pk])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are disabled, never deleted: what they did stays on record."""
        return False

    @admin.action(description=_("停用所选账号"))
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for account in queryset.exclude(pk=request.user.pk).filter(is_active=True):
            accounts.disable(account, by=request.user)
        self.message_user(request, gettext("所选账号已停用，已登录的会话同时结束。"))

    @admin.action(description=_("启用所选账号"))
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for account in queryset.filter(is_active=False):
            accounts.enable(account, by=request.user)
        self.message_user(request, gettext("所选账号已启用。"))

    @admin.action(description=_("解除所选账号的登录锁定"))
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for account in queryset:
            sign_in.unlock(account, by=request.user)
        self.message_user(request, gettext("所选账号的登录锁定已解除。"))


@admin.register(Membership)
class MembershipAdmin(RecordedAdmin):
    list_display = ["user", "username", "organization", "role"]
    list_filter = ["role", "organization__tier"]
    list_select_related = ["user", "organization"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = [
        "user__full_name",
        "user__username",
        "organization__name",
        "organization__code",
        "organization__initials",
    ]
    autocomplete_fields = ["user", "organization"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        administered = User.objects.administered_by(request.user)
        return super().get_queryset(request).filter(user__in=administered)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role is given or taken away, never turned into another."""
        return False

    @admin.display(description=_("用户名"), ordering="user__username")
    def username(self, obj: Membership) -> str:
        return obj.user.username


@admin.register(OrganizationImport)
class OrganizationImportAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["filename", "uploaded_by", "uploaded_at", "state", "applied_at"]
    list_filter = ["state"]
    list_select_related = ["uploaded_by"]
    search_fields = ["filename", "uploaded_by__full_name"]
    fields = [*list_display, "counts", "sha256"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):
    """What became of the mails. Their content is the recipient's own."""

    list_display = ["at", "user", "address", "subject", "count", "outcome", "error"]
    list_filter = ["outcome"]
    list_per_page = 50
    list_select_related = ["user"]
    search_fields = ["address", "user__full_name", "user__username"]
    ordering = ["-at"]
    show_full_result_count = False
    fields = list_display


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "actor_name", "action", "chain", "details"]
    list_per_page = 50
    list_select_related = ["chain"]
    search_fields = ["actor_name", "action", "chain__key"]
    ordering = ["-pk"]
    show_full_result_count = False
