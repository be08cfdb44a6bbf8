"""Every page in Persian, of a site that has everything to show: nothing that a person reads there is English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.environment import FISCAL_YEAR
from tests.web.serving import Served
from tests.web.showcase import fail

PAGES = (
    "/", "/reviews", "/reviews?page=2", "/waiting", "/waiting?of=skipped", "/record?q=C-1", "/record?q=24", "/trail",
    "/links", "/links?of=invoices", "/runs", "/runs/1", "/runs/3", "/site", "/rehearsal", "/nowhere",
    "/reviews/confirm?way=discard&all=1", "/report", "/report?month=all",
)  # fmt: skip
READ_ALOUD = ("aria-label", "title", "placeholder", "data-label", "alt")
KNOWN = {
    "crm", "siaghsync", "english", "cron", "json", "http", "html", "tls", "dns", "guid", "utf", "pi", "find", "id", "excel",
    "csv",
    # names of fields and settings of the two systems, as their own screens and documents have them
    "accountpartycode", "modifydate", "nationalcode", "typekey", "tmpid", "party", "contact",
}  # fmt: skip
"""Names that a Persian text keeps as they are."""
DATA = re.compile(
    r"\u2068[^\u2068\u2069]*\u2069|\[CRM [^\]]*\]|\b[A-Z]+_[A-Z_*]+|\b[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]{1,2}(_\d|-\d+)"
)
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


class Seen(HTMLParser):
    """What is read on a page, piece by piece: its texts, and what a screen reader says. Left out are commands, and what stands
    in the language that is switched to."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in READ_ALOUD and value]
        if tag not in ("meta", "link", "input"):
            self._inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A shape of a chart holds no text."""

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"code", "bdi", "pre", "script"} & set(self._inside):
            self.texts.append(data)


def english(html: str) -> list[str]:
    """The words of a Persian page that are neither names nor data, each with the text that it stands in."""
    seen = Seen()
    seen.feed(html)
    found = []
    for text in seen.texts:
        rest = DATA.sub(" ", DATA.sub(" ", re.sub(r"`[^`]*`", " ", text)))
        found += [f"{word}: {text.strip()}" for word in WORD.findall(rest) if word.lower() not in KNOWN]
    return found


def test_english_is_noticed() -> None:
    assert english('<p aria-label="Menu">مورد \u2068AB-7\u2069 <bdi>Ali</bdi> CRM <code>sync --full</code></p>') == [
        "Menu: Menu"
    ]
    assert english("<td>state</td><td>row 1</td>") == ["state: state", "row: row 1"]


def test_no_page_in_persian_is_in_english(showcase: Served) -> None:
    asked = [review_id for (review_id,) in showcase.world.rows("SELECT max(id) FROM reviews GROUP BY reason")]
    ways = [
        f"/reviews/{review_id}/confirm?way={way}&value=950"
        for review_id in asked[:3]
        for way in ("link", "retry", "discard")
    ]
    showcase.read_year(FISCAL_YEAR)
    fail(showcase.world)
    showcase.check_systems()
    found = {}
    for path in (*PAGES, *(f"/reviews/{review_id}" for review_id in asked), *ways):
        answer = showcase.get(path, headers={"Accept-Language": "fa"})
        assert answer.status_code in (200, 404), path
        assert 'lang="fa"' in answer.text
        if words := english(answer.text):
            found[path] = words
    print(found)
    assert found == {}
