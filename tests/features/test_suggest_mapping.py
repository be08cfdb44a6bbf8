"""`check-apis --suggest-mapping`: a first mapping file that both systems' records give, and that the program takes as it is."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.indoors import Indoors, indoors
from tests.world import Maker


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Eight customers whom both systems have."""
    return indoors(make_world(customers=8, also_in_crm=8))


def suggested(world: Indoors, *args: str) -> tuple[str, dict[str, Any]]:
    """The file that is printed, and what it says; it is also put into its place."""
    ended = world.run("check-apis", "--suggest-mapping", *args)
    assert ended.exit_code == 0, ended.text
    assert world.journal.count("finance", "SaveFormData") == 0
    (world.folder / "mapping.toml").write_text(ended.stdout, "utf-8")
    return ended.stdout, tomllib.loads(ended.stdout)


def live_in(world: Indoors, *places: tuple[str, str | None]) -> None:
    """Gives the customers, one after the other, a city of that name in the CRM and of that code in Siagh."""
    for crm_id, record in world.crm.records.items():
        city, code = places[int(record["customerNumber"]) % len(places)]
        world.crm.edit(crm_id, addressContacts=[{"default": True, "city": city, "country": "ایران", "address": "خ"}])
        world.finance.edit(int(record["customerNumber"]), CityCode=code, CountryCode="1", GeographicCode=None)


def test_the_file_is_taken_as_it_is_and_sends_nothing_that_is_there(world: Indoors) -> None:
    live_in(world, ("تهران", "21"), ('قم "نو" \\ # =', "25"), ("طهران", "21"))
    _, found = suggested(world)
    assert found["cities"] == {"تهران": "21", 'قم "نو" \\ # =': "25", "طهران": "21"}
    assert (found["provinces"], found["countries"]) == ({}, {"ایران": "1"})
    world.imported()
    assert not [c for c in world.json("sync", "--full")["changes"] if "city" in str(c["fields"])]


def test_the_majority_wins_and_the_rest_is_a_comment(world: Indoors) -> None:
    live_in(world, ("تهران", "21"), ("تهران", "21"), ("تهران ", "99"), ("تهران", "0"))
    text, found = suggested(world)
    assert found["cities"] == {"تهران": "21"}
    assert '# "تهران" = "99"' in text
    live_in(world, ("تهران", "21"), ("تهران", "99"))
    text, found = suggested(world)
    assert found["cities"] == {}
    assert ('# "تهران" = "99"' in text, '# "تهران" = "21"' in text) == (True, True)


def test_only_pairs_count_those_of_the_state_file_included(world: Indoors) -> None:
    live_in(world, ("تهران", "21"))
    for code in list(world.finance.contacts):
        world.finance.edit(code, Name=f"کسی {code}", NickName="", NationalCode="", MobileNo="", TelNo="")
    assert suggested(world)[1]["cities"] == {}
    one = next(iter(world.crm.records.values()))
    csv = f"crm_id,finance_code,kind,customer_number\n{one['crmId']},{one['customerNumber']},,{one['customerNumber']}\n"
    (world.folder / "links.csv").write_text(csv, "utf-8")
    world.run("links", "import", "links.csv")
    assert suggested(world)[1]["cities"] == {"تهران": "21"}


@pytest.mark.parametrize("is_listed", [True, False])
def test_the_types_of_documents_with_what_is_sent_for_them(world: Indoors, is_listed: bool) -> None:
    customer = next(iter(world.crm.records))
    world.crm.type_codes["quote"].update({"PI_7", "کالا 3"})
    rows = [{"productCode": "P", "count": 1, "baseUnitPrice": 1}]
    world.crm.add_quote(customer, rows, crmObjectTypeCode="PI_7")
    if not is_listed:
        world.crm.missing.add("crmobjecttype/search")
    text, found = suggested(world)
    assert found["documents"].keys() == ({"PI_5", "PI_7", "SI_5", "کالا 3"} if is_listed else {"PI_7"})
    assert not any(found["documents"].values())
    section = text.split("[documents.PI_7]")[1]
    assert "# sale_model = 7\n# sales_centre = 7\n# sale_kind = 1\n" in section
    (world.folder / "mapping.toml").write_text(text.replace("\n# s", "\ns"), "utf-8")
    assert world.run("status").exit_code != 2, "the commented lines are right as they are, too"


def test_types_under_an_index_that_nobody_knows_are_those_of_the_documents(world: Indoors) -> None:
    world.crm.document_indexes = {"quote": 11, "invoice": 5}
    rows = [{"productCode": "P", "count": 1, "baseUnitPrice": 1}]
    world.crm.add_quote(next(iter(world.crm.records)), rows, crmObjectTypeCode="PI_7")
    text, found = suggested(world)
    assert found["documents"].keys() == {"PI_7", "SI_5"}
    assert mapping_warnings(world, text) == []


def test_a_system_that_does_not_work_leaves_stdout_empty(world: Indoors) -> None:
    ended = world.run("check-apis", "--suggest-mapping", env={"CRM_PASSWORD": "wrong"})
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert world.run("check-apis", "--suggest-mapping", "--json").exit_code == 2


def mapping_warnings(world: Indoors, text: str, *, exit_code: int = 0) -> list[tuple[str, str]]:
    (world.folder / "mapping.toml").write_text(text, "utf-8")
    found = world.json("check-apis", exit_code=exit_code)["warnings"]
    return [(each["reason"], each["message"].split()[0]) for each in found if each["reason"].startswith("mapping")]


def test_what_no_system_has_is_named_by_its_key(world: Indoors) -> None:
    live_in(world, ("تهران", "۲۱"))
    text = """
        [cities]
        "تهران" = 21
        "قم" = "25"
        [countries]
        "ایران" = "1"
        [documents.default]
        states = "any"
        [documents.PI_5]
        [documents.SI_5]
        [documents.PI_55]
        """
    wrong_type, wrong_place = ("mapping_type", "documents.PI_55"), ("mapping_place", "cities.قم")
    assert mapping_warnings(world, text) == [wrong_type, wrong_place]
    assert "PI_5, SI_5" in world.run("check-apis").stdout
    world.crm.missing.add("crmobjecttype/search")
    assert mapping_warnings(world, text) == [wrong_place], "a CRM without the list says nothing about types"
    world.arm("json", "finance:GetAll", body=b"[{]", times=None)
    assert mapping_warnings(world, text, exit_code=3) == []
