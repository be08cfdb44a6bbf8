"""Changes that become visible late, in a stretch too full for one page: they may be found later, but never lost."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import pytest

from siaghsync.sandbox.people import national_code
from tests.world import Maker, World


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template().imported()
    now = world.crm.now()
    for i in range(260):
        world.crm.add_person(
            nickName=f"مشتری {i}",
            customerNumber=str(5000 + i),
            nationalCode=national_code(200000000 + i),
            modifyDate=stamp(now - timedelta(milliseconds=10 * (260 - i))),
        )
    world.json("sync")
    return world


def stamp(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def after_the_overlap(world: World) -> None:
    """As if the last whole reading had been eleven minutes ago."""
    with sqlite3.connect(world.state_file) as db:
        (whole_at,) = db.execute("SELECT window_read_at FROM cursors WHERE source = 'person'").fetchone()
        earlier = stamp(datetime.fromisoformat(whole_at) - timedelta(minutes=11))
        db.execute("UPDATE cursors SET window_read_at = ? WHERE source = 'person'", (earlier,))


@pytest.mark.parametrize("how", ["an edit", "a newcomer behind a deletion"])
def test_what_shows_late_in_a_full_stretch_is_found_once_the_overlap_is_over(template: World, how: str) -> None:
    world = template
    (cursor,) = world.rows("SELECT modified FROM cursors WHERE source = 'person'")[0]
    late = stamp(datetime.fromisoformat(cursor) - timedelta(seconds=2.55))
    hidden = sorted(world.crm.records.values(), key=lambda r: r["modifyDate"])[0]["crmId"]
    if how == "an edit":
        world.crm.edit(hidden, email="late@example.com", modifyDate=late)
    else:
        world.crm.delete(hidden)
        hidden = world.crm.add_person(nickName="دیرآمده", customerNumber="9009", modifyDate=late)
    first = world.json("sync")
    # A quick look is all that a busy stretch costs meanwhile, and the first time a page that proves the order.
    assert first["requests"]["crm"] == (6 if how == "an edit" else 5)
    after_the_overlap(world)
    changed = [each["crm_id"] for each in world.json("sync")["changes"]]
    assert changed == [hidden]
