"""What there is to read, with or without a campaign."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext

from assessments.models import Notice
from assessments.workbench.counting import Counted
from assessments.workbench.task import Task
from organizations.models import User


def unread_notices(user: User) -> Iterator[Counted]:
    yield Counted(
        Notice.objects.unread_by(user),
        lambda unread: Task(
            title=gettext("通知公告"),
            text=gettext("有 {unread} 条通知您还没有看。").format(unread=unread),
            url=f"{reverse('assessments:notice_list')}?show=unread",
            button=gettext("去看通知"),
        ),
    )
