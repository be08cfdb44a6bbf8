"""Environment and `.env` file become one frozen, validated object. Secrets never print.

Every setting is one field of `Settings`, called by the setting's name in lower case; its `description` finishes the
sentence "NAME must be ..." and is what a user reads when the value is missing or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from siaghsync.domain.customer import ascii_digits
from siaghsync.errors import SettingsError
from siaghsync.password_hash import is_hash

_FIRST_GREGORIAN_YEAR = 1700
"""A year before this one is a Jalali year."""

# --- kinds of values ---------------------------------------------------------------------------------------


def _address(text: str, *, query: bool = False) -> str:
    text = text.strip()
    parts = urlsplit(text)
    # Reading `port` is what makes urllib look at it; it raises ValueError too.
    fit = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    if not fit or "#" in text or ("?" in text and not query) or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError("not a usable address")
    return text


def _root(text: str) -> str:
    return _address(text).rstrip("/")


def _secret_root(secret: SecretStr) -> SecretStr:
    return SecretStr(_root(secret.get_secret_value()))


def _secret_address(secret: SecretStr) -> SecretStr:
    return SecretStr(_address(secret.get_secret_value(), query=True))


def _finance_hash(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", text):
        raise ValueError("not an MD5")
    return SecretStr(text.upper())


def _dashboard_hash(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not is_hash(text):
        raise ValueError("not a hash")
    return SecretStr(text)


def either_calendar(text: str) -> date:
    """`YYYY-MM-DD` in the Gregorian or the Jalali calendar, digits of any script. Raises ValueError."""
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
    if not found:
        raise ValueError("not a date")
    year, month, day = map(int, found.groups())
    if year < _FIRST_GREGORIAN_YEAR:
        from persiantools.jdatetime import JalaliDate  # most settings name no such date

        return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
    return date(year, month, day)


_ROOT = "http:// or https:// in front; no user name, password, ? or # in it"
_ANY = "http:// or https:// in front; no user name, password or # in it"


def _whole(default: int | None, low: int, high: int) -> Any:
    return Field(default, ge=low, le=high, description=f"a whole number from {low} to {high}")


def _flag(default: bool) -> Any:
    return Field(default, description="true or false")


def _text(default: str, description: str) -> Any:
    return Field(default, description=description)


def _code(default: int | None) -> Any:
    return _whole(default, 0, 999_999_999)


class Settings(BaseModel):
    """All settings, with their defaults. Times are in seconds, paths absolute, dates Gregorian.

    Addresses stay out of the repr as secrets do: some carry a secret in their path.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    crm_api_base_url: Annotated[str, AfterValidator(_root)] = Field(
        repr=False, description=f"the root address of the CRM ({_ROOT})"
    )
    crm_username: str = Field(description="the CRM user that siaghsync logs in as")
    crm_password: SecretStr = Field(repr=False, description="the password of CRM_USERNAME")
    finance_api_base_url: Annotated[str, AfterValidator(_root)] = Field(
        repr=False, description=f"the root address of Siagh ({_ROOT})"
    )
    finance_username: str = Field(description="the Siagh user that siaghsync logs in as")
    finance_password: Annotated[SecretStr, AfterValidator(_finance_hash)] = Field(
        repr=False,
        description="the MD5 of the password (32 hex digits); `siaghsync hash-password --save` makes and writes it",
    )
    siaghsync_state: Path = Field(Path("siaghsync.db"), description="the path of the state file")

    customer_number_prefix: Annotated[str, AfterValidator(ascii_digits)] = _text(
        "", "what every customer number begins with"
    )
    customer_number_offset: int = _whole(0, -999_999_999, 999_999_999)
    customer_number_width: int = _whole(0, 0, 18)
    crm_person_type: str = _text("person", "the subtype code of persons in the CRM")
    crm_organization_type: str = _text("organization", "the subtype code of organizations in the CRM")
    crm_category: str = _text("", "the key of a category in the CRM")
    import_inactive: bool = _flag(False)

    sync_quotes: bool = _flag(True)
    sync_invoices: bool = _flag(True)
    invoice_states: Literal["numbered", "any"] = Field("numbered", description="`numbered` or `any`")
    invoices_since: Annotated[date | None, BeforeValidator(either_calendar)] = Field(
        None, description="a date as YYYY-MM-DD, Gregorian or Jalali"
    )
    preinvoice_sale_model: int = _code(1)
    preinvoice_sales_centre: int | None = _code(None)
    """None: the same as the sale model of the document at hand."""
    preinvoice_payment_type: int = _code(2)
    preinvoice_sale_kind: int = _code(1)
    preinvoice_intermediary: int = _code(31)
    finance_note_marker: bool = _flag(True)

    concurrency: int = _whole(8, 1, 64)
    http_timeout_seconds: float = Field(
        30, gt=0, le=3600, allow_inf_nan=False, description="a number of seconds above 0, up to 3600"
    )
    max_retry_attempts: int = _whole(3, 1, 20)
    unknown_grace_seconds: int = _whole(600, 0, 604_800)
    max_creates_per_run: int = _whole(500, 0, 1_000_000)
    poll_interval_seconds: int = _whole(300, 1, 604_800)

    enable_webhooks: bool = _flag(False)
    webhook_secret: SecretStr = Field(
        SecretStr(""), repr=False, description="a long secret of your own, since ENABLE_WEBHOOKS is true"
    )
    dashboard_password_hash: Annotated[SecretStr, AfterValidator(_dashboard_hash)] = Field(
        SecretStr(""), repr=False, description="what `siaghsync hash-password --dashboard --save` makes and writes"
    )
    healthcheck_url: Annotated[SecretStr, AfterValidator(_secret_root)] = Field(
        SecretStr(""), repr=False, description=f"an address ({_ROOT})"
    )
    alert_url: Annotated[SecretStr, AfterValidator(_secret_address)] = Field(
        SecretStr(""), repr=False, description=f"an address ({_ANY})"
    )
    metrics_file: Path | None = Field(None, description="the path of a text file")


