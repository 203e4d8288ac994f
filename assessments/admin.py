"""The back office for campaigns, rubrics, recusals."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from assessments import campaigns, standings
from assessments.choices import CampaignState
from assessments.models import (
    Campaign,
    Extension,
    Indicator,
    Recusal,
    Rubric,
    TierPolicy,
    Veto,
)
from organizations.admin import CityAdminOnly, ReadOnly, RecordedAdmin


def _has_opened(campaign: Campaign | None) -> bool:
    return campaign is not None and campaign.state != CampaignState.PREPARING


#: The days can be put off for everybody, with a reason, on the portal's own page.
_FIXED_ONCE_OPEN = [
    "year",
    "cycle_start_year",
    "opens_on",
    *campaigns.EXTENDABLE,
    "criterion_pass_percent",
    "pass_total",
    "discrepancy_percent",
    "several_reviewers",
    "remark_tolerance",
    "basically_satisfied_counts",
]


class TierPolicyInline(CityAdminOnly, admin.TabularInline):
    """Which rubric a tier is held against, and by how many, is fixed once the campaign has
    opened."""

    model = TierPolicy
    extra = 3
    max_num = 3

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["tier", "rubric", "reviewers"] if _has_opened(obj) else []

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_add_permission(request, obj) and not _has_opened(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _has_opened(obj)


@admin.register(Campaign)
class CampaignAdmin(RecordedAdmin):
    list_display = ["name", "year", "state", "opens_on", "submission_deadline", "review_deadline"]
    readonly_fields = ["state"]
    filter_horizontal = []
    autocomplete_fields = ["outside_target"]
    inlines = [TierPolicyInline]
    fieldsets = [
        (None, {"fields": ["name", "year", "cycle_start_year", "state"]}),
        (
            _("日期"),
            {
                "fields": [
                    "plan_deadline",
                    "opens_on",
                    "submission_deadline",
                    "endorsement_deadline",
                    "review_deadline",
                    "correction_days",
                ]
            },
        ),
        (
            _("标准线"),
            {
                "fields": [
                    "criterion_pass_percent",
                    "pass_total",
                    "target_percent",
                    "discrepancy_percent",
                    "several_reviewers",
                    "remark_tolerance",
                    "basically_satisfied_counts",
                    "publicity_working_days",
                    "publishes_points",
                    "outside_target",
                ]
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        """Once open, the year and the lines that decisions rest on are fixed."""
        return ["state", *_FIXED_ONCE_OPEN] if _has_opened(obj) else ["state"]

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _has_opened(obj)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        archived = obj is not None and obj.is_archived
        return super().has_change_permission(request, obj) and not archived

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deletion in bulk: it would pass over the rule above. Opening and what follows is
        done on the portal's own pages (创建活动)."""
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if name != "delete_selected"
        }


@admin.register(Rubric)
class RubricAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["title", "tier", "version"]


@admin.register(Indicator)
class IndicatorAdmin(ReadOnly, admin.ModelAdmin):
    """To look things up: versions are changed on the pages of the portal, which weigh the points."""

    list_display = ["code", "name", "kind", "max_points", "mandatory", "conditional", "criterion"]
    list_filter = ["criterion__rubric", "kind", "mandatory", "conditional", "evidence_required"]
    list_select_related = ["criterion"]
    search_fields = ["code", "name", "clause"]
    ordering = ["criterion__rubric", "position"]
    list_per_page = 60


@admin.register(Recusal)
class RecusalAdmin(ReadOnly, admin.ModelAdmin):
    """Entered and lifted on the page of the portal, which takes the submissions away, too."""

    list_display = ["reviewer", "organization", "reason"]
    list_select_related = ["reviewer", "organization"]


class OfACampaign(RecordedAdmin):
    """What belongs to an archived campaign stays as it is."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_archived(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_archived(obj)


def _is_archived(obj: Extension | Veto | None) -> bool:
    return obj is not None and obj.campaign.is_archived


@admin.register(Extension)
class ExtensionAdmin(OfACampaign):
    list_display = ["organization", "campaign", "until", "reason"]
    list_filter = ["campaign"]
    list_select_related = ["organization", "campaign"]
    search_fields = ["organization__name", "organization__code"]
    autocomplete_fields = ["organization"]


@admin.register(Veto)
class VetoAdmin(OfACampaign):
    list_display = ["organization", "campaign", "reason", "recorded_by"]
    list_filter = ["campaign"]
    list_select_related = ["organization", "campaign", "recorded_by"]
    search_fields = ["organization__name", "organization__code"]
    autocomplete_fields = ["organization"]

    def save_model(self, request: HttpRequest, obj: Veto, form: Any, change: bool) -> None:
        if obj.recorded_by_id is None:
            obj.recorded_by = request.user
        super().save_model(request, obj, form, change)
        standings.refresh_union(obj.campaign, obj.organization)

    def delete_model(self, request: HttpRequest, obj: Veto) -> None:
        super().delete_model(request, obj)
        standings.refresh_union(obj.campaign, obj.organization)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Veto]) -> None:
        gone = list(queryset.select_related("campaign", "organization"))
        super().delete_queryset(request, queryset)
        for veto in gone:
            standings.refresh_union(veto.campaign, veto.organization)
