"""The mapping file: what it means, and that every mistake is told with its line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from siaghsync.errors import SettingsError
from siaghsync.mapping_file import MappingFile, load_mapping
from siaghsync.messages.catalog import render
from siaghsync.settings import load
from tests.unit.test_settings import REQUIRED

WHOLE = """
[customers]
national_code_property = "melli"
[cities]
"تهران" = "21"
"طهران" = 21
"شهر ری" = "۲۲"
[documents.PI_5]
post = true
sale_model = 5
sales_centre = 2
sale_kind = 2
payment_type = 2
intermediary = 31
states = "approved"
[documents.default]
post = false
"""


def read(folder: Path, text: str) -> MappingFile:
    path = folder / "mapping.toml"
    path.write_text(text, "utf-8")
    return load_mapping(path, required=True)


def told(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    assert caught.value.exit_code == 2
    for language in ("en", "fa"):
        assert str(folder / "mapping.toml") in render(caught.value.message, language)
    return render(caught.value.message)


def test_all_that_it_can_hold(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    site = found.site()
    assert site.national_code_property == "melli"
    assert [site.code_of("city", name) for name in ("تهران", "تهران ", "شهرري", "قم", "")] == ["21", "21", "22", "", ""]
    assert [site.name_of("city", code) for code in ("21", "22", "7", "")] == ["تهران", "شهر ری", "", ""]
    assert site.code_of("province", "تهران") == ""
    assert found.documents["PI_5"].model_dump(exclude_none=True) == {
        "post": True, "sale_model": 5, "sales_centre": 2, "sale_kind": 2, "payment_type": 2, "intermediary": 31,
        "states": "approved",
    }  # fmt: skip
    assert found.documents["default"].model_dump(exclude_none=True) == {"post": False}


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff# nothing\n") == MappingFile() == load_mapping(tmp_path / "no.toml", required=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[customers]\nnational_code_propertty = 'x'",
            "Line 2: there is no key customers.national_code_propertty. Did you",
        ),
        ("\n[document.PI_5]\npost = true", "Line 2: there is no key document. Did you mean documents?"),
        (
            "[documents.PI_5]\npost = true\n\nsale_modell = 5",
            "Line 4: there is no key documents.PI_5.sale_modell. Did you mean",
        ),
        ("[documents.PI_5]\nwholly_else = 5", "Line 2: there is no key documents.PI_5.wholly_else.\n"),
        (
            "[documents.PI_5]\nsale_model = '5'",
            "Line 2: documents.PI_5.sale_model must be a whole number from 0 to 999999999",
        ),
        ("[documents.PI_5]\npost = 1", "Line 2: documents.PI_5.post must be true or false, not 1."),
        (
            "[documents.a]\nstates = 'some'",
            "Line 2: documents.a.states must be `numbered`, `approved` or `any`, not 'some'.",
        ),
        ("documents = 5", "Line 1: documents must be a table, not 5."),
        ("[documents]\nPI_5 = 5", "Line 2: documents.PI_5 must be a table, not 5."),
        ("[cities]\n'a' = '1'\n'b' = 'two'", "Line 3: cities.b must be a code of Siagh, in digits, not 'two'."),
        ("[cities]\n'a' = '''\n1'''\n'b' = true", "Line 4: cities.b must be a code of Siagh, in digits, not True."),
        (
            "[cities]\n'شهر ری' = 1\n'شهرري' = 2",
            "Line 3: cities.شهرري is the same name as one above it, with another code.",
        ),
        ("[cities]\n'a' = ", "It can't be read as TOML: "),
        ("a = " + "[" * 100_000, "It can't be read as TOML: "),
        ("[customers]\nnational_code_property = 5", "Line 2: customers.national_code_property must be a text, not 5."),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in told(tmp_path, text) + "\n"


def test_mistakes_in_a_long_file_are_told_in_no_time(tmp_path: Path) -> None:
    lines = [f"'city {n}' = {n}" for n in range(30_000)]
    text = "\n".join(["[cities]", *lines, "'first' = 'no'  # city 7", *(f"'wrong {n}' = 'no'" for n in range(100))])
    problems = told(tmp_path, text)
    assert "Line 30002: cities.first must be a code" in problems
    assert "Line 30021: cities.wrong 18 must be a code" in problems


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = told(tmp_path, "[documents.PI_5]\npots = true\n[cities]\n'a' = 'b'\n")
    assert "Line 2" in text
    assert "Line 4" in text


def test_it_stands_beside_the_env_file_or_where_the_setting_says(tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    env = tmp_path / "beside" / ".env"
    env.write_text("", "utf-8")
    assert load(env, REQUIRED, tmp_path).mapping == MappingFile()
    (tmp_path / "beside" / "mapping.toml").write_text(WHOLE, "utf-8")
    assert "PI_5" in load(env, REQUIRED, tmp_path).mapping.documents
    (tmp_path / "beside" / "other.toml").write_text("[documents.X]", "utf-8")
    found = load(env, REQUIRED | {"SIAGHSYNC_MAPPING": "other.toml"}, tmp_path)
    assert (list(found.mapping.documents), found.siaghsync_mapping) == (["X"], tmp_path / "beside" / "other.toml")
    with pytest.raises(SettingsError) as caught:
        load(env, REQUIRED | {"SIAGHSYNC_MAPPING": "missing.toml"}, tmp_path)
    assert "There is no such file" in render(caught.value.message)
