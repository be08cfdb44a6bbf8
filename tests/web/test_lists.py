"""The lists of the dashboard: quiet runs are folded, pages go both ways, a part of a name or number finds its record."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from siaghsync.messages.catalog import digits
from tests.web.serving import Served, ready, serving, write
from tests.world import Maker

QUIET = 288
RUN = (
    "INSERT INTO runs (command, dry_run, pid, started_at, finished_at, outcome, summary) "
    "VALUES ('sync', 0, 1, ?, '2026-01-01T00:02:05+00:00', ?, '{}')"
)
BEGAN = "2026-01-01T00:00:00+00:00"
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.fixture(scope="module")
def listed(make_template: Maker) -> Iterator[Served]:
    """A busy run, many quiet ones, one that failed, a quiet one, and one that was killed; links with names and numbers."""
    world = ready(make_template(customers=4, also_in_crm=3), INVOICES_SINCE="2020-01-01").imported()
    customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
    world.crm.edit(customer, nickName="فروشگاه ۲۴ ساعتهٔ مهر")
    world.crm.add_quote(customer, [{"productCode": "P-1", "count": 1, "baseUnitPrice": 500}], number="Q-2077-1405")
    world.json("sync")
    for outcome in [*["ok"] * QUIET, "failed", "ok", None]:
        write(world, RUN, BEGAN, outcome)
    with serving(world) as served:
        served.log_in()
        yield served


def ids(text: str) -> list[int]:
    """The runs of a page."""
    return [int(found) for found in re.findall(r'class="row" href="/runs/(\d+)"', text)]


def walked(served: Served, path: str, way: str) -> tuple[list[str], str]:
    """The content of each page from an address on, `before` or `after`, and the last address."""
    pages = []
    while True:
        text = served.get(path).text.partition("<main")[2]
        pages.append(text.partition("<tbody>")[2].partition("</tbody>")[0])
        on = re.search(rf'href="([^"]+[?;]{way}=\d+)"', text)
        if on is None:
            return pages, path
        path = on[1].replace("&amp;", "&")


def test_quiet_runs_are_folded_between_those_that_had_something_to_do(listed: Served) -> None:
    page = listed.get("/runs").text
    last = listed.world.rows("SELECT max(id) FROM runs")[0][0]
    assert ids(page) == [last, last - 2, 2, 1], "the killed one, the failed one, the sync and the import"
    assert re.findall(r"Runs without change: (\d+)", page.replace(",", "")) == ["1", str(QUIET)]
    assert "2 min 5 s" in page
    unfolded = re.findall(r'href="(/runs\?all=1&amp;before=\d+)">', page)[1].replace("&amp;", "&")
    inside = listed.get(unfolded).text
    assert ids(inside) == list(range(last - 3, last - 53, -1))
    assert "without change" not in inside


def test_quiet_runs_on_top_are_folded_too(listed: Served) -> None:
    world = listed.world
    write(world, RUN, BEGAN, "ok")
    try:
        page = listed.get("/runs", headers={"Accept-Language": "fa"}).text
        assert page.index(f"{digits(1, 'fa')} اجرا بدون تغییر") < page.index('class="row"')
    finally:
        write(world, "DELETE FROM runs WHERE id = (SELECT max(id) FROM runs)")


def test_a_rehearsal_is_never_without_change(listed: Served) -> None:
    world = listed.world
    write(world, RUN.replace("'sync'", "'rehearse'"), BEGAN, "ok")
    try:
        ((rehearsal,),) = world.rows("SELECT max(id) FROM runs")
        assert rehearsal in ids(listed.get("/runs").text)
    finally:
        write(world, "DELETE FROM runs WHERE id = (SELECT max(id) FROM runs)")


@pytest.mark.parametrize("path", ["/runs?all=1", "/trail?q="])
def test_a_long_list_is_walked_down_and_up_again(listed: Served, path: str) -> None:
    for _ in range(70 if "trail" in path else 0):
        write(
            listed.world,
            "INSERT INTO audit (at, actor, entity, name, operation, outcome, changes) "
            "VALUES ('2026-01-01T00:00:00.000+00:00', 'x', 'customer', 'n', 'update', 'done', '{}')",
        )
    down, last = walked(listed, path, "before")
    up, first = walked(listed, last, "after")
    assert len(down) > 1
    assert up == down[::-1]
    assert "before=" not in first


def test_a_run_tells_how_long_it_took_and_for_whom_it_posted(listed: Served) -> None:
    page = listed.get("/runs/2").text
    assert re.search(r"\d s</small>", page)
    assert "Q-2077-1405" in page
    assert page.count("فروشگاه ۲۴ ساعتهٔ مهر") >= 2, "in the line of the customer and in that of the quote"


@pytest.mark.parametrize("path", ["/trail", "/links", "/links?of=invoices"])
def test_a_part_of_a_name_or_number_finds_it_in_any_digits(listed: Served, path: str) -> None:
    def finds(words: str) -> bool:
        return "Q-2077-1405" in listed.get(path, params={"q": words}).text

    for words in ("مهر", "فروشگاه 24", "ه ۲۴ س", "ه ٢٤ س"):
        assert "فروشگاه ۲۴ ساعتهٔ مهر" in listed.get(path, params={"q": words}).text, words
    assert "فروشگاه ۲۴ ساعتهٔ مهر" not in listed.get(path, params={"q": "فروشگاه 35"}).text
    if path != "/links":
        for words in ("2077", digits("077", "fa"), "077-14".translate(ARABIC), "q-2077"):
            assert finds(words), words
        assert not finds("2078")
    number = str(listed.world.rows("SELECT customer_number FROM customer_mappings ORDER BY finance_code")[0][0])
    for words in (number, number[1:] or number, digits(number, "fa"), number.translate(ARABIC)):
        assert "فروشگاه ۲۴ ساعتهٔ مهر" in listed.get(path, params={"q": words}).text, words
