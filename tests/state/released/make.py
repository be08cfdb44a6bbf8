"""Writes a state file of the schema at hand, with a few rows in every table, as SQL: `tests/state/released/schema-N.sql`.

    .venv/bin/python tests/state/released/make.py

N is PRAGMA user_version. Run it after each change of the tables and before a release, and commit what it writes. The file of a
schema that was released is never written again: it stands for the state files that people have.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siaghsync import clock
from siaghsync.domain.action import Action
from siaghsync.domain.customer import CustomerMapping
from siaghsync.domain.document import Posted
from siaghsync.domain.reasons import AuditOutcome, IntentState, Operation, Reason
from siaghsync.messages.message import msg, verbatim
from siaghsync.state import outbox, retries, reviews, undo, webhook_queue
from siaghsync.state.audit import Run
from siaghsync.state.cursors import Cursors
from siaghsync.state.database import State, open_state
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.meta import COMPLETED, STARTED
from siaghsync.state.migrations import VERSION
from siaghsync.state.staging import Staging

FOLDER = Path(__file__).parent
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
AT = "2026-01-05T12:00:00.000+00:00"
SNAPSHOT: dict[str, Any] = {
    "crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "subject": "فروش", "type_code": "1", "customer": "p-1",
    "date": "2026-01-04", "sale_model": "1", "rows": [], "discount": "0", "additional_costs": "0", "vat": "0", "toll": "0",
    "net": "3000000", "net_with_tax": "3000000",
}  # fmt: skip


def customer(operation: Operation, record: str, number: str, **more: Any) -> Action:
    """An action about a customer of the CRM."""
    return Action(operation, "customer", "finance", record, "person", number, record, **more)


def fill(state: State) -> None:
    """A few rows in every table, through the program's own functions."""
    state.set_meta(COMPLETED, AT)
    state.set_meta(STARTED, "2026-01-05T15:30:00")
    first = Run(state, "initial-import", lambda: NOON, "cron")
    mappings = Mappings(state)
    with state.atomic():
        mappings.add(CustomerMapping("p-1", 234, "person", "234", "c1", "s1"), "number", AT)
        mappings.add(CustomerMapping("o-1", 235, "organization", "235", None, None), "create", AT)
    first.finish("ok", {"customers": {"seen": 2}})
    run = Run(state, "sync", lambda: NOON, "cron")
    staging = Staging(state)
    staging.add_readings("person", [("p-1", "2026-01-05T15:00:00", "c1")])
    with state.atomic():
        undo.mark(state, "p-1", "c1", ["email"])
        _customers(state, run)
        _documents(state, run)
        Cursors(state).keep_dates("2026-01-05T16:00:00")
        Cursors(state).move("person", "2026-01-05T15:00:00", ("2026-01-05T14:00:00", AT), AT, whole=True)
    run.finish("partial", {"customers": {"seen": 5}}, msg("call.timeout", system="crm", what="log_in", detail=""))
    with state.atomic():
        reviews.put(run, customer(Operation.REVIEW, "p-7", "240", reason=Reason.NO_NAME, checksum="c7"))
    decided = next(review for review in reviews.open_items(state) if review.record == "p-7")
    reviews.store(state, decided, "retry", "", AT, "accountant")
    calls = [webhook_queue.Call("person", "p-1", "update"), webhook_queue.Call("invoice", "i-9", "insert")]
    webhook_queue.keep(state, calls, AT, 100)
    with state.atomic():
        webhook_queue.in_vain(run, "p-0")
        state.execute("UPDATE runs SET pid = 1")
        state.execute("UPDATE _sqlite_migrations SET applied_at = ?", (AT,))


def _customers(state: State, run: Run) -> None:
    changed = customer(
        Operation.UPDATE, "p-1", "234", finance_code=234, name="رضا", changes={"mobile": ("0912", "0935")}
    )
    run.note(changed, AuditOutcome.DONE)
    sent = customer(
        Operation.CREATE, "p-2", "236", name="علی", payload={"name": "علی"}, changes={"name": (None, "علی")},
        notes=(verbatim("نشان"),),
    )  # fmt: skip
    intent = outbox.open_intent(run, sent)
    outbox.close_intent(run, intent, IntentState.UNKNOWN, verbatim("no clear answer"))
    outbox.mark_missed(run, intent, clock.reading())
    outbox.close_intent(run, outbox.open_intent(run, changed), IntentState.CONFIRMED)
    waits = customer(Operation.CREATE, "p-3", "237", name="مریم")
    retries.schedule_retry(run, waits, "timeout", verbatim("The answer took too long."))
    retries.note_skip(run, customer(Operation.SKIP, "p-4", "", reason=Reason.NO_NUMBER))
    asked = customer(
        Operation.REVIEW, "p-5", "238", reason=Reason.STRANGER, message=verbatim("Somebody else."), checksum="c5",
        details={"customer": {"names": ["رضا"]}, "candidates": [{"finance_code": "238"}]},
    )  # fmt: skip
    reviews.put(run, asked)
    reviews.put(run, customer(Operation.REVIEW, "p-6", "239", reason=Reason.NO_NAME, checksum="c6"))
    reviews.auto_resolve(run, customer(Operation.REVIEW, "p-6", "239"))


def _documents(state: State, run: Run) -> None:
    PostedDocuments(state).add(Posted("i-1", "invoice", "51", "9", "d1", SNAPSHOT), "234", "q-1", "create", AT)
    details = {"related_quote_id": None}
    document = Action(Operation.CREATE, "invoice", "finance", "i-2", "invoice", "234", "i-2", name="8", details=details)
    outbox.close_intent(run, outbox.open_intent(run, document), IntentState.UNKNOWN, verbatim("cut"))
    late = Action(Operation.REVIEW, "invoice", "finance", "i-3", "invoice", "", "i-3")
    retries.schedule_retry(run, late, "customer_unknown", verbatim("It waits."), failed=False, depends_on="p-5")


def dump(path: Path) -> str:
    """A state file as SQL, its mark and its version included."""
    with closing(sqlite3.connect(path)) as db:
        marks = [f"PRAGMA {m} = {db.execute(f'PRAGMA {m}').fetchone()[0]};" for m in ("application_id", "user_version")]
        return "\n".join([*marks, *db.iterdump()]) + "\n"


def main() -> None:
    """Writes the file of this schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "siaghsync.db"
        state = open_state(path, create=True)
        fill(state)
        state.close()
        target = FOLDER / f"schema-{VERSION}.sql"
        target.write_text(dump(path), "utf-8")
        sys.stdout.write(f"{target.name}\n")


if __name__ == "__main__":
    main()
