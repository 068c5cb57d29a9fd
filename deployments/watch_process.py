"""Run the process that does the regular checks (`flows.watching`), beside the embedded servers."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from infra.local.parts import Child, Part
from infra.local.processes import PYTHONS
from infra.local.stack import TO_THE_WORKER, Stack

PART = "watch"
START_S = 60.0
SILENCE_S = 900.0
"""Longest time without a sign of life; a look at a large line takes minutes."""


def keep_watch(stack: Stack, *, environment: Mapping[str, str]) -> Part:
    """Start ``packshot watch``, which does the regular checks, as a process; return it as a part of the system.

    A supervisor starts the part again when it has ended, or has given no sign of life for 15 minutes (`SILENCE_S`).

    Args:
        stack: the embedded servers that the process uses.
        environment: variables for the process, besides the stack's own: name -> value.
    """
    log, alive = stack.state_dir / "watch.log", stack.state_dir / "watch.alive"

    def start() -> Child:
        alive.touch()
        return stack.family.start(
            [sys.executable, "-m", "deployments", "watch", "--alive", str(alive)],
            log=log,
            passed_on=(*PYTHONS, *TO_THE_WORKER),
            environment={**stack.environment(), **environment},
        )

    def trouble(child: Child) -> str:
        if child.poll() is not None:
            return f"it ended with status {child.returncode}"
        silent_s = time.time() - alive.stat().st_mtime if alive.exists() else 0.0
        return f"it has given no sign of life for {silent_s:.0f} s" if silent_s > SILENCE_S else ""

    return stack.family.keep(Part(PART, start, trouble, log, START_S, needs=("prefect",), needed=False))
