"""Implementation plans: the table, their numbers, and what the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction

from assessments import plans
from assessments.assigning import NotAllowed
from assessments.choices import PlanAction, PlanState
from assessments.models import ImplementationPlan
from organizations import audit
from organizations.choices import Role, Tier
from organizations.models import User
from tests import factories
from tests.assessments.test_concurrency import at_once
from tests.factories import make_organization, make_plan, make_user


@pytest.mark.django_db
@pytest.mark.parametrize("state", PlanState)
@pytest.mark.parametrize("action", PlanAction)
def test_what_is_possible_in_which_state_and_for_whom(city, campaign, state, action):
    allowed = {
        (PlanState.DRAFT, PlanAction.FILE),
        (PlanState.RETURNED, PlanAction.FILE),
        (PlanState.FILED, PlanAction.WITHDRAW),
        (PlanState.FILED, PlanAction.ACCEPT),
        (PlanState.FILED, PlanAction.RETURN),
    }
    of_union = action in (PlanAction.FILE, PlanAction.WITHDRAW)
    right = {"head", "reporter"} if of_union else {"lead", "admin"}
    plan = make_plan(campaign, city.own, city.head, state)
    for name, user in city.users().items():
        offered = action in plans.available(plan, user)
        assert offered == ((state, action) in allowed and name in right), name
        if not offered:
            with pytest.raises(NotAllowed):
                plans.perform(plan, action, by=user, seen=plan.stamp, remarks="请改。")
    plan.refresh_from_db()
    assert plan.state == state


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"state": "LOST"}, {"state": PlanState.FILED, "number": None}, {"number": 1}],
)
def test_the_database_refuses(city, campaign, changes):
    make_plan(campaign, city.own, city.head)
    other = make_plan(campaign, city.foreign, city.foreign_head, PlanState.DRAFT)
    with pytest.raises(IntegrityError), transaction.atomic():
        ImplementationPlan.objects.filter(pk=other.pk).update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        ImplementationPlan.objects.create(campaign=campaign, organization=city.own)


@pytest.mark.django_db(transaction=True)
def test_numbers_follow_each_other_however_many_file_at_once():
    city = factories.make_city()
    campaign = factories.make_campaign()
    unions = [make_organization(Tier.GRASSROOTS, city.township) for _ in range(4)]
    drafts = [
        make_plan(campaign, union, make_user((union, Role.HEAD)), PlanState.DRAFT)
        for union in unions
    ]

    def filing(plan):
        by = User.objects.get(memberships__organization=plan.organization)
        return lambda: plans.perform(plan, PlanAction.FILE, by=by, seen=plan.stamp)

    results = at_once(*[filing(plan) for plan in drafts])
    assert all(isinstance(one, ImplementationPlan) for one in results), results
    assert sorted(one.number for one in results) == [1, 2, 3, 4]
    # Two people of one union: one of them files, the other is told.
    last = make_plan(campaign, city.own, city.head, PlanState.DRAFT)
    both = [
        lambda user=user: plans.perform(last, PlanAction.FILE, by=user, seen=last.stamp)
        for user in (city.head, city.reporter)
    ]
    results = at_once(*both)
    assert sum(isinstance(one, ImplementationPlan) for one in results) == 1
    assert sum(isinstance(one, plans.Stale) for one in results) == 1
    assert list(audit.verify()) == []
