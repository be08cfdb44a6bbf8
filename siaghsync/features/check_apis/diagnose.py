"""Why a system can't be used, and what looks wrong though it can: causes in order of likelihood, each with its cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

from siaghsync.errors import CallError, LoginRefused, SiaghsyncError, System
from siaghsync.messages.calls import call
from siaghsync.messages.checkup import DIAGNOSES

ADDRESS: dict[System, str] = {"crm": "CRM_API_BASE_URL", "finance": "FINANCE_API_BASE_URL"}
_PATHS_OF_OURS = re.compile(r"/(api(/v\d+|/sgh.*)?|generalapi|bpmsapi)/?", re.IGNORECASE)
_HTML = "an HTML page"
_GATEWAY = ("status_407", "status_502", "status_503", "status_504")
_TYPES = {"list persons": "CRM_PERSON_TYPE", "list organizations": "CRM_ORGANIZATION_TYPE"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the settings say that helps to explain a failure. `path` is what stands behind the host in the address."""

    system: System
    path: str = ""
    is_https: bool = False
    user_has_arabic_letters: bool = False
    is_hash_of_nothing: bool = False
    types: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likely causes, the likeliest first, and what to do."""

    causes: Sequence[str]
    cure: str


def told(error: SiaghsyncError, setup: Setup) -> dict[str, Any]:
    """A failure as plain data: what happened, what the system itself said, the likely causes and the cure."""
    found = Diagnosis((), error.hint)
    said = ""
    if isinstance(error, CallError):
        found = _diagnosis(error, setup)
        said = error.detail if error.detail not in error.message else ""
    return {
        "kind": error.kind,
        "message": error.message,
        "said": said,
        "causes": list(found.causes),
        "hint": found.cure or error.hint,
    }


def _diagnosis(error: CallError, setup: Setup) -> Diagnosis:
    is_login = error.what == "log in"
    words = f"{error.message} {error.detail}"
    if "HTTPS port" in words or (error.reason in ("reset", "cut") and is_login and not setup.is_https):
        return _scheme(error, setup)
    if error.reason in _GATEWAY:
        return _found("gateway", address=ADDRESS[error.system])
    if _HTML in words and error.reason != "status_404":
        return _page(error, setup)
    if error.reason in ("status_404", "status_405") and is_login:
        return _address(error, setup)
    if isinstance(error, LoginRefused) and error.reason in ("status_400", "status_401", "rejected"):
        return _refused_login(error, setup)
    if not is_login and error.reason in ("status_403", "status_401"):
        return _rights(error)
    if error.reason in ("status_400", "status_404") and error.what in _TYPES:
        return _type(error, setup)
    if error.reason == "tls":
        return _tls(error, words)
    return Diagnosis(_causes(error), error.hint)


def _found(diagnosis: str, *applies: bool, **names: str) -> Diagnosis:
    """A diagnosis of the book with those of its causes that apply (all, if nothing is said), filled with these names."""
    entry = DIAGNOSES[diagnosis]
    kept = compress(entry.causes, applies) if applies else entry.causes
    return Diagnosis([cause.en.format(**names) for cause in kept], entry.cure.en.format(**names))


def _scheme(error: CallError, setup: Setup) -> Diagnosis:
    wanted, given = ("http", "https") if setup.is_https else ("https", "http")
    return _found("scheme", wanted=wanted, given=given, address=ADDRESS[error.system], hint=error.hint)


def _page(error: CallError, setup: Setup) -> Diagnosis:
    asks_itself = error.reason == "status_401"
    return _found("page", bool(setup.path), asks_itself, True, True, address=ADDRESS[error.system])


def _address(error: CallError, setup: Setup) -> Diagnosis:
    is_ours = bool(_PATHS_OF_OURS.fullmatch(setup.path))
    other = ADDRESS["finance" if error.system == "crm" else "crm"]
    applies = (is_ours, bool(setup.path) and not is_ours, not is_ours, not is_ours, not is_ours)
    return _found("address", *applies, address=ADDRESS[error.system], other=other, path=setup.path)


def _refused_login(error: CallError, setup: Setup) -> Diagnosis:
    if error.system == "crm":
        return _found("login_crm")
    always = len(DIAGNOSES["login_finance"].causes) - 2
    return _found("login_finance", setup.is_hash_of_nothing, setup.user_has_arabic_letters, *[True] * always)


def _rights(error: CallError) -> Diagnosis:
    found = _found("rights", what=error.what, system="CRM" if error.system == "crm" else "Siagh")
    setting = {"list quotes": "SYNC_QUOTES", "list invoices": "SYNC_INVOICES"}.get(error.what)
    return replace(found, cure=f"{found.cure}, or set {setting}=false." if setting else f"{found.cure}.")


def _type(error: CallError, setup: Setup) -> Diagnosis:
    name = _TYPES[error.what]
    return _found("type", value=repr(setup.types[0 if name == "CRM_PERSON_TYPE" else 1]), setting=name)


_CERTIFICATES = (
    ("self-signed",),
    ("unable to get local issuer",),
    ("mismatch", "not valid for"),
    ("expired",),
    ("not yet valid",),
)
"""By what a library's words name each cause of the diagnosis, in the order of the book."""


def _tls(error: CallError, words: str) -> Diagnosis:
    applies = [any(sign in words for sign in signs) for signs in _CERTIFICATES]
    return _found("certificate", *applies) if any(applies) else Diagnosis(_causes(error), error.hint)


def _causes(error: CallError) -> list[str]:
    known = call(error.reason)
    return [cause.en for cause in known.causes] if known else []
