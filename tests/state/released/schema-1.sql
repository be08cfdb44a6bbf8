PRAGMA application_id = 1369857025;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs (id), at TEXT NOT NULL, actor TEXT NOT NULL,
    entity TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL, target TEXT, crm_id TEXT, customer_number TEXT,
    finance_code INTEGER, fields TEXT NOT NULL, reason TEXT, message TEXT
);
INSERT INTO "audit" VALUES(1,2,'2026-01-05T12:00:00.000+00:00','cron','customer','update','done','finance','p-1','234',234,'{"mobileno": ["0912", "0935"]}',NULL,NULL);
CREATE TABLE cursors (  -- dates of the CRM's own clock
    source TEXT PRIMARY KEY, modified TEXT NOT NULL, updated_at TEXT NOT NULL,
    start TEXT NOT NULL,    -- from where the next run reads again: what lies before it is settled for good
    whole_at TEXT NOT NULL  -- when the stretch from `start` on was last read whole
) WITHOUT ROWID;
INSERT INTO "cursors" VALUES('person','2026-01-05T15:00:00','2026-01-05T12:00:00.000+00:00','2026-01-05T14:00:00','2026-01-05T12:00:00.000+00:00');
CREATE TABLE customer_mappings (
    crm_id TEXT PRIMARY KEY, finance_code INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'organization')), customer_number TEXT NOT NULL,
    checksum TEXT,       -- of the CRM record when both were last known to be in step; NULL: compare at the next look
    sent_checksum TEXT,  -- of the values last sent or known to be there: an odd spelling is put right once only
    linked_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
