"""A night's bookkeeping in a process that counts its loops. It prints, for each size, step -> what the step took.

    python -m tests.benchmarks.counted_night 20 80

It uses the servers that the environment names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from tests.counted_loops import Count, count_in

count_in("packshot", "tasks")

from benchmarks import night  # noqa: E402  (what counts is imported after the count began)
from packshot.naming import batch_id  # noqa: E402
from tasks.environment.settings import get_settings  # noqa: E402
from tasks.storage.connection import connect  # noqa: E402

MEASURED = night.measured


class Sent:
    """Bytes of all requests and answers."""

    number = 0


def main(*sizes: int) -> None:
    """Print what each step took, for a batch of each size."""
    events = connect(get_settings()).meta.events
    events.register("before-send.s3", _sent)
    events.register("after-call.s3", _answered)
    night.measured = _counted
    sys.stdout.write(json.dumps([_costs(size) for size in sizes]) + "\n")


def _costs(size: int) -> dict[str, list[int]]:
    Taken.each.clear()
    costs = night.bookkeeping(batch_id("bench", f"n{size}"), size, reports=False)
    return {
        step: [cost.requests.total(), *taken] for (step, cost), taken in zip(costs.items(), Taken.each, strict=True)
    }


class Taken:
    """What each step went through, and what was sent for it."""

    each: ClassVar[list[tuple[int, int]]] = []


def _counted(step: Callable[[], object]) -> night.Cost:
    seen, sent = Count.seen, Sent.number
    cost = MEASURED(step)
    Taken.each.append((Count.seen - seen, Sent.number - sent))
    return cost


def _sent(request: Any, **_: Any) -> None:
    Sent.number += int(request.headers.get("Content-Length", 0))


def _answered(http_response: Any, **_: Any) -> None:
    Sent.number += int(http_response.headers.get("content-length", 0))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
