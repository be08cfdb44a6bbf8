"""What one run did about one customer, as far as it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from siaghsync.domain.action import Changes
from siaghsync.domain.customer import Kind
from siaghsync.errors import System


@dataclass(slots=True)
class Done:
    """The traces of a run about one customer. `target` is the system that the run wrote to.

    `created` says that the run made the record in `target`, out of the values in `sent`; `linked_at` is when it linked the pair
    (a stored text). `changes` are all values of the contact that it changed: field -> (before the run, after it).
    """

    target: System
    kind: Kind
    name: str
    number: str
    crm_id: str | None
    finance_code: int | None
    created: bool = False
    sent: Mapping[str, str] = field(default_factory=dict)
    linked_at: str | None = None
    changes: Changes = field(default_factory=dict)