INSERT INTO "customer_mappings" VALUES('p-1',234,'person','234','c1','s1','number','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00');
INSERT INTO "customer_mappings" VALUES('o-1',235,'organization','235',NULL,NULL,'create','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00');
CREATE TABLE facts (
    name TEXT PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "facts" VALUES('first_import_at','2026-01-05T15:30:00');
INSERT INTO "facts" VALUES('initial_import_completed_at','2026-01-05T12:00:00.000+00:00');
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
INSERT INTO "intents" VALUES(1,2,'customer','create','finance','p-2','236',NULL,'{"action": "create", "entity": "customer", "target": "finance", "record": "p-2", "kind": "person", "customer_number": "236", "crm_id": "p-2", "finance_code": null, "fields": {"fullname": [null, "علی"]}, "payload": {"fullname": "علی"}, "reason": null, "message": null, "checksum": null, "sent_checksum": null, "notes": ["نشان"], "details": {}}','unknown','no clear answer','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00',NULL);
INSERT INTO "intents" VALUES(2,2,'customer','update','finance','p-1','234',234,'{}','confirmed',NULL,NULL,'2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00');
INSERT INTO "intents" VALUES(3,2,'invoice','create','finance','i-2','234',NULL,'{"action": "create", "entity": "invoice", "target": "finance", "record": "i-2", "kind": "invoice", "customer_number": "234", "crm_id": "i-2", "finance_code": null, "fields": {}, "payload": {}, "reason": null, "message": null, "checksum": null, "sent_checksum": null, "notes": [], "details": {"related_quote_id": null}}','unknown','cut',NULL,'2026-01-05T12:00:00.000+00:00',NULL);
CREATE TABLE invoice_mappings (  -- a CRM document and the pre-invoice that stands for it in Finance
    crm_id TEXT PRIMARY KEY, source TEXT NOT NULL CHECK (source IN ('quote', 'invoice')),
    crm_number TEXT NOT NULL, related_quote_id TEXT, customer_crm_id TEXT NOT NULL, customer_number TEXT NOT NULL,
    finance_number TEXT, finance_key TEXT,  -- what people see, and the key that Siagh answered with
    net TEXT, checksum TEXT NOT NULL, snapshot TEXT NOT NULL,  -- what was posted, as it stood then
    posted_by TEXT NOT NULL, posted_at TEXT NOT NULL
);
INSERT INTO "invoice_mappings" VALUES('i-1','invoice','100-1404/7','q-1','p-1','234','51','9',NULL,'d1','{"crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "subject": "فروش", "type_code": "1", "customer": "p-1", "date": "2026-01-04", "sale_model": "1", "rows": [], "discount": "0", "additional_costs": "0", "vat": "0", "toll": "0", "net": "3000000", "net_with_tax": "3000000"}','create','2026-01-05T12:00:00.000+00:00');
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY, entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, crm_id TEXT, customer_number TEXT, finance_code INTEGER, message TEXT NOT NULL,
    details TEXT NOT NULL, checksum TEXT NOT NULL, since TEXT NOT NULL,
    resolution TEXT CHECK (resolution IN ('retry', 'link', 'posted', 'discard', 'settled')),
    resolved_at TEXT, resolved_by TEXT
);
INSERT INTO "reviews" VALUES(1,'customer','finance','p-5','person','stranger','p-5','238',NULL,'Somebody else.','{"customer": {"names": ["رضا"]}, "candidates": [{"finance_code": "238"}]}','c5','2026-01-05T12:00:00.000+00:00',NULL,NULL,NULL);
INSERT INTO "reviews" VALUES(2,'customer','finance','p-6','person','no_name','p-6','239',NULL,'No name.','{}','c6','2026-01-05T12:00:00.000+00:00','settled','2026-01-05T12:00:00.000+00:00','siaghsync');
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, dry_run INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT CHECK (outcome IN ('ok', 'partial', 'failed')),
    summary TEXT, error TEXT
);
INSERT INTO "runs" VALUES(1,'initial-import',0,1,'2026-01-05T12:00:00+00:00','2026-01-05T12:00:00+00:00','ok','{"customers": {"seen": 2}}',NULL);
INSERT INTO "runs" VALUES(2,'sync',0,1,'2026-01-05T12:00:00+00:00','2026-01-05T12:00:00+00:00','partial','{"customers": {"seen": 5}}','رکوردی ناموفق بود');
CREATE TABLE seen (  -- what was read in the stretch behind the cursor, which the next run reads again
    source TEXT NOT NULL, crm_id TEXT NOT NULL, modified TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (source, crm_id)
) WITHOUT ROWID;
INSERT INTO "seen" VALUES('person','p-1','2026-01-05T15:00:00','c1');
CREATE TABLE skips (
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, customer_number TEXT NOT NULL,
    reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;
INSERT INTO "skips" VALUES('customer','finance','p-4','','no_number','2026-01-05T12:00:00.000+00:00');
CREATE TABLE waiting (
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    customer_number TEXT NOT NULL, attempts INTEGER NOT NULL, failed INTEGER NOT NULL, next_try_at TEXT NOT NULL,
    reason TEXT NOT NULL, message TEXT NOT NULL, since TEXT NOT NULL,
    depends_on TEXT,  -- the CRM id of a customer to be linked first, or of a quote to be decided first
    PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;
INSERT INTO "waiting" VALUES('customer','finance','p-3','person','237',1,1,'2026-01-05T12:00:00.000+00:00','timeout','The answer took too long.','2026-01-05T12:00:00.000+00:00',NULL);
INSERT INTO "waiting" VALUES('invoice','finance','i-3','invoice','',0,0,'2026-01-05T12:00:00.000+00:00','customer_unknown','It waits.','2026-01-05T12:00:00.000+00:00','p-5');
CREATE TABLE webhook_events (  -- what the CRM has called about and no run has taken up yet; a doubled call is one row
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), record TEXT NOT NULL, kind TEXT NOT NULL,
    event TEXT NOT NULL, calls INTEGER NOT NULL, received_at TEXT NOT NULL, PRIMARY KEY (entity, record)
) WITHOUT ROWID;
INSERT INTO "webhook_events" VALUES('customer','p-1','person','update',1,'2026-01-05T12:00:00.000+00:00');
INSERT INTO "webhook_events" VALUES('invoice','i-9','invoice','insert',1,'2026-01-05T12:00:00.000+00:00');
CREATE INDEX customer_mappings_number ON customer_mappings (customer_number);
CREATE INDEX invoice_mappings_quote ON invoice_mappings (related_quote_id);
CREATE UNIQUE INDEX intents_unsettled ON intents (entity, target, record) WHERE state IN ('open', 'unknown');
CREATE UNIQUE INDEX reviews_open ON reviews (entity, target, record) WHERE resolution IS NULL;
CREATE INDEX reviews_record ON reviews (entity, target, record);
CREATE INDEX audit_number ON audit (customer_number);
CREATE INDEX audit_crm_id ON audit (crm_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_run ON audit (run_id);
CREATE INDEX intents_run ON intents (run_id);
COMMIT;
