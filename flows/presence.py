"""Wrap flows in a decorator that shows others that the flow's process is alive.

The decorator also lets the flow wait for servers that are away, and ends the flow if another run does the work.
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
    """Return a flow's function, wrapped so that others see that its run is alive. Use it directly below ``@flow``.

    While the function works, it holds the run's lease: a mark in the storage that must be renewed. A run whose lease is
    not renewed counts as dead and may be started again (`tasks.runs.lost_runs`). While the storage or Prefect's server
    is away, the run waits (`tasks.storage.patience`).

    If another run does the same work already, this run ends as completed, with a state named ``Skipped``. If another
    run has taken the work over in the middle, the state is named ``Taken over``. The state's message says which run
    that is. If somebody has cancelled the batch, this run ends as cancelled.

    Args:
        flow_body: the flow's function; it returns the run's final state.
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
