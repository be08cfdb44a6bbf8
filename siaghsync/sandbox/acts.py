"""What each fault does on the wire (the list of kinds: `faults`).

ASGI can say none of a reset, a cut or headers that drip: such faults write to the connection's own transport,
and the connection ends with them.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.types import Receive, Send

from siaghsync.sandbox.call import JSON_TYPE, Header, Reply
from siaghsync.sandbox.faults import Fault, FaultKind
from siaghsync.sandbox.wire import camel, pascal, recase

_HTML = (
    b"<!DOCTYPE html><html><head><title>Service</title></head><body><h1>The service is temporarily "
    b"unavailable</h1></body></html>"
)
_LINGER_ZERO = struct.pack("ii", 1, 0)
_SPACES = b" " * 65536


@dataclass(frozen=True)
class Exchange:
    """A request on its connection. `run` does the work and gives the answer; `error` is this system's error."""

    transport: asyncio.Transport
    receive: Receive
    send: Send
    run: Callable[[], Reply]
    error: Callable[[int], Reply]
    expire: Callable[[], None]
    date: Callable[[], tuple[Header, ...]]
    """The header with the system's own date, if it sends one."""

    async def answer(self, answer: Reply) -> bool:
        """Sends an ordinary answer; True."""
        whole = isinstance(answer.body, bytes)
        length: tuple[Header, ...] = ((b"content-length", b"%d" % len(answer.body)),) if whole else ()  # type: ignore[arg-type]
        headers = [*answer.headers, *self.date(), *length]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(answer.body, bytes):
            await self.send({"type": "http.response.body", "body": answer.body})
            return True
        for piece in answer.body:
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await self.send({"type": "http.response.body", "body": b""})
        return True

    def head(self, answer: Reply, length: int | None) -> bytes:
        """Status line and headers as they stand on the wire."""
        lines = [b"HTTP/1.1 %d %s" % (answer.status, HTTPStatus(answer.status).phrase.encode())]
        lines += [name + b": " + value for name, value in (*answer.headers, *self.date())]
        lines += [b"content-length: %d" % length] if length is not None else []
        return b"\r\n".join([*lines, b"connection: close", b"", b""])

    async def end(self, reset: bool = False) -> bool:
        """Ends the connection, at once by a reset or after what was written; False."""
        if reset:
            connection: socket.socket = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.transport.abort()
        else:
            self.transport.close()
        while (await self.receive())["type"] != "http.disconnect":
            pass
        return False

    async def write(self, pieces: Iterator[bytes], pause: float = 0.0) -> bool:
        """Writes pieces to the connection, never more than the client takes, and ends it; False."""
        for piece in pieces:
            if self.transport.is_closing():
                break
            self.transport.write(piece)
            await asyncio.sleep(pause)
            while self.transport.get_write_buffer_size() > 1 << 20 and not self.transport.is_closing():
                await asyncio.sleep(0.005)
        return await self.end()


async def _refuse_before(fault: Fault, exchange: Exchange) -> bool:
    return await exchange.answer(_refusal(fault, exchange, 503))


async def _status_after(fault: Fault, exchange: Exchange) -> bool:
    exchange.run()
    return await exchange.answer(_refusal(fault, exchange, 500))


def _refusal(fault: Fault, exchange: Exchange, usual: int) -> Reply:
    answer = exchange.error(fault.status or usual)
    if fault.retry_after is not None:
        answer = replace(answer, headers=(*answer.headers, (b"retry-after", b"%d" % fault.retry_after)))
    return replace(answer, body=fault.body) if fault.body else answer


async def _end_now(fault: Fault, exchange: Exchange) -> bool:
    if fault.kind.endswith("_after"):
        exchange.run()
    return await exchange.end(reset=fault.kind.startswith("reset"))


