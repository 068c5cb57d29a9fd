"""Who may start runs, and would have the worker run something else."""

from __future__ import annotations

from pathlib import Path

from prefect.client.orchestration import get_client

from deployments.registry import WORK_POOL
from tests.flows.line import Line


def test_the_worker_runs_no_command_that_comes_with_a_run(line: Line, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with get_client(sync_client=True) as client:
        flow = client.read_deployment_by_name("nightly/nightly").flow_id
        attack = {
            "flow_id": str(flow),
            "work_pool_name": WORK_POOL,
            "state": {"type": "SCHEDULED"},
            "job_variables": {"command": f"touch {mark}", "working_dir": str(tmp_path)},
        }
        run = line.ended(client.request("POST", "/flow_runs/", json=attack).json()["id"])
    assert run.state
    assert run.state.is_crashed() or run.state.is_failed(), run.state  # it has no deployment: there is nothing to run
    assert list(tmp_path.iterdir()) == []
