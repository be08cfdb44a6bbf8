"""Settings: defaults, ranges, paths, one error for everything that is wrong, and no secret in any text."""

from __future__ import annotations

import re
import traceback
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from siaghsync.errors import SettingsError
from siaghsync.messages.catalog import cure, render
from siaghsync.settings import Settings, load, requirement

HASH = "0123456789ABCDEF0123456789ABCDEF"
REQUIRED = {
    "CRM_API_BASE_URL": "http://127.0.0.1:8001",
    "CRM_USERNAME": "webservice",
    "CRM_PASSWORD": "crm-secret",
    "FINANCE_API_BASE_URL": "http://127.0.0.1:8002",
    "FINANCE_USERNAME": "مدیر سیستم",
    "FINANCE_PASSWORD": HASH,
}


def settings(tmp_path: Path, **more: str) -> Settings:
    return load(None, REQUIRED | more, tmp_path)


def refusal(tmp_path: Path, environ: dict[str, str], env_file: Path | None = None) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(env_file, environ, tmp_path)
    return caught.value


def told(error: SettingsError) -> str:
    return render(error.message)


SECRET_ONES = ("webhook_secret", "dashboard_password_hash", "healthcheck_url", "alert_url", "notify_urls")


def test_defaults(tmp_path: Path) -> None:
    plain = settings(tmp_path).model_dump(exclude={name.lower() for name in REQUIRED})
    secrets = {name: plain.pop(name).get_secret_value() for name in SECRET_ONES}
    assert set(secrets.values()) == {""}
    assert plain == {
        "siaghsync_state": tmp_path / "siaghsync.db",
        "siaghsync_mapping": tmp_path / "mapping.toml",
        "customer_number_prefix": "",
        "customer_number_offset": 0,
        "customer_number_width": 0,
        "crm_person_type": ("person",),
        "crm_organization_type": ("organization",),
        "crm_category": "",
        "customers_without_number": "skip",
        "import_inactive": False,
        "sync_quotes": True,
        "sync_invoices": True,
        "invoice_states": "numbered",
        "invoices_since": None,
        "preinvoice_customer": None,
        "preinvoice_sale_model": 1,
        "preinvoice_sales_centre": None,
        "preinvoice_payment_type": 2,
        "preinvoice_sale_kind": 1,
        "preinvoice_intermediary": 31,
        "finance_note_marker": True,
        "concurrency": 8,
        "http_timeout_seconds": 30,
        "tls_ca_file": None,
        "max_retry_attempts": 3,
        "unknown_grace_seconds": 600,
        "max_creates_per_run": 500,
        "max_updates_per_run": 500,
        "poll_interval_seconds": 300,
        "verify_per_run": 0,
        "keep_days": 730,
        "enable_webhooks": False,
        "dashboard_url": "",
        "metrics_file": None,
    }


def test_values_are_read_by_their_kind(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        CUSTOMER_NUMBER_PREFIX=" 100- ",
        CUSTOMER_NUMBER_OFFSET="-5",
        SYNC_QUOTES="no",
        INVOICE_STATES="any",
        PREINVOICE_SALES_CENTRE="7",
        HTTP_TIMEOUT_SECONDS="0.3",
        ENABLE_WEBHOOKS="true",
        WEBHOOK_SECRET=" s ",
        NOT_A_SETTING="1",
    )
    assert (read.customer_number_prefix, read.customer_number_offset) == ("100-", -5)
    assert (read.sync_quotes, read.invoice_states, read.preinvoice_sales_centre) == (False, "any", 7)
    assert (read.http_timeout_seconds, read.webhook_secret.get_secret_value()) == (0.3, " s ")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path).concurrency = 9


def test_an_empty_value_is_none(tmp_path: Path) -> None:
    optional = {name.upper(): "  " for name in Settings.model_fields if name.upper() not in REQUIRED}
    assert settings(tmp_path, **optional) == settings(tmp_path)
    assert "CRM_PASSWORD is missing" in told(refusal(tmp_path, REQUIRED | {"CRM_PASSWORD": ""}))


# --- what is wrong -----------------------------------------------------------------------------------------


