"""What `packshot serve` leaves for other terminals."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.demo import end_runs_that_died, environment_file
from infra.local.processes import free_ports
from infra.local.stack import Stack
from tasks.results.block import ENVIRONMENT


def test_another_terminal_finds_the_servers(prefect_stack: Stack) -> None:
    wanted = {**prefect_stack.environment(), **ENVIRONMENT}
    with environment_file(prefect_stack) as file:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        said = subprocess.run(["sh", "-c", '. "$0"; env', file], capture_output=True, text=True, check=True)
    assert wanted.items() <= dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line).items()
    assert not file.exists()


def test_a_terminal_that_knows_another_line_s_servers_starts_one_of_its_own() -> None:
    """Kind of test that was missing: one in which a variable of Prefect is there when the process starts."""
    asks = (
        "from deployments.demo import environment; from prefect.settings import PREFECT_API_URL\n"
        "with environment({'PREFECT_API_URL': 'http://new/api'}): print(PREFECT_API_URL.value())\n"
        "print(PREFECT_API_URL.value())"
    )
    before = {**os.environ, "PREFECT_API_URL": "http://old/api"}
    said = subprocess.run([sys.executable, "-c", asks], env=before, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["http://new/api", "http://old/api"]


def test_what_starts_the_servers_is_imported_without_prefect() -> None:
    """Prefect takes seconds to import. The demo does so while its servers start."""
    before = "import deployments.commands.running, infra.local.stack, tasks.environment.settings, sys"
    asks = f"{before}; print({{'prefect', 'deployments.demo'}} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_a_server_that_cannot_say_which_runs_died_stops_no_start() -> None:
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_ports(1)[0]}/api"}):
        said = end_runs_that_died()
    assert said.startswith("Runs that died could not be looked for (ConnectError: ")
    assert said.endswith("the watch tries again in a few seconds.\n")


@pytest.mark.slow  # it starts servers of its own; `test_networks.py` holds the message
def test_a_demo_without_its_network_says_so_and_leaves_no_server(tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-m", "deployments", "demo", "--state", str(state)]
    before = {**os.environ, "PACKSHOT_SEGMENTER": "no-such-network"}
    said = subprocess.run(command, env=before, capture_output=True, text=True, check=False)
    assert said.returncode != 0
    assert "no-such-network" in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    assert [
        one.pid for one in psutil.process_iter(["cmdline"]) if str(state) in " ".join(one.info["cmdline"] or [])
    ] == []
