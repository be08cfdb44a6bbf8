"""The mapping file (`mapping.toml`): what differs from site to site and from document type to document type.

Every key is optional. Unknown keys and wrong values are refused, each with its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from siaghsync.domain.normalize import ascii_digits, fold
from siaghsync.domain.site import Site
from siaghsync.errors import SettingsError
from siaghsync.messages.message import Message, Param, msg

DEFAULT = "default"
"""The name of the section of documents for all types, used where a type's own section is silent."""
MOST = 999_999_999
_MOST_TOLD = 20
States = Literal["numbered", "approved", "any"]
PLACE_TABLES = {"cities": "city", "provinces": "province", "countries": "country"}
"""Table of the file -> the field of `domain.fields`."""


def _place_code(value: object) -> object:
    """A code is written as a text or as a number."""
    is_code = isinstance(value, str | int) and not isinstance(value, bool)
    return ascii_digits(str(value)).strip() if is_code else value


Code = Annotated[int | None, Field(strict=True, ge=0, le=MOST)]
PlaceCode = Annotated[str, BeforeValidator(_place_code), Field(pattern=r"^[0-9]{1,18}$")]
_Places = dict[str, PlaceCode]


class _Part(BaseModel):
    """A table with fixed keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Customers(_Part):
    """The table `customers`."""

    national_code_property: Annotated[str, Field(strict=True)] = ""


class DocumentType(_Part):
    """How the documents of one type are posted; None: the file says nothing about it (contract siagh §4)."""

    post: Annotated[bool | None, Field(strict=True)] = None
    sale_model: Code = None
    sales_centre: Code = None
    sale_kind: Code = None
    payment_type: Code = None
    intermediary: Code = None
    states: States | None = None


class MappingFile(_Part):
    """The whole file."""

    customers: Customers = Customers()
    cities: _Places = Field(default_factory=dict)
    provinces: _Places = Field(default_factory=dict)
    countries: _Places = Field(default_factory=dict)
    documents: dict[str, DocumentType] = Field(default_factory=dict)

    def site(self) -> Site:
        """What it says about customers."""
        tables: dict[str, _Places] = {field: getattr(self, table) for table, field in PLACE_TABLES.items()}
        return Site(
            self.customers.national_code_property,
            {field: {fold(name): code for name, code in table.items()} for field, table in tables.items()},
            {field: {code: name for name, code in reversed(table.items())} for field, table in tables.items()},
        )


def load_mapping(path: Path, *, required: bool) -> MappingFile:
    """The mapping file at `path`; an empty one if there is none and it is not `required`.

    Raises SettingsError, which names every line and key that is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
        found = tomllib.loads(text)
        problems = [*_twice(found, text)]
        try:
            if not problems:
                return MappingFile.model_validate(found)
        except ValidationError as error:
            found_wrong = error.errors()
            problems += [_problem(item["type"], item["loc"], item["input"], text) for item in found_wrong[:_MOST_TOLD]]
    except FileNotFoundError:
        if not required:
            return MappingFile()
        problems = [msg("mapping.no_file")]
    except OSError as error:
        problems = [msg("mapping.unreadable", error=str(error.strerror).lower())]
    except UnicodeDecodeError:
        problems = [msg("mapping.not_utf8")]
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems = [msg("mapping.no_toml", error=str(error))]
    raise SettingsError("mapping.problems", file=str(path), count=len(problems), problems=tuple(problems))


def _twice(found: Mapping[str, Any], text: str) -> Iterator[Message]:
    """Two spellings of one name with different codes: which one counts would depend on their order."""
    for table in PLACE_TABLES:
        codes: dict[str, object] = {}
        names = found.get(table)
        for name, code in names.items() if isinstance(names, dict) else ():
            if codes.setdefault(fold(name), code) != code:
                yield msg("mapping.twice", line=_line_of(text, (table, name)), key=f"{table}.{name}")


def _problem(kind: str, loc: Sequence[int | str], value: object, text: str) -> Message:
    path = tuple(str(part) for part in loc if part != "[key]")
    where: dict[str, Param] = {"line": _line_of(text, path), "key": ".".join(path)}
    if kind == "extra_forbidden":
        model = MappingFile if len(path) == 1 else Customers if path[0] == "customers" else DocumentType
        near = get_close_matches(path[-1], list(model.model_fields), 1)
        return msg("mapping.did_you_mean", **where, near=near[0]) if near else msg("mapping.unknown_key", **where)
    return msg("mapping.wrong_value", **where, must=_must(path), value=repr(value)[:40])


def _must(path: Sequence[str]) -> Message:
    if len(path) == 1 or (len(path) == 2 and path[0] == "documents"):
        return msg("mapping.table")
    if path[0] in PLACE_TABLES:
        return msg("mapping.place_code")
    special = {
        "post": msg("settings.true_or_false"),
        "states": msg("settings.invoice_states"),
        "national_code_property": msg("mapping.text"),
    }
    return special.get(path[-1]) or msg("settings.whole_number", low=0, high=MOST)


def _line_of(text: str, path: Sequence[str]) -> int:
    """The line on which a key stands: the first with which what was read so far has it. The reader itself tells no lines.

    Each try reads from the beginning, so it is made only where such a name stands, and to the end of the value there.
    """
    lines = text.splitlines(keepends=True)
    name = re.compile(rf"(?<![\w-]){re.escape(path[-1])}(?![\w-])")
    inside = False
    for number, line in enumerate(lines, 1):
        inside = inside or name.search(line) is not None
        if not inside:
            continue
        try:
            found: Any = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # within a value of several lines
        inside = False
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        if found is not None:
            return number
    return len(lines)
