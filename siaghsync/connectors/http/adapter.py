"""The adapter of requests that carries every request: straight to its address, once, within the deadline, with our own trust."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from siaghsync.connectors.http.deadline import STEP_SECONDS, DeadlineSocket, DeadlineTLSSocket, open_socket
from siaghsync.errors import SettingsError


def tls_context(private_authority: Path | None = None) -> ssl.SSLContext:
    """A context that checks certificate and host name.

    `private_authority` is a PEM file (setting TLS_CA_FILE). Raises SettingsError if it can't be read or holds no certificate.
    Not `ssl.create_default_context`: that one writes session keys to the file which SSLKEYLOGFILE names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    if private_authority is not None:
        try:
            context.load_verify_locations(private_authority)
        except OSError as error:
            note = error.strerror or ""
            raise SettingsError("settings.bad_tls_ca_file", note=note) from None
    return context


# It logs whole URLs, and whole header blocks that it can't parse.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class _Connection(HTTPConnection):
    """A kept connection on a socket that knows the deadline."""

    def _new_conn(self) -> DeadlineSocket:
        return open_socket(self.host, self.port, self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Sends head and body as one piece."""
        if self.sock is None:
            self.connect()
        self._pieces: list[bytes] = []
        super().request(*args, **kwargs)
        self.sock.sendall(b"".join(self._pieces))

    def send(self, data: Any) -> None:
        """Called while a request is put together."""
        self._pieces.append(data)


class _TLSConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class DirectAdapter(HTTPAdapter):
    """Sends prepared requests to one host and keeps up to `connections` of them open. Safe to use from many threads.

    No session of requests stands above it, so nothing follows a redirect or looks for .netrc, proxies and cookies.
    `tls` says which certificates are believed.
    """

    def __init__(self, connections: int, tls: ssl.SSLContext | None) -> None:
        if tls is not None:
            tls.sslsocket_class = DeadlineTLSSocket
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, *args: Any) -> None:
        """Nothing to add: the context says it."""

    def send_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """The answer, its body not yet read. A deadline must be applied. Raises whatever the libraries raise."""
        request = PreparedRequest()
        request.prepare_method(method)
        request.prepare_url(url, None)
        request.prepare_headers(headers)
        request.prepare_body(body, None)
        return self.send(request, stream=True, timeout=STEP_SECONDS)
