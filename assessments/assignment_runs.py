"""Assigning many at once (自动分派, 按县分派, 改派全部): a plan that is shown, and then carried out
exactly as it was shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import CharField, Count, Q, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext

from assessments import allotting, answering, assigning
from assessments.allotting import Plan, Ties
from assessments.choices import Withdrawal
from assessments.models import AssignmentRun, Campaign, Recusal, Review, SelfAssessment
from organizations.audit import record_many
from organizations.choices import NotificationKind, Tier
from organizations.models import Membership, Organization, User
from organizations.notifications import notify

#: A seed that people can read out to each other.
SEEDS = 1_000_000


@dataclass(frozen=True)
class Candidate:
    """A submission that wants reviewers: its union's key, path and name."""

    pk: int
    organization: int
    path: str
    name: str
    needed: int


@dataclass(frozen=True)
class Inputs:
    """All that a plan rests on besides its seed, as plain data."""

    needed: Mapping[int, int]
    barred: Mapping[int, Sequence[int]]
    load: Mapping[int, int]

    def plan(self, seed: int) -> Plan:
        return allotting.plan(self.needed, self.load, self.barred, self.load, seed)

    def as_json(self) -> dict[str, Any]:
        """Small: submissions with the same bars share them."""
        kinds: dict[tuple[int, ...], int] = {}
        items = []
        for item, number in self.needed.items():
            barred = tuple(self.barred.get(item, ()))
            items.append([item, number, kinds.setdefault(barred, len(kinds))])
        return {"items": items, "kinds": list(kinds), "load": sorted(self.load.items())}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Inputs:
        return cls(
            needed={item: number for item, number, _ in stored["items"]},
            barred={item: stored["kinds"][kind] for item, _, kind in stored["items"]},
            load=dict(stored["load"]),
        )


@dataclass(frozen=True)
class Share:
    """What one reviewer has open, gets, and has then."""

    reviewer: User
    has: int
    gets: int

    @property
    def total(self) -> int:
        return self.has + self.gets


@dataclass(frozen=True)
class Draft:
    """What would be done. `own` counts what is left out because the one who assigns must stand
    back from it."""

    campaign: Campaign
    reviewers: Sequence[User]
    candidates: Mapping[int, Candidate]
    inputs: Inputs
    plan: Plan
    ties: Mapping[int, Ties]
    own: int

    @cached_property
    def shares(self) -> list[Share]:
        return [
            Share(one, self.inputs.load[one.pk], self.plan.gets[one.pk]) for one in self.reviewers
        ]

    @property
    def placed(self) -> int:
        return len(self.plan.pairs)

    @property
    def unplaced(self) -> int:
        """Places that nobody is left for."""
        return sum(self.plan.missing.values())

    def why_unplaced(self, most: int) -> list[tuple[Candidate, int, str]]:
        """The first of those that cannot be placed: how many reviewers are missing, and why."""
        found = []
        for pk, missing in sorted(self.plan.missing.items())[:most]:
            candidate = self.candidates[pk]
            recused = sum(self.ties[one.pk].bar(candidate.path) for one in self.reviewers)
            holding = len(self.inputs.barred.get(pk, ())) - recused
            parts = [
                gettext("{recused} 人须回避").format(recused=recused) if recused else "",
                gettext("{holding} 人已在评审").format(holding=holding) if holding else "",
            ]
            reason = gettext("、").join(part for part in parts if part)
            found.append(
                (
                    candidate,
                    missing,
                    gettext("所选 {count} 人中，{reason}").format(
                        count=len(self.reviewers), reason=reason
                    )
                    if reason
                    else gettext("没有选评审员"),
                )
            )
        return found


