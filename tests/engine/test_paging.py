"""Records that change, come and go while the pages of a list are read; and the simulation of `paging` in small."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.engine.fake_documents import rows
from tests.engine.paging import ALL, CUSTOMERS, Clocks, Combination, Site, simulate
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

PAGE = 4
COUNT = 12
Queried = Callable[[dict[str, Any]], bool]


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """An import of nothing is over; the CRM's pages are short."""
    world = indoors(make_world())
    world.imported()
    world.crm.page_cap = PAGE
    return world


def day(number: float) -> str:
    """A date of long ago: day 1, 2, 3."""
    return (datetime(2026, 1, 1) + timedelta(days=number)).isoformat(timespec="milliseconds")


def fill(world: Indoors, dates: list[str], first: int = 1) -> list[str]:
    """A person for each date, their ids in this order."""
    return [
        world.crm.add_person(
            crmId=f"{number:08x}-0000-4000-8000-000000000000", lastName=f"نفر {number}", customerNumber=str(9000 + number),
            nationalCode=national_code(10_000_000 + 37 * number), modifyDate=date,
        )
        for number, date in enumerate(dates, first)
    ]  # fmt: skip


def steady(number: int) -> Queried:
    """A page by the ids."""
    return lambda body: body["pageNumber"] == number and body["orders"][0]["field"] == "CrmId"


def by_date(number: int) -> Queried:
    """A page by the dates."""
    return lambda body: body["pageNumber"] == number and body["orders"][0] == {"field": "ModifyDate", "order": 0}


def before(world: Indoors, queried: Queried, act: Callable[[], object]) -> list[bool]:
    """Does something once, when such a page of persons is asked for and not answered yet. Returns a list that says whether."""
    done: list[bool] = []

    def watch(_system: str, endpoint: str, stage: str) -> None:
        if endpoint == "person/find" and stage == "received" and not done:
            body = world.journal.of("crm", "person/find")[-1].body
            assert isinstance(body, dict)
            if queried(body):
                done.append(True)
                act()

    world.sandbox.on_event(watch)
    return done


