from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessments import deadlines, workbench
from assessments.views.access import chosen_campaign


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    campaign, campaigns = chosen_campaign(request)
    tasks = workbench.tasks(request.user, campaign, deadlines.now())
    return render(
        request,
        "assessments/workbench/index.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "tasks": tasks,
            "guide_shown": any(task.guide for task in tasks),
            "roles": request.user.roles,
        },
    )
