"""Siagh's form encoding: `key=value` pairs joined by `|`, without any escape (contract siagh §3.2 and §4).

Nothing that a value holds may begin another field, or a customer's name could set any field of a record. So
every value is cleaned on its way in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

CONTACT_KEYS = (
    "isactive", "gender", "websiteaddress", "pocode", "codeostan", "address", "codeshahr", "countrycode",
    "email", "fullname", "mobileno", "telno", "passno", "tmpid", "tozihat", "taraftype",
)  # fmt: skip
"""The fields of a contact in the documented order, each with the prefix `gn_web_users.` on the wire."""

PREINVOICE_KEYS = (
    "hssanadstate", "codenoeesanad", "codesalemodel", "salmali", "codenoeepardakht", "codemarkazforush",
    "codecontact", "codemoshtari", "codenoeeforush", "codevaseteh", "tozihat", "namenoesanad",
)  # fmt: skip
"""The fields of a pre-invoice's header in the documented order, each with the prefix `sl_sanad.` on the wire."""

ROW_KEYS = (
    "__uid", "_status", "codekala", "nameunit", "qty", "mabtakhfif", "vazn", "hajm", "price", "radif",
    "finalqty", "takhfif", "sumamelinc", "sumameldec",
)  # fmt: skip
"""The cells of a pre-invoice's row."""

_UNCHANGING = ("__uid", "_status")
_BREAKS = re.compile("[ ]*[\x00-\x1f\x7f-\x9f\u2028\u2029][ \x00-\x1f\x7f-\x9f\u2028\u2029]*")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """What a value can carry: `|` becomes `/`, a run of line breaks and control characters one space.

    Half surrogate pairs become U+FFFD, the ends are trimmed. Half-spaces and direction marks stay. Cleaning twice
    changes nothing more.
    """
    if text.isprintable() and "|" not in text:  # as nearly always: then it holds nothing that is looked for below
        return text.strip()
    return _BREAKS.sub(" ", _SURROGATES.sub("\ufffd", text.replace("|", "/"))).strip()


def encode_contact(fields: Mapping[str, str], code: int | None) -> str:
    """The `ctrlValues` of a contact: a new one without `code`, else an update (contract siagh §3.2).

    `fields` holds exactly CONTACT_KEYS; anything else is a mistake of ours and raises ValueError.
    """
    first = [] if code is None else [f"Param1={code}"]
    return "|".join([*first, "NickName=dbgrid1.#nickname#", *_pairs("gn_web_users.", CONTACT_KEYS, fields)])


def encode_preinvoice(header: Mapping[str, str]) -> str:
    """The `ctrlValues` of a pre-invoice; `header` holds exactly PREINVOICE_KEYS (contract siagh §4)."""
    return "|".join(_pairs("sl_sanad.", PREINVOICE_KEYS, header))


def encode_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """The `dataRows` of a pre-invoice; each row holds exactly ROW_KEYS (contract siagh §4)."""
    for row in rows:
        _check(ROW_KEYS, row)
    data = [
        {key: {"oldValue": row[key] if key in _UNCHANGING else None, "newValue": row[key]} for key in ROW_KEYS}
        for row in rows
    ]
    grid = {"name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz", "data": data}
    return json.dumps([grid], ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _pairs(prefix: str, keys: Sequence[str], fields: Mapping[str, str]) -> list[str]:
    _check(keys, fields)
    return [f"{prefix}{key}={clean(fields[key])}" for key in keys]


def _check(keys: Sequence[str], given: Mapping[str, Any]) -> None:
    wrong = sorted(set(keys) ^ set(given))
    if wrong:
        raise ValueError(f"fields missing or unknown: {', '.join(wrong)}")