# --- loading -----------------------------------------------------------------------------------------------


def load(env_file: Path | None, environ: Mapping[str, str], cwd: Path, state: Path | None = None) -> Settings:
    """The settings from `environ` and, where it is silent, from the env file (`.env` in `cwd` if not given).

    An empty value counts as none. Relative paths among the settings start at the env file's folder, `env_file`
    and `state` (which replaces SIAGHSYNC_STATE) at `cwd`. Raises one SettingsError that names every setting that
    is missing or wrong, and never shows a secret or an address.
    """
    path = cwd / (env_file or ".env")
    text = _read(path, required=env_file is not None)
    given = _given({**dotenv_values(stream=StringIO(text), interpolate=False), **environ})
    problems = [f"Line {line} of {path} can't be read: is a quote not closed?" for line in _broken_lines(text)]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_sentence(str(item["loc"][0]), given) for item in error.errors(include_input=False)]
    else:
        if settings.enable_webhooks and not settings.webhook_secret:
            problems.append(_sentence("webhook_secret", given))
        if not problems:
            return _anchored(settings, path.parent, cwd / state if state else None)
    # Raised outside of `except`, so that no traceback carries pydantic's own error along.
    raise SettingsError(
        "\n  ".join([f"Settings that need attention: {len(problems)}", *problems]),
        f"Put them right in {path} or in the environment; .env.example explains each of them.",
    )


def _read(path: Path, *, required: bool) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not required:
            return ""
        why, hint = "there is no such file", "Check the path, or copy .env.example to it and fill it in."
    except OSError as error:
        why, hint = str(error.strerror).lower(), "Check what it is and who may read it."
    except UnicodeDecodeError:
        why, hint = "it is not UTF-8 text", "Save it again as UTF-8."
    raise SettingsError(f"The env file {path} can't be read: {why}.", hint)


def _broken_lines(text: str) -> Iterator[int]:
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            string = binding.original.string
            yield binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")


def _given(found: Mapping[str, str | None]) -> dict[str, str]:
    """The known settings that have a value; what surrounds a secret may be part of it, other spaces are not."""
    given = {}
    for name, field in Settings.model_fields.items():
        value = found.get(name.upper()) or ""
        if value.strip():
            given[name] = value if field.annotation is SecretStr else value.strip()
    return given


def _sentence(name: str, given: Mapping[str, str]) -> str:
    field = Settings.model_fields[name]
    if name not in given:
        return f"{name.upper()} is missing: set it to {field.description}."
    shown = f", not {given[name][:40]!r}" if field.repr else ""
    return f"{name.upper()} must be {field.description}{shown}."


def _anchored(settings: Settings, folder: Path, state: Path | None) -> Settings:
    paths: dict[str, Path] = {"siaghsync_state": state or folder / settings.siaghsync_state}
    if settings.metrics_file:
        paths["metrics_file"] = folder / settings.metrics_file
    return settings.model_copy(update=paths)
