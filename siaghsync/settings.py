"""Environment and `.env` file become one frozen, validated object. Secrets never print.

Every setting is one field of `Settings`, called by the setting's name in lower case. Its `json_schema_extra` is a message of
the catalog's chapter `settings` (`requirement`): it completes the sentence "NAME must be" for a user whose value is missing or
wrong, and stands in the settings reference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream
from persiantools.jdatetime import JalaliDate
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from siaghsync.dashboard_users import FILE_NAME as USERS_FILE
from siaghsync.domain.document import DocumentSource
from siaghsync.domain.normalize import ascii_digits
from siaghsync.errors import SettingsError
from siaghsync.mapping_file import MappingFile, States, load_mapping
from siaghsync.messages.message import Message, Param, msg
from siaghsync.password_hash import is_hash

MAPPING = "mapping.toml"
"""The name of the mapping file beside the env file. It need not be there; a file of another name that is asked for must."""
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


def _optional_root(text: str) -> str:
    return _root(text) if text.strip() else ""


def _services(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().strip() and find_spec("apprise") is None:
        raise ValueError("the library is not installed")
    return secret


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
        return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
    return date(year, month, day)


def _several(text: object) -> object:
    """Codes separated by commas."""
    return tuple(filter(None, map(str.strip, re.split("[,،]", text)))) if isinstance(text, str) else text


def _must_be(code: str, **params: Param) -> dict[str, Any]:
    """What a setting must be, as the `json_schema_extra` of its field."""
    return msg(f"settings.{code}", **params).as_json()


def _whole(default: int | None, low: int, high: int) -> Any:
    return Field(default, ge=low, le=high, json_schema_extra=_must_be("whole_number", low=low, high=high))


def _flag(default: bool) -> Any:
    return Field(default, json_schema_extra=_must_be("true_or_false"))


def _text(default: Any, code: str) -> Any:
    return Field(default, json_schema_extra=_must_be(code))


def _code(default: int | None) -> Any:
    return _whole(default, 0, 999_999_999)


def _secret(code: str, default: Any = ...) -> Any:
    """A value that stays out of every text; `...` as the default makes it a required one."""
    return Field(default, repr=False, json_schema_extra=_must_be(code))


Types = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class Settings(BaseModel):
    """All settings, with their defaults. Times are in seconds, paths absolute, dates Gregorian.

    Addresses stay out of the repr as secrets do: some carry a secret in their path.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    crm_api_base_url: Annotated[str, AfterValidator(_root)] = _secret("crm_address")
    crm_username: str = _text(..., "crm_user")
    crm_password: SecretStr = _secret("crm_password")
    finance_api_base_url: Annotated[str, AfterValidator(_root)] = _secret("finance_address")
    finance_username: str = _text(..., "finance_user")
    finance_password: Annotated[SecretStr, AfterValidator(_finance_hash)] = _secret("finance_password")
    siaghsync_state: Path = Field(Path("siaghsync.db"), json_schema_extra=_must_be("state_path"))
    siaghsync_mapping: Path = Field(Path(MAPPING), json_schema_extra=_must_be("mapping_path"))

    customer_number_prefix: Annotated[str, AfterValidator(ascii_digits)] = _text("", "number_prefix")
    customer_number_offset: int = _whole(0, -999_999_999, 999_999_999)
    customer_number_width: int = _whole(0, 0, 18)
    crm_person_type: Types = _text(("person",), "person_type")
    crm_organization_type: Types = _text(("organization",), "organization_type")
    crm_category: str = _text("", "category")
    customers_without_number: Literal["skip", "create"] = _text("skip", "without_number")
    import_inactive: bool = _flag(False)

    sync_quotes: bool = _flag(True)
    sync_invoices: bool = _flag(True)
    invoice_states: States = _text("numbered", "invoice_states")
    invoices_since: Annotated[date | None, BeforeValidator(either_calendar)] = Field(
        None, json_schema_extra=_must_be("day")
    )
    preinvoice_customer: Literal["party", "contact"] | None = _text(None, "preinvoice_customer")
    preinvoice_sale_model: int = _code(1)
    preinvoice_sales_centre: int | None = _code(None)
    """None: the same as the sale model of the document at hand."""
    preinvoice_payment_type: int = _code(2)
    preinvoice_sale_kind: int = _code(1)
    preinvoice_intermediary: int = _code(31)
    finance_note_marker: bool = _flag(True)

    concurrency: int = _whole(8, 1, 64)
    http_timeout_seconds: float = Field(
        30, gt=0, le=3600, allow_inf_nan=False, json_schema_extra=_must_be("seconds", high=3600)
    )
    tls_ca_file: Path | None = Field(None, json_schema_extra=_must_be("tls_ca_path"))
    max_retry_attempts: int = _whole(3, 1, 20)
    unknown_grace_seconds: int = _whole(600, 0, 604_800)
    max_creates_per_run: int = _whole(500, 0, 1_000_000)
    max_updates_per_run: int = _whole(500, 0, 1_000_000)
    poll_interval_seconds: int = _whole(300, 1, 604_800)
    verify_per_run: int = _whole(0, 0, 100_000)
    keep_days: int = _whole(730, 0, 36_500)

    enable_webhooks: bool = _flag(False)
    webhook_secret: SecretStr = _secret("webhook_secret", SecretStr(""))
    dashboard_password_hash: Annotated[SecretStr, AfterValidator(_dashboard_hash)] = _secret(
        "dashboard_hash", SecretStr("")
    )
    healthcheck_url: Annotated[SecretStr, AfterValidator(_secret_root)] = _secret("address", SecretStr(""))
    alert_url: Annotated[SecretStr, AfterValidator(_secret_address)] = _secret("address_with_query", SecretStr(""))
    notify_urls: Annotated[SecretStr, AfterValidator(_services)] = _secret("notify_addresses", SecretStr(""))
    dashboard_url: Annotated[str, AfterValidator(_optional_root)] = _text("", "address")
    metrics_file: Path | None = Field(None, json_schema_extra=_must_be("metrics_path"))
    _env_file: Path = PrivateAttr(Path(".env"))

    @property
    def env_file(self) -> Path:
        """The env file, whether it is there or not."""
        return self._env_file

    @property
    def own_files(self) -> tuple[Path, ...]:
        """What no output may replace: the state file, its lock, what SQLite keeps beside it, the env and the mapping file."""
        state, env = os.path.realpath(self.siaghsync_state), self._env_file
        beside_state = (Path(f"{state}{ending}") for ending in ("", ".lock", "-wal", "-shm", "-journal"))
        return (*beside_state, env, self.siaghsync_mapping, env.with_name(USERS_FILE))

    def shown(self) -> dict[str, Any]:
        """All settings by their names, for somebody outside: of addresses scheme and port, of paths the last part, of secrets
        whether they are set, of users how long their names are."""
        return {name.upper(): _shown(name, value) for name, value in self}

    _mapping: MappingFile = PrivateAttr(default_factory=MappingFile)

    @property
    def mapping(self) -> MappingFile:
        """What the mapping file says."""
        return self._mapping

    @property
    def document_sources(self) -> tuple[DocumentSource, ...]:
        """Which documents are read, by SYNC_QUOTES and SYNC_INVOICES."""
        wanted: dict[DocumentSource, bool] = {"quote": self.sync_quotes, "invoice": self.sync_invoices}
        return tuple(source for source, is_wanted in wanted.items() if is_wanted)

    @property
    def switched_off(self) -> tuple[DocumentSource, ...]:
        """Which documents are never read."""
        both: tuple[DocumentSource, ...] = ("quote", "invoice")
        return tuple(source for source in both if source not in self.document_sources)


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "not set"
    if name.endswith("_username"):
        return f"text({len(value)})"
    if isinstance(value, Path):
        return value.name
    if isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        return f"{parts.scheme}://(host){f':{parts.port}' if parts.port else ''}"
    return value if isinstance(value, bool | int | float | None) else str(value)


