"""Which certificates are believed: the computer's own trust store, those that browsers know, and a private authority."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi

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