def linked(world: Indoors) -> set[str]:
    return {crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")}


def answer(world: Indoors, question: str) -> Any:
    found = world.rows("SELECT value FROM meta WHERE name = ?", f"fact: {question}")
    return json.loads(found[0][0])["answer"] if found else None


def test_a_record_that_an_edit_moves_to_the_page_before(world: Indoors) -> None:
    """Where find has an order of its own by date, an edit takes a record out of an earlier page, and the next one moves up."""
    world.crm.find_filters_by_date = world.crm.find_orders = False
    world.crm.own_order = "oldest"
    ids = fill(world, [day(n) for n in range(COUNT)])
    done = before(world, steady(2), lambda: world.crm.edit(ids[0], email="moved@example.com"))
    world.json("sync")
    world.json("sync")
    assert done
    assert linked(world) == set(ids)


def test_a_record_that_moves_up_where_one_was_deleted_and_another_one_added(world: Indoors) -> None:
    world.crm.find_filters_by_date = False
    ids = fill(world, [day(n) for n in range(COUNT)])

    def replace() -> None:
        world.crm.delete(ids[0])
        ids.extend(fill(world, [world.crm.stamp()], first=COUNT + 1))

    done = before(world, steady(2), replace)
    world.json("sync")
    world.json("sync")
    assert done
    assert linked(world) >= set(ids[1:])


def test_a_page_that_is_newest_first_by_chance_says_nothing_about_the_others(world: Indoors) -> None:
    """A list in an order of its own, and a change on its second page; the first page looks as it did."""
    clocks = Clocks(world.sandbox, 0)
    world.crm.date_header, world.crm.find_orders, world.crm.own_order = True, False, "CrmId"
    at = datetime.fromisoformat(world.crm.stamp())
    near = [at.isoformat(timespec="milliseconds"), (at - timedelta(seconds=1)).isoformat(timespec="milliseconds")]
    ids = fill(world, [near[number == PAGE - 1] for number in range(COUNT)])
    with clocks.set():
        for _ in range(3):
            world.json("sync")
            clocks.advance(700)
        assert answer(world, "find_orders") is False
        world.crm.edit(ids[PAGE + 1], email="changed@example.com")
        world.json("sync")
    assert world.finance.contacts[world.code_of(ids[PAGE + 1])]["Email"] == "changed@example.com"


def test_the_same_within_one_date_that_fills_pages(world: Indoors) -> None:
    ids = fill(world, [day(1)] * COUNT)

    def replace() -> None:
        world.crm.delete(ids[0])
        ids.extend(fill(world, [world.crm.stamp()], first=COUNT + 1))

    done = before(world, by_date(2), replace)
    world.json("sync")
    world.json("sync")
    assert done
    assert linked(world) >= set(ids[1:])


def test_an_edit_behind_the_page_that_is_read_where_pages_are_slow_and_answers_bear_no_date(world: Indoors) -> None:
    """The newest date that a run sees is no sign that it has seen all that is older."""
    world.set(HTTP_TIMEOUT_SECONDS="600")
    world.crm.find_filters_by_date = False
    ids = fill(world, [day(n) for n in range(COUNT)])
    clocks = Clocks(world.sandbox, 0)

    def edit(crm_id: str) -> None:
        clocks.advance(900)
        world.crm.edit(crm_id, email="late@example.com")

    with clocks.set():
        world.json("sync")
        first = before(world, steady(2), lambda: edit(ids[0]))
        second = before(world, steady(3), lambda: edit(ids[-1]))
        world.json("sync")
        world.json("sync")
    assert first
    assert second
    for crm_id in (ids[0], ids[-1]):
        assert world.finance.contacts[world.code_of(crm_id)]["Email"] == "late@example.com"


def test_an_edit_within_a_tick_is_found_where_our_clock_is_far_ahead_and_answers_bear_no_date(world: Indoors) -> None:
    clocks = Clocks(world.sandbox, -7200)
    ids = fill(world, [day(n) for n in range(COUNT)])
    with clocks.set():
        world.json("sync")
        moment = datetime.fromisoformat(world.crm.stamp())
        dates = [(moment + timedelta(seconds=n)).isoformat(timespec="milliseconds") for n in range(-9, -3)]
        for crm_id, date in zip(ids, dates, strict=False):
            world.crm.edit(crm_id, email="first@example.com", modifyDate=date)
        world.json("sync")
        world.crm.edit(ids[0], email="second@example.com", modifyDate=dates[0])
        clocks.advance(700)
        world.json("sync")
    assert world.finance.contacts[world.code_of(ids[0])]["Email"] == "second@example.com"


@pytest.mark.parametrize("number", ["9001", "9500"])
def test_a_changed_customer_that_is_deleted_and_entered_again_while_the_list_is_read(
    world: Indoors, number: str
) -> None:
    ids = fill(world, [day(n) for n in range(COUNT)])
    world.json("sync")
    code = world.code_of(ids[0])
    for place, crm_id in enumerate(ids):
        world.crm.edit(crm_id, email="e@example.com", modifyDate=day(100 + place))
    world.crm.edit(ids[0], customerNumber=number, modifyDate=day(100))
    again: list[str] = []

    def enter_again() -> None:
        record = world.crm.records[ids[0]]
        world.crm.delete(ids[0])
        known = {name: record[name] for name in ("lastName", "customerNumber", "nationalCode")}
        again.append(world.crm.add_person(**known, email="again@example.com"))

    since = next(iter(world.rows("SELECT window_start FROM cursors WHERE source = 'person'")))[0]
    before(world, lambda body: by_date(1)(body) and body["queries"][0]["value"] > since, enter_again)
    world.json("sync")
    world.json("sync")
    assert world.code_of(again[0]) == code
    assert world.finance.contacts[code]["Email"] == "again@example.com"


def test_the_last_document_that_is_deleted_does_not_say_that_find_needs_a_type(make_world: Maker) -> None:
    world = indoors(make_world(customers=2, also_in_crm=2))
    world.crm.missing = set(CUSTOMERS)
    customer = min(world.crm.records)
    world.crm.add_quote(customer, rows(5), number="Q-1", modifyDate=day(1))
    last = world.crm.add_quote(customer, rows(7), number="", modifyDate=day(5))
    world.imported().json("sync", env=SINCE)
    world.crm.delete(last)
    world.json("sync", env=SINCE)
    assert answer(world, "find_without_type") is True


def test_a_document_that_comes_between_two_questions_says_nothing_of_empty_queries(make_world: Maker) -> None:
    world = indoors(make_world(customers=2, also_in_crm=2))
    world.crm.missing = set(CUSTOMERS)
    world.imported().json("sync", env=SINCE)

    def add(_system: str, endpoint: str, stage: str) -> None:
        if endpoint == "quote/sales/find" and stage == "received":
            body = world.journal.of("crm", endpoint)[-1].body
            assert isinstance(body, dict)
            if body["queries"] and not world.crm.documents:
                world.crm.add_quote(min(world.crm.records), rows(5), number="Q-1")

    world.sandbox.on_event(add)
    world.json("sync", env=SINCE)
    assert world.crm.documents
    assert answer(world, "find_empty_queries") != "none"


def test_pages_that_new_records_push_back_are_no_first_page_again(world: Indoors) -> None:
    world.crm.find_filters_by_date = False
    fill(world, [day(n) for n in range(COUNT)], first=100)
    done = before(world, steady(3), lambda: fill(world, [day(100)] * (PAGE + 2)))
    world.json("sync")
    assert done
    assert answer(world, "find_pages") is True


def test_records_that_come_while_a_busy_list_is_read_say_nothing_of_its_order(world: Indoors) -> None:
    ids = fill(world, [day(1)] * COUNT)
    moved = iter(ids)

    def disturb(_system: str, endpoint: str, stage: str) -> None:
        if endpoint == "person/find" and stage == "received":
            body = world.journal.of("crm", "person/find")[-1].body
            assert isinstance(body, dict)
            if by_date(2)(body):
                world.crm.edit(next(moved), email="moved@example.com")
            elif steady(1)(body) and len(world.crm.records) == COUNT:
                fill(world, [world.crm.stamp()], first=COUNT + 1)

    world.sandbox.on_event(disturb)
    world.json("sync")
    assert len(linked(world)) == COUNT + 1
    assert answer(world, "find_orders") is not False


SOME = [some for some in ALL if len(some) < 2 or len(some) == 5]


@pytest.mark.parametrize("lacks", SOME, ids=lambda some: "+".join(some) or "none")
def test_nothing_is_lost_while_people_edit_between_the_pages(tmp_path: Path, lacks: Combination) -> None:
    assert [fault for fault in simulate(tmp_path, lacks, seed=1, runs=2) if fault] == []


def test_the_simulation_sees_what_is_lost_or_double(tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path / "site", ("date",), 1, stack)
        assert site.run() == []
        site.people.edit_many()
        site.world.finance.preinvoices.append(site.world.finance.preinvoices[0])
        site.lacks.clear()
        site.judge()
        faults = " ".join(site.faults)
    assert "is lost" in faults
    assert "was posted 2 times" in faults
    assert "said to be lacking: ['filters_by_date']" in faults
