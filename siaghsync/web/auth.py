"""Who may see the dashboard: sessions in memory, tokens against forged forms, and a limit on guesses."""

from __future__ import annotations

import hmac
import re
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from siaghsync.password_hash import fits
from siaghsync.web.desk import Secret

SESSION_COOKIE = "siaghsync_session"
VISIT_COOKIE = "siaghsync_visit"
_IDLE_SECONDS = 2 * 3600
_LONGEST_SECONDS = 12 * 3600
_MOST_SESSIONS = 200
_WINDOW_SECONDS = 300
_MOST_FAILURES = 5
_MOST_FAILURES_OF_ALL = 50


@dataclass(slots=True)
class Session:
    """Somebody who is logged in. `user` is the name that was given at login; `flash` is shown once."""

    user: str
    csrf: str
    began: float
    seen: float
    flash: str = ""


class Sessions:
    """The open sessions. They end with the process, after two idle hours, or twelve hours after the login."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, user: str) -> str:
        """Begins a session and returns the key for its cookie. The oldest one makes room if there are too many."""
        key, moment = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            if len(self._open) >= _MOST_SESSIONS:
                del self._open[min(self._open, key=lambda k: self._open[k].seen)]
            self._open[key] = Session(user, secrets.token_urlsafe(32), moment, moment)
        return key

    def of(self, key: str) -> Session | None:
        """The session of a cookie, if it is open."""
        moment = time.monotonic()
        with self._lock:
            session = self._open.get(key)
            if session and (moment - session.seen > _IDLE_SECONDS or moment - session.began > _LONGEST_SECONDS):
                del self._open[key]
                return None
            if session:
                session.seen = moment
            return session

    def end(self, key: str) -> None:
        """Ends a session; harmless if there is none."""
        with self._lock:
            self._open.pop(key, None)


@dataclass(slots=True)
class Guesses:
    """Wrong passwords of the last minutes, of each address and of all together."""

    _of: dict[str, deque[float]] = field(default_factory=dict)
    _all: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seconds_to_wait(self, address: str) -> int:
        """How long this address has to wait before it may guess again; 0: not at all."""
        moment = time.monotonic()
        with self._lock:
            waits = [
                _WINDOW_SECONDS - (moment - found[0])
                for found, most in ((self._of.get(address), _MOST_FAILURES), (self._all, _MOST_FAILURES_OF_ALL))
                if found and len(_recent(found, moment)) >= most
            ]
        return int(max(waits, default=-1)) + 1

    def note(self, address: str) -> None:
        """A wrong password came from this address."""
        moment = time.monotonic()
        with self._lock:
            self._of = {key: found for key, found in self._of.items() if _recent(found, moment)}
            self._of.setdefault(address, deque(maxlen=_MOST_FAILURES)).append(moment)
            _recent(self._all, moment).append(moment)


def _recent(found: deque[float], moment: float) -> deque[float]:
    while found and moment - found[0] > _WINDOW_SECONDS:
        found.popleft()
    return found


class Door:
    """Checks passwords, one at a time: each check costs much memory and time on purpose."""

    def __init__(self, kept: Secret) -> None:
        self._kept = kept
        self._lock = threading.Lock()

    def opens(self, password: str) -> bool:
        """Whether this is the dashboard's password."""
        with self._lock:
            return fits(password, self._kept.reveal())


def same(given: str, expected: str) -> bool:
    """Whether two tokens are the same, in constant time; an empty one never is."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def clean_name(text: str) -> str:
    """A person's name as it goes into the audit trail: one line of at most 40 characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+", " ", text).strip()[:40]
