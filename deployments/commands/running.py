"""Define the commands that run the system: demo, serve, up, down, status, watch, doctor, register."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from packshot.cli.ending import Exit
from packshot.cli.options import Json
from packshot.cli.showing import new_table, print_json, terminal_console
from packshot.naming import batch_id

if TYPE_CHECKING:
    from tasks.environment.settings import Settings
    from tasks.processing.networks import ModelFile

STATE = Path(".packshot")
DEMO_BATCH = batch_id("demo", "sample-batch")
"""The batch of the photographs that come with Packshot."""
StateFolder = Annotated[
    Path,
    typer.Option("--state", help="Folder of the embedded servers' data.", file_okay=False, envvar="PACKSHOT_STATE"),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands that run the system (demo, serve, up, down, status, watch, doctor, register) to ``packshot``.

    Args:
        app: the application of typer.
    """
    for command in (demo, serve, up, down, status, watch, doctor, register):
        app.command()(command)


@contextmanager
def _servers_in_words() -> Iterator[None]:
    """Print in a sentence why embedded servers could not be started, and end the command."""
    try:
        from infra.local.processes import ServerError
    except ModuleNotFoundError as missing:
        raise _ended_by(
            f"The embedded servers are not installed: {missing.name} is missing. "
            "Install them with Packshot: pip install 'packshot[local]'."
        ) from None
    try:
        yield
    except ServerError as error:
        raise _ended_by(str(error)) from None


def _ended_by(message: str) -> typer.Exit:
    for line in message.splitlines():  # the end of a server's log has several
        terminal_console(stderr=True).print(f"packshot: {line}", style="red", markup=False, soft_wrap=True)
    return typer.Exit(Exit.ERROR)


def demo(
    samples: Annotated[Path | None, typer.Option(help="Another folder of photographs.", exists=True)] = None,
    state_dir: StateFolder = STATE,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the servers running to look around, until Ctrl-C.")
    ] = False,
) -> None:
    """Process the sample photographs with servers of its own, and print what became of each of them."""
    batch = DEMO_BATCH if samples is None else batch_id(DEMO_BATCH.client, samples.resolve().name)
    console = terminal_console()
    with _servers_in_words(), ThreadPoolExecutor(1) as beside:
        from infra.local.stack import running, starting
        from tasks.environment.settings import get_settings

        settings = get_settings()
        # To import what works with Prefect takes as long as the servers take to start, so it is done meanwhile.
        prepared = beside.submit(_prepared_demo, settings)
        console.print(starting(state_dir), soft_wrap=True)
        with running(state_dir) as stack:
            run_demo, network = prepared.result()
            well = run_demo(console, stack, batch, network=network, samples=samples, keep=keep)
    if not well:
        raise typer.Exit(Exit.NOT_ALL_WELL)


def _prepared_demo(settings: Settings) -> tuple[Callable[..., bool], Future[ModelFile]]:
    """Return what runs the demo, and the segmentation network as a future."""
    from deployments.demo import begin_to_fetch, run_demo

    return run_demo, begin_to_fetch(settings)


def serve(state_dir: StateFolder = STATE) -> None:
    """Run S3, PostgreSQL, Prefect, a worker and the review desk here until Ctrl-C; what dies is started again."""
    with _servers_in_words():
        from deployments.demo import serve_line

        serve_line(terminal_console(), state_dir=state_dir)


def up(state_dir: StateFolder = STATE) -> None:
    """Start what packshot serve runs, in the background; return when it works. Exit status 1 if a part does not."""
    from deployments.desks import desk_of

    with _servers_in_words():
        from deployments.background import up as start

        process, trouble = start(state_dir)
    folder = state_dir.resolve()
    _say(f"Packshot is running, supervised by process {process}; its log is {folder / 'serve.log'}.")
    _say(f"Review desk {desk_of(folder)}")
    _say(f"For commands in a terminal:  . {folder / 'environment'}")
    if trouble:
        _say(f"Not all of it works: {trouble}. The others work without it, and it is tried again: packshot status")
        raise typer.Exit(Exit.NOT_ALL_WELL)


def down(state_dir: StateFolder = STATE) -> None:
    """End what packshot serve or up started. Runs in the middle of their work go on at the next start."""
    with _servers_in_words():
        from deployments.background import down as end

        holder = end(state_dir)
    _say("Nothing ran." if holder is None else "The line has ended.")


def status(state_dir: StateFolder = STATE, json: Json = False) -> None:
    """Say whether each server and process works, since when, and how often it was restarted. Exit status 1 if not."""
    with _servers_in_words():
        from infra.local.supervisor import read_status

        parts, trouble = read_status(state_dir.resolve())
    if json:
        found = [{**dataclasses.asdict(part), "since": part.since.isoformat()} for part in parts]
        print_json({"healthy": not trouble, "trouble": trouble, "parts": found})
    else:
        table = new_table("part", "process", "running since (UTC)", "restarts", "health", ids=("part",))
        for part in parts:
            since = f"{part.since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
            table.add_row(part.name, str(part.process), since, str(part.restarts), part.trouble or "healthy")
        if parts:
            terminal_console().print(table)
        _say(f"Not healthy: {trouble}." if trouble else "All parts are healthy.")
    if trouble:
        raise typer.Exit(Exit.NOT_ALL_WELL)


def watch(
    alive: Annotated[
        Path | None, typer.Option(help="File to touch every minute, for a supervisor that looks at its age.")
    ] = None,
) -> None:
    """Do the regular checks until Ctrl-C: returned files, holds, due times, dead runs. serve and up start it."""
    import logging

    from deployments.demo import interrupts
    from flows.watching import watch as look_after
    from tasks.environment.settings import get_settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with interrupts() as asked:
        look_after(asked, every_s=get_settings().collect_every_s, alive=alive)


def doctor(json: Json = False) -> None:
    """Check all that a night needs, here and on the servers. Exit status 1 if something that matters fails."""
    from deployments.doctor import Health, examine

    colours = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red", Health.SKIPPED: "dim"}
    outcomes = []
    for outcome in examine():
        outcomes.append(outcome)
        if not json:
            line = Text(f"{outcome.health.value:8} {outcome.check:18} {outcome.found}")
            line.highlight_words([outcome.health.value], colours[outcome.health])
            terminal_console().print(line, soft_wrap=True)
            if outcome.next_step:
                _say(f"{'':28}{outcome.next_step}")
    if json:
        print_json([outcome.plain() for outcome in outcomes])
    if any(outcome.health is Health.FAILED for outcome in outcomes):
        raise typer.Exit(Exit.NOT_ALL_WELL)


def register() -> None:
    """Check the storage, then create or update the deployments on the Prefect server that PREFECT_API_URL names."""
    from deployments.registry import register as register_deployments
    from tasks.storage.bucket import open_storage
    from tasks.storage.server_checks import require_conditions

    require_conditions(open_storage())

    for name in register_deployments():
        terminal_console().print(name)


def _say(sentence: str) -> None:
    terminal_console().print(sentence, markup=False, highlight=False, soft_wrap=True)
