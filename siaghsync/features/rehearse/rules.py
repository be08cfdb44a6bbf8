"""What was sent and what came back become answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.domain.customer import Contact
from siaghsync.domain.fields import TABLE
from siaghsync.domain.normalize import fold
from siaghsync.domain.rehearsal import fictional_code, is_test_record, marked_name
from siaghsync.messages.message import Message, msg

QUANTITY, PRICE = Decimal("1.5"), Decimal(1)
_MOST_TAX = Decimal("1.2")


@dataclass(frozen=True, slots=True)
class Shape:
    """One of the two ways to name a pre-invoice's customer (contract siagh §4): the answer that it stands for, its entries."""

    answer: str
    payload: Mapping[str, int]


def person(nonce: str, which: str, **more: Any) -> dict[str, Any]:
    """A test person for the CRM."""
    return {"kind": "person", "name": marked_name(nonce, which), "number": f"TEST-{nonce}-{which}", **more}


def contact(nonce: str, serial: str) -> dict[str, str]:
    """A test contact for Finance, every field of the table."""
    known = {
        "active": "1",
        "kind": "0",
        "name": marked_name(nonce, "A"),
        "mobile": fictional_phone(serial),
        "email": "siaghsync-test@example.com",
        "address": marked_name(nonce, "address"),
        "national_code": fictional_code(serial),
        "number": f"TEST-{nonce}",
    }
    return {row.name: known.get(row.name, "") for row in TABLE}


def fictional_phone(serial: str) -> str:
    """A mobile number in a range that no operator has; `serial` has seven digits."""
    return f"0970{serial}"


def phone_tries(serial: str) -> dict[str, dict[str, str]]:
    """What a second contact is given of the first one's number: word of the answer -> fields."""
    number = fictional_phone(serial)
    return {
        "same_field": {"mobile": number},
        "other_field": {"phone": number},
        "punctuation": {"mobile": f"{number[:4]} {number[4:7]} {number[7:]}"},
        "country_code": {"mobile": f"+98{number[1:]}"},
    }


def holders(raw: Mapping[str, Any], value: str) -> list[str]:
    """The properties of a record as Finance gives it that hold exactly this text."""
    return sorted(name for name, held in raw.items() if held == value)


def shapes(test: Contact, others: Iterable[Contact]) -> list[Shape]:
    """The ways that may be tried: none that names any contact but the test contact, however Siagh reads it."""
    party, taken = test.account_party, set[int]()
    for other in others:
        taken |= {other.code, *(() if other.account_party is None else (other.account_party,))}
    found = []
    if party is not None and party != test.code:
        found.append(Shape("party", {"contact_code": test.code, "customer_code": party}))
    found.append(Shape("contact", {"customer_code": test.code}))
    return [shape for shape in found if shape.payload["customer_code"] not in taken]


def judge_net(net: Decimal | None) -> tuple[bool | None, bool | None]:
    """(whether the fraction of the quantity arrived, whether the net amount holds tax); None: it can't be told."""
    for quantity, arrived in ((QUANTITY, True), (Decimal(1), False)):
        expected = quantity * PRICE
        if net is not None and expected <= net <= expected * _MOST_TAX:
            return arrived, net > expected
    return None, None


def in_common(verdicts: Mapping[str, bool | None]) -> bool | dict[str, bool] | None:
    """One answer for all kinds of sale if they agree, else one for each kind that could be judged."""
    known = {kind: verdict for kind, verdict in verdicts.items() if verdict is not None}
    return known or None if len(set(known.values())) != 1 else next(iter(known.values()))


def customer_of(shape: str, name: str, shown: str) -> str | None:
    """Whose code Siagh reads, if the pre-invoice that was sent in this shape shows the test contact `name`."""
    return shape if fold(shown) == fold(name) or is_test_record(shown) else None


def in_words(answers: Sequence[str]) -> tuple[Message, ...]:
    """The answers to a question with several, for people."""
    return tuple(msg(f"check.answer_{answer}") for answer in answers) or (msg("check.answer_none"),)


def or_nothing(shown: str) -> str | Message:
    """What was read of a field, for people."""
    return shown or msg("rehearse.nothing")
