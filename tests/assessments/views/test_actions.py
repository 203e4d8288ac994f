"""The table of the workflow holds whatever way somebody comes: by the pages, the back office, and
the commands."""

import datetime as dt
import pkgutil
from contextlib import suppress

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse

from assessments import assigning, demo, models
from assessments.choices import Action, State
from assessments.management import commands
from assessments.models import SelfAssessment
from organizations.choices import Tier
from organizations.models import User
from tests import factories
from tests.assessments.test_workflow import ALLOWED, TARGETS
from tests.factories import (
    PASSWORD,
    give_password,
    make_organization,
    make_self_assessment,
    today,
)

pytestmark = pytest.mark.django_db
FIELDS = {"confirmed": "on", "password": PASSWORD, "opinion": "同意。", "reason": "有理由。"}
#: One of each kind that the rules tell apart.
WHO = ("reporter", "head", "township_head", "county_head", "reviewer", "lead", "admin", "leader")


class _RollBack(Exception):
    pass


def address(assessment, action):
    if action == Action.RETURN:
        return reverse("assessments:self_assessment_return", args=[assessment.pk])
    slug = action.lower().replace("_", "-")
    return reverse("assessments:self_assessment_act", args=[assessment.pk, slug])


def send(client, user, assessment, action):
    """The state afterwards, and how it was answered; nothing is kept."""
    fields = FIELDS | {"G1.01": "请补充。", "due_on": (today() + dt.timedelta(days=1)).isoformat()}
    try:
        with transaction.atomic():
            client.force_login(User.objects.get(pk=user.pk))
            status = client.post(address(assessment, action), fields).status_code
            found = SelfAssessment.objects.get(pk=assessment.pk).state
            raise _RollBack
    except _RollBack:
        return found, status


def prepared(city, state):
    assessment = make_self_assessment(city, factories.make_campaign(endorsement=True), state)
    if state in (State.SUBMITTED, State.ENDORSED):
        assigning.assign(assessment, city.reviewer, city.lead)
    if state == State.UNDER_REVIEW:
        demo.score_like_union(assessment, city.reviewer)
    if state == State.RETURNED:
        factories.answer_remarks(assessment, city.head)
    factories.pass_publicity()
    return assessment


@pytest.mark.parametrize("state", State)
def test_every_action_by_the_pages(client, city, state):
    assessment = prepared(city, state)
    give_password(city.head)
    for action in Action:
        allowed = ALLOWED.get((state, action), set())
        if action == Action.RESUME or (state, action) == (State.SUBMITTED, Action.BEGIN_REVIEW):
            allowed = set()  # the time to correct is not over; the superior has not endorsed
        for name in WHO:
            found, status = send(client, getattr(city, name), assessment, action)
            where = f"{state} {action} {name} {status}"
            assert found == (TARGETS[action] if name in allowed else state), where
            assert status in ({302} if name in allowed else {404, 409}), where


#: What the back office may change by itself; whatever hangs on the state of a submission may not be.
IN_THE_BACK_OFFICE = {
    models.Campaign,
    models.Extension,
    models.Indicator,
    models.Recusal,
    models.Rubric,
    models.Veto,
}


def test_the_back_office_has_nothing_of_a_submission(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    registered = {model for model in admin.site._registry if model._meta.app_label == "assessments"}
    assert registered == IN_THE_BACK_OFFICE
    client.force_login(city.admin)
    for page in (f"{assessment.pk}/change/", f"{assessment.pk}/delete/", "add/", ""):
        assert client.post(f"/admin/assessments/selfassessment/{page}").status_code == 404


#: Every command but the demonstration, which goes the way of the workflow in a database of its own.
COMMANDS = (
    "close_publicity",
    "find_similar",
    "load_reference_data",
    "rebuild_rollups",
    "rebuild_standings",
    "scan_evidence",
    "send_reminders",
    "tidy_evidence",
    "tidy_exports",
)


def run_all(campaign):
    for name in COMMANDS:
        with suppress(CommandError):  # scanning asks for a scanner
            call_command(name, *([campaign.year] if name == "rebuild_standings" else []))


def test_a_command_moves_nothing_but_what_has_been_public_long_enough(city, campaign):
    names = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert names == {*COMMANDS, "seed_demo"}
    states = [state for state in State if state not in (State.ENDORSED, State.FINAL)]
    made = [
        make_self_assessment(
            city, campaign, state, organization=make_organization(Tier.GRASSROOTS, city.township)
        )
        for state in states
    ]
    run_all(campaign)
    after = SelfAssessment.objects.in_bulk()
    assert [after[one.pk].state for one in made] == states
    factories.pass_publicity()
    run_all(campaign)
    after = SelfAssessment.objects.in_bulk()
    moved = {state: after[one.pk].state for one, state in zip(made, states, strict=True)}
    assert moved == {state: state for state in states} | {State.PUBLISHED: State.FINAL}
