"""The command `support-bundle`."""

from __future__ import annotations

import json
import secrets
import threading
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from siaghsync import clock
from siaghsync.cli.build import clients
from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import new_app
from siaghsync.errors import LoginLocked, SiaghsyncError
from siaghsync.features.support_bundle.collect import about, shapes, standing
from siaghsync.features.support_bundle.mask import Mask
from siaghsync.files import atomic_path
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message
from siaghsync.settings import Settings
from siaghsync.state.database import State, open_state
from siaghsync.sync.runner import check_cool_down

app = new_app()
_KEY = "support_mask_key"
"""The key of the masks. It stays in the state file, so that later bundles have the same masks."""


@app.command("support-bundle")
def support_bundle(context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """`support-bundle`."""
    settings = settings_of(context, file)
    try:
        with closing(open_state(settings.siaghsync_state)) as state:
            mask = Mask(_key(state))
            found = {"state.json": standing(state, mask), "answers.json": _answers(settings, state, mask)}
    except SiaghsyncError as error:  # a state file that is missing or damaged is what somebody may need help with
        mask = Mask(secrets.token_hex())
        found = {"state.json": {"failed": mask.message(error.message)}, "answers.json": _answers(settings, None, mask)}
    with atomic_path(file) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in {"about.json": about(settings, clock.now()), **found}.items():
            bundle.writestr(name, json.dumps(content, ensure_ascii=False, indent=1, default=str))
    say_message(msg("cli.bundle_saved", file=str(file)))


def _key(state: State) -> str:
    key = state.meta(_KEY)
    if key is None:
        key = secrets.token_hex()
        state.set_meta(_KEY, key)
    return key


def _answers(settings: Settings, state: State | None, mask: Mask) -> dict[str, Any]:
    """A CRM account that is locked is left alone."""
    try:
        if state:
            check_cool_down(state, clock.now())
    except LoginLocked as error:
        return {"crm_login": {"failed": mask.message(error.message)}}
    with clients(settings, threading.Event()) as systems:
        return shapes(systems.crm, systems.finance, mask)
