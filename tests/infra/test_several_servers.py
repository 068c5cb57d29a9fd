"""Two Prefect servers with a real Redis between them. Skipped where the program ``redis-server`` is not installed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.sorting import TaskRunSort
from prefect.runtime import flow_run

from benchmarks.several_servers import Line, two_servers
from deployments.demo import environment
from infra.local.prefect_server import authorization

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]
STORED_S, UNSTORED_S = 90.0, 5.0


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("several")
    for above in (folder, folder.parent):
        above.chmod(0o711)
    with two_servers(folder / "state") as found, environment(found.stack.environment()):
        yield found


def five_tasks(server: str) -> str:
    """Run a flow with five tasks that asks the given server, and return the run's id."""
    runs: list[str] = []

    @task(persist_result=False)
    def work(number: int) -> int:
        return number

    @flow(name="five tasks", persist_result=False)
    def asks() -> int:
        runs.append(str(flow_run.id))
        return sum(work(number) for number in range(5))

    with environment({"PREFECT_API_URL": server}):
        assert asks() == 10
    return runs[0]


def stored(server: str, run: str) -> list[str]:
    """The states of a run's task runs, as a server knows them."""
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run)]))
    with environment({"PREFECT_API_URL": server}), get_client(sync_client=True) as client:
        return [
            str(one.state_name)
            for one in client.read_task_runs(flow_run_filter=of_run, sort=TaskRunSort.ID_DESC, limit=200)
        ]


def until_stored(server: str, run: str) -> None:
    deadline = time.monotonic() + STORED_S
    while (found := stored(server, run)) != ["Completed"] * 5:
        assert time.monotonic() < deadline, f"stored are {found}"
        time.sleep(0.5)


def test_a_run_that_asks_one_server_is_known_whole_at_the_other(line: Line) -> None:
    """Task runs come as events. They are stored only if they go through Redis to the process with the services."""
    first, second = line.stack.prefect_api_url, line.second_url
    until_stored(first, five_tasks(second))
    until_stored(second, five_tasks(first))


def test_the_servers_do_no_background_work_and_what_happens_without_it_is_made_up_for(line: Line) -> None:
    services = line.processes["services"]
    services.kill()
    run = five_tasks(line.second_url)
    time.sleep(UNSTORED_S)
    assert stored(line.second_url, run) == []
    services.start()
    until_stored(line.stack.prefect_api_url, run)


@pytest.mark.parametrize("number", [1, 2])
def test_each_server_has_the_guard_and_wants_the_password(line: Line, number: int) -> None:
    url = line.stack.prefect_api_url if number == 1 else line.second_url
    asked = {"json": {}, "timeout": 30}
    known = authorization(line.stack.prefect_password)
    assert httpx.post(f"{url}/flow_runs/count", headers=known, **asked).status_code == 200
    assert httpx.post(f"{url}/flow_runs/count", **asked).status_code == 401
    from_a_page = {**known, "Origin": "http://elsewhere.example", "Host": urlsplit(url).netloc}
    assert httpx.post(f"{url}/flow_runs/count", headers=from_a_page, **asked).status_code == 403