def requirement(name: str) -> Message:
    """What the setting `name` (in lower case) must be: a message that completes the sentence "NAME must be"."""
    return Message.from_json(cast(dict[str, Any], Settings.model_fields[name].json_schema_extra))


# --- loading -----------------------------------------------------------------------------------------------


def load(env_file: Path | None, environ: Mapping[str, str], cwd: Path, state: Path | None = None) -> Settings:
    """The settings from `environ` and, where it is silent, from the env file (`.env` in `cwd` if not given).

    An empty value counts as none. Relative paths among the settings start at the env file's folder, `env_file`
    and `state` (which replaces SIAGHSYNC_STATE) at `cwd`. Raises one SettingsError that names every setting that
    is missing or wrong, and never shows a secret or an address; one about the mapping file names its lines and keys.
    """
    path = cwd / (env_file or ".env")
    text = _read(path, required=env_file is not None)
    given = _given({**dotenv_values(stream=StringIO(text), interpolate=False), **environ})
    problems = [msg(code, line=line, file=str(path)) for code, line in _broken_lines(text)]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_problem(str(item["loc"][0]), given) for item in error.errors(include_input=False)]
    else:
        if settings.enable_webhooks and not settings.webhook_secret:
            problems.append(_problem("webhook_secret", given))
        if not problems:
            settings = _anchored(settings, path, cwd / state if state else None)
            named = given.get("siaghsync_mapping", MAPPING) != MAPPING
            settings._mapping = load_mapping(settings.siaghsync_mapping, required=named)
            return settings
    # Raised outside of `except`, so that no traceback carries pydantic's own error along.
    raise SettingsError("settings.problems", count=len(problems), problems=tuple(problems), file=str(path))


