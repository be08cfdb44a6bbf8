"""State files of every released schema, opened by the program at hand: everything is still there and understood.

`schema-N.sql` is what `make.py` wrote for PRAGMA user_version N; `schema-1-open.sql` was filled by version 1 of the program with
whatever it can leave open. Once a schema is released, neither its file nor its steps in `state.migrations` are ever changed.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from siaghsync.domain.customer import CustomerMapping
from siaghsync.errors import StateError
from siaghsync.messages.message import Message, verbatim
from siaghsync.planning.cases import ContactCase, CustomerCase, PlanRules
from siaghsync.planning.customers import plan_customer, plan_linked
from siaghsync.planning.import_ import plan_contact
from siaghsync.planning.recovery import sent_customer
from siaghsync.state import audit, migrations, outbox, retries, reviews, runs, status
from siaghsync.state.cursors import Cursors, Seen
from siaghsync.state.database import State, open_state
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.record_history import record_histories
from tests.sample_records import RULES, SCHEME, contact, customer

FOLDER = Path(__file__).parent
NAMES = sorted(file.stem for file in FOLDER.glob("*.sql"))
NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
NO_ANSWER = verbatim("no clear answer")


def restored(name: str, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript((FOLDER / f"{name}.sql").read_text("utf-8"))
    return path


@pytest.fixture(params=NAMES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A state file of a released schema."""
    return restored(request.param, tmp_path / "siaghsync.db")


