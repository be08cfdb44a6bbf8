"""The dashboard's password. Only its scrypt hash is kept, so that the env file does not give it away."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from siaghsync.errors import UsageError

SHORTEST = 8
"""Characters that a dashboard password must have at least."""
_COST, _BLOCK, _LANES = 15, 8, 3
"""2^15 rounds, 32 MB and three lanes: about a fifth of a second for each guess."""
_SHAPE = re.compile(r"scrypt:(\d{2}):(\d{1,2}):(\d{1,2}):([0-9a-f]{32}):([0-9a-f]{64})")


def hashed(password: str) -> str:
    """The text to be kept: method, cost, salt and hash, with nothing in it that a shell or an env file treats specially.

    Raises UsageError if the password is too short.
    """
    if len(password) < SHORTEST:
        raise UsageError("usage.password_too_short", shortest=SHORTEST)
    salt = secrets.token_bytes(16)
    return f"scrypt:{_COST}:{_BLOCK}:{_LANES}:{salt.hex()}:{_scrypt(password, salt, _COST, _BLOCK, _LANES).hex()}"


def is_hash(text: str) -> bool:
    """Whether `hashed` can have made this text."""
    found = _SHAPE.fullmatch(text)
    return bool(found and 10 <= int(found[1]) <= 20 and 1 <= int(found[2]) <= 16 and 1 <= int(found[3]) <= 16)


def fits(password: str, kept: str) -> bool:
    """Whether `kept` was made of this password; in a time that does not depend on how alike they are."""
    found = _SHAPE.fullmatch(kept)
    if not found:
        return False
    cost, block, lanes = (int(number) for number in found.groups()[:3])
    digest = _scrypt(password, bytes.fromhex(found[4]), cost, block, lanes)
    return hmac.compare_digest(digest, bytes.fromhex(found[5]))


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    memory = 128 * (2**cost + lanes) * block * 2
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=2**cost, r=block, p=lanes, maxmem=memory, dklen=32)
