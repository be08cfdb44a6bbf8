"""The errors of siaghsync, named by what the caller has to do about them.

    SiaghsyncError              an expected failure: message, hint, kind, exit code
    ├── UsageError       2      the command was called in a way that can't be carried out
    ├── SettingsError    2      one or more settings are missing or wrong
    ├── StateError       2      the state file can't be used as it is
    ├── BrakeError       1      the run stopped before it wrote anything; --force goes on
    ├── LockHeld        75      another run works with this state file
    ├── Paused           0      somebody paused the runs that nobody watches
    ├── Interrupted    130/143  a signal asked the run to stop
    ├── BadRecord               one record of a system can't be understood
    └── CallError        3      a request to one of the two systems
        ├── NotSent             surely never arrived: it may be sent again
        ├── Refused             a clear no: nothing was done
        │   └── PhoneTaken      because another contact has the phone number
        ├── InDoubt             no clear answer: it may or may not have been done
        ├── LoginRefused        wrong user, password or licence: no further try in this run
        └── LoginLocked         too many attempts: no further try for a while

Every error carries a message code with parameters. The entry of that code in the catalog holds the sentence and its cure.
No parameter ever holds a password, hash, token, session id or a full URL.
"""

from __future__ import annotations

from typing import Literal

from siaghsync.messages.message import Message, Param

System = Literal["crm", "finance"]


class SiaghsyncError(Exception):
    """An expected failure. `kind` is a stable word for programs, `exit_code` what the process ends with.

    `code` names the catalog entry with the sentence and the cure; `params` fill the places of both.
    """

    kind = "error"
    exit_code = 1

    def __init__(self, code: str, /, **params: Param) -> None:
        super().__init__(code)
        self.message = Message(code, params)


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


class Paused(SiaghsyncError):
    """Somebody has paused the runs that nobody watches: nothing more is written, and that is no failure."""

    kind = "paused"
    exit_code = 0


class Interrupted(SiaghsyncError):
    """SIGINT or SIGTERM asked the run to stop."""

    kind = "interrupted"

    def __init__(self, exit_code: int) -> None:
        super().__init__("error.interrupted")
        self.exit_code = exit_code


class CallError(SiaghsyncError):
    """A request to one system did not bring what was asked for.

    `what` names the request by a code of the catalog's chapter `request` (`create_contact`, `log_in`). `reason` is a
    stable word: unresolved, refused_connection, connect_timeout, tls, timeout, reset, cut, status_<code>, redirect,
    unreadable, too_large, rejected, script_error, interrupted, cooling_down, still_there, unseen. The message is
    `call.<reason>` with the parameters system, what, detail and `params`; one entry serves all statuses of a class
    (`call.status_4xx`). `code` names another entry, where the reason alone does not tell what to do (`login.crm_401`).
    """

    kind = "unreachable"
    exit_code = 3

    def __init__(
        self, system: System, what: str, reason: str, *, detail: str = "", code: str = "", **params: Param
    ) -> None:
        super().__init__(code or f"call.{reason}", system=system, what=what, detail=detail, **params)
        self.system = system
        self.what = what
        self.reason = reason
        self.detail = detail
        """What the system itself said, in its own words; empty if it said nothing."""


class NotSent(CallError):
    """The request surely never reached the system (connection refused, name not resolved)."""


class Refused(CallError):
    """The system understood and said no; nothing was done."""

    kind = "refused"


class PhoneTaken(Refused):
    """Finance refused a contact because another one has a phone number that was sent (contract siagh §3.2).

    `fields` are those that the answer names, by `domain.fields`.
    """

    def __init__(self, what: str, fields: tuple[str, ...], detail: str) -> None:
        super().__init__("finance", what, "rejected", detail=detail)
        self.fields = fields


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
    """Whether it says that a signal asked for the end, also through a request that was given up for it."""
    return isinstance(error, Interrupted) or (isinstance(error, CallError) and error.reason == "interrupted")
