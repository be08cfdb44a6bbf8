"""The tables of the state file, as numbered steps. Made to be read by people with any SQLite browser.

All times are UTC in ISO 8601; `fields`, `plan`, `details` and `summary` are JSON; codes and ids are the systems' own.
"""

from __future__ import annotations

APPLICATION_ID = 0x51A6_5C01
"""Marks a file as ours: an empty file is a valid SQLite database too, and must never be taken for a first run."""

MIGRATIONS: tuple[str, ...] = (
    """
CREATE TABLE facts (
    name TEXT PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, dry_run INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT CHECK (outcome IN ('ok', 'partial', 'failed')),
    summary TEXT, error TEXT
);

CREATE TABLE customer_mappings (
    crm_id TEXT PRIMARY KEY, finance_code INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'organization')), customer_number TEXT NOT NULL,
    checksum TEXT,       -- of the CRM record when both were last known to be in step; NULL: compare at the next look
    sent_checksum TEXT,  -- of the values last sent or known to be there: an odd spelling is put right once only
    linked_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX customer_mappings_number ON customer_mappings (customer_number);

CREATE TABLE invoice_mappings (  -- a CRM document and the pre-invoice that stands for it in Finance
    crm_id TEXT PRIMARY KEY, source TEXT NOT NULL CHECK (source IN ('quote', 'invoice')),
    crm_number TEXT NOT NULL, related_quote_id TEXT, customer_crm_id TEXT NOT NULL, customer_number TEXT NOT NULL,
    finance_number TEXT, finance_key TEXT,  -- what people see, and the key that Siagh answered with
    net TEXT, checksum TEXT NOT NULL, snapshot TEXT NOT NULL,  -- what was posted, as it stood then
    posted_by TEXT NOT NULL, posted_at TEXT NOT NULL
);
CREATE INDEX invoice_mappings_quote ON invoice_mappings (related_quote_id);

CREATE TABLE cursors (  -- dates of the CRM's own clock
    source TEXT PRIMARY KEY, modified TEXT NOT NULL, updated_at TEXT NOT NULL,
    start TEXT NOT NULL,    -- from where the next run reads again: what lies before it is settled for good
    whole_at TEXT NOT NULL  -- when the stretch from `start` on was last read whole
) WITHOUT ROWID;

CREATE TABLE seen (  -- what was read in the stretch behind the cursor, which the next run reads again
    source TEXT NOT NULL, crm_id TEXT NOT NULL, modified TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (source, crm_id)
) WITHOUT ROWID;

CREATE TABLE intents (
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id),
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')),
    action TEXT NOT NULL CHECK (action IN ('create', 'update')),
    target TEXT NOT NULL CHECK (target IN ('crm', 'finance')),
    record TEXT NOT NULL,  -- the CRM id (target finance) or the finance code (target crm) of the record it is for
    customer_number TEXT NOT NULL, finance_code INTEGER,
    plan TEXT NOT NULL,  -- the whole action as JSON: what is sent, what changes, what is recorded when it is done
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'unknown', 'confirmed', 'rejected', 'not_sent', 'lapsed')),
    message TEXT, missed_at TEXT, opened_at TEXT NOT NULL, settled_at TEXT
);
-- Two writes for the same record can't be under way at once, whatever the program thinks.
CREATE UNIQUE INDEX intents_unsettled ON intents (entity, target, record) WHERE state IN ('open', 'unknown');

CREATE TABLE waiting (
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    customer_number TEXT NOT NULL, attempts INTEGER NOT NULL, failed INTEGER NOT NULL, next_try_at TEXT NOT NULL,
    reason TEXT NOT NULL, message TEXT NOT NULL, since TEXT NOT NULL,
    depends_on TEXT,  -- the CRM id of a customer to be linked first, or of a quote to be decided first
    PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;

CREATE TABLE webhook_events (  -- what the CRM has called about and no run has taken up yet; a doubled call is one row
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), record TEXT NOT NULL, kind TEXT NOT NULL,
    event TEXT NOT NULL, calls INTEGER NOT NULL, received_at TEXT NOT NULL, PRIMARY KEY (entity, record)
) WITHOUT ROWID;

CREATE TABLE skips (
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, customer_number TEXT NOT NULL,
    reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;

CREATE TABLE reviews (
    id INTEGER PRIMARY KEY, entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, crm_id TEXT, customer_number TEXT, finance_code INTEGER, message TEXT NOT NULL,
    details TEXT NOT NULL, checksum TEXT NOT NULL, since TEXT NOT NULL,
    resolution TEXT CHECK (resolution IN ('retry', 'link', 'posted', 'discard', 'settled')),
    resolved_at TEXT, resolved_by TEXT
);
CREATE UNIQUE INDEX reviews_open ON reviews (entity, target, record) WHERE resolution IS NULL;
CREATE INDEX reviews_record ON reviews (entity, target, record);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs (id), at TEXT NOT NULL, actor TEXT NOT NULL,
    entity TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL, target TEXT, crm_id TEXT, customer_number TEXT,
    finance_code INTEGER, fields TEXT NOT NULL, reason TEXT, message TEXT
);
CREATE INDEX audit_number ON audit (customer_number);
CREATE INDEX audit_crm_id ON audit (crm_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_run ON audit (run_id);  -- without these two, taking a run out would read both tables whole
CREATE INDEX intents_run ON intents (run_id);
""",
)
