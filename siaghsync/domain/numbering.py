"""How a finance code is written as a CRM customer number (contract payamgostar §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberScheme:
    """number = prefix + zero-padded (code + offset, width).

    A number is read back only if writing the code again gives the very same number: a number that does not fit is never
    guessed at.
    """

    prefix: str = ""
    offset: int = 0
    width: int = 0

    def encode(self, code: int) -> str:
        """The CRM number of a finance code."""
        number = code + self.offset
        return f"{self.prefix}{number:0{self.width}d}" if self.width else f"{self.prefix}{number}"

    def decode(self, number: str) -> int | None:
        """The finance code behind a CRM number, or None if the number does not fit."""
        digits = number.removeprefix(self.prefix)
        if len(digits) + len(self.prefix) != len(number) or not re.fullmatch(r"[0-9]{1,18}", digits):
            return None
        code = int(digits) - self.offset
        return code if code > 0 and self.encode(code) == number else None