class Changed(Exception):
    """What was shown is no longer what would be done; `draft` is what would be done now."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(gettext("预览之后，申报或评审员有了变化。请核对新的预览，再次确认。"))
        self.draft = draft


def prepare(
    campaign: Campaign,
    rows: QuerySet[SelfAssessment],
    reviewers: Iterable[User],
    seed: int,
    by: User,
    replaces: User | None = None,
) -> Draft:
    """Plan for the submissions among `rows` that are short of reviewers or, with `replaces`, for
    those that wait for that reviewer. Four queries, whatever their number."""
    reviewers = [one for one in reviewers if one != replaces]
    rows = rows.filter(campaign=campaign, state__in=assigning.ASSIGNABLE_STATES)
    if replaces is not None:
        waiting = assigning.open_reviews(Review.objects.filter(reviewer=replaces))
        rows = rows.filter(pk__in=waiting.values("self_assessment"))
    ties = ties_of([*reviewers, by])
    found, own = _candidates(rows, ties[by.pk], replaces)
    holders: dict[int, list[int]] = defaultdict(list)
    live = Review.objects.filter(self_assessment__in=rows.order_by().values("pk"))
    for pk, reviewer in live.values_list("self_assessment", "reviewer"):
        holders[pk].append(reviewer)
    offered = {one.pk for one in reviewers}
    by_path = {one: ties[one] for one in offered if ties[one] != Ties()}
    barred = {
        pk: sorted(
            offered.intersection(holders[pk])
            | {one for one, tie in by_path.items() if tie.bar(candidate.path)}
        )
        for pk, candidate in found.items()
    }
    load = loads(campaign, reviewers)
    inputs = Inputs(
        needed={pk: candidate.needed for pk, candidate in found.items()},
        barred={pk: keys for pk, keys in barred.items() if keys},
        load=load,
    )
    return Draft(campaign, reviewers, found, inputs, inputs.plan(seed), ties, own)


def _candidates(
    rows: QuerySet[SelfAssessment], ties: Ties, replaces: User | None
) -> tuple[dict[int, Candidate], int]:
    found, own = {}, 0
    values = (
        assigning.with_places(rows)
        .order_by("pk")
        .values_list(
            "pk", "organization", "organization__path", "organization__name", "live", "needed"
        )
    )
    for pk, organization, path, name, live, needed in values.iterator(chunk_size=2000):
        missing = 1 if replaces is not None else needed - live
        if missing <= 0:
            continue
        if ties.bar(path):
            own += 1
            continue
        found[pk] = Candidate(pk, organization, path, name, missing)
    return found, own


def loads(campaign: Campaign, reviewers: Iterable[User]) -> dict[int, int]:
    """How many reviews of the campaign each has open, those at the union for mending included."""
    load = {one.pk: 0 for one in reviewers}
    counted = (
        Review.objects.filter(
            reviewer__in=load, completed_at=None, self_assessment__campaign=campaign
        )
        .order_by()
        .values_list("reviewer")
        .annotate(Count("pk"))
    )
    return load | dict(counted)


def ties_of(users: Iterable[User]) -> dict[int, Ties]:
    """For each user (key) what `permissions.has_conflict` looks at, in one query."""
    keys = [user.pk for user in users]
    held = (
        Membership.objects.filter(user__in=keys, organization__dissolved_on=None)
        .exclude(organization__tier=Tier.CITY)
        .values_list("user", "organization__path", Value("own", output_field=CharField()))
    )
    recused = Recusal.objects.filter(reviewer__in=keys).values_list(
        "reviewer", "organization__path", Value("recused", output_field=CharField())
    )
    paths: dict[int, dict[str, list[str]]] = {key: {"own": [], "recused": []} for key in keys}
    for key, path, kind in held.order_by().union(recused.order_by()):
        paths[key][kind].append(path)
    return {
        key: Ties(tuple(sorted(found["own"])), tuple(sorted(found["recused"])))
        for key, found in paths.items()
    }


@transaction.atomic
def carry_out(
    campaign: Campaign,
    rows: QuerySet[SelfAssessment],
    reviewers: Iterable[User],
    seed: int,
    by: User,
    *,
    digest: str,
    scope: str,
    replaces: User | None = None,
    keep: bool = False,
) -> AssignmentRun:
    """Do exactly what the plan with this digest says, all or nothing. `scope` says in words what
    it is about. Queries grow with the batches, not with the rows. Raises Changed."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)  # two runs at once go one by one
    locked: set[int] = set()
    keys = rows.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True)
    for batch in _batches(keys):
        locked.update(assigning.locked(batch).values_list("pk", flat=True))
    draft = prepare(campaign, rows, reviewers, seed, by, replaces)
    if draft.plan.digest != digest or not locked.issuperset(draft.candidates):
        raise Changed(draft)
    run = AssignmentRun.objects.create(
        campaign=campaign,
        seed=seed,
        by=by,
        scope=scope[:300],
        replaces=replaces,
        keeps=keep,
        placed=draft.placed,
        unplaced=draft.unplaced,
        digest=digest,
        inputs=draft.inputs.as_json(),
        result={
            "gets": [[one.reviewer.pk, one.has, one.gets] for one in draft.shares],
            "missing": sorted(draft.plan.missing.items()),
        },
    )
    for batch in _batches(draft.plan.pairs):
        if replaces is not None:
            _take_from(replaces, batch, draft, by)
        _give(batch, run, draft, by)
        if keep and replaces is not None:
            _keep_scores(replaces, batch)
    _tell(campaign, draft, by)
    return run


