"""Rehearsed writes with marked test records, to learn how both systems behave (contracts, last sections)."""
