"""Payamgostar, the CRM: its client, its JSON, and what becomes of both (contract payamgostar)."""
