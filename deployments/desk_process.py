"""Run the review desk (the web page on which people decide) as a process beside the embedded servers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from deployments.desks import PART, address_of
from infra.local.parts import Child, Part
from infra.local.processes import PYTHONS, answers, kept_ports
from infra.local.stack import TO_THE_WORKER, Stack
from tasks.environment.settings import get_settings, variable

START_S = 120.0


def desk_port(state_dir: Path) -> int:
    """Return the port on 127.0.0.1 on which the review desk will listen. The port is remembered for the next start.

    It is the port of the desk's last start if that is free, else the setting ``PACKSHOT_DESK_PORT``, else a free port.
    All processes of Packshot must know the port, because they write links to the desk.

    Args:
        state_dir: folder of the servers' data.
    Raises:
        ServerError: no port is free.
    """
    return kept_ports(state_dir, PART, 1, preferred=get_settings().desk_port)[0]


def keep_desk(stack: Stack, *, environment: Mapping[str, str]) -> tuple[Part, str]:
    """Start the review desk as a process; return (the process as a part of the system, the desk's address).

    The desk may still be starting. A supervisor starts the part again when it dies or does not start.

    Args:
        stack: the embedded servers that the desk uses.
        environment: variables for the process, besides the stack's own: name -> value.
    """
    port = desk_port(stack.state_dir)
    log = stack.state_dir / "desk.log"
    works = answers(f"{address_of(port)}/health")

    def start() -> Child:
        return stack.family.start(
            [sys.executable, "-m", "deployments", "desk"],
            log=log,
            passed_on=(*PYTHONS, *TO_THE_WORKER),
            environment={**stack.environment(), **environment, variable("desk_port"): str(port)},
        )

    def trouble(child: Child) -> str:
        return "" if works() else f"{address_of(port)} does not answer"

    part = Part(PART, start, trouble, log, START_S, needs=("prefect",), needed=False)
    return stack.family.keep(part), address_of(port)
