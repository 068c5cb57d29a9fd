"""A part of the line: a server or a worker that can be started again on the same port and with the same data."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.local.processes import wait_until

Child = subprocess.Popen[bytes]


@dataclasses.dataclass
class Part:
    """One process, how it is started, and whether it does its work.

    Attributes:
        name: one word for logs and for people.
        launch: starts its process and returns at once; the first time when the part is made.
        trouble: what is wrong with a process that runs; empty if it does its work.
        log: where its output goes.
        start_s: how long a start may take.
        needs: names of the parts without which it cannot work.
        child: the process that runs now, or ran last.
    """

    name: str
    launch: Callable[[], Child]
    trouble: Callable[[Child], str]
    log: Path
    start_s: float
    needs: tuple[str, ...] = ()
    child: Child = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.child = self.launch()

    def start_again(self) -> None:
        """Start its process again; the caller sees to it that the last one has ended."""
        self.child = self.launch()

    def wait(self) -> None:
        """Return as soon as it does its work.

        Raises:
            ServerError: its process ended before, or the time is up.
        """
        wait_until(
            lambda: not self.trouble(self.child),
            child=self.child,
            name=self.name,
            log=self.log,
            timeout_s=self.start_s,
        )
