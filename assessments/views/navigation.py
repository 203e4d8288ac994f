"""The menu: what this user's roles open, on every page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

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
        ("工作台", "assessments:workbench", True),
        ("通知公告", "assessments:notice_list", True),
        ("日程", "assessments:calendar", True),
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
        ("总览", "assessments:dashboard", sees_subtree),
        ("材料库", "assessments:library", has_library),
        ("实施方案", "assessments:plan_list", sees_subtree or files_plan),
        ("申报情况", "assessments:oversight", sees_subtree),
        (
            "评审任务",
            "assessments:review_list",
            has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}),
        ),
        ("分派", "assessments:assignment_list", permissions.may_lead(user)),
        ("评定", "assessments:decision_list", permissions.may_lead(user)),
        ("公示", "assessments:publicity_list", permissions.may_lead(user)),
        ("命名推荐", "assessments:recognition_list", permissions.may_lead(user)),
        ("现场核查", "assessments:inspection_list", permissions.may_go_and_see(user)),
        ("督查", "assessments:supervision_list", permissions.belongs_to_organizer(user)),
        ("雷同", "assessments:similarity_list", permissions.may_lead(user)),
        ("标准", "assessments:rubric_list", permissions.may_administer(user)),
        ("汇总", "assessments:summary", permissions.may_export(user)),
        ("创建活动", "assessments:campaign_list", permissions.may_administer(user)),
        ("工会组织", "organizations:list", sees_subtree or user.is_superuser),
        ("账号管理", "organizations:accounts", is_admin(user)),
        ("后台管理", "admin:index", is_city_admin(user)),
        ("先进经验", "assessments:case_gallery", True),
        ("政策原文", "assessments:policy", True),
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
