"""`waiting` over the real command line: the same records that `status` counts, one by one."""

from __future__ import annotations

import pytest

from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}
KEYS = {
    "entity", "crm_id", "customer_number", "name", "reason", "message", "since", "attempts", "next_try_at",
}  # fmt: skip


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """One contact, 700, that stands in the CRM since the import."""
    found = indoors(make_world()).set(**SINCE)
    found.finance.add_contact(Code=700, Name="شرکت نمونه", TowardType=True, MobileNo="09001112233")
    found.imported()
    return found


def test_nothing_waits(world: Indoors) -> None:
    assert world.json("waiting") == {"items": []}
    assert "Nothing waits" in world.run("waiting").stdout
    assert "No record is passed over" in world.run("waiting", "--skipped").stdout


def test_a_customer_that_failed_and_one_in_doubt_are_listed_as_status_counts_them(world: Indoors) -> None:
    world.crm.edit(world.crm_of(700), email="new@example.com")
    doubtful = world.crm.add("person", {"customerNumber": "900", "firstName": "زهرا", "lastName": "کریمی|پور"})
    world.arm("refuse_before", "finance:SaveFormData/update", times=None)
    world.arm("close_before", "finance:SaveFormData/create")
    world.json("sync", env={"MAX_RETRY_ATTEMPTS": "9", "UNKNOWN_GRACE_SECONDS": "600"}, exit_code=1)
    items = world.json("waiting")["items"]
    assert len(items) == world.json("status")["pending"] == 2
    assert all(set(item) == KEYS for item in items)
    by_id = {item["crm_id"]: item for item in items}
    failed = by_id[world.crm_of(700)]
    assert (failed["customer_number"], failed["attempts"], failed["entity"]) == ("700", 1, "customer")
    assert failed["next_try_at"] is not None
    unknown = by_id[doubtful if isinstance(doubtful, str) else doubtful["crmId"]]
    assert (unknown["customer_number"], unknown["reason"], unknown["next_try_at"]) == ("900", "unknown_outcome", None)
    shown = world.run("waiting")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "2 wait for another try" in shown.stdout
    assert "زهرا کریمی/پور" in shown.stdout


def test_what_is_passed_over_is_listed_with_its_reason(world: Indoors) -> None:
    world.crm.add("person", {"customerNumber": "", "firstName": "بی", "lastName": "شماره"})
    world.json("sync")
    (item,) = world.json("waiting", "--skipped")["items"]
    assert (item["name"], item["attempts"], item["next_try_at"]) == ("بی شماره", 0, None)
    assert world.json("waiting") == {"items": []}
    assert "بی شماره" in world.run("waiting", "--skipped").stdout
