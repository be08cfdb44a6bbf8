"""The truth notices: each kind of wrong, made by hand in a world that is in step, is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tests.engine.bench import Bench
from tests.engine.moments import World
from tests.engine.oracle import Verdict, judge
from tests.engine.scenarios import BY_NAME, SYNC, Eve, eve_of


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Eve, World]]:
    with Bench(tmp_path_factory.mktemp("truth")) as bench:
        eve = eve_of(BY_NAME["sync of newcomers"], bench, 0, 3)
        assert bench.run(*SYNC).code == 0
        yield bench, eve, bench.keep()


@pytest.fixture
def bench(settled: tuple[Bench, Eve, World]) -> Bench:
    bench, _, world = settled
    bench.restore(world)
    return bench


@pytest.fixture
def eve(settled: tuple[Bench, Eve, World]) -> Eve:
    return settled[1]


def change(bench: Bench, sql: str) -> None:
    with closing(sqlite3.connect(bench.state)) as db, db:
        db.execute(sql)


def old_and_new(bench: Bench, eve: Eve) -> tuple[int, int]:
    """A linked contact that was there before, and one that the program has made."""
    codes = [row["finance_code"] for row in bench.rows("SELECT finance_code FROM customer_mappings ORDER BY 1")]
    return codes[0], next(code for code in codes if code not in eve.ledger.contacts)


def verdict(bench: Bench, eve: Eve) -> Verdict:
    return judge(bench, eve.ledger)


def test_a_world_in_step_is_good(bench: Bench, eve: Eve) -> None:
    assert verdict(bench, eve) == Verdict()


def test_a_second_contact_is_a_duplicate(bench: Bench, eve: Eve) -> None:
    _, new = old_and_new(bench, eve)
    twin = {**bench.sandbox.finance.contacts[new], "Code": 0, "RecordId": None}
    bench.sandbox.finance.add_contact(**twin)
    assert len(verdict(bench, eve).duplicates) >= 2
    assert verdict(bench, eve).twice


def test_a_contact_made_for_nobody_is_a_duplicate(bench: Bench, eve: Eve) -> None:
    bench.sandbox.finance.add_contact(Name="کسی")
    assert len(verdict(bench, eve).duplicates) == 1


def test_a_second_crm_record_is_a_duplicate(bench: Bench, eve: Eve) -> None:
    bench.sandbox.crm.add_person(nickName="کسی", customerNumber="24")
    assert verdict(bench, eve).duplicates


def test_a_customer_without_contact_is_lost(bench: Bench, eve: Eve) -> None:
    _, new = old_and_new(bench, eve)
    change(bench, f"DELETE FROM customer_mappings WHERE finance_code = {new}")
    bench.sandbox.finance.delete(new)
    assert len(verdict(bench, eve).lost) == 1


def test_a_change_that_did_not_arrive_is_lost(bench: Bench, eve: Eve) -> None:
    crm_id = bench.rows("SELECT crm_id FROM customer_mappings")[0]["crm_id"]
    bench.sandbox.crm.edit(crm_id, nickName="دیگری")
    assert len(verdict(bench, eve).lost) == 1


@pytest.mark.parametrize("field", ["CityCode", "Gender", "IsActive", "FatherName", "MobileNo2"])
def test_what_only_finance_knows_must_stay(bench: Bench, eve: Eve, field: str) -> None:
    old, _ = old_and_new(bench, eve)
    bench.sandbox.finance.edit(old, **{field: None})
    before = eve.ledger.contacts[old][field]
    assert bool(verdict(bench, eve).lost) == (before is not None)


def test_a_pair_that_vanished_from_the_state_is_lost(bench: Bench, eve: Eve) -> None:
    old, _ = old_and_new(bench, eve)
    change(bench, f"DELETE FROM customer_mappings WHERE finance_code = {old}")
    wanted = replace(eve.ledger, due={old})
    assert judge(bench, wanted).lost


def test_a_crossed_pair_is_lost(bench: Bench, eve: Eve) -> None:
    a, b = old_and_new(bench, eve)
    for sql in (f"{a}, -1", f"{b}, {a}", f"-1, {b}"):
        was, now = sql.split(", ")
        change(bench, f"UPDATE customer_mappings SET finance_code = {now} WHERE finance_code = {was}")
    assert len(verdict(bench, eve).lost) >= 2


def test_what_is_left_in_doubt_is_stuck(bench: Bench, eve: Eve) -> None:
    change(bench, "UPDATE intents SET state = 'unknown' WHERE id = (SELECT max(id) FROM intents)")
    assert len(verdict(bench, eve).stuck) == 1


def test_a_question_that_nobody_expected_is_stuck(bench: Bench, eve: Eve) -> None:
    change(
        bench,
        "INSERT INTO reviews (entity, target, record, kind, reason, customer_number, name, message_code, message_params, "
        "details, checksum, since) "
        "VALUES ('customer', 'finance', 'x', 'person', 'refused', '', '', 'text.verbatim', '{}', '{}', '', '')",
    )
    assert verdict(bench, eve).stuck
    assert judge(bench, eve.ledger, may_ask=["refused"]).good
