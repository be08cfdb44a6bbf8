"""Why a system can't be used: the likely causes of a failure, the most likely one first, and the cure. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from siaghsync.errors import CallError, LoginRefused, SiaghsyncError, System
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, msg

_PATHS_OF_OURS = re.compile(r"/(api(/v\d+|/sgh.*)?|generalapi|bpmsapi)/?", re.IGNORECASE)
_LOG_IN = "log_in"
_GATEWAY = ("status_407", "status_502", "status_503", "status_504")
_REFUSED_LOGIN = ("status_400", "status_401", "rejected")
_TYPES = {"list_persons": "CRM_PERSON_TYPE", "list_organizations": "CRM_ORGANIZATION_TYPE"}
_SWITCHES = {"list_quotes": "SYNC_QUOTES", "list_invoices": "SYNC_INVOICES"}
_CERTIFICATES = {
    18: "self_signed",
    19: "self_signed",
    2: "unknown_authority",
    20: "unknown_authority",
    21: "unknown_authority",
    62: "other_host",
    64: "other_host",
    10: "expired",
    9: "not_yet_valid",
}
"""OpenSSL's verify codes (X509_V_ERR_*) -> the condition of a cause in the catalog."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the settings say that helps to explain a failure. `path` is the part of the address after the host."""

    system: System
    path: str = ""
    is_https: bool = False
    user_has_arabic_letters: bool = False
    is_hash_of_nothing: bool = False
    types: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Where the causes and the cure stand in the catalog: a message of which the causes count whose conditions `holds`
    names (see `catalog.causes`)."""

    message: Message
    holds: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure and its explanation. `said` is what the system itself said, where the message does not repeat it."""

    kind: str
    message: Message
    said: str
    diagnosis: Diagnosis

    def as_json(self) -> dict[str, Any]:
        """The failure as in the JSON of `check-apis`."""
        return {
            "kind": self.kind,
            "message": catalog.render(self.message),
            "said": self.said,
            "causes": catalog.causes(self.diagnosis.message, holds=self.diagnosis.holds),
            "hint": catalog.cure(self.diagnosis.message),
        }


def explain(error: SiaghsyncError, setup: Setup) -> Failure:
    """A failure with its likely causes and its cure."""
    if not isinstance(error, CallError):
        return Failure(error.kind, error.message, "", Diagnosis(error.message))
    return Failure(error.kind, error.message, _said(error), _diagnosis(error, setup))


def _said(error: CallError) -> str:
    """What the system said. The sentences of the chapter `call` repeat it themselves."""
    return "" if error.message.code.startswith("call.") else error.detail


def _diagnosis(error: CallError, setup: Setup) -> Diagnosis:
    is_login, is_page = error.what == _LOG_IN, _is_page(error)
    if is_login and not setup.is_https and _sounds_like_https(error, is_page=is_page):
        return Diagnosis(msg("check.scheme", system=error.system))
    if error.reason in _GATEWAY:
        return Diagnosis(msg("check.gateway", system=error.system))
    if is_page and error.reason != "status_404":
        return _page(error, setup)
    if is_login and (error.reason in ("status_404", "status_405") or "no_body" in _came_instead(error)):
        return _address(error, setup)  # a live CRM answered an address that it doesn't have with nothing at all
    if isinstance(error, LoginRefused) and error.reason in _REFUSED_LOGIN:
        return _refused_login(error, setup)
    if not is_login and error.reason in ("status_403", "status_401"):
        return _rights(error)
    if error.reason in ("status_400", "status_404") and error.what in _TYPES:
        return _type(error, setup)
    verify_code = error.message.params.get("verify_code")
    if isinstance(verify_code, int) and verify_code in _CERTIFICATES:
        return Diagnosis(msg("check.certificate"), [_CERTIFICATES[verify_code]])
    return Diagnosis(error.message)


def _is_page(error: CallError) -> bool:
    """Whether a page for people came instead of data."""
    return error.message.params.get("is_page") is True or "html" in _came_instead(error)


def _came_instead(error: CallError) -> tuple[object, ...]:
    """Which kinds of answer came instead of JSON."""
    problem = error.message.params.get("problem")
    return (problem.params.get("came"), problem.params.get("found")) if isinstance(problem, Message) else ()


def _sounds_like_https(error: CallError, *, is_page: bool) -> bool:
    """Whether plain http was answered as web servers answer it on a port for https: not at all, or by a page with 400."""
    return error.reason in ("reset", "cut") or (is_page and error.reason == "status_400")


def _page(error: CallError, setup: Setup) -> Diagnosis:
    holds = {"path": bool(setup.path), "asks_itself": error.reason == "status_401"}
    return Diagnosis(msg("check.page", system=error.system), _true(holds))


def _address(error: CallError, setup: Setup) -> Diagnosis:
    is_ours = bool(_PATHS_OF_OURS.fullmatch(setup.path))
    other: System = "finance" if error.system == "crm" else "crm"
    holds = {"path_of_ours": is_ours, "other_path": bool(setup.path) and not is_ours, "not_ours": not is_ours}
    # Another path is not shown, since it may hold a secret.
    path = setup.path if is_ours else ""
    return Diagnosis(msg("check.address", system=error.system, other=other, path=path), _true(holds))


def _refused_login(error: CallError, setup: Setup) -> Diagnosis:
    holds = {"hash_of_nothing": setup.is_hash_of_nothing, "arabic_letters": setup.user_has_arabic_letters}
    return Diagnosis(msg(f"check.login_{error.system}"), _true(holds))


def _rights(error: CallError) -> Diagnosis:
    setting = _SWITCHES.get(error.what)
    if setting:
        return Diagnosis(msg("check.rights_or_setting", system=error.system, what=error.what, setting=setting))
    return Diagnosis(msg("check.rights", system=error.system, what=error.what))


def _type(error: CallError, setup: Setup) -> Diagnosis:
    setting = _TYPES[error.what]
    value = setup.types[0 if setting == "CRM_PERSON_TYPE" else 1]
    return Diagnosis(msg("check.type", value=value, setting=setting))


def _true(holds: dict[str, bool]) -> list[str]:
    return [condition for condition, is_so in holds.items() if is_so]
