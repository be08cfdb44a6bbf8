"""What the bundle holds: a dictionary for each of its files, all values of customers masked."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any

from siaghsync import __version__
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.domain.action import RecordKind
from siaghsync.errors import SiaghsyncError
from siaghsync.features.support_bundle.mask import Mask, shape_of
from siaghsync.settings import Settings
from siaghsync.state import retries, reviews, runs
from siaghsync.state.database import State
from siaghsync.state.maintenance import condition
from siaghsync.state.retries import WaitingRecord
from siaghsync.state.reviews import Review
from siaghsync.sync.finding import any_page

_LIBRARIES = (
    "typer", "requests", "urllib3", "sqlite-utils", "rich", "python-dotenv", "tenacity", "pydantic", "starlette", "uvicorn",
)  # fmt: skip
_MOST_RUNS, _MOST_RECORDS, _SAMPLES = 100, 500, 3
_SOURCES: tuple[RecordKind, ...] = ("person", "organization", "quote", "invoice")


def about(settings: Settings, now: datetime) -> dict[str, Any]:
    """Versions and settings."""
    return {
        "made_at": now.isoformat(timespec="seconds"),
        "siaghsync": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "settings": settings.shown(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def standing(state: State, mask: Mask) -> dict[str, Any]:
    """The state file: its schema, how much it holds, the last runs, what fails, waits, or is in review."""
    return {
        **condition(state),
        "runs": [
            {**run.as_json(), "summary": run.summary, "error": mask.message(run.error)}
            for run in runs.newest(state, _MOST_RUNS)
        ],
        "reviews": [_review(review, mask) for review in islice(reviews.open_items(state), _MOST_RECORDS)],
        "waiting": _records(retries.waiting(state), mask),
        "passed_over": _records(retries.skipped(state), mask),
    }


def _review(review: Review, mask: Mask) -> dict[str, Any]:
    return {
        "id": review.id,
        "entity": review.entity,
        "reason": review.reason,
        "since": review.since,
        "crm_id": mask(review.crm_id),
        "customer_number": mask(review.customer_number),
        "finance_code": mask(review.finance_code),
        "name": mask(review.name),
        "message": mask.message(review.message),
    }


def _records(records: Iterable[WaitingRecord], mask: Mask) -> list[dict[str, Any]]:
    return [
        {
            "entity": record.entity,
            "reason": record.reason,
            "since": record.since,
            "attempts": record.attempts,
            "next_try_at": record.next_try_at,
            "crm_id": mask(record.crm_id),
            "customer_number": mask(record.customer_number),
            "name": mask(record.name),
            "message": mask.message(record.message),
        }
        for record in islice(records, _MOST_RECORDS)
    ]


def shapes(crm: Payamgostar, finance: Siagh, mask: Mask) -> dict[str, Any]:
    """The shapes of a few answers of both systems; of what can't be read, why. A CRM login that fails is not tried again."""
    found: dict[str, Any] = {"contacts": _shape(mask, lambda: list(islice(finance.contacts(), _SAMPLES)))}
    try:
        crm.login()
    except SiaghsyncError as error:
        return {**found, "crm_login": {"failed": mask.message(error.message)}}
    for source in _SOURCES:
        found[source] = _shape(mask, partial(_newest, crm, source))
    return found


def _newest(crm: Payamgostar, source: RecordKind) -> list[dict[str, Any]]:
    return any_page(crm, crm.sources(source)[0], size=_SAMPLES, descending=True).records


def _shape(mask: Mask, read: Callable[[], Any]) -> Any:
    try:
        return shape_of(read())
    except SiaghsyncError as error:
        return {"failed": mask.message(error.message)}
