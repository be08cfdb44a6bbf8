"""What differs from site to site: Siagh's codes of places, where a national code stands, and the questions that only a
site's own servers can answer (contract siagh §6, payamgostar §7), in the order of the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from siaghsync.domain.normalize import fold
from siaghsync.messages.message import Message, msg


@dataclass(frozen=True, slots=True)
class Site:
    """The part of the mapping file that is about customers.

    `national_code_property` is the user key of the extended property that holds a national code where the record's own field
    is empty; "" for none. The others are kept for each field of kind PLACE: `codes` the CRM's names in their compared form ->
    Siagh's code, `names` the code -> the name that is written into the CRM.
    """

    national_code_property: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def code_of(self, place: str, name: str) -> str:
        """Siagh's code of a place by its name, in whatever spelling; "" without one. `place` is `city` and so on."""
        return self.codes.get(place, {}).get(fold(name), "")

    def name_of(self, place: str, code: str) -> str:
        """The CRM's name of a place by its code; "" without one."""
        return self.names.get(place, {}).get(code, "")


NO_SITE = Site()
"""Without a mapping file."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `name` is public: it stands in JSON and in state files. `holds_documents`: an answer that changes keeps
    documents from being posted until a person has looked. `varies`: it is measured or seen in a sample, so another answer is
    no news. `falls_back`: with a no the CRM is read in another way."""

    name: str
    holds_documents: bool = False
    varies: bool = False
    falls_back: bool = False

    @property
    def message(self) -> Message:
        """The question in words; its cure is how it can be settled."""
        return msg(f"question.{self.name}")


QUESTIONS = (
    Question("preinvoice_customer", holds_documents=True),
    Question("cells_as_numbers", holds_documents=True),
    Question("net_contains_vat", holds_documents=True),
    Question("tmpid_stored"),
    Question("passno_arrives"),
    Question("empty_key_empties"),
    Question("partial_update_keeps"),
    Question("phones_compared"),
    Question("script_error_saves_nothing", holds_documents=True),
    Question("siagh_session_life_s", varies=True),
    Question("find_filters_by_date", falls_back=True),
    Question("find_orders", falls_back=True),
    Question("find_pages", falls_back=True),
    Question("find_empty_queries", falls_back=True),
    Question("find_filters_by_type", falls_back=True),
    Question("find_without_type", falls_back=True),
    Question("find_customers", falls_back=True),
    Question("find_documents", falls_back=True),
    Question("find_has_details"),
    Question("subtypes", varies=True),
    Question("state_codes", holds_documents=True),
    Question("header_discount", holds_documents=True),
    Question("rounding"),
    Question("number_scheme"),
    Question("crm_clock_offset_s", varies=True),
    Question("crm_token_life_s", varies=True),
    Question("page_cap"),
    Question("crm_refuses_doubles"),
)
BY_NAME = {question.name: question for question in QUESTIONS}


def is_no(answer: Any) -> bool:
    """Whether an answer says that a system does not do what was asked about."""
    return answer is False or answer in ("none", "refused", "hides")
