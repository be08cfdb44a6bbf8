"""JSON as the two systems speak it: decimals keep their text, names change their case on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Json = Any
Record = dict[str, Any]

# The C encoder can't write a Decimal as a number: it goes out as a marked string whose quotes are taken off.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}([-0-9.]+)"')


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def render(value: Json) -> str:
    """JSON text of a value; a Decimal becomes a number with all its digits (`109000.00`)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_mark)
    return _MARKED.sub(r"\1", text) if _MARK in text else text


def encode(value: Json) -> bytes:
    """The bytes of an answer."""
    return render(value).encode("utf-8", "replace")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse(raw: bytes | str) -> Json:
    """A JSON text with its fractions as Decimal. Raises ValueError for anything that is not strict JSON."""
    text = raw if isinstance(raw, str) else raw.decode("utf-8")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def renamed(value: Json, rename: Callable[[str], str]) -> Json:
    """The value with every property name renamed, however deep it lies."""
    if isinstance(value, dict):
        return {rename(key): renamed(item, rename) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, rename) for item in value]
    return value


def pascal(name: str) -> str:
    """`crmId` -> `CrmId`."""
    return name[:1].upper() + name[1:]


def camel(name: str) -> str:
    """`CrmId` -> `crmId`."""
    return name[:1].lower() + name[1:]


def recase(body: bytes, rename: Callable[[str], str]) -> bytes:
    """The same JSON body with every property name renamed; a body that isn't JSON stays as it is."""
    try:
        return encode(renamed(parse(body), rename))
    except ValueError:
        return body
