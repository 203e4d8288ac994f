"""Ten thousand transitions in any order that the table allows: the record verifies, and whoever
alters or removes a row of it is found out."""

import os
import random

import pytest
from django.db import connection

from assessments import assigning, demo, reviewing, workflow, worksheet
from assessments.choices import Action, State
from assessments.models import SelfAssessment
from organizations import audit
from organizations.models import AuditEvent, User
from tests import factories
from tests.factories import make_self_assessment

pytestmark = pytest.mark.django_db
#: In everyday runs a tenth: `.ci/run` walks the whole way.
STEPS = int(os.environ.get("WALK_STEPS", "1000"))
#: Who takes each step, and with what.
ACTORS = {
    Action.SUBMIT: "head",
    Action.WITHDRAW: "head",
    Action.ENDORSE: "township_head",
    Action.WITHDRAW_ENDORSEMENT: "township_head",
    Action.RETURN: "lead",
    Action.BEGIN_REVIEW: "reviewer",
    Action.COMPLETE_REVIEW: "reviewer",
    Action.REOPEN_REVIEW: "lead",
    Action.DECIDE: "lead",
    Action.REOPEN_DECISION: "admin",
    Action.PUBLISH: "admin",
    Action.WITHDRAW_PUBLICATION: "admin",
    Action.ACCEPT_APPEAL: "admin",
}


def details_of(action, indicator):
    if action == Action.RETURN:
        return {"remarks": {indicator: "请补充。"}, "reason": ""}
    if action in (Action.ENDORSE, Action.DECIDE, Action.COMPLETE_REVIEW):
        return {"opinion": "同意。"}
    return {"reason": "复核"}


def test_the_record_verifies_after_a_long_walk(city):
    chance = random.Random(20260430)
    campaign = factories.make_campaign(endorsement=True)
    walkers = [
        make_self_assessment(city, campaign, organization=one, head=head)
        for one, head in ((city.own, city.head), (city.sibling, city.sibling_head))
    ]
    heads = {city.own.pk: city.head, city.sibling.pk: city.sibling_head}
    indicator = worksheet.load(walkers[0])[0].lines[0].indicator
    users = {name: User.objects.get(pk=one.pk) for name, one in city.users().items()}
    taken: dict[Action, int] = {}
    done = 0
    while done < STEPS:
        assessment = SelfAssessment.objects.get(pk=chance.choice(walkers).pk)
        head = heads[assessment.organization_id]
        actors = ACTORS | dict.fromkeys((Action.SUBMIT, Action.WITHDRAW), "")
        choices = [
            one.action
            for one in workflow.TRANSITIONS
            if assessment.state in one.sources and one.action in actors
        ]
        action = chance.choice(choices)
        user = users[actors[action]] if actors[action] else User.objects.get(pk=head.pk)
        if assessment.state == State.RETURNED:
            factories.answer_remarks(assessment, head)
        if action == Action.BEGIN_REVIEW and not assessment.reviews.exists():
            assigning.assign(assessment, users["reviewer"], users["lead"])
        if action == Action.COMPLETE_REVIEW:
            review = assessment.reviews.get()
            lines = [line for part in worksheet.load(assessment) for line in part.lines]
            scores = {one.indicator_id: one for one in review.scores.all()}
            if reviewing.gaps(assessment, scores, lines):
                demo.score_like_union(assessment, users["reviewer"])
        try:
            workflow.perform(assessment, action, by=user, **details_of(action, indicator))
        except workflow.TransitionRefused:
            continue
        taken[action] = taken.get(action, 0) + 1
        done += 1
    assert set(taken) == set(ACTORS)
    assert list(audit.verify()) == []
    _tampering_is_found(chance)


def _tampering_is_found(chance):
    """One row altered, then put back; then one removed from the middle."""
    keys = list(AuditEvent.objects.filter(action__in=Action.values).values_list("pk", flat=True))
    with connection.cursor() as cursor:  # past the model, which refuses
        table = AuditEvent._meta.db_table
        for key in chance.sample(keys, 5):
            before = AuditEvent.objects.get(pk=key).actor_name
            cursor.execute(f"UPDATE {table} SET actor_name = 'x' WHERE id = %s", [key])  # noqa: S608
            assert list(audit.verify()) != []
            cursor.execute(
                f"UPDATE {table} SET actor_name = %s WHERE id = %s",  # noqa: S608
                [before, key],
            )
        assert list(audit.verify()) == []
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [keys[len(keys) // 2]])  # noqa: S608
    assert list(audit.verify()) != []
