"""Tables of links in CSV files: our own, and the `EntityMapping` table of the earlier synchroniser."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from siaghsync.domain.action import Entity
from siaghsync.domain.normalize import ascii_digits
from siaghsync.errors import UsageError
from siaghsync.files import not_readable, write_csv
from siaghsync.state.mappings import Link

_COLUMNS = ("crm_id", "finance_code", "kind", "customer_number")
_ENTITIES: dict[str, Entity] = {"customer": "customer", "preinvoice": "invoice"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: a CRM id and a finance code or pre-invoice number. `entity` is None for a kind that nobody knows."""

    line: int
    entity: Entity | None
    crm_id: str
    finance_id: str


def write_links(path: Path, links: Sequence[Link]) -> None:
    """Writes the links as CSV, mode 0600. Raises UsageError if the file can't be written."""
    write_csv(path, _COLUMNS, ([getattr(link, name) for name in _COLUMNS] for link in links))


def read_rows(path: Path) -> list[Row]:
    """The lines of a file with columns in any order, separated by commas, semicolons or tabs; columns of other names don't count.

    Raises UsageError if it can't be read or has neither `crm_id` and `finance_code` nor `crmId` and `financeId`.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise not_readable(path, error) from None
    except UnicodeDecodeError:
        text = ""
    return list(_rows(path, text))


def _rows(path: Path, text: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=head.count))
    names = [re.sub(r"[^a-z]", "", name.lower()) for name in next(reader, [])]
    if "crmid" not in names or not {"financecode", "financeid"} & set(names):
        raise UsageError("usage.no_table_of_links", path=str(path))
    for cells in filter(any, reader):
        row = {name: cell.strip(" '\"") for name, cell in zip(names, cells, strict=False)}
        finance_id = ascii_digits(row.get("financecode") or row.get("financeid") or "")
        entity = _ENTITIES.get(row.get("entitytype", "customer").lower())
        yield Row(reader.line_num, entity, row.get("crmid", "").lower(), finance_id)
