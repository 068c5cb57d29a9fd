"""End a command with its exit status, and print an error that Packshot raises on purpose as one sentence."""

from __future__ import annotations

from enum import IntEnum

import typer

from packshot.cli.showing import terminal_console
from packshot.errors import ConfigError, PackshotError, RefusedInputError, TransientError


class Exit(IntEnum):
    """The exit statuses of ``packshot``.

    Attributes:
        OK: 0, all is well.
        NOT_ALL_WELL: 1, the work is done, but something failed its check, was refused or needs a person.
        USAGE: 2, the command line was not understood.
        CONFIG: 3, a config file is wrong.
        TRANSIENT: 4, something outside did not answer; trying again may help.
        ERROR: 5, any other error.
    """

    OK = 0
    NOT_ALL_WELL = 1
    USAGE = 2
    CONFIG = 3
    TRANSIENT = 4
    ERROR = 5


EXIT_STATUSES = {
    Exit.OK: "all is well",
    Exit.NOT_ALL_WELL: "done, but something failed its check, was refused or needs a person",
    Exit.USAGE: "the command line was not understood",
    Exit.CONFIG: "a config file is wrong",
    Exit.TRANSIENT: "something outside did not answer; trying again may help",
    Exit.ERROR: "any other error; the message says what, where and what to do",
}


def run(app: typer.Typer) -> int:
    """Run the command line and return its exit status; a `PackshotError` is printed as one sentence.

    The status is one of `Exit`, or 130 if the user ended the command by Ctrl-C.

    Args:
        app: the command line with its commands.
    """
    try:
        ended = app(standalone_mode=False)
    except PackshotError as error:
        listed = isinstance(error, ConfigError)  # one problem on each line
        for line in str(error).splitlines() if listed else [str(error)]:
            terminal_console(stderr=True).print(f"packshot: {line}", style="red", markup=False, highlight=False)
        return _status_of(error)
    except typer.Abort:
        return 130
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "show"):
            error.show()
            return Exit.USAGE
        raise
    return ended if isinstance(ended, int) else Exit.OK  # a command that ended with typer.Exit gives its status


def _status_of(error: PackshotError) -> int:
    if isinstance(error, ConfigError):
        return Exit.CONFIG
    if isinstance(error, RefusedInputError):
        return Exit.NOT_ALL_WELL
    return Exit.TRANSIENT if isinstance(error, TransientError) else Exit.ERROR


def exit_unless(all_well: bool) -> None:
    """End the command with `Exit.NOT_ALL_WELL` unless all is well. The command line's exit status is then 1.

    Args:
        all_well: False if something failed its check, was refused or needs a person.
    """
    if not all_well:
        raise typer.Exit(Exit.NOT_ALL_WELL)
