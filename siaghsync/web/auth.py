"""Who may see the dashboard: the check of the password, the limit on attempts, and the pages for coming and going."""

from __future__ import annotations

import re
import threading
from collections import deque

from starlette.responses import Response

from siaghsync import clock
from siaghsync.messages.message import msg
from siaghsync.web.page import PageContext

_WINDOW_SECONDS = 300
_MOST_OF_ONE_ADDRESS = 5
_MOST_OF_ALL = 50
_LONGEST_NAME = 40


class LoginThrottle:
    """The attempts to log in of the last minutes, of each address and of all together."""

    def __init__(self) -> None:
        self._of: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self, address: str) -> int:
        """Counts an attempt before its password is checked, so that attempts in parallel are counted too.

        Returns 0, or for how many seconds this address has to wait; then the attempt does not count.
        """
        moment = clock.monotonic()
        with self._lock:
            self._of = {key: found for key, found in self._of.items() if _recent(found, moment)}
            mine = self._of.get(address, deque())
            waits = [
                _WINDOW_SECONDS - (moment - found[0])
                for found, most in ((mine, _MOST_OF_ONE_ADDRESS), (_recent(self._all, moment), _MOST_OF_ALL))
                if len(found) >= most
            ]
            if waits:
                return int(max(waits)) + 1
            mine.append(moment)
            self._of[address] = mine
            self._all.append(moment)
            return 0

    def forgive(self, address: str) -> None:
        """The last attempt of this address had the right password: it does not count."""
        with self._lock:
            for found in (self._of.get(address), self._all):
                if found:
                    found.pop()


def _recent(found: deque[float], moment: float) -> deque[float]:
    while found and moment - found[0] > _WINDOW_SECONDS:
        found.popleft()
    return found


def clean_name(text: str) -> str:
    """A person's name as it goes into the audit trail: one line of at most 40 characters."""
    plain = re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+", " ", text)
    return plain.strip()[:_LONGEST_NAME]


# --- pages -------------------------------------------------------------------------------------------------


class LoginPages:
    """Logging in and out."""

    def __init__(self) -> None:
        self._one_check = threading.Lock()
        """Each check costs much memory and time on purpose, so there is one at a time."""
        self._throttle = LoginThrottle()

    def form(self, page: PageContext) -> Response:
        """The login page."""
        return page.show("login.html", next=page.inside(page.asked("next")), trouble="", user="")

    def log_in(self, page: PageContext) -> Response:
        """Checks name and password; a new session for whoever knows the password."""
        user, target = clean_name(page.form.get("user", "")), page.inside(page.form.get("next", "/"))

        def refused(status: int, trouble: str) -> Response:
            return page.show("login.html", status, next=target, trouble=trouble, user=user)

        if not user:
            return refused(400, page.language.text("name_missing"))
        address = page.request.client.host if page.request.client else ""
        if seconds := self._throttle.admit(address):
            response = refused(429, page.language.text("login_too_often", seconds=seconds))
            response.headers["Retry-After"] = str(seconds)
            return response
        with self._one_check:
            opened = page.dependencies.access.check(user, page.form.get("password", ""))
        if opened is None:
            page.dependencies.tell(msg("web.login_refused"))
            return refused(403, page.language.text("login_failed"))
        self._throttle.forgive(address)
        page.begin_session(user, *opened)
        return page.go(target)


def log_out(page: PageContext) -> Response:
    """Ends the session."""
    page.end_session()
    return page.go("/login")
