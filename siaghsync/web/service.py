"""The whole web service: the web server, the intake of webhooks and the worker, each in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from siaghsync.dashboard_users import Access
from siaghsync.errors import UsageError
from siaghsync.settings import Settings
from siaghsync.web.app import create_app
from siaghsync.web.connections import TimedProtocol
from siaghsync.web.dependencies import Dependencies, RunControl
from siaghsync.web.errands import Errands
from siaghsync.web.webhooks import Intake
from siaghsync.web.worker import Worker

# It has a line for each request that is none, and for each that is turned away: a flood would fill the log.
logging.getLogger("uvicorn").setLevel(logging.ERROR)

_MOST_CONNECTIONS = 1000
_GRACE_SECONDS = 5
_START_POLL_SECONDS = 0.005


class Service:
    """Receiver of webhooks, dashboard and health check.

    `control` starts runs and carries out decisions, `access` knows who may come in. `stop` is set when the end is asked for.
    `root_path` is the path that a reverse proxy serves it under, `log` writes a line for the administrator, `log_requests` logs
    each request.
    """

    def __init__(
        self,
        settings: Settings,
        control: RunControl,
        access: Access,
        stop: threading.Event,
        *,
        root_path: str,
        log: Callable[[str], None],
        log_requests: bool,
    ) -> None:
        self._errands = Errands(log)
        dependencies = Dependencies(settings, control, access, root_path, log, self._errands)
        self._has_webhooks = settings.enable_webhooks
        self._stop = stop
        self._worker = Worker(dependencies, stop)
        self._intake = Intake(dependencies, self._worker.wake)
        config = uvicorn.Config(
            create_app(dependencies, self._intake, access=log_requests),
            http=TimedProtocol,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,  # its lines would carry the secret of the webhooks
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=["127.0.0.1", "::1"],
            timeout_graceful_shutdown=_GRACE_SECONDS,
            limit_concurrency=_MOST_CONNECTIONS,
        )
        self._server = uvicorn.Server(config)

    @contextmanager
    def running(self, listener: socket.socket) -> Iterator[None]:
        """Serves while the block runs; then finishes what is under way, in the order in which it depends on each other.

        Raises UsageError if the web server does not start.
        """
        thread = threading.Thread(target=self._server.run, args=([listener],), name="server", daemon=True)
        thread.start()
        while not self._server.started:
            if not thread.is_alive():
                raise UsageError("web.server_not_started")
            time.sleep(_START_POLL_SECONDS)
        self._thread = thread
        if self._has_webhooks:
            self._worker.start()
        try:
            yield
        finally:
            self._server.should_exit = True
            thread.join()
            self._intake.close()
            self._stop.set()
            self._errands.close()
            if self._has_webhooks:
                self._worker.join()

    def check(self) -> None:
        """Raises RuntimeError if the web server has ended by itself, so that whoever watches the process sees it end."""
        if not self._thread.is_alive():
            raise RuntimeError("the web server has ended")
