"""Watching the sandbox at work: callbacks at the stages of a request, and the journal of requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

from siaghsync.sandbox.wire import Json

System = Literal["crm", "finance"]
Stage = Literal["received", "before_commit", "committed", "answered"]
Callback = Callable[[System, str, Stage], None]


class Entry(NamedTuple):
    """One request as it came in. `endpoint` is the short name that faults use, too."""

    system: System
    method: str
    path: str
    body: Json
    endpoint: str


class Journal:
    """Every request since the last reset, with counters. `keep = False` counts only (for benchmarks)."""

    def __init__(self) -> None:
        self.keep = True
        self._busy: Counter[System] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forgets all entries and sets all counters to zero."""
        self.entries: list[Entry] = []
        self.counts: Counter[tuple[System, str]] = Counter()
        self.peak: Counter[System] = Counter()
        """Most requests at work at the same time, by system."""

    def enter(self, entry: Entry) -> None:
        """Notes a request that has come in."""
        self.counts[entry.system, entry.endpoint] += 1
        self._busy[entry.system] += 1
        self.peak[entry.system] = max(self.peak[entry.system], self._busy[entry.system])
        if self.keep:
            self.entries.append(entry)

    def leave(self, system: System) -> None:
        """Notes that a request is done with."""
        self._busy[system] -= 1

    def count(self, system: System | None = None, endpoint: str | None = None) -> int:
        """How many requests came in, of one system and endpoint (`person/find`) or of all."""
        counts = tuple(self.counts.items())  # at once: the server's thread goes on counting
        return sum(
            number
            for (its_system, its_endpoint), number in counts
            if system in (None, its_system) and (endpoint is None or under(its_endpoint, endpoint))
        )

    def of(self, system: System, endpoint: str | None = None) -> list[Entry]:
        """The kept entries of one system, or of one of its endpoints."""
        return [e for e in self.entries if e.system == system and (endpoint is None or under(e.endpoint, endpoint))]


class Events:
    """Callbacks that are called synchronously, in the server, at each stage of each request.

    received -> (before_commit -> committed, of requests that change something) -> answered (the answer has
    been handed to the operating system; not fired if a fault kept the answer back). The server goes on only
    when the callback has returned, so a callback may kill the client exactly there.
    """

    def __init__(self) -> None:
        self._callbacks: list[Callback] = []

    def on_event(self, callback: Callback) -> Callable[[], None]:
        """Adds a callback; returns a function that takes it off again."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def fire(self, system: System, endpoint: str, stage: Stage) -> None:
        """Calls every callback."""
        for callback in tuple(self._callbacks):
            callback(system, endpoint, stage)


def under(endpoint: str, pattern: str) -> bool:
    """Whether an endpoint is the named one or lies below it: `SaveFormData/preinvoice` under `SaveFormData`."""
    return endpoint == pattern or endpoint.startswith(pattern + "/")