def test_nothing_set_names_every_required_setting_and_its_cure(tmp_path: Path) -> None:
    error = refusal(tmp_path, {})
    for name in REQUIRED:
        assert f"{name} is missing: set it to " in told(error)
    assert "hash-password" in told(error)
    assert str(tmp_path / ".env") in cure(error.message)
    assert error.exit_code == 2


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    bad = {"CONCURRENCY": "0", "INVOICE_STATES": "some", "CRM_API_BASE_URL": "crm", "ENABLE_WEBHOOKS": "perhaps"}
    error = refusal(tmp_path, {**REQUIRED, **bad, "CRM_USERNAME": ""})
    assert told(error).startswith("Settings that need attention: 5\n")
    assert "CONCURRENCY must be a whole number from 1 to 64, not '0'." in told(error)
    for name in (*bad, "CRM_USERNAME"):
        assert name in told(error)


@pytest.mark.parametrize(
    ("name", "fit", "unfit"),
    [
        ("CUSTOMER_NUMBER_WIDTH", ["0", "18"], ["-1", "19", "two"]),
        ("CUSTOMER_NUMBER_OFFSET", ["-999999999", "999999999"], ["1000000000", "1.5"]),
        ("PREINVOICE_SALE_MODEL", ["0", "999999999"], ["-1", "PI_5"]),
        ("PREINVOICE_SALES_CENTRE", ["0", "999999999"], ["-1"]),
        ("PREINVOICE_PAYMENT_TYPE", ["0", "999999999"], ["-1"]),
        ("PREINVOICE_SALE_KIND", ["0", "999999999"], ["-1"]),
        ("PREINVOICE_INTERMEDIARY", ["0", "999999999"], ["-1"]),
        ("CONCURRENCY", ["1", "64"], ["0", "65"]),
        ("HTTP_TIMEOUT_SECONDS", ["0.05", "3600"], ["0", "-1", "3601", "nan", "inf"]),
        ("MAX_RETRY_ATTEMPTS", ["1", "20"], ["0", "21"]),
        ("UNKNOWN_GRACE_SECONDS", ["0", "604800"], ["-1", "604801"]),
        ("MAX_CREATES_PER_RUN", ["0", "1000000"], ["-1", "1000001"]),
        ("MAX_UPDATES_PER_RUN", ["0", "1000000"], ["-1", "1000001"]),
        ("POLL_INTERVAL_SECONDS", ["1", "604800"], ["0", "604801"]),
        ("IMPORT_INACTIVE", ["true", "False", "1", "0", "yes", "off"], ["2", "ja"]),
        ("SYNC_QUOTES", ["true"], ["2"]),
        ("SYNC_INVOICES", ["true"], ["2"]),
        ("FINANCE_NOTE_MARKER", ["true"], ["2"]),
        ("INVOICE_STATES", ["numbered", "approved", "any"], ["Any"]),
        ("CUSTOMERS_WITHOUT_NUMBER", ["skip", "create"], ["Skip", "no"]),
        ("PREINVOICE_CUSTOMER", ["party", "contact"], ["code"]),
        ("CRM_PERSON_TYPE", ["person", "person,lead", "lead، M_01"], [","]),
        ("INVOICES_SINCE", ["2025-03-21"], ["2025-3-21", "2025-02-29", "yesterday", "1404-12-30", "0000-01-01"]),
    ],
)
def test_ranges(tmp_path: Path, name: str, fit: list[str], unfit: list[str]) -> None:
    for value in fit:
        settings(tmp_path, **{name: value})
    for value in unfit:
        assert f"{name} must be " in told(refusal(tmp_path, REQUIRED | {name: value}))
        assert repr(value) in told(refusal(tmp_path, REQUIRED | {name: value}))


def test_each_setting_says_in_both_languages_what_it_must_be(tmp_path: Path) -> None:
    for name in Settings.model_fields:
        assert render(requirement(name), "en").strip()
        assert re.search("[\u0600-\u06ff]|^`?true", render(requirement(name), "fa"))
    error = refusal(tmp_path, REQUIRED | {"CONCURRENCY": "0", "CRM_PASSWORD": ""})
    said = render(error.message, "fa").replace("\u200e", "")
    assert "CONCURRENCY نمی‌تواند '0' باشد. مقدار درست: یک عدد صحیح از 1 تا 64." in said
    assert "CRM_PASSWORD خالی است. مقدار آن: گذرواژهٔ CRM_USERNAME." in said


def test_webhooks_need_a_secret(tmp_path: Path) -> None:
    assert "WEBHOOK_SECRET is missing" in told(refusal(tmp_path, REQUIRED | {"ENABLE_WEBHOOKS": "true"}))


