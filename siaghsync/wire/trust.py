"""Whose certificates are believed: those of the computer's own trust store, and those that browsers know."""

from __future__ import annotations

import ssl

import certifi


def tls_context() -> ssl.SSLContext:
    """A context that checks certificate and host name; a company's own authority counts when it is installed here."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
