"""Faults that can be switched on: what goes wrong, where, how often (what each does on the wire: `acts`).

=================  ==================================================================================
kind               what happens (`seconds`, `status`, `body`, `size` as given in the Fault)
=================  ==================================================================================
refuse_before      HTTP `status` (503) before any work, with Retry-After `retry_after` if given
status_after       the work is done, then HTTP `status` (500)
reset_before/after the connection is reset (TCP RST) without an answer, before/after the work
close_before/after the same with an orderly close (FIN)
cut                the work is done, then half of the answer's body (or `size` bytes), then a close
hang_before        silence for `seconds`, then the work is done and answered; `then="close"`: closed undone
hang_after         the work is done, then silence for `seconds`, then the answer; `then="close"`: a close
late_commit        closed at once without an answer; the work is done `seconds` later
drip               the work is done; the answer's body comes one byte every `seconds`
drip_headers       the work is done; the whole answer, headers too, comes one byte every `seconds`
html               an HTML page with `status` (200); `commit=True`: after the work, else instead of it
json               `body` as it is, called JSON, with `status` (200); `commit` as above
big                an endless JSON body, or one of `size` bytes; `commit` as above
gzip_bomb          a small gzip answer that grows to `size` bytes (300 MB); `commit` as above
redirect           `status` (302) to the address in `body`, before any work
expire             all tokens or sessions of the system end, then the request is worked on
repeat             the work is done twice, as a gateway that repeats requests has it; the answer is the second one's
pascal, camel      the work is done; every property of the answer in PascalCase or camelCase
=================  ==================================================================================

`where` is `crm`, `finance`, or one with an endpoint: `crm:person/create`, `crm:person` (all below it),
`finance:SaveFormData` or more exactly `finance:SaveFormData/create`, `/update`, `/preinvoice`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from siaghsync.sandbox.hooks import System, under
from siaghsync.sandbox.wire import Json, render

FaultKind = Literal[
    "refuse_before", "status_after", "reset_before", "reset_after", "close_before", "close_after", "cut",
    "hang_before", "hang_after", "late_commit", "drip", "drip_headers", "html", "json", "big", "gzip_bomb",
    "redirect", "expire", "repeat", "pascal", "camel",
]  # fmt: skip
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass
class Fault:
    """One fault. Raises ValueError for a kind or place that doesn't exist."""

    kind: FaultKind
    where: str
    times: int | None = 1
    """How many requests it hits; None: every one."""
    skip: int = 0
    """How many matching requests pass before the first is hit."""
    match: Callable[[Json], bool] | None = None
    """Given the parsed body: whether this request is meant."""
    containing: str | None = None
    """Only requests whose body, as JSON text, contains this."""
    status: int | None = None
    seconds: float = 0.05
    body: bytes = b""
    size: int | None = None
    retry_after: int | None = None
    commit: bool = False
    then: Literal["proceed", "close"] = "proceed"
    used: int = field(default=0, init=False)
    """How many requests it has hit so far."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault '{self.kind}'; there are {', '.join(KINDS)}")
        if self.where.partition(":")[0] not in ("crm", "finance"):
            raise ValueError("where must be crm, finance, crm:ENDPOINT or finance:ENDPOINT")

    def meant(self, system: System, endpoint: str, body: Json) -> bool:
        """Whether this request is one of those that the fault is about."""
        its_system, _, its_endpoint = self.where.partition(":")
        if its_system != system or (its_endpoint and not under(endpoint, its_endpoint)):
            return False
        if self.containing is not None and self.containing not in render(body):
            return False
        return self.match is None or self.match(body)


class Faults:
    """The faults that are armed; the first one that fits a request hits it."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.places: set[str] = set()
        """All endpoints there are, as `where` names them."""
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> Fault:
        """Switches a fault on and returns it. Raises ValueError if its place is no endpoint."""
        if ":" in fault.where and not any(under(place, fault.where) for place in self.places):
            raise ValueError(f"there is no {fault.where}; there are {', '.join(sorted(self.places))}")
        with self._lock:
            self.armed.append(fault)
        return fault

    def clear(self) -> None:
        """Switches all faults off."""
        with self._lock:
            self.armed.clear()

    def take(self, system: System, endpoint: str, body: Json) -> Fault | None:
        """The fault that hits this request, counted down; a used-up one is taken off the list."""
        if not self.armed:
            return None
        with self._lock:
            for fault in self.armed:
                if not fault.meant(system, endpoint, body):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.used += 1
                if fault.times is not None and fault.used >= fault.times:
                    self.armed.remove(fault)
                return fault
        return None
