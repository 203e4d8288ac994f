"""An archived campaign is read only: the database refuses to add to it or to change it, whoever asks.

What may go on is not in the list: titles are looked at again in later years, the contacts of the
public are deleted, and the summary table follows the tree. SQLite drops triggers when a later
migration rebuilds the table; tests/assessments/test_archiving.py fails then, and `apply` must be run
again.
"""

from django.db import migrations

MESSAGE = "archived_campaign: read only"
_OF_ASSESSMENT = (
    "(SELECT s.campaign_id FROM assessments_selfassessment s WHERE s.id = {row}.self_assessment_id)"
)
_OF_LIST = "(SELECT l.campaign_id FROM assessments_recommendationlist l WHERE l.id = {row}.list_id)"


def _through(table, key):
    """The campaign of a row that hangs on another one, which hangs on a self-assessment."""
    return (
        f"(SELECT s.campaign_id FROM assessments_selfassessment s JOIN {table} t "
        f"ON t.self_assessment_id = s.id WHERE t.id = {{row}}.{key})"
    )


#: Table → the key of its row's campaign.
TABLES = {
    "assessments_campaign": "{row}.id",
    "assessments_tierpolicy": "{row}.campaign_id",
    "assessments_extension": "{row}.campaign_id",
    "assessments_extensionrequest": "{row}.campaign_id",
    "assessments_veto": "{row}.campaign_id",
    "assessments_publicityperiod": "{row}.campaign_id",
    "assessments_publishedresult": (
        "(SELECT p.campaign_id FROM assessments_publicityperiod p WHERE p.id = {row}.period_id)"
    ),
    "assessments_goalcompletion": "{row}.campaign_id",
    "assessments_recommendationlist": "{row}.campaign_id",
    "assessments_recommendation": _OF_LIST,
    "assessments_recommendationquota": _OF_LIST,
    "assessments_packagefile": (
        "(SELECT l.campaign_id FROM assessments_recommendationlist l JOIN "
        "assessments_recommendation t ON t.list_id = l.id WHERE t.id = {row}.recommendation_id)"
    ),
    "assessments_supervisionround": "{row}.campaign_id",
    "assessments_supervisionvisit": (
        "(SELECT r.campaign_id FROM assessments_supervisionround r WHERE r.id = {row}.round_id)"
    ),
    "assessments_supervisionfinding": (
        "(SELECT r.campaign_id FROM assessments_supervisionround r JOIN "
        "assessments_supervisionvisit t ON t.round_id = r.id WHERE t.id = {row}.visit_id)"
    ),
    "assessments_implementationplan": "{row}.campaign_id",
    "assessments_planversion": (
        "(SELECT p.campaign_id FROM assessments_implementationplan p WHERE p.id = {row}.plan_id)"
    ),
    "assessments_selfassessment": "{row}.campaign_id",
    "assessments_answer": _OF_ASSESSMENT,
    "assessments_endorsement": _OF_ASSESSMENT,
    "assessments_review": _OF_ASSESSMENT,
    "assessments_reviewscore": _through("assessments_review", "review_id"),
    "assessments_decision": _OF_ASSESSMENT,
    "assessments_decisionscore": _through("assessments_decision", "decision_id"),
}


def _triggers():
    for table, key in TABLES.items():
        for event, row in (("insert", "NEW"), ("update", "OLD")):
            breach = (
                "EXISTS (SELECT 1 FROM assessments_campaign c "
                f"WHERE c.id = {key.format(row=row)} AND c.state = 'ARCHIVED')"
            )
            yield f"{table}_archived_{event}", table, event, breach


def apply(apps, schema_editor):
    for name, table, event, breach in _triggers():
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {breach} THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'check_violation'; "
                f"END IF; RETURN NEW; END $$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        else:
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {breach} "
                f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
            )


def revert(apps, schema_editor):
    for name, table, *_ in _triggers():
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}()")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("assessments", "0002_rollup_marks")]
    operations = [migrations.RunPython(apply, revert)]
