"""Why a system can't be used, and what looks wrong though it can: causes in order of likelihood, each with its cure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.errors import CallError, LoginRefused, SiaghsyncError, System

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
        return _gateway(error)
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
    return Diagnosis(_CAUSES.get(error.reason, ()), error.hint)


_CAUSES: dict[str, tuple[str, ...]] = {
    "unresolved": (
        "The host name is misspelled.",
        "It is known in the company's network only, and this computer uses another name server (VPN off?).",
    ),
    "refused_connection": (
        "The server, or its web service, does not run.",
        "The port is wrong: without one, 80 is meant for http and 443 for https.",
        "A firewall refuses this computer.",
    ),
    "connect_timeout": (
        "A firewall drops what this computer sends.",
        "The address is one that this computer can't reach (VPN off, another network).",
    ),
    "timeout": ("The server is overloaded or hangs.", "Something on the way swallows the answer."),
    "status_403": ("The account is locked after too many attempts; each further one prolongs that.",),
    "status_402": ("The licence lacks the module that serves this interface.",),
    "cooling_down": ("An earlier run, or check, was told that the account is locked.",),
    "redirect": (
        "The server wants https where the address says http, or the other way round.",
        "The address leads to a page for people, which sends them to its login.",
    ),
}


def _scheme(error: CallError, setup: Setup) -> Diagnosis:
    wanted, given = ("http", "https") if setup.is_https else ("https", "http")
    return Diagnosis(
        (f"The server speaks {wanted} at this port, and the address says {given}.", "Something on the way cuts in."),
        f"Try {wanted}:// in {ADDRESS[error.system]}. {error.hint}",
    )


def _gateway(error: CallError) -> Diagnosis:
    return Diagnosis(
        (
            "A proxy or gateway answers, and the system behind it is down or unreachable.",
            "The address leads to a proxy instead of the system.",
        ),
        f"Look whether the system itself runs; let {ADDRESS[error.system]} lead to it without a proxy if you can.",
    )


def _page(error: CallError, setup: Setup) -> Diagnosis:
    causes = ["A proxy, firewall or login page on the way answers instead of the system."]
    if error.reason == "status_401":
        causes.insert(0, "The web server in front asks for a login of its own (Windows or basic authentication).")
    if setup.path:
        causes.insert(0, f"{ADDRESS[error.system]} has a path behind the host, and leads to a page for people.")
    causes.append("The address leads to another program.")
    return Diagnosis(
        causes,
        f"Open the address in {ADDRESS[error.system]} on this very computer: it has to lead to the system itself, without "
        "any page in between.",
    )


def _address(error: CallError, setup: Setup) -> Diagnosis:
    name = ADDRESS[error.system]
    other = ADDRESS["finance" if error.system == "crm" else "crm"]
    cure = f"Leave only scheme, host and, if need be, port in {name}, like http://172.16.16.16."
    if _PATHS_OF_OURS.fullmatch(setup.path):
        return Diagnosis((f"{name} ends in {setup.path}, which siaghsync adds itself.",), cure)
    causes = [f"{name} has a path behind the host that does not belong there."] if setup.path else []
    causes += [
        "Another program answers at this host and port.",
        f"The addresses in {name} and {other} are swapped.",
        "The system is installed below a path of its own, or is an old version.",
    ]
    return Diagnosis(causes, cure)


def _refused_login(error: CallError, setup: Setup) -> Diagnosis:
    if error.system == "crm":
        return Diagnosis(
            ("The password is wrong or has expired.", "The user name is spelled otherwise.", "The user is not active."),
            "Log in to the CRM itself as this user, then put CRM_USERNAME and CRM_PASSWORD right. Don't try often: the CRM "
            "locks the account.",
        )
    causes = (
        ["FINANCE_PASSWORD is the hash of an empty password or a mere line end."] if setup.is_hash_of_nothing else []
    )
    if setup.user_has_arabic_letters:
        causes.append("FINANCE_USERNAME is typed with Arabic ي or ك, where Siagh may have Persian ی or ک.")
    causes += [
        "The password, or the user name, is wrong.",
        "The password was hashed twice: `hash-password` was given what was the hash already.",
        "More was hashed than the password: a space or line end (as with `echo ... | md5sum`), or in another encoding.",
        "The hash was made of a password in another case or keyboard layout.",
        "The user is not active in Siagh.",
    ]
    return Diagnosis(
        causes,
        "Log in to Siagh itself as this user; then type that password into `siaghsync hash-password --save`, which asks "
        "without echo. A hash in lower case is no cause: it is always sent in upper case.",
    )


def _rights(error: CallError) -> Diagnosis:
    system = "CRM" if error.system == "crm" else "Siagh"
    cure = f"Give this user, in the {system}, the right to {error.what}"
    setting = {"list quotes": "SYNC_QUOTES", "list invoices": "SYNC_INVOICES"}.get(error.what)
    return Diagnosis(
        (f"The user may not {error.what}.", "The licence does not include it."),
        f"{cure}, or set {setting}=false." if setting else f"{cure}.",
    )


def _type(error: CallError, setup: Setup) -> Diagnosis:
    name = _TYPES[error.what]
    value = setup.types[0 if name == "CRM_PERSON_TYPE" else 1]
    return Diagnosis(
        (f"The CRM knows no subtype {value!r}.",),
        f"Look up the subtype's code in the CRM's settings and write it into {name}.",
    )


_CERTIFICATES = (
    ("self-signed", "The server's certificate is its own (self-signed), or its authority is unknown here."),
    ("unable to get local issuer", "The authority of the server's certificate is not installed on this computer."),
    ("mismatch", "The certificate is for another host name than the one in the address."),
    ("not valid for", "The certificate is for another host name than the one in the address."),
    ("expired", "The certificate has expired, or this computer's clock is wrong."),
    ("not yet valid", "The certificate is not valid yet, or this computer's clock is wrong."),
)


def _tls(error: CallError, words: str) -> Diagnosis:
    causes = [cause for sign, cause in _CERTIFICATES if sign in words]
    if causes:
        cure = "Install the authority's certificate on this computer, or use the host name that the certificate is for."
        return Diagnosis(tuple(dict.fromkeys(causes)), cure)
    return Diagnosis(
        ("The server speaks plain http at this port.", "It knows only TLS versions that this computer refuses."),
        error.hint,
    )
