"""What `packshot serve` leaves for other terminals."""

from __future__ import annotations

import stat
import subprocess

from deployments.demo import environment_file
from infra.local.stack import Stack
from tasks.results.block import ENVIRONMENT


def test_another_terminal_finds_the_servers(prefect_stack: Stack) -> None:
    wanted = {**prefect_stack.environment(), **ENVIRONMENT}
    with environment_file(prefect_stack) as file:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        said = subprocess.run(["sh", "-c", '. "$0"; env', file], capture_output=True, text=True, check=True)
    assert wanted.items() <= dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line).items()
    assert not file.exists()
