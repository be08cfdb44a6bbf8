"""The move from SyncSiagh (docs/moving-from-syncsiagh.md) with a world as it leaves it: nobody twice in either system.

Its contacts carry no mark, Siagh does not show their numbers, and no number leads to a code.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

import pytest

from siaghsync.sandbox.people import national_code
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

BOTH, CRM_ONLY, FINANCE_ONLY = range(8), 8, 9
UNLISTED, WITHOUT_CODE = (6, 7), 7
"""In both systems, but its table has lost them; one has no national code."""
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


def person(place: int) -> tuple[str, str, str]:
    code = "" if place == WITHOUT_CODE else national_code(700_000_000 + place)
    return f"مشتری شمارهٔ {place}", code, f"0912000{place:04}"


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Customer n is contact 30 + n."""
    world = indoors(make_world())
    world.set(**SINCE)
    world.finance.ignored_keys = {"gn_web_users.tmpid", "tmpid"}
    for place in (*BOTH, FINANCE_ONLY):
        name, code, phone = person(place)
        world.finance.add_contact(Code=30 + place, Name=name, NationalCode=code, MobileNo=phone)
    for place in (*BOTH, CRM_ONLY):
        name, code, phone = person(place)
        world.crm.add_person(
            nickName=name, nationalCode=code, customerNumber=str(50_000 + place),
            phoneContacts=[{"phoneNumber": phone, "phoneType": "Mobile", "default": True}],
        )  # fmt: skip
    return world


def save_table(world: Indoors, customers: Sequence[str], posted: str) -> str:
    path = world.folder / "entity_mapping.csv"
    listed = [(crm_id, 30 + place) for place, crm_id in enumerate(customers) if place in BOTH and place not in UNLISTED]
    rows = [
        *(("CUSTOMER", code, crm_id) for crm_id, code in listed),
        ("PREINVOICE", 2488, posted),
        ("CUSTOMER", 77, "00000000-0000-0000-0000-000000000001"),  # deleted in both since
        ("CUSTOMER", "", customers[CRM_ONLY]),  # began, and failed
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("entityType", "financeId", "crmId"), *rows])
    return str(path)


def test_nobody_is_there_twice_after_the_move(world: Indoors) -> None:
    customers = list(world.crm.records)
    posted = world.crm.add_quote(customers[0], [ROW], number="1404/1", crmObjectTypeCode="PI_5")
    open_one = world.crm.add_quote(customers[1], [ROW], number="1404/2", crmObjectTypeCode="PI_5")

    taken = world.json("links", "import", save_table(world, customers, posted), exit_code=1)
    assert (taken["links"], taken["documents"], len(taken["left_out"])) == (6, 1, 2)
    assert world.run("sync").exit_code == 2
    assert world.run("lint").exit_code == 0
    before = world.finance.snapshot(), dict(world.crm.records)
    planned = world.json("initial-import", "--dry-run")["customers"]
    assert (planned["created"], planned["linked"], planned["review"], planned["unchanged"]) == (1, 1, 1, 6)
    assert (world.finance.snapshot(), dict(world.crm.records)) == before

    world.json("initial-import", "--yes", exit_code=1)
    (question,) = world.json("review")["items"]
    assert (question["reason"], question["finance_code"]) == ("possible_duplicate", str(30 + WITHOUT_CODE))
    world.json("review", "resolve", str(question["id"]), "--link", customers[WITHOUT_CODE])

    first = world.json("sync")
    assert (first["customers"]["created"], first["invoices"]["created"]) == (1, 1)
    assert [each["crm_id"] for each in first["changes"] if each["entity"] == "invoice"] == [open_one]
    world.json("sync", "--full")
    verified = world.json("verify")
    assert (verified["checked"], verified["in_step"], verified["duplicates"]) == (10, 10, [])
    names = [person(place)[0] for place in range(10)]
    assert sorted(each["Name"] for each in world.finance.snapshot()) == names
    assert sorted(str(each["nickName"]) for each in world.crm.records.values() if "nickName" in each) == names
