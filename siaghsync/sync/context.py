"""What a run works with, and what restricts what it does. Nothing in it changes while the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from siaghsync.clock import Reading
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.domain.action import Action
from siaghsync.errors import Interrupted, System
from siaghsync.planning.cases import PlanRules
from siaghsync.state.audit import Run
from siaghsync.state.cursors import Cursors
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.staging import Staging
from siaghsync.sync.report import RunReport

Progress = Callable[[str, int, int | None], None]
"""Told (a code of the catalog's chapter `progress`, how many are done, of how many or None) as work goes on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that bound a run. `grace_seconds` is UNKNOWN_GRACE_SECONDS."""

    concurrency: int = 8
    max_attempts: int = 3
    grace_seconds: float = 600
    max_creates: int = 500
    max_updates: int = 500


@dataclass(frozen=True, slots=True)
class RunContext:
    """The tools of one run. `cancel` is set when a signal asks for the end; `monotonic` and `read_clocks` are those of
    `siaghsync.clock`."""

    run: Run
    crm: Payamgostar
    finance: Siagh
    sessions: Mapping[System, HttpSession]
    rules: PlanRules
    limits: Limits
    staging: Staging
    cancel: threading.Event
    progress: Progress
    monotonic: Callable[[], float]
    read_clocks: Callable[[], Reading]

    @property
    def state(self) -> State:
        """The state file."""
        return self.run.state

    @property
    def mappings(self) -> Mappings:
        """The linked pairs."""
        return Mappings(self.run.state)

    @property
    def cursors(self) -> Cursors:
        """How far the CRM has been read."""
        return Cursors(self.run.state)

    @property
    def posted(self) -> PostedDocuments:
        """The documents that were posted."""
        return PostedDocuments(self.run.state)

    def clocks(self, system: System) -> Reading:
        """What all clocks showed at a system's last answer; now, without its own, if its answers bear no date."""
        return self.sessions[system].clocks or self.read_clocks()

    def stop_if_cancelled(self) -> None:
        """Raises Interrupted if a signal asked for the end."""
        if self.cancel.is_set():
            raise Interrupted(130)


class PlanMode(Protocol):
    """What a run may do of what it plans: everything, or only what a saved plan holds."""

    @property
    def follows_plan(self) -> bool:
        """Whether a saved plan restricts the run. Such a run has not dealt with all that it read."""

    def allows(self, action: Action) -> bool:
        """Asked once about each planned action, before it is counted, told or carried out."""

    def finish(self, run: Run, report: RunReport) -> None:
        """Called when everything was planned and carried out, before the run is closed."""


class Unrestricted:
    """The usual mode: everything that is planned may be done."""

    follows_plan = False

    def allows(self, action: Action) -> bool:
        """True for every action."""
        return True

    def finish(self, run: Run, report: RunReport) -> None:
        """Nothing is left to do."""