@pytest.fixture(params=[name for name in NAMES if "-open" not in name])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A state file that `make.py` filled."""
    return restored(request.param, tmp_path / "siaghsync.db")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[State]:
    """A file of version 1 with much left open, opened by the program at hand."""
    with closing(open_state(restored("schema-1-open", tmp_path / "siaghsync.db"))) as state:
        yield state


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Table -> its rows."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {row["name"]: [dict(r) for r in db.execute(f"SELECT * FROM {row['name']}")] for row in found.fetchall()}


def shape(path: Path) -> dict[str, str]:
    """Table, index or view -> how it was made."""
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


# --- all of them -------------------------------------------------------------------------------------------


def test_no_row_is_lost_and_the_shape_is_that_of_a_new_file(old: Path, tmp_path: Path) -> None:
    before = contents(old)
    open_state(old).close()
    after = contents(old)
    moved = {"facts": "meta", "waiting": "retries", "invoice_mappings": "posted_documents"}
    counts = {moved.get(table, table): len(rows) for table, rows in before.items() if table != "_sqlite_migrations"}
    assert sum(counts.values()) >= 20
    assert {table: len(after[table]) for table in counts} == counts
    open_state(tmp_path / "new.db", create=True).close()
    assert shape(old) == shape(tmp_path / "new.db")
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == migrations.VERSION
        assert db.execute("PRAGMA application_id").fetchone()[0] == migrations.APPLICATION_ID
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_everything_in_it_can_be_read(old: Path) -> None:
    with closing(open_state(old)) as state:
        found = status.overview(state, NOW, is_running=False, max_age=None, poll_interval=300)
        assert found.figures["initial_import_done"]
        assert len(found.runs) == found.runs[0].id == 2
        assert status.status(state, NOW).waits
        assert len(audit.entries(state, audit.LogFilter())) == state.value("SELECT count(*) FROM audit")
        assert len(list(Mappings(state).all())) == 2
        assert all(review.message and review.details is not None for review in reviews.open_items(state))
        assert state.value("SELECT count(*) FROM entity_mappings") == 3
        assert state.value("SELECT count(*) FROM sync_log") == state.value("SELECT count(*) FROM audit")


def test_it_is_understood(filled: Path) -> None:
    with closing(open_state(filled)) as state:
        linked = Mappings(state).of_code(234)
        assert linked == CustomerMapping("p-1", 234, "person", "234", "c1", "s1")
        link = Mappings(state).link_of("p-1")
        assert link
        assert (link.linked_by, link.linked_at) == ("number", "2026-01-05T12:00:00.000+00:00")
        posted = PostedDocuments(state).of("i-1")
        assert posted
        assert (posted.number, posted.snapshot["net"]) == ("51", "3000000")
        assert Cursors(state).all() == {"person": "2026-01-05T15:00:00"}
        assert Cursors(state).window("person") == ("2026-01-05T14:00:00", "2026-01-05T12:00:00.000+00:00")
        assert Cursors(state).seen("person", ["p-1", "p-2"]) == {"p-1": Seen("2026-01-05T15:00:00", "c1")}
        (sent,) = outbox.unknown_intents(state, "finance", "customer")
        assert sent.action.changes == {"name": (None, "علی")}
        assert (sent.action.payload, sent.action.name) == ({"name": "علی"}, "علی")
        assert (sent.action.notes, sent.message, bool(sent.missed_at)) == ((verbatim("نشان"),), NO_ANSWER, True)
        assert [review.reason for review in reviews.open_items(state)] == ["stranger"]
        assert audit.entries(state, audit.LogFilter())[0].changes == {"mobile": ("0912", "0935")}
        waiting = retries.find(state, "customer", "finance", "p-3")
        assert waiting
        assert (waiting.attempts, waiting.message) == (1, verbatim("The answer took too long."))
        assert retries.find(state, "invoice", "finance", "i-3") in record_histories(state, "i-3")[0].waiting
        assert record_histories(state, "234")[0].documents[0].posted.number == "51"
        assert runs.newest(state, 1)[0].error


def test_the_schema_at_hand_has_its_file_with_something_in_each_table(tmp_path: Path) -> None:
    name = f"schema-{migrations.VERSION}"
    assert (FOLDER / f"{name}.sql").exists(), "run tests/state/released/make.py"
    found = contents(restored(name, tmp_path / "a.db"))
    assert [table for table, rows in found.items() if not rows] == []
    open_state(tmp_path / "new.db", create=True).close()
    assert shape(tmp_path / "a.db") == shape(tmp_path / "new.db"), "run tests/state/released/make.py"


# --- what version 1 left open goes on working --------------------------------------------------------------


def test_a_contact_in_doubt_is_what_is_planned_today(opened: State) -> None:
    now = plan_customer(CustomerCase(customer(crm_id="p-2", number="100-1400", name="رضا احمدی")), RULES)
    (sent,) = outbox.unsettled_of(opened, now)  # still open: its run was killed
    assert sent.action == now
    assert sent_customer(sent.action).checksum == sent.action.checksum


def test_an_expired_create_still_counts(opened: State) -> None:
    (expired,) = outbox.expired_creates(opened)
    now = plan_customer(CustomerCase(customer(crm_id="p-3", number="100-1401")), RULES)
    assert expired.action == now
    assert outbox.expirations(opened, now) == 1
    assert expired.message == verbatim("not found")


def test_an_update_in_doubt_is_what_is_planned_today(opened: State) -> None:
    mapping = Mappings(opened).of_crm("p-1")
    assert mapping
    assert mapping.checksum == customer().checksum, "stored checksums stay valid"
    now = plan_linked(customer(name="علی رضایی نو"), contact(), mapping, RULES)
    assert now
    (sent,) = outbox.unsettled_of(opened, now)
    assert sent.action == replace(now, details={})
    waiting = retries.find(opened, "customer", "finance", "p-1")
    assert waiting
    assert (waiting.reason, waiting.message, waiting.kind) == ("unknown_outcome", NO_ANSWER, "person")


def test_an_import_in_doubt_is_what_is_planned_today(opened: State) -> None:
    (sent,) = outbox.unknown_intents(opened, "crm")
    wanted = contact(300, name="شرکت نمونه", kind="1", national_code="10101234567", extra={"mobile2": "09121112233"})
    now = plan_contact(ContactCase(wanted), PlanRules(SCHEME, category="key-1"))
    assert sent.action == replace(now, notes=sent.action.notes, details={})
    assert [note.code for note in sent.action.notes] == ["text.verbatim"]
    assert sent.message == NO_ANSWER


def test_a_document_in_doubt_has_all_that_was_sent(opened: State) -> None:
    (sent,) = outbox.unknown_intents(opened, "finance", "invoice")
    assert sent.action.name == "100-1404/15"
    assert sent.action.payload == {
        "customer_code": 255, "sale_model": 5, "sales_centre": 5, "payment_type": 2, "sale_kind": 1, "intermediary": 31,
        "fiscal_year": 1404, "type_code": "PI_5", "notes": "موضوع [CRM 100-1404/15]",
        "suid": "11132DE8-0DAE-572A-A389-735413FC2F7E",
        "rows": [
            {"product_code": "Product-1", "unit": "قطعه", "quantity": "1", "unit_price": "100000", "discount": "0"},
            {"product_code": "P-2", "unit": "قطعه", "quantity": "1.5", "unit_price": "2000", "discount": "500"},
        ],
    }  # fmt: skip
    assert sent.action.details["net"] == "102500"


def test_open_questions_keep_their_sides(opened: State) -> None:
    asked = {(review.record, review.reason): review for review in reviews.open_items(opened)}
    stranger = asked["p-4", "stranger"]
    assert stranger.name == "علی رضایی"
    assert stranger.details["customer"]["mobile"] == "09123456789"
    assert stranger.details["candidates"][0]["names"] == ["مریم کاظمی"]
    assert stranger.details["candidates"][0]["kind"] == "person"
    assert stranger.ways_out == ("link", "retry", "discard")
    imported = asked["302", "stranger"]
    assert imported.details["contact"]["province"] == "8"
    assert imported.details["candidates"][0]["crm_id"] == "p-9"
    refused = asked["p-5", "refused"]
    assert refused.message == verbatim("Tried in 3 runs.")
    assert refused.details["payload"]["number"] == "100-1405"
    assert set(refused.details["payload"]) == set(plan_customer(CustomerCase(customer()), RULES).payload)


def test_open_questions_about_documents_keep_their_differences(opened: State) -> None:
    asked = {review.reason: review for review in reviews.open_items(opened) if review.entity == "invoice"}
    changed = asked["changed_after_posting"]
    assert (changed.kind, changed.name) == ("invoice", "100-1404/9")
    assert set(changed.details["difference"]) == {
        "customer", "sale_model", "rows.1.quantity", "rows.2.discount", "new_rows.3",
    }  # fmt: skip
    faulty = asked["row_without_product"]
    assert Message.from_json(faulty.details["faults"][0]["message"]) == verbatim("Row 1 has no product code.")
    unknown = asked["unknown_outcome"]
    assert unknown.as_action().details["snapshot"]["number"] == "100-1404/15"
    assert unknown.ways_out == ("posted", "retry", "discard")


def test_the_trail_knows_kinds_and_names(opened: State) -> None:
    lines = audit.entries(opened, audit.LogFilter())
    by_record = {line.crm_id: line for line in lines if line.entity == "invoice"}
    names = {crm_id: (line.kind, line.name) for crm_id, line in by_record.items()}
    assert names == {
        "q-1": ("quote", "100-1404/15"),
        "i-9": ("invoice", "100-1404/9"),
        "i-8": ("invoice", "100-1404/8"),
        "i-7": ("invoice", "100-1404/7"),
        "q-6": ("quote", "q-6"),
    }
    assert {line.name for line in lines if line.crm_id == "p-1"} == {"علی رضایی نو"}
    assert {(line.kind, line.name) for line in lines if line.crm_id == "p-301"} == {("person", "مریم کاظمی")}
    (created,) = (line for line in lines if line.crm_id == "p-301")
    assert created.changes["mobile"] == (None, "09351112233")
    assert not {"nickName", "lastName", "firstName", "phoneContacts"} & set(created.changes)
    assert [line.outcome for line in lines if line.crm_id == "p-3"] == ["expired"]
    assert by_record["i-9"].changes["rows.1.quantity"] == ("2", "3")


def test_records_are_found_by_what_they_are_called(opened: State) -> None:
    for number, kind in (("100-1404/7", "invoice"), ("100-1404/8", "invoice"), ("100-1404/15", "quote")):
        (found,) = record_histories(opened, number)
        assert (found.number, found.kind) == (number, kind)
    (waiting,) = record_histories(opened, "100-1404/7")
    assert waiting.waiting[0].depends_on == "c-1"
    (draft,) = record_histories(opened, "q-6")
    assert (draft.number, draft.kind, draft.skips[0].reason) == ("", "quote", "not_numbered")
    (pair,) = record_histories(opened, "301")
    assert (pair.crm_id, pair.number, pair.name) == ("p-301", "100-1301", "مریم کاظمی")
    assert record_histories(opened, "p-2")[0].intents[0].action.record == "p-2"


# --- steps that do not go well -----------------------------------------------------------------------------


@pytest.fixture
def next_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Adds a step to those that the program knows."""

    def add(step: str) -> None:
        def extra(db: Database) -> None:
            db.executescript(step)

        steps = Migrations("siaghsync")
        for known in (migrations.tables, migrations.rows_of_version_1, migrations.views, extra):
            steps()(known)
        monkeypatch.setattr(migrations, "MIGRATIONS", steps)
        monkeypatch.setattr(migrations, "VERSION", migrations.VERSION + 1)

    yield add
    monkeypatch.undo()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    old: Path, next_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(old)
    next_step("CREATE TABLE extra (x TEXT); UPDATE meta SET value = 'lost'; INSERT INTO no_such_table VALUES (1);")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
            open_state(old)
        assert contents(old) == before
    monkeypatch.undo()
    open_state(old).close()  # the version before goes on with it


