"""The values of a CRM customer in the form in which Finance gets them, with notes on what was odd about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from siaghsync.domain.customer import KIND_CODES, Kind
from siaghsync.domain.fields import FIELDS, FieldKind
from siaghsync.domain.normalize import ascii_digits, clean, split_marker
from siaghsync.domain.validity import legal_id_is_valid, national_code_is_valid, phone_is_plausible
from siaghsync.messages.message import Message, msg

_IN_ASCII_DIGITS = frozenset({FieldKind.DIGITS, FieldKind.NATIONAL_CODE, FieldKind.PHONE})


def fields_for_finance(kind: Kind, values: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """The `fields` and `notes` of a `Customer` from the CRM's own texts, by the names of `domain.fields`.

    Values are cleaned, codes and phones are written in ASCII digits, marks are taken out of the notes, empty values are
    left out, and `kind` is added. A wrong code or phone is noted and kept as it is.
    """
    written = {name: ascii_digits(text) if FIELDS[name].kind in _IN_ASCII_DIGITS else text for name, text in values.items()}
    cleaned = {name: clean(text) for name, text in written.items()}
    notes = [
        msg("note.characters_replaced", field=name) for name, text in written.items() if cleaned[name] != text.strip()
    ]
    # After the cleaning, because a cleaned text can hold a mark that the raw text did not hold.
    text, foreign_mark = split_marker(cleaned.get("notes", ""))
    if foreign_mark:
        notes.append(msg("note.mark_left_out"))
    cleaned["notes"] = clean(text)
    fields = {name: value for name, value in cleaned.items() if value}
    return {**fields, "kind": KIND_CODES[kind]}, (*notes, *_odd_values(kind, fields))


def _odd_values(kind: Kind, fields: Mapping[str, str]) -> Iterator[Message]:
    code = fields.get("national_code", "")
    if code and kind == "organization" and not legal_id_is_valid(code):
        yield msg("note.not_a_legal_id", code=code)
    if code and kind == "person" and not national_code_is_valid(code):
        yield msg("note.not_a_national_code", code=code)
    for name in ("mobile", "phone"):
        if name in fields and not phone_is_plausible(fields[name]):
            yield msg("note.not_a_phone", field=name, phone=fields[name])
