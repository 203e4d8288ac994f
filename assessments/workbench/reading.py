"""What there is to read, with or without a campaign."""

from __future__ import annotations

from django.urls import reverse

from assessments.models import Notice
from assessments.workbench.task import Task
from organizations.models import User


def unread_notices(user: User) -> list[Task]:
    unread = Notice.objects.unread_by(user).count()
    if not unread:
        return []
    return [
        Task(
            title="通知公告",
            text=f"有 {unread} 条通知您还没有看。",
            url=f"{reverse('assessments:notice_list')}?show=unread",
            button="去看通知",
        )
    ]
