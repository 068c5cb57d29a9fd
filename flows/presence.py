"""A decorator for flows.

It shows that the process is alive, waits for servers, and ends if another run does the work.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed

from packshot.errors import BatchCancelledError, LeaseHeldError, LeaseLostError
from tasks.storage.leases import at_work
from tasks.storage.patience import outlasting_prefect

P = ParamSpec("P")

SKIPPED, TAKEN_OVER = "Skipped", "Taken over"


def present(flow_body: Callable[P, State[Any]]) -> Callable[P, State[Any]]:
    """Return the flow's function, wrapped so that it holds the run's lease while it works.

    If another run does the same work, this run ends as completed, and its message says so. Its state is then named
    `SKIPPED`, or `TAKEN_OVER` if the other run took the work over in the middle. If somebody has cancelled the batch,
    it ends as cancelled. While the storage or Prefect's server is away, it waits (`tasks.storage.patience`). Put it
    directly below ``@flow``. A run without a live lease counts as dead and may be started again
    (`tasks.runs.lost_runs`).
    """

    @wraps(flow_body)
    def run(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        with outlasting_prefect(), at_work():
            try:
                return flow_body(*args, **kwargs)
            except LeaseHeldError as held:
                return Completed(name=SKIPPED, message=str(held))
            except LeaseLostError as lost:
                return Completed(name=TAKEN_OVER, message=str(lost))
            except BatchCancelledError as cancelled:
                return Cancelled(message=str(cancelled))

    # Prefect resolves annotations in the module of the function it gets, which is this module: resolve them here first.
    vars(run)["__signature__"] = inspect.signature(flow_body, eval_str=True)
    run.__annotations__ = inspect.get_annotations(flow_body, eval_str=True)
    return run
