"""What the tests take over from the machine that they run on, and what they fix instead."""

from __future__ import annotations

import os

from siaghsync.sandbox import Sandbox

MACHINE = (
    "PATH", "HOME", "PYTHONPATH", "LANG", "LC_ALL", "TZ",
    "LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_CACHE_DURATION",
)  # fmt: skip
"""Where programs are, the language, the time zone, and the clock if `odd_dates` has moved it."""
FISCAL_YEAR = 1405
DOCUMENT_DATE = "2026-07-01T10:00:00"
"""A day in FISCAL_YEAR."""
SINCE = {"INVOICES_SINCE": "2020-01-01"}
"""For tests whose documents may all be posted."""


def machine() -> dict[str, str]:
    """The machine's own variables. Left out is what would steer siaghsync: settings, proxies, the size of a terminal."""
    return {name: os.environ[name] for name in MACHINE if name in os.environ}


def in_fiscal_year(sandbox: Sandbox) -> Sandbox:
    """The sandbox, in which it is FISCAL_YEAR now: whatever year it is outside, or becomes while a test runs.

    Its answers bear no date: the header names whole seconds, and a test does several things within one.
    """
    sandbox.crm.date_header = sandbox.finance.date_header = False
    sandbox.finance.fiscal_year = FISCAL_YEAR
    sandbox.crm.document_date = DOCUMENT_DATE
    return sandbox
