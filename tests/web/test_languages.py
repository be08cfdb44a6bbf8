"""Two languages that say the same: every text in both, every key there, digits and dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest
from siaghsync.state.state_file import memory_state

import siaghsync.web as web
from siaghsync.messages.index import REASONS
from siaghsync.state import audit
from siaghsync.state import status as overview
from siaghsync.web.i18n import Language, chosen
from siaghsync.web.texts import TEXTS
from siaghsync.web.words import WORDS

FOLDER = Path(web.__file__).parent
FA, EN = Language("fa"), Language("en")
NOW = datetime(2026, 3, 20, 20, 45, tzinfo=UTC)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_there_twice_with_the_same_places(key: str) -> None:
    persian, english = TEXTS[key]
    assert persian
    assert english
    assert places(persian) == places(english)
    if key not in ("switch_language", "app"):
        assert not re.search("[\u0600-\u06ff]", english)


def test_every_word_is_there_twice() -> None:
    for group in WORDS.values():
        for persian, english in group.values():
            assert persian
            assert english


def test_each_key_that_the_pages_use_is_there_and_none_is_there_for_nothing() -> None:
    sources = [path.read_text("utf-8") for path in [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]]
    used = {key for text in sources for key in re.findall(r'\b(?:t|text)\(\s*"(\w+)"\s*[,)]', text)}
    assert used <= TEXTS.keys()
    everything = "\n".join(text for text in sources if "TEXTS: dict" not in text)
    unused = [key for key in TEXTS if f'"{key}"' not in everything]
    made_up = {f"{start}{end}" for start in ("way_", "sure_") for end in ("retry", "link", "posted", "discard")}
    made_up |= {f"way_{way}_hint" for way in ("retry", "link", "posted", "discard")}
    made_up |= {f"ago_{unit}" for unit in ("day", "hour", "minute")}
    made_up |= {f"error_{status}" for status in (400, 404, 405, 413, 500)}
    assert set(unused) <= made_up


def test_reasons_are_said_in_the_words_of_the_book() -> None:
    assert EN.word("reason", "stranger") == REASONS["stranger"].sentence.en
    assert FA.word("reason", "stranger") == REASONS["stranger"].sentence.fa
    assert "503" in FA.word("reason", "status_503")
    assert FA.word("reason", "marker") == "نشان در یادداشت"
    assert EN.word("reason", "never_heard_of") == "never heard of"
    assert EN.about("never_heard_of") is None


def test_the_problems_that_the_overview_names_are_said_in_persian() -> None:
    state = memory_state()

    def problems() -> list[str]:
        found = overview.overview(state, NOW, is_running=False, max_age=None, poll_interval=300)
        return found.problems

    told = problems()
    state.set_fact("initial_import_completed_at", "2026-01-01T00:00:00.000+00:00")
    run = audit.Run(state, "sync", lambda: datetime(2026, 1, 1, tzinfo=UTC), "me")
    run.finish("ok", {})
    audit.Run(state, "sync", lambda: datetime(2026, 1, 2, tzinfo=UTC), "me").finish("failed", {})
    with state.atomic():
        state.execute(
            "INSERT INTO reviews (entity, target, record, kind, reason, message, details, checksum, since) "
            "VALUES ('customer', 'finance', 'x', 'person', 'stranger', '', '{}', '', '')"
        )
        state.execute(
            "INSERT INTO waiting VALUES ('customer', 'crm', '7', 'person', '', 1, 1, '', 'timeout', '', '', NULL)"
        )
    told += problems()
    assert len(told) >= 5
    for problem in told:
        assert FA.sentence(problem) != problem
        assert re.search("[\u0600-\u06ff]", FA.sentence(problem))
    assert FA.sentence("Something else.") == "Something else."


def test_persian_digits_and_jalali_dates_in_tehran_time() -> None:
    # 20 March 2026, 20:45 UTC is a quarter past midnight in Tehran, and the first day of 1405.
    assert FA.moment("2026-03-20T20:45:00.000+00:00") == "۱۴۰۵/۰۱/۰۱ ۰۰:۱۵"
    assert EN.moment("2026-03-20T20:45:00.000+00:00") == "2026-03-21 00:15"
    assert FA.moment(None) == ""
    assert FA.number(1234567) == "۱٬۲۳۴٬۵۶۷"
    assert EN.number(1234567) == "1,234,567"
    assert FA.text("problem_review", n=3) == "۳ مورد منتظر تصمیم شماست."
    assert FA.ago("2026-03-20T18:40:00+00:00", NOW) == "۲ ساعت پیش"
    assert EN.ago("2026-03-20T20:44:30+00:00", NOW) == "just now"


@pytest.mark.parametrize(
    ("cookie", "accepted", "code"),
    [
        (None, "", "fa"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "de", "fa"),
        ("en", "fa", "en"),
        ("fa", "en", "fa"),
        ("<script>", "en", "en"),
    ],
)
def test_the_language_is_what_was_chosen_else_what_the_browser_asks_for(
    cookie: str | None, accepted: str, code: str
) -> None:
    assert chosen(cookie, accepted).code == code


def test_no_template_carries_a_style_or_a_script_that_the_policy_forbids() -> None:
    for path in FOLDER.glob("templates/*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:|\|\s*safe", text), path.name
        assert not re.search(r"<script(?! src=)", text), path.name
        assert not re.search(r"https?://", text), path.name
