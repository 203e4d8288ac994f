"""`python -m benchmarks.rollups`: what the roll-ups cost with 10 000, 100 000 and 1 000 000 unions.

Runs on DATABASE_URL's *empty* PostgreSQL database, which it fills by INSERT … SELECT, the same at
every run: three unions of four have handed in, half are decided. Scores are given to one decided
union in fifty, so that a million unions fit on a small disk.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuhao_portal.settings")
os.environ.setdefault("SECRET_KEY", "for-benchmarks-only-" + "x" * 50)
os.environ.setdefault("ALLOWED_HOSTS", "testserver")
os.environ["HTTPS"] = "off"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.test import Client  # noqa: E402

from assessments import picture, rollups  # noqa: E402
from assessments.models import (  # noqa: E402
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    RollupMark,
    SelfAssessment,
)
from benchmarks import data  # noqa: E402
from organizations.choices import Role, Tier  # noqa: E402
from organizations.models import Membership, Organization, User  # noqa: E402

ARGUMENTS = sys.argv[1:]

_TABLES = (Organization, SelfAssessment, Decision)


def timed(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return (time.perf_counter() - start) * 1000


def median(job: Callable[[], object], rounds: int = 15) -> float:
    job()
    return statistics.median(timed(job) for _ in range(rounds))


def insert(model: type[models.Model], source: str, **expressions: str) -> None:
    """Rows of a model from a SELECT: its columns by SQL expressions, the others as they default."""
    columns, values, given = [], [], []
    for field in model._meta.concrete_fields:
        if field.name in expressions:
            columns.append(field.column)
            values.append(expressions[field.name])
        elif not field.null and not field.primary_key:
            columns.append(field.column)
            values.append("%s")
            given.append(field.get_db_prep_save(field.get_default(), connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} {source}",
            given,
        )


def grow(campaign: Campaign, size: int, lead: User) -> None:
    """Up to `size` grassroots unions, below all townships in turn."""
    have = Organization.objects.filter(tier=Tier.GRASSROOTS).count()
    _triggers("DISABLE")
    insert(
        Organization,
        f"""FROM generate_series({have + 1}, {size}) n
            JOIN (SELECT id, path, row_number() OVER (ORDER BY id) - 1 AS turn, count(*) OVER () AS many
                  FROM organizations_organization WHERE tier = 'TOWNSHIP') t ON n %% t.many = t.turn""",
        id="10000 + n",
        code="'BENCH-' || lpad(n::text, 7, '0')",
        name="'示例第' || n || '有限责任公司工会委员会'",
        tier="'GRASSROOTS'",
        parent="t.id",
        path="t.path || lpad((10000 + n)::text, 8, '0')",
    )
    rubric = campaign.policies.get(tier=Tier.GRASSROOTS).rubric_id
    insert(
        SelfAssessment,
        f"FROM organizations_organization o WHERE o.tier = 'GRASSROOTS' AND o.id > {10000 + have} "
        f"AND o.id %% 4 > 0",
        campaign=str(campaign.pk),
        organization="o.id",
        rubric=str(rubric),
        place="o.path",
        state="CASE WHEN o.id %% 4 = 1 THEN 'SUBMITTED' ELSE 'DECIDED' END",
        revision="1",
        submitted_at="now()",
        created_at="now()",
        self_total="90",
    )
    fresh = (
        f"FROM assessments_selfassessment s WHERE s.campaign_id = {campaign.pk} "
        f"AND s.state = 'DECIDED' AND s.organization_id > {10000 + have}"
    )
    insert(
        Decision,
        fresh,
        self_assessment="s.id",
        revision="1",
        total="60 + s.id %% 40",
        outcome="CASE WHEN s.id %% 40 >= 20 THEN 'AT_STANDARD' ELSE 'NOT_AT_STANDARD' END",
        computed_outcome="CASE WHEN s.id %% 40 >= 20 THEN 'AT_STANDARD' ELSE 'NOT_AT_STANDARD' END",
        campaign=str(campaign.pk),
        number="s.id",
        decided_by=str(lead.pk),
        decided_at="now()",
    )
    some = (
        "FROM assessments_decision d JOIN assessments_selfassessment s ON s.id = d.self_assessment_id "
        f"AND s.organization_id > {10000 + have} AND d.id %% 50 = 0 "
    )
    insert(
        DecisionCriterion,
        some + "CROSS JOIN generate_series(1, 6) c",
        decision="d.id",
        number="c",
        points="6 + d.id %% 40 / 10.0",
        maximum="10",
        met="d.id %% 3 > 0",
    )
    insert(
        DecisionScore,
        some
        + f"CROSS JOIN assessments_indicator i JOIN assessments_criterion c ON c.id = i.criterion_id "
        f"AND c.rubric_id = {rubric}",
        decision="d.id",
        indicator="i.id",
        points="i.max_points * (60 + d.id %% 40) / 100",
        maximum="i.max_points",
        met="d.id %% 3 > 0",
    )
    _triggers("ENABLE")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _triggers(able: str) -> None:
    """Marks and the tree's rules are told row by row: not for a million rows that are right."""
    with connection.cursor() as cursor:
        for model in _TABLES:
            cursor.execute(f"ALTER TABLE {model._meta.db_table} {able} TRIGGER USER")


def begin() -> tuple[Campaign, User]:
    """The empty database made ready: its campaign, and who decides in it."""
    assert connection.vendor == "postgresql", "DATABASE_URL must name a PostgreSQL database"
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    call_command("migrate", verbosity=0)
    world = data.make(1)
    return world.campaign, world.lead


def main() -> None:
    campaign, lead = begin()
    city = Organization.objects.get(tier=Tier.CITY)
    leader = User.objects.create_user("leader", full_name="leader")
    Membership.objects.create(user=leader, organization=city, role=Role.VIEWER)
    client = Client()
    client.force_login(leader)
    places = list(Organization.objects.filter(tier__in=[Tier.COUNTY, Tier.INDUSTRY]))

    def draw() -> object:
        return picture.draw(campaign, city, campaigns=[campaign], places=places)

    print(
        f"{'unions':>10}{'grown':>10}{'recount':>10}{'one change':>12}{'figures':>10}{'page':>10}{'key':>8}"
    )
    for size in map(int, ARGUMENTS or (10_000, 100_000, 1_000_000)):
        grown = timed(lambda size=size: grow(campaign, size, lead))
        recount = timed(lambda: rollups.rebuild(campaign))
        place = Organization.objects.filter(tier=Tier.TOWNSHIP).first().path

        def change(place: str = place) -> None:
            with transaction.atomic():
                RollupMark.objects.create(campaign=campaign, place=place)
            rollups.refresh(campaign)

        one = median(change, rounds=5)
        figures, page = median(draw), median(lambda: client.get("/dashboard/"))
        key = median(lambda: Campaign.objects.get(pk=campaign.pk), rounds=50)
        print(
            f"{size:>10}{grown / 1000:>8.1f} s{recount / 1000:>8.1f} s{one:>9.1f} ms"
            f"{figures:>7.1f} ms{page:>7.1f} ms{key:>5.2f} ms",
            flush=True,
        )
    assert rollups.faults(campaign) == []


if __name__ == "__main__":
    main()
