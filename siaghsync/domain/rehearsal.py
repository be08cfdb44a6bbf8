"""How test records of a rehearsal are marked, so that nothing ever takes one for a customer."""

from __future__ import annotations

from siaghsync.domain.normalize import fold

MARK = "SIAGHSYNC TEST"
"""What the name of each test record begins with."""


def marked_name(nonce: str, which: str) -> str:
    """The name of a test record: `nonce` tells the rehearsal, `which` the record in it."""
    return f"{MARK} {nonce}-{which}"


def is_test_record(*names: str) -> bool:
    """Whether any of a record's names, in whatever spelling a system gives it back, bears the mark."""
    return any(fold(name).startswith(fold(MARK)) for name in names)


def fictional_code(serial: str, *, wrong: bool = False) -> str:
    """A national code that nobody has: three zeros, six digits of `serial`, and a check digit that is right or `wrong`."""
    digits = f"000{serial[:6]}"
    rest = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    check = rest if rest < 2 else 11 - rest
    return f"{digits}{(check + wrong) % 10}"
