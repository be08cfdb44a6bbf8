"""What `verify` found, as tables, each with the command that corrects it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.verify.rules import Comparison, Pair
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import change, isolated, table

_MOST_ROWS = 20


def verify_report(found: Comparison) -> list[RenderableType]:
    """Counts first, then what is not in step and what to do about it."""
    head = render(msg("verify.summary", in_step=found.in_step, checked=found.checked))
    parts: list[RenderableType] = [Text(head, style="bold green" if found.all_in_step else "bold red")]
    parts += _drift(found)
    parts += _missing("verify.missing_in_finance", found.missing_in_finance)
    parts += _missing("verify.missing_in_crm", found.missing_in_crm, "siaghsync links remove {}")
    parts += _duplicates(found)
    unlinked = msg("verify.unlinked", crm=found.unlinked["crm"], finance=found.unlinked["finance"])
    return [*parts, Text(render(unlinked), style="dim")]


def _drift(found: Comparison) -> list[RenderableType]:
    rows = table("number", "code", "name", "Siagh -> CRM", right=("code",), whole=("number",))
    for drift in found.drift[:_MOST_ROWS]:
        fields = (change(title(f"field.{name}"), old or "", new) for name, (old, new) in drift.changes.items())
        rows.add_row(*_pair(drift.pair), "\n".join(fields))
    return _section("verify.drift", rows, found.drift)


def _missing(code: str, pairs: Sequence[Pair], command: str = "") -> list[RenderableType]:
    more = ("command",) if command else ()
    rows = table("number", "code", "name", *more, right=("code",), whole=("number", *more))
    for pair in pairs[:_MOST_ROWS]:
        rows.add_row(*_pair(pair), *([command.format(pair.crm_id)] if command else []))
    return _section(code, rows, pairs)


def _duplicates(found: Comparison) -> list[RenderableType]:
    rows = table("system", "the same", "value", "records")
    for each in found.duplicates[:_MOST_ROWS]:
        same = title(f"verify.same_{each.same}")
        rows.add_row(each.system, same, isolated(each.value), isolated(", ".join(each.records)))
    return _section("verify.duplicates", rows, found.duplicates)


def _pair(pair: Pair) -> tuple[str, str, str]:
    return isolated(pair.customer_number), str(pair.finance_code), isolated(pair.name)


def _section(code: str, rows: RenderableType, items: Sequence[object]) -> list[RenderableType]:
    """A heading, the table, and how many more there are; nothing where there is nothing to show."""
    if not items:
        return []
    more = len(items) - _MOST_ROWS
    folded = [Text(render(msg("verify.more_rows", more=more)), style="dim")] if more > 0 else []
    return [Text(render(msg(code)), style="bold"), rows, *folded]
