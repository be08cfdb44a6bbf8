"""What `check-apis` found, as plain data and messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from siaghsync.errors import System
from siaghsync.features.check_apis.diagnose import Failure
from siaghsync.features.check_apis.rules import ConfigWarning
from siaghsync.messages.message import Message


@dataclass(slots=True)
class Findings:
    """What was found out about one system: `facts` as in the JSON of `check-apis`, and what failed."""

    system: System
    facts: dict[str, Any] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class ApiReport:
    """All that one look at both systems brought."""

    crm: Findings
    finance: Findings
    warnings: Sequence[ConfigWarning]
    unchecked: Sequence[Message]

    @property
    def ok(self) -> bool:
        """Whether both systems work."""
        return self.crm.ok and self.finance.ok
