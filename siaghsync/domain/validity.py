"""Whether national codes, legal ids and phones are well-formed. These checks warn; they never block a record."""

from __future__ import annotations

import re

from siaghsync.domain.normalize import ascii_digits, phone_key

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
