"""The envelopes of both vendors' answers, read strictly: a wrong shape is an error and never an empty list.

Contracts payamgostar §2, §3.2, §3.5 and siagh §2, §5. The records inside are for translate to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from siaghsync.errors import System
from siaghsync.wire import jsontext
from siaghsync.wire.outcomes import in_doubt, is_html


class Shape(BaseModel):
    """A JSON object whose property names count in any case: fields are named in lower case. Others are ignored."""

    # Built when first used: an idle run meets few of the shapes.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _lower_names(cls, data: Any) -> Any:
        return {str(name).lower(): value for name, value in data.items()} if isinstance(data, Mapping) else data


def _text(value: object) -> object:
    """Codes come as numbers or texts."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text_or_empty(value: object) -> object:
    return "" if value is None else _text(value)


def _list_or_empty(value: object) -> object:
    return [] if value is None else value


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _year(value: object) -> int | None:
    """A Jalali year, or None: that it can't be read must not keep the customers from being synced."""
    text = str(value).strip()
    return int(text) if text.isdecimal() and 1300 <= int(text[:9]) < 1600 else None


Text = Annotated[str, BeforeValidator(_text_or_empty)]
Token = Annotated[str, Field(pattern=r"^[!-~]+$")]
"""What can travel in a header."""


class CrmLogin(Shape):
    """Contract payamgostar §2."""

    accesstoken: Token = Field(repr=False)


class FindPage(Shape):
    """Contract payamgostar §3.2."""

    data: list[dict[str, Any]]
    total: Annotated[int, Field(ge=0)] | None = None


class Created(Shape):
    """Contract payamgostar §3.5: some versions say `id` for `crmId`."""

    crmid: Text = ""
    id: Text = ""

    @property
    def key(self) -> str:
        """The id of the new record; empty if there is none that can be one."""
        return usable_key(self.crmid) or usable_key(self.id)


class FinanceLogin(Shape):
    """Contract siagh §2."""

    sessionid: Token = Field(repr=False)
    username: Text = ""
    contactname: Text = ""
    branchcode: Text = ""
    branchname: Text = ""
    fiscalyear: Annotated[int | None, BeforeValidator(_year)] = None
    systemdate: Text = ""


_GAP = r"[\s:\u200b-\u200f\u202a-\u202e\u2066-\u2069]*"
_NUMBER = re.compile(rf"شماره{_GAP}(\d[\d,٬،]*)")
_NET = re.compile(rf"خالص{_GAP}سند{_GAP}(\d[\d,٬،.٫]*)")


def _found(pattern: re.Pattern[str], text: str) -> str:
    """The number that `pattern` finds: Persian, Arabic or ASCII digits with separators become ASCII ones without."""
    match = pattern.search(text)
    digits = re.sub("[,٬،]", "", match[1]) if match else ""
    return "".join(str(int(mark)) if mark.isdecimal() else mark for mark in digits)


class Entry(Shape):
    """One entry of `Errors`, which holds successes and warnings as well (contract siagh §4, §5)."""

    errortype: Text = ""
    errorcode: Text = ""
    description: Text = ""
    messagetext: Text = ""

    @property
    def is_error(self) -> bool:
        kind = self.errortype.lower()
        return kind == "errerror" or (not kind and self.errorcode == "-1")


class SaveAnswer(Shape):
    """Contract siagh §3.2, §4, §5."""

    errors: Annotated[list[Entry], BeforeValidator(_list_or_empty)] = Field(default_factory=list)
    finalmessages: Annotated[list[str], BeforeValidator(_texts)] = Field(default_factory=list)
    returnvalue: bool | None = None
    returncode: Text = ""

    def texts(self, *kinds: str) -> list[str]:
        """What the entries of these types say, in lower case as in "errwarning"; of all entries without any."""
        chosen = (entry for entry in self.errors if not kinds or entry.errortype.lower() in kinds)
        return [text for entry in chosen if (text := entry.description or entry.messagetext)]

    def number(self) -> str | None:
        """The number of the new document that people see, from the words of the success, in ASCII digits."""
        return next(filter(None, (_found(_NUMBER, text) for text in self._successes())), None)

    def net(self) -> Decimal | None:
        """The net amount of the new document, from the words of the success."""
        text = next(filter(None, (_found(_NET, text) for text in self._successes())), "")
        try:
            return Decimal(text.replace("٫", ".").rstrip("."))
        except InvalidOperation:
            return None

    def _successes(self) -> list[str]:
        return [*self.texts("errsuccs"), *self.finalmessages]


S = TypeVar("S", bound=Shape)


def usable_key(text: str) -> str:
    """`text` if it can be the number or GUID of something that exists, else an empty text: zeros are none."""
    key = text.strip()
    return key if re.fullmatch(r"(?![0{}-]*\Z)[0-9A-Za-z{}-]{1,100}", key) else ""


def parse_json(body: bytes, system: System, what: str) -> Any:
    """The JSON value in `body`. Raises InDoubt ("unreadable"), saying what came instead, without quoting it."""
    text = ""
    try:
        text = body.decode("utf-8-sig")
        return jsontext.loads(text)
    except ValueError:
        raise in_doubt(system, what, "unreadable", f"{_instead(body, text)} instead of JSON") from None


def read(shape: type[S], value: Any, system: System, what: str) -> S:
    """`value` as a `shape`. Raises InDoubt ("unreadable"), naming the first field that does not fit."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    came = "nothing" if first["type"] == "missing" else _kind_of(first["input"])
    raise in_doubt(system, what, "unreadable", f"{came} where {place or 'an object'} belongs")


def _kind_of(value: Any) -> str:
    """The kind of a JSON value in words."""
    kinds = {bool: "true or false", str: "a text", list: "a list", dict: "an object", type(None): "nothing"}
    return kinds.get(type(value), "a number")


def _instead(body: bytes, text: str) -> str:
    if not body.strip():
        return "an empty answer"
    if is_html(body[:200].decode("utf-8-sig", errors="replace")):
        return "an HTML page"
    if not text:
        return "text that is no UTF-8"
    return "the beginning of something" if re.match(r"\s*[\[{]", text) else "plain text"
