"""The menu: what this user's roles open, on every page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from assessments import permissions
from assessments.models.plan import PLAN_TIERS
from organizations.choices import ASSESSED_TIERS, Role
from organizations.permissions import has_city_role, is_admin, is_city_admin


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`navigation`: (title, address, whether it is the page shown) for a signed-in user."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    entries = [
        (gettext("工作台"), "assessments:workbench", True),
        (gettext("通知公告"), "assessments:notice_list", True),
        (gettext("日程"), "assessments:calendar", True),
    ]
    sees_subtree = bool(permissions.overseen_by(user))
    has_library = any(
        permissions.may_see_library(user, membership.organization)
        and membership.organization.tier in ASSESSED_TIERS
        for membership in user.roles
    )
    files_plan = any(
        permissions.may_read_unfiled_plan(user, membership.organization)
        and membership.organization.tier in PLAN_TIERS
        for membership in user.roles
    )
    entries += [
        (gettext("总览"), "assessments:dashboard", sees_subtree),
        (gettext("材料库"), "assessments:library", has_library),
        (gettext("实施方案"), "assessments:plan_list", sees_subtree or files_plan),
        (gettext("申报情况"), "assessments:oversight", sees_subtree),
        (
            gettext("评审任务"),
            "assessments:review_list",
            has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}),
        ),
        (gettext("分派"), "assessments:assignment_list", permissions.may_lead(user)),
        (gettext("评定"), "assessments:decision_list", permissions.may_lead(user)),
        (gettext("公示"), "assessments:publicity_list", permissions.may_lead(user)),
        (gettext("命名推荐"), "assessments:recognition_list", permissions.may_lead(user)),
        (gettext("现场核查"), "assessments:inspection_list", permissions.may_go_and_see(user)),
        (gettext("督查"), "assessments:supervision_list", permissions.belongs_to_organizer(user)),
        (gettext("雷同"), "assessments:similarity_list", permissions.may_lead(user)),
        (gettext("标准"), "assessments:rubric_list", permissions.may_administer(user)),
        (gettext("汇总"), "assessments:summary", permissions.may_export(user)),
        (gettext("创建活动"), "assessments:campaign_list", permissions.may_administer(user)),
        (gettext("工会组织"), "organizations:list", sees_subtree or user.is_superuser),
        (gettext("账号管理"), "organizations:accounts", is_admin(user)),
        (gettext("后台管理"), "admin:index", is_city_admin(user)),
        (gettext("先进经验"), "assessments:case_gallery", True),
        (gettext("政策原文"), "assessments:policy", True),
    ]
    items = [(title, reverse(name)) for title, name, shown in entries if shown]
    here = max(
        (
            url
            for _, url in items
            if request.path == url or (url != "/" and request.path.startswith(url))
        ),
        key=len,
        default="",
    )
    return {"navigation": [(title, url, url == here) for title, url in items]}
