"""`status --all`: many companies in one table."""

from __future__ import annotations

import shutil
from contextlib import closing

from siaghsync import clock
from siaghsync.state import pauses
from siaghsync.state.database import open_state
from tests.indoors import indoors
from tests.world import Maker


def test_each_company_has_a_row_and_one_that_needs_a_person_makes_the_exit_code(make_world: Maker) -> None:
    world = indoors(make_world(customers=2)).imported()
    companies = world.folder / "companies"
    for name in ("north", "south"):
        (companies / name).mkdir(parents=True)
        shutil.copy(world.folder / ".env", companies / name / ".env")
    (companies / "no company").mkdir()
    shutil.copy(world.state_file, companies / "north" / world.state_file.name)
    told = world.run("status", "--all", str(companies), "--json")
    assert told.exit_code == 1
    north, south = told.json["companies"]
    assert (north["company"], north["problems"], north["mappings"]["customers"]) == ("north", [], 2)
    assert south["company"] == "south"
    assert len(south["problems"]) == 1
    shown = world.run("status", "--all", str(companies))
    assert "north" in shown.stdout
    assert "south" in shown.stdout
    with closing(open_state(companies / "north" / world.state_file.name)) as state:
        pauses.begin(state, clock.now(), "Ali", "stocktaking")
    assert "stocktaking" in world.run("status", "--all", str(companies)).stdout
    (companies / "south" / ".env").write_text("CRM_USERNAME=x\n", "utf-8")
    broken = world.run("status", "--all", str(companies), "--json")
    assert broken.exit_code == 1
    assert [len(each["problems"]) for each in broken.json["companies"]] == [0, 1]
    shutil.rmtree(companies / "south")
    assert world.run("status", "--all", str(companies)).exit_code == 0


def test_a_folder_without_companies_is_a_mistake(make_world: Maker) -> None:
    world = indoors(make_world(customers=0))
    ended = world.run("status", "--all", str(world.folder / "nowhere"))
    assert ended.exit_code == 2
    assert "`.env`" in ended.stderr
