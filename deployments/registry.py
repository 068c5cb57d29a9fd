"""Register the deployments with Prefect's server.

A deployment is a flow with its schedule, its work pool and its queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule
from prefect.settings import PREFECT_API_URL
from prefect.types.entrypoint import EntrypointType

from flows.batch import process_batch
from flows.cancelling import cancel_batch
from flows.collect import collect_returned_work
from flows.daily_report import daily_report
from flows.delivery import deliver_batch
from flows.human import human_edit
from flows.nightly import nightly
from flows.part import work_on_part
from flows.reprocess import reprocess_shot
from flows.return_rate import return_rate
from flows.train_router import audit_escapes, roll_back_router, train_router
from packshot.errors import ConfigError, TransientError
from tasks.environment.settings import get_settings, variable
from tasks.results.block import register_results
from tasks.runs.parts import EXPEDITED, ORDINARY, PARTS_POOL

WORK_POOL = "packshot"
POOL_TYPE = "process"
JOB_TEMPLATE: dict[str, Any] = {
    # Without `env` here Prefect merges none in from a run's variables, and without `command` it runs its own engine.
    "job_configuration": {"stream_output": True},
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
}
"""What a worker may be told for a run: only the flow and its parameters.

Whoever starts a run can't set a command, an environment or a folder.
"""

QUEUE = ORDINARY
"""Queue of the pool, with at most `PACKSHOT_RUNS_AT_ONCE` runs. Prefect creates it with the pool."""
WATCH = "watch"
"""A separate queue for the run that looks after all others.

It ends dead runs; if it shared their queue, the slots that dead runs still hold could keep it from starting.
"""
WATCHES_AT_ONCE = 4
"""Missed runs of `collect-returned-work` start together, but only one of them works.

