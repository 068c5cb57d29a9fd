"""Define ``packshot delivery``, which makes and withdraws links by which clients look at a delivery."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.desks import address_of
from packshot.cli.options import Json
from packshot.cli.showing import print_json, terminal_console

Client = Annotated[str, typer.Option(help="The client's name, as in configs/clients.")]
Batch = Annotated[str, typer.Option(help="The batch's name.")]
Number = Annotated[int, typer.Option(help="The delivery's number.", min=1)]
BY = "command line"


def commands() -> typer.Typer:
    """Return the commands below ``packshot delivery``, to be added to ``packshot``: links to deliveries for clients."""
    app = typer.Typer(no_args_is_help=True)

    @app.command("share")
    def share(
        client: Client,
        batch: Batch,
        number: Number,
        days: Annotated[int, typer.Option(help="How many days the link lasts, 90 at most.")] = 14,
        json: Json = False,
    ) -> None:
        """Print a link by which a client looks at one delivery, and can send pictures back.

        Whoever has the link needs no account. It opens this delivery and nothing else.
        """
        from packshot.naming import batch_id
        from tasks.deliveries.share_links import share as make
        from tasks.environment.settings import get_settings

        made, token = make(batch_id(client, batch), number, days=days, by=BY)
        settings = get_settings()
        link = f"{settings.desk_public_url or address_of(settings.desk_port)}/shared/{token}"
        if json:
            print_json({"link": link, "expires_at": made.expires_at.isoformat()})
            return
        _say(link)
        _say(f"It opens delivery {number} of {client}/{batch} until {made.expires_at:%Y-%m-%d %H:%M} UTC.")
        if settings.desk_public_url is None:
            _say("It leads to this machine. Where clients reach the desk elsewhere, set PACKSHOT_DESK_PUBLIC_URL.")

    @app.command("unshare")
    def unshare(client: Client, batch: Batch, number: Number) -> None:
        """Withdraw every link to a delivery. Whoever opens one is told so."""
        from packshot.naming import batch_id
        from tasks.deliveries.share_links import unshare as withdraw

        gone = withdraw(batch_id(client, batch), number, by=BY)
        _say(f"{gone} {'link' if gone == 1 else 'links'} to delivery {number} of {client}/{batch} withdrawn.")

    return app


def _say(sentence: str) -> None:
    terminal_console().print(sentence, markup=False, highlight=False, soft_wrap=True)
