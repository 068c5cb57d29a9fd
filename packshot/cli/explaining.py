"""Define the command ``packshot explain``, which explains the code of a finding or of an error to a person."""

from __future__ import annotations

from typing import Annotated

import typer

from packshot.cli.options import Json
from packshot.cli.showing import print_json, terminal_console
from packshot.explained import ERRORS, GROUPS, explain
from packshot.specs.nearest import did_you_mean


def add(app: typer.Typer) -> None:
    """Add the command ``packshot explain`` to the command line.

    This command explains the code of a finding or an error.
    """

    @app.command("explain")
    def explain_code(
        code: Annotated[str, typer.Argument(help="The code of a finding or of an error.")], json: Json = False
    ) -> None:
        """Say what the code of a finding or of an error means, and what to do."""
        told = explain(code)
        if not told:
            known = [*ERRORS, *(name for group in GROUPS.values() for name in group.codes)]
            raise typer.BadParameter(f"no finding and no error has the code {code}{did_you_mean(code, known)}")
        if json:
            print_json([{"code": code, "where": where, "says": sentences} for where, sentences in told])
            return
        for where, sentences in told:
            console = terminal_console()
            console.print(f"{code}: {where}", style="bold", highlight=False)
            for sentence in sentences:
                console.print(f"  {sentence}", markup=False, highlight=False)
