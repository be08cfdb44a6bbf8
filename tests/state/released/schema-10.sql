PRAGMA application_id = 1369857025;
PRAGMA user_version = 10;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'siaghsync','tables','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'siaghsync','rows_of_version_1','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'siaghsync','views','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'siaghsync','decisions','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'siaghsync','contacts_known','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'siaghsync','clocks','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'siaghsync','undone','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'siaghsync','lookups','2026-01-05T12:00:00.000+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'siaghsync','folded_runs','2026-01-05T12:00:00.000+00:00');
CREATE TABLE audit (  -- who did what to which record, when, from what to what, and why
    id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs (id), at TEXT NOT NULL, actor TEXT NOT NULL,
    entity TEXT NOT NULL, kind TEXT, name TEXT NOT NULL, operation TEXT NOT NULL, outcome TEXT NOT NULL, target TEXT,
    crm_id TEXT, customer_number TEXT, finance_code INTEGER, changes TEXT NOT NULL, reason TEXT,
    message_code TEXT, message_params TEXT
);
INSERT INTO "audit" VALUES(1,2,'2026-01-05T12:00:00.000+00:00','cron','customer','person','رضا','update','done','finance','p-1','234',234,'{"mobile": ["0912", "0935"]}',NULL,NULL,NULL);
CREATE TABLE cursors (  -- dates of the CRM's own clock
    source TEXT PRIMARY KEY, modified TEXT NOT NULL, updated_at TEXT NOT NULL,
    window_start TEXT NOT NULL,  -- from where the next run reads again: what lies before it is settled for good
    window_read_at TEXT NOT NULL -- when everything from there on was last read
, clocks TEXT) WITHOUT ROWID;
INSERT INTO "cursors" VALUES('person','2026-01-05T15:00:00','2026-01-05T12:00:00.000+00:00','2026-01-05T14:00:00','2026-01-05T12:00:00.000+00:00',NULL);
CREATE TABLE customer_mappings (  -- a CRM record and the finance contact that is the same customer
    crm_id TEXT PRIMARY KEY, finance_code INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'organization')), customer_number TEXT NOT NULL,
    checksum TEXT,       -- of the CRM record when both were last known to be in step; NULL: compare at the next look
    sent_checksum TEXT,  -- of the values last sent or known to be there: an odd spelling is put right once only
    linked_by TEXT NOT NULL, linked_at TEXT NOT NULL, updated_at TEXT NOT NULL
, record_id TEXT NOT NULL DEFAULT '', national_code TEXT);
INSERT INTO "customer_mappings" VALUES('p-1',234,'person','234','c1','s1','number','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00','',NULL);
INSERT INTO "customer_mappings" VALUES('o-1',235,'organization','235',NULL,NULL,'create','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00','',NULL);
CREATE TABLE decisions (  -- made while a run was at work; the next one carries them out
        review_id INTEGER PRIMARY KEY, reason TEXT NOT NULL, checksum TEXT NOT NULL,  -- those of the question that was answered
        way_out TEXT NOT NULL, value TEXT NOT NULL, decided_at TEXT NOT NULL, decided_by TEXT NOT NULL
    );
INSERT INTO "decisions" VALUES(3,'no_name','c7','retry','','2026-01-05T12:00:00.000+00:00','accountant');
CREATE TABLE intents (  -- writes that were about to leave, and what became of them
        id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id),
        entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), operation TEXT NOT NULL,
        target TEXT NOT NULL CHECK (target IN ('crm', 'finance')), record TEXT NOT NULL, customer_number TEXT NOT NULL,
        finance_code INTEGER, plan TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open'
            CHECK (state IN ('open', 'unknown', 'confirmed', 'rejected', 'not_sent', 'expired')),
        message_code TEXT, message_params TEXT, missed_at TEXT, opened_at TEXT NOT NULL, settled_at TEXT, missed_clocks TEXT
    );
