"""Define ``packshot index``, which rebuilds the index of shots from the bucket.

The index is a table of all shots, made from their records.
"""

from __future__ import annotations

import typer

from packshot.cli.ending import Exit
from packshot.cli.options import Json
from packshot.cli.showing import print_json, terminal_console
from packshot.figures import counted


def commands() -> typer.Typer:
    """Return the commands below ``packshot index``, to be added to ``packshot``: rebuild the index of all shots."""
    app = typer.Typer(no_args_is_help=True)

    @app.callback()
    def only_groups() -> None:
        """Do nothing. Without this function, typer would take the only command for ``packshot index`` itself."""

    @app.command("rebuild")
    def rebuild(json: Json = False) -> None:
        """Read every record of the bucket and write the index anew. The line may work meanwhile."""
        from tasks.index.database import IndexAwayError, own, shared
        from tasks.queries.comparing import Compared, compare_all
        from tasks.storage.bucket import open_storage

        console = terminal_console()
        index = shared() or own()
        try:
            with console.status("reading records ...") as status:

                def say(done: Compared) -> None:
                    status.update(f"{_read(done.records, done.batches)} ...")

                done = compare_all(index, open_storage(), anew=True, on_progress=say)
        except IndexAwayError as error:
            console.print(f"The index cannot be used: {error}.", markup=False, highlight=False, soft_wrap=True)
            console.print("Nothing is lost: records are in the bucket. packshot doctor says what is wrong.")
            raise typer.Exit(Exit.ERROR) from None
        if json:
            print_json({"index": index.name, "batches": done.batches, "records": done.records})
        else:
            console.print(
                f"{index.name}: {_read(done.records, done.batches)}", markup=False, highlight=False, soft_wrap=True
            )

    return app


def _read(records: int, batches: int) -> str:
    return f"{counted(records, 'record')} in {counted(batches, 'batch', 'batches')}"
