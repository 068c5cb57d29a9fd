"""Define ``packshot desk``, which starts the review desk (a web page for decisions) and manages its accounts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from packshot.cli.options import Json
from packshot.cli.showing import in_markup, new_table, print_json, terminal_console

if TYPE_CHECKING:
    from desk.access.accounts import Accounts

PART = "desk"
HOST = "127.0.0.1"
Name = Annotated[str, typer.Argument(help="The person's name, as records will show it.")]


def commands() -> typer.Typer:
    """Return the commands below ``packshot desk``, to be added to ``packshot``: the review desk and its accounts.

    Without a further word, ``packshot desk`` serves the desk.
    """
    app = typer.Typer(invoke_without_command=True)

    @app.callback()
    def desk(
        context: typer.Context,
        host: Annotated[
            str, typer.Option(help="Address to listen on. 0.0.0.0, in a container, is all of them.")
        ] = HOST,
    ) -> None:
        """Serve the review desk on 127.0.0.1, at the port PACKSHOT_DESK_PORT, until Ctrl-C."""
        if context.invoked_subcommand is None:
            from desk.server import serve
            from tasks.environment.settings import get_settings

            port = get_settings().desk_port
            terminal_console().print(f"Review desk {address_of(port)}. Ctrl-C ends it.", soft_wrap=True)
            serve(port, host=host)

    @app.command("add-user")
    def add_user(
        name: Name,
        role: Annotated[str, typer.Option(help="editor, reviewer, senior, manager; several with commas.")],
        without_password: Annotated[
            bool, typer.Option("--without-password", help="Only a reverse proxy can sign this person in.")
        ] = False,
    ) -> None:
        """Add an account to the review desk, or give one a new password and new roles."""
        from desk.access.roles import Role

        words = [word.strip() for word in role.split(",") if word.strip()]
        unknown = [word for word in words if word not in list(Role)]
        if unknown:
            raise typer.BadParameter(
                f"{unknown[0]!r} is not a role; the roles are {', '.join(Role)}", param_hint="--role"
            )
        account = _accounts().add(name, map(Role, words), None if without_password else _password())
        _say(f"{account.name} can sign in at the review desk as {', '.join(sorted(account.roles))}.")

    @app.command("remove-user")
    def remove_user(name: Name) -> None:
        """Remove an account from the review desk; whoever uses it is signed out."""
        _say(f"{_accounts().remove(name).name} has no account any more.")

    @app.command("users")
    def users(json: Json = False) -> None:
        """Say who has an account at the review desk, with which roles."""
        found = [(one.name, sorted(one.roles)) for one in _accounts().all()]
        if json:
            print_json([{"name": name, "roles": roles} for name, roles in found])
            return
        table = new_table("name", "roles", ids=("name",))
        for name, roles in found:
            table.add_row(in_markup(name), ", ".join(roles))
        terminal_console().print(table)

    return app


def address_of(port: int) -> str:
    """Return the address of the review desk on this machine: ``http://127.0.0.1:4280`` for port 4280."""
    return f"http://{HOST}:{port}"


def desk_of(state_dir: Path) -> str:
    """Return the address of the review desk that ``packshot up`` or ``packshot serve`` has started on this machine.

    It is the address of the last start. The desk may have ended since.

    Args:
        state_dir: folder of the servers' data, which has the file ``ports.json``.
    Raises:
        FileNotFoundError: nothing was ever started with this folder.
    """
    return address_of(json.loads((state_dir / "ports.json").read_text())[PART][0])


def _password() -> str:
    """Ask for a password twice at a terminal, without showing it; from anything else, read one line."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _accounts() -> Accounts:
    from desk.access.accounts import Accounts
    from tasks.environment.settings import get_settings

    return Accounts(get_settings().desk_accounts_file)


def _say(sentence: str) -> None:
    terminal_console().print(sentence, markup=False, highlight=False, soft_wrap=True)
