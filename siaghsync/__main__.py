"""The entry point: turns every way in which a command can end into an exit code, and no traceback into a message."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING

from siaghsync.errors import SiaghsyncError, UsageError
from siaghsync.report.terminal import error_document, say, tell_error, write_json

if TYPE_CHECKING:
    from typer import Typer

_BUG = 70


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    # What a command loads stays to its end: looking through all of it for garbage, hundreds of times while it is loaded,
    # takes a third of a quiet run's time.
    gc.set_threshold(50_000)
    # Else pydantic looks through every installed package for plugins to its models, which nobody here has asked for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(sys.argv[1:])
    # Whatever was open is closed by now, and every thread that counts has ended. Taking apart what is in memory, piece by
    # piece, would cost a quiet run another twentieth of its time.
    with suppress(OSError):  # run has told of it
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code."""
    from siaghsync.cli.app import app

    as_json = "--json" in arguments
    try:
        from typer.main import get_command

        code = get_command(named(app, arguments)).main(args=arguments, prog_name="siaghsync", standalone_mode=False)
        sys.stdout.flush()
    except SiaghsyncError as error:
        tell_error(error, as_json=as_json)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has left; what the command did is done. Nothing may be flushed into the void at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a sentence and an exit code
        return _tell_unexpected(error, as_json=as_json, verbose="--verbose" in arguments)
    return code if isinstance(code, int) else 0


def named(app: Typer, arguments: list[str]) -> Typer:
    """The command line with those commands alone whose names stand among the arguments; all of them if none does, or if
    help is asked for. typer works out every option of every command that it is given, which takes longer than a quiet run.
    """
    commands = [each for each in app.registered_commands if each.name in arguments]
    groups = [each for each in app.registered_groups if each.name in arguments]
    if "--help" in arguments or not (commands or groups):
        return app
    chosen = copy(app)
    chosen.registered_commands, chosen.registered_groups = commands, groups
    return chosen


def _tell_unexpected(error: Exception, *, as_json: bool, verbose: bool) -> int:
    # typer brings its own copy of click or uses the installed one, so its errors are known by what they can do.
    describe = getattr(error, "format_message", None)
    if describe is not None:
        context = getattr(error, "ctx", None)
        hint = f"See `{context.command_path} --help`." if context else "See `siaghsync --help`."
        if type(error).__name__ == "NoArgsIsHelpError" and context:
            say(context.get_help())
        else:
            tell_error(UsageError(describe(), hint), as_json=as_json)
        return UsageError.exit_code
    if type(error).__name__ == "Abort":
        say("Stopped.")
        return 130
    if verbose:
        import traceback

        traceback.print_exception(error)
    message = f"This is a bug in siaghsync: {type(error).__name__}."
    hint = "Nothing is lost: the next run goes on from the state file. Run it with --verbose to see where it happened."
    if as_json:
        write_json(error_document("bug", message, hint))
    say(f"Error: {message}\n  What to do: {hint}")
    return _BUG


if __name__ == "__main__":
    main()
