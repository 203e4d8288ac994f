from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from assessments import deadlines, workbench
from assessments.views.access import chosen_campaign


def index(request: HttpRequest) -> HttpResponse:
    campaign = chosen_campaign(request)
    return render(
        request,
        "assessments/workbench/index.html",
        {
            "campaign": campaign,
            "tasks": workbench.tasks(request.user, campaign, deadlines.now()),
            "roles": request.user.roles,
        },
    )
