"""Run the whole system on one machine: embedded servers, deployments and a worker. The demo also runs a batch."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import httpx
import prefect.settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectException
from prefect.settings import temporary_settings
from prefect.settings.legacy import Setting
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deployments.desk_process import desk_port, keep_desk
from deployments.desks import address_of
from deployments.registry import WORK_POOL, register
from deployments.summaries import show_summary
from deployments.watch_process import keep_watch
from infra.local.parts import Part
from infra.local.prefect_server import PASSWORD_FILE
from infra.local.processes import ServerError, busy
from infra.local.stack import WORKER_POLL, Stack, keep_worker, running, starting
from infra.local.supervisor import Supervisor
from packshot.cli.showing import in_markup
from packshot.errors import PackshotError
from packshot.keys import deliveries_prefix
from packshot.naming import BatchId, path_trouble
from packshot.record import State
from tasks.batches.fates import Summary
from tasks.batches.submitting import submit_folder
from tasks.batches.summing_up import survey
from tasks.environment.settings import Settings, get_settings, variable
from tasks.processing.networks import ModelFile, fetch_model
from tasks.records.stored import find_batch
from tasks.results.block import ENVIRONMENT
from tasks.runs.lost_runs import end_lost_runs
from tasks.runs.schedules import COLLECT, schedule_runs
from tasks.storage.bucket import open_storage
from tasks.storage.server_checks import require_conditions

POLL_S = 1.0
PROGRESS_S = 5.0
"""Interval between two looks at how far the batch is. Each reads the record of every shot, from the machine's own two
servers: beside a night on two cores that is felt.
"""
DEMO_WORKER_POLL_S = "2"
"""Somebody waits for a demonstration to begin."""
REGISTER_S = 120.0
"""Longest time for which the deployments are tried to be registered; more on a busy machine."""


def _sample_folder() -> Path:
    """Return the folder of the sample photographs, in a checkout or in an installed wheel."""
    here = Path(__file__).resolve().parent
    checkout = here.parent / "samples" / "demo-batch"
    return checkout if checkout.is_dir() else here / "_samples"


SAMPLES = _sample_folder()


def run_demo(
    console: Console, stack: Stack, batch: BatchId, *, network: Future[ModelFile], samples: Path | None, keep: bool
) -> bool:
    """Take a folder of photographs through the nightly flow, and print what became of each; return True if none failed.

    A second call with the same photographs and servers finds the batch finished, changes nothing and shows the same
    table.

    Args:
        console: where the progress and the results are printed.
        stack: the embedded servers, which run. The deliveries are downloaded into the folder ``deliveries`` of their
            state folder.
        batch: the batch that the photographs become, such as ``demo/sample-batch``.
        network: the download of the segmentation network's file, which `begin_to_fetch` has begun.
        samples: the folder; None means the photographs that come with Packshot.
        keep: True lets the servers run on until Ctrl-C.
    Raises:
        NamingError: the folder has no files that can be uploaded.
        StorageDeniedError: an earlier call had a folder of the same name with other files.
        ServerError: the worker did not start, or ended too early.
        ModelError: no source has the segmentation network.
    """
    with environment({WORKER_POLL: DEMO_WORKER_POLL_S}), line(console, stack) as worker:
        submit_folder(
            samples or SAMPLES,
            batch,
            on_progress=lambda name, done, total: None,
            on_left_out=lambda name, why: console.print(f"{name!r} was left out: {why}", markup=False),
        )
        network.result()
        console.print(f"The batch {batch} is in the inbox. Running the nightly flow ...")
        with nothing_collected():
            run = run_nightly(console, batch, worker=worker)
        summary = survey(batch)
        show_summary(console, summary)
        where = fetch_deliveries(batch, stack.state_dir / "deliveries" / batch.client / batch.batch)
        console.print()
        console.print(f"[bold]Delivery[/]    {in_markup(str(where))}", soft_wrap=True)
        console.print(f"[bold]Report[/]      {in_markup(_newest_report(where))}", soft_wrap=True)
        console.print(
            f"[bold]Prefect UI[/]  {stack.prefect_ui_url}/runs/flow-run/{run.id}  (while the servers run)",
            soft_wrap=True,
        )
        if keep:
            show_desk(console, start_desk(stack))
            console.print("The servers keep running. Ctrl-C ends them.")
            wait_for_interrupt()
        else:
            show_desk(console, address_of(get_settings().desk_port), after="packshot serve")
            console.print("`packshot serve` starts the servers again with everything in them.")
    return not summary.failed


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Return a context manager: in its block, `collect-returned-work` is not started by its schedule.

    This flow looks each minute for pictures that editors have returned. During the demo's night there can be none yet,
    and each look starts a process that takes 6 s of processor time.
    """
    schedule_runs(COLLECT, active=False)
    try:
        yield
    finally:
        schedule_runs(COLLECT, active=True)


