"""`log --forget`: one customer's values leave everything that is settled, and the file itself; the rest stays."""

from __future__ import annotations

import pytest

from siaghsync.state.lock import run_lock
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}
SECRETS = ("زهرا", "کریمی", "09001112233", "secret.one@example.com", "secret.two@example.com")


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """A customer, 700, whose values were written and changed, with a posted document and a decided question; and another."""
    found = indoors(make_world()).set(**SINCE)
    found.finance.add_contact(Code=700, Name="زهرا کریمی", MobileNo="09001112233", Email="secret.one@example.com")
    found.finance.add_contact(Code=701, Name="علی رضایی", MobileNo="09001112244")
    found.imported()
    crm_id = found.crm_of(700)
    found.crm.edit(crm_id, email="secret.two@example.com")
    found.crm.edit(found.crm_of(701), email="other@example.com")
    found.crm.add_quote(crm_id, [ROW], number="100-1405/1")
    found.json("sync")
    return found


def bytes_of_state(world: Indoors) -> bytes:
    return b"".join(path.read_bytes() for path in world.folder.glob("siaghsync.db*"))


def test_no_value_of_the_customer_is_left_in_the_file_but_what_happened_stays(world: Indoors) -> None:
    before = world.json("log", "--customer", "700", "--limit", "1000")["entries"]
    assert any(secret.encode() in bytes_of_state(world) for secret in SECRETS)
    forgotten = world.json("log", "--forget", "۷۰۰")["forgotten"]
    assert forgotten["audit"] > 0
    content = bytes_of_state(world)
    assert [secret for secret in SECRETS if secret.encode() in content] == []
    after = world.json("log", "--customer", "700", "--limit", "1000")["entries"]
    kept = ("id", "at", "action", "outcome", "customer_number", "finance_code", "crm_id")
    assert [[line[key] for key in kept] for line in after] == [[line[key] for key in kept] for line in before]
    assert all(line["fields"] == {} for line in after)
    assert b"other@example.com" in content


def test_everything_goes_on_as_before(world: Indoors) -> None:
    world.json("log", "--forget", "700")
    assert world.json("verify")["in_step"] == 2
    again = world.json("sync", "--full")
    assert (again["customers"]["unchanged"], again["invoices"]["unchanged"]) == (2, 1)
    assert "forget" in str(world.json("log")["entries"])
    for command in (("explain", "700"), ("log",), ("review",)):
        assert world.run(*command).exit_code == 0


def test_an_open_question_and_what_waits_keep_their_values(world: Indoors) -> None:
    world.finance.add_contact(Code=900, Name="کسی دیگر")
    world.crm.add_person(nickName="غریبه", firstName="", lastName="", customerNumber="900")
    world.json("sync", exit_code=1)
    world.run("log", "--forget", "900")
    assert world.json("review")["items"][0]["customer_number"] == "900"
    assert "غریبه" in world.run("review", "show", "1").stdout


@pytest.mark.parametrize("options", [("999",), ("700", "--failed"), ("700", "--prune-before", "1d"), ("",)])
def test_wrong_use_changes_nothing(world: Indoors, options: tuple[str, ...]) -> None:
    before = world.rows("SELECT * FROM audit")
    assert world.json("log", "--forget", *options, exit_code=2)["error"]["hint"]
    assert world.rows("SELECT * FROM audit") == before


def test_a_run_at_work_is_not_disturbed(world: Indoors) -> None:
    with run_lock(world.state_file):
        assert world.json("log", "--forget", "700", exit_code=75)["error"]["kind"] == "locked"


def test_a_decision_about_what_was_forgotten_is_not_taken_back(world: Indoors) -> None:
    (quote,) = world.crm.documents
    world.crm.edit(quote, details=[{**ROW, "count": 3}])
    world.json("sync", exit_code=1)
    (item,) = world.json("review")["items"]
    world.json("review", "resolve", str(item["id"]), "--corrected")
    world.json("log", "--forget", "700")
    error = world.json("review", "reopen", str(item["id"]), exit_code=2)["error"]
    assert error["kind"] == "usage"
