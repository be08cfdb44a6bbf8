"""Who may come in: the CRM's account with its lock, and the tokens and sessions that were handed out."""

from __future__ import annotations

import secrets
import time

from siaghsync.sandbox.switches import CrmSwitches


class TokenBook:
    """Tokens that were issued, and until when each is good."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self._until: dict[str, float] = {}

    def issue(self, seconds: float) -> str:
        """A new token (32 hex digits), good for so many seconds."""
        token = secrets.token_hex(16)
        self.issued.append(token)
        self._until[token] = time.monotonic() + seconds
        return token

    def valid(self, token: str) -> bool:
        """Whether this very token was issued and is still good."""
        return self._until.get(token, 0.0) > time.monotonic()

    def expire(self) -> None:
        """Every token issued so far ends now."""
        self._until.clear()


class Account:
    """The CRM's one account: counts wrong tries and locks itself (contract payamgostar §2)."""

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password
        self.wrong_tries = 0
        self._locked_until = 0.0

    @property
    def locked(self) -> bool:
        """Whether a login would be answered with 403 now."""
        return self._locked_until > time.monotonic()

    def lock(self, seconds: float) -> None:
        """Locks the account for so many seconds from now."""
        self._locked_until = time.monotonic() + seconds

    def unlock(self) -> None:
        """Ends a lock and forgets the wrong tries."""
        self._locked_until, self.wrong_tries = 0.0, 0

    def attempt(self, username: str, password: str, rules: CrmSwitches) -> int:
        """One try to log in: 200, 401, 402 or 403. While locked each try, right or wrong, prolongs the lock."""
        if self.locked:
            self.lock(rules.lock_seconds)
            return 403
        if (username, password) != (self.username, self.password):
            self.wrong_tries += 1
            if self.wrong_tries >= rules.max_tries:
                self.lock(rules.lock_seconds)
            return 401
        self.wrong_tries = 0
        return 200 if rules.licensed else 402