def begin_to_fetch(settings: Settings) -> Future[ModelFile]:
    """Begin to fetch the segmentation network in a thread, and return its file as a future.

    The process may end before the file is there. If no source has it, the future raises a `ModelError`.

    Args:
        settings: the settings of this process; they name the network.
    """
    result: Future[ModelFile] = Future()

    def fetch() -> None:
        try:
            result.set_result(fetch_model(settings.segmenter, settings=settings))
        except Exception as error:  # noqa: BLE001  (whoever asks for the result gets it)
            result.set_exception(error)

    threading.Thread(target=fetch, daemon=True).start()
    return result


def serve_line(console: Console, *, state_dir: Path) -> None:
    """Run the embedded servers, a worker, the review desk and the regular checks until Ctrl-C. Nothing is returned.

    A server or process that dies is started again. Worker, desk and checks are not waited for. If one of them does not
    start, the others work, and it is tried again.

    Args:
        console: where messages about the progress are printed.
        state_dir: folder of the servers' data.
    Raises:
        ServerError: a server that the others need did not start.
        ModelError: no source has the segmentation network.
    """
    fetch_networks(console)
    console.print(starting(state_dir), soft_wrap=True)
    with running(state_dir) as stack, line(console, stack), environment_file(stack) as file:
        require_conditions(open_storage())
        console.print(end_runs_that_died(), markup=False, highlight=False, soft_wrap=True, end="")
        _, address = keep_desk(stack, environment={**ENVIRONMENT, **same_configs()})
        show_desk(console, address)
        keep_watch(stack, environment={**ENVIRONMENT, **same_configs()})
        console.print(f"Prefect UI {stack.prefect_ui_url}, S3 {stack.s3.endpoint_url}. Ctrl-C ends them.")
        console.print(f"For commands in another terminal:  . {file}", soft_wrap=True)
        with interrupts() as asked:
            Supervisor(stack.family.parts, stack.state_dir, say=partial(_say, console)).run(asked)


def end_runs_that_died() -> str:
    """Mark the flow runs whose process has died as crashed, start them again, and return a line with their names.

    The line is empty if there were no such runs. If the runs cannot be looked for, the line gives the reason. Nothing
    is raised, because the regular checks look again every few seconds.
    """
    try:
        lost = end_lost_runs.fn()
    except (PackshotError, httpx.HTTPError, PrefectException) as error:
        why = f"{type(error).__name__}: {error}"
        return f"Runs that died could not be looked for ({why}); the watch tries again in a few seconds.\n"
    return f"{lost.sentence}\n" if lost.sentence else ""


