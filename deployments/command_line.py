"""Build the program ``packshot`` with its commands for local files, for storage, for networks and for Prefect.

``packshot models fetch``, for example, downloads the segmentation network from the first source that has it.

Modules that need the network are imported inside the commands, so that a command for a local file starts quickly.
"""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments import desks
from deployments.commands import deliveries, indexes, jobs, running
from deployments.commands.finding import find
from deployments.summaries import show_summary
from packshot.cli import build
from packshot.cli.ending import Exit, run
from packshot.cli.options import Json
from packshot.cli.showing import bar, new_table, print_json, terminal_console
from packshot.errors import ConfigError
from packshot.figures import counted

Client = Annotated[str, typer.Option(help="The client's name, as in configs/clients.")]
Batch = Annotated[str, typer.Option(help="The batch's name.")]
NewClient = Annotated[
    bool, typer.Option("--new-client", help="The client has no style guide yet: use the default one, and do not ask.")
]


RETRIES, TRIED_AGAIN = "PREFECT_CLIENT_MAX_RETRIES", "2"
"""How often a command asks Prefect's server again that cannot answer now: a person waits. The watch and the desk, which
are started as commands, look again by themselves.
"""


def main() -> None:
    """Run ``packshot`` with the arguments of this process, and end the process with the command's exit status.

    If Prefect's server does not answer, a command asks it only twice more, because a person waits for the command.
    """
    os.environ.setdefault(RETRIES, TRIED_AGAIN)  # before Prefect is imported, which reads it then
    sys.exit(run(command_line()))


def command_line() -> typer.Typer:
    """Return ``packshot`` with all its commands: those for local files, and those that need storage or Prefect."""
    app = build(_segmenter, surroundings=_surroundings, today=_today)
    app.add_typer(_models(), name="models", help="The segmentation networks: which there are, and fetching them.")
    app.add_typer(_batches(), name="batch", help="Batches in storage: submit a folder, see its outcome.")
    app.add_typer(jobs.commands(), name="job", help="What waits for people: look, take, return, approve, reject.")
    app.add_typer(deliveries.commands(), name="delivery", help="Deliveries: show one to its client by a link.")
    app.add_typer(desks.commands(), name="desk", help="The review desk, where people look at 1:1 and decide.")
    app.add_typer(
        indexes.commands(), name="index", help="The index of all shots and batches: rebuild it from the bucket."
    )
    app.command()(find)
    running.add_to(app)
    return app


def _surroundings() -> tuple[str, ...]:
    """Return the problems of the environment variables, for `config check`."""
    from tasks.environment.settings import environment_problems

    return environment_problems()


def _today() -> datetime.date:
    """Return the date in UTC."""
    from tasks.records.bookkeeping import now

    return now().date()


def _segmenter(engine: str) -> Any:
    """Return the segmentation network from the settings, on the given engine, with findings about it."""
    from tasks.environment.settings import get_settings
    from tasks.processing.networks import load_model

    settings = get_settings()
    loaded = load_model(settings.model_copy(update={"engine": engine}) if engine != "auto" else settings)
    return loaded.segmenter, loaded.findings


def _models() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True)

    @app.command("list")
    def list_models(json: Json = False) -> None:
        """Say which networks may be used, under which licence, and which are on this machine."""
        from tasks.environment.configs import configs_in_force
        from tasks.environment.settings import get_settings
        from tasks.processing.networks import cached_model

        folder = get_settings().models_dir
        rows = []
        for model in configs_in_force().models.values():
            here = cached_model(model, folder=folder)
            rows.append({**model.model_dump(mode="json"), "file": str(here.path) if here else ""})
        if json:
            print_json(rows)
            return
        table = new_table("model", "licence", "on this machine", ids=("model",))
        for row in rows:
            table.add_row(row["name"], row["licence"], row["file"] or "no: packshot models fetch")
        terminal_console().print(table)

    @app.command("fetch")
    def fetch(
        names: Annotated[list[str] | None, typer.Argument(help="Models; all of them by default.")] = None,
        quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing if all is well.")] = False,
    ) -> None:
        """Fetch the networks' files, from the first source that has them, and check their SHA-256."""
        from tasks.environment.configs import configs_in_force
        from tasks.processing.networks import fetch_model

        for name in names or list(configs_in_force().models):
            with bar(f"fetching {name}", quiet=quiet) as move:
                file = fetch_model(name, on_progress=lambda label, done, total: move(done, total))
            if not quiet:
                terminal_console().print(f"{name}: {file.path}", markup=False, highlight=False, soft_wrap=True)

    return app


