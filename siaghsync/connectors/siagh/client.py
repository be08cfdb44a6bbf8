"""Siagh's addresses, login, form and refusals inside a 200: ids and plain JSON out (contract siagh)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

from siaghsync.connectors.http import strict_json
from siaghsync.connectors.http.errors import is_page, one_line, unreadable, words_of
from siaghsync.connectors.http.login import SharedLogin
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.schema import parse_json, read, usable_key
from siaghsync.connectors.siagh.form import encode_contact, encode_part, encode_preinvoice, encode_rows, preinvoice_form
from siaghsync.connectors.siagh.schema import Login, SaveAnswer, finance_code_of
from siaghsync.domain.normalize import fold
from siaghsync.errors import InDoubt, LoginRefused, PhoneTaken, Refused
from siaghsync.messages.message import msg

_CONTACTS = "/api/Sgh/GEN/Gn_Web_Users/GetAll"
_SAVE = "/BpmsApi/SaveFormData"
_CONTACT_FORM, _PREINVOICE_FORM = "2BFDA", "43D81"
_LOG_IN = "log_in"
_REFUSAL_STATUSES = (400, 401, 403)
_TAKEN_WORD, _PHONE_WORDS = fold("تکراری"), {"mobile": fold("شماره موبایل"), "phone": fold("شماره تلفن")}
"""What Siagh's refusal of a phone number that another contact has says; no code tells it (contract siagh §3.2)."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in, where and in which Jalali fiscal year; `system_date` is the server's Jalali date."""

    user_name: str
    contact_name: str
    branch_code: str
    branch_name: str
    fiscal_year: int | None
    system_date: str | None


@dataclass(frozen=True, slots=True)
class Saved:
    """A contact that was saved under `code`; `messages` are the system's warnings."""

    code: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SavedPreinvoice:
    """A pre-invoice that was saved: the `number` that people see, its `key`, the `net` amount, and warnings."""

    number: str | None
    key: str
    net: Decimal | None
    messages: tuple[str, ...]


