"""Both systems as cheaply as Python can stand in for them: two ports of 127.0.0.1, one process, one event loop.

    python -m benchmarks.server

It keeps to the contracts for what a run of siaghsync asks (logins, lists with pages, creates and updates that answer with
ids, authorised requests only), and to nothing else: the sandbox costs more a request than the program under test. Prints its
two addresses as JSON. `POST /_bench/reset` and `POST /_bench/touch` on the CRM's port set the scene; `GET /_bench/counts` tells
how many requests came since.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from benchmarks.fake_customers import FIRST_CODE, MD5, PASSWORD, USER, as_bytes, contact, crm_body

TOKEN, SESSION = "bench-token", "benchsession"
_TEHRAN = timedelta(hours=3, minutes=30)
_LIST_PART = 256 * 1024
Answer = bytes | Iterator[bytes]


def _now() -> str:
    return (datetime.now(UTC) + _TEHRAN).replace(tzinfo=None).isoformat(timespec="milliseconds")


class Systems:
    """What both systems know. CRM records are kept as the JSON text that they came as."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.requests: Counter[str] = Counter()
        self.reset(0, crm=0, latency=0)

    def reset(self, contacts: int, *, crm: int, latency: float, since: str = "2020-01-01T00:00:00.000") -> None:
        """`contacts` in Finance; the first `crm` of them in the CRM too; `latency` in milliseconds for each answer."""
        self.delay(latency)
        self.contacts = contacts
        self.changed: dict[int, dict[str, Any]] = {}
        self.bodies: dict[str, dict[str, bytes]] = {"person": {}, "organization": {}}
        self.dates: dict[str, str] = {}
        self.order: dict[str, list[tuple[str, str]]] = {"person": [], "organization": []}
        moment = datetime.fromisoformat(since)
        for number in range(crm):
            date = (moment + timedelta(minutes=2 * number)).isoformat(timespec="milliseconds")
            self._keep("person", crm_id_of(number), as_bytes(crm_body(number)), date)
        self.requests.clear()

    def delay(self, latency: float) -> None:
        """From now on each answer takes `latency` milliseconds."""
        self.latency = latency / 1000

    def _keep(self, kind: str, crm_id: str, body: bytes, date: str) -> None:
        if crm_id in self.bodies[kind]:
            order = self.order[kind]
            del order[bisect.bisect_left(order, (self.dates[crm_id], crm_id))]
        self.bodies[kind][crm_id], self.dates[crm_id] = body, date
        bisect.insort(self.order[kind], (date, crm_id))

    def touch(self, first: int, count: int) -> None:
        """Changes the e-mail address of `count` CRM persons that stand for contacts `first` and following."""
        for number in range(first, first + count):
            body = {**crm_body(number), "email": f"changed{number}@example.com"}
            self._keep("person", crm_id_of(number), as_bytes(body), _now())

    def add(self, count: int) -> None:
        """`count` new customers in the CRM alone, numbered far away from Finance's codes."""
        for number in range(5_000_000, 5_000_000 + count):
            self._keep("person", crm_id_of(number), as_bytes(crm_body(number)), _now())

    # --- CRM ---

    def create(self, kind: str, body: bytes) -> bytes:
        """Contract payamgostar §3.5."""
        crm_id = str(uuid.uuid4())
        self._keep(kind, crm_id, body, _now())
        return b'{"crmId":"%s"}' % crm_id.encode()

    def find(self, kind: str, body: bytes) -> bytes:
        """Contract payamgostar §3.2: by ModifyDate, or by an exact CustomerNumber."""
        if kind not in self.order:
            return b'{"data":[],"total":0}'
        asked = json.loads(body)
        order, since, number = self.order[kind], None, None
        for query in asked["queries"]:
            if query["field"] == "ModifyDate":
                since = query["value"]
            else:
                number = f'"customerNumber":"{query["value"]}"'.encode()
        start = bisect.bisect_left(order, (since, "")) if since else 0
        at, size = (asked["pageNumber"] - 1) * asked["pageSize"], asked["pageSize"]
        if number:
            found = [item for item in order[start:] if number in self.bodies[kind][item[1]].replace(b'": "', b'":"')]
            total, chosen = len(found), found[at : at + size]
        else:
            total = len(order) - start
            if asked["orders"][0]["order"]:
                stop = len(order) - at
                chosen = order[max(start, stop - size) : max(start, stop)][::-1]
            else:
                chosen = order[start + at : start + at + size]
        records = b",".join(self._record(kind, crm_id, date) for date, crm_id in chosen)
        return b'{"data":[%s],"total":%d}' % (records, total)

    def _record(self, kind: str, crm_id: str, date: str) -> bytes:
        known = (crm_id.encode(), date.encode(), date.encode())
        return self.bodies[kind][crm_id][:-1] + b',"crmId":"%s","creatDate":"%s","modifyDate":"%s"}' % known

    def get(self, kind: str, body: bytes) -> bytes:
        """Contract payamgostar §3.3."""
        crm_id = json.loads(body)["id"]
        return self._record(kind, crm_id, self.dates[crm_id]) if crm_id in self.bodies.get(kind, ()) else b"null"

    # --- Finance ---

    def list(self) -> Iterator[bytes]:
        """Contract siagh §3.1: all contacts, in parts."""
        part, size = [b"["], 0
        for number in range(self.contacts):
            text = as_bytes(self.changed.get(number) or contact(number))
            part.append(text if number == 0 else b"," + text)
            size += len(text)
            if size > _LIST_PART:
                yield b"".join(part)
                part, size = [], 0
        part.append(b"]")
        yield b"".join(part)

    def some(self, body: bytes) -> bytes:
        """Contract siagh §3.1: the contact with one Code."""
        number = json.loads(body)["Code"] - FIRST_CODE
        is_there = 0 <= number < self.contacts
        return as_bytes([self.changed.get(number) or contact(number)] if is_there else [])

    def save(self, body: bytes) -> bytes:
        """Contract siagh §3.2: creates or updates a contact."""
        asked = json.loads(body)
        code = asked["parameters"].removeprefix("CodeMain=")
        values = dict(pair.partition("=")[::2] for pair in asked["ctrlValues"].split("|"))
        number = int(code) - FIRST_CODE if code else self.contacts
        self.contacts = max(self.contacts, number + 1)
        sent = {prop: values.get(f"gn_web_users.{key}") or None for key, prop in _WRITTEN.items()}
        self.changed[number] = {**(self.changed.get(number) or contact(number)), **sent}
        key = str(number + FIRST_CODE)
        return as_bytes(
            {"Errors": [], "FinalMessages": [], "ReturnValue": True, "ReturnCode": key, "ReturnParams": key}
        )


