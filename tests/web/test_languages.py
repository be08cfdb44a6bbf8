"""Two languages that say the same: every text in both, every name there, digits and dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

import siaghsync.web as web
from siaghsync import clock
from siaghsync.domain.action import Action, Counts
from siaghsync.domain.reasons import AuditOutcome, Match, Operation, Reason, Resolution
from siaghsync.features.invoice_report.rules import PARTS
from siaghsync.messages import catalog
from siaghsync.messages.message import msg, verbatim
from siaghsync.state import reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import memory_state
from siaghsync.state.meta import COMPLETED
from siaghsync.state.retries import schedule_retry
from siaghsync.state.status import overview
from siaghsync.web.language import PageLanguage, chosen
from siaghsync.web.month_end import _COLUMNS
from siaghsync.web.reviews import _FOR_MANY
from siaghsync.web.worklist import SORTS

FOLDER = Path(web.__file__).parent
SOURCES = [path.read_text("utf-8") for path in [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]]
FA, EN = PageLanguage("fa"), PageLanguage("en")
WAYS = ("retry", "link", "recreate", "unlink", "posted", "corrected", "discard")
PERSIAN = re.compile("[\u0600-\u06ff]")


def places(text: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", [f"{name}.{key}" for name in ("web", "word") for key in catalog.chapter(name)])
def test_every_text_is_there_twice_with_the_same_places(code: str) -> None:
    entry = catalog.find(code)
    assert entry
    for texts in (entry.text, entry.cure):
        assert places(texts.get("en", "")) == places(texts.get("fa", ""))
        if code != "web.switch_language":
            assert not PERSIAN.search(texts.get("en", ""))


def test_each_text_that_the_pages_use_is_there_and_none_is_there_for_nothing() -> None:
    texts = catalog.chapter("web").keys()
    used = {key for source in SOURCES for key in re.findall(r'\b(?:t|text)\(\s*"(\w+)"\s*[,)]', source)}
    assert used <= texts
    everything = "\n".join(SOURCES)
    made_up = {f"{start}{way}" for start in ("way_", "sure_") for way in WAYS}
    made_up |= {f"sure_many_{way}" for way in _FOR_MANY}
    made_up |= {f"way_{way}_hint" for way in (*WAYS, "discard_after_posting", "discard_same", "look_again")}
    made_up |= {f"error_{status}" for status in (400, 404, 405, 413, 500)}
    made_up |= {f"sort_{name}" for name in SORTS} | {"many_never_arrives", "many_not_known"}
    made_up |= {f"part_{name}" for name in ("all", *PARTS)} | {f"report_{name}" for name in _COLUMNS}
    assert {key for key in texts if f'"{key}"' not in everything and f'"web.{key}"' not in everything} <= made_up
    assert made_up <= texts


@pytest.mark.parametrize("language", [FA, EN], ids=["fa", "en"])
def test_every_word_that_a_page_can_show_is_known(language: PageLanguage) -> None:
    words = {
        "operation": [*Operation, "resolve", "order"],
        "outcome": ["ok", "partial", "failed", *AuditOutcome, *Resolution, "started", "paused", "resumed"],
        "kind": ["person", "organization", "customer", "contact", "quote", "invoice", "document", "sync"],
        "match": list(Match),
        "command": [
            "sync",
            "webhook",
            "initial-import",
            "review resolve",
            "verify",
            "lint",
            "undo",
            "rehearse",
            "review reopen",
            "links import",
            "links remove",
        ],
        "count": list(Counts().as_json()),
        "system": ["crm", "finance"],
        "active": ["0", "1"],
        "gender": ["0", "1"],
    }
    for group, names in words.items():
        for name in names:
            shown = language.word(group, name)
            assert PERSIAN.search(shown) if language is FA and shown != "CRM" else not PERSIAN.search(shown), (
                group,
                name,
            )


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained_in_both_languages(reason: Reason) -> None:
    for language in (FA, EN):
        assert bool(PERSIAN.search(language.reason(reason))) == (language is FA)
        assert language.advice(reason)
        assert language.causes(reason)


def test_reasons_of_failed_requests_are_in_words_and_unknown_ones_stand_as_they_are() -> None:
    assert FA.reason("status_503") == catalog.title("call.status_5xx", "fa")
    assert PERSIAN.search(FA.reason("status_503"))
    assert FA.word("match", "marker") == "نشان در یادداشت"
    assert EN.reason("never_heard_of") == "never heard of"
    assert (EN.advice("never_heard_of"), EN.causes("never_heard_of")) == ("", [])


def test_the_problems_of_the_overview_are_said_in_both_languages() -> None:
    state, day = memory_state(), clock.now() - timedelta(days=2)

    def problems() -> list[str]:
        found = overview(state, clock.now(), is_running=False, max_age=None, poll_interval=300)
        assert all(not PERSIAN.search(EN.message(problem)) for problem in found.problems)
        return [FA.message(problem) for problem in found.problems]

    told = problems()
    state.set_meta(COMPLETED, "2026-01-01T00:00:00.000+00:00")
    Run(state, "sync", lambda: day, "me").finish("ok", {})
    run = Run(state, "sync", lambda: day, "me")
    action = Action(Operation.REVIEW, "customer", "finance", "x", "person", "1", message=msg("reason.no_name"))
    with state.atomic():
        reviews.put(run, action)
        schedule_retry(run, Action(Operation.CREATE, "customer", "crm", "7", "person", ""), "timeout", verbatim("late"))
    run.finish("failed", {})
    told += problems()
    assert len(told) == 5
    assert all(PERSIAN.search(problem) for problem in told)


def test_a_value_within_a_persian_sentence_keeps_its_own_direction() -> None:
    assert FA.text("sure_link", id=12, value="AB-7") == "مورد ۱۲ با «\u2068AB-7\u2069» پیوند بخورد؟"


def test_persian_digits_and_jalali_dates_in_tehran_time() -> None:
    # 20 March 2026, 20:45 UTC is a quarter past midnight in Tehran, and the first day of 1405.
    assert FA.moment("2026-03-20T20:45:00.000+00:00") == "۱۴۰۵/۰۱/۰۱ ۰۰:۱۵"
    assert EN.moment("2026-03-20T20:45:00.000+00:00") == "2026-03-21 00:15 (1405/01/01)"
    assert FA.moment(None) == ""
    assert FA.number(1234567) == "۱٬۲۳۴٬۵۶۷"
    assert EN.number(1234567) == "1,234,567"
    assert FA.ago((clock.now() - timedelta(hours=2, seconds=5)).isoformat()) == "۲ ساعت پیش"
    assert EN.ago(clock.now().isoformat()) == "just now"
    saturday = datetime(2026, 3, 21, 9, tzinfo=UTC)
    assert (FA.day(saturday), EN.day(saturday), FA.hour(saturday)) == ("شنبه", "Sat 21", "۰۹")


def test_a_user_of_the_dashboard_is_named_as_one() -> None:
    assert FA.actor("زهرا (dashboard)") == "\u2068زهرا\u2069 (داشبورد)"
    assert FA.actor("root") == "root"


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
