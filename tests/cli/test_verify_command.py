"""`verify` over the real command line: what is not in step, as JSON and as tables. It writes nothing."""

from __future__ import annotations

import pytest

from tests.indoors import Indoors, indoors
from tests.world import Maker


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Three linked customers."""
    found = indoors(make_world())
    for code in (700, 701, 702):
        found.finance.add_contact(Code=code, Name=f"شرکت {code}", TowardType=True, MobileNo=f"09001112{code}")
    found.imported()
    return found


def test_everything_in_step(world: Indoors) -> None:
    assert world.json("verify") == {
        "checked": 3, "in_step": 3, "drift": [], "missing_in_finance": [], "missing_in_crm": [], "duplicates": [],
        "unlinked": {"crm": 0, "finance": 0},
    }  # fmt: skip
    assert "3 of 3 linked customers are in step." in world.run("verify").stdout


def test_what_is_not_in_step(world: Indoors) -> None:
    crm_ids = {code: world.crm_of(code) for code in (700, 701, 702)}
    world.crm.edit(crm_ids[700], email="new@example.com")
    world.crm.delete(crm_ids[701])
    world.finance.delete(702)
    other = world.crm.add_organization(nickName="دیگری", customerNumber="700")
    before = world.finance.snapshot(), dict(world.crm.records)

    found = world.json("verify", exit_code=1)
    assert (found["checked"], found["in_step"]) == (3, 0)
    (drift,) = found["drift"]
    assert drift == {
        "crm_id": crm_ids[700], "customer_number": "700", "finance_code": "700", "name": "شرکت 700",
        "fields": {"email": ["", "new@example.com"]},
    }  # fmt: skip
    assert [pair["crm_id"] for pair in found["missing_in_crm"]] == [crm_ids[701]]
    assert [pair["finance_code"] for pair in found["missing_in_finance"]] == ["702"]
    (duplicate,) = found["duplicates"]
    assert (duplicate["system"], duplicate["same"], duplicate["value"]) == ("crm", "customer number", "700")
    assert set(duplicate["records"]) == {crm_ids[700], other}
    assert found["unlinked"] == {"crm": 1, "finance": 0}

    ended = world.run("verify")
    assert ended.exit_code == 1
    for said in (
        "0 of 3 linked customers are in step.",
        "e-mail: (empty) -> new@example.com",
        "Not in the CRM any more",
    ):
        assert said in ended.stdout
    assert (world.finance.snapshot(), dict(world.crm.records)) == before
