"""The values of a CRM customer as Siagh's form can carry them, with notes on what was odd about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from siaghsync.domain.customer import KIND_CODES, Kind
from siaghsync.domain.fields import FIELDS, TABLE, FieldKind
from siaghsync.domain.normalize import (
    ascii_digits,
    clean,
    legal_id_is_valid,
    national_code_is_valid,
    phone_is_plausible,
    split_marker,
)
from siaghsync.messages.message import Message, msg

_IN_ASCII_DIGITS = frozenset({FieldKind.DIGITS, FieldKind.NATIONAL_CODE, FieldKind.PHONE})


def fields_for_finance(kind: Kind, values: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """The `fields` and `notes` of a `Customer` from the CRM's own texts, by the names of `domain.fields`.

    Values are cleaned, codes and phones are written in ASCII digits, marks are taken out of the notes, empty values are
    left out, and `kind` is added. A wrong code or phone is noted and kept as it is.
    """
    fields: dict[str, str] = {}
    notes: list[Message] = []
    for row in TABLE:
        text = values.get(row.name, "").strip()
        written = ascii_digits(text) if row.kind in _IN_ASCII_DIGITS else text
        cleaned = clean(written)
        if cleaned != written:
            notes.append(msg("value_note.cleaned", field=row.name))
        if row.kind is FieldKind.NOTES:
            # After the cleaning, because a cleaned text can hold a mark that the raw text did not hold.
            body, foreign_mark = split_marker(cleaned)
            cleaned = clean(body)
            if foreign_mark:
                notes.append(msg("value_note.foreign_mark", field=row.name))
        if cleaned:
            fields[row.name] = cleaned
    return {**fields, "kind": KIND_CODES[kind]}, (*notes, *_odd_values(kind, fields))


def _odd_values(kind: Kind, fields: Mapping[str, str]) -> Iterator[Message]:
    is_valid = legal_id_is_valid if kind == "organization" else national_code_is_valid
    for name, value in fields.items():
        field_kind = FIELDS[name].kind
        if field_kind is FieldKind.NATIONAL_CODE and not is_valid(value):
            code = "value_note.legal_id" if kind == "organization" else "value_note.national_code"
            yield msg(code, field=name, value=value)
        elif field_kind is FieldKind.PHONE and not phone_is_plausible(value):
            yield msg("value_note.phone", field=name, value=value)
