"""The command line on local files: no server, no bucket, no network.

The segmentation network comes from outside (`build`), because finding and fetching model files is the outside's
business. What each exit status means stands in `EXIT_STATUSES` and in docs/errors.md. One module a family of commands.
"""

from __future__ import annotations

import typer

from packshot.cli import configs, editing, looking, paths, returns
from packshot.cli.ending import EXIT_STATUSES
from packshot.cli.options import SegmenterSource


def build(segmenter: SegmenterSource, *, surroundings: configs.Surroundings = tuple) -> typer.Typer:
    """Return the commands on local files.

    Args:
        segmenter: called once, by the first command that needs the network.
        surroundings: says what is wrong in the environment, for `config check`.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        help="Product photographs for every marketplace: cut out, checked, exported, proven.",
        epilog="Exit status: " + "; ".join(f"{code.value} {text}" for code, text in EXIT_STATUSES.items()) + ".",
        pretty_exceptions_enable=False,
    )
    looking.add(app)
    editing.add(app, segmenter)
    paths.add(app, segmenter)
    app.add_typer(returns.commands(), name="returns", help="Find out what new pictures did to the return rate.")
    app.add_typer(
        configs.commands(surroundings), name="config", help="Look at the configs, check them, print their schemas."
    )
    return app