Dead ones also hold a slot until the next one ends them.
"""


def deployments() -> list[RunnerDeployment]:
    """Return every deployment: a flow with its schedule, its work pool and its queue. Nothing is sent to Prefect yet.

    A deployment names its flow by the module, so workers import the installed packages and need no folder with the
    code.

    Raises:
        ConfigError: the time of the nightly run, or its time zone, can't be understood.
    """
    settings = get_settings()
    return [
        _deployment(
            nightly,
            "Every night: all closed batches that are not finished. One at a time.",
            schedule=_nightly(settings.nightly_cron, settings.nightly_timezone),
        ),
        _deployment(
            process_batch, "One batch, from its inbox to its delivery. A retry redoes only what is not finished."
        ),
        _deployment(
            work_on_part,
            "Some shots of a batch, one stage, on whichever machine has time. Runs of batches create these runs.",
            pool=PARTS_POOL,
        ),
        _deployment(
            reprocess_shot,
            "Processes one shot again from the start; the new result is delivered in a supplementary delivery.",
        ),
        _deployment(
            cancel_batch,
            "Ends a batch: its runs, its questions to people, its deliveries. Submitted again, it goes on.",
            queue=WATCH,
        ),
        _deployment(deliver_batch, "Exports, verifies and delivers approved shots that are not yet delivered."),
        _deployment(
            human_edit, "A shot that waits for a person. Packshot creates these runs; resume one to answer its form."
        ),
        _deployment(
            collect_returned_work,
            "Looks into the hot folders, releases holds, updates the board, sends notices of due work. One at a time.",
            schedule=Interval(settings.collect_every_s),
            queue=WATCH,
        ),
        _deployment(
            daily_report,
            "Every morning: throughput, routes, verdicts, causes of rework, waiting shots, costs, and the trend.",
            schedule=Cron("0 7 * * *", timezone=settings.nightly_timezone),
        ),
        _deployment(
            return_rate,
            "Every week: how new pictures changed the return rate of clients whose orders are in storage.",
            schedule=Cron("0 6 * * 1", timezone=settings.nightly_timezone),
        ),
        _deployment(
            train_router,
            "Every week: trains the routing model from verdicts and audits; it serves only if it is better.",
            schedule=Cron("0 5 * * 0", timezone=settings.nightly_timezone),
        ),
        _deployment(roll_back_router, "Puts the previous routing model back into service."),
        _deployment(
            audit_escapes,
            "Every day: how often the machine's approval was wrong; a broken promise tightens routing by itself.",
            schedule=Cron("30 5 * * *", timezone=settings.nightly_timezone),
        ),
    ]


def _deployment(
    flow: Flow[..., Any],
    description: str,
    *,
    schedule: Schedule | None = None,
    queue: str = QUEUE,
    pool: str = WORK_POOL,
) -> RunnerDeployment:
    deployment = flow.to_deployment(
        flow.name,
        description=description,
        schedule=schedule,
        concurrency_limit=None,  # a lease decides (`tasks.storage.leases`); None removes an older version's limit
        tags=["packshot"],
        work_pool_name=pool,
        work_queue_name=queue,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast(RunnerDeployment, deployment)


def require_server() -> None:
    """Check that Prefect's server answers at the address in ``PREFECT_API_URL``. If it does, nothing happens.

    Raises:
        ConfigError: the address is not the address of an API.
        TransientError: no server answers.
    """
    url = PREFECT_API_URL.value() or ""
    if url and "/api" not in urlsplit(url).path:
        raise ConfigError(
            "this is not an address of Prefect's API",
            "PREFECT_API_URL",
            found=url,
            allowed="an address that ends with /api, such as http://127.0.0.1:4200/api",
            next_step="Add /api.",
        )
    with get_client(sync_client=True) as client:
        trouble = client.api_healthcheck()
    if trouble is not None:
        raise TransientError(
            "Prefect does not answer",
            url or "PREFECT_API_URL is not set",
            found=f"{type(trouble).__name__}: {trouble}".rstrip(": "),
            next_step="Start it (packshot serve), or correct PREFECT_API_URL.",
        )


def _nightly(cron: str, zone: str) -> Schedule:
    """Return the schedule of the nightly run.

    Raises:
        ConfigError: the cron expression or the time zone is not valid.
    """
    try:
        CronSchedule(cron=cron, timezone=zone)
    except ValueError as error:
        raise ConfigError(
            "the time of the nightly run cannot be understood",
            f"{variable('nightly_cron')} and {variable('nightly_timezone')}",
            found=f"{cron!r} in {zone!r}",
            allowed="five fields such as '0 2 * * *', and a time zone such as Europe/Berlin",
            next_step="Correct these variables.",
        ) from error
    return Cron(cron, timezone=zone)


def register() -> list[str]:
    """Create or update everything at Prefect's server that a night needs; return the names of the deployments.

    That is work pools, queues, the storage of results, and deployments. A name is ``flow-name/deployment-name``, such
    as ``nightly/nightly``.

    Raises:
        ConfigError: the address of the Prefect server, the time of the nightly run or the key of results can't be used.
        TransientError: no server answers.
    """
    require_server()
    at_once = get_settings().runs_at_once
    with get_client(sync_client=True) as client:
        register_pool(client, WORK_POOL, {WATCH: WATCHES_AT_ONCE, EXPEDITED: at_once, QUEUE: at_once})
        # Its workers say how many parts each of them works on: only they know their machine.
        register_pool(client, PARTS_POOL, {EXPEDITED: None, QUEUE: None})
    register_results()
    applied = deployments()
    for deployment in applied:
        deployment.apply()
    return [f"{deployment.flow_name}/{deployment.name}" for deployment in applied]


def register_pool(client: SyncPrefectClient, name: str, limits: Mapping[str, int | None]) -> None:
    """Create or update a work pool of Prefect and its queues. Nothing is returned.

    A new pool has the type ``process``: its worker starts each flow run as a process. An operator may have made the
    pool with another type, such as Kubernetes jobs. Then its job template is kept: Prefect's description of how a
    worker starts a run.

    Args:
        client: Prefect's client.
        name: name of the pool.
        limits: name of a queue -> greatest number of runs at once; None means no limit. The order is the priority: runs
            of the first queue start first. Other queues of the pool are not touched.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    try:
        client.create_work_pool(WorkPoolCreate(name=name, type=POOL_TYPE, base_job_template=JOB_TEMPLATE))
    except ObjectAlreadyExists:
        found = client.read_work_pool(name)
        template = JOB_TEMPLATE if found.type == POOL_TYPE else found.base_job_template
        client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=None, base_job_template=template))
    for priority, (queue, limit) in enumerate(limits.items(), start=1):
        try:
            known = client.read_work_queue_by_name(queue, work_pool_name=name)
        except ObjectNotFound:
            known = client.create_work_queue(queue, work_pool_name=name)
        client.update_work_queue(known.id, concurrency_limit=limit, priority=priority)
