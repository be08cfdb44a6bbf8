"""One line of the audit trail as a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siaghsync.messages.calendar import at

_SYSTEMS = {"crm": "the CRM", "finance": "Finance"}
_MOST_FIELDS = 6


def event(row: Mapping[str, Any]) -> str:
    """What one line of the audit trail says; `fields` is a mapping of field -> (before, after)."""
    run = f", run {row['run_id']}" if row["run_id"] else ""
    return " ".join(f"{at(row['at'])}{run}: {_did(row)}{_fields(row)}{_words(row)}".split())


def _did(row: Mapping[str, Any]) -> str:
    outcome = row["outcome"]
    if row["action"] == "resolve":
        return f"{row['actor']} decided it with --{outcome}."
    if outcome == "review":
        return f"it became a question for a person ({row['reason']})."
    if outcome == "skipped":
        return f"it was passed over on purpose ({row['reason']})."
    if outcome == "waits":
        return f"it had to wait ({row['reason']})."
    where = _SYSTEMS.get(row["target"], "the other system")
    if row["action"] == "review":  # a document in doubt
        return f"it was sent to {where}, without a clear answer."
    if outcome == "done":
        return _done(row, where)
    what = {"create": "making it", "update": "changing it"}.get(row["action"], row["action"])
    return {
        "failed": f"{what} in {where} failed ({row['reason']}).",
        "unknown": f"{what} in {where} got no clear answer.",
        "lapsed": f"{what} in {where} turned out not to have arrived.",
        "misdirected": f"{what} in {where} had another effect than asked for.",
    }.get(outcome, f"{row['action']}: {outcome}.")


def _done(row: Mapping[str, Any], where: str) -> str:
    if row["entity"] == "invoice":
        key = f" as pre-invoice {row['finance_code']}" if row["finance_code"] is not None else ""
        return "it was taken as posted already." if row["action"] == "link" else f"it was posted to {where}{key}."
    here = f"contact {row['finance_code']}" if row["target"] == "finance" else f"record {row['crm_id']}"
    return {
        "create": f"{here} was made in {where}.",
        "update": f"{here} was changed in {where}.",
        "link": f"record {row['crm_id']} of the CRM and contact {row['finance_code']} of Finance were linked ({row['reason']}).",
    }.get(row["action"], f"{row['action']} was done.")


def _fields(row: Mapping[str, Any]) -> str:
    if not row["fields"]:
        return ""
    shown = [
        f"{name}: {new}" if old is None else f"{name}: {old or '(empty)'} -> {new or '(empty)'}"
        for name, (old, new) in list(row["fields"].items())[:_MOST_FIELDS]
    ]
    more = len(row["fields"]) - len(shown)
    return f" {'; '.join(shown)}{f'; and {more} more' if more else ''}."


def _words(row: Mapping[str, Any]) -> str:
    """What was said about it: by us, or by the system itself."""
    return f" {row['message']}" if row["message"] and row["action"] != "resolve" else ""
