"""What tests do with the running line: start runs, wait for them, look at what they did."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, FlowRun, TaskRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort
from prefect.deployments import run_deployment
from prefect.states import Scheduled

from deployments.demo import SAMPLES
from packshot.keys import result_key
from packshot.naming import BatchId
from tasks.batches.submitting import submit_folder
from tasks.storage.bucket import open_storage

R = TypeVar("R")

POLL_S = 0.5
RUN_S = 780.0
STAGES = ("master", "correct", "route", "edit", "open job", "open review", "export")
"""The tasks that do work on a shot; the others look something up or write it down in every run."""


def poll(ask: Callable[[], R | None], *, until: str, timeout_s: float = RUN_S) -> R:
    """Ask until there is an answer, and return it."""
    deadline = time.monotonic() + timeout_s
    while (answer := ask()) is None:
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {until}"
        time.sleep(POLL_S)
    return answer


class Seen(NamedTuple):
    """What storage says of an object: enough to see that it was written anew."""

    etag: str
    modified: str


class Line:
    """The servers and the worker, as a client sees them."""

    def __init__(self, prefect_api_url: str) -> None:
        self.prefect_api_url = prefect_api_url

    def submit(self, batch: BatchId, folder: Path) -> None:
        """Upload a folder as a closed batch."""
        submit_folder(folder, batch, on_progress=lambda name, done, total: None, on_left_out=lambda name, why: None)

    def start(self, deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
        """Start a run as the UI's button does."""
        return cast(FlowRun, run_deployment(deployment, parameters=dict(parameters), timeout=0))

    def run(self, deployment: str, parameters: Mapping[str, Any]) -> FlowRun:
        """Start a run and return it once it has ended."""
        return self.ended(self.start(deployment, parameters).id)

    def retry(self, run_id: UUID) -> FlowRun:
        """Try a run again as the UI's button does, and return it once it has ended again."""
        with get_client(sync_client=True) as client:
            before = client.read_flow_run(run_id)
            client.set_flow_run_state(run_id, Scheduled(name="AwaitingRetry"))
            return poll(
                lambda: _ended_or_none(client, run_id, after=before.state_id), until=f"the retry of {before.name} ended"
            )

    def ended(self, run_id: UUID) -> FlowRun:
        """Return a run once it has ended."""
        with get_client(sync_client=True) as client:  # one for the whole wait: to make one costs more than to ask
            return poll(lambda: _ended_or_none(client, run_id), until=f"flow run {run_id} ended")

    def read(self, run_id: UUID) -> FlowRun:
        """Return a run as it is now."""
        with get_client(sync_client=True) as client:
            return client.read_flow_run(run_id)

    def waiting_runs(self, batch: BatchId) -> list[FlowRun]:
        """Return the runs that people are asked for in a batch, in the order of their names."""
        tags = [f"client:{batch.client}", f"batch:{batch.batch}"]
        with get_client(sync_client=True) as client:
            return _flow_runs(client, FlowRunFilter(tags=FlowRunFilterTags(all_=tags)))

    def family(self, run_id: UUID) -> list[FlowRun]:
        """Return a run and every run that it started, and those that they started."""
        with get_client(sync_client=True) as client:
            found, parents = [client.read_flow_run(run_id)], [run_id]
            while parents:
                wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=parents))
                children = _flow_runs(client, wanted)
                found += children
                parents = [child.id for child in children]
        return found

    def task_runs(self, run_id: UUID) -> list[TaskRun]:
        """Return every task run of a run and of what it started, settled; Prefect writes them down a little later."""
        runs = [run.id for run in self.family(run_id)]
        wanted = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=runs))

        def settled() -> list[TaskRun] | None:
            with get_client(sync_client=True) as client:
                found = client.read_task_runs(task_run_filter=wanted, sort=TaskRunSort.NAME_ASC, limit=200)
            return found if all(one.state and one.state.is_final() for one in found) else None

        return poll(settled, until="all task runs are written down")

    def artifacts(self, key: str) -> list[Artifact]:
        """Return the artifacts of a key, the newest first."""
        with get_client(sync_client=True) as client:
            wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
            return [
                Artifact.model_validate(one) for one in client.request("POST", "/artifacts/filter", json=wanted).json()
            ]


def _ended_or_none(client: SyncPrefectClient, run_id: UUID, *, after: UUID | None = None) -> FlowRun | None:
    run = client.read_flow_run(run_id)
    return run if run.state and run.state.is_final() and run.state_id != after else None


def _flow_runs(client: SyncPrefectClient, wanted: FlowRunFilter) -> list[FlowRun]:
    return client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.NAME_ASC, limit=200)


def objects() -> dict[str, Seen]:
    """Return every object of the line, with what changes when it is written; not what says who was at work."""
    storage = open_storage()
    pages = storage._client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket)
    return {
        one["Key"]: Seen(one["ETag"], one["LastModified"].isoformat())
        for page in pages
        for one in page.get("Contents", ())
        if not one["Key"].startswith((result_key(""), "leases/"))
    }


def read_all(prefix: str) -> dict[str, bytes]:
    """Return the content of every object below a prefix, by the rest of its key."""
    storage = open_storage()
    return {one.key.removeprefix(prefix): storage.get(one.key) for one in storage.list(prefix)}


def sample_folder(folder: Path, names: Sequence[str]) -> Path:
    """Return a folder with some of the sample photographs and their rows of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    header, *rows = (SAMPLES / "manifest.csv").read_text().splitlines()
    for name in names:
        shutil.copyfile(SAMPLES / name, folder / name)
    kept = [row for row in rows if row.split(",")[0] in names]
    (folder / "manifest.csv").write_text("\n".join([header, *kept]) + "\n")
    return folder