INSERT INTO "intents" VALUES(1,2,'customer','create','finance','p-2','236',NULL,'{"operation": "create", "entity": "customer", "target": "finance", "record": "p-2", "kind": "person", "customer_number": "236", "crm_id": "p-2", "finance_code": null, "name": "علی", "changes": {"name": [null, "علی"]}, "payload": {"name": "علی"}, "reason": null, "message": null, "checksum": null, "sent_checksum": null, "notes": [{"code": "text.verbatim", "params": {"text": "نشان"}}], "details": {}}','unknown','text.verbatim','{"text": "no clear answer"}','2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00',NULL,'["2026-11-26T15:36:25.042715+00:00", 29019.258501791, "eada9c80-0760-4af4-a96e-c12901ce6d5e", null]');
INSERT INTO "intents" VALUES(2,2,'customer','update','finance','p-1','234',234,'{}','confirmed',NULL,NULL,NULL,'2026-01-05T12:00:00.000+00:00','2026-01-05T12:00:00.000+00:00',NULL);
INSERT INTO "intents" VALUES(3,2,'invoice','create','finance','i-2','234',NULL,'{"operation": "create", "entity": "invoice", "target": "finance", "record": "i-2", "kind": "invoice", "customer_number": "234", "crm_id": "i-2", "finance_code": null, "name": "8", "changes": {}, "payload": {}, "reason": null, "message": null, "checksum": null, "sent_checksum": null, "notes": [], "details": {"related_quote_id": null}}','unknown','text.verbatim','{"text": "cut"}',NULL,'2026-01-05T12:00:00.000+00:00',NULL,NULL);
CREATE TABLE last_seen (crm_id TEXT PRIMARY KEY, modified TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "last_seen" VALUES('p-1','2026-01-05T15:00:00');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('first_import_at','2026-01-05T15:30:00');
INSERT INTO "meta" VALUES('initial_import_completed_at','2026-01-05T12:00:00.000+00:00');
CREATE TABLE posted_documents (  -- a CRM document and the pre-invoice that stands for it in Finance
    crm_id TEXT PRIMARY KEY, source TEXT NOT NULL CHECK (source IN ('quote', 'invoice')),
    crm_number TEXT NOT NULL, related_quote_id TEXT, customer_crm_id TEXT NOT NULL, customer_number TEXT NOT NULL,
    finance_number TEXT, finance_key TEXT,  -- what people see, and the key that Siagh answered with
    net TEXT, checksum TEXT NOT NULL, snapshot TEXT NOT NULL,  -- what was posted, as it stood then
    posted_by TEXT NOT NULL, posted_at TEXT NOT NULL
);
INSERT INTO "posted_documents" VALUES('i-1','invoice','100-1404/7','q-1','p-1','234','51','9',NULL,'d1','{"crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "subject": "فروش", "type_code": "1", "customer": "p-1", "date": "2026-01-04", "sale_model": "1", "rows": [], "discount": "0", "additional_costs": "0", "vat": "0", "toll": "0", "net": "3000000", "net_with_tax": "3000000"}','create','2026-01-05T12:00:00.000+00:00');
CREATE TABLE retries (  -- records that wait for another try
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
    customer_number TEXT NOT NULL, name TEXT NOT NULL, attempts INTEGER NOT NULL, failed INTEGER NOT NULL,
    next_try_at TEXT NOT NULL, reason TEXT NOT NULL, message_code TEXT NOT NULL, message_params TEXT NOT NULL,
    since TEXT NOT NULL,
    depends_on TEXT,  -- the CRM id of a customer to be linked first, or of a quote to be decided first
    PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;
INSERT INTO "retries" VALUES('customer','finance','p-3','person','237','مریم',1,1,'2026-01-05T12:00:00.000+00:00','timeout','text.verbatim','{"text": "The answer took too long."}','2026-01-05T12:00:00.000+00:00',NULL);
INSERT INTO "retries" VALUES('invoice','finance','i-3','invoice','','',0,0,'2026-01-05T12:00:00.000+00:00','customer_unknown','text.verbatim','{"text": "It waits."}','2026-01-05T12:00:00.000+00:00','p-5');
CREATE TABLE reviews (  -- questions for a person
        id INTEGER PRIMARY KEY, entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL,
        reason TEXT NOT NULL, crm_id TEXT, customer_number TEXT NOT NULL, finance_code INTEGER, name TEXT NOT NULL,
        message_code TEXT NOT NULL, message_params TEXT NOT NULL, details TEXT NOT NULL, checksum TEXT NOT NULL,
        since TEXT NOT NULL, resolution TEXT, resolved_at TEXT, resolved_by TEXT
    );
INSERT INTO "reviews" VALUES(1,'customer','finance','p-5','person','stranger','p-5','238',NULL,'','text.verbatim','{"text": "Somebody else."}','{"customer": {"names": ["رضا"]}, "candidates": [{"finance_code": "238"}]}','c5','2026-01-05T12:00:00.000+00:00',NULL,NULL,NULL);
INSERT INTO "reviews" VALUES(2,'customer','finance','p-6','person','no_name','p-6','239',NULL,'','text.verbatim','{"text": ""}','{}','c6','2026-01-05T12:00:00.000+00:00','settled','2026-01-05T12:00:00.000+00:00','siaghsync');
INSERT INTO "reviews" VALUES(3,'customer','finance','p-7','person','no_name','p-7','240',NULL,'','text.verbatim','{"text": ""}','{}','c7','2026-01-05T12:00:00.000+00:00',NULL,NULL,NULL);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, dry_run INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT CHECK (outcome IN ('ok', 'partial', 'failed')),
    summary TEXT, error_code TEXT, error_params TEXT
, first_id INTEGER, first_started_at TEXT);
INSERT INTO "runs" VALUES(1,'initial-import',0,1,'2026-01-05T12:00:00+00:00','2026-01-05T12:00:00+00:00','ok','{"customers": {"seen": 2}}',NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(2,'sync',0,1,'2026-01-05T12:00:00+00:00','2026-01-05T12:00:00+00:00','partial','{"customers": {"seen": 5}}','call.timeout','{"system": "crm", "what": "log_in", "detail": ""}',NULL,NULL);
CREATE TABLE seen (  -- what was read in the overlap window behind the cursor, which the next run reads again
    source TEXT NOT NULL, crm_id TEXT NOT NULL, modified TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (source, crm_id)
) WITHOUT ROWID;
INSERT INTO "seen" VALUES('person','p-1','2026-01-05T15:00:00','c1');
CREATE TABLE skips (  -- records passed over on purpose
    entity TEXT NOT NULL, target TEXT NOT NULL, record TEXT NOT NULL, kind TEXT NOT NULL, customer_number TEXT NOT NULL,
    name TEXT NOT NULL, reason TEXT NOT NULL, since TEXT NOT NULL, depends_on TEXT, PRIMARY KEY (entity, target, record)
) WITHOUT ROWID;
INSERT INTO "skips" VALUES('customer','finance','p-4','person','','','no_number','2026-01-05T12:00:00.000+00:00',NULL);
CREATE TABLE undone (crm_id TEXT PRIMARY KEY, checksum TEXT NOT NULL, fields TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "undone" VALUES('p-1','c1','["email"]');
CREATE TABLE webhook_events (  -- what the CRM has called about and no run has taken up yet; a doubled call is one row
    entity TEXT NOT NULL CHECK (entity IN ('customer', 'invoice')), record TEXT NOT NULL, kind TEXT NOT NULL,
    event TEXT NOT NULL, calls INTEGER NOT NULL, received_at TEXT NOT NULL, PRIMARY KEY (entity, record)
) WITHOUT ROWID;
INSERT INTO "webhook_events" VALUES('customer','p-1','person','update',1,'2026-01-05T12:00:00.000+00:00');
INSERT INTO "webhook_events" VALUES('invoice','i-9','invoice','insert',1,'2026-01-05T12:00:00.000+00:00');
CREATE TABLE webhooks_in_vain (record TEXT PRIMARY KEY, asked_at TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "webhooks_in_vain" VALUES('p-0','2026-01-05T12:00:00.000+00:00');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX customer_mappings_number ON customer_mappings (customer_number);
CREATE INDEX posted_documents_quote ON posted_documents (related_quote_id);
CREATE INDEX audit_number ON audit (customer_number);
CREATE INDEX audit_crm_id ON audit (crm_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_run ON audit (run_id);
CREATE VIEW "entity_mappings" AS 
SELECT 'customer' AS entity, kind, crm_id, customer_number, NULL AS document_number, CAST(finance_code AS TEXT) AS finance_code,
    linked_by, linked_at, updated_at FROM customer_mappings
UNION ALL
SELECT 'invoice', source, crm_id, customer_number, crm_number, coalesce(finance_number, finance_key), posted_by, posted_at,
    posted_at FROM posted_documents;
CREATE VIEW "sync_log" AS 
SELECT audit.id, at, run_id, runs.command, actor, entity, kind, name, customer_number, operation, audit.outcome, target,
    crm_id, finance_code, reason, changes, message_code, message_params FROM audit LEFT JOIN runs ON runs.id = run_id;
CREATE UNIQUE INDEX reviews_open ON reviews (entity, target, record) WHERE resolution IS NULL;
CREATE INDEX reviews_record ON reviews (entity, target, record);
CREATE INDEX reviews_number ON reviews (customer_number) WHERE resolution IS NULL;
CREATE INDEX posted_documents_number ON posted_documents (crm_number);
CREATE INDEX posted_documents_finance_number ON posted_documents (finance_number);
CREATE UNIQUE INDEX intents_unsettled ON intents (entity, target, record) WHERE state IN ('open', 'unknown');
CREATE INDEX intents_expired ON intents (entity, target, record) WHERE state = 'expired';
CREATE INDEX intents_run ON intents (run_id);
CREATE INDEX intents_record ON intents (record);
CREATE INDEX audit_finance_code ON audit (finance_code);
CREATE INDEX audit_document ON audit (name) WHERE entity = 'invoice';
CREATE INDEX posted_documents_customer ON posted_documents (customer_crm_id);
COMMIT;
