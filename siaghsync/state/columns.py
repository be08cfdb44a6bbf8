"""How values stand in the columns of the state file: plain data as JSON, a message as a code and its parameters."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from siaghsync.messages.message import Message

Record = Mapping[str, Any] | sqlite3.Row
"""A row of a table, as sqlite-utils or SQLite's own module gives it."""

encode = json.JSONEncoder(ensure_ascii=False).encode
"""Plain data as the JSON text that is stored: one line."""


def message_pair(message: Message | None) -> tuple[str | None, str | None]:
    """A message as (code, parameters as JSON); both None if there is none."""
    return (message.code, encode(message.as_json()["params"])) if message else (None, None)


def message_columns(message: Message | None) -> dict[str, str | None]:
    """A message as the two columns `message_code` and `message_params`."""
    code, params = message_pair(message)
    return {"message_code": code, "message_params": params}


def message_of(row: Record, column: str = "message") -> Message | None:
    """The message in the columns `<column>_code` and `<column>_params` of a row, or None."""
    code = row[f"{column}_code"]
    return Message.from_json({"code": code, "params": json.loads(row[f"{column}_params"] or "{}")}) if code else None
