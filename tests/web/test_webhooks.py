"""Webhooks over real HTTP: stored before the 200, folded, bounded, never lost, and carried to Finance by the usual engine."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from siaghsync.state.lock import run_lock
from siaghsync.state.webhook_queue import MOST_AT_ONCE
from tests.patience import PATIENCE, wait_for
from tests.web.serving import SECRET, Served, ready, serving, write
from tests.world import Maker, Process, World, finish, holding


def name_in_finance(world: World, crm_id: str) -> str:
    return str(world.finance.contacts[world.code_of(crm_id)]["Name"])


def audit(world: World, crm_id: str) -> list[tuple[str, str]]:
    rows = world.rows("SELECT operation, outcome FROM audit WHERE crm_id = ? ORDER BY id", crm_id)
    return [(str(action), str(outcome)) for action, outcome in rows]


def own(served: Served, place: int) -> str:
    """The CRM id of a person that only one test touches."""
    rows = served.world.rows("SELECT crm_id FROM customer_mappings WHERE kind = 'person' ORDER BY finance_code")
    return str(rows[place][0])


# --- from the CRM to Finance -------------------------------------------------------------------------------


def test_a_change_reaches_finance_with_few_requests(served: Served) -> None:
    world, crm_id = served.world, own(served, 0)
    wait_for(served.is_settled)
    world.crm.edit(crm_id, nickName="تازه از وب‌هوک")
    world.journal.reset()
    answer = served.call("identity", crm_id)
    assert (answer.status_code, answer.json()) == (200, {"message": "stored"})
    wait_for(lambda: name_in_finance(world, crm_id) == "تازه از وب‌هوک")
    wait_for(served.is_settled)
    assert world.journal.count("crm", "person/find") == 0
    # Two logins, one look at each side, one write.
    assert world.journal.count() == 5
    assert world.rows("SELECT command, outcome FROM runs ORDER BY id DESC LIMIT 1") == [("webhook", "ok")]


def test_doubled_calls_make_one_write(served: Served) -> None:
    world, crm_id = served.world, own(served, 1)
    world.crm.edit(crm_id, nickName="دوبار گفته")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: served.call("identity", crm_id).status_code, range(16)))
    assert answers == [200] * 16
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == "دوبار گفته"
    assert audit(world, crm_id).count(("update", "done")) == 1


def test_calls_out_of_order_and_a_call_without_a_change_do_no_harm(served: Served) -> None:
    world, crm_id = served.world, own(served, 2)
    world.crm.edit(crm_id, nickName="آخرین نام")
    for event in ("2", "Delete", "1", "insert", "UPDATE"):
        assert served.call("identity", crm_id, event).status_code == 200
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == "آخرین نام"
    writes = world.journal.count("finance", "SaveFormData")
    assert served.call("identity", crm_id).status_code == 200
    wait_for(served.is_settled)
    assert world.journal.count("finance", "SaveFormData") == writes


def test_a_new_customer_and_its_invoice_come_in_one_go(served: Served) -> None:
    world = served.world
    crm_id = world.crm.add_organization(nickName="شرکت تازه", customerNumber="900001", nationalCode="14009876543")
    row = {"productCode": "P-1", "count": 2, "baseUnitPrice": 1000}
    invoice = world.crm.add_invoice(crm_id, [row], number="100-1405/77", crmObjectTypeCode="PI_5")
    # Only the invoice is told of: its customer is synced first, in the same run.
    assert served.call("invoice", invoice, "Insert").status_code == 200
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == "شرکت تازه"
    assert world.rows("SELECT count(*) FROM posted_documents WHERE crm_id = ?", invoice) == [(1,)]


@pytest.mark.parametrize("unknown_address", ["empty", "404"])
def test_an_invoice_that_can_not_be_read_by_its_id_comes_with_the_list(make_world: Maker, unknown_address: Any) -> None:
    world = ready(make_world(customers=2, also_in_crm=2)).imported()
    world.crm.missing, world.crm.unknown_address = {"invoice/sales/get"}, unknown_address
    row = {"productCode": "P-1", "count": 2, "baseUnitPrice": 1000}
    with serving(world) as served:
        crm_id = next(iter(world.crm.records))
        invoice = world.crm.add_invoice(crm_id, [row], number="100-1405/77", crmObjectTypeCode="PI_5")
        assert served.call("invoice", invoice, "Insert").status_code == 200
        wait_for(served.is_settled)
    world.json("sync")
    assert world.rows("SELECT count(*) FROM posted_documents WHERE crm_id = ?", invoice) == [(1,)]
    assert len(world.finance.preinvoices) == 1
    assert world.json("status")["pending"] == 0


@pytest.mark.parametrize(
    ("switch", "position"),
    [
        ("webhook_events", "names"), ("webhook_events", "numbers"), ("webhook_calls", "doubled"),
        ("webhook_calls", "swapped"), ("webhook_calls", "lost"),
    ],
)  # fmt: skip
def test_what_changes_arrives_however_the_crm_calls(make_world: Maker, switch: str, position: str) -> None:
    world = ready(make_world(customers=4, also_in_crm=4)).imported()
    setattr(world.crm, switch, position)
    names = {crm_id: f"نام تازه {place}" for place, crm_id in enumerate(world.crm.records)}
    with serving(world) as served:
        world.crm.webhooks.addresses = {"Identity": f"{served.url}/webhook/crm/identity/{SECRET}"}
        for crm_id, name in names.items():
            world.crm.edit(crm_id, nickName=name)
        if position != "lost":
            wait_for(lambda: [name_in_finance(world, crm_id) for crm_id in names] == list(names.values()))
        wait_for(served.is_settled)
    assert world.json("sync")["customers"]["updated"] == (4 if position == "lost" else 0)
    assert [name_in_finance(world, crm_id) for crm_id in names] == list(names.values())


def test_an_organization_under_a_name_that_tells_no_kind_is_found(served: Served) -> None:
    world = served.world
    crm_id = world.crm.add_organization(nickName="نمایندگی شرق", customerNumber="900002", nationalCode="14001112223")
    assert served.call("identity", crm_id, "Insert", subtype="نماینده").status_code == 200
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == "نمایندگی شرق"


def test_what_was_deleted_is_left_alone(served: Served) -> None:
    world, crm_id = served.world, own(served, 3)
    before = name_in_finance(world, crm_id)
    world.crm.delete(crm_id)
    assert served.call("identity", crm_id, "Delete").status_code == 200
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == before
    assert audit(world, crm_id)[-1] == ("skip", "skipped")


def test_a_posted_document_that_is_deleted_goes_to_a_person(served: Served) -> None:
    world, customer = served.world, own(served, 4)
    row = {"productCode": "P-1", "count": 1, "baseUnitPrice": 500}
    quote = world.crm.add_quote(customer, [row], number="100-1405/78", crmObjectTypeCode="PI_5")
    served.call("quote", quote, "Insert")
    wait_for(lambda: world.rows("SELECT 1 FROM posted_documents WHERE crm_id = ?", quote))
    wait_for(served.is_settled)
    assert served.call("quote", quote).status_code == 200  # nothing has changed
    wait_for(served.is_settled)
    world.crm.delete(quote)
    assert served.call("quote", quote, "Delete").status_code == 200
    wait_for(served.is_settled)
    found = world.rows("SELECT reason FROM reviews WHERE record = ? AND resolution IS NULL", quote)
    assert found == [("deleted_after_posting",)]


def test_post_with_a_form_is_as_good_as_get(served: Served) -> None:
    world, crm_id = served.world, own(served, 5)
    world.crm.edit(crm_id, nickName="با پست")
    data = {"event": "Update", "id": "{" + crm_id.upper() + "}", "type": "IDENTITY", "subtype": "مخاطب حقيقي"}
    answer = served.http.post(f"{served.url}/webhook/crm/identity?token={SECRET}", data, timeout=PATIENCE)
    assert answer.status_code == 200
    wait_for(served.is_settled)
    assert name_in_finance(world, crm_id) == "با پست"


def test_while_a_run_is_at_work_the_call_is_stored_and_waits_its_turn(served: Served) -> None:
    world, crm_id = served.world, own(served, 6)
    wait_for(served.is_settled)
    with run_lock(world.state_file):
        world.crm.edit(crm_id, nickName="نوبت")
        assert served.call("identity", crm_id).status_code == 200
        wait_for(lambda: served.stored() == 1)
        assert name_in_finance(world, crm_id) != "نوبت"
    wait_for(lambda: name_in_finance(world, crm_id) == "نوبت")


def test_calls_during_a_real_sync_are_neither_lost_nor_carried_out_twice(served: Served) -> None:
    world, mine = served.world, [own(served, place) for place in range(10, 20)]
    wait_for(served.is_settled)
    for crm_id in mine:
        world.crm.edit(crm_id, nickName=f"پیش {crm_id[:4]}")
    world.finance.latency = 0.05
    try:
        sync = world.start("sync", "--json")
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE command = 'sync' AND finished_at IS NULL"))
        for crm_id in mine:
            world.crm.edit(crm_id, nickName=f"پس {crm_id[:4]}")
            assert served.call("identity", crm_id).status_code == 200
        _, said = sync.communicate()
        assert sync.returncode == 0, said
        wait_for(served.is_settled)
    finally:
        world.finance.latency = 0
    assert [name_in_finance(world, crm_id) for crm_id in mine] == [f"پس {crm_id[:4]}" for crm_id in mine]
    assert world.rows("SELECT count(*) FROM intents WHERE state IN ('open', 'unknown')") == [(0,)]


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "params", "status"),
    [
        ("identity", {"event": "Upsert"}, 400),
        ("identity", {"event": ""}, 400),
        ("identity", {"event": "3"}, 400),
        ("identity", {"id": "1 OR 1=1"}, 400),
        ("identity", {"id": ""}, 400),
        ("identity", {"id": "8adeeabc-fab9-4a77-a906-e47ac59373a7x"}, 400),
        ("identity", {"type": "Quote"}, 400),
        ("quote", {"type": "Identity"}, 400),
        ("invoice", {"type": ""}, 400),
        ("ticket", {"type": "Ticket"}, 404),
    ],
)
def test_a_call_that_is_none_is_refused_and_stores_nothing(
    served: Served, item: str, params: dict[str, str], status: int
) -> None:
    wait_for(served.is_settled)
    runs = served.world.rows("SELECT max(id) FROM runs")
    right = {"event": "Update", "id": str(uuid.UUID(int=7)), "type": item.capitalize(), "subtype": "مخاطب حقیقی"}
    answer = served.http.get(f"{served.url}/webhook/crm/{item}/{SECRET}", params={**right, **params}, timeout=PATIENCE)
    assert answer.status_code == status
    assert served.stored() == 0
    assert served.world.rows("SELECT max(id) FROM runs") == runs


@pytest.mark.parametrize(
    "path", ["identity", "identity/", "identity/x", "identity?token=x", "identity/%D8%B1", "quote/" + SECRET[:-1]]
)
def test_without_the_secret_nothing_is_taken(served: Served, path: str) -> None:
    params = {"event": "Update", "id": str(uuid.UUID(int=8)), "type": "Identity"}
    answer = served.http.get(f"{served.url}/webhook/crm/{path}", params=params, timeout=PATIENCE)
    assert answer.status_code == 403
    assert SECRET not in answer.text
    assert served.stored() == 0


def test_a_large_body_is_refused(served: Served) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = served.http.post(
        f"{served.url}/webhook/crm/identity/{SECRET}", b"a" * 100_000, headers=headers, timeout=PATIENCE
    )
    assert answer.status_code == 413


def test_other_methods_are_refused(served: Served) -> None:
    assert served.http.delete(f"{served.url}/webhook/crm/identity/{SECRET}", timeout=PATIENCE).status_code == 405


def test_kinds_of_documents_that_are_not_synced_are_ignored_and_switched_off_webhooks_are_not_there(
    small: World,
) -> None:
    world = ready(small, SYNC_QUOTES="false")
    with serving(world) as served:
        answer = served.call("quote", str(uuid.UUID(int=2)))
        assert answer.status_code == 200
        assert "ignored" in answer.text
        assert world.rows("SELECT 1 FROM webhook_events WHERE entity = 'invoice'") == []
    world.set(WEBHOOK_SECRET=SECRET)
    with serving(world) as served:
        assert served.call("identity", str(uuid.UUID(int=1))).status_code == 404


def test_before_the_initial_import_the_crm_is_told_to_come_again(make_world: Maker) -> None:
    world = ready(make_world())
    with serving(world) as served:
        answer = served.call("identity", str(uuid.UUID(int=1)))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert not world.state_file.exists()


# --- floods and deaths -------------------------------------------------------------------------------------


def test_a_burst_of_hundreds_loses_nothing_and_doubles_nothing(make_world: Maker) -> None:
    world = ready(make_world(300, also_in_crm=300)).imported()
    ids = [crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")]
    contacts = len(world.finance.contacts)
    with serving(world) as served:
        for place, crm_id in enumerate(ids):
            world.crm.edit(crm_id, nickName=f"موج {place}")

        def call_twice(crm_id: str) -> set[int]:
            return {served.call("identity", crm_id).status_code for _ in range(2)}

        with ThreadPoolExecutor(16) as pool:
            assert set().union(*pool.map(call_twice, ids)) == {200}
        wait_for(served.is_settled)
    assert [name_in_finance(world, crm_id) for crm_id in ids] == [f"موج {place}" for place in range(len(ids))]
    assert len(world.finance.contacts) == contacts
    # A call that comes while its record is being written leads to one more look, never to one more write.
    assert world.rows("SELECT count(*) FROM audit WHERE operation = 'update' AND outcome = 'done'") == [(len(ids),)]
    assert world.rows("SELECT count(*) FROM reviews") == [(0,)]


def test_a_flood_is_bounded_and_answered_with_come_again(small: World) -> None:
    world = ready(small)
    with serving(world) as served, run_lock(world.state_file):
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        write(world, f"INSERT INTO webhook_events {numbers} SELECT 'customer', i, 'person', 'update', 1, '' FROM n")
        answer = served.call("identity", str(uuid.UUID(int=1)))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        write(world, "DELETE FROM webhook_events")
        assert served.call("identity", str(uuid.UUID(int=1))).status_code == 200


def test_killed_between_store_and_sync_the_next_sync_finds_what_was_stored(small: World) -> None:
    world = ready(small)
    world.json("sync")
    crm_id = world.crm_of(min(code for (code,) in world.rows("SELECT finance_code FROM customer_mappings")))
    with serving(world) as served:
        with run_lock(world.state_file):
            # A change with an old date: no look at what is new can find it, only the stored call.
            world.crm.edit(crm_id, nickName="پس از مرگ", modifyDate="2020-01-01T00:00:00")
            assert served.call("identity", crm_id).status_code == 200
            served.process.kill()
            served.process.wait()
        assert world.rows("SELECT record, calls FROM webhook_events") == [(crm_id, 1)]
        assert name_in_finance(world, crm_id) != "پس از مرگ"
        done = world.json("sync")
    assert done["customers"]["updated"] == 1
    assert name_in_finance(world, crm_id) == "پس از مرگ"
    assert world.rows("SELECT count(*) FROM webhook_events") == [(0,)]
    assert world.rows("SELECT count(*) FROM retries") == [(0,)]
    # A new `serve` takes up what an earlier one has left, too.
    world.crm.edit(crm_id, nickName="میراث")
    write(world, "INSERT INTO webhook_events VALUES ('customer', ?, 'person', 'update', 1, '')", crm_id)
    with serving(world):
        wait_for(lambda: name_in_finance(world, crm_id) == "میراث")


def test_a_finance_that_is_away_loses_nothing_and_a_dry_run_takes_nothing_up(small: World) -> None:
    world = ready(small)
    crm_id = world.crm_of(min(code for (code,) in world.rows("SELECT finance_code FROM customer_mappings")))
    world.arm("close_before", "finance:LoginUser", times=None)
    with serving(world) as served:
        world.crm.edit(crm_id, nickName="صبور", modifyDate="2020-01-01T00:00:00")
        assert served.call("identity", crm_id).status_code == 200
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE command = 'webhook' AND outcome = 'failed'"))
        assert served.stored() == 1
    world.sandbox.faults.clear()
    world.json("sync", "--dry-run")
    assert world.rows("SELECT count(*) FROM webhook_events") == [(1,)]
    world.json("sync")
    assert name_in_finance(world, crm_id) == "صبور"


def test_serve_stops_in_order_while_a_run_is_at_work(small: World) -> None:
    world = ready(small)
    ids = [crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")][:5]
    world.finance.latency = 0.2
    with serving(world) as served:
        for crm_id in ids:
            world.crm.edit(crm_id, nickName=f"توقف {crm_id[:4]}")
            served.call("identity", crm_id)
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE command = 'webhook'"))
    world.finance.latency = 0
    assert world.rows("SELECT count(*) FROM runs WHERE finished_at IS NULL") == [(0,)]
    with run_lock(world.state_file):
        pass  # free again; else LockHeld
    world.json("sync")
    assert [name_in_finance(world, crm_id) for crm_id in ids] == [f"توقف {crm_id[:4]}" for crm_id in ids]


def test_a_caller_that_hangs_up_does_not_disturb_the_others(served: Served) -> None:
    crm_id = own(served, 7)
    host, _, port = served.url.removeprefix("http://").partition(":")
    path = f"/webhook/crm/identity/{SECRET}?event=1&type=Identity&id={crm_id}"
    for _ in range(5):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    served.world.crm.edit(crm_id, nickName="هنوز زنده")
    assert served.call("identity", crm_id).status_code == 200
    wait_for(lambda: name_in_finance(served.world, crm_id) == "هنوز زنده")


def test_an_id_that_the_crm_does_not_have_is_asked_for_once_an_hour_and_a_run_takes_up_so_many(small: World) -> None:
    world = ready(small)

    def tell(count: int) -> None:
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        ids = "printf('00000000-0000-4000-8000-%012d', i)"
        write(world, f"{numbers} INSERT INTO webhook_events SELECT 'customer', {ids}, 'person', 'update', 1, '' FROM n")

    tell(MOST_AT_ONCE + 3)
    world.run("sync")
    assert world.journal.count("crm", "person/get") == MOST_AT_ONCE
    assert world.rows("SELECT count(*) FROM webhook_events") == [(3,)]
    world.run("sync")
    assert world.journal.count("crm", "person/get") == 3
    tell(5)
    world.run("sync")
    assert world.journal.count("crm", "person/get") == 0
    write(world, "UPDATE webhooks_in_vain SET asked_at = '2026-01-01T00:00:00.000+00:00'")
    tell(5)
    world.run("sync")
    assert world.journal.count("crm", "person/get") == 5
    assert world.rows("SELECT count(*) FROM retries UNION ALL SELECT count(*) FROM webhook_events") == [(0,), (0,)]


def catches(process: Process, number: signal.Signals) -> bool:
    """Whether a process has a handler for the signal by now, as Linux says."""
    (mask,) = re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text("ascii"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_cron_waits_for_the_run_of_the_service_and_for_no_other(small: World) -> None:
    world = ready(small)
    with serving(world) as served:
        with holding(world, "person/get"):
            assert served.call("identity", own(served, 0)).status_code == 200
            wait_for(lambda: world.journal.count("crm", "person/get") == 1)
            sync = world.start("sync", "--json")
            with pytest.raises(subprocess.TimeoutExpired):
                sync.wait(1.5)
            stopped = world.start("sync")
            wait_for(lambda: catches(stopped, signal.SIGTERM))
            stopped.terminate()
            assert finish(stopped).exit_code == 143
        assert finish(sync).json["run"]["outcome"] == "ok"
        wait_for(served.is_settled)
    write(world, "UPDATE runs SET finished_at = '2026-01-05T10:00:00+00:00'")
    with run_lock(world.state_file):
        sync = world.start("sync")
        assert sync.wait(20) == 75
        finish(sync)
    with holding(world, "LoginUser"):
        first = world.start("sync")
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL") != [])
        assert world.run("sync").exit_code == 75
        assert "ended with 75" not in world.run("status").stdout
        assert world.run("sync").exit_code == 75
        told = world.run("status")
        assert told.exit_code == 0
        assert "2 runs one after the other" in told.stdout
    assert finish(first).exit_code == 0
    assert world.run("sync").exit_code == 0
    assert "ended with 75" not in world.run("status").stdout


def test_many_customers_that_webhooks_told_of_are_read_in_lists(small: World) -> None:
    world = ready(small)
    ids = [crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")]
    world.crm.edit(ids[0], nickName="با تاریخ کهنه", modifyDate="2020-01-01T00:00:00")
    strangers = [f"22222222-0000-4000-8000-0000000000{number}" for number in range(10, 61)]
    for crm_id in (*ids, *strangers):
        write(world, "INSERT INTO webhook_events VALUES ('customer', ?, 'person', 'update', 1, '')", crm_id)
    world.journal.reset()
    with serving(world) as served:
        wait_for(served.is_settled)
        assert name_in_finance(world, ids[0]) == "با تاریخ کهنه"
    assert world.journal.count("crm", "person/get") < len(strangers) + len(ids) / 2


def test_records_that_webhooks_told_of_are_asked_for_many_at_once(small: World) -> None:
    world = ready(small, CONCURRENCY="4")
    for number in range(9):
        values = ("invoice", f"11111111-0000-4000-8000-00000000000{number}", "quote", "update", 1, "")
        write(world, "INSERT INTO webhook_events VALUES (?, ?, ?, ?, ?, ?)", *values)
    world.crm.latency = 0.3
    assert world.json("sync")["invoices"]["skipped"] == 9
    assert world.journal.peak["crm"] > 1
    assert world.journal.count("crm", "quote/sales/get") == 9
    assert world.rows("SELECT count(*) FROM retries") == [(0,)]


def test_a_record_that_shows_later_than_its_webhook_comes_with_the_next_sync(small: World) -> None:
    world = ready(small)
    world.crm.visible_delay = 3600
    crm_id = world.crm.add_person(nickName="دیر پیدا", customerNumber="900077")
    told = "INSERT INTO webhook_events VALUES ('customer', ?, 'person', 'insert', 1, '')"
    write(world, told.replace("?", f"'{crm_id}'"))
    world.run("sync")
    assert world.rows("SELECT record FROM webhooks_in_vain WHERE record = ?", crm_id) == [(crm_id,)]
    world.crm.visible_delay = 0
    world.crm.settle(everything=True)
    assert world.json("sync")["customers"]["created"] == 1
    assert name_in_finance(world, crm_id) == "دیر پیدا"
