"""Define ``packshot find``, which finds a product's photographs in all batches, also in ended ones."""

from __future__ import annotations

from typing import Annotated

import typer

from packshot.cli.options import Json
from packshot.cli.showing import in_markup, new_table, print_json, terminal_console
from packshot.record import ShotRecord


def find(
    words: Annotated[
        list[str],
        typer.Argument(
            help="Beginnings of a SKU, ASIN, GTIN or file name; of shots that changed lately, also the middle."
        ),
    ],
    client: Annotated[str, typer.Option(help="Only this client's.")] = "",
    batch: Annotated[str, typer.Option(help="Only batches of this name.")] = "",
    json: Json = False,
) -> None:
    """Print shots, also of ended batches. Each word must begin the SKU, ASIN, GTIN or file name of the shot."""
    from tasks.queries.asking import MOST_FOUND, find_shots

    found = find_shots(words, client=client, batch=batch)
    if json:
        print_json([_row(one) for one in found])
        return
    table = new_table("shot", "state", "since", "SKU", "ASIN", "GTIN", "file", ids=("shot", "state"))
    for one in found:
        table.add_row(*(in_markup(value) for value in _row(one).values()))
    terminal_console().print(table)
    more = f"; these are the first {MOST_FOUND}" if len(found) == MOST_FOUND else ""
    terminal_console().print(f"{len(found)} found{more}", markup=False)


def _row(record: ShotRecord) -> dict[str, str]:
    return {
        "shot": str(record.shot),
        "state": record.state.value,
        "since": f"{record.since:%Y-%m-%d %H:%M}" if record.since else "",
        **{name: record.fact(name) for name in ("sku", "asin", "gtin")},
        "file": record.source.key,
    }
