"""What the site's servers have shown, on the dashboard: a check that administrators start, and the report of the rehearsal."""

from __future__ import annotations

import pytest

from tests.patience import wait_for
from tests.web.serving import PASSWORD, Served, ready, serving
from tests.web.test_users import OTHER, user, visitor
from tests.world import Maker, World, holding


@pytest.fixture
def office(make_world: Maker) -> World:
    """Two linked customers, and two users: Ali may decide, Zari administers."""
    world = ready(make_world(customers=2, also_in_crm=2)).imported()
    user(world, "add", "Ali", "--role", "decide", password=PASSWORD)
    user(world, "add", "Zari", "--role", "administer", password=OTHER)
    return world


def logged_in(served: Served, name: str, password: str) -> Served:
    found = visitor(served)
    assert found.log_in(name, password).status_code == 303
    return found


def test_an_administrator_checks_both_systems_from_the_page(office: World) -> None:
    with serving(office) as served:
        ali, zari = logged_in(served, "Ali", PASSWORD), logged_in(served, "Zari", OTHER)
        assert "/site/check" not in ali.get("/site").text
        assert ali.post("/site/check", {"csrf": ali.csrf("/")}).status_code == 403
        with holding(office, "login"):
            zari.post("/site/check", {"csrf": zari.csrf("/")})
            assert "check is at work" in zari.get("/site").text
            zari.post("/site/check", {"csrf": zari.csrf("/")})  # no second one beside it
        wait_for(lambda: "check is at work" not in zari.get("/site").text)
        assert office.journal.count("crm", "login") == 1
        page = ali.get("/site").text
        assert page.count('class="mark done"') >= 2
        assert office.rows("SELECT 1 FROM meta WHERE name = 'fact: find_documents'")

        office.arm("refuse_before", "finance:LoginUser", status=401, times=None)
        zari.check_systems()
        page = ali.get("/site").text
        assert "does not work" in page
        assert "hash-password" in page  # what to do
        persian = zari.get(
            "/site",
            headers={"Cookie": f"siaghsync_session={zari.http.cookies['siaghsync_session']}; siaghsync_language=fa"},
        ).text
        assert "کار نمی‌کند" in persian
        assert "does not work" not in persian


def test_the_report_of_the_rehearsal_shows_answers_and_what_is_left_behind(office: World) -> None:
    with serving(office) as served:
        ali = logged_in(served, "Ali", PASSWORD)
        assert "No rehearsal has answered" in ali.get("/rehearsal").text
        told = office.json("rehearse", "--yes", "--only", "contacts")
        page = ali.get("/rehearsal").text
        assert told["left_behind"]
        for record in told["left_behind"]:
            assert record["name"] in page
        for fact in told["facts"]:
            assert fact["how"] == "rehearsal"
        assert page.count("<tr>") == 1 + len({fact["question"] for fact in told["facts"]})
        assert f"/runs/{told['run']['id']}" in page
        assert "/rehearsal" in ali.get("/site").text
        persian = ali.get("/rehearsal", headers={"Accept-Language": "fa"}).text
        assert "<bdi>همان فیلد، با فاصله میان ارقام</bdi>" in persian
