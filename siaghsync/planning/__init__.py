"""Decisions as data: what should happen to a record. Pure: no network, disk, clock or chance."""
