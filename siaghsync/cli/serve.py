"""The command `serve`: webhook receiver, dashboard and health check in one process. Declared here, put into the command
line by `cli`."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from siaghsync.cli.base import Call, document_sources, engine_for, now, stop_on_signal, switched_off
from siaghsync.errors import LockHeld, UsageError
from siaghsync.report.terminal import say, write_line

if TYPE_CHECKING:
    from siaghsync.connectors.siagh.client import Session
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.decisions import Decision
    from siaghsync.web.desk import Desk
    from siaghsync.web.worker import Choose

_TURN_SECONDS = 10.0
"""So long a decision made in the dashboard waits for a run to end."""
_OVERDUE = 2
"""An ordinary sync is overdue after so many times POLL_INTERVAL_SECONDS."""


def serve_command(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="The port; 0 takes a free one.")
    ] = 8787,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="The path that a reverse proxy serves it under: /siagh.")
    ] = "",
) -> None:
    """Receive the CRM's webhooks, and show the dashboard where people decide what waits for them."""
    serve(context.obj, host=host, port=port, root_path=root_path)


def serve(call: Call, *, host: str, port: int, root_path: str) -> None:
    """`serve`: until Ctrl-C or SIGTERM, which finishes the run at hand. Raises SettingsError or UsageError."""
    settings = call.settings()
    prefix = _prefix(root_path)
    with _listening(host, port, settings) as listener, stop_on_signal() as stop:
        service = _Service(settings, prefix, stop.event, access=call.verbose)
        address, actual = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        with service.running(listener):
            write_line(f"http://{shown}:{actual}{prefix}/")
            if not settings.dashboard_password_hash.get_secret_value():
                say("The dashboard is closed: it has no password. Run `siaghsync hash-password --dashboard --save`.")
            if not settings.enable_webhooks:
                say("Webhooks are off (ENABLE_WEBHOOKS).")
            while not stop.event.wait(0.5):
                service.check()