def test_after_a_step_the_version_before_refuses_and_changes_nothing(
    old: Path, next_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_step("CREATE TABLE extra (x TEXT); INSERT INTO extra VALUES ('y');")
    open_state(old).close()
    after = contents(old)
    assert after["extra"] == [{"x": "y"}]
    monkeypatch.undo()
    with pytest.raises(StateError, match="newer"):
        open_state(old)
    assert contents(old) == after


CHILD = """
import os, sys
from pathlib import Path
from siaghsync.state import migrations
from siaghsync.state.database import open_state
path, left = Path(sys.argv[1]), int(sys.argv[2])
apply = migrations.apply
def counted(db):
    def count(statement):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
    db.conn.set_trace_callback(count)
    apply(db)
    print(-left if left < 0 else "killed too late")
migrations.apply = counted
sys.stdin.readline()
print(open_state(path).value("SELECT count(*) FROM meta"))
"""


def child(path: Path, *, killed_after: int = 0) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", CHILD, str(path), str(killed_after)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_kill_while_version_1_is_taken_over_leaves_its_file_as_it_was(tmp_path: Path) -> None:
    with child(restored("schema-1-open", tmp_path / "whole.db")) as whole:
        statements = int(whole.communicate("go\n")[0].split()[0])
    assert statements > 100
    path = restored("schema-1-open", tmp_path / "siaghsync.db")
    before = contents(path)
    for part in range(1, 9):
        with child(path, killed_after=max(1, statements * part // 8)) as victim:
            victim.communicate("go\n")
        assert victim.returncode == -signal.SIGKILL
        assert contents(path) == before
    with child(path) as heir:
        assert heir.communicate("go\n")[0].split() == [str(statements), "4"]


def test_of_many_that_open_an_old_file_at_once_one_takes_it_over(tmp_path: Path) -> None:
    path = restored("schema-1", tmp_path / "siaghsync.db")
    children = [child(path) for _ in range(6)]
    for each in children:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    ended = [each.communicate() for each in children]
    assert [error for _, error in ended] == [""] * 6
    assert [told.split()[-1] for told, _ in ended] == ["2"] * 6
    assert len(contents(path)["meta"]) == 2


def test_version_1_refuses_the_file_that_was_taken_over(old: Path) -> None:
    open_state(old).close()
    with closing(sqlite3.connect(old)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    assert version > 1, "it refuses a file whose number is above its own, which is 1"
