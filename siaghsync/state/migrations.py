"""The tables of the state file as steps of sqlite-utils' Migrations. `docs/state-file.md` describes them.

All times are UTC in ISO 8601; `changes`, `plan`, `details`, `summary`, `snapshot` and the parameters of messages are JSON; codes
and ids are the systems' own. Once a release has a step it never changes: a change of the tables is a new step at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Database, Migrations

from siaghsync.state import version_1

APPLICATION_ID = 0x51A6_5C01
"""Marks a file as ours: an empty file is a valid SQLite database too, and must never be taken for a first run."""

MIGRATIONS = Migrations("siaghsync")
_STEPS: list[str] = []


def _step(change: Callable[[Database], None]) -> Callable[[Database], None]:
    _STEPS.append(change.__name__)
    return MIGRATIONS()(change)


def apply(db: Database) -> None:
    """Brings a blank or older file up to this version. Belongs into one transaction; finds what another process did."""
    MIGRATIONS.apply(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


@_step
def tables(db: Database) -> None:
    """The tables, beside those of version 1 if the file has any."""
    version_1.set_aside(db)
    db.executescript(_TABLES)


@_step
def rows_of_version_1(db: Database) -> None:
    """What a file of version 1 held, in the new tables."""
    version_1.take_over(db)


@_step
def views(db: Database) -> None:
    """Links and audit trail in plain columns, for people with Datasette or any other browser of SQLite files."""
    db.create_view("entity_mappings", _ENTITY_MAPPINGS)
    db.create_view("sync_log", _SYNC_LOG)


@_step
def decisions(db: Database) -> None:
    """Decisions that wait for a run, any way out of a review, and what a passed over document depends on."""
    for statement in _DECISIONS:
        db.execute(statement)


@_step
def contacts_known(db: Database) -> None:
    """What a linked contact itself is known by."""
    db.execute("ALTER TABLE customer_mappings ADD COLUMN record_id TEXT NOT NULL DEFAULT ''")  # '': not known yet
    db.execute("ALTER TABLE customer_mappings ADD COLUMN national_code TEXT")  # NULL: not known yet


@_step
def clocks(db: Database) -> None:
    """What all clocks showed when a grace time began or the CRM was read, and the newest date of each record that was seen."""
    for statement in _CLOCKS:
        db.execute(statement)


@_step
def undone(db: Database) -> None:
    """Intents of an undo, and the values that it took back."""
    for statement in _UNDONE:
        db.execute(statement)


@_step
def lookups(db: Database) -> None:
    """What finds the rows of one record or one waiting customer where there are a million of them."""
    for statement in _LOOKUPS:
        db.execute(statement)


@_step
def folded_runs(db: Database) -> None:
    """What a run stands for that others were folded into: all from the first id on, which found nothing to do either."""
    db.execute("ALTER TABLE runs ADD COLUMN first_id INTEGER")
    db.execute("ALTER TABLE runs ADD COLUMN first_started_at TEXT")


VERSION = 1 + len(_STEPS)
"""PRAGMA user_version of a file that has all steps. Version 1 of the program, which had one step of its own, wrote 1."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, dry_run INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT CHECK (outcome IN ('ok', 'partial', 'failed')),
    summary TEXT, error_code TEXT, error_params TEXT
);

CREATE TABLE customer_mappings (  -- a CRM record and the finance contact that is the same customer
    crm_id TEXT PRIMARY KEY, finance_code INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'organization')), customer_number TEXT NOT NULL,
    checksum TEXT,       -- of the CRM record when both were last known to be in step; NULL: compare at the next look
    sent_checksum TEXT,  -- of the values last sent or known to be there: an odd spelling is put right once only
    linked_by TEXT NOT NULL, linked_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX customer_mappings_number ON customer_mappings (customer_number);

CREATE TABLE posted_documents (  -- a CRM document and the pre-invoice that stands for it in Finance
    crm_id TEXT PRIMARY KEY, source TEXT NOT NULL CHECK (source IN ('quote', 'invoice')),
    crm_number TEXT NOT NULL, related_quote_id TEXT, customer_crm_id TEXT NOT NULL, customer_number TEXT NOT NULL,
    finance_number TEXT, finance_key TEXT,  -- what people see, and the key that Siagh answered with
    net TEXT, checksum TEXT NOT NULL, snapshot TEXT NOT NULL,  -- what was posted, as it stood then
    posted_by TEXT NOT NULL, posted_at TEXT NOT NULL
);
CREATE INDEX posted_documents_quote ON posted_documents (related_quote_id);

CREATE TABLE cursors (  -- dates of the CRM's own clock
    source TEXT PRIMARY KEY, modified TEXT NOT NULL, updated_at TEXT NOT NULL,
    window_start TEXT NOT NULL,  -- from where the next run reads again: what lies before it is settled for good
    window_read_at TEXT NOT NULL -- when everything from there on was last read
) WITHOUT ROWID;