def _batches() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True)

    @app.command("submit")
    def submit(
        folder: Annotated[Path, typer.Argument(help="Photographs and, if there is one, manifest.csv.", exists=True)],
        client: Client,
        batch: Batch,
        new_client: NewClient = False,
        json: Json = False,
    ) -> None:
        """Upload a folder as a closed batch; the next nightly run, or process-batch in the UI, takes it up."""
        from packshot.naming import batch_id
        from tasks.batches.submitting import submit_folder

        which = batch_id(client, batch)
        _check_client(client, verb="Submit", new_client=new_client)
        with bar(f"uploading {which}", quiet=json) as move:
            left_out: dict[str, str] = {}
            files = submit_folder(
                folder,
                which,
                on_progress=lambda name, done, total: move(done, total),
                on_left_out=left_out.__setitem__,
            )
        if json:
            print_json({"client": client, "batch": batch, "files": files, "left_out": left_out})
        else:
            for name, why in left_out.items():
                terminal_console().print(f"{name!r} was left out: {why}", style="yellow", markup=False, highlight=False)
            terminal_console().print(f"{which}: {counted(files, 'file')} uploaded and the batch closed")

    @app.command("invite")
    def invite(
        client: Client,
        batch: Batch,
        hours: Annotated[float, typer.Option(help="How long the forms work; at most a week.", min=0.1, max=168)] = 72,
        new_client: NewClient = False,
    ) -> None:
        """Print two upload forms as JSON, for a client without a key: one for files, one that closes the batch."""
        from packshot.naming import batch_id
        from tasks.batches.submitting import invite as forms_for

        which = batch_id(client, batch)
        _check_client(client, verb="Invite", new_client=new_client)
        print_json(forms_for(which, hours=hours))

    @app.command("status")
    def status(client: Client, batch: Batch, json: Json = False) -> None:
        """Say what became of every photograph of a batch. Exit status 1 if any failed, or a platform gets nothing."""
        from packshot.naming import batch_id
        from tasks.batches.status import standing_of

        summary = standing_of(batch_id(client, batch))
        if json:
            print_json({**summary.model_dump(mode="json"), "counts": summary.counts})
        else:
            show_summary(terminal_console(), summary)
        if summary.failed or summary.left_out:
            raise typer.Exit(Exit.NOT_ALL_WELL)

    @app.command("close")
    def close(
        client: Client,
        batch: Batch,
        no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until it is delivered.")] = False,
    ) -> None:
        """Deliver now what is approved and waits: for the next delivery, or for the rest of its product."""
        from packshot.naming import batch_id
        from tasks.deliveries.late_deliveries import close_batch, wait_until_delivered

        which = batch_id(client, batch)
        run = close_batch(which)
        said = "is being handed over" if no_wait else wait_until_delivered(which, run)
        terminal_console().print(f"{which}: {said}", markup=False, highlight=False, soft_wrap=True)

    @app.command("cancel")
    def cancel(
        client: Client,
        batch: Batch,
        by: Annotated[str, typer.Option(help="Your name; the batch's record keeps it.")],
        why: Annotated[str, typer.Option(help="The reason; the batch's record keeps it.")],
    ) -> None:
        """End a batch, its runs and its questions to people; deliver nothing more. If submitted again, it goes on."""
        from packshot.naming import batch_id
        from tasks.batches.cancelling import cancel_batch

        which = batch_id(client, batch)
        done = cancel_batch(which, person=by, reason=why)
        terminal_console().print(f"{which}: {done.sentence}", markup=False, highlight=False, soft_wrap=True)

    return app


def _check_client(client: str, *, verb: str, new_client: bool) -> None:
    """Refuse a client without a style guide, unless a person at a terminal or ``--new-client`` says that it is meant.

    A wrong style guide is said on standard error, and asked about at a terminal. Without one the command goes on:
    nothing of the client's is processed before the guide is mended.

    Args:
        client: the client's name.
        verb: what the person wants to do, for the question, for example ``Submit``.
        new_client: True if the default style guide is meant for a client without one.
    Raises:
        ConfigError: the client has no style guide, and there is nobody to ask.
        typer.Abort: the person said no.
    """
    from packshot.specs.nearest import did_you_mean, listed
    from tasks.environment.configs import configs_in_force

    configs = configs_in_force()
    if client in configs.clients:
        return
    here = sys.stdin.isatty()
    if client in configs.broken_clients:
        why = configs.broken_clients[client]
        said = (
            f"The style guide of {client!r} is wrong, so nothing of this batch is processed before it is mended: {why}"
        )
    elif new_client or here:
        said = (
            f"{client!r} has no style guide{did_you_mean(client, configs.clients)}. The default one will be used. "
            f"Write configs/clients/{client}.yaml, or correct the name."
        )
    else:
        raise ConfigError(
            "this client has no style guide",
            client,
            allowed=listed(client, configs.clients),
            next_step=f"Correct the name, or write configs/clients/{client}.yaml. "
            "If the default style guide is meant, add --new-client.",
        )
    terminal_console(stderr=True).print(said, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if here and not new_client:
        typer.confirm(f"{verb} all the same?", abort=True, err=True)
