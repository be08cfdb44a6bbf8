"""`log --prune-before`: what is old and settled goes, and nothing else."""

from __future__ import annotations

import pytest

from siaghsync.state.database import open_state
from siaghsync.state.lock import run_lock
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}
KEPT = ("customer_mappings", "posted_documents", "reviews", "retries", "skips", "cursors", "seen")


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Links, a posted document, a question, a document that waits, and a create in doubt."""
    found = indoors(make_world(customers=3)).set(UNKNOWN_GRACE_SECONDS="600", **SINCE)
    found.imported()
    first = next(iter(found.crm.records))
    found.crm.add_quote(first, [ROW], number="100-1405/1")
    nobody = found.crm.add_person(nickName="بی شماره", firstName="", lastName="", customerNumber="")
    found.crm.add_invoice(nobody, [ROW], number="100-1405/2")
    found.finance.add_contact(Code=800, Name="کسی دیگر")
    found.crm.add_person(nickName="غریبه", firstName="", lastName="", customerNumber="800")
    found.arm("close_before", "finance:SaveFormData/create")
    found.crm.add_person(nickName="تازه", firstName="", lastName="", customerNumber="900")
    found.json("sync", exit_code=1)
    return found


def age(world: Indoors, days: int = 400) -> None:
    """Lets all that is there be that much older."""
    state = open_state(world.state_file)
    with state.atomic():
        for table, column in (
            ("audit", "at"), ("runs", "started_at"), ("runs", "finished_at"), ("intents", "opened_at"), ("intents", "settled_at"),
        ):  # fmt: skip
            state.execute(
                f"UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%S+00:00', {column}, '-{days} days')"
            )
    state.close()


def contents(world: Indoors, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: world.rows(f"SELECT * FROM {table}") for table in tables}


def test_old_lines_go_and_everything_that_counts_stays(world: Indoors) -> None:
    age(world)
    world.crm.edit(next(iter(world.crm.records)), email="new@example.com")
    world.json("sync")
    before = contents(world, *KEPT)
    fresh = world.rows("SELECT id FROM audit WHERE run_id = (SELECT max(id) FROM runs)")
    old = world.rows("SELECT count(*) FROM audit")[0][0] - len(fresh)
    pruned = world.json("log", "--prune-before", "365d")["pruned"]
    assert pruned["audit"] == old > 0
    assert pruned["intents"] > 0
    assert contents(world, *KEPT) == before
    assert world.rows("SELECT state FROM intents ORDER BY id") == [("unknown",), ("confirmed",)]
    lines = world.rows("SELECT id, operation, message_code, message_params FROM audit ORDER BY id")
    assert [line[0] for line in lines[:-1]] == [row[0] for row in fresh]
    assert lines[-1][1] == "prune"
    assert f'"audit": {old}' in str(lines[-1][3])
    assert world.json("log", "--prune-before", "365d")["pruned"] == {"audit": 0, "runs": 0, "intents": 0}
    assert world.json("sync", "--full", exit_code=1)["customers"]["failed"] == 1


def test_the_last_run_of_each_kind_stays_and_the_counter_never_goes_back(world: Indoors) -> None:
    world.set(METRICS_FILE="m.prom")
    for _ in range(3):
        world.run("sync", "--full")
    age(world)
    success = world.json("status", exit_code=1)["last_success_at"]
    ended = world.run("log", "--prune-before", "365d")
    assert ended.exit_code == 0
    assert "run(s)" in ended.stderr
    remaining = world.rows("SELECT command, outcome, count(*) FROM runs GROUP BY 1, 2")
    assert remaining == [("initial-import", "ok", 1), ("sync", "partial", 1)]
    assert world.json("status", exit_code=1)["last_success_at"] == success
    world.run("sync")
    text = (world.folder / "m.prom").read_text("utf-8")
    assert 'siaghsync_runs_total{command="sync",outcome="partial"} 4.0\n' in text
    assert 'siaghsync_runs_total{command="sync",outcome="ok"} 1.0\n' in text


def test_a_create_that_expired_still_counts_until_its_record_is_linked(world: Indoors) -> None:
    state = open_state(world.state_file)
    with state.atomic():
        state.execute("UPDATE intents SET state = 'expired', settled_at = opened_at WHERE state = 'unknown'")
    state.close()
    age(world)
    world.json("log", "--prune-before", "365d")
    assert world.rows("SELECT state, customer_number FROM intents") == [("expired", "900")]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--customer", "1"],
        ["--failed"],
        ["--since", "1d"],
        ["--prune-before", "2999-01-01"],
        ["--prune-before", "soon"],
    ],
)
def test_wrong_use_takes_nothing_out(world: Indoors, arguments: list[str]) -> None:
    lines = contents(world, "audit")
    assert world.run("log", "--prune-before", "0s", *arguments).exit_code == 2
    assert contents(world, "audit") == lines


def test_it_waits_for_nobody(world: Indoors) -> None:
    with run_lock(world.state_file):
        assert world.run("log", "--prune-before", "0s").exit_code == 75
