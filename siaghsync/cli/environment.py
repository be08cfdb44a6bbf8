"""What a command takes from its surroundings: the settings, the user, and whether a run is at work. Loads no network."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import typer

from siaghsync.cli.options import GlobalOptions
from siaghsync.errors import LockHeld
from siaghsync.settings import Settings, load
from siaghsync.state.database import run_lock


def settings_of(context: typer.Context) -> Settings:
    """The validated settings for this call. Raises SettingsError."""
    options: GlobalOptions = context.obj
    return load(options.env_file, os.environ, Path.cwd(), options.state)


def current_user() -> str:
    """The user of the operating system, for the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # Windows without a user name looks for a module that it does not have
        return "unknown"


def is_running(path: Path) -> bool:
    """Whether a run holds the lock of the state file at `path`."""
    try:
        with run_lock(path):
            return False
    except LockHeld:
        return True
