"""What only a site's own servers can tell (contract siagh §6, payamgostar §7): the open questions, in the reports' order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siaghsync.messages.message import Message, msg


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
    Question("rounding", holds_documents=True),
    Question("number_scheme"),
    Question("crm_clock_offset_s", varies=True),
    Question("crm_token_life_s", varies=True),
    Question("page_cap"),
    Question("crm_refuses_doubles"),
)
BY_NAME = {question.name: question for question in QUESTIONS}


def is_no(answer: Any) -> bool:
    """Whether an answer says that a system does not do what was asked about."""
    return answer is False or answer in ("none", "refused")