class _Service:
    """The web server, the intake and the worker, each in a thread of its own."""

    def __init__(self, settings: Settings, root_path: str, stop: threading.Event, *, access: bool) -> None:
        import uvicorn

        from siaghsync.web.app import create_app
        from siaghsync.web.intake import Intake
        from siaghsync.web.worker import Worker

        self._settings, self._stop = settings, stop
        desk = self._desk(root_path)
        self._worker = Worker(desk, self._run, self._is_overdue, stop)
        self._intake = Intake(desk, self._worker.wake)
        config = uvicorn.Config(
            create_app(desk, self._intake, access=access),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,  # its lines would carry the secret of the webhooks
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=["127.0.0.1", "::1"],
            timeout_graceful_shutdown=5,
            limit_concurrency=1000,
        )
        self._server = uvicorn.Server(config)

    def _desk(self, root_path: str) -> Desk:
        from siaghsync.cli.look import is_running
        from siaghsync.web.desk import Desk, Secret

        settings, path = self._settings, self._settings.siaghsync_state
        webhook_secret = settings.webhook_secret.get_secret_value() if settings.enable_webhooks else ""
        password_hash = settings.dashboard_password_hash.get_secret_value()
        return Desk(
            state_path=path,
            poll_interval=settings.poll_interval_seconds,
            sources=document_sources(settings),
            webhook_secret=Secret(webhook_secret) if webhook_secret else None,
            password_hash=Secret(password_hash) if password_hash else None,
            root_path=root_path,
            now=now,
            is_running=lambda: is_running(path),
            decide=self._decide,
            log=say,
        )

    @contextmanager
    def running(self, listener: socket.socket) -> Iterator[None]:
        """Serves while the block runs; then finishes what is under way, in the order in which it depends on each other."""
        thread = threading.Thread(target=self._server.run, args=([listener],), name="server", daemon=True)
        thread.start()
        while not self._server.started:
            if not thread.is_alive():
                raise UsageError("The web server could not start.", "Look at what it said above.")
            time.sleep(0.005)
        self._thread = thread
        if self._settings.enable_webhooks:
            self._worker.start()
        try:
            yield
        finally:
            self._server.should_exit = True
            thread.join()
            self._intake.close()
            self._stop.set()
            if self._settings.enable_webhooks:
                self._worker.join()

    def check(self) -> None:
        """Raises RuntimeError if the web server has ended by itself, so that whoever watches the process sees it end."""
        if not self._thread.is_alive():
            raise RuntimeError("the web server has ended")

    def _run(self, choose: Choose) -> None:
        """One run of the kind that is chosen under the lock, with the engine of cron's `sync`."""
        from siaghsync.state.state_file import open_state, run_lock
        from siaghsync.sync.runner import require_import

        with run_lock(self._settings.siaghsync_state):
            state = open_state(self._settings.siaghsync_state)
            try:
                everything = choose(state)
                if everything is not None:
                    require_import(state)
                    self._sync(state, everything=everything)
            finally:
                state.close()

    def _sync(self, state: State, *, everything: bool) -> None:
        """One run; whoever has to know of what it leaves for a person is told as after cron's. The cron monitor is not,
        since it watches over cron."""
        from siaghsync.cli.run import document_rules
        from siaghsync.features.notifications.notify import watched
        from siaghsync.sync.customers import sync
        from siaghsync.sync.runner import carry_through
        from siaghsync.sync.sync_reading import SyncOptions

        settings, command = self._settings, "sync" if everything else "webhook"
        options = SyncOptions(
            only_waiting=not everything, sources=document_sources(settings), switched_off=switched_off(settings)
        )
        with (
            watched(settings, command, now, say, dry_run=False, quiet=False, by_cron=False) as watch,
            watch.over(state),
            engine_for(settings, state, command, self._stop, dry_run=False) as engine,
        ):
            watch.engine = engine

            def steps(session: Session) -> None:
                sync(engine, options, document_rules(settings, engine), session.fiscal_year)

            result = carry_through(engine, steps)
            watch.ended(result, result.exit_code)
        say(f"Run {result.run['id']} ({command}): {result.run['outcome']}.")
        if result.error:
            raise result.error

    def _is_overdue(self, state: State) -> bool:
        from siaghsync.state.status import overview

        last = overview(state, now(), is_running=False, max_age=None, poll_interval=1).facts["last_success_at"]
        age = (now() - datetime.fromisoformat(last)).total_seconds() if last else None
        return age is None or age > _OVERDUE * self._settings.poll_interval_seconds

    def _decide(self, review_id: int, decision: Decision, who: str) -> None:
        """Carries out a decision made in the dashboard; waits a little if a run is at work. Raises SiaghsyncError."""
        from siaghsync.cli.review import decide

        end = time.monotonic() + _TURN_SECONDS
        while True:
            try:
                return decide(self._settings, [review_id], decision, self._stop, f"{who} (dashboard)")
            except LockHeld:
                if time.monotonic() > end or self._stop.wait(0.2):
                    raise


def _prefix(root_path: str) -> str:
    prefix = root_path.strip().rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", prefix):
        raise UsageError(f"--root-path {root_path!r} is no path.", "Write a path like /siagh, without a host.")
    return prefix


@contextmanager
def _listening(host: str, port: int, settings: Settings) -> Iterator[socket.socket]:
    """A socket on this address. Raises UsageError if it can't be had, or is open to others and not protected."""
    import ipaddress

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"--host {host} is no address of this machine: {error.strerror}.", "Try 127.0.0.1.") from None
    family, kind, proto, _, address = found[0]
    if not ipaddress.ip_address(address[0]).is_loopback:
        _demand_protection(host, settings)
    # Named as TCP by `proto`, or asyncio leaves Nagle's algorithm on.
    with socket.socket(family, kind, proto) as listener:
        if sys.platform != "win32":  # there it would let two programs listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(1024)
        except OSError as error:
            hint = "Is it running already? Choose another one with --port."
            raise UsageError(f"Port {port} of {host} can't be used: {error.strerror}.", hint) from None
        yield listener


def _demand_protection(host: str, settings: Settings) -> None:
    needed = {"WEBHOOK_SECRET": settings.webhook_secret, "DASHBOARD_PASSWORD_HASH": settings.dashboard_password_hash}
    missing = [name for name, value in needed.items() if not value.get_secret_value()]
    if missing:
        raise UsageError(
            f"{host} is open to other machines, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
            "Set WEBHOOK_SECRET to a long secret of your own and make the other with "
            "`siaghsync hash-password --dashboard --save`; or stay on 127.0.0.1 behind a reverse proxy that speaks HTTPS.",
        )
