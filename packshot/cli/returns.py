"""Define the command ``packshot returns report``, which compares return rates before and after new pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packshot.cli.options import ConfigFolder, Json, configs_in
from packshot.cli.showing import print_json, terminal_console
from packshot.sheets.dates import DateOrder
from packshot.sheets.numbers import DecimalSign
from packshot.specs.returns import Writing

Exports = Annotated[
    list[Path],
    typer.Option("--orders", help="Orders: CSV, Excel or Parquet; may be given several times.", dir_okay=False),
]


def commands() -> typer.Typer:
    """Return the group of commands ``packshot returns``, to be added to the command line.

    There is one command, ``report``: it compares the return rate before and after new pictures.
    """
    app = typer.Typer(no_args_is_help=True)

    @app.callback()
    def _returns() -> None:
        """Find out what new pictures did to the return rate."""

    @app.command("report")
    def report(
        orders: Exports,
        golive: Annotated[
            Path,
            typer.Option(help="When each product's new pictures went live: a table of sku and date.", dir_okay=False),
        ],
        out: Annotated[Path, typer.Option("--out", help="Folder for report.html and report.json.", file_okay=False)],
        returns: Annotated[
            list[Path] | None,
            typer.Option(
                "--returns",
                help="Returns, where they are files of their own; may be given several times.",
                dir_okay=False,
            ),
        ] = None,
        date_order: Annotated[
            DateOrder | None,
            typer.Option(help="Order of a date's numbers, for columns that leave it open: dmy is 31/12/2026."),
        ] = None,
        decimal_sign: Annotated[
            DecimalSign | None,
            typer.Option(help="Sign before decimals, for columns that leave it open, such as 1.000."),
        ] = None,
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Report the change in the return rate after new pictures, compared with products without new pictures."""
        from packshot.outcomes.golive import read_golive
        from packshot.outcomes.orders import read_orders
        from packshot.outcomes.return_page import headline, return_page, told
        from packshot.outcomes.return_report import report_returns

        config, writing = configs_in(configs).returns, Writing(date_order=date_order, decimal_sign=decimal_sign)
        sold = read_orders(
            orders,
            returns or (),
            return_days=config.return_days,
            image_reasons=config.image_reasons,
            limits=config.tables,
            writing=writing,
        )
        made = report_returns(sold, read_golive(golive, writing=writing, limits=config.tables), config)
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.html").write_bytes(return_page(made))
        (out / "report.json").write_text(made.model_dump_json(indent=1) + "\n")
        if json:
            print_json(made.model_dump(mode="json"))
            return
        console = terminal_console()
        console.print(headline(made.overall), markup=False, highlight=False)
        for warning in made.overall.warnings:
            console.print(warning, markup=False, highlight=False)
        for line in told(made):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(f"{out / 'report.html'}", markup=False, highlight=False, soft_wrap=True)

    return app
