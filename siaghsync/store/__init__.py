"""The state file: the only door to SQLite."""
