from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessments import deadlines, workbench
from assessments.models import SeenGuide
from assessments.views.access import chosen_campaign


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    campaign, campaigns = chosen_campaign(request)
    tasks = workbench.tasks(request.user, campaign, deadlines.now())
    fills_in = any(task.tiles or task.starts for task in tasks if task.is_open)
    return render(
        request,
        "assessments/workbench/index.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "tasks": tasks,
            "guide_shown": fills_in and not SeenGuide.objects.filter(user=request.user).exists(),
            "roles": request.user.roles,
        },
    )
