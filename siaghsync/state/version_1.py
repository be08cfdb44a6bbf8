"""Takes over the state file of version 1: its rows in the tables, names and messages of today.

Version 1 stored English sentences and called fields by the keys of Siagh's form and of the CRM's JSON. Sentences are kept as they
are (`text.verbatim`), names are translated, so that what was open in such a file goes on working.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlite_utils import Database

from siaghsync.domain.fields import BY_FINANCE_KEY
from siaghsync.messages.message import verbatim
from siaghsync.state.columns import encode, message_columns, message_pair

Data = dict[str, Any]

_TABLES = (
    "facts", "runs", "customer_mappings", "invoice_mappings", "cursors", "seen", "intents", "waiting", "webhook_events", "skips",
    "reviews", "audit",
)  # fmt: skip


def set_aside(db: Database) -> None:
    """Renames the tables of version 1, if the file has them, and drops their indexes."""
    if "facts" not in db.table_names():
        return
    for name in _TABLES:
        table = db.table(name)
        for index in table.indexes:
            if index.origin == "c":  # made by CREATE INDEX; the others belong to the table
                table.drop_index(index.name)
        db.rename_table(name, f"old_{name}")


def take_over(db: Database) -> None:
    """Copies and converts what stands in the tables that were set aside, and drops them."""
    if "old_facts" not in db.table_names():
        return
    names = _names(db)
    _copy(db, "facts", "meta", dict)
    _copy(db, "runs", "runs", _run)
    _copy(db, "customer_mappings", "customer_mappings", lambda row: _renamed(row, {"created_at": "linked_at"}))
    _copy(db, "invoice_mappings", "posted_documents", dict)
    _copy(db, "cursors", "cursors", lambda row: _renamed(row, {"start": "window_start", "whole_at": "window_read_at"}))
    _copy(db, "seen", "seen", dict)
    _copy(db, "intents", "intents", _intent)
    _copy(db, "waiting", "retries", lambda row: _with_message(row) | {"name": names.of(row)})
    _copy(db, "webhook_events", "webhook_events", dict)
    _copy(db, "skips", "skips", lambda row: row | {"kind": names.kind_of(row) or "", "name": names.of(row)})
    _copy(db, "reviews", "reviews", lambda row: _review(row) | {"name": names.of(row)})
    _copy(db, "audit", "audit", lambda row: _audit(row) | {"kind": names.kind_of(row), "name": names.of(row)})
    for name in reversed(_TABLES):
        db.table(f"old_{name}").drop()


def _copy(db: Database, old: str, new: str, convert: Callable[[Data], Data]) -> None:
    db.table(new).insert_all(map(convert, db.table(f"old_{old}").rows))


def _renamed(row: Data, names: Mapping[str, str]) -> Data:
    return {names.get(key, key): value for key, value in row.items()}


def _with_message(row: Data) -> Data:
    text = row.pop("message")
    return row | message_columns(verbatim(text) if text is not None else None)


# --- rows --------------------------------------------------------------------------------------------------


def _run(row: Data) -> Data:
    text = row.pop("error")
    code, params = message_pair(verbatim(text) if text else None)
    return row | {"error_code": code, "error_params": params}


def _intent(row: Data) -> Data:
    row = _with_message(_renamed(row, {"action": "operation"}))
    state = "expired" if row["state"] == "lapsed" else row["state"]
    plan = json.loads(row["plan"])
    return row | {"state": state, "plan": encode(action(plan) if plan else {})}


def _review(row: Data) -> Data:
    details = _details(json.loads(row["details"]), row["kind"])
    return _with_message(row) | {"details": encode(details), "customer_number": row["customer_number"] or ""}


def _audit(row: Data) -> Data:
    row = _with_message(_renamed(row, {"action": "operation", "fields": "changes"}))
    outcome = "expired" if row["outcome"] == "lapsed" else row["outcome"]
    return row | {"outcome": outcome, "changes": encode(_changes(row["entity"], json.loads(row["changes"])))}


def action(old: Data) -> Data:
    """A stored action of version 1 as `Action.from_json` reads it today."""
    payload = _payload(old["payload"], old["kind"], old["details"])
    changes = _changes(old["entity"], old["fields"])
    if old["target"] == "crm" and payload:
        changes = _changes_of_import(payload)
    return {
        **{key: value for key, value in old.items() if key not in ("action", "fields")},
        "operation": old["action"],
        "name": _name_of_action(old),
        "changes": changes,
        "payload": payload,
        "message": verbatim(old["message"]).as_json() if old["message"] else None,
        "notes": [verbatim(note).as_json() for note in old["notes"]],
        "details": _details(old["details"], old["kind"]),
    }


def _name_of_action(old: Data) -> str:
    if old["entity"] == "invoice":
        return str(_document_number(old["fields"], old["details"]) or old["record"])
    return _customer_name(old["fields"], old["details"], old["payload"])


# --- what is sent ------------------------------------------------------------------------------------------

_KIND_OF_DOCUMENT = "پیش فاکتور فروش "
_HEADER = {
    "codemoshtari": "customer_code", "codesalemodel": "sale_model", "codemarkazforush": "sales_centre",
    "codenoeepardakht": "payment_type", "codenoeeforush": "sale_kind", "codevaseteh": "intermediary", "salmali": "fiscal_year",
}  # fmt: skip
_CELLS = {
    "codekala": "product_code", "nameunit": "unit", "qty": "quantity", "price": "unit_price", "mabtakhfif": "discount",
}  # fmt: skip


def _payload(old: Data, kind: str, details: Data) -> Data:
    """A form of Siagh, a record of the CRM or a pre-invoice in the names of the program."""
    if "header" in old:
        return _document_payload(old, details)
    if "nickName" in old:
        return _import_payload(old, kind)
    return {BY_FINANCE_KEY.get(key, key): value for key, value in old.items()}


def _document_payload(old: Data, details: Data) -> Data:
    header = old["header"]
    type_code = details.get("snapshot", {}).get("type_code") or header["namenoesanad"].removeprefix(_KIND_OF_DOCUMENT)
    return {
        **{name: int(header[key]) for key, name in _HEADER.items()},
        "type_code": type_code,
        "notes": header["tozihat"],
        "suid": old["suid"],
        "rows": [{name: row[key] for key, name in _CELLS.items()} for row in old["rows"]],
    }


def _import_payload(old: Data, kind: str) -> Data:
    address: Data = next(iter(old.get("addressContacts") or ()), {})
    category: Data = next(iter(old.get("categories") or ()), {})
    return {
        "kind": kind,
        "name": old["nickName"],
        "number": old["customerNumber"],
        "national_code": old["nationalCode"],
        "email": old["email"],
        "email2": old["alternativeEmail"],
        "website": old["website"],
        "notes": old["description"],
        "phones": [[phone["phoneType"].lower(), phone["phoneNumber"]] for phone in old["phoneContacts"]],
        "address": address.get("address", ""),
        "postal_code": address.get("zipCode", ""),
        "category": category.get("key", ""),
    }


def _changes_of_import(payload: Data) -> Data:
    shown = {key: value for key, value in payload.items() if key not in ("kind", "phones")} | _phones(payload["phones"])
    return {key: [None, value] for key, value in shown.items() if value}


def _phones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    free = {"mobile": ["mobile2", "mobile"], "office": ["phone2", "phone"]}
    return {names.pop(): number for label, number in pairs if (names := free.get(label))}


# --- what is shown -----------------------------------------------------------------------------------------

_CRM_KEYS = {
    "nickName": "name", "customerNumber": "number", "nationalCode": "national_code", "alternativeEmail": "email2",
    "description": "notes", "addressContacts": "address", "categories": "category",
}  # fmt: skip
_NAME_TWICE = ("firstName", "lastName")
_DOCUMENT_KEYS = {"sale model": "sale_model", "additional costs": "additional_costs", "tax": "vat"}
_ROW_KEYS = {"product": "product_code", "unit price": "unit_price"}
_ROW = re.compile(r"(new row|row) ([0-9]+)(?: (.+))?")


def _changes(entity: str, fields: Data) -> Data:
    """Field -> [before, after] under the names of today."""
    if entity == "invoice":
        return {_document_field(key): pair for key, pair in fields.items()}
    changes = {
        BY_FINANCE_KEY.get(key) or _CRM_KEYS.get(key, key): pair
        for key, pair in fields.items()
        if key not in ("phoneContacts", *_NAME_TWICE)
    }
    if phones := fields.get("phoneContacts"):
        pairs = [
            (label.lower(), number) for label, _, number in (part.partition(" ") for part in phones[1].split("; "))
        ]
        changes |= {key: [None, number] for key, number in _phones(pairs).items()}
    return changes


def _document_field(key: str) -> str:
    if found := _ROW.fullmatch(key):
        kind, place, cell = found.groups()
        row = f"{'rows' if kind == 'row' else 'new_rows'}.{place}"
        return f"{row}.{_ROW_KEYS.get(cell, cell)}" if cell else row
    return _DOCUMENT_KEYS.get(key, key)


def _details(old: Data, kind: str) -> Data:
    new = dict(old)
    for side in ("customer", "contact"):
        if side in old:
            new[side] = _view(old[side])
    if "candidates" in old:
        new["candidates"] = [_view(candidate) for candidate in old["candidates"]]
    if "payload" in old:
        new["payload"] = _payload(old["payload"], kind, old)
    if "difference" in old:
        new["difference"] = _changes("invoice", old["difference"])
    if "faults" in old:
        new["faults"] = [{**fault, "message": verbatim(fault["message"]).as_json()} for fault in old["faults"]]
    return new


def _view(side: Data) -> Data:
    return {BY_FINANCE_KEY.get(key, key): value for key, value in side.items() if key != "taraftype"}


# --- what records are called -------------------------------------------------------------------------------

_TITLE = re.compile(r"(Quote|Invoice) (\S+?)(?::| waits )")


class _Names:
    """Kind and name of each record, as far as version 1 wrote them down anywhere; the newest name counts."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[str | None, str]] = {}

    def learn(self, entity: str, keys: Iterable[object], kind: str | None, name: str) -> None:
        for key in keys:
            if key is not None:
                old_kind, old_name = self._known.get((entity, str(key)), (None, ""))
                self._known[entity, str(key)] = (kind or old_kind, name or old_name)

    def kind_of(self, row: Data) -> str | None:
        """The kind of the record that a row is about."""
        return self._find(row)[0]

    def of(self, row: Data) -> str:
        """The name of the record that a row is about, or ""."""
        return self._find(row)[1]

    def _find(self, row: Data) -> tuple[str | None, str]:
        keys = (row.get("record"), row.get("crm_id"), *_contact_keys(row))
        found = [self._known[row["entity"], str(key)] for key in keys if (row["entity"], str(key)) in self._known]
        return next((kind for kind, _ in found if kind), None), next((name for _, name in found if name), "")