def _say(console: Console, sentence: str) -> None:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    console.print(f"{moment} {sentence}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def environment_file(stack: Stack) -> Iterator[Path]:
    """Return a context manager that writes a shell file with the servers' addresses and secrets, and yields the file's
    path.

    The file is ``environment`` in the servers' state folder. A terminal that reads it, as by
    ``. .packshot/environment``, can use the servers. Only this user can read the file. It is removed at the end of the
    block.

    Args:
        stack: the embedded servers, which run.
    """
    file = stack.state_dir / "environment"
    variables = {**stack.environment(), **ENVIRONMENT, **same_configs(), **_address_of_the_desk(stack)}
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as text:  # noqa: PTH123
        text.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def fetch_networks(console: Console) -> None:
    """Download the segmentation network's file to this machine, if it is not here yet. Nothing is returned.

    Args:
        console: shows a line while the file is looked for.
    Raises:
        ModelError: no source has the file.
    """
    with console.status("Looking for the segmentation network ..."):
        fetch_model(get_settings().segmenter)


@contextmanager
def line(console: Console, stack: Stack) -> Iterator[Part]:
    """Return a context manager that registers the deployments, runs a worker, and yields the worker.

    At the beginning of the block the worker may still be starting. In the block, settings of this process lead to the
    embedded servers, whatever its environment said before.

    Args:
        console: where messages about the progress are printed.
        stack: the embedded servers, which run. The worker ends with them.
    Raises:
        ServerError: Prefect did not take the deployments.
    """
    with environment({**stack.environment(), **ENVIRONMENT, **same_configs(), **_address_of_the_desk(stack)}):
        open_storage().ensure_bucket()
        register_patiently()
        worker = keep_worker(stack, work_pool=WORK_POOL, environment=dict(ENVIRONMENT))
        # Print how to read the password, not the password: this output may end up in a log.
        how = f"cat {shlex.quote(str(stack.state_dir / PASSWORD_FILE))}"
        console.print(f"Prefect's pages at {stack.prefect_ui_url} require a password:  {how}", soft_wrap=True)
        yield worker


def _address_of_the_desk(stack: Stack) -> dict[str, str]:
    """Return the variable by which the line's processes write links to this desk, and not to another on the machine."""
    return {variable("desk_port"): str(desk_port(stack.state_dir))}


def register_patiently() -> None:
    """Register the deployments at Prefect's server. If the server answers with an error, try again every second.

    A server that has just started may answer with errors for a while.

    Raises:
        ServerError: it has answered with errors for two minutes (`REGISTER_S`); on a busy machine the time is longer.
    """
    began = time.monotonic()
    while True:
        try:
            register()
            return
        except (httpx.HTTPError, PrefectException) as error:
            if time.monotonic() - began > REGISTER_S * busy():
                raise ServerError(
                    f"The Prefect server runs and does not take the deployments: {type(error).__name__}: {error}. "
                    "Its log is prefect-server.log in the state folder."
                ) from error
        time.sleep(POLL_S)


def start_desk(stack: Stack) -> str:
    """Start the review desk beside the embedded servers, wait until it works, and return its address.

    Args:
        stack: the embedded servers, which run.
    Raises:
        ServerError: it does not start.
    """
    part, address = keep_desk(stack, environment={**ENVIRONMENT, **same_configs()})
    part.wait()
    return address


def show_desk(console: Console, address: str, *, after: str = "") -> None:
    """Print the address of the review desk, and how to get an account.

    Args:
        console: where it is printed.
        address: of the desk.
        after: the command that starts the desk; empty if it runs.
    """
    when = f"  (after `{after}`)" if after else ""
    console.print(f"[bold]Review desk[/] {address}{when}", soft_wrap=True)
    console.print('An account for it:  packshot desk add-user "Ada Lovelace" --role reviewer', soft_wrap=True)


def same_configs() -> dict[str, str]:
    """Return the environment variable that makes other processes use this process's configs, with its value.

    Example: ``{"PACKSHOT_CONFIGS": "/srv/packshot/configs"}``. The path is absolute, because other processes have other
    working folders.
    """
    return {variable("configs"): str(get_settings().configs.resolve())}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Return a context manager that sets environment variables in its block, and Prefect's settings with them.

    At the end of the block, all variables are as they were. Prefect reads variables only once, when a process starts;
    therefore its settings are changed as well.

    Args:
        variables: name -> value.
    """
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        with temporary_settings(_settings_of(variables)):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settings_of(variables: Mapping[str, str]) -> dict[Setting | str, str]:
    """Return Prefect's settings among variables. Prefect reads variables once, when a process starts."""
    named = ((getattr(prefect.settings, name, None), value) for name, value in variables.items())
    return {setting: value for setting, value in named if isinstance(setting, Setting)}


def run_nightly(console: Console, batch: BatchId, *, worker: Part) -> FlowRun:
    """Start the nightly run, as the button in Prefect's UI does; return the run when it has ended.

    Args:
        console: shows the progress of the batch.
        batch: the batch whose progress is shown; the night processes the others, too.
        worker: the process that works on the run; it may still be starting.
    Raises:
        ServerError: the worker did not start, or ended before the run did.
    """
    run = cast(FlowRun, run_deployment("nightly/nightly", timeout=0))
    worker.wait()
    looked_at = float("-inf")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress, get_client(sync_client=True) as client:
        bar = progress.add_task("waiting for the worker", total=None)
        while run.state is None or not run.state.is_final():
            time.sleep(POLL_S)
            if worker.ended:
                raise ServerError("The worker ended before the run did; its log is worker.log in the state folder.")
            run = client.read_flow_run(run.id)
            if time.monotonic() - looked_at >= PROGRESS_S and find_batch(batch) is not None:
                looked_at = time.monotonic()
                summary = survey(batch)
                settled = sum(fate.state not in _UNDER_WAY for fate in summary.fates)
                progress.update(
                    bar, description=_stage_in_words(summary), completed=settled, total=len(summary.fates) or None
                )
    return run


_UNDER_WAY = (
    State.RECEIVED,
    State.MASTERED,
    State.ROUTED,
    State.EDITING_AUTO,
    State.SCORED,
    State.APPROVED,
    State.EXPORTED,
    State.VERIFIED,
)


def _stage_in_words(summary: Summary) -> str:
    """Return the earliest stage that a shot of the batch is still in."""
    states = {fate.state for fate in summary.fates}
    first = next((state for state in _UNDER_WAY if state in states), None)
    return f"{first.value.replace('_', ' ')} ..." if first else "finishing ..."


def fetch_deliveries(batch: BatchId, folder: Path) -> Path:
    """Download all deliveries of a batch to a local folder, and return the folder's absolute path.

    What was in the folder before is removed. A file whose name would lead out of the folder is skipped.

    Args:
        batch: the batch.
        folder: made if it is missing; each delivery has a folder in it.
    """
    storage, prefix = open_storage(), deliveries_prefix(batch)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for found in storage.list(prefix):
        below = found.key.removeprefix(prefix)
        if not path_trouble(below):
            storage.get_file(found.key, folder / below)
    return folder.resolve()


def _newest_report(folder: Path) -> str:
    reports = sorted(folder.glob("[0-9]*/report.html"), key=lambda path: (len(path.parent.name), path.parent.name))
    return str(reports[-1]) if reports else "none: nothing was delivered"


def wait_for_interrupt() -> None:
    """Wait until somebody presses Ctrl-C, or the process gets another signal to end (SIGTERM, SIGHUP)."""
    with interrupts() as asked:
        asked.wait()


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Return a context manager that yields an event. In its block, Ctrl-C sets the event and ends nothing by itself.

    The same holds for the signals SIGTERM and SIGHUP. Only the main thread can call it.
    """
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