def dashboard_hash(environ: Mapping[str, str]) -> Callable[[Path], str]:
    """Reads DASHBOARD_PASSWORD_HASH out of an env file; "" if it is not there or no hash. The environment comes first."""

    def read(env_file: Path) -> str:
        name = "DASHBOARD_PASSWORD_HASH"
        try:
            kept = environ.get(name) or dotenv_values(env_file, interpolate=False, encoding="utf-8-sig").get(name)
        except (OSError, UnicodeDecodeError):
            return ""
        kept = (kept or "").strip()
        return kept if is_hash(kept) else ""

    return read


def _read(path: Path, *, required: bool) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not required:
            return ""
        problem = msg("settings.no_file", file=str(path))
    except OSError as error:
        problem = msg("settings.unreadable", file=str(path), error=str(error.strerror).lower())
    except UnicodeDecodeError:
        problem = msg("settings.not_utf8", file=str(path))
    # Raised here, so that no traceback carries the file's content along.
    raise SettingsError(problem.code, **problem.params)


def _broken_lines(text: str) -> Iterator[tuple[str, int]]:
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            yield "settings.broken_line", line_of(binding)
        elif "\0" in binding.original.string:
            yield "settings.nul_in_line", line_of(binding)


def line_of(binding: Binding) -> int:
    """The line of an env file that a binding begins in; the empty lines before it are a part of it, too."""
    string = binding.original.string
    return binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")


def _given(found: Mapping[str, str | None]) -> dict[str, str]:
    """The known settings that have a value; what surrounds a secret may be part of it, other spaces are not."""
    given = {}
    for name, field in Settings.model_fields.items():
        value = found.get(name.upper()) or ""
        if value.strip():
            given[name] = value if field.annotation is SecretStr else value.strip()
    return given


def _problem(name: str, given: Mapping[str, str]) -> Message:
    must, shown_name = requirement(name), name.upper()
    if name not in given:
        return msg("settings.missing", name=shown_name, must=must)
    if not Settings.model_fields[name].repr:
        return msg("settings.wrong", name=shown_name, must=must)
    return msg("settings.wrong_value", name=shown_name, must=must, value=repr(given[name][:40]))


def _anchored(settings: Settings, env_file: Path, state: Path | None) -> Settings:
    folder = env_file.parent
    paths: dict[str, Path] = {"siaghsync_state": state or folder / settings.siaghsync_state}
    paths["siaghsync_mapping"] = folder / settings.siaghsync_mapping
    if settings.metrics_file:
        paths["metrics_file"] = folder / settings.metrics_file
    if settings.tls_ca_file:
        paths["tls_ca_file"] = folder / settings.tls_ca_file
    anchored = settings.model_copy(update=paths)
    anchored._env_file = env_file
    return anchored
