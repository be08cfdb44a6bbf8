"""Values that Siagh shortens, or stores in its own way: noticed, and not sent again and again."""

from __future__ import annotations

from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.indoors import Indoors, indoors
from tests.world import Maker

LONG = "تهران، خیابان آزادی، کوچهٔ بیست و سوم، پلاک صد و بیست، طبقهٔ چهارم، واحد هفت"


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    world = indoors(make_world())
    world.finance.add_contact(Code=1, Name="کسی دیگر")
    world.imported().json("sync")
    return world


def person(world: Indoors, address: str, number: str = "9000") -> str:
    crm_id: str = world.crm.add_person(
        nickName=f"علی رضایی {number}", nationalCode=national_code(int(number)), customerNumber=number,
        addressContacts=[{"address": address, "default": True}],
    )  # fmt: skip
    return crm_id


def shown(world: Indoors, crm_id: str, name: str) -> Any:
    return world.finance.contacts[world.code_of(crm_id)][name]


def address(world: Indoors, crm_id: str) -> str:
    return str(shown(world, crm_id, "Address"))


def test_a_shortened_value_is_not_sent_again(world: Indoors) -> None:
    world.finance.shortens = {"Address": 40}
    ali = person(world, LONG)
    world.json("sync")
    assert address(world, ali) == LONG[:40]
    for _ in range(2):
        again = world.json("sync", "--full")
        assert (again["customers"]["updated"], again["requests"]["finance"]) == (0, 2)
    assert world.json("verify")["drift"] == []
    world.crm.edit(ali, email="new@example.com")
    assert world.json("sync")["customers"]["updated"] == 1
    assert world.json("sync", "--full")["customers"]["updated"] == 0
    world.crm.edit(ali, addressContacts=[{"address": "کوتاه", "default": True}])
    world.json("sync")
    assert address(world, ali) == "کوتاه"


def test_notes_that_lost_their_mark_are_not_sent_again(world: Indoors) -> None:
    world.finance.shortens = {"Description": 30}
    ali = person(world, "")
    world.crm.edit(ali, description="یادداشت بلند " * 4)
    world.json("sync")
    assert world.json("sync", "--full")["customers"]["updated"] == 0


def test_what_a_person_has_cut_is_put_right_where_another_contact_shows_that_longer_ones_fit(world: Indoors) -> None:
    ali = person(world, LONG)
    person(world, LONG + LONG, "9001")
    world.json("sync")
    world.finance.edit(world.code_of(ali), Address=LONG[:20])
    assert [each["customer_number"] for each in world.json("verify", exit_code=1)["drift"]] == ["9000"]
    assert world.json("sync", "--full")["customers"]["updated"] == 1
    assert address(world, ali) == LONG


def test_what_somebody_changed_is_put_right_each_time(world: Indoors) -> None:
    ali = person(world, LONG)
    world.json("sync")
    for _ in range(3):
        world.finance.edit(world.code_of(ali), Address="نشانی دیگر")
        assert world.json("sync", "--full")["customers"]["updated"] == 1
        assert address(world, ali) == LONG


def test_a_value_that_siagh_stores_in_its_own_way_is_put_right_once(world: Indoors) -> None:
    world.finance.drops = {"Address": "و"}
    ali = person(world, LONG)
    world.json("sync")
    assert world.json("sync", "--full")["customers"]["updated"] == 1
    trail = world.run("log", "--customer", "9000", env={"COLUMNS": "200"}).stdout
    assert "stores this value in its own way" in trail
    for _ in range(2):
        again = world.json("sync", "--full")
        assert (again["customers"]["updated"], again["requests"]["finance"]) == (0, 2)
    assert world.json("verify")["drift"] == []
    world.finance.edit(world.code_of(ali), Address="نشانی دیگر")
    assert world.json("sync", "--full")["customers"]["updated"] == 1
    assert address(world, ali) == LONG.replace("و", "")


def test_a_key_that_siagh_does_not_store_is_not_sent_at_each_look(world: Indoors) -> None:
    world.finance.ignored_keys = {"gn_web_users.passno"}
    person(world, LONG)
    world.json("sync")
    world.json("sync", "--full")
    assert world.json("sync", "--full")["customers"]["updated"] == 0


@pytest.mark.parametrize("ignored", [set(), {"gn_web_users.codeostan"}], ids=["stored", "not stored"])
def test_a_province_goes_to_the_property_that_shows_it_or_is_not_sent_at_each_look(
    world: Indoors, ignored: set[str]
) -> None:
    (world.folder / "mapping.toml").write_text('[provinces]\n"تهران" = "8"\n', "utf-8")
    world.finance.ignored_keys = ignored
    ali = person(world, LONG)
    world.crm.edit(ali, addressContacts=[{"address": LONG, "state": "تهران", "default": True}])
    world.json("sync")
    assert (address(world, ali), shown(world, ali, "GeographicCode")) == (LONG, None if ignored else 8)
    world.json("sync", "--full")
    assert world.json("sync", "--full")["customers"]["updated"] == 0