_WRITTEN = {
    "websiteaddress": "WebSiteAddress", "pocode": "PostalCode", "address": "Address", "email": "Email", "fullname": "Name",
    "mobileno": "MobileNo", "telno": "TelNo", "passno": "NationalCode", "tozihat": "Description",
}  # fmt: skip


def crm_id_of(number: int) -> str:
    """The CRM id of the record that a reset makes for contact `number`."""
    return str(uuid.UUID(int=(1 << 100) + number))


class Door(asyncio.Protocol):
    """One kept connection to one of the two systems."""

    def __init__(self, systems: Systems, answer: Callable[[Systems, bytes, bytes], Answer | None], key: bytes) -> None:
        self._systems = systems
        self._answer = answer
        self._key = key
        self._got = b""
        self._open = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.set()

    def pause_writing(self) -> None:
        self._open.clear()

    def resume_writing(self) -> None:
        self._open.set()

    def data_received(self, data: bytes) -> None:
        self._got += data
        while True:
            head_end = self._got.find(b"\r\n\r\n") + 4
            if head_end < 4:
                return
            head = self._got[:head_end]
            place = head.lower().find(b"content-length:")
            length = int(head[place + 15 : head.index(b"\r", place)]) if place >= 0 else 0
            if len(self._got) < head_end + length:
                return
            body, self._got = self._got[head_end : head_end + length], self._got[head_end + length :]
            self._handle(head, body)

    def _handle(self, head: bytes, body: bytes) -> None:
        line = head[: head.index(b"\r")]
        path = line.split(b" ")[1]
        answer: Answer | None = None
        status = b"404 Not Found"
        if path.startswith(b"/_bench/"):
            answer = _scene(self._systems, path, body)
        elif b"ogin" in path or self._key in head:
            self._systems.requests[path.decode()] += 1
            answer = self._answer(self._systems, line, body)
        else:
            status = b"401 Unauthorized"
        if answer is None:
            self._send(status, b"{}")
        elif self._systems.latency and not path.startswith(b"/_bench/"):
            asyncio.get_running_loop().call_later(self._systems.latency, self._give, answer)
        else:
            self._give(answer)

    def _give(self, answer: Answer) -> None:
        if isinstance(answer, bytes):
            self._send(b"200 OK", answer)
        else:
            task = asyncio.create_task(self._stream(answer))
            task.add_done_callback(lambda _: None)

    def _send(self, status: bytes, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (status, _date(), len(body), body)
        )

    async def _stream(self, parts: Iterator[bytes]) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
        self._transport.write(head % _date())
        for part in parts:
            self._transport.write(b"%x\r\n%s\r\n" % (len(part), part))
            await self._open.wait()
        self._transport.write(b"0\r\n\r\n")


