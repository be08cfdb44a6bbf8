"""The command `notify-test`."""

from __future__ import annotations

import typer

from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.features.notifications.trial import send_trial
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message, write_json

app = new_app()


@app.command("notify-test")
def notify_test(context: typer.Context, as_json: JsonOption = False) -> None:
    """`notify-test`. Exit 1 if a channel did not take the message, or none is set."""
    found = send_trial(settings_of(context))
    said = {target: trouble or msg("notify.arrived", target=target) for target, trouble in found.items()}
    if as_json:
        items = [{"target": name, "sent": found[name] is None, "message": render(said[name])} for name in found]
        write_json({"items": items})
    else:
        for message in said.values() if said else [msg("notify.none_set")]:
            say_message(message)
    raise typer.Exit(1 if not found or any(found.values()) else 0)
