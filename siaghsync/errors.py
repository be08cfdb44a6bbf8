"""The errors of siaghsync, named by what the caller has to do about them.

    SiaghsyncError              a sentence for the user: message, hint, kind, exit code
    ├── UsageError       2      the command was called in a way that can't be carried out
    ├── SettingsError    2      one or more settings are missing or wrong
    ├── StateError       2      the state file can't be used as it is
    ├── BrakeError       1      the run stopped before it wrote anything; --force goes on
    ├── LockHeld        75      another run works with this state file
    ├── Interrupted    130/143  a signal asked the run to stop
    └── CallError        3      a request to one of the two systems
        ├── NotSent             surely never arrived: whoever asked may ask again
        ├── Refused             a clear no: nothing was done
        ├── InDoubt             no clear answer: it may or may not have been done
        ├── LoginRefused        wrong user, password, licence: nobody should try again in this run
        └── LoginLocked         too many attempts: nobody should try before `until`

No message or hint ever holds a password, hash, token, session id or a full URL.
"""

from __future__ import annotations

from typing import Literal

System = Literal["crm", "finance"]

SYSTEM_NAMES: dict[System, str] = {"crm": "Payamgostar (CRM)", "finance": "Siagh (finance)"}


class SiaghsyncError(Exception):
    """An expected failure that is told to the user as a sentence and a cure.

    `kind` is a stable word for programs, `exit_code` what the process ends with.
    """

    kind = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SiaghsyncError):
    """The command, or what it was given, can't be carried out as it stands."""

    kind = "usage"
    exit_code = 2


class SettingsError(SiaghsyncError):
    """One or more settings are missing or wrong; the message names every one."""

    kind = "settings"
    exit_code = 2


class StateError(SiaghsyncError):
    """The state file is missing, damaged, foreign, newer, read-only or its disk is full."""

    kind = "state"
    exit_code = 2


class BrakeError(SiaghsyncError):
    """The run would do something out of proportion and stopped before writing."""

    kind = "brake"
    exit_code = 1


class LockHeld(SiaghsyncError):
    """Another process holds the lock of this state file."""

    kind = "locked"
    exit_code = 75


class Interrupted(SiaghsyncError):
    """SIGINT or SIGTERM asked the run to stop."""

    kind = "interrupted"

    def __init__(self, exit_code: int) -> None:
        super().__init__("Stopped on request; everything done so far is saved.")
        self.exit_code = exit_code


class CallError(SiaghsyncError):
    """A request to one system did not bring what was asked for.

    `system` names the system, `what` the request in a user's words ("create a contact"), `reason`
    a stable word: unresolved, refused_connection, connect_timeout, tls, timeout, reset, cut,
    status_<code>, redirect, unreadable, too_large, rejected, interrupted.
    """

    kind = "unreachable"
    exit_code = 3

    def __init__(
        self, system: System, what: str, reason: str, message: str, hint: str = "", *, detail: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.system = system
        self.what = what
        self.reason = reason
        self.detail = detail
        """What the system itself said, in its own words; empty if it said nothing."""


class NotSent(CallError):
    """The request surely never reached the system (connection refused, name not resolved...)."""


class Refused(CallError):
    """The system understood and said no; nothing was done."""

    kind = "refused"


class InDoubt(CallError):
    """The request may have been carried out: no answer, a broken one, or a 5xx."""

    kind = "no_answer"


class LoginRefused(CallError):
    """The system does not accept these credentials, or this user or licence."""

    kind = "login_refused"


class LoginLocked(LoginRefused):
    """The account is locked for a while; every further attempt prolongs the lock."""

    kind = "login_locked"


class BadRecord(SiaghsyncError):
    """One record of a system can't be understood; the message names the record, the field and what stood there."""

    kind = "bad_record"


def is_interruption(error: BaseException) -> bool:
    """Whether it says that a signal asked for the end, be it through a request that gave way to it."""
    return isinstance(error, Interrupted) or (isinstance(error, CallError) and error.reason == "interrupted")