def replay(run: AssignmentRun) -> bool:
    """Whether the seed and the inputs on record give the recorded plan."""
    return Inputs.from_json(run.inputs).plan(run.seed).digest == run.digest


def _batches(entries: Iterable[Any]) -> Iterator[list[Any]]:
    entries = iter(entries)
    while batch := list(islice(entries, assigning.BATCH)):
        yield batch


def _take_from(reviewer: User, pairs: list[tuple[int, int]], draft: Draft, by: User) -> None:
    """By what stands against each: a conflict of interest, having left, or just a change."""
    ties = ties_of([reviewer])[reviewer.pk]
    away = not assigning.reviewers().filter(pk=reviewer.pk).exists()
    barred = [item for item, _ in pairs if ties.bar(draft.candidates[item].path)]
    rest = [item for item, _ in pairs if not ties.bar(draft.candidates[item].path)]
    other = Withdrawal.LEFT if away else Withdrawal.CHANGED
    for why, items in ((Withdrawal.RECUSED, barred), (other, rest)):
        held = Review.objects.filter(reviewer=reviewer, self_assessment__in=items)
        assigning.withdraw(held, why, by)
        details = {"reviewer": reviewer.username, "withdrawal": why}
        _record("UNASSIGN", [(item, details) for item in items], draft, by)


def _give(pairs: list[tuple[int, int]], run: AssignmentRun, draft: Draft, by: User) -> None:
    items = [item for item, _ in pairs]
    wanted = set(pairs)
    before = {
        (review.self_assessment_id, review.reviewer_id): review
        for review in Review.ever.filter(self_assessment__in=items).select_related(
            "self_assessment"
        )
    }
    back = [before[pair] for pair in pairs if pair in before]
    assigning.give_back(Review.ever.filter(pk__in=[one.pk for one in back]), by, run=run)
    assigning.catch_up(back)
    revisions = dict(SelfAssessment.objects.filter(pk__in=items).values_list("pk", "revision"))
    Review.objects.bulk_create(
        Review(
            self_assessment_id=item,
            reviewer_id=reviewer,
            revision=revisions[item],
            assigned_by=by,
            run=run,
        )
        for item, reviewer in sorted(wanted - before.keys())
    )
    names = {one.pk: one.username for one in draft.reviewers}
    details = [
        (item, {"reviewer": names[reviewer], "run": run.pk, "seed": run.seed})
        for item, reviewer in pairs
    ]
    _record("ASSIGN", details, draft, by)


def _keep_scores(replaced: User, pairs: list[tuple[int, int]]) -> None:
    """The scores of the one who left go to the successor; never those of somebody who must stand
    back."""
    old = dict(
        Review.ever.filter(reviewer=replaced, self_assessment__in=[item for item, _ in pairs])
        .exclude(withdrawn_why=Withdrawal.RECUSED)
        .values_list("self_assessment", "pk")
    )
    mine = Q()
    for item, reviewer in pairs:
        if item in old:
            mine |= Q(self_assessment=item, reviewer=reviewer)
    if mine:
        new = Review.objects.filter(mine).values_list("self_assessment", "pk")
        assigning.take_over({heir: old[item] for item, heir in new})


def _record(action: str, entries: list[tuple[int, dict[str, Any]]], draft: Draft, by: User) -> None:
    """One event for each, in the chain of its submission."""
    capacities: dict[str, dict[str, Any]] = {}

    def subjects() -> Iterator[tuple[SelfAssessment, dict[str, Any]]]:
        for item, details in entries:
            one = draft.candidates[item]
            subject = SelfAssessment(
                pk=item, organization=Organization(pk=one.organization, path=one.path)
            )
            if one.path not in capacities:
                capacities[one.path] = answering.capacity(by, subject)
            yield subject, capacities[one.path] | details

    record_many(action=action, by=by, entries=subjects())


def _tell(campaign: Campaign, draft: Draft, by: User) -> None:
    """One message a reviewer."""
    link = reverse("assessments:review_list")
    for share in draft.shares:
        if share.gets:
            notify(
                [share.reviewer],
                kind=NotificationKind.TURN,
                text=f"有 {share.gets} 份申报新分派给您评审。",
                link=link,
                by=by,
                topic=f"assigned {campaign.pk}",
                many="有 {count} 份申报新分派给您评审。",
                many_link=link,
                count=share.gets,
            )