# --- dates and addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2025-03-21", "1404-01-01", "۱۴۰۴-۰۱-۰۱", "۲۰۲۵-۰۳-۲۱"])
def test_both_calendars(tmp_path: Path, text: str) -> None:
    assert settings(tmp_path, INVOICES_SINCE=text).invoices_since == date(2025, 3, 21)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("http://172.16.16.16", "http://172.16.16.16"),
        ("https://crm.example.com/", "https://crm.example.com"),
        ("https://crm.example.com:8443/crm//", "https://crm.example.com:8443/crm"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_loses_its_trailing_slash(tmp_path: Path, text: str, kept: str) -> None:
    read = settings(tmp_path, CRM_API_BASE_URL=text, HEALTHCHECK_URL=text)
    assert (read.crm_api_base_url, read.healthcheck_url.get_secret_value()) == (kept, kept)


UNFIT_ADDRESSES = [
    "crm.example.com",
    "ftp://crm.example.com",
    "http://",
    "http://:80",
    "http://h:port",
    "http://h:99999",
    "http://me:hush@h",
    "http://h/#hush",
    "http://h\\hush",
    "http://h/a hush",
    "http://[::1",
]


@pytest.mark.parametrize("text", [*UNFIT_ADDRESSES, "http://h/?hush", "http://h?"])
@pytest.mark.parametrize("name", ["CRM_API_BASE_URL", "FINANCE_API_BASE_URL", "HEALTHCHECK_URL"])
def test_an_unfit_address_is_refused_and_not_shown(tmp_path: Path, name: str, text: str) -> None:
    message = told(refusal(tmp_path, REQUIRED | {name: text}))
    assert re.search(rf"{name} must be .*address.* \(http:// or https:// in front; ", message)
    assert ", not " not in message
    assert "hush" not in message


@pytest.mark.parametrize("text", UNFIT_ADDRESSES)
def test_an_unfit_alert_address(tmp_path: Path, text: str) -> None:
    assert "ALERT_URL must be " in told(refusal(tmp_path, REQUIRED | {"ALERT_URL": text}))


def test_an_alert_address_is_used_as_it_is(tmp_path: Path) -> None:
    text = "https://h/hook/?api-version=1&sig=x/"
    assert settings(tmp_path, ALERT_URL=text).alert_url.get_secret_value() == text


# --- secrets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [HASH, HASH.lower(), f" {HASH} "])
def test_the_hash_is_sent_in_upper_case(tmp_path: Path, text: str) -> None:
    assert settings(tmp_path, FINANCE_PASSWORD=text).finance_password.get_secret_value() == HASH


@pytest.mark.parametrize("text", ["hush", HASH[:31], HASH + "0", "G" + HASH[1:], "۰" * 32])
def test_a_plain_finance_password_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, REQUIRED | {"FINANCE_PASSWORD": text})
    assert "FINANCE_PASSWORD must be the MD5 of the password (32 hex digits)" in told(error)
    assert "siaghsync hash-password" in told(error)
    assert text not in told(error)


def test_no_secret_in_any_text(tmp_path: Path) -> None:
    secrets = {
        "CRM_PASSWORD": "hush1",
        "WEBHOOK_SECRET": "hush2",
        "HEALTHCHECK_URL": "http://127.0.0.1/hush3",
        "ALERT_URL": "http://127.0.0.1/hush4",
        "NOTIFY_URLS": "tgram://hush6",
        "CRM_API_BASE_URL": "http://127.0.0.1/hush5",
    }
    read = settings(tmp_path, **secrets)
    for text in (repr(read), str(read), repr(read.model_dump(exclude={"crm_api_base_url"}))):
        assert "hush" not in text
        assert HASH not in text


def test_no_secret_in_a_traceback(tmp_path: Path) -> None:
    error = refusal(tmp_path, REQUIRED | {"FINANCE_PASSWORD": "hush", "CONCURRENCY": "x"})
    assert error.__context__ is None
    assert "hush" not in told(error)
    assert "hush" not in "".join(traceback.format_exception(error))


# --- the env file ------------------------------------------------------------------------------------------


def write(path: Path, **values: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    return path


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path / ".env", **REQUIRED, CONCURRENCY="2", MAX_RETRY_ATTEMPTS="5")
    read = load(None, {"CONCURRENCY": "4"}, tmp_path)
    assert (read.concurrency, read.max_retry_attempts, read.finance_username) == (4, 5, "مدیر سیستم")


