"""The command `serve`: webhook receiver, dashboard and health check in one process."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from siaghsync.cli.environment import settings_of, stop_on_signal
from siaghsync.cli.options import new_app
from siaghsync.cli.service_runs import ServiceRuns
from siaghsync.dashboard_users import Access
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.report.streams import say, say_message, write_line
from siaghsync.settings import Settings, dashboard_hash
from siaghsync.web.service import Service

app = new_app()
_CHECK_SECONDS = 0.5
_BACKLOG = 1024


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="The port; 0 takes a free one.")
    ] = 8787,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="The path that a reverse proxy serves it under: /siagh.")
    ] = "",
) -> None:
    """`serve`: until Ctrl-C or SIGTERM, which finishes the run in progress."""
    settings = settings_of(context)
    prefix = _prefix(root_path)
    access = Access(settings.env_file, dashboard_hash(os.environ), say_message)
    with _listening(host, port, settings, access) as listener, stop_on_signal() as stop:
        runs = ServiceRuns(settings, stop.event)
        service = Service(
            settings, runs, access, stop.event, root_path=prefix, log=say, log_requests=context.obj.verbose
        )
        address, actual = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        with service.running(listener):
            write_line(f"http://{shown}:{actual}{prefix}/")
            if not access.is_open():
                say_message(msg("cli.dashboard_closed"))
            if not settings.enable_webhooks:
                say_message(msg("cli.webhooks_off"))
            while not stop.event.wait(_CHECK_SECONDS):
                service.check()


def _prefix(root_path: str) -> str:
    prefix = root_path.strip().rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", prefix):
        raise UsageError("usage.not_a_path", value=root_path)
    return prefix


@contextmanager
def _listening(host: str, port: int, settings: Settings, access: Access) -> Iterator[socket.socket]:
    """A socket that listens on this address.

    Raises UsageError if the address can't be used, or if it is open to others and not protected.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError("usage.not_an_address", host=host, error=error.strerror) from None
    family, kind, proto, _, address = found[0]
    if not ipaddress.ip_address(address[0]).is_loopback:
        _require_protection(host, settings, access)
    # Named as TCP by `proto`, or asyncio leaves Nagle's algorithm on.
    with socket.socket(family, kind, proto) as listener:
        if sys.platform != "win32":  # there it would let two programs listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            raise UsageError("usage.port_not_free", port=port, host=host, error=error.strerror) from None
        yield listener


def _require_protection(host: str, settings: Settings, access: Access) -> None:
    has = {
        "WEBHOOK_SECRET": bool(settings.webhook_secret.get_secret_value()),
        "DASHBOARD_PASSWORD_HASH": access.is_open(),
    }
    missing = [name for name, is_set in has.items() if not is_set]
    if missing:
        raise UsageError("usage.not_protected", host=host, missing=", ".join(missing))
