"""NOTIFY_URLS: the same news as ALERT_URL's in two languages, through Apprise, to a real mail server and a real listener."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from siaghsync.sandbox.people import national_code
from tests.cli.listener import Listener, closed_port
from tests.indoors import Indoors, indoors
from tests.world import Maker


class Postbox:
    """Keeps the mail that comes."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802
        content = email.message_from_bytes(envelope.content, policy=email.policy.default)  # type: ignore[attr-defined]
        body = content.get_body(("plain",))
        assert body is not None
        self.mails.append(f"{content['Subject']}\n{body.get_content()}")
        return "250 OK"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        yield found


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box, port = Postbox(), closed_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


@pytest.fixture
def imported(make_world: Maker) -> Indoors:
    return indoors(make_world(customers=3)).imported()


def strangers(world: Indoors, count: int) -> None:
    for code in range(900, 900 + count):
        world.finance.add_contact(Code=code, Name="کسی دیگر", NationalCode=national_code(111000000 + code))
        world.crm.add_person(nickName="غریبه", firstName="", lastName="", customerNumber=str(code))


def json_url(listener: Listener) -> str:
    return listener.url.replace("http://", "json://")


def test_mail_and_json_get_grouped_news_in_both_languages_once(
    imported: Indoors, listener: Listener, postbox: tuple[Postbox, int]
) -> None:
    box, port = postbox
    mail = f"mailto://127.0.0.1:{port}?from=siaghsync@example.com&to=office@example.com&mode=insecure"
    imported.set(NOTIFY_URLS=f"{mail} {json_url(listener)}", DASHBOARD_URL="http://127.0.0.1:8787/siagh/")
    strangers(imported, 12)
    assert imported.run("sync").exit_code == 1
    (letter,) = box.mails
    (called,) = listener.take()
    for text in (letter, called.json["message"]):
        assert "12 x customer: This number belongs to another customer" in text
        assert "این شماره به مشتری دیگری تعلق دارد" in text
        assert "http://127.0.0.1:8787/siagh/reviews" in text
        assert "غریبه" not in text
    assert letter.startswith("siaghsync sync: 12 new matter(s) for a person.")
    assert imported.run("sync", "--full").exit_code == 0
    assert (len(box.mails), listener.heard) == (1, [])


def test_what_one_channel_did_not_take_is_told_there_again_and_not_to_the_other(
    imported: Indoors, listener: Listener
) -> None:
    imported.set(ALERT_URL=f"{listener.url}/alert", NOTIFY_URLS=f"json://127.0.0.1:{closed_port()}")
    strangers(imported, 1)
    ended = imported.run("sync")
    assert "NOTIFY_URLS: " in ended.stderr
    assert [one.path for one in listener.take()] == ["/alert"]
    imported.set(ALERT_URL=f"{listener.url}/alert", NOTIFY_URLS=json_url(listener))
    imported.run("sync", "--full")
    assert [one.path for one in listener.take()] == ["/"]


def test_an_address_that_nobody_understands_is_told_by_its_place_alone(imported: Indoors, listener: Listener) -> None:
    imported.set(NOTIFY_URLS=f"{json_url(listener)} nonsense://hush-hush")
    strangers(imported, 1)
    ended = imported.run("sync")
    assert "number 2" in ended.stderr
    assert "hush" not in ended.text
    assert len(listener.take()) == 1


def test_the_alert_carries_both_texts_and_links(imported: Indoors, listener: Listener) -> None:
    imported.set(ALERT_URL=listener.url, DASHBOARD_URL="https://books.example.com")
    strangers(imported, 1)
    imported.run("sync")
    (alert,) = listener.take()
    assert alert.json["link"] == "https://books.example.com/reviews"
    assert alert.json["items"][0]["link"] == "https://books.example.com/reviews/1"
    assert "مورد تازه" in alert.json["text_fa"]


def test_a_trial_message_goes_to_every_channel_and_counts_as_no_run(
    make_world: Maker, listener: Listener, postbox: tuple[Postbox, int]
) -> None:
    box, port = postbox
    world = indoors(make_world(customers=0))
    mail = f"mailto://127.0.0.1:{port}?from=siaghsync@example.com&to=office@example.com&mode=insecure"
    world.set(HEALTHCHECK_URL=f"{listener.url}/hush/", ALERT_URL=f"{listener.url}/alert", NOTIFY_URLS=mail)
    ended = world.run("notify-test")
    assert ended.exit_code == 0
    assert [line.split(":")[0] for line in ended.stderr.splitlines()] == ["HEALTHCHECK_URL", "ALERT_URL", "NOTIFY_URLS"]
    assert "hush" not in ended.text
    called = {one.path: one for one in listener.take()}
    assert set(called) == {"/hush/log", "/alert"}
    assert called["/alert"].json["trial"] is True
    (letter,) = box.mails
    for text in (letter, f"{called['/alert'].json['text']} {called['/alert'].json['text_fa']}"):
        assert "trial message" in text
        assert "پیام آزمایشی" in text
    assert not world.state_file.exists()


def test_a_trial_message_that_did_not_go_out_is_told_without_its_address(make_world: Maker, listener: Listener) -> None:
    world = indoors(make_world(customers=0))
    world.set(ALERT_URL=f"{listener.url}/alert", NOTIFY_URLS=f"json://127.0.0.1:{closed_port()}/hush-hush")
    ended = world.run("notify-test", "--json")
    assert ended.exit_code == 1
    assert [(item["target"], item["sent"]) for item in ended.json["items"]] == [
        ("ALERT_URL", True),
        ("NOTIFY_URLS", False),
    ]
    assert "hush" not in ended.text


def test_a_trial_without_any_channel_says_so(make_world: Maker) -> None:
    ended = indoors(make_world(customers=0)).run("notify-test")
    assert ended.exit_code == 1
    assert "Nothing was sent" in ended.stderr
