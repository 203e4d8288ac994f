"""The portal's pages and their bare twins, all through the same stack: middleware, session,
sign-in, base template."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client
from django.urls import reverse

from assessments.choices import State
from assessments.models import Indicator, Review, SelfAssessment
from benchmarks.data import World
from organizations.choices import Role
from organizations.models import Membership, Organization, User

Job = Callable[[], None]

_FORM = """{% extends "base.html" %}{% block content %}<form method="post">{% csrf_token %}
{% for field in form %}<p>{{ field.label_tag }} {{ field }} {{ field.errors }}</p>{% endfor %}
</form>{% endblock %}"""
_ROWS = """{% extends "base.html" %}{% block content %}<table>{% for row in rows %}
<tr><td>{{ row.code }}</td><td>{{ row.name }}</td></tr>{% endfor %}</table>{% endblock %}"""


def plain_form(request: HttpRequest, pk: int) -> HttpResponse:
    """The fields of criterion 3 as one Django form, filled from the same answers."""
    assessment = SelfAssessment.objects.get(pk=pk)
    answers = {answer.indicator_id: answer for answer in assessment.answers.all()}
    fields: dict[str, forms.Field] = {}
    initial = {}
    for indicator in Indicator.objects.filter(
        criterion__rubric=assessment.rubric_id, criterion__number=3
    ):
        code, answer = indicator.code, answers.get(indicator.pk)
        fields[f"{code}-score"] = forms.DecimalField(label=indicator.clause)
        fields[f"{code}-account"] = forms.CharField(widget=forms.Textarea)
        fields[f"{code}-files"] = forms.FileField()
        fields[f"{code}-seen"] = forms.CharField(widget=forms.HiddenInput)
        if indicator.conditional:
            fields[f"{code}-not_applicable"] = forms.BooleanField()
            fields[f"{code}-reason"] = forms.CharField()
        initial[f"{code}-score"] = answer.score if answer else None
    form = type("PlainForm", (forms.Form,), fields)(initial=initial)
    return HttpResponse(engines["django"].from_string(_FORM).render({"form": form}, request))


def one_query(request: HttpRequest) -> HttpResponse:
    """One query and twenty rows."""
    rows = Organization.objects.order_by("path")[:20]
    return HttpResponse(engines["django"].from_string(_ROWS).render({"rows": rows}, request))


def getting(user: User, url: str) -> Job:
    """Fetch the address as the user."""
    client = Client()
    client.force_login(user)

    def job() -> None:
        response = client.get(url)
        assert response.status_code == 200, (url, response.status_code)

    return job


def criterion_page(world: World) -> Job:
    """The longest page: criterion 3 of the grassroots rubric, fifteen indicators."""
    url = reverse("assessments:self_assessment_criterion", args=[world.assessment.pk, 3])
    return getting(world.reporter, url)


def oversight(world: World) -> Job:
    return getting(world.lead, reverse("assessments:oversight"))


def queue(world: World) -> Job:
    return getting(world.reviewer, reverse("assessments:review_list"))


def decisions(world: World) -> Job:
    """With the ranks of fifty rows among all of the tier and of the county."""
    return getting(world.lead, reverse("assessments:decision_list"))


def plan(world: World) -> Job:
    """The preview of sharing out all that is short of a reviewer, among thirty."""
    city = Organization.objects.get(parent=None)
    for number in range(30):
        user = User.objects.create_user(f"reviewer{number}", full_name=f"评审员{number}")
        Membership.objects.create(user=user, organization=city, role=Role.REVIEWER)
    Review.objects.all().delete()
    SelfAssessment.objects.filter(state=State.DECIDED).update(state=State.SUBMITTED)
    return getting(world.lead, reverse("assessments:assignment_plan"))
