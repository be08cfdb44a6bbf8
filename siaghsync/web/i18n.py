"""The two languages of the dashboard: texts, digits, dates. Persian reads right to left, with Jalali dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from siaghsync.messages import index as book
from siaghsync.messages.calendar import in_tehran, jalali
from siaghsync.messages.entry import Entry, Said
from siaghsync.web.texts import TEXTS
from siaghsync.web.words import WORDS

Code = Literal["fa", "en"]
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_WEEKDAYS = ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه")

_PROBLEMS = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"^The initial import has not completed", "problem_import"),
        (r"^(\d+) contact\(s\) of the import wait", "problem_leftovers"),
        (r"^(\d+) record\(s\) wait for a person", "problem_review"),
        (r"^The last run failed", "problem_failed"),
        (r"^A sync is overdue", "problem_overdue"),
    )
)


@dataclass(frozen=True, slots=True)
class Language:
    """One of the two languages, as the pages use it."""

    code: Code

    @property
    def direction(self) -> Literal["rtl", "ltr"]:
        """The direction of its text."""
        return "rtl" if self.code == "fa" else "ltr"

    @property
    def other(self) -> Code:
        """The language to switch to."""
        return "en" if self.code == "fa" else "fa"

    def text(self, key: str, **values: object) -> str:
        """A text of the pages; `values` fill its places, numbers in the language's digits. Raises KeyError."""
        shown = {k: self.number(v) if isinstance(v, int) else v for k, v in values.items()}
        found = TEXTS[key][self.code == "en"]
        return found.format(**shown) if shown else found

    def word(self, group: str, name: object) -> str:
        """What a stable word of the program (a reason, a field, an outcome) is called; the word itself if unknown."""
        entry = self.about(name) if group == "reason" else None
        pair = entry.sentence if entry else WORDS[group].get(str(name))
        return pair[self.code == "en"] if pair else str(name).replace("_", " ")

    def about(self, reason: object) -> Entry | None:
        """What the book tells about a reason, if it knows it."""
        return book.reason(str(reason))

    def said(self, pair: Said) -> str:
        """A text of the book in this language."""
        return pair[self.code == "en"]

    def sentence(self, problem: str) -> str:
        """One of the problems that `overview` names, in the reader's language; as it is if it is not known here."""
        for pattern, key in _PROBLEMS:
            if found := pattern.search(problem):
                return self.text(key, n=int(found[1])) if found.groups() else self.text(key)
        return problem

    def number(self, value: int) -> str:
        """A number for reading, grouped by thousands."""
        return self.digits(f"{value:,}".replace(",", "٬") if self.code == "fa" else f"{value:,}")

    def digits(self, text: object) -> str:
        """Digits for reading; never for what is to be typed somewhere, such as numbers and codes."""
        return str(text).translate(_PERSIAN_DIGITS) if self.code == "fa" else str(text)

    def moment(self, stored: str | None) -> str:
        """A stored UTC time in Tehran's time, in the language's calendar, to the minute; "" for None."""
        if not stored:
            return ""
        local = in_tehran(stored)
        if self.code == "en":
            return f"{local:%Y-%m-%d %H:%M}"
        return self.digits(f"{jalali(local.date())} {local:%H:%M}")

    def ago(self, stored: str, now: datetime) -> str:
        """How long ago a stored time was, in words."""
        seconds = max(0, int((now - datetime.fromisoformat(stored)).total_seconds()))
        for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
            if seconds >= length:
                return self.text(f"ago_{unit}", n=seconds // length)
        return self.text("ago_moment")

    def day(self, local: datetime) -> str:
        """A day of Tehran by its weekday, for the axis of a chart."""
        return _WEEKDAYS[local.weekday()] if self.code == "fa" else f"{local:%a %d}"

    def hour(self, local: datetime) -> str:
        """An hour of Tehran, for the axis of a chart."""
        return self.digits(f"{local:%H}")


def chosen(cookie: str | None, accepted: str) -> Language:
    """The language of a visitor: what was chosen, else what the browser asks for first, else Persian."""
    if cookie in ("fa", "en"):
        return Language("fa" if cookie == "fa" else "en")
    return Language("en" if accepted.strip().lower().startswith("en") else "fa")
