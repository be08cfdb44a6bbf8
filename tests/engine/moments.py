"""What a bench deals in: stages of requests, the ends of runs, kills, and whole worlds that are kept and brought back."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

WRITES = {
    "person/create", "organization/create", "SaveFormData/create", "SaveFormData/update", "SaveFormData/preinvoice",
}  # fmt: skip
"""The endpoints that change something."""
FOR_THEIR_CUSTOMER = {"customer_in_review", "customer_unknown"}
"""Why a document may wait for ever: nobody but a person can do anything about it."""


class Event(NamedTuple):
    """A stage of a request, as the sandbox tells it."""

    system: str
    endpoint: str
    stage: str

    @property
    def writes(self) -> bool:
        return self.endpoint in WRITES


@dataclass
class Ended:
    """How a run ended. `code` is negative after a signal; `report` is its JSON, empty if it gave none."""

    code: int
    out: str
    err: str
    events: list[Event]

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def report(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.out))
        except ValueError:
            return {}

    @property
    def is_quiet(self) -> bool:
        """Whether nothing failed, except that documents wait for a customer who waits for a person."""
        reasons = {failure["reason"] for failure in self.report.get("failures", [])}
        return self.code == 0 or (self.code == 1 and bool(reasons) and reasons <= FOR_THEIR_CUSTOMER)

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out[-1500:]}\n{self.err[-1500:]}"


@dataclass
class Trap:
    """Kills the run at event `at` (from 1), `delay` seconds later if given.

    `lost`: the request whose arrival the event is gets lost with the client, undone; else the server goes on.
    """

    at: int
    lost: bool = False
    delay: float = 0.0


@dataclass(frozen=True)
class World:
    """Both systems' whole content and the state file at one moment."""

    crm: Sequence[tuple[Any, dict[str, Any]]]
    contacts: Sequence[dict[str, Any]]
    state: Path | None
    clock: float
