"""What a sync has read so far, for planning."""

from __future__ import annotations

from dataclasses import dataclass, field

from siaghsync.connectors.payamgostar.client import Source
from siaghsync.domain.action import Entity
from siaghsync.domain.customer import AccountParties, CustomerMapping, Kind
from siaghsync.domain.document import Document, DocumentSource
from siaghsync.messages.message import Message
from siaghsync.state.retries import Retry


@dataclass(frozen=True, slots=True)
class OlderRecord:
    """A record that was shown in a state from before the one seen last. Both dates are the CRM's own."""

    entity: Entity
    crm_id: str
    shown: str
    seen: str


@dataclass(slots=True)
class Reading:
    """What a sync has read so far. The customers and contacts themselves lie in staging.

    `bad` and `bad_documents` are records that can't be read or understood, `gone` are waiting records that the CRM does
    not have any more, `list_read_at` is when the finance list was read (seconds of `RunContext.monotonic`; None: not read).
    """

    whole: dict[Source, bool] = field(default_factory=dict)
    list_read_at: float | None = None
    never_compared: int = 0
    bad: dict[str, tuple[Kind, Message]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    bad_documents: dict[str, tuple[DocumentSource, Message]] = field(default_factory=dict)
    missing_documents: list[str] = field(default_factory=list)
    """Posted documents that a whole reading did not show and the CRM does not have any more."""
    gone: list[Retry] = field(default_factory=list)
    older: list[OlderRecord] = field(default_factory=list)
    clock_moved: bool = False
    """Whether the CRM's clock was set since the last run: the dates seen before count for nothing then."""
    recognised: list[CustomerMapping] = field(default_factory=list)
    """Pairs about whose contact something was learned."""
    lost: set[str] = field(default_factory=set)
    """CRM ids of customers of documents whose contact is lost, and that the CRM does not have any more either."""
    verified: list[tuple[CustomerMapping, bool]] = field(default_factory=list)
    """Those whose turn it was in the rolling check, and whether the CRM still has them."""
    parties: AccountParties = field(default_factory=AccountParties)
    """What the contacts that were read say about whom documents are booked on."""
