"""Process every closed batch that is not finished (the nightly run), as many at the same time as the settings allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Annotated, Any, cast

from prefect import Flow, flow, get_run_logger
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.states import Completed, Failed
from pydantic import Field

from flows.pace import PACE
from flows.parameters import shown
from flows.presence import SKIPPED, TAKEN_OVER, present
from packshot.errors import LeaseHeldError
from packshot.figures import counted
from packshot.keys import COLLECTION_LEASE, NIGHT_LEASE
from packshot.naming import BatchId
from tasks.batches.closed import closed_batches
from tasks.environment.settings import get_settings
from tasks.environment.troubles import AWAY, in_one_line
from tasks.runs.children import cancel_children
from tasks.runs.ends import end_of
from tasks.runs.schedules import COLLECT, switch_on_if_forgotten
from tasks.storage.leases import holding
from tasks.telling.night import night_stopped, report_night

PROCESS_BATCH = "process-batch/process-batch"

Clients = Annotated[
    list[str],
    Field(json_schema_extra=shown("Clients", "Only these clients' batches; empty means all of them")),
]


def tell_of_the_end(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send people a notice that the nightly run was cancelled or has crashed. Prefect calls this hook.

    Args:
        flow, flow_run, state: what Prefect passes to each hook: the flow, its run, and the run's final state.
    """
    night_stopped(f"it is {state.type.value.lower()}: {state.message or 'no reason was given'}. Run {flow_run.id}")


def cancel_its_batches(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Cancel the runs of batches that a cancelled nightly run has started. Prefect calls this hook.

    Args:
        flow, flow_run, state: what Prefect passes to each hook: the flow, its run, and the run's final state.
    """
    cancel_children(str(flow_run.id), why=f"the run that started it was cancelled: {flow_run.name}")


@flow(
    name="nightly",
    flow_run_name="nightly",
    task_runner=PACE,
    persist_result=False,
    on_cancellation=[cancel_its_batches, tell_of_the_end],
    on_crashed=[tell_of_the_end],
)
@present
def nightly(clients: Clients = []) -> State[Any]:  # noqa: B006  (Prefect shows the default in the form)
    """Run every batch that its client has closed and that is not finished. Each is a run of its own.

    If clients are named, only their batches are run. At most `PACKSHOT_BATCHES_AT_ONCE` batches run at the same time;
    those that were closed first begin first. If one batch fails, the others continue, and this run fails at the end.
    The run also fails if a folder with the file READY has no valid batch name. The final message names the failed
    batches, those left to another run, and those folders. While another nightly run is at work, this one does nothing:
    it is completed, with a state named Skipped.
    """
    try:
        with holding(NIGHT_LEASE):
            return _night(clients)
    except LeaseHeldError as held:
        night_stopped(f"this night did not begin: {held}")
        raise


def _night(clients: Clients) -> State[Any]:
    _go_on_with_regular_checks()
    found = closed_batches()
    batches = [batch for batch in found.batches if not clients or batch.client in clients]
    left_out = {key: why for key, why in found.left_out.items() if not clients or key.split("/")[1] in clients}
    states = _run_all(batches)
    report_night(states, left_out)
    return _said(states, left_out)


def _go_on_with_regular_checks() -> None:
    """Switch the schedule of the regular checks on if `packshot watch` was killed; else nobody would make them."""
    try:
        if switch_on_if_forgotten(COLLECT, lease=COLLECTION_LEASE):
            get_run_logger().warning("packshot watch was killed; its checks are made by runs of %s again", COLLECT)
    except AWAY as error:
        get_run_logger().warning("whether anybody makes the regular checks is not known: %s", in_one_line(error))


def _said(states: Sequence[tuple[BatchId, State[Any]]], left_out: Mapping[str, str]) -> State[Any]:
    """Return the night's final state. A batch that another run works on doesn't count as processed here."""
    failed = [str(batch) for batch, state in states if not state.is_completed()]
    elsewhere = [str(batch) for batch, state in states if state.name in (SKIPPED, TAKEN_OVER)]
    processed = len(states) - len(failed) - len(elsewhere)
    sentences = [
        f"{processed} of {counted(len(states), 'batch', 'batches')} processed"
        if states
        else "No closed batch was waiting"
    ]
    if failed:
        sentences.append(f"{len(failed)} had failures: {', '.join(failed)}")
    if elsewhere:
        sentences.append(f"{len(elsewhere)} left to another run: {', '.join(elsewhere)}")
    if left_out:
        sentences.append(f"{len(left_out)} left out, because such a name is not allowed: {', '.join(left_out)}")
    message = "; ".join(sentences)
    return Failed(message=message) if failed or left_out else Completed(message=message)


def _run_all(batches: Sequence[BatchId]) -> list[tuple[BatchId, State[Any]]]:
    """Run the batches, and return each with its run's final state, in the same order."""
    with ThreadPoolExecutor(get_settings().batches_at_once, thread_name_prefix="batch") as threads:
        # Each thread gets a copy of the context: by that Prefect knows that this run is the parent.
        running = [(batch, threads.submit(copy_context().run, _run, batch)) for batch in batches]
        return [(batch, one.result()) for batch, one in running]


def _run(batch: BatchId) -> State[Any]:
    parameters = {"client": batch.client, "batch": batch.batch}
    try:
        tags = [f"client:{batch.client}"]
        run = cast(FlowRun, run_deployment(PROCESS_BATCH, parameters=parameters, tags=tags, timeout=0))
        return end_of(run.id)
    except Exception as error:  # noqa: BLE001  whatever it is, the other batches go on
        get_run_logger().exception("%s could not be run", batch)
        return Failed(message=f"it could not be run: {type(error).__name__}: {error}")
