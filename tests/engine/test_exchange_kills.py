"""Kills while two customers exchange their phone numbers: at every event, before and after each commit of Siagh.

In the end each has the other's number, and nobody was put before a person.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.bench import Bench
from tests.engine.moments import Trap, World

PHONES = ["09120000001", "09120000002"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("exchange")) as bench:
        bench.settings = {"CONCURRENCY": "2", "MAX_RETRY_ATTEMPTS": "5"}
        yield bench


@pytest.fixture(scope="module")
def kept(bench: Bench) -> World:
    """Just before the run that has to exchange the numbers of contacts 31 and 32."""
    sandbox = bench.sandbox
    for code, (name, phone) in enumerate(zip(["علی رضایی", "مریم کاظمی"], PHONES, strict=True), 31):
        sandbox.finance.add_contact(Code=code, Name=name, MobileNo=phone)
    for command in (("initial-import", "--yes"), ("sync",)):
        assert bench.run(*command).code == 0
    for crm_id, record in sandbox.crm.records.items():
        (phone,) = (each for each in PHONES if each != record["phoneContacts"][0]["phoneNumber"])
        sandbox.crm.edit(crm_id, phoneContacts=[{"phoneType": "Mobile", "phoneNumber": phone}])
    return bench.keep()


def test_the_numbers_are_exchanged_whenever_the_run_is_killed(bench: Bench, kept: World) -> None:
    bench.restore(kept)
    events = bench.run("sync").events
    writes = [at for at, event in enumerate(events, 1) if event.endpoint.startswith("SaveFormData")]
    assert len([at for at in writes if events[at - 1].stage == "committed"]) == 3
    traps = [Trap(at) for at in range(1, len(events) + 1)]
    traps += [Trap(at, lost=True) for at in writes if events[at - 1].stage == "received"]
    for trap in traps:
        bench.restore(kept)
        bench.run("sync", traps=[trap])
        bench.rest("sync", pause=61)
        shown = {each["Code"]: each["MobileNo"] for each in bench.sandbox.finance.snapshot()}
        assert shown == {31: PHONES[1], 32: PHONES[0]}, trap
        assert bench.unsettled() == bench.rows("SELECT * FROM reviews") == bench.rows("SELECT * FROM retries") == [], (
            trap
        )
