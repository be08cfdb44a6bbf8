"""Writes the state file of the version at hand, with a few rows in every table, as SQL: `tests/released/VERSION.sql`.

    .venv/bin/python tests/released/make.py

Run it before each release, after the last change of `siaghsync/store/schema.py`, and commit what it writes. The file of a
version that is out is never made again: it stands for the state files that people have.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siaghsync import __version__
from siaghsync.domain.action import Action
from siaghsync.domain.customer import CustomerMapping
from siaghsync.domain.document import Posted
from siaghsync.state import outbox, reviews
from siaghsync.state import retries as waiting
from siaghsync.state import webhook_queue as inbox
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings
from siaghsync.state.meta import COMPLETED, STARTED
from siaghsync.state.posted import PostedDocuments
from siaghsync.state.state_file import open_state

FOLDER = Path(__file__).parent
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MARKS = ("application_id", "user_version")
AT = "2026-01-05T12:00:00.000+00:00"
SNAPSHOT: dict[str, Any] = {
    "crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "subject": "فروش", "type_code": "1", "customer": "p-1",
    "date": "2026-01-04", "sale_model": "1", "rows": [], "discount": "0", "additional_costs": "0", "vat": "0", "toll": "0",
    "net": "3000000", "net_with_tax": "3000000",
}  # fmt: skip


def customer(action: Any, record: str, number: str, **more: Any) -> Action:
    """An action about a customer of the CRM."""
    return Action(action, "customer", "finance", record, "person", number, record, **more)


def fill(state: State) -> None:
    """A few rows in every table, by the program's own hands."""
    state.set_fact(COMPLETED, AT)
    state.set_fact(STARTED, "2026-01-05T15:30:00")
    first = Run(state, "initial-import", lambda: NOON, "cron")
    mappings = Mappings(state)
    with state.atomic():
        mappings.add(CustomerMapping("p-1", 234, "person", "234", "c1", "s1"), "number", AT)
        mappings.add(CustomerMapping("o-1", 235, "organization", "235", None, None), "create", AT)
    first.finish("ok", {"customers": {"seen": 2}})
    run = Run(state, "sync", lambda: NOON, "cron")
    with state.atomic():
        _customers(state, run)
        _documents(state, run)
    run.finish("partial", {"customers": {"seen": 5}}, "رکوردی ناموفق بود")
    inbox.keep(state, [inbox.Call("person", "p-1", "update"), inbox.Call("invoice", "i-9", "insert")], AT, 100)
    with state.atomic():
        state.execute("UPDATE runs SET pid = 1")


def _customers(state: State, run: Run) -> None:
    state.execute("INSERT INTO cursors VALUES ('person', '2026-01-05T15:00:00', ?, '2026-01-05T14:00:00', ?)", (AT, AT))
    state.execute("INSERT INTO seen VALUES ('person', 'p-1', '2026-01-05T15:00:00', 'c1')")
    changed = customer("update", "p-1", "234", finance_code=234, fields={"mobileno": ("0912", "0935")})
    run.note(changed, "done")
    sent = customer(
        "create", "p-2", "236", payload={"fullname": "علی"}, fields={"fullname": (None, "علی")}, notes=("نشان",)
    )
    intent = outbox.open_intent(run, sent)
    outbox.close_intent(run, intent, "unknown", "no clear answer")
    outbox.mark_missed(run, intent)
    outbox.close_intent(run, outbox.open_intent(run, changed), "confirmed")
    waiting.postpone(run, customer("create", "p-3", "237"), "timeout", "The answer took too long.")
    waiting.note_skip(run, customer("skip", "p-4", "", reason="no_number", message="It has no customer number."))
    asked = customer(
        "review", "p-5", "238", reason="stranger", message="Somebody else.", checksum="c5",
        details={"customer": {"names": ["رضا"]}, "candidates": [{"finance_code": "238"}]},
    )  # fmt: skip
    reviews.put(run, asked)
    reviews.put(run, customer("review", "p-6", "239", reason="no_name", message="No name.", checksum="c6"))
    reviews.settle(run, customer("review", "p-6", "239"))


def _documents(state: State, run: Run) -> None:
    PostedDocuments(state).add(Posted("i-1", "invoice", "51", "9", "d1", SNAPSHOT), "234", "q-1", "create", AT)
    document = Action(
        "create", "invoice", "finance", "i-2", "invoice", "234", "i-2", details={"related_quote_id": None}
    )
    outbox.close_intent(run, outbox.open_intent(run, document), "unknown", "cut")
    late = Action("review", "invoice", "finance", "i-3", "invoice", "", "i-3")
    waiting.postpone(run, late, "customer_unknown", "It waits.", failed=False, depends_on="p-5")


def dump(path: Path) -> str:
    """A state file as SQL, its mark and its version included."""
    with closing(sqlite3.connect(path)) as db:
        marks = [f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};" for name in MARKS]
        return "\n".join([*marks, *db.iterdump()]) + "\n"


def main() -> None:
    """Writes the file of this version."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "siaghsync.db"
        state = open_state(path, create=True)
        fill(state)
        state.close()
        target = FOLDER / f"{__version__}.sql"
        target.write_text(dump(path), "utf-8")
        sys.stdout.write(f"{target.name}\n")


if __name__ == "__main__":
    main()
