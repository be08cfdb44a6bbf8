"""Asks both systems who they are and what they hold, without writing anything: the work behind `check-apis`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from siaghsync.errors import BadRecord, SiaghsyncError
from siaghsync.payamgostar import Payamgostar
from siaghsync.siagh import Siagh
from siaghsync.sync_reading import SOURCES
from siaghsync.translate import contact_from_finance
from siaghsync.validity import legal_id_is_valid, national_code_is_valid

Timed = Callable[[Callable[[], Any]], tuple[Any, float]]
"""Calls a function and returns (its result, milliseconds)."""


def check_crm(crm: Payamgostar, timed: Timed) -> dict[str, Any]:
    """Login, one record of each kind, and how many there are. Never raises: a failure is part of the answer."""
    found: dict[str, Any] = {"system": "crm", "ok": False}
    try:
        _, found["login_ms"] = timed(crm.login)
        for kind in SOURCES:
            page, found[f"{kind}_ms"] = timed(partial(crm.find, kind, page=1, size=1))
            found[f"{kind}s"] = page.total
            found[f"{kind}_has_number"] = any(
                bool(value)
                for record in page.records
                for key, value in record.items()
                if key.lower() == "customernumber"
            )
        found["server_time"] = crm.server_time.isoformat(timespec="seconds") if crm.server_time else None
        found["ok"] = True
    except SiaghsyncError as error:
        found["error"] = _told(error)
    return found


def check_finance(siagh: Siagh, timed: Timed) -> dict[str, Any]:
    """Login, the whole list counted as it streams by, and one look-up by code. Never raises."""
    found: dict[str, Any] = {"system": "finance", "ok": False}
    try:
        session, found["login_ms"] = timed(siagh.login)
        found |= {
            "user": session.user_name,
            "branch": f"{session.branch_name} ({session.branch_code})",
            "fiscal_year": session.fiscal_year,
            "system_date": session.system_date,
        }
        tally, found["list_ms"] = timed(lambda: _tally(siagh))
        found |= tally
        found["ok"] = True
    except SiaghsyncError as error:
        found["error"] = _told(error)
    return found


def _tally(siagh: Siagh) -> dict[str, int]:
    """How the contacts fall; the two kinds side by side show whether TowardType means what it should."""
    names = (
        "contacts", "admins", "inactive", "persons", "persons_with_national_code", "organizations",
        "organizations_with_legal_id", "not_understood",
    )  # fmt: skip
    count = dict.fromkeys(names, 0)
    for raw in siagh.contacts():
        count["contacts"] += 1
        try:
            contact = contact_from_finance(raw)
        except BadRecord:
            count["not_understood"] += 1
            continue
        if contact.admin:
            count["admins"] += 1
            continue
        count["inactive"] += not contact.active
        if contact.kind == "person":
            count["persons"] += 1
            count["persons_with_national_code"] += national_code_is_valid(contact.national_code)
        else:
            count["organizations"] += 1
            count["organizations_with_legal_id"] += legal_id_is_valid(contact.national_code)
    return count


def _told(error: SiaghsyncError) -> dict[str, str]:
    return {"kind": error.kind, "message": error.message, "hint": error.hint}
