from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessments import rubrics


@login_not_required
@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """The policy, whole, to the letter: open to everybody."""
    first, title, *paragraphs = rubrics.policy_text().splitlines()
    return render(
        request,
        "assessments/public/policy.html",
        {"preamble": first, "title": title, "paragraphs": paragraphs},
    )
