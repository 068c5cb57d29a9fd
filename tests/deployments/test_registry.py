"""The deployments as the Prefect server has them after `register`: what the UI shows, checks and schedules."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import PrefectHTTPStatusError
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker

import flows
from deployments.demo import environment, nothing_collected
from deployments.registry import QUEUE, WATCH, WATCHES_AT_ONCE, WORK_POOL, deployments, register
from flows import presence
from infra.local.stack import Stack
from tasks.environment.settings import Settings
from tasks.results.block import BLOCK
from tasks.runs.lost_runs import SEEN_TO_LIVE
from tasks.runs.parts import EXPEDITED, PARTS_POOL

NAMES = [
    *(
        "nightly",
        "process-batch",
        "work-on-part",
        "reprocess-shot",
        "cancel-batch",
        "deliver-batch",
        "human-edit",
        "collect-returned-work",
    ),
    *("daily-report", "return-rate", "train-router", "roll-back-router", "audit-escapes"),
]
SCHEDULED = ["nightly", "collect-returned-work", "daily-report", "return-rate", "train-router", "audit-escapes"]
PARAMETERS = {
    "nightly": {"clients"},
    "process-batch": {"client", "batch"},
    "work-on-part": {"client", "batch", "stage", "part", "place"},
    "reprocess-shot": {"client", "batch", "shot", "person", "reason"},
    "cancel-batch": {"client", "batch", "person", "reason"},
    "deliver-batch": {"client", "batch", "shots", "closes"},
    "human-edit": {"client", "batch", "shot"},
    "collect-returned-work": set(),
    "daily-report": {"date", "days"},
    "return-rate": set(),
    "train-router": set(),
    "roll-back-router": {"person", "reason"},
    "audit-escapes": set(),
}
PART = f"edit-9-{'0' * 32}"
RUN_NAMES = {
    "nightly": "nightly",
    "process-batch": "process batch · acme/spring-24",
    "work-on-part": "edit · acme/spring-24 · part 3 of 12",
    "reprocess-shot": "reprocess · acme/spring-24 · KTL301_MAIN",
    "deliver-batch": "deliver · acme/spring-24",
    "cancel-batch": "cancel · acme/spring-24",
    "human-edit": "human edit · acme/spring-24 · KTL301_MAIN",
    "collect-returned-work": "collect returned work",
    "daily-report": "daily report",
    "return-rate": "return rate",
    "train-router": "train router",
    "roll-back-router": "roll back router",
    "audit-escapes": "audit escapes",
}
GOOD = {
    "client": "acme",
    "batch": "spring-24",
    "shot": "KTL301_MAIN",
    "person": "Ada",
    "reason": "a new wish",
    "shots": [],
    "clients": [],
    "date": "2026-03-01",
    "days": 30,
    "stage": "edit",
    "part": PART,
    "place": "3 of 12",
    "closes": False,
}
TYPES = {"clients": "array", "shots": "array", "days": "integer", "closes": "boolean"}
DEFAULTS: dict[str, object] = {"clients": [], "shots": [], "date": "", "days": 30, "closes": False}


@pytest.fixture(scope="module")
def line(prefect_stack: Stack) -> Iterator[list[str]]:
    """A server on which everything is registered, with a schedule of its own; gives the names that were registered."""
    schedule = {"PACKSHOT_NIGHTLY_CRON": "30 1 29 2 *", "PACKSHOT_NIGHTLY_TIMEZONE": "Europe/Berlin"}
    with environment({**prefect_stack.environment(), **schedule}):
        register()
        for name in ("nightly", "collect-returned-work"):
            limit_runs(name)
        limit_the_pool()
        yield register()  # again, as at every start


def limit_runs(name: str) -> None:
    """Give a deployment the limit that it had in older versions."""
    with get_client(sync_client=True) as client:
        known = client.read_deployment_by_name(f"{name}/{name}")
        limited = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}
        client.request("PATCH", "/deployments/{id}", path_params={"id": known.id}, json=limited)
        assert client.read_deployment(known.id).global_concurrency_limit


def limit_the_pool() -> None:
    """Give the pool the limit that it had in older versions, when one queue held all."""
    with get_client(sync_client=True) as client:
        client.update_work_pool(WORK_POOL, WorkPoolUpdate(concurrency_limit=5))
        watch = client.read_deployment_by_name("collect-returned-work/collect-returned-work")
        client.request("PATCH", "/deployments/{id}", path_params={"id": watch.id}, json={"work_queue_name": QUEUE})


@pytest.fixture(scope="module")
def registered(line: list[str]) -> dict[str, DeploymentResponse]:
    with get_client(sync_client=True) as client:
        return {name: client.read_deployment_by_name(f"{name}/{name}") for name in NAMES}


def fields(deployment: DeploymentResponse) -> dict[str, dict[str, Any]]:
    schema = deployment.parameter_openapi_schema
    assert schema
    return dict(schema["properties"])


def test_registering_twice_leaves_one_of_each(line: list[str], registered: dict[str, DeploymentResponse]) -> None:
    assert line == [f"{name}/{name}" for name in NAMES]
    with get_client(sync_client=True) as client:
        ids = {one["id"] for one in client.request("POST", "/deployments/filter", json={}).json()}
    assert {str(one.id) for one in registered.values()} == ids


def test_the_demo_lets_nothing_else_begin_beside_its_night_and_leaves_the_schedule_on(line: list[str]) -> None:
    """Kind of test that was missing: one that sees what runs beside a night on a new machine."""

    def collects() -> list[bool]:
        with get_client(sync_client=True) as client:
            name = "collect-returned-work/collect-returned-work"
            return [schedule.active for schedule in client.read_deployment_by_name(name).schedules]

    with nothing_collected():
        assert collects() == [False]
    assert collects() == [True]


def test_every_deployment_runs_from_the_installed_packages_in_its_pool(
    registered: dict[str, DeploymentResponse],
) -> None:
    for name, deployment in registered.items():
        assert deployment.work_pool_name == (PARTS_POOL if name == "work-on-part" else WORK_POOL)
        assert str(deployment.entrypoint).startswith("flows."), name  # a module, not a file
        assert deployment.tags == ["packshot"]
        assert deployment.description
        assert not deployment.paused


def test_the_night_and_the_hot_folder_are_scheduled_as_the_settings_say_and_learning_by_itself(
    registered: dict[str, DeploymentResponse],
) -> None:
    (schedule,) = registered["nightly"].schedules
    assert schedule.active
    assert isinstance(schedule.schedule, CronSchedule)
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("30 1 29 2 *", "Europe/Berlin")
    (collecting,) = registered["collect-returned-work"].schedules
    assert isinstance(collecting.schedule, IntervalSchedule)
    assert collecting.schedule.interval == timedelta(seconds=Settings().collect_every_s)
    assert [name for name in NAMES if registered[name].schedules] == SCHEDULED


def test_without_settings_the_night_begins_at_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKSHOT_NIGHTLY_CRON", raising=False)
    monkeypatch.delenv("PACKSHOT_NIGHTLY_TIMEZONE", raising=False)
    nightly = next(one for one in deployments() if one.name == "nightly")
    assert nightly.schedules
    schedule = nightly.schedules[0].schedule
    assert isinstance(schedule, CronSchedule)
    assert (schedule.cron, schedule.timezone) == ("0 2 * * *", "UTC")
    assert (Settings().nightly_cron, Settings().nightly_timezone) == ("0 2 * * *", "UTC")


def test_no_slot_of_the_server_decides_what_goes_on_and_those_of_an_older_version_are_taken_away(
    registered: dict[str, DeploymentResponse],
) -> None:
    """A slot outlives the server that was to give it back: then every later run of the deployment is cancelled."""
    assert not [name for name in NAMES if registered[name].global_concurrency_limit]


def test_runs_that_died_in_their_slots_never_keep_the_run_from_starting_that_ends_them(
    registered: dict[str, DeploymentResponse],
) -> None:
    with get_client(sync_client=True) as client:
        assert client.read_work_pool(WORK_POOL).concurrency_limit is None
        limits = {
            name: client.read_work_queue_by_name(name, work_pool_name=WORK_POOL).concurrency_limit
            for name in (QUEUE, WATCH, EXPEDITED)
        }
    at_once = Settings().runs_at_once
    assert limits == {QUEUE: at_once, WATCH: WATCHES_AT_ONCE, EXPEDITED: at_once}
    assert [name for name in NAMES if registered[name].work_queue_name == WATCH] == [
        "cancel-batch",
        "collect-returned-work",
    ]
    assert {registered[name].work_queue_name for name in NAMES} == {QUEUE, WATCH}


def test_what_is_expedited_goes_first_in_both_pools_and_parts_have_no_limit_but_their_workers(line: list[str]) -> None:
    with get_client(sync_client=True) as client:
        for pool in (WORK_POOL, PARTS_POOL):
            first, other = (client.read_work_queue_by_name(one, work_pool_name=pool) for one in (EXPEDITED, QUEUE))
            assert first.priority < other.priority
        assert client.read_work_pool(PARTS_POOL).concurrency_limit is None
        assert other.concurrency_limit is None


def test_every_parameter_is_typed_titled_and_described(registered: dict[str, DeploymentResponse]) -> None:
    for name, deployment in registered.items():
        assert fields(deployment).keys() == PARAMETERS[name]
        for parameter, field in fields(deployment).items():
            assert field["type"] == TYPES.get(parameter, "string"), (name, parameter)
            assert field["title"] != parameter, (name, parameter)
            assert len(field["description"]) >= 15, (name, parameter)
            assert "<" not in field["description"], "Prefect's form takes it for a tag, and hides it"
            assert field.get("items", {"type": "string"}) == {"type": "string"}


def test_only_what_has_a_default_may_be_left_out(registered: dict[str, DeploymentResponse]) -> None:
    for name, deployment in registered.items():
        schema = deployment.parameter_openapi_schema
        assert schema
        optional = PARAMETERS[name] - set(schema.get("required", ()))
        assert optional == PARAMETERS[name] & DEFAULTS.keys()
        assert all(fields(deployment)[parameter]["default"] == DEFAULTS[parameter] for parameter in optional)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("process-batch", {"client": "../other"}),
        ("process-batch", {"batch": ""}),
        ("process-batch", {"batch": 7}),
        ("human-edit", {"shot": ""}),
        ("reprocess-shot", {"reason": "x"}),
        ("nightly", {"clients": "acme"}),
        ("daily-report", {"date": "yesterday"}),
        ("daily-report", {"days": 1}),
    ],
)
def test_the_server_refuses_parameters_that_cannot_be_right(
    registered: dict[str, DeploymentResponse], name: str, wrong: dict[str, object]
) -> None:
    given = {key: GOOD[key] for key in PARAMETERS[name]} | wrong
    with get_client(sync_client=True) as client, pytest.raises(PrefectHTTPStatusError) as refused:
        client.create_flow_run_from_deployment(registered[name].id, parameters=given)
    assert refused.value.response.status_code in (409, 422)
    assert next(iter(wrong)) in refused.value.response.text


REDIRECTIONS: list[dict[str, Any]] = [
    {"command": "touch /tmp/mark"},
    {"env": {"PACKSHOT_CONFIGS": "/tmp"}},
    {"env.PACKSHOT_CONFIGS": "/tmp"},
    {"working_dir": "/tmp"},
]


@pytest.mark.parametrize("variables", REDIRECTIONS, ids=lambda variables: next(iter(variables)))
def test_nobody_gives_a_run_a_command_an_environment_or_a_folder(
    registered: dict[str, DeploymentResponse], variables: dict[str, Any]
) -> None:
    nightly = registered["nightly"]
    waiting = {"flow_id": str(nightly.flow_id), "work_pool_name": WORK_POOL, "state": {"type": "SCHEDULED"}}
    with get_client(sync_client=True) as client:
        with pytest.raises(PrefectHTTPStatusError) as refused:
            client.create_flow_run_from_deployment(nightly.id, job_variables=variables)
        assert refused.value.response.status_code in (409, 422)
        # A run without a deployment is checked by nobody: so the pool, too, has no place for any of it.
        run = client.request("POST", "/flow_runs/", json={**waiting, "job_variables": variables}).json()
        try:
            ours = client.read_work_pool(WORK_POOL)
            usual = ours.model_copy(update={"base_job_template": ProcessWorker.get_default_base_job_template()})
            assert asyncio.run(_redirected(run["id"], ours)) == []
            assert asyncio.run(_redirected(run["id"], usual)) == [next(iter(variables)).partition(".")[0]]
        finally:
            client.delete_flow_run(run["id"])


async def _redirected(run_id: UUID, pool: WorkPool) -> list[str]:
    """What of a run a worker would take from who created it, asked as a worker asks."""
    async with get_client() as client:
        run = await client.read_flow_run(run_id)
        wanted = dict(run.job_variables or {})
        job = await ProcessJobConfiguration.resolve_for_flow_run(run, client=client, work_pool=pool, worker_name="w")
    found = {
        "command": job._command_configured and job.command == wanted.get("command"),
        "env": job.env.get("PACKSHOT_CONFIGS") == "/tmp",
        "working_dir": job.working_dir is not None,
    }
    return [name for name, is_so in found.items() if is_so]


def test_every_flow_takes_its_form_s_fields_and_names_its_runs_so_that_a_person_can_read_them() -> None:
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

    of_batches = (
        nightly,
        process_batch,
        work_on_part,
        reprocess_shot,
        cancel_batch,
        deliver_batch,
        human_edit,
        collect_returned_work,
    )
    of_days = (daily_report, return_rate, train_router, roll_back_router, audit_escapes)
    flows = {flow.name: flow for flow in (*of_batches, *of_days)}
    assert {name: str(flow.flow_run_name).format(**GOOD) for name, flow in flows.items()} == RUN_NAMES
    for name, flow in flows.items():
        given = {key: GOOD[key] for key in PARAMETERS[name]}
        assert flow.validate_parameters(given) == given  # as a worker does, before the run begins


def test_results_go_to_the_lines_own_bucket_by_default(line: list[str]) -> None:
    with get_client(sync_client=True) as client:
        slug, name = BLOCK.split("/")
        block = client.read_block_document_by_name(name, slug)
        default = client.read_server_default_result_storage()
    assert default.default_result_storage_block_id == block.id
    assert "secret" not in str(block.data).lower()


def test_every_deployed_flow_can_be_seen_to_live() -> None:
    """Whoever sees no sign of a running run takes it for dead, and ends it."""
    modules = [importlib.import_module(one.name) for one in pkgutil.iter_modules(flows.__path__, "flows.")]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Flow)}
    unseen = [name for name in NAMES if found[name].fn.__code__.co_filename != presence.__file__]
    assert unseen == []
    assert set(NAMES) == set(SEEN_TO_LIVE)
