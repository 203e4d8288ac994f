"""The back office for campaigns, rubrics, recusals."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

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


_FIXED_ONCE_OPEN = [
    "year",
    "cycle_start_year",
    "opens_on",
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
    actions = ["open_campaigns", "close_campaigns"]
    fieldsets = [
        (None, {"fields": ["name", "year", "cycle_start_year", "state"]}),
        (
            "日期",
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
            "标准线",
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

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deletion in bulk: it would pass over the rule above."""
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if name != "delete_selected"
        }

    @admin.action(description="开放所选活动（工会可以填报，标准随之锁定）")
    def open_campaigns(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        for campaign in queryset:
            try:
                campaigns.open_campaign(campaign, by=request.user)
            except campaigns.NotInOrder as error:
                for problem in error.problems:
                    self.message_user(request, f"{campaign}：{problem}", messages.ERROR)
                continue
            self.message_user(request, f"{campaign}：已开放。", messages.SUCCESS)
            left_out = campaigns.tiers_without_policy(campaign)
            if left_out:
                names = "、".join(left_out)
                self.message_user(request, f"{campaign}：没有设置{names}。", messages.WARNING)

    @admin.action(description="结束所选活动（不能再填报，评审可以继续）")
    def close_campaigns(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        for campaign in queryset:
            campaigns.close_campaign(campaign, by=request.user)
            self.message_user(request, f"{campaign}：已结束。", messages.SUCCESS)
            if waiting := campaigns.unfinished(campaign):
                self.message_user(
                    request,
                    f"{campaign}：还有 {waiting} 份已提交的申报没有评定，可以继续评审和评定。",
                    messages.WARNING,
                )


@admin.register(Rubric)
class RubricAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["title", "tier", "version"]


@admin.register(Indicator)
class IndicatorAdmin(RecordedAdmin):
    """The policy's words are fixed; points and marks can change until a campaign opens."""

    list_display = ["code", "name", "kind", "max_points", "mandatory", "conditional", "criterion"]
    list_filter = ["criterion__rubric", "kind", "mandatory", "conditional", "evidence_required"]
    list_select_related = ["criterion"]
    search_fields = ["code", "name", "clause"]
    ordering = ["criterion__rubric", "position"]
    list_per_page = 60
    readonly_fields = ["criterion", "position", "code", "clause", "kind"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Indicator | None = None) -> bool:
        locked = obj is not None and obj.criterion.rubric.is_locked
        return super().has_change_permission(request, obj) and not locked


@admin.register(Recusal)
class RecusalAdmin(ReadOnly, admin.ModelAdmin):
    """Entered and lifted on the page of the portal, which takes the submissions away, too."""

    list_display = ["reviewer", "organization", "reason"]
    list_select_related = ["reviewer", "organization"]


@admin.register(Extension)
class ExtensionAdmin(RecordedAdmin):
    list_display = ["organization", "campaign", "until", "reason"]
    list_filter = ["campaign"]
    list_select_related = ["organization", "campaign"]
    search_fields = ["organization__name", "organization__code"]
    autocomplete_fields = ["organization"]


@admin.register(Veto)
class VetoAdmin(RecordedAdmin):
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