def _contact_keys(row: Data) -> tuple[object, ...]:
    # The finance code of a document is a pre-invoice's number and names nobody.
    return (row.get("finance_code"),) if row["entity"] == "customer" else ()


def _names(db: Database) -> _Names:
    names = _Names()
    for row in db.table("old_customer_mappings").rows:
        names.learn("customer", (row["crm_id"], row["finance_code"]), row["kind"], "")
    for row in db.table("old_waiting").rows:
        kind, number = _title(row["message"])
        names.learn(row["entity"], (row["record"],), row["kind"] or kind, number)
    for row in db.table("old_reviews").rows:
        details = json.loads(row["details"])
        name = _document_number({}, details) if row["entity"] == "invoice" else _customer_name({}, details, {})
        names.learn(row["entity"], (row["record"], row["crm_id"], *_contact_keys(row)), row["kind"], name)
    for row in db.table("old_intents").rows:
        if plan := json.loads(row["plan"]):
            names.learn(row["entity"], (row["record"], plan["crm_id"]), plan["kind"], _name_of_action(plan))
    for row in db.table("old_audit").rows:
        kind, name = _told(row)
        names.learn(row["entity"], (row["crm_id"], *_contact_keys(row)), kind, name)
    for row in db.table("old_invoice_mappings").rows:
        names.learn("invoice", (row["crm_id"],), row["source"], row["crm_number"])
    return names


def _told(row: Data) -> tuple[str | None, str]:
    fields = json.loads(row["fields"])
    if row["entity"] != "invoice":
        return None, _customer_name(fields, {}, {})
    kind, number = _title(row["message"])
    return kind, _document_number(fields, {}) or number


def _title(message: str | None) -> tuple[str | None, str]:
    """Version 1 began what it said about a document with its title: its number, or its CRM id while it had none."""
    found = _TITLE.match(message or "")
    return (found[1].lower(), found[2]) if found else (None, "")


def _document_number(fields: Data, details: Data) -> str:
    return str((details.get("snapshot") or {}).get("number") or fields.get("number", (None, None))[1] or "")


def _customer_name(fields: Data, details: Data, payload: Data) -> str:
    who = details.get("customer") or details.get("contact") or {}
    sent = payload or details.get("payload") or {}
    found = (
        *(fields[key][1] for key in ("fullname", "nickName") if key in fields),
        *who.get("names", ())[:1],
        *(sent[key] for key in ("fullname", "nickName") if key in sent),
    )
    return next((str(name) for name in found if name), "")
