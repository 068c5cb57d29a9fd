"""An answer, followed to its end: whoever gave it hears whether it counted, not only that it was taken."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.client.orchestration import get_client

from packshot.decision import Decision
from packshot.errors import DecisionRefusedError, TerminalError
from packshot.record import ShotRecord
from tasks.answers import NOT_FOLLOWED
from tasks.records import load_record

PATIENCE_S = 180.0
"""How long a worker is given to take the run up."""

_POLL_S = 1.0


def wait_until_followed(before: ShotRecord, run_id: UUID, *, patience_s: float = PATIENCE_S) -> Decision:
    """Return the decision that came of an answer, once the record holds it.

    Args:
        before: the record as it was before the run was resumed.
        run_id: of the run that was resumed.
    Raises:
        DecisionRefusedError: it was not followed; why stands in the record.
        TerminalError: the run failed, or no worker took it up in time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        decision = _decided(before, load_record(before.shot), run_id)
        if decision is not None:
            return decision
        state = _state_of(run_id)
        if state in ("FAILED", "CRASHED", "CANCELLED"):
            raise TerminalError(
                "the run ended before it had followed the answer",
                str(before.shot),
                found=state.lower(),
                next_step="Retry the run in the UI: the answer is kept, and is followed then.",
            )
        if time.monotonic() > deadline:
            raise TerminalError(
                f"the answer was taken, and is not followed yet after {patience_s:.0f} s",
                str(before.shot),
                found=f"the run is {state.lower()}",
                next_step="Nothing is lost: a worker follows it when one is free. Look at it: packshot job show.",
            )
        time.sleep(_POLL_S)


def _decided(before: ShotRecord, record: ShotRecord, run_id: UUID) -> Decision | None:
    """What came of the answer so far.

    Raises:
        DecisionRefusedError: it was refused.
    """
    for decision in record.decisions[len(before.decisions) :]:
        if decision.question.startswith(str(run_id)):
            return decision
    for event in record.events[len(before.events) :]:
        if event.why.startswith(NOT_FOLLOWED):
            raise DecisionRefusedError(
                "the answer was not followed",
                str(record.shot),
                found=event.why,
                next_step="The shot waits on. Look at it: packshot job show.",
            )
    return None


def _state_of(run_id: UUID) -> str:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
    return state.type.value if state else "unknown"