def test_an_explicit_file_must_exist(tmp_path: Path) -> None:
    error = refusal(tmp_path, REQUIRED, Path("other.env"))
    assert str(tmp_path / "other.env") in told(error)
    assert "no such file" in told(error)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert "is a directory" in told(refusal(tmp_path, REQUIRED))
    (tmp_path / "bytes.env").write_bytes(b"CRM_PASSWORD=hush\xff\n")
    error = refusal(tmp_path, REQUIRED, Path("bytes.env"))
    assert "not UTF-8" in told(error)
    assert error.__context__ is None


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('# first\n\n\nCRM_PASSWORD="hush\nCRM_USERNAME=me\n', encoding="utf-8")
    error = refusal(tmp_path, REQUIRED)
    assert f"Line 4 of {tmp_path / '.env'} can't be read" in told(error)
    assert "hush" not in told(error)


@pytest.mark.parametrize(
    "name", ["SIAGHSYNC_STATE", "SIAGHSYNC_MAPPING", "METRICS_FILE", "TLS_CA_FILE", "CRM_USERNAME", "CRM_API_BASE_URL"]
)
def test_a_line_with_a_nul_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"# first\n{name}='http://a\0b'\n", encoding="utf-8")
    assert f"Line 2 of {tmp_path / '.env'} holds a character" in told(refusal(tmp_path, REQUIRED))


def test_windows_files_are_read(tmp_path: Path) -> None:
    lines = "".join(f"{name}={value}\r\n" for name, value in REQUIRED.items())
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert load(None, {}, tmp_path).crm_api_base_url == REQUIRED["CRM_API_BASE_URL"]


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("CRM_PASSWORD=a#b$c${HOME}d", "a#b$c${HOME}d"),
        ("CRM_PASSWORD='a #b \"c\" $d  '", 'a #b "c" $d  '),
        ('CRM_PASSWORD="it\'s #1"', "it's #1"),
        ("export CRM_PASSWORD=a=b # a comment", "a=b"),
        ("CRM_PASSWORD=گذرواژه", "گذرواژه"),
        ("CRM_PASSWORD=first\nCRM_PASSWORD=last", "last"),
    ],
)
def test_passwords_survive_the_file(tmp_path: Path, line: str, password: str) -> None:
    (tmp_path / ".env").write_text(line + "\n", encoding="utf-8")
    others = {name: value for name, value in REQUIRED.items() if name != "CRM_PASSWORD"}
    assert load(None, others, tmp_path).crm_password.get_secret_value() == password


@hypothesis_settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_passwords_survive_the_environment(password: str) -> None:
    read = load(None, REQUIRED | {"CRM_PASSWORD": password}, Path("/nowhere"))
    assert read.crm_password.get_secret_value() == password


@hypothesis_settings(deadline=None)
@given(st.sampled_from([name.upper() for name in Settings.model_fields]), st.text())
def test_any_text_is_a_value_or_a_settings_error(name: str, text: str) -> None:
    problem = name
    try:
        load(None, REQUIRED | {name: text}, Path("/nowhere"))
    except SettingsError as error:
        problem = told(error)
    assert name in problem


# --- paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env_file", "more", "state", "expected"),
    [
        (None, {}, None, "siaghsync.db"),
        (None, {"SIAGHSYNC_STATE": "var/s.db"}, None, "var/s.db"),
        ("etc/live.env", {}, None, "etc/siaghsync.db"),
        ("etc/live.env", {"SIAGHSYNC_STATE": "s.db"}, None, "etc/s.db"),
        ("etc/live.env", {"SIAGHSYNC_STATE": "/srv/s.db"}, None, "/srv/s.db"),
        ("etc/live.env", {"SIAGHSYNC_STATE": "s.db"}, "mine.db", "mine.db"),
        ("etc/live.env", {}, "/srv/mine.db", "/srv/mine.db"),
    ],
)
def test_where_the_state_file_is(
    tmp_path: Path, env_file: str | None, more: dict[str, Any], state: str | None, expected: str
) -> None:
    write(tmp_path / "etc/live.env", **REQUIRED)
    file = Path(env_file) if env_file else None
    read = load(file, REQUIRED | more, tmp_path, Path(state) if state else None)
    assert read.siaghsync_state == tmp_path / expected


def test_the_metrics_file_lies_beside_the_env_file_too(tmp_path: Path) -> None:
    assert settings(tmp_path, METRICS_FILE="m.prom").metrics_file == tmp_path / "m.prom"
