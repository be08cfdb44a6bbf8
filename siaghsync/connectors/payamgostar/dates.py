"""Dates of the CRM in the one form in which they are compared (contract payamgostar §3.4)."""

from __future__ import annotations

from datetime import datetime


def crm_date(text: str | None) -> str | None:
    """A date of the CRM in the one form in which dates are compared (naive, milliseconds); None for anything else."""
    try:
        return as_crm_date(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


def as_crm_date(moment: datetime) -> str:
    """A moment as the CRM writes it: local time without an offset, milliseconds."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
