"""Servers whose certificates come from an authority of the company's own: TLS_CA_FILE, through the real command."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from tests.world import World


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), closing(source), closing(target):
        while data := source.recv(65536):
            target.sendall(data)


def take(server: socket.socket, tls: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            plain, _ = server.accept()
            with suppress(OSError):  # a client that does not believe the certificate goes away
                client = tls.wrap_socket(plain, server_side=True)
                behind = socket.create_connection(("127.0.0.1", port))
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()


@contextmanager
def tls_in_front(url: str, tls: ssl.SSLContext) -> Iterator[str]:
    """The https address of a relay to a plain server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=take, args=(server, tls, urlsplit(url).port), daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_private_authority_is_believed_where_the_setting_names_it(
    world: World, authority: trustme.CA, tmp_path: Path
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    settings = world.sandbox.settings()
    keys = tmp_path / "keys.log"
    with (
        tls_in_front(settings["CRM_API_BASE_URL"], tls) as crm,
        tls_in_front(settings["FINANCE_API_BASE_URL"], tls) as finance,
    ):
        world.set(CRM_API_BASE_URL=crm, FINANCE_API_BASE_URL=finance)
        refused = world.run("check-apis")
        assert refused.exit_code == 3
        assert "TLS_CA_FILE" in refused.text
        authority.cert_pem.write_to_path(world.folder / "company.pem")
        world.set(CRM_API_BASE_URL=crm, FINANCE_API_BASE_URL=finance, TLS_CA_FILE="company.pem")
        assert world.run("check-apis", env={"SSLKEYLOGFILE": str(keys)}).exit_code == 0
        world.imported()
        assert world.json("sync")["run"]["outcome"] == "ok"
    assert not keys.exists(), "the keys of a connection are written down for nobody"
