"""JSON is read strictly, and a list is whole or an error."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siaghsync.connectors.http.strict_json import BadList, loads, records
from siaghsync.messages.message import msg


def listed(body: bytes) -> list[dict[str, Any]]:
    return list(records(io.BytesIO(body)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 109000.00, "b": 1}', {"a": Decimal("109000.00"), "b": 1}),
        ('["\\ud83d\\ude00", "\\ud83d", "\\ude00x"]', ["😀", "\ufffd", "\ufffdx"]),
        ('{"\\ud800": {"\\udfff": ["\\ud800"]}}', {"\ufffd": {"\ufffd": ["\ufffd"]}}),
        ("1e60", Decimal("1e60")),
        ("null", None),
    ],
)
def test_values_are_exact_and_can_be_stored(text: str, value: Any) -> None:
    assert loads(text) == value
    assert type(loads(text)) is type(value)


@pytest.mark.parametrize(
    "text", ["", "{", "[1] x", "NaN", "-Infinity", "1e400", "1e-400", "1e99999999999999999999", "[" * 100_000, "'a'"]
)
def test_everything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is all that is promised
        loads(text)


BAD_LISTS: list[tuple[bytes, Any]] = [
    (b"", msg("answer.no_list", found="nothing", number=0)),
    (b"  ", msg("answer.no_list", found="nothing", number=0)),
    (b"null", msg("answer.no_list", found="null", number=0)),
    (b'{"data": []}', msg("answer.no_list", found="object", number=0)),
    (b"-3", msg("answer.no_list", found="number", number=0)),
    (b'"x"', msg("answer.no_list", found="text", number=0)),
    (b"<html></html>", msg("answer.no_list", found="html", number=0)),
    (b"true", msg("answer.no_list", found="boolean", number=0)),
    (b"Oops", msg("answer.no_list", found="other", number=0)),
    (b"[", msg("answer.no_record", found="nothing", number=1)),
    (b"[[]]", msg("answer.no_record", found="list", number=1)),
    (b'[{"a": 1}', msg("answer.no_comma", found="nothing", number=1)),
    (b'[{"a": 1} {"a": 2}]', msg("answer.no_comma", found="object", number=1)),
    (b'[{"a": 1},]', msg("answer.no_record", found="other", number=2)),
    (b'[{"a": 1}, {"a": 2', msg("answer.no_record", found="broken", number=2)),
    (b'[{"a": ' + b"[" * 100_000, msg("answer.no_record", found="broken", number=1)),
    (b'[{"a": NaN}]', msg("answer.no_record", found="broken", number=1)),
    (b'[{"a": ' + b"9" * 5000 + b"}]", msg("answer.no_record", found="broken", number=1)),
    (b"[{'a': 1}]", msg("answer.no_record", found="broken", number=1)),
    (b"[] []", msg("answer.more_after_list", found="list", number=0)),
    (b'[{"a": "\xff"}]', msg("answer.no_utf8")),
    (b"[]\xc3", msg("answer.no_utf8")),
]


@pytest.mark.parametrize(("body", "problem"), BAD_LISTS, ids=[body[:20].decode("latin-1") for body, _ in BAD_LISTS])
def test_a_list_that_is_not_one_whole_list_of_objects_says_where(body: bytes, problem: Any) -> None:
    with pytest.raises(BadList) as caught:
        listed(body)
    assert caught.value.problem == problem


def test_a_list_cut_anywhere_is_never_taken_for_whole() -> None:
    whole = json.dumps([{"Code": 1, "Name": "علی]"}, {"Code": 2, "Name": '}]"'}], ensure_ascii=False).encode()
    assert len(listed(whole + b"\n")) == 2
    for end in range(len(whole)):
        with pytest.raises(BadList):
            listed(whole[:end])


class Portions(io.RawIOBase):
    """A file that never gives more than a few bytes at a time."""

    def __init__(self, body: bytes, portion: int) -> None:
        self._body, self._portion = body, portion

    def read(self, _: int = -1) -> bytes:
        part, self._body = self._body[: self._portion], self._body[self._portion :]
        return part


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text() | st.lists(st.text())), max_size=5
    ),
    st.integers(1, 20),
    st.sampled_from([None, 1]),
    st.booleans(),
)
@example([{"a": "\ud83d\ude00\ud800"}], 3, None, True)
def test_the_reader_gives_what_was_written_in_any_portions(
    written: list[dict[str, Any]], portion: int, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(written, indent=indent, ensure_ascii=escaped)
    body = text.encode(errors="surrogatepass") if escaped else text.encode()
    assert list(records(Portions(body, portion))) == loads(text)  # type: ignore[arg-type]
