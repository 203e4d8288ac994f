"""The tree's rules in the database: under which tiers a union of each tier may stand.

A CHECK cannot look at another row, so triggers do: on a union that is added or changed, and on
one whose children would stand under the wrong tier. SQLite drops triggers when a later migration
rebuilds the table; tests/organizations/test_tree.py fails then, and `apply` must be run again.
"""

from django.db import migrations

ALLOWED = [
    ("COUNTY", "CITY"),
    ("INDUSTRY", "CITY"),
    ("TOWNSHIP", "COUNTY"),
    ("GRASSROOTS", "TOWNSHIP"),
    ("GRASSROOTS", "COUNTY"),
    ("GRASSROOTS", "INDUSTRY"),
    ("GRASSROOTS", "CITY"),
]
TABLE = "organizations_organization"
_PAIRS = ", ".join(f"('{child}', '{parent}')" for child, parent in ALLOWED)
# True for a row NEW that stands, or whose children stand, where the rules forbid it.
_BREACH = f"""
    EXISTS (SELECT 1 FROM {TABLE} p WHERE p.id = NEW.parent_id
            AND (NEW.tier, p.tier) NOT IN (VALUES {_PAIRS}))
    OR EXISTS (SELECT 1 FROM {TABLE} c WHERE c.parent_id = NEW.id
               AND (c.tier, NEW.tier) NOT IN (VALUES {_PAIRS}))
"""
_MESSAGE = "organization_tree: this tier may not stand under that one"


def apply(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"""
            CREATE FUNCTION organization_tree() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {_BREACH} THEN
                    RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
            END $$
            """
        )
        schema_editor.execute(
            f"CREATE TRIGGER organization_tree BEFORE INSERT OR UPDATE OF tier, parent_id "
            f"ON {TABLE} FOR EACH ROW EXECUTE FUNCTION organization_tree()"
        )
    else:
        for event in ("INSERT", "UPDATE OF tier, parent_id"):
            name = "organization_tree_" + event.split()[0].lower()
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {TABLE} WHEN {_BREACH} "
                f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
            )


def revert(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER organization_tree ON {TABLE}")
        schema_editor.execute("DROP FUNCTION organization_tree()")
    else:
        schema_editor.execute("DROP TRIGGER organization_tree_insert")
        schema_editor.execute("DROP TRIGGER organization_tree_update")


class Migration(migrations.Migration):
    dependencies = [("organizations", "0001_initial")]
    operations = [migrations.RunPython(apply, revert)]
