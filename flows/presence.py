"""What every run says of itself: that its process lives, and in plain words why it left the work to another."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from prefect.client.schemas.objects import State
from prefect.states import Completed

from packshot.errors import LeaseHeldError, LeaseLostError
from tasks.leases import at_work

P = ParamSpec("P")

SKIPPED, TAKEN_OVER = "Skipped", "Taken over"


def present(flow_body: Callable[P, State[Any]]) -> Callable[P, State[Any]]:
    """Let a flow's run be seen to live while it runs, and end it in plain words where another one does its work.

    Stands below ``@flow``. Whoever sees no sign of a running run any more may start it again (`tasks.lost_runs`).
    """

    @wraps(flow_body)
    def run(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        with at_work():
            try:
                return flow_body(*args, **kwargs)
            except LeaseHeldError as held:
                return Completed(name=SKIPPED, message=str(held))
            except LeaseLostError as lost:
                return Completed(name=TAKEN_OVER, message=str(lost))

    # Prefect looks for the types of a form's fields in the module of the function that it is given: that is this one.
    vars(run)["__signature__"] = inspect.signature(flow_body, eval_str=True)
    run.__annotations__ = inspect.get_annotations(flow_body, eval_str=True)
    return run