CREATE TABLE seen (  -- what was read in the overlap window behind the cursor, which the next run reads again
    source TEXT NOT NULL, crm_id TEXT NOT NULL, modified TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (source, crm_id)
) WITHOUT ROWID;

CREATE TABLE intents (  -- writes that were about to leave, and what became of them
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id),
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')),
    operation TEXT NOT NULL CHECK (operation IN ('create', 'update')),
    target TEXT NOT NULL CHECK (target IN ('crm', 'finance')),
    record TEXT NOT NULL,  -- the CRM id (target finance) or the finance code (target crm) of the record it is for
    customer_number TEXT NOT NULL, finance_code INTEGER,
    plan TEXT NOT NULL,  -- the whole action as JSON: what is sent, what changes, what is recorded when it is done
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'unknown', 'confirmed', 'rejected', 'not_sent', 'expired')),
    message_code TEXT, message_params TEXT, missed_at TEXT, opened_at TEXT NOT NULL, settled_at TEXT
);
-- Two writes for the same record can't be under way at once, whatever the program thinks.
CREATE UNIQUE INDEX intents_unsettled ON intents (entity, target, record) WHERE state IN ('open', 'unknown');
CREATE INDEX intents_expired ON intents (entity, target, record) WHERE state = 'expired';

CREATE TABLE retries (  -- records that wait for another try
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    customer_number TEXT NOT NULL, name TEXT NOT NULL, attempts INTEGER NOT NULL, failed INTEGER NOT NULL,
    next_try_at TEXT NOT NULL, reason TEXT NOT NULL, message_code TEXT NOT NULL, message_params TEXT NOT NULL,
    since TEXT NOT NULL,
    depends_on TEXT,  -- the CRM id of a customer to be linked first, or of a quote to be decided first
    PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;

CREATE TABLE webhook_events (  -- what the CRM has called about and no run has taken up yet; a doubled call is one row
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), record TEXT NOT NULL, kind TEXT NOT NULL,
    event TEXT NOT NULL, calls INTEGER NOT NULL, received_at TEXT NOT NULL, PRIMARY KEY (entity, record)
) WITHOUT ROWID;

