"""The back office for organizations, accounts and the audit record."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from organizations import tree
from organizations.audit import record
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.permissions import is_city_admin


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
        details = {"object": obj._meta.label_lower, "key": str(obj.pk), "name": str(obj)}
        record(action=action, by=request.user, details=details | {"message": message})


class ReadOnly(CityAdminOnly):
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organization)
class OrganizationAdmin(RecordedAdmin):
    list_display = ["name", "code", "tier", "parent", "dissolved_on"]
    list_filter = ["tier", ("dissolved_on", admin.EmptyFieldListFilter)]
    list_select_related = ["parent"]
    search_fields = ["name", "code"]
    autocomplete_fields = ["parent"]
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Organizations are dissolved by a date, never deleted: their past stays."""
        return False

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        (tree.replant if change else tree.plant)(obj)


class MembershipInline(CityAdminOnly, admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["organization"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("organization", "user")


class UserCreationForm(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "full_name")


@admin.register(User)
class UserAdmin(RecordedAdmin, DjangoUserAdmin):
    add_form = UserCreationForm
    list_display = ["username", "full_name", "is_active", "last_login"]
    list_filter = ["is_active", "memberships__role"]
    search_fields = ["username", "full_name"]
    filter_horizontal = []
    ordering = ["username"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "full_name", "email", "password"]}),
        ("状态", {"fields": ["is_active", "last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "full_name", "usable_password", "password1", "password2"]})
    ]
    inlines = [MembershipInline]

    @method_decorator(transaction.atomic)
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are disabled, never deleted: what they did stays on record."""
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["at", "actor_name", "action", "chain", "details"]
    list_select_related = ["chain"]
    search_fields = ["actor_name", "action", "chain__key"]
    ordering = ["-pk"]
    show_full_result_count = False


admin.site.unregister(Group)
