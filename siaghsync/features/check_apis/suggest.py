"""A first mapping file out of what both systems hold: the codes of places, and the types of documents.

What the program learns from pairs that are the same customer in both systems stands in it; what only a person can decide,
and what contradicts itself, stands in it as comments. The file is accepted as it is.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.payamgostar.documents import sale_model_of
from siaghsync.connectors.schema import lower_names
from siaghsync.domain.evidence import agree
from siaghsync.domain.normalize import ascii_digits, clean, fold
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import InDoubt, Refused
from siaghsync.mapping_file import PLACE_TABLES
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.planning.documents import DocumentRules
from siaghsync.state.staging import Staging
from siaghsync.sync.finding import any_page

Votes = Mapping[str, Counter[tuple[str, str]]]
"""Table of the mapping file -> (the CRM's name, Siagh's code) -> how many customers have them."""

_CODE = re.compile(r"(?!0+$)[0-9]{1,18}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEYS = ("post", "sale_model", "sales_centre", "sale_kind", "payment_type", "intermediary", "states")


def places_of_pairs(staging: Staging, scheme: NumberScheme, links: Mapping[str, int]) -> Votes:
    """What the places of customers are called in the CRM, and which codes they have in Finance.

    A pair is what `links` (CRM id -> finance code) holds, and what agrees under one number. Both systems were read whole into
    `staging`, with NO_SITE or a site without codes of places.
    """
    votes: dict[str, Counter[tuple[str, str]]] = {table: Counter() for table in PLACE_TABLES}
    for customer in staging.customers(linked=False):
        code = links.get(customer.crm_id) or scheme.decode(customer.number)
        contact = None if code is None else staging.contact(code)
        if contact is None or not (customer.crm_id in links or agree(customer, contact)):
            continue
        for table, field in PLACE_TABLES.items():
            name, code_there = clean(customer.places_without_code.get(field, "")), ascii_digits(contact.fields[field])
            if fold(name) and _CODE.fullmatch(code_there.strip()):
                votes[table][name, code_there.strip()] += 1
    return votes


def types_of_documents(crm: Payamgostar) -> dict[str, str]:
    """The types of quotes and invoices, code -> name: those that the newest documents have, and those that the CRM lists.

    Raises CallError if the CRM can't be reached; what it refuses is not there.
    """
    found: dict[str, str] = {}
    for source in ("quote", "invoice"):
        with suppress(Refused, InDoubt):
            records = map(lower_names, any_page(crm, source, descending=True).records)
            found |= {str(raw["crmobjecttypecode"]): "" for raw in records if raw.get("crmobjecttypecode")}
    with suppress(Refused, InDoubt):  # not every version has that list, or these kinds in it
        found |= crm.document_types()
    return found


def mapping_text(votes: Votes, types: Mapping[str, str], rules: DocumentRules) -> str:
    """The file: the majority's code for each name, and what posts documents of each type now, as comments. Pure."""
    lines = ["# " + render(msg("suggest.head"))]
    for table in PLACE_TABLES:
        lines += ["", f"[{table}]", *(_places(votes[table]) or ["# " + render(msg("suggest.no_pairs"))])]
    for code, name in sorted(types.items()):
        lines += ["", f"[documents.{_key(code)}]" + (f"  # {clean(name)}" if clean(name) else "")]
        lines += [f"# {line}" for line in _settings(code, rules)]
    return "\n".join(lines)


def _places(votes: Mapping[tuple[str, str], int]) -> list[str]:
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (name, code), count in votes.items():
        spellings[fold(name)][name] += count
        codes[fold(name)][code] += count
    # Of several names of one code the first is the one that an import writes.
    order = sorted(codes, key=lambda folded: (-codes[folded].total(), folded))
    return [line for folded in order for line in _place(_first(spellings[folded])[0][0], _first(codes[folded]))]


def _place(name: str, codes: list[tuple[str, int]]) -> Iterator[str]:
    """The lines of one name; none of its codes counts without a majority."""
    most = codes[0][1]
    is_tie = len(codes) > 1 and codes[1][1] == most
    for code, count in codes:
        line = f'{_quoted(name)} = "{code}"'
        if is_tie or code != codes[0][0]:
            line = f"# {line}  # " + render(msg("suggest.contradicts", count=count))
        yield line


def _first(votes: Counter[str]) -> list[tuple[str, int]]:
    return sorted(votes.items(), key=lambda item: (-item[1], item[0]))


def _settings(code: str, rules: DocumentRules) -> Iterable[str]:
    now = rules.of(code, sale_model_of(code))
    values: dict[str, Any] = {key: getattr(now, key) for key in _KEYS}
    if values["sales_centre"] is None:
        values["sales_centre"] = values["sale_model"]
    return (f"{key} = {json.dumps(value)}" for key, value in values.items())


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(clean(text), ensure_ascii=False)