CREATE TABLE skips (  -- records passed over on purpose
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL, customer_number TEXT NOT NULL,
    name TEXT NOT NULL, reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;

CREATE TABLE reviews (  -- questions for a person
    id INTEGER PRIMARY KEY, entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, crm_id TEXT, customer_number TEXT NOT NULL, finance_code INTEGER, name TEXT NOT NULL,
    message_code TEXT NOT NULL, message_params TEXT NOT NULL, details TEXT NOT NULL, checksum TEXT NOT NULL, since TEXT NOT NULL,
    resolution TEXT CHECK (resolution IN ('retry', 'link', 'posted', 'discard', 'settled')),
    resolved_at TEXT, resolved_by TEXT
);
CREATE UNIQUE INDEX reviews_open ON reviews (entity, target, record) WHERE resolution IS NULL;
CREATE INDEX reviews_record ON reviews (entity, target, record);
CREATE INDEX reviews_number ON reviews (customer_number) WHERE resolution IS NULL;

CREATE TABLE audit (  -- who did what to which record, when, from what to what, and why
    id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs (id), at TEXT NOT NULL, actor TEXT NOT NULL,
    entity TEXT NOT NULL, kind TEXT, name TEXT NOT NULL, operation TEXT NOT NULL, outcome TEXT NOT NULL, target TEXT,
    crm_id TEXT, customer_number TEXT, finance_code INTEGER, changes TEXT NOT NULL, reason TEXT,
    message_code TEXT, message_params TEXT
);
CREATE INDEX audit_number ON audit (customer_number);
CREATE INDEX audit_crm_id ON audit (crm_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_run ON audit (run_id);  -- without these two, taking a run out would read both tables whole
CREATE INDEX intents_run ON intents (run_id);
"""

_REVIEWS = (
    "id, entity, target, record, kind, reason, crm_id, customer_number, finance_code, name, message_code, message_params, "
    "details, checksum, since, resolution, resolved_at, resolved_by"
)
_DECISIONS = (
    "ALTER TABLE reviews RENAME TO reviews_before",
    # As before, but for the list of ways out: it belongs to the program.
    """
    CREATE TABLE reviews (  -- questions for a person
        id INTEGER PRIMARY KEY, entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
        reason TEXT NOT NULL, crm_id TEXT, customer_number TEXT NOT NULL, finance_code INTEGER, name TEXT NOT NULL,
        message_code TEXT NOT NULL, message_params TEXT NOT NULL, details TEXT NOT NULL, checksum TEXT NOT NULL,
        since TEXT NOT NULL, resolution TEXT, resolved_at TEXT, resolved_by TEXT
    )""",
    f"INSERT INTO reviews ({_REVIEWS}) SELECT {_REVIEWS} FROM reviews_before",
    "DROP TABLE reviews_before",
    "CREATE UNIQUE INDEX reviews_open ON reviews (entity, target, record) WHERE resolution IS NULL",
    "CREATE INDEX reviews_record ON reviews (entity, target, record)",
    "CREATE INDEX reviews_number ON reviews (customer_number) WHERE resolution IS NULL",
    """
    CREATE TABLE decisions (  -- made while a run was at work; the next one carries them out
        review_id INTEGER PRIMARY KEY, reason TEXT NOT NULL, checksum TEXT NOT NULL,  -- those of the question that was answered
        way_out TEXT NOT NULL, value TEXT NOT NULL, decided_at TEXT NOT NULL, decided_by TEXT NOT NULL
    )""",
    # The CRM id of a customer: once that is linked, the record is looked at again.
    "ALTER TABLE skips ADD COLUMN depends_on TEXT",
    # Documents of another company's customers are passed over by now: each is looked at once more.
    "UPDATE retries SET depends_on = NULL WHERE reason = 'customer_without_number'",
    "CREATE INDEX posted_documents_number ON posted_documents (crm_number)",
    "CREATE INDEX posted_documents_finance_number ON posted_documents (finance_number)",
)
_CLOCKS = (
    "ALTER TABLE intents ADD COLUMN missed_clocks TEXT",
    "ALTER TABLE cursors ADD COLUMN clocks TEXT",
    "CREATE TABLE last_seen (crm_id TEXT PRIMARY KEY, modified TEXT NOT NULL) WITHOUT ROWID",
)
_INTENTS = (
    "id, run_id, entity, operation, target, record, customer_number, finance_code, plan, state, message_code, message_params, "
    "missed_at, opened_at, settled_at, missed_clocks"
)
_UNDONE = (
    # As before, but for the list of operations: it belongs to the program.
    "ALTER TABLE intents RENAME TO intents_before",
    """
    CREATE TABLE intents (  -- writes that were about to leave, and what became of them
        id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id),
        entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), operation TEXT NOT NULL,
        target TEXT NOT NULL CHECK (target IN ('crm', 'finance')), record TEXT NOT NULL, customer_number TEXT NOT NULL,
        finance_code INTEGER, plan TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open'
            CHECK (state IN ('open', 'unknown', 'confirmed', 'rejected', 'not_sent', 'expired')),
        message_code TEXT, message_params TEXT, missed_at TEXT, opened_at TEXT NOT NULL, settled_at TEXT, missed_clocks TEXT
    )""",
    f"INSERT INTO intents ({_INTENTS}) SELECT {_INTENTS} FROM intents_before",
    "DROP TABLE intents_before",
    "CREATE UNIQUE INDEX intents_unsettled ON intents (entity, target, record) WHERE state IN ('open', 'unknown')",
    "CREATE INDEX intents_expired ON intents (entity, target, record) WHERE state = 'expired'",
    "CREATE INDEX intents_run ON intents (run_id)",
    # Values of a CRM record that an undo took back: not sent again while the record has this checksum.
    "CREATE TABLE undone (crm_id TEXT PRIMARY KEY, checksum TEXT NOT NULL, fields TEXT NOT NULL) WITHOUT ROWID",
)
_LOOKUPS = (
    "CREATE INDEX intents_record ON intents (record)",
    "CREATE INDEX audit_finance_code ON audit (finance_code)",
    "CREATE INDEX audit_document ON audit (name) WHERE entity = 'invoice'",
    "CREATE INDEX posted_documents_customer ON posted_documents (customer_crm_id)",
    "CREATE TABLE webhooks_in_vain (record TEXT PRIMARY KEY, asked_at TEXT NOT NULL) WITHOUT ROWID",  # ids the CRM does not have
)
_ENTITY_MAPPINGS = """
SELECT 'customer' AS entity, kind, crm_id, customer_number, NULL AS document_number, CAST(finance_code AS TEXT) AS finance_code,
    linked_by, linked_at, updated_at FROM customer_mappings
UNION ALL
SELECT 'invoice', source, crm_id, customer_number, crm_number, coalesce(finance_number, finance_key), posted_by, posted_at,
    posted_at FROM posted_documents
"""
_SYNC_LOG = """
SELECT audit.id, at, run_id, runs.command, actor, entity, kind, name, customer_number, operation, audit.outcome, target,
    crm_id, finance_code, reason, changes, message_code, message_params FROM audit LEFT JOIN runs ON runs.id = run_id
"""