class Siagh:
    """A client of the finance system, safe to use from many threads. Logs in by itself when it has to.

    `password_md5` is the upper-case MD5 that the vendor demands. Every method can raise CallError: LoginRefused,
    NotSent, Refused, InDoubt.
    """

    def __init__(self, session: HttpSession, username: str, password_md5: str) -> None:
        self._http = session
        self._username = username
        self._password = password_md5
        self._login = SharedLogin("finance", self._log_in)
        self._session: Session | None = None
        self.server_time: datetime | None = None
        """The server's clock at its answer to the login, aware UTC."""
        session.conceal(password_md5)

    @property
    def sent(self) -> int:
        """HTTP requests that were tried so far, logins and repeats included."""
        return self._http.sent

    @property
    def session_life_s(self) -> float | None:
        """How old the last session was, in seconds, that ended while the program worked; None while none has."""
        return self._login.life_s

    def login(self) -> Session:
        """Logs in now (contract siagh §2). Raises LoginRefused on a clear no, once for all."""
        self._login.renew()
        assert self._session is not None
        return self._session

    def contacts(self) -> Iterator[dict[str, Any]]:
        """All contacts as they come, one at a time, in flat memory (contract siagh §3.1).

        The list is on disk before the first one is given. Raises InDoubt ("unreadable") when it turns out to be
        incomplete or no list of objects: what came before that is not the whole.
        """
        what = "list_contacts"
        return self._records(lambda headers: self._http.spool("GET", _CONTACTS, what=what, headers=headers), what)

    def contact(self, code: int) -> dict[str, Any] | None:
        """The contact with this `Code`, or None (contract siagh §3.1). Other contacts in the answer don't count."""
        what = "show_contact"
        payload = {"Code": code}
        found = [
            record
            for record in self._records(
                lambda headers: self._http.spool("POST", _CONTACTS, payload, what=what, headers=headers), what
            )
            if finance_code_of(record) == str(code)
        ]
        if len(found) > 1:
            raise unreadable("finance", what, msg("shape.code_twice", count=len(found)))
        return found[0] if found else None

    def save_contact(self, payload: Mapping[str, str], code: int | None) -> Saved:
        """Creates a contact, or updates the one with `code` (contract siagh §3.2). Never repeated after doubt.

        `payload` holds exactly the fields of `domain.fields.TABLE`. `Saved.code` other than `code` means that the server has
        made a new contact instead. Raises Refused ("rejected") with the system's words in `detail`.
        """
        what = "create_contact" if code is None else "update_contact"
        parameters = f"CodeMain={'' if code is None else code}"
        answer = self._save(_CONTACT_FORM, encode_contact(payload, code), parameters, "[]", what)
        if not (answer.returncode.isascii() and answer.returncode.isdigit()):
            raise unreadable("finance", what, msg("shape.no_new_id"))
        return Saved(answer.returncode, self._warnings(answer))

    def save_part(self, payload: Mapping[str, str], code: int, *, bare_number: bool = False) -> Saved:
        """Updates a contact with some fields only, the customer number in its bare spelling if wanted; for rehearsals.

        Contract siagh §3.2. Raises what `save_contact` raises.
        """
        values, what = encode_part(payload, code, bare_number=bare_number), "update_contact"
        answer = self._save(_CONTACT_FORM, values, f"CodeMain={code}", "[]", what)
        return Saved(answer.returncode, self._warnings(answer))

    def save_preinvoice(self, payload: Mapping[str, Any]) -> SavedPreinvoice:
        """Posts a pre-invoice out of `payload` (see `preinvoices.preinvoice_form`; contract siagh §4).

        Never repeated after doubt. Raises Refused ("rejected") with the system's words in `detail`.
        """
        what = "post_preinvoice"
        form = preinvoice_form(payload)
        parameters = f"_In_EditKeys=|_In_Suid={form.suid}|nocheck="
        answer = self._save(_PREINVOICE_FORM, encode_preinvoice(form.header), parameters, encode_rows(form.rows), what)
        return SavedPreinvoice(answer.number(), answer.returncode, answer.net(), self._warnings(answer))

    def _records(self, spool: Callable[[Mapping[str, str]], BinaryIO], what: str) -> Iterator[dict[str, Any]]:
        problem = None
        with closing(self._login.use(lambda session: spool({"Authorization": session}))) as file:
            try:
                yield from strict_json.records(file)
            except strict_json.BadList as error:
                problem = error.problem
        if problem:
            raise unreadable("finance", what, problem)

    def _save(self, form: str, values: str, parameters: str, rows: str, what: str) -> SaveAnswer:
        payload = {
            "formId": form,
            "ctrlValues": values,
            "parameters": parameters,
            "dataRows": rows,
            "attachments": "[]",
            "postCode": "1110",
            "flowId": "",
        }
        answer = self._login.use(
            lambda session: self._http.call(
                "POST", _SAVE, payload, what=what, repeatable=False, headers={"Authorization": session}
            )
        )
        return self._judged(read(SaveAnswer, parse_json(answer.body, "finance", what), "finance", what), what)

    def _judged(self, answer: SaveAnswer, what: str) -> SaveAnswer:
        """`answer` if it is a success (contract siagh §5); raises Refused or InDoubt."""
        said = [*answer.texts(), *answer.finalmessages]
        words = self._http.redact(one_line("; ".join(dict.fromkeys(said))))
        if any("RUNTIME ERROR" in text.upper() for text in said):
            raise InDoubt("finance", what, "script_error", detail=words)
        says_no = any(entry.is_error for entry in answer.errors)
        # Refusals have no key: with one it may have been saved.
        if answer.returnvalue and says_no and usable_key(answer.returncode):
            raise unreadable("finance", what, msg("shape.yes_and_no"), detail=words)
        if answer.returnvalue is False or says_no:
            if taken := _phones_taken(said):
                raise PhoneTaken(what, taken, words)
            raise Refused("finance", what, "rejected", detail=words)
        if not answer.returnvalue or not usable_key(answer.returncode):
            raise unreadable("finance", what, msg("shape.neither_yes_nor_no"), detail=words)
        return answer.model_copy(update={"returncode": usable_key(answer.returncode)})

    def _warnings(self, answer: SaveAnswer) -> tuple[str, ...]:
        return tuple(self._http.redact(one_line(text)) for text in answer.texts("errwarning"))

    def _log_in(self) -> str:
        payload = {"UserName": self._username, "Password": self._password}
        answer = self._http.call(
            "POST", "/GeneralApi/LoginUser", payload, what=_LOG_IN, repeatable=True, accept=_REFUSAL_STATUSES
        )
        self.server_time = answer.server_time
        if answer.status in _REFUSAL_STATUSES:
            raise self._refusal(f"status_{answer.status}", words_of(answer.body), is_page=is_page(answer.body))
        value = parse_json(answer.body, "finance", _LOG_IN)
        inside = read(SaveAnswer, value, "finance", _LOG_IN)
        if inside.returnvalue is False:
            raise self._refusal("rejected", one_line("; ".join(inside.texts())))
        session = read(Login, value, "finance", _LOG_IN)
        self._http.conceal(session.sessionid)
        self._session = Session(
            session.username,
            session.contactname,
            session.branchcode,
            session.branchname,
            session.fiscalyear,
            session.systemdate or None,
        )
        return session.sessionid

    def _refusal(self, reason: str, words: str, *, is_page: bool = False) -> LoginRefused:
        words = self._http.redact(words)
        return LoginRefused("finance", _LOG_IN, reason, code="login.finance", detail=words, is_page=is_page)


def _phones_taken(said: list[str]) -> tuple[str, ...]:
    doubles = [text for text in map(fold, said) if _TAKEN_WORD in text]
    return tuple(name for name, word in _PHONE_WORDS.items() if any(word in text for text in doubles))
