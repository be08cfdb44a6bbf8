"""Runs tests where programs that count days and hours go wrong, and on a machine that has no time for them.

    python tests/odd_dates.py                       the short list, at each occasion
    python tests/odd_dates.py esfand-30 nowruz      the same at these
    python tests/odd_dates.py nowruz -- -n 2 tests  whatever pytest is to run there

Only the wall clock is moved, by libfaketime: it is ahead by the same number of seconds in all processes, and the monotonic
clock, by which time limits are kept, goes on as ever. Ends with 1 if a test failed anywhere.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[1]
SHORT_LIST = (
    "tests/report/test_shown.py::test_a_moment_is_tehrans_in_both_calendars",
    "tests/report/test_shown.py::test_how_long_ago",
    "tests/report/test_shown.py::test_every_line_of_a_table_is_as_wide_and_closes_what_it_opens",
    "tests/state/test_maintenance.py",
    "tests/state/test_status.py",
    "tests/features/test_invoice_report_rules.py",
    "tests/features/test_invoice_report.py::test_the_year_goes_by_the_documents_own_date",
    "tests/web/test_languages.py::test_persian_digits_and_jalali_dates_in_tehran_time",
    "tests/engine/test_documents.py::test_a_numbered_quote_is_posted_once_as_the_contract_says",
    "tests/cli/test_screens.py::test_in_step_since_when",
    "tests/cli/test_screens.py::test_a_log_line_and_a_review_tell_the_day_in_both_calendars",
)
"""Tests of what shows, reads, compares or stores dates: some seconds at each occasion."""
TEHRAN = ZoneInfo("Asia/Tehran")
ABROAD = {"TZ": "America/New_York", "LANG": "C", "LC_ALL": "C"}


@dataclass(frozen=True)
class Occasion:
    """When, where and how the tests run: the wall clock at their start, more of the environment, both cores taken."""

    what: str
    begins: datetime | None = None
    environ: dict[str, str] = field(default_factory=dict)
    busy: bool = False


def occasions(now: datetime) -> dict[str, Occasion]:
    """By name. The turns come while the first tests run."""

    def tehran(*parts: int) -> datetime:
        return datetime(*parts, tzinfo=TEHRAN)  # type: ignore[arg-type, misc]

    this_evening = now.astimezone(TEHRAN).replace(hour=23, minute=59, second=0)
    return {
        "new-year": Occasion("the Gregorian year turns in Tehran", tehran(2026, 12, 31, 23, 59, 50)),
        "first-hour": Occasion("the first hour of 2027 in Tehran, still 2026 here", tehran(2027, 1, 1, 0, 20), ABROAD),
        "nowruz": Occasion("the Jalali year turns: 29 Esfand 1405", tehran(2027, 3, 20, 23, 59, 50)),
        "esfand-30": Occasion("30 Esfand of a leap year, 1403", tehran(2025, 3, 20, 12), ABROAD),
        "february-29": Occasion("29 February 2028", tehran(2028, 2, 29, 12)),
        "next-year": Occasion("a year ahead", now + timedelta(days=365)),
        "evening": Occasion("23:59 in Tehran", this_evening, {"TZ": "Pacific/Kiritimati"}),
        "busy": Occasion("today, with all cores taken by others", busy=True),
    }


def moved(occasion: Occasion, now: datetime) -> dict[str, str]:
    """The environment in which the wall clock shows another time."""
    if occasion.begins is None:
        return {**os.environ, **occasion.environ}
    found = importlib.util.find_spec("libfaketime")
    if found is None or found.origin is None:
        sys.exit("libfaketime is not installed: pip install -e '.[test]'")
    library = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return {
        **os.environ,
        **occasion.environ,
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{(occasion.begins - now).total_seconds():+.3f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # It would look into the environment again every ten seconds, which is not safe while a test changes that.
        "FAKETIME_CACHE_DURATION": "1000000000",
    }


@contextmanager
def cores_taken(wanted: bool) -> Iterator[None]:
    """Something endless on each core while the block lasts."""
    others = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(wanted * (os.cpu_count() or 1))
    ]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def tidy() -> None:
    """Takes away what libfaketime leaves of each process that was killed."""
    for left in Path("/dev/shm").glob("*faketime_s[eh]m_*"):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def passes(name: str, occasion: Occasion, tests: list[str]) -> bool:
    """Whether these tests pass there. Tells it, and what pytest said."""
    began = time.monotonic()
    with cores_taken(occasion.busy):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", *tests]
        environ = moved(occasion, datetime.now(UTC))
        ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    tidy()
    outcome = "passed" if ended.returncode == 0 else "FAILED"
    took = f"{time.monotonic() - began:.0f} s"
    print(f"=== {name} ({occasion.what}): {outcome} in {took}\n{ended.stdout}{ended.stderr}", flush=True)
    return ended.returncode == 0


def failures(wanted: dict[str, Occasion], tests: list[str]) -> Iterator[str]:
    """The occasions at which tests fail. As many at a time as there are cores; those that take the cores, alone."""
    alone = {name: occasion for name, occasion in wanted.items() if occasion.busy}
    together = {name: occasion for name, occasion in wanted.items() if not occasion.busy}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda name: passes(name, together[name], tests), together))
    yield from (name for name, passed in zip(together, outcomes, strict=True) if not passed)
    yield from (name for name, occasion in alone.items() if not passes(name, occasion, tests))


def main(arguments: list[str]) -> int:
    """Runs what the arguments say; the exit code."""
    known = occasions(datetime.now(UTC))
    end = arguments.index("--") if "--" in arguments else len(arguments)
    names, tests = arguments[:end], arguments[end + 1 :]
    if unknown := set(names) - set(known):
        sys.exit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    failed = list(failures({name: known[name] for name in names or known}, tests or [*SHORT_LIST]))
    if failed:
        print(f"Tests failed at: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
