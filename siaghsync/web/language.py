"""The two languages of the dashboard: texts, words, values, times. Persian reads right to left, with Jalali dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from markupsafe import Markup, escape

from siaghsync import clock
from siaghsync.domain.document import FIGURES
from siaghsync.features.check_apis.diagnose import Diagnosis
from siaghsync.messages import calendar, catalog
from siaghsync.messages.message import Message, Param, msg
from siaghsync.report.status import ago
from siaghsync.report.text import field_label, reason_title

_KINDS = {"0": "person", "1": "organization"}
"""The finance system's codes for kinds of contacts."""
_COMMAND = re.compile("`([^`]*)`")
_BY_DASHBOARD = " (dashboard)"
"""How the name of a dashboard's user ends in the state file."""


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """One of the two languages, as the pages use it."""

    code: catalog.Language

    @property
    def direction(self) -> Literal["rtl", "ltr"]:
        """The direction of its text."""
        return "rtl" if self.code == "fa" else "ltr"

    @property
    def other(self) -> catalog.Language:
        """The language to switch to."""
        return "en" if self.code == "fa" else "fa"

    # --- texts and words ---

    def text(self, name: str, /, **values: Param) -> str:
        """A text of the pages. Raises KeyError for a name without an entry."""
        return self.message(msg(f"web.{name}", **values))

    def message(self, message: Message) -> str:
        """The sentence of a message; each value in it keeps its own direction."""
        return catalog.render(message, self.code, isolate=True)

    def title(self, code: str) -> str:
        """The short name of an entry of the catalog."""
        return catalog.title(code, self.code)

    def with_commands(self, sentence: str) -> Markup:
        """The sentence with its command lines set off."""
        return Markup(_COMMAND.sub(r'<code dir="ltr">\1</code>', str(escape(sentence))))

    def cure(self, message: Message) -> str:
        """What to do about a message, or ""."""
        return catalog.cure(message, self.code)

    def word(self, group: str, name: object) -> str:
        """What a stable word of the program is called; the word itself if the catalog does not know it.

        `group` is a chapter (`operation`, `outcome`, `kind`, `match`), or what stands before the word in the chapter `word`.
        """
        key = str(name).replace("-", "_").replace(" ", "_")
        codes = (f"word.{group}_{key}", f"{group}.{key}")
        known = next((code for code in codes if catalog.find(code)), None)
        return catalog.title(known, self.code) if known else key.replace("_", " ")

    def kind(self, entity: str, kind: str | None = None) -> str:
        """What kind of record it is: its own kind, else that of its entity."""
        return self.word("kind", kind or ("document" if entity == "invoice" else entity))

    def reason(self, name: str) -> str:
        """The short sentence of a reason; the word itself if the catalog does not know it."""
        return reason_title(name, self.code)

    def causes(self, reason: str) -> list[str]:
        """How a review's reason comes about, the most likely cause first."""
        code = f"reason.{reason}"
        return catalog.causes(msg(code), self.code) if catalog.find(code) else []

    def causes_of(self, found: Diagnosis) -> list[str]:
        """The likely causes of a failure that was diagnosed, the most likely one first."""
        return catalog.causes(found.message, self.code, found.holds)

    def advice(self, reason: str) -> str:
        """What to do about a review's reason, or ""."""
        code = f"reason.{reason}"
        return self.cure(msg(code)) if catalog.find(code) else ""

    def actor(self, stored: str) -> str:
        """Who did something, as the audit trail names them."""
        name = stored.removesuffix(_BY_DASHBOARD)
        return name if name == stored else self.text("dashboard_user", name=name)

    # --- fields and values ---

    def field(self, key: str) -> str:
        """What a field, or a key of a document's differences (`rows.2.quantity`), is called."""
        return field_label(key, self.code)

    def value(self, key: str, value: Any) -> str:
        """A field's value for reading: figures grouped, codes in words, dates in the calendar, all else as it is."""
        name = key.rpartition(".")[2]
        if name in FIGURES and isinstance(value, (str, int)):
            return catalog.amount(value, self.code)
        if name in ("kind", "source") and value:
            return self.kind("", _KINDS.get(str(value), str(value)))
        if name in ("active", "gender") and str(value) in ("0", "1"):
            return self.word(name, value)
        if name == "date" and isinstance(value, str):
            return calendar.day_for(value, self.code)
        return self._joined(value)

    def _joined(self, value: Any) -> str:
        """Several values one after the other; of a labelled one ([label, value]) only the value."""
        if isinstance(value, (list, tuple)):
            parts = [part[-1] if isinstance(part, (list, tuple)) and part else part for part in value]
            return ("؛ " if self.code == "fa" else "; ").join(map(self._joined, parts))
        return "" if value is None else str(value)

    # --- numbers and times ---

    def number(self, value: int) -> str:
        """A number for reading, grouped by thousands."""
        return catalog.amount(value, self.code)

    def digits(self, text: object) -> str:
        """Digits for reading; never for what is to be typed somewhere, such as numbers and codes."""
        return catalog.digits(text, self.code)

    def amount(self, value: object) -> str:
        """An amount grouped by thousands; a text that is none stays as it is."""
        return catalog.amount(value, self.code)

    def moment(self, stored: str | None) -> str:
        """A stored UTC time in Tehran's time, in the language's calendar, to the minute; "" for None."""
        return calendar.moment_for(stored, self.code) if stored else ""

    def ago(self, stored: str) -> str:
        """How long ago a stored time was, in words."""
        return self.message(ago(stored, clock.now()))

    def duration(self, start: str, end: str) -> str:
        """How long it was from one stored time to another, in words."""
        seconds = max(0, round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()))
        if seconds < 60:
            return self.text("seconds_long", count=seconds)
        return self.text("minutes_long", minutes=seconds // 60, seconds=seconds % 60)

    def month(self, month: str) -> str:
        """A Jalali month (`1404-09`) by its name."""
        year, _, number = month.partition("-")
        return f"{catalog.title(f'word.month_{int(number)}', self.code)} {self.digits(year)}"

    def day(self, local: datetime) -> str:
        """A day of Tehran by its weekday, for the axis of a chart."""
        name = catalog.title(f"word.weekday_{local.weekday()}", self.code)
        return name if self.code == "fa" else f"{name} {local:%d}"

    def hour(self, local: datetime) -> str:
        """An hour of Tehran, for the axis of a chart."""
        return self.digits(f"{local:%H}")


def chosen(cookie: str | None, accepted: str) -> PageLanguage:
    """The language of a visitor: what was chosen, else what the browser asks for first, else Persian."""
    if cookie in ("fa", "en"):
        return PageLanguage("fa" if cookie == "fa" else "en")
    return PageLanguage("en" if accepted.strip().lower().startswith("en") else "fa")
