"""Siagh, the finance system: its client, its JSON and its forms (contract siagh)."""
