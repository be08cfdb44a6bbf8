"""What a run that webhooks set off tells the world outside, and what becomes of calls that nobody wants any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.listener import Listener
from tests.patience import wait_for
from tests.web.serving import Served, ready, serving, write
from tests.world import Maker, World

STRANGER = {"firstName": "", "lastName": "", "nationalCode": "", "phoneContacts": []}
ROW = {"productCode": "P-1", "count": 1, "baseUnitPrice": 500}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


@pytest.fixture
def world(make_world: Maker) -> World:
    """Three linked customers."""
    return make_world(3, also_in_crm=3).imported()


def told(world: World, listener: Listener) -> World:
    """The world with all that tells of runs switched on."""
    return ready(
        world, ALERT_URL=f"{listener.url}/alert", HEALTHCHECK_URL=f"{listener.url}/ping", METRICS_FILE="m.prom"
    )


def stranger(world: World, code: int) -> str:
    """A CRM record that has the number of a contact which is somebody else."""
    world.finance.add_contact(Code=code, Name=f"همنام {code}")
    return world.crm.add_person(nickName="غریبه", customerNumber=str(code), **STRANGER)


def settled(served: Served, runs: int) -> bool:
    """Whether so many runs for webhooks are over."""
    ((count,),) = served.world.rows("SELECT count(*) FROM runs WHERE command = 'webhook' AND finished_at IS NOT NULL")
    return bool(count >= runs and served.is_settled())


# --- alerts, metrics, pings --------------------------------------------------------------------------------


def test_what_newly_needs_a_person_is_told_once_and_the_cron_monitor_nothing(world: World, listener: Listener) -> None:
    crm_id = stranger(world, 900)
    with serving(told(world, listener)) as served:
        assert served.call("identity", crm_id, "Insert").status_code == 200
        wait_for(lambda: listener.heard)
        wait_for(lambda: settled(served, 1))
        assert served.call("identity", crm_id).status_code == 200
        wait_for(lambda: settled(served, 2))
    (alert,) = listener.take()  # and no ping
    assert (alert.method, alert.path) == ("POST", "/alert")
    assert [(item["kind"], item["reason"]) for item in alert.json["items"]] == [("review", "stranger")]
    assert alert.json["text"].startswith("siaghsync webhook: 1 new matter(s)")
    metrics = (world.folder / "m.prom").read_text("utf-8")
    assert 'siaghsync_runs_total{command="webhook",outcome="ok"} 1' in metrics
    assert 'siaghsync_last_run_duration_seconds{command="webhook"}' in metrics
    assert "siaghsync_review 1" in metrics
    # What the worker told is not told again by cron, which pings.
    assert world.run("sync").exit_code == 0
    assert [one.path for one in listener.take()] == ["/ping/start", "/ping"]


def test_an_alert_that_does_not_arrive_fails_nothing_and_comes_with_the_next_run(
    world: World, listener: Listener
) -> None:
    crm_id, (own,) = stranger(world, 900), world.rows("SELECT crm_id FROM customer_mappings LIMIT 1")
    listener.status = 500
    with serving(told(world, listener)) as served:
        assert served.call("identity", crm_id, "Insert").status_code == 200
        wait_for(lambda: settled(served, 1))
        wait_for(lambda: listener.heard)
        listener.take()
        listener.status = 204
        world.crm.edit(own[0], nickName="نام تازه")
        assert served.call("identity", own[0]).status_code == 200
        wait_for(lambda: listener.heard)
        wait_for(lambda: settled(served, 2))
    (alert,) = listener.take()
    assert [item["customer_number"] for item in alert.json["items"]] == ["900"]
    assert world.finance.contacts[world.code_of(own[0])]["Name"] == "نام تازه"


def test_a_system_that_is_away_is_told_too(world: World, listener: Listener) -> None:
    world.arm("close_before", "finance:LoginUser", times=None)
    ((own,),) = world.rows("SELECT crm_id FROM customer_mappings LIMIT 1")
    with serving(told(world, listener)) as served:
        assert served.call("identity", own).status_code == 200
        wait_for(lambda: listener.heard)
    assert [item["kind"] for item in listener.heard[0].json["items"]] == ["system"]


# --- calls for sources that are switched off ---------------------------------------------------------------


@pytest.mark.parametrize(("item", "setting"), [("quote", "SYNC_QUOTES"), ("invoice", "SYNC_INVOICES")])
def test_a_call_for_a_source_that_is_switched_off_leaves_nothing_waiting(world: World, item: str, setting: str) -> None:
    ((customer,),) = world.rows("SELECT crm_id FROM customer_mappings LIMIT 1")
    add = world.crm.add_quote if item == "quote" else world.crm.add_invoice
    document = add(customer, [ROW], number="100-1405/1", crmObjectTypeCode="PI_5")
    # What was stored, or taken up by a run that ended early, while it was still switched on.
    write(world, "INSERT INTO webhook_events VALUES ('invoice', ?, ?, 'insert', 1, '')", document, item)
    write(
        world,
        "INSERT INTO retries VALUES ('invoice', 'finance', 'taken-up', ?, '', '', 0, 0, '', 'webhook', "
        "'state.webhook_call', '{}', '', NULL)",
        item,
    )
    with serving(ready(world, **{setting: "false"})) as served:
        answer = served.call(item, document, "Insert")
        assert (answer.status_code, answer.json()["message"][:7]) == (200, "ignored")
        wait_for(served.is_settled)
    assert world.rows("SELECT count(*) FROM retries") == [(0,)]
    assert world.json("status")["pending"] == 0
    assert world.finance.preinvoices == []
    # Switched on again, the document comes by its own date.
    world.set()
    world.json("sync")
    assert world.rows("SELECT crm_id FROM posted_documents") == [(document,)]


def test_a_run_for_customers_only_keeps_what_webhooks_told_of_documents(world: World) -> None:
    ((customer,),) = world.rows("SELECT crm_id FROM customer_mappings LIMIT 1")
    document = world.crm.add_quote(customer, [ROW], number="100-1405/1", crmObjectTypeCode="PI_5")
    write(world, "INSERT INTO webhook_events VALUES ('invoice', ?, 'quote', 'insert', 1, '')", document)
    world.json("sync", "--only", "customers")
    assert world.rows("SELECT record FROM retries") == [(document,)]
    world.json("sync", "--only", "invoices")
    assert world.rows("SELECT crm_id FROM posted_documents") == [(document,)]
