"""What waits about exemplary cases (先进经验), with or without a campaign."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments import cases
from assessments.choices import CaseState
from assessments.workbench.counting import Counted
from assessments.workbench.task import Task
from organizations.models import User

_TASKS = {
    CaseState.NOMINATED: (
        _("确认先进经验"),
        _("评审员提名了您单位的 {} 条做法，请核对修改后报送，或者撤回。"),
        _("去确认"),
    ),
    CaseState.RETURNED: (
        _("修改先进经验"),
        _("{} 篇先进经验被退回，请按意见修改后重新报送。"),
        _("去修改"),
    ),
    CaseState.SUBMITTED: (_("转报先进经验"), _("下级工会的 {} 篇先进经验等待转报。"), _("去转报")),
    CaseState.FORWARDED: (_("编发先进经验"), _("{} 篇先进经验等待编辑发布。"), _("去编发")),
}


def waiting_cases(user: User) -> Iterator[Counted]:
    for state, rows in cases.waiting_for(user).items():
        yield Counted(rows, partial(_task, state))


def _task(state: CaseState, number: int) -> Task:
    title, text, button = _TASKS[state]
    url = f"{reverse('assessments:case_list')}?state={state}"
    return Task(title=title, text=text.format(number), url=url, button=button)
