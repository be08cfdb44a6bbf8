"""What the mapping file says, from end to end: places, national codes, and rules by document type."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_documents import customer, invoice, quote, told
from tests.environment import SINCE
from tests.world import Maker, World


@pytest.fixture
def world(make_world: Maker) -> World:
    return make_world(customers=3, also_in_crm=3).set(**SINCE).imported()


def says(world: World, text: str) -> None:
    (world.folder / "mapping.toml").write_text(text, "utf-8")


def test_a_wrong_key_ends_every_command_with_its_line(world: World) -> None:
    says(world, '[cities]\n"تهران" = "21"\n\n[documents.PI_5]\nsale_modell = 5\n')
    ended = world.run("sync")
    assert ended.exit_code == 2
    assert "Line 5: there is no key documents.PI_5.sale_modell. Did you mean sale_model?" in ended.stderr
    assert world.json("status", exit_code=2)["error"]["kind"] == "settings"
    assert world.journal.entries == []


def test_documents_are_posted_by_the_rules_for_their_type(world: World) -> None:
    says(
        world,
        "[documents.PI_5]\nsale_model = 7\nsales_centre = 3\nsale_kind = 2\npayment_type = 1\nintermediary = 44\n"
        "[documents.default]\nsale_kind = 6\n[documents.no]\npost = false\n[documents.PI_8]\nstates = 'any'\n",
    )
    world.crm.type_codes["quote"].update({"PI_8_x", "PI_8", "no"})
    quote(world)
    quote(world, number="100-1405/2", crmObjectTypeCode="PI_8_x")
    left = quote(world, number="100-1405/3", crmObjectTypeCode="no")
    quote(world, number="", crmObjectTypeCode="PI_8")
    document = world.json("sync")
    assert [(c["crm_id"], c["reason"]) for c in document["changes"] if c["action"] == "skip"] == [
        (left, "type_not_posted")
    ]
    keys = ("codesalemodel", "codemarkazforush", "codenoeeforush", "codenoeepardakht", "codevaseteh")
    assert {
        p.fields["namenoesanad"].split()[-1]: [p.fields[key] for key in keys] for p in world.finance.preinvoices
    } == {
        "PI_5": ["7", "3", "2", "1", "44"],
        "PI_8_x": ["8", "8", "6", "2", "31"],
        "PI_8": ["8", "8", "6", "2", "31"],
    }
    assert {p.fields["tozihat"] for p in world.finance.preinvoices} >= {
        "[CRM PI_5 100-1405/1]",
        "[CRM PI_8_x 100-1405/2]",
    }


def test_only_approved_documents_are_posted_where_the_type_asks_for_it(world: World) -> None:
    says(world, "[documents.default]\nstates = 'approved'\n")
    draft, approved = quote(world, billableObjectStateIndex=1), invoice(world, billableObjectStateIndex=2, number="")
    document = world.json("sync")
    assert {c["crm_id"]: c["reason"] for c in document["changes"]} == {draft: "not_approved", approved: None}
    world.crm.edit(draft, billableObjectStateIndex=2)
    assert told(world.json("sync")) == [("create", None)]
    world.crm.edit(draft, billableObjectStateIndex=1)
    assert told(world.json("sync", exit_code=1)) == [("review", "withdrawn_after_posting")]
    assert len(world.finance.preinvoices) == 2


def contact_of(world: World, crm_id: str) -> dict[str, Any]:
    return dict(world.finance.contacts[world.code_of(crm_id)])


def test_places_travel_by_their_codes_with_one_read_and_one_write(world: World) -> None:
    says(world, '[cities]\n"تهران" = "21"\n"شهر ری" = 22\n[countries]\n"ایران" = "98"\n')
    who = customer(world)
    before = contact_of(world, who)
    world.json("sync")
    address = {"address": "خیابان یک", "city": "شهرري", "state": "ناکجا", "country": "ایران", "default": True}
    world.crm.edit(who, addressContacts=[address])
    (change,) = world.json("sync")["changes"]
    assert {"codeshahr": "22", "countrycode": "98"}.items() <= {k: v[1] for k, v in change["fields"].items()}.items()
    assert "codeostan" not in change["fields"]
    assert [entry.endpoint for entry in world.journal.of("finance")][1:] == ["GetAll/filter", "SaveFormData/update"]
    after = contact_of(world, who)
    assert (str(after["CityCode"]), str(after["CountryCode"])) == ("22", "98")
    assert str(after["GeographicCode"]) == str(before["GeographicCode"])  # sent back as it was read
    assert world.json("sync", "--full")["customers"]["updated"] == 0


def test_the_import_gives_names_for_codes_and_the_next_sync_finds_nothing_to_do(make_world: Maker) -> None:
    world = make_world(customers=6)
    says(world, '[cities]\n"تهران بزرگ" = 1\n"تهران" = 1\n"اصفهان" = 2\n"شیراز" = 3\n[provinces]\n"فارس" = 3\n')
    for code, contact in world.finance.contacts.items():
        if not contact["TowardType"]:
            world.finance.edit(code, Gender="0")
    world.imported()
    names = {1: "تهران بزرگ", 2: "اصفهان", 3: "شیراز"}
    for crm_id, record in world.crm.records.items():
        contact = contact_of(world, crm_id)
        (address,) = record["addressContacts"]
        assert address["city"] == names.get(contact["CityCode"])
        assert address["state"] == ("فارس" if contact["GeographicCode"] == 3 else None)
        if not contact["TowardType"]:
            assert record["gender"] == "female"
    assert world.json("sync")["customers"]["updated"] == 0
    assert world.json("sync", "--full")["customers"]["updated"] == 0


def test_gender_travels_and_changes_nothing_where_the_crm_has_none(world: World) -> None:
    world.json("sync")
    who = next(crm_id for crm_id, record in world.crm.records.items() if "firstName" in record)
    world.finance.edit(world.code_of(who), Gender="1")
    world.crm.edit(who, gender="زن")
    (change,) = world.json("sync")["changes"]
    assert change["fields"]["gender"] == ["1", "0"]
    world.crm.edit(who, gender=None, email="x@example.com")
    world.json("sync")
    assert str(contact_of(world, who)["Gender"]) == "0"


def test_a_national_code_in_a_property_of_the_sites_own(world: World) -> None:
    says(world, '[customers]\nnational_code_property = "melli"\n')
    who = world.crm.add_person(
        nickName="سارا نمونه", customerNumber="7001", extendedProperties=[{"userKey": "melli", "value": "0013542419"}]
    )
    world.json("sync")
    assert contact_of(world, who)["NationalCode"] == "0013542419"
