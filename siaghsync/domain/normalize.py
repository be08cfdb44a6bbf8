"""How values are cleaned, compared and checked: letters and digits of three scripts, phones, national codes, marks, checksums."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from uuid import UUID

from siaghsync.domain.fields import FIELDS, FieldKind

_LEGAL_WEIGHTS = (29, 27, 23, 19, 17) * 2


def national_code_is_valid(text: str) -> bool:
    """Check digit of a person's national code (ten digits, weights 10 to 2, modulo 11)."""
    digits = ascii_digits(text).strip()
    if not re.fullmatch(r"[0-9]{10}", digits) or len(set(digits)) == 1:
        return False
    rest = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return int(digits[9]) == (rest if rest < 2 else 11 - rest)


def legal_id_is_valid(text: str) -> bool:
    """Check digit of an organization's national id (eleven digits)."""
    digits = ascii_digits(text).strip()
    if not re.fullmatch(r"[0-9]{11}", digits) or len(set(digits)) == 1:
        return False
    tens = int(digits[9]) + 2
    total = sum((int(d) + tens) * w for d, w in zip(digits, _LEGAL_WEIGHTS, strict=False))
    return int(digits[10]) == total % 11 % 10


def phone_is_plausible(text: str) -> bool:
    """An Iranian number has ten national digits; with another country code anything from 7 to 15 digits passes."""
    raw = re.sub(r"[^0-9+]", "", ascii_digits(text))
    if raw.startswith("+") and not raw.startswith("+98"):
        return 7 <= len(raw) - 1 <= 15
    return len(phone_key(text)) == 10


_DIGITS = {ord(d): str(i) for zero in ("۰", "٠") for i, d in enumerate(chr(ord(zero) + n) for n in range(10))}
_LETTERS = {
    ord(a): b
    for a, b in (
        ("ي", "ی"), ("ى", "ی"), ("ك", "ک"), ("ة", "ه"), ("ۀ", "ه"), ("ە", "ه"),
        ("أ", "ا"), ("إ", "ا"), ("ٱ", "ا"),
    )
}  # fmt: skip
# Diacritics, the small alef and the tatweel don't tell names apart. Half-spaces, direction marks and all spaces are
# removed, because people type the same name with a space, a half-space or nothing between its parts.
_SILENT = re.compile("[\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c\\s]+")

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_NO_DIGITS = re.compile(r"\D+")
_BREAKS = re.compile("[ ]*[\x00-\x1f\x7f-\x9f\u2028\u2029][ \x00-\x1f\x7f-\x9f\u2028\u2029]*")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """What a value of Siagh's form can carry (contract siagh §3.2): `|` becomes `/`, a run of line breaks and control
    characters one space.

    Half surrogate pairs become U+FFFD, the ends are trimmed. Half-spaces and direction marks stay. Cleaning twice
    changes nothing more.
    """
    if text.isprintable() and "|" not in text:  # true of nearly every value, and much cheaper than the replacements
        return text.strip()
    return _BREAKS.sub(" ", _SURROGATES.sub("\ufffd", text.replace("|", "/"))).strip()


def visible(text: str) -> str:
    """The text without characters that nobody sees: zero-width ones, direction marks, byte-order marks, soft hyphens."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def ascii_digits(text: str) -> str:
    """The text with Persian and Arabic digits as ASCII ones; nothing else is touched."""
    return text if text.isascii() else text.translate(_DIGITS)


def is_guid(text: str) -> bool:
    """Whether it is an id as the CRM has them, with dashes."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def fold(text: str) -> str:
    """The form in which names are compared: one letter form, one digit script, no spaces, no case."""
    composed = unicodedata.normalize("NFKC", text)
    bare = _SILENT.sub("", composed.translate(_LETTERS).translate(_DIGITS)).casefold()
    # Once more, because characters that are neighbours only now can compose.
    return unicodedata.normalize("NFKC", bare)


def phone_key(text: str) -> str:
    """A phone number reduced to its national digits, or "" if it can't identify anybody.

    `+98 912 345 6789`, `0098912...`, `0912...` and `912...` are the same. Fewer than five digits, or one digit
    repeated, is a placeholder and not a phone.
    """
    digits = _NO_DIGITS.sub("", ascii_digits(text))
    has_country = "+" in text or digits.startswith("00")
    digits = digits.removeprefix("00")
    if digits.startswith("98") and (has_country or len(digits) >= 12):
        digits = digits[2:]
    digits = digits.removeprefix("0")
    return digits if len(digits) >= 5 and len(set(digits)) > 1 else ""


def national_key(text: str) -> str:
    """A national code or legal id reduced to its digits, or "" if it can't identify anybody.

    Leading zeros don't count, since spreadsheets lose them; fewer than seven digits or one digit repeated is a
    placeholder.
    """
    digits = _NO_DIGITS.sub("", ascii_digits(text))
    if len(set(digits)) <= 1:
        return ""
    digits = digits.lstrip("0")
    return digits if len(digits) >= 7 else ""


def same_meaning(name: str, left: str, right: str) -> bool:
    """Whether two values of the field `name` mean the same and differ at most in how they are written."""
    row = FIELDS.get(name)
    key = _KEYS.get(row.kind) if row else None
    return ((key(left) if key else "") or fold(left)) == ((key(right) if key else "") or fold(right))


_KEYS = {FieldKind.PHONE: phone_key, FieldKind.NATIONAL_CODE: national_key}


# --- the mark in a contact's notes ---

# Something in it must be more than blanks: cleaning takes those away, and what is then left is no mark.
_MARKER = re.compile(r"(?<!\s)\s*\[CRM (?=[^\[\]|]*[^\[\]|\s\x00-\x1f\x7f-\x9f])([^\[\]|]{1,64})\]")


def marker(number: str) -> str:
    """What is put at the end of a contact's notes so that its link survives the loss of the state file."""
    return f"[CRM {number}]"


def split_marker(notes: str) -> tuple[str, str]:
    """Splits notes into (the text without marks, the number of the last mark or "")."""
    number = ""
    while found := _MARKER.findall(notes):  # a mark inside another appears when the inner one is taken out
        number = number or ascii_digits(found[-1]).strip()
        notes = _MARKER.sub("", notes).strip()
    return notes, number


def with_marker(notes: str, number: str) -> str:
    """Notes with the mark of `number` at their end and no other; without a mark if `number` could not be read back."""
    body, _ = split_marker(notes)
    fits = number and split_marker(marker(number)) == ("", number)
    return f"{body} {marker(number)}".lstrip() if fits else body


# --- checksums ---

_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def digest(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of plain data."""
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
