"""Marks where the summary table is out of date, by triggers: whoever changes a self-assessment, a
decision, the tree or a campaign says so in the same transaction, also in bulk and from outside.
None of these is ever deleted; what a campaign leaves out of account is told by a signal (`apps`).

SQLite drops triggers when a later migration rebuilds the table; tests/assessments/test_rollups.py
fails then, and `apply` must be run again.
"""

from django.db import migrations

STEP = 8
MARK = "assessments_rollupmark"


def cell(place, tier):
    """Where a union of that tier is counted: `rollups.counting.cell_of`."""
    return (
        f"CASE WHEN {tier} = 'GRASSROOTS' "
        f"THEN substr({place}, 1, length({place}) - {STEP}) ELSE {place} END"
    )


def places_of(union):
    """Every place where the union stands or stood."""
    return f"""
        SELECT {cell("s.place", "o.tier")} AS place
        FROM assessments_selfassessment s
        JOIN organizations_organization o ON o.id = s.organization_id
        WHERE s.organization_id = {union}
        UNION SELECT {cell("o.path", "o.tier")}
        FROM organizations_organization o WHERE o.id = {union}
    """


def mark_union(row):
    """Every place where the union of this self-assessment stands or stood, in the campaigns of
    whose three years this one is one."""
    return f"""
        INSERT INTO {MARK} (campaign_id, place)
        SELECT c.id, p.place
        FROM assessments_campaign mine
        JOIN assessments_campaign c
            ON mine.year BETWEEN c.cycle_start_year AND c.year,
        (
            {places_of(f"{row}.organization_id")}
            UNION SELECT {cell(f"{row}.place", "o.tier")}
            FROM organizations_organization o WHERE o.id = {row}.organization_id
        ) p
        WHERE mine.id = {row}.campaign_id AND p.place IS NOT NULL
    """


def mark_place(row):
    """The place of this organization, and where it handed in, in every campaign."""
    return f"""
        INSERT INTO {MARK} (campaign_id, place)
        SELECT c.id, p.place FROM assessments_campaign c, (
            SELECT {cell(f"{row}.path", f"{row}.tier")} AS place
            UNION SELECT {cell("s.place", f"{row}.tier")}
            FROM assessments_selfassessment s WHERE s.organization_id = {row}.id
        ) p
        WHERE p.place IS NOT NULL
    """


DECIDED = f"""
    INSERT INTO {MARK} (campaign_id, place)
    SELECT c.id, {cell("s.place", "o.tier")}
    FROM assessments_selfassessment s
    JOIN organizations_organization o ON o.id = s.organization_id
    JOIN assessments_campaign mine ON mine.id = s.campaign_id
    JOIN assessments_campaign c ON mine.year BETWEEN c.cycle_start_year AND c.year
    WHERE s.id = NEW.self_assessment_id
"""
#: A title that was lost takes along what was decided in its cycle.
REVOKED = f"""
    INSERT INTO {MARK} (campaign_id, place)
    SELECT c.id, p.place
    FROM assessments_campaign mine
    JOIN assessments_campaign c ON c.cycle_start_year = mine.cycle_start_year,
    ({places_of("NEW.organization_id")}) p
    WHERE mine.id = NEW.campaign_id AND p.place IS NOT NULL
"""
#: name, table, event, condition, statements
TRIGGERS = [
    ("assessment_added", "assessments_selfassessment", "INSERT", "", [mark_union("NEW")]),
    (
        "assessment_changed",
        "assessments_selfassessment",
        "UPDATE OF state, place, revision",
        "OLD.state <> NEW.state OR OLD.place <> NEW.place OR OLD.revision <> NEW.revision",
        [mark_union("NEW"), mark_union("OLD")],
    ),
    ("decision_added", "assessments_decision", "INSERT", "", [DECIDED]),
    ("decision_changed", "assessments_decision", "UPDATE", "", [DECIDED]),
    ("title_revoked", "assessments_recognition", "UPDATE OF revoked_at", "", [REVOKED]),
    (
        "organization_changed",
        "organizations_organization",
        "UPDATE OF path, tier, dissolved_on",
        "COALESCE(OLD.path, '') <> COALESCE(NEW.path, '') OR OLD.tier <> NEW.tier "
        "OR (OLD.dissolved_on IS NULL) <> (NEW.dissolved_on IS NULL)",
        [mark_place("NEW"), mark_place("OLD")],
    ),
    (
        "campaign_changed",
        "assessments_campaign",
        "UPDATE OF year, cycle_start_year",
        "OLD.year <> NEW.year OR OLD.cycle_start_year <> NEW.cycle_start_year",
        [f"INSERT INTO {MARK} (campaign_id, place) SELECT id, '' FROM assessments_campaign"],
    ),
]


def apply(apps, schema_editor):
    for name, table, event, condition, statements in TRIGGERS:
        body = "; ".join(statements) + ";"
        when = f"WHEN ({condition})" if condition else ""
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE FUNCTION rollup_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN {body} RETURN NULL; END $$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER rollup_{name} AFTER {event} ON {table} FOR EACH ROW {when} "
                f"EXECUTE FUNCTION rollup_{name}()"
            )
        else:
            schema_editor.execute(
                f"CREATE TRIGGER rollup_{name} AFTER {event} ON {table} {when} BEGIN {body} END"
            )


def revert(apps, schema_editor):
    for name, table, *_ in TRIGGERS:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER rollup_{name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION rollup_{name}()")
        else:
            schema_editor.execute(f"DROP TRIGGER rollup_{name}")


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0001_initial"),
        ("organizations", "0002_enforce_tree"),
    ]
    operations = [migrations.RunPython(apply, revert)]
