"""Run the commands of ``packshot`` that need only local files: no server, no bucket, no network.

`build` makes the commands. Its caller passes in the segmentation network (which finds the product in a photograph),
because finding and downloading model files needs the network. Each family of commands is a module. docs/errors.md
explains the exit statuses (`EXIT_STATUSES`).
"""

from __future__ import annotations

import datetime
import io
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Annotated

import typer

import packshot
from packshot.cli import configs, editing, explaining, looking, paths, returns
from packshot.cli.ending import EXIT_STATUSES
from packshot.cli.options import SegmenterSource
from packshot.cli.showing import be_quiet, terminal_console


def _say_version(asked: bool) -> None:
    if asked:
        terminal_console().print(
            f"packshot {packshot.__version__}, pipeline {packshot.PIPELINE_VERSION}", highlight=False
        )
        raise typer.Exit


def _before(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_say_version, is_eager=True)
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Say nothing but errors. JSON is printed."),
    ] = False,
) -> None:
    """Product photographs for every marketplace: cut out, checked, exported, proven."""
    be_quiet(quiet)
    if quiet and "--json" not in sys.argv[1:]:
        context.with_resource(redirect_stdout(io.StringIO()))


def build(
    segmenter: SegmenterSource, *, today: Callable[[], datetime.date], surroundings: configs.Surroundings = tuple
) -> typer.Typer:
    """Return the command line ``packshot`` with its commands for local files.

    Commands that need servers can be added to it.

    Args:
        segmenter: called with the name of an engine (the library that runs the network), such as ``onnxruntime``;
            returns (the segmentation network, findings about it). Only commands that cut out a product call it.
        today: called without arguments; returns today's date. Platforms' rules can change on a date. If a command names
            no other day, the rules of this day apply.
        surroundings: called without arguments by ``config check``; returns the problems of the environment, such as a
            wrong variable, one text each. By default there are none.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        epilog="Exit status: " + "; ".join(f"{code.value} {text}" for code, text in EXIT_STATUSES.items()) + ".",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    looking.add(app, today)
    explaining.add(app)
    editing.add(app, segmenter, today)
    paths.add(app, segmenter)
    app.add_typer(returns.commands(), name="returns", help="Find out what new pictures did to the return rate.")
    app.add_typer(
        configs.commands(surroundings), name="config", help="Look at the configs, check them, print their schemas."
    )
    return app