_dated: tuple[float, bytes] = (0.0, b"")


def _date() -> bytes:
    global _dated
    now = asyncio.get_running_loop().time()
    if now - _dated[0] > 0.5:
        _dated = (now, format_datetime(datetime.now(UTC), usegmt=True).encode())
    return _dated[1]


def _scene(systems: Systems, path: bytes, body: bytes) -> bytes:
    name = path.removeprefix(b"/_bench/")
    if name == b"counts":
        return as_bytes(systems.requests)
    acts: dict[bytes, Callable[..., None]] = {
        b"reset": systems.reset, b"delay": systems.delay, b"touch": systems.touch, b"add": systems.add,
    }  # fmt: skip
    acts[name](**json.loads(body))
    systems.requests.clear()
    return b"{}"


def crm(systems: Systems, line: bytes, body: bytes) -> Answer | None:
    """The CRM's addresses."""
    parts = line.split(b" ")[1].decode().split("/")
    match parts[3:]:
        case ["auth", "login"]:
            asked = json.loads(body)
            is_right = (asked["username"], asked["password"]) == (USER, PASSWORD)
            return as_bytes({"accessToken": TOKEN, "refreshToken": "", "expiresAt": ""}) if is_right else None
        case ["crmobject", kind, "create"]:
            return systems.create(kind, body)
        case ["crmobject", kind, *_, "find"]:
            return systems.find(kind, body)
        case ["crmobject", kind, *_, "get"]:
            return systems.get(kind, body)
    return None


def finance(systems: Systems, line: bytes, body: bytes) -> Answer | None:
    """Finance's addresses."""
    if b"GetAll" in line:
        return systems.list() if line.startswith(b"GET") else systems.some(body)
    if b"SaveFormData" in line:
        return systems.save(body)
    if b"LoginUser" in line and json.loads(body)["Password"] == MD5:
        return as_bytes({"SessionId": SESSION, "UserName": USER, "FiscalYear": 1404, "SystemDate": "1404/09/04"})
    return None


async def _serve() -> None:
    systems = Systems()
    loop = asyncio.get_running_loop()
    urls = {}
    for name, answer, key in (("crm", crm, f"Bearer {TOKEN}"), ("finance", finance, SESSION)):
        server = await loop.create_server(
            lambda answer=answer, key=key: Door(systems, answer, key.encode()),  # type: ignore[misc]
            "127.0.0.1",
            0,
        )
        urls[name] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps(urls), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
