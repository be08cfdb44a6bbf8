"""The command line: options and their texts. Each command loads only what it uses."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from siaghsync import __version__
from siaghsync.cli import history as cli_history
from siaghsync.cli import lint as cli_lint
from siaghsync.cli import report as cli_report
from siaghsync.cli import serve as cli_serve
from siaghsync.cli.base import Call, seconds_of

app = typer.Typer(
    name="siaghsync",
    help="Keeps Siagh (finance) in step with Payamgostar (CRM): no duplicate, no lost change, no guess.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")]
Force = Annotated[
    bool, typer.Option("--force", help="Go on although a brake says that something is out of proportion.")
]

SavePlan = Annotated[
    Path | None, typer.Option("--save-plan", metavar="FILE", help="With --dry-run: keep the plan in this file.")
]
Plan = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Carry out exactly this plan; refuse what has changed.")
]


class Only(StrEnum):
    """What `sync --only` can be told."""

    customers = "customers"
    invoices = "invoices"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"siaghsync {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="PATH", help="The file with the settings. [default: .env]")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="PATH", help="The state file, instead of SIAGHSYNC_STATE.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say more on stderr; show a traceback for bugs.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options for all commands; they stand before the command."""
    context.obj = Call(env_file, state, verbose)


@app.command("check-apis")
def check_apis(context: typer.Context, as_json: Json = False) -> None:
    """Log in to both systems, read a little, and say what is wrong and how to mend it. Writes nothing."""
    from siaghsync.cli.look import check_apis

    _end(check_apis(context.obj, as_json=as_json))


@app.command("hash-password")
def hash_password(
    context: typer.Context,
    password: Annotated[
        str | None, typer.Argument(help="The Siagh password; asked for without echo if left out.")
    ] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="The dashboard's password, by scrypt.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from one line of standard input.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Write it into the env file.")] = False,
) -> None:
    """Print the upper-case MD5 of a password, which is what Siagh wants to be sent, or the dashboard's password hash."""
    from siaghsync.cli.tools import hash_password

    _end(hash_password(context.obj, password, stdin=stdin, save=save, dashboard=dashboard))


@app.command("initial-import")
def initial_import(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before writing.")] = False,
    dry_run: DryRun = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Link or create at most N records.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
    save_plan: SavePlan = None,
    plan: Plan = None,
) -> None:
    """Bring the customers of Finance into the CRM, once. Safe to run again: it links what is there."""
    from siaghsync.cli.plan import PlanOptions
    from siaghsync.cli.run import run_import

    plans = PlanOptions(save_plan, plan)
    _end(run_import(context.obj, yes=yes, dry_run=dry_run, limit=limit, force=force, as_json=as_json, plan=plans))


@app.command("sync")
def sync(
    context: typer.Context,
    dry_run: DryRun = False,
    full: Annotated[bool, typer.Option("--full", help="Look at every CRM record, not only at changed ones.")] = False,
    only: Annotated[Only | None, typer.Option("--only", help="Only customers, or only invoices.")] = None,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing at all if all went well.")] = False,
    as_json: Json = False,
    save_plan: SavePlan = None,
    plan: Plan = None,
) -> None:
    """Bring what changed in the CRM into Finance. The job for cron."""
    from siaghsync.cli.plan import PlanOptions
    from siaghsync.cli.run import run_sync

    options = {"dry_run": dry_run, "full": full, "force": force, "quiet": quiet, "as_json": as_json}
    _end(run_sync(context.obj, **options, only=only.value if only else None, plan=PlanOptions(save_plan, plan)))


@app.command("status")
def status(
    context: typer.Context,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="Exit 1 if the last good run is older: 90s, 15m, 2h, 1d."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show at a glance: in step or not, what waits and why, the last runs (Tehran time). Exit 1 if a person is needed."""
    from siaghsync.cli.look import status

    _end(status(context.obj, max_age=seconds_of(max_age), as_json=as_json))


@app.command("verify")
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Compare every linked customer in both systems, field by field. Writes nothing; exit 1 if not in step."""
    from siaghsync.cli.look import verify

    _end(verify(context.obj, as_json=as_json))


review = typer.Typer(help="The records that wait for a person, and the ways out.", invoke_without_command=True)
app.add_typer(review, name="review")


@review.callback()
def review_list(context: typer.Context, as_json: Json = False) -> None:
    """List the records that wait for a person, each with its reason and the ways out."""
    if context.invoked_subcommand is None:
        from siaghsync.cli.review import review_list

        _end(review_list(context.obj, as_json=as_json))


@review.command("show")
def review_show(
    context: typer.Context, review_id: Annotated[int, typer.Argument(metavar="ID")], as_json: Json = False
) -> None:
    """Show one review: both sides, the difference, and what happened so far."""
    from siaghsync.cli.review import review_show

    _end(review_show(context.obj, review_id, as_json=as_json))


@review.command("resolve")
def review_resolve(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID...")],
    retry: Annotated[bool, typer.Option("--retry", help="Try again in the next run.")] = False,
    link: Annotated[
        str | None,
        typer.Option("--link", metavar="CODE", help="It is this finance contact (after an import: this CRM number)."),
    ] = None,
    posted: Annotated[
        str | None, typer.Option("--posted", metavar="NUMBER", help="The pre-invoice is there, under this number.")
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Leave it as it is; ask again only if it changes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decide one or more reviews."""
    from siaghsync.cli.review import decision_of, review_resolve

    decision = decision_of(retry=retry, link=link, posted=posted, discard=discard)
    _end(review_resolve(context.obj, ids, decision, as_json=as_json))


app.add_typer(cli_report.group, name="report")
app.command("log")(cli_history.log_command)
app.command("explain")(cli_history.explain_command)
app.command("lint")(cli_lint.lint_command)
app.command("serve")(cli_serve.serve_command)


@app.command("backup")
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Copy the state file consistently, also while a run goes on."""
    from siaghsync.cli.review import backup

    _end(backup(context.obj, file))


@app.command("sandbox")
def sandbox(
    context: typer.Context,
    crm_port: Annotated[int, typer.Option("--crm-port", help="0 takes a free one.")] = 0,
    finance_port: Annotated[int, typer.Option("--finance-port", help="0 takes a free one.")] = 0,
    customers: Annotated[int, typer.Option("--customers", min=0, help="How many customers Finance has.")] = 40,
) -> None:
    """Start a stand-in of both systems on 127.0.0.1, and print the settings to use it."""
    from siaghsync.cli.tools import sandbox

    _end(sandbox(context.obj, crm_port=crm_port, finance_port=finance_port, customers=customers))


@app.command("demo")
def demo() -> None:
    """Show the whole story in a temporary folder, against the sandbox. Needs no settings."""
    from siaghsync.demo import demo

    _end(demo())


def _end(code: int) -> None:
    if code:
        raise typer.Exit(code)
