"""填报说明, and the guide of the first visit."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from assessments import advice, kinds
from assessments.forms.ratings import AnswerForm
from assessments.models import SeenGuide


@login_not_required
@require_safe
def filling_in(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "assessments/help/filling_in.html",
        {
            "accepted": kinds.ACCEPTED,
            "longest_account": AnswerForm.text_fields["account"],
            "short_account": advice.SHORT_ACCOUNT,
        },
    )


@require_POST
def put_away(request: HttpRequest) -> HttpResponse:
    """The guide has been read: it does not come back for this user, on any computer."""
    SeenGuide.objects.get_or_create(user=request.user)
    return redirect("assessments:workbench")
