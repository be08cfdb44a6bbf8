"""Named users of the dashboard: each with a password of its own, a role, and sessions that end with the password."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest

from tests.patience import wait_for
from tests.web.serving import PASSWORD, Served, ready, serving
from tests.world import Ended, World

OTHER = "another honest one"


@pytest.fixture
def users(small: World) -> Iterator[World]:
    """A world without users of the dashboard before and after the test."""
    file = small.folder / "dashboard-users.toml"
    file.unlink(missing_ok=True)
    yield ready(small)
    file.unlink(missing_ok=True)


def user(world: World, *args: str, password: str | None = None) -> Ended:
    stdin = None if password is None else f"{password}\n"
    more = () if password is None else ("--stdin",)
    return world.run("dashboard-user", *args, *more, stdin=stdin)


def visitor(served: Served) -> Served:
    return Served(served.world, served.process, served.url)


def names(world: World) -> list[dict[str, str]]:
    found: list[dict[str, str]] = world.json("dashboard-user", "list")["users"]
    return found


def test_users_are_added_listed_changed_and_removed(users: World) -> None:
    assert user(users, "add", "مینا", "--role", "look", password=PASSWORD).exit_code == 0
    assert user(users, "add", "Ali", "--role", "administer", password=OTHER).exit_code == 0
    assert sorted(names(users), key=lambda each: each["name"]) == [
        {"name": "Ali", "role": "administer"}, {"name": "مینا", "role": "look"},
    ]  # fmt: skip
    file = users.folder / "dashboard-users.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in file.read_text("utf-8")
    assert user(users, "add", "مینا", "--role", "decide", password=PASSWORD).exit_code == 0
    assert user(users, "remove", "ali").exit_code == 0
    assert names(users) == [{"name": "مینا", "role": "decide"}]
    assert "مینا" in users.run("dashboard-user", "list").stdout


@pytest.mark.parametrize(
    ("args", "password"),
    [(("add", "Ali", "--role", "look"), "short"), (("password", "nobody"), PASSWORD), (("remove", "nobody"), None),
     (("add", " ", "--role", "look"), PASSWORD), (("add", "Ali", "--role", "king"), PASSWORD), (("add", "Ali"), PASSWORD)],
)  # fmt: skip
def test_wrong_use_is_said_and_changes_nothing(users: World, args: tuple[str, ...], password: str | None) -> None:
    ended = user(users, *args, password=password)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert not (users.folder / "dashboard-users.toml").exists()


def test_a_file_that_is_no_list_of_users_is_told_and_kept(users: World) -> None:
    file = users.folder / "dashboard-users.toml"
    file.write_text("[users.Ali]\nrole = 'king'\n", "utf-8")
    ended = user(users, "add", "Mina", "--role", "look", password=PASSWORD)
    assert (ended.exit_code, "dashboard-users.toml" in ended.stderr) == (2, True)
    assert "king" in file.read_text("utf-8")


def test_a_listed_user_needs_the_own_password_and_others_the_shared_one(users: World) -> None:
    user(users, "add", "Mina", "--role", "decide", password=OTHER)
    with serving(users) as served:
        assert visitor(served).log_in("Mina", PASSWORD).status_code == 403
        assert visitor(served).log_in("mina ", OTHER).status_code == 303
        assert visitor(served).log_in("Zahra", PASSWORD).status_code == 303
        assert visitor(served).log_in("Zahra", OTHER).status_code == 403


def test_who_may_only_look_sees_no_way_out_and_can_not_force_one(users: World) -> None:
    users.finance.add_contact(Code=9001, Name="کسی دیگر")
    users.crm.add_person(nickName="غریبه", firstName="", lastName="", customerNumber="9001")
    users.json("sync", exit_code=1)
    (item,) = (each for each in users.json("review")["items"] if each["customer_number"] == "9001")
    user(users, "add", "Mina", "--role", "look", password=OTHER)
    with serving(users) as served:
        looking, deciding = visitor(served), visitor(served)
        looking.log_in("Mina", OTHER)
        deciding.log_in()
        path = f"/reviews/{item['id']}"
        assert "ways-out" in deciding.get(path).text
        page = looking.get(path)
        assert (page.status_code, "ways-out" in page.text) == (200, False)
        assert looking.get(f"{path}/confirm?way=retry").status_code == 403
        form = {"csrf": looking.csrf("/"), "way": "retry", "value": ""}
        assert looking.post(f"{path}/decide", form).status_code == 403
        assert item["id"] in {each["id"] for each in users.json("review")["items"]}
    users.json("review", "resolve", str(item["id"]), "--discard")


def test_a_changed_or_removed_password_ends_its_sessions_at_once_and_no_others(users: World) -> None:
    user(users, "add", "Mina", "--role", "look", password=OTHER)
    with serving(users) as served:
        mina, zahra = visitor(served), visitor(served)
        mina.log_in("Mina", OTHER)
        zahra.log_in()
        assert user(users, "password", "Mina", password="a third honest one").exit_code == 0
        assert (mina.get("/").status_code, zahra.get("/").status_code) == (303, 200)
        mina.log_in("Mina", "a third honest one")
        assert mina.get("/").status_code == 200
        assert user(users, "remove", "Mina").exit_code == 0
        assert (mina.get("/").status_code, zahra.get("/").status_code) == (303, 200)
        users.set(ENABLE_WEBHOOKS="true", WEBHOOK_SECRET="x" * 20)  # without the shared password
        wait_for(lambda: zahra.get("/").status_code == 403)


def test_users_alone_open_the_dashboard(users: World) -> None:
    users.set()
    user(users, "add", "Mina", "--role", "decide", password=OTHER)
    with serving(users) as served:
        assert visitor(served).log_in("Mina", OTHER).status_code == 303
        assert visitor(served).log_in("Zahra", "").status_code == 403


def test_nobody_comes_in_while_the_list_of_users_can_not_be_understood(users: World) -> None:
    user(users, "add", "Mina", "--role", "decide", password=OTHER)
    file = users.folder / "dashboard-users.toml"
    text = file.read_text("utf-8")
    with serving(users) as served:
        mina = visitor(served)
        mina.log_in("Mina", OTHER)
        file.write_text(text.replace('"decide"', '"king"'), "utf-8")
        assert mina.get("/").status_code == 403
        assert visitor(served).get("/login").status_code == 403
        assert served.get("/health").status_code == 200
        file.write_text(text, "utf-8")
        assert visitor(served).log_in("Mina", OTHER).status_code == 303
