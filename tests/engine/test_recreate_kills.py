"""Kills while a lost contact is made anew: at every event, before and after Siagh's commit, and again during the recovery.

In the end the customer has one new contact, linked, and the document that waited is booked on it.
`SWEEP=full` tries a second kill after each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.engine.bench import Bench
from tests.engine.moments import Trap, World
from tests.environment import SINCE

FULL = os.environ.get("SWEEP") == "full"
NAME = "علی رضایی"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("recreate")) as bench:
        bench.settings = {"UNKNOWN_GRACE_SECONDS": "60", "CONCURRENCY": "2", **SINCE}
        yield bench


@pytest.fixture(scope="module")
def kept(bench: Bench) -> World:
    """Just before the run that makes the contact anew: its old code belongs to somebody else, and a person has decided."""
    sandbox = bench.sandbox
    code = sandbox.finance.add_contact(Name=NAME, MobileNo="09120000001")
    sandbox.finance.add_contact(Name="مریم کاظمی", MobileNo="09120000002")
    for command in (("initial-import", "--yes"), ("sync",)):
        assert bench.run(*command).code == 0
    sandbox.finance.delete(code)
    sandbox.finance.add_contact(Code=code, Name="کس دیگر", MobileNo="09127777777")
    (customer,) = (crm_id for crm_id, record in sandbox.crm.records.items() if record["nickName"] == NAME)
    sandbox.crm.edit(customer, email="a@example.com")
    assert bench.run("sync").code == 1
    (item,) = bench.run("review").report["items"]
    assert bench.run("review", "resolve", str(item["id"]), "--recreate").code == 0
    return bench.keep()


def contacts(bench: Bench) -> list[int]:
    return [each["Code"] for each in bench.sandbox.finance.snapshot() if each["Name"] == NAME]


def test_it_is_made_once_whenever_the_run_is_killed(bench: Bench, kept: World) -> None:
    bench.restore(kept)
    events = bench.run("sync").events
    assert len(contacts(bench)) == 1
    writes = [at for at, event in enumerate(events, 1) if event.endpoint.startswith("SaveFormData")]
    assert writes
    dice = Random(7)
    traps = [Trap(at) for at in range(1, len(events) + 1)]
    traps += [Trap(at, lost=True) for at in writes if events[at - 1].stage == "received"]
    for trap in traps:
        for second in (None, Trap(dice.randint(2, 14))) if FULL or trap.at in writes else (None,):
            bench.restore(kept)
            bench.run("sync", traps=[trap])
            if second:
                bench.advance(61)
                bench.run("sync", traps=[second])
            bench.rest("sync", pause=61)
            (code,) = contacts(bench)
            linked = bench.rows(
                "SELECT finance_code FROM customer_mappings WHERE linked_by IN ('recreated', 'look_up')"
            )
            assert [row["finance_code"] for row in linked] == [code], (trap, second)
            assert bench.rows("SELECT * FROM decisions") == bench.unsettled() == [], (trap, second)
            assert [row["resolution"] for row in bench.rows("SELECT resolution FROM reviews")] == ["recreate"]
            assert bench.run("sync", "--full").report["customers"]["created"] == 0


def test_many_runs_within_the_grace_time_neither_send_it_again_nor_give_it_up(bench: Bench, kept: World) -> None:
    bench.restore(kept)
    events = bench.run("sync").events
    sent = next(at for at, event in enumerate(events, 1) if event.endpoint.startswith("SaveFormData"))
    bench.restore(kept)
    bench.run("sync", traps=[Trap(sent, lost=True)])
    for _ in range(6):
        bench.advance(8)
        assert bench.run("sync").code == 1
        assert contacts(bench) == []
    assert [row["reason"] for row in bench.rows("SELECT reason FROM reviews")] == ["contact_replaced"]
    bench.rest("sync", pause=61)
    assert len(contacts(bench)) == 1
    assert [row["resolution"] for row in bench.rows("SELECT resolution FROM reviews")] == ["recreate"]


def test_a_person_who_decides_otherwise_while_it_is_in_doubt_has_the_last_word(bench: Bench, kept: World) -> None:
    bench.restore(kept)
    events = bench.run("sync").events
    sent = next(at for at, event in enumerate(events, 1) if event.endpoint.startswith("SaveFormData"))
    bench.restore(kept)
    other = bench.sandbox.finance.add_contact(Name=NAME)
    bench.run("sync", traps=[Trap(sent + 1)])  # killed after Siagh's commit
    (row,) = bench.rows("SELECT id FROM reviews WHERE resolution IS NULL")
    assert bench.run("review", "resolve", str(row["id"]), "--link", str(other)).code == 0
    assert bench.rows("SELECT * FROM decisions") == []
    bench.rest("sync", pause=61)
    found = bench.rows(f"SELECT linked_by FROM customer_mappings WHERE finance_code = {other}")
    assert found == [{"linked_by": "person"}]
    assert len(contacts(bench)) == 2
    assert "double_in_finance" in [item["reason"] for item in bench.run("review").report["items"]]
