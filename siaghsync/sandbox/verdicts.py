"""Siagh's answers to a form: saved, or refused with HTTP 200 (contract siagh §3.2, §4, §5)."""

from __future__ import annotations

from siaghsync.sandbox.call import Reply, reply
from siaghsync.sandbox.switches import FinanceSwitches
from siaghsync.sandbox.wire import Record


def entry(kind: str, description: str, code: int, column: str = "") -> Record:
    """One entry of `Errors` with its eight keys, as captured."""
    return {"ColName": column, "Group": "", "ErrorType": kind, "Description": description, "ErrorCode": code,
            "MessageText": "", "Solution": "", "HelpIndex": ""}  # fmt: skip


def saved(rules: FinanceSwitches, code: str, params: str, said: str = "", details: str = "") -> Reply:
    """Success. `said` is what `FinalMessages` holds; with `details` behind it, it stands in `Errors` too, as captured."""
    entries = [entry("ErrSuccs", f"{said} {details}", 0)] if said else []
    if rules.warning:
        entries.append(entry("ErrWarning", rules.warning, 0))
    if rules.error_beside_success:
        entries.append(entry("ErrError", "ارسال پیامک ناموفق بود", -1))
    return reply(
        {
            "Errors": entries,
            "FinalMessages": [said] if said else [],
            "ReturnValue": True,
            "ReturnCode": code,
            "ReturnParams": params,
        }
    )


def refused(rules: FinanceSwitches, *reasons: tuple[str, str]) -> Reply:
    """A refusal for reasons, each a message and the column that it is about."""
    if rules.refusals == "short":
        short = [{"ColName": column, "Description": message, "ErrorCode": -1} for message, column in reasons]
        return reply({"Errors": short, "ReturnValue": False})
    return reply(
        {
            "Errors": [entry("ErrError", message, -1, column) for message, column in reasons],
            "FinalMessages": [],
            "ReturnValue": False,
            "ReturnCode": "",
            "ReturnParams": "",
        }
    )