async def _cut(fault: Fault, exchange: Exchange) -> bool:
    answer = exchange.run()
    body = answer.whole()
    part = body[: fault.size if fault.size is not None else len(body) // 2]
    return await exchange.write(iter([exchange.head(answer, len(body)) + part]))


async def _hang_before(fault: Fault, exchange: Exchange) -> bool:
    await asyncio.sleep(fault.seconds)
    if fault.then == "close":
        return await exchange.end()
    return await exchange.answer(exchange.run())


async def _hang_after(fault: Fault, exchange: Exchange) -> bool:
    answer = exchange.run()
    await asyncio.sleep(fault.seconds)
    return await (exchange.end() if fault.then == "close" else exchange.answer(answer))


async def _late_commit(fault: Fault, exchange: Exchange) -> bool:
    asyncio.get_running_loop().call_later(fault.seconds, exchange.run)
    return await exchange.end()


async def _repeat(fault: Fault, exchange: Exchange) -> bool:
    exchange.run()
    return await exchange.answer(exchange.run())


async def _drip(fault: Fault, exchange: Exchange) -> bool:
    answer = exchange.run()
    body = answer.whole()
    head = exchange.head(answer, len(body))
    pieces = [head[i : i + 1] for i in range(len(head))] if fault.kind == "drip_headers" else [head]
    return await exchange.write((p for p in [*pieces, *(body[i : i + 1] for i in range(len(body)))]), fault.seconds)


async def _instead(fault: Fault, exchange: Exchange) -> bool:
    if fault.commit:
        exchange.run()
    if fault.kind == "html":
        page = Reply(fault.body or _HTML, fault.status or 200, ((b"content-type", b"text/html; charset=utf-8"),))
        return await exchange.answer(page)
    if fault.kind == "gzip_bomb":
        headers = (JSON_TYPE, (b"content-encoding", b"gzip"))
        return await exchange.answer(Reply(_bomb(fault.size or 300_000_000), fault.status or 200, headers))
    return await exchange.answer(Reply(fault.body, fault.status or 200))


async def _big(fault: Fault, exchange: Exchange) -> bool:
    if fault.commit:
        exchange.run()
    pieces = itertools.repeat(_SPACES) if fault.size is None else _blanks(fault.size - 2)
    head = exchange.head(Reply(b"", fault.status or 200), fault.size)
    return await exchange.write(itertools.chain([head + b"["], pieces, [b"]"]))


def _blanks(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(_SPACES)):
        yield _SPACES[: size - start]


@functools.lru_cache(maxsize=2)
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(level=9, wbits=31)
    pieces = [packer.compress(piece) for piece in itertools.chain([b"["], _blanks(size - 2), [b"]"])]
    return b"".join([*pieces, packer.flush()])


async def _redirect(fault: Fault, exchange: Exchange) -> bool:
    return await exchange.answer(Reply(b"", fault.status or 302, ((b"location", fault.body or b"/elsewhere"),)))


async def _expire(fault: Fault, exchange: Exchange) -> bool:
    exchange.expire()
    return await exchange.answer(exchange.run())


async def _recased(fault: Fault, exchange: Exchange) -> bool:
    answer = exchange.run()
    rename = pascal if fault.kind == "pascal" else camel
    return await exchange.answer(replace(answer, body=recase(answer.whole(), rename)))


ACTS: dict[FaultKind, Callable[[Fault, Exchange], Awaitable[bool]]] = {
    "refuse_before": _refuse_before,
    "status_after": _status_after,
    "reset_before": _end_now,
    "reset_after": _end_now,
    "close_before": _end_now,
    "close_after": _end_now,
    "cut": _cut,
    "hang_before": _hang_before,
    "hang_after": _hang_after,
    "late_commit": _late_commit,
    "drip": _drip,
    "drip_headers": _drip,
    "html": _instead,
    "json": _instead,
    "big": _big,
    "gzip_bomb": _instead,
    "redirect": _redirect,
    "expire": _expire,
    "repeat": _repeat,
    "pascal": _recased,
    "camel": _recased,
}
"""Each act returns whether the client was given a whole answer."""
