"""The record of what was done: whole, or it shows."""

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from organizations import audit
from organizations.models import AuditChain, AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(city):
    for number in range(1, 5):
        audit.record(action=f"ACT{number}", by=city.head, subject=city.own, details={"n": number})
    audit.record(action="OTHER", by=None)
    return AuditEvent.objects.filter(chain__key=audit.chain_key(city.own))


def test_a_whole_record_verifies(chain, capsys):
    assert list(audit.verify()) == []
    call_command("verify_audit")
    assert "whole" in capsys.readouterr().out


def test_each_event_follows_the_one_before(chain):
    events = list(chain.order_by("number"))
    assert [event.number for event in events] == [1, 2, 3, 4]
    assert [event.previous_hash for event in events[1:]] == [event.hash for event in events[:-1]]


@pytest.mark.parametrize(
    "change", [{"actor_name": "别人"}, {"details": {"n": 99}}, {"action": "X"}, {"hash": "0" * 64}]
)
def test_an_altered_event_shows(chain, change):
    chain.filter(number=2).update(**change)
    assert any("event 2 was altered" in fault for fault in audit.verify())


def test_a_removed_event_shows(chain):
    chain.filter(number=2).delete()
    assert any("event 2 is missing" in fault for fault in audit.verify())


def test_a_tail_that_was_cut_off_shows(chain):
    chain.filter(number__gte=3).delete()
    assert [fault for fault in audit.verify() if "4 events were recorded" in fault]


def test_an_event_added_behind_the_back_shows(chain, city):
    last = chain.get(number=4)
    last.pk, last.number = None, 5
    last.save()
    assert list(audit.verify())


def test_the_command_fails_and_names_the_faults(chain, capsys):
    chain.filter(number=1).update(action="X")
    with pytest.raises(CommandError):
        call_command("verify_audit")
    assert "event 1 was altered" in capsys.readouterr().err


def test_an_act_that_is_rolled_back_leaves_no_record(city):
    try:
        with transaction.atomic():
            audit.record(action="LOST", by=city.head, subject=city.own)
            raise RuntimeError
    except RuntimeError:
        pass
    assert not AuditChain.objects.filter(key=audit.chain_key(city.own)).exists()
