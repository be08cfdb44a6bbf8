"""The entry point: turns every way in which a command can end into an exit code, and an exception into a message."""

from __future__ import annotations

import gc
import sys
import traceback

from typer import Abort, TyperException
from typer.main import get_command

from siaghsync.cli.app import app
from siaghsync.errors import Interrupted, SiaghsyncError, UsageError
from siaghsync.report.streams import outlive_the_reader, say_kept, say_message, tell_bug, tell_error

_BUG = 70
_CUT = 1
"""All went well, but the output did not arrive whole."""


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    is_cut = outlive_the_reader()
    code = run(sys.argv[1:])
    if is_cut():
        code = code or _CUT
    # At its end Python searches all loaded modules for cycles of garbage, which takes a sixth of a quiet run's CPU time. Frozen
    # objects are left out of that search.
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code."""
    code = _run(arguments)
    say_kept(failed=code != 0)
    return code


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        _check_letters(arguments)
        code = get_command(app).main(args=arguments, prog_name="siaghsync", standalone_mode=False)
    except SiaghsyncError as error:
        tell_error(error, as_json=as_json)
        return error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)  # some of them come without one
        command = context.command_path if context else "siaghsync"
        tell_error(UsageError("usage.parser", text=error.format_message(), command=command), as_json=as_json)
        return UsageError.exit_code
    except (Abort, KeyboardInterrupt):
        say_message(Interrupted(130).message)
        return 130
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a sentence and an exit code
        if "--verbose" in arguments:
            traceback.print_exception(error)
        tell_bug(error, as_json=as_json)
        return _BUG
    return code if isinstance(code, int) else 0


def _check_letters(arguments: list[str]) -> None:
    """Raises UsageError for bytes that are no UTF-8: no name, number or path that the program keeps can hold them."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError("usage.not_utf8", text=argument.encode("utf-8", "replace").decode()) from None


if __name__ == "__main__":
    main()
