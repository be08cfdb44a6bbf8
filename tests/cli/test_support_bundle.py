"""`support-bundle`: it says how things stand, and nothing that anybody could be known by."""

from __future__ import annotations

import json
import stat
import zipfile
from typing import Any

import pytest

from siaghsync.features.support_bundle.mask import Mask
from siaghsync.messages.message import msg
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "Product-77", "productName": "کالای ویژه", "count": 2, "baseUnitPrice": 123457}
SECRETS = (
    "زهرا", "کریمی", "09001112233", "1112233", "one@example.com", "خیابان بهار", "شرکت پنهان", "کالای ویژه", "123457", "246914",
    "100-1405/1", "70077", "70088",
)  # fmt: skip


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """A customer in step with a posted quote, one in review, one that waits and one that is passed over."""
    found = indoors(make_world()).set(**SINCE)
    found.finance.add_contact(
        Code=70077, Name="زهرا کریمی", MobileNo="09001112233", Email="one@example.com", Address="خیابان بهار"
    )
    found.finance.add_contact(Code=70088, Name="شرکت پنهان", TowardType=True)
    found.imported()
    found.crm.add_quote(found.crm_of(70077), [ROW], number="100-1405/1")
    found.crm.edit(found.crm_of(70088), email="other@example.com")
    found.finance.add_contact(Code=900, Name="کسی دیگر")
    found.crm.add_person(nickName="زهرا کریمی غریبه", firstName="", lastName="", customerNumber="900")
    found.crm.add_person(nickName="کریمی بی شماره", firstName="", lastName="", customerNumber="")
    found.arm("refuse_before", "finance:SaveFormData/update", times=None)
    found.json("sync", env={"MAX_RETRY_ATTEMPTS": "5"}, exit_code=1)
    return found


def bundle(world: Indoors, name: str = "help.zip") -> dict[str, Any]:
    ended = world.run("support-bundle", name)
    assert (ended.exit_code, ended.stdout) == (0, "")
    with zipfile.ZipFile(world.folder / name) as found:
        return {each: json.loads(found.read(each)) for each in found.namelist()}


def test_no_value_of_a_customer_and_no_secret_is_in_it(world: Indoors) -> None:
    found = json.dumps(bundle(world), ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in found] == []
    settings = world.sandbox.settings()
    private = {name: value for name, value in settings.items() if "PASSWORD" in name or "USERNAME" in name}
    assert [name for name, value in private.items() if value in found] == []
    assert world.crm_of(70077) not in found
    assert stat.S_IMODE((world.folder / "help.zip").stat().st_mode) == 0o600


def test_it_says_how_things_stand(world: Indoors) -> None:
    found = bundle(world)
    assert found["about.json"]["settings"]["CONCURRENCY"] == 8
    assert found["about.json"]["settings"]["CRM_PASSWORD"] == "set"
    state = found["state.json"]
    assert state["tables"]["customer_mappings"] == 2
    assert [run["command"] for run in state["runs"]] == ["sync", "initial-import"]
    assert [review["reason"] for review in state["reviews"]] == ["stranger"]
    assert len(state["waiting"]) == 1
    assert len(state["passed_over"]) == 1
    assert found["answers.json"]["person"]["first"]["nickName"].startswith("text(")
    assert found["answers.json"]["contacts"]["first"]["Code"] == "number"


def test_the_same_value_has_the_same_mask_also_later(world: Indoors) -> None:
    first, second = bundle(world), bundle(world, "later.zip")
    assert first["state.json"]["reviews"] == second["state.json"]["reviews"]
    masks = {review["customer_number"] for review in first["state.json"]["reviews"]}
    assert all(mask.startswith("~") for mask in masks)


def test_without_a_state_file_and_with_a_server_that_is_off(world: Indoors) -> None:
    world.state_file.unlink()
    found = json.loads(json.dumps(bundle_with(world, CRM_API_BASE_URL="http://127.0.0.1:9")))
    assert found["state.json"]["failed"]["code"] == "state.missing"
    assert found["answers.json"]["crm_login"]["failed"]["code"]


def bundle_with(world: Indoors, **env: str) -> dict[str, Any]:
    ended = world.run("support-bundle", "help.zip", env=env)
    assert ended.exit_code == 0
    with zipfile.ZipFile(world.folder / "help.zip") as found:
        return {each: json.loads(found.read(each)) for each in found.namelist()}


def test_it_replaces_nothing_of_ours(world: Indoors) -> None:
    assert world.run("support-bundle", str(world.state_file)).exit_code == 2
    assert world.json("status", exit_code=1)["initial_import_done"] is True


def test_where_a_bug_happened_is_told_and_what_it_is_of_others_is_not() -> None:
    where = "runner.py:12 sync\nplan.py:40 decide"
    told = Mask("key").message(msg("error.bug", type="KeyError", where=where))
    assert told == {"code": "error.bug", "params": {"type": "KeyError", "where": where}}
    other = Mask("key").message(msg("status.too_old", seconds="5", at=where))
    assert where not in json.dumps(other)
