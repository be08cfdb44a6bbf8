"""The command `sandbox`."""

from __future__ import annotations

from typing import Annotated

import typer

from siaghsync.cli.environment import stop_on_signal
from siaghsync.cli.options import new_app
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message, write_line
from siaghsync.sandbox import Sandbox

app = new_app()


@app.command()
def sandbox(
    crm_port: Annotated[int, typer.Option("--crm-port", help="0 takes a free one.")] = 0,
    finance_port: Annotated[int, typer.Option("--finance-port", help="0 takes a free one.")] = 0,
    customers: Annotated[int, typer.Option("--customers", min=0, help="How many customers Siagh has.")] = 40,
) -> None:
    """`sandbox`: serves until Ctrl-C or SIGTERM."""
    with (
        stop_on_signal() as stop,
        Sandbox(customers=customers, crm_port=crm_port, finance_port=finance_port) as systems,
    ):
        for name, value in systems.settings().items():
            write_line(f"{name}={value}")
        say_message(msg("cli.sandbox_ready"))
        stop.event.wait()
