"""A part of the system: a server or worker that can be restarted on the same port with the same data."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.local.processes import wait_until

Child = subprocess.Popen[bytes]
REFUSES = "it refuses every write"
"""Trouble of a server that answers, and only a new start helps."""


@dataclasses.dataclass
class Part:
    """One process: how to start it, and how to check that it works.

    Attributes:
        name: one word for logs and people.
        launch: starts the process and returns at once; first called when the part is created.
        trouble: returns what is wrong with a running process; empty if it works.
        log: file for its output.
        start_s: how long a start may take, in seconds.
        needs: names of the parts that it depends on.
        runs_others: True if its child processes do other work. Their processor time then does not show that the part
            works.
        child: the process that runs now, or ran last.
    """

    name: str
    launch: Callable[[], Child]
    trouble: Callable[[Child], str]
    log: Path
    start_s: float
    needs: tuple[str, ...] = ()
    runs_others: bool = False
    child: Child = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.child = self.launch()

    def start_again(self) -> None:
        """Start the process again. The caller makes sure that the last one has ended."""
        self.child = self.launch()

    def wait(self) -> None:
        """Wait until the part works.

        Raises:
            ServerError: its process ended, or the time is up.
        """
        wait_until(
            lambda: not self.trouble(self.child),
            child=self.child,
            name=self.name,
            log=self.log,
            timeout_s=self.start_s,
        )
