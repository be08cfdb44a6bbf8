"""The steps of a rehearsal. What each one writes, and how that is removed, stands in the catalog, chapter `rehearse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from siaghsync.messages.message import Message, msg

Part = Literal["crm", "contacts", "documents"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the questions of the contracts that it settles, and the steps that must not have failed before it."""

    name: str
    part: Part
    questions: tuple[str, ...]

    @property
    def text(self) -> Message:
        """What it writes; the cure of the entry says how to remove it."""
        return msg(f"rehearse.{self.name}")


LEFTOVERS = Step("leftovers", "crm", ())
"""Deletes what an earlier rehearsal left in the CRM; taken only if there is something."""
STEPS = (
    Step("crm_doubles", "crm", ("crm_refuses_doubles",)),
    Step("contact", "contacts", ("tmpid_stored", "passno_arrives")),
    Step("updates", "contacts", ("empty_key_empties", "partial_update_keeps")),
    Step("phones", "contacts", ("phones_compared",)),
    Step("preinvoice", "documents", ("preinvoice_customer", "cells_as_numbers", "net_contains_vat")),
    Step("script_error", "documents", ("script_error_saves_nothing",)),
)
