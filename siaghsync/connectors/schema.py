"""Reading the JSON of both vendors strictly: a wrong shape is an error that names the field, and never an empty value.

Property names count in any case: shapes name them in lower case. Properties that a shape does not name are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from siaghsync.connectors.http import strict_json
from siaghsync.connectors.http.errors import is_html, unreadable
from siaghsync.errors import System
from siaghsync.messages.message import Message, msg

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_EXPECTED = {
    "missing": "value",
    "model_type": "object",
    "dict_type": "object",
    "list_type": "list",
    "string_type": "text",
    "string_too_short": "text",
    "string_pattern_mismatch": "id",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "int_type": "whole_number",
    "int_parsing": "whole_number",
    "int_parsing_size": "whole_number",
    "int_from_float": "whole_number",
    "greater_than_equal": "whole_number",
    "less_than": "whole_number",
}
"""Type of a pydantic error -> what was expected, a code of the chapter `json_kind`. The errors of `wrong` are codes already."""
_KINDS = {bool: "boolean", str: "text", list: "list", dict: "object", type(None): "null"}


class Shape(BaseModel):
    """A JSON object whose property names count in any case: fields are named in lower case. Others are ignored."""

    # Built when first used: an idle run meets few of the shapes.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _lower_names(cls, data: Any) -> Any:
        return lower_names(data) if isinstance(data, Mapping) else data


S = TypeVar("S", bound=Shape)


def lower_names(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The same object with its property names in lower case."""
    return {str(name).lower(): value for name, value in raw.items()}


def wrong(expected: str) -> PydanticCustomError:
    """What a validator raises for a value of the wrong kind; `expected` is a code of the chapter `json_kind`."""
    return PydanticCustomError("wrong_kind", "{expected}", {"expected": expected})


def _to_raw_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "as_tuple")):
        raise wrong("text")
    return str(value)


def to_text(value: object) -> str:
    """A scalar of a vendor's JSON as text without control characters; null is "". Raises PydanticCustomError for others."""
    text = _to_raw_text(value)
    return text if text.isprintable() else _UNPRINTABLE.sub("", text).strip()


def to_list(value: object) -> object:
    """Null where a list belongs is an empty one."""
    return [] if value is None else value


RawText = Annotated[str, BeforeValidator(_to_raw_text)]
"""A text, or a number as it was written, without blanks at its ends; null is ""."""
Text = Annotated[str, BeforeValidator(to_text)]
"""The same without control characters."""
Token = Annotated[str, Field(pattern=r"^[!-~]+$")]
"""A text that can travel in an HTTP header."""


def usable_key(text: str) -> str:
    """`text` if it can be the number or GUID of something that exists, else "": zeros alone are none."""
    key = text.strip()
    return key if re.fullmatch(r"(?![0{}-]*\Z)[0-9A-Za-z{}-]{1,100}", key) else ""


def misfit(error: ValidationError) -> dict[str, str]:
    """The first thing that does not fit a shape, never its value: `place` is the field ("" for the whole), `expected` and
    `came` are codes of the chapter `json_kind`."""
    first = error.errors(include_url=False)[0]
    expected = first["ctx"]["expected"] if first["type"] == "wrong_kind" else _EXPECTED.get(first["type"], "value")
    came = "nothing" if first["type"] == "missing" else _kind_of(first["input"])
    return {"place": ".".join(str(part) for part in first["loc"]), "expected": expected, "came": came}


def read(shape: type[S], value: Any, system: System, what: str) -> S:
    """`value` as a `shape`. Raises InDoubt ("unreadable"), naming the first field that does not fit."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        found = misfit(error)
    raise unreadable(system, what, Message("shape.field" if found["place"] else "shape.whole", found))


def parse_json(body: bytes, system: System, what: str) -> Any:
    """The JSON value in `body`. Raises InDoubt ("unreadable"), saying what came instead, without quoting it."""
    text = ""
    try:
        text = body.decode("utf-8-sig")
        return strict_json.loads(text)
    except ValueError:
        problem = msg("shape.whole", expected="json", came=_instead(body, text))
        raise unreadable(system, what, problem) from None


def _kind_of(value: object) -> str:
    return "empty" if value == "" else _KINDS.get(type(value), "number")


def _instead(body: bytes, text: str) -> str:
    if not body.strip():
        return "no_body"
    if is_html(body[:200].decode("utf-8-sig", errors="replace")):
        return "html"
    if not text:
        return "no_utf8"
    return "broken" if re.match(r"\s*[\[{]", text) else "plain_text"
