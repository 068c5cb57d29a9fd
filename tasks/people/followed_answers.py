"""Wait until a run has followed a person's answer, so that the person learns whether the answer counted."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.client.orchestration import get_client

from packshot.decision import Decision
from packshot.errors import DecisionRefusedError, TerminalError
from packshot.record import ShotRecord
from tasks.people.answers import NOT_FOLLOWED
from tasks.records.stored import load_record

PATIENCE_S = 180.0
"""How long to wait, in seconds. It includes the time until a worker picks up the run."""

_POLL_S = 1.0


def wait_until_followed(before: ShotRecord, run_id: UUID, *, patience_s: float = PATIENCE_S) -> Decision:
    """Wait until a person's answer has been followed, and return the decision that the shot's record has now.

    Args:
        before: the record before the run was resumed.
        run_id: id of the run that the answer has resumed.
        patience_s: how long to wait, in seconds; by default 180. It includes the time until a worker takes the run.
    Raises:
        DecisionRefusedError: the answer was refused; the message gives the reason.
        TerminalError: the run failed, or the answer was not followed in time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        decision = followed(before, run_id)
        if decision is not None:
            return decision
        if time.monotonic() > deadline:
            raise TerminalError(
                f"the answer was accepted, but no worker has followed it within {patience_s:.0f} s",
                str(before.shot),
                found=f"the run is {_state_of(run_id).lower()}",
                next_step="Nothing is lost: a worker will follow it when one is free. See packshot job show.",
            )
        time.sleep(_POLL_S)


def followed(before: ShotRecord, run_id: UUID) -> Decision | None:
    """Return the decision that a person's answer has led to; None as long as it is not in the shot's record.

    The call looks once and doesn't wait.

    Args:
        before: the record before the run was resumed.
        run_id: id of the run that the answer has resumed.
    Raises:
        DecisionRefusedError: the answer was refused; the message gives the reason.
        TerminalError: the run failed, crashed or was cancelled.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    decision = _decided(before, load_record(before.shot), run_id)
    if decision is not None:
        return decision
    state = _state_of(run_id)
    if state in ("FAILED", "CRASHED", "CANCELLED"):
        raise TerminalError(
            "the run ended before it could follow the answer",
            str(before.shot),
            found=state.lower(),
            next_step="Retry the run in the UI. The answer was kept, and the run will follow it.",
        )
    return None


def _decided(before: ShotRecord, record: ShotRecord, run_id: UUID) -> Decision | None:
    """Return the decision that the answer led to; None if there is none yet.

    Raises:
        DecisionRefusedError: the answer was refused.
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
                next_step="The shot goes on waiting. Look at it: packshot job show.",
            )
    return None


def _state_of(run_id: UUID) -> str:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
    return state.type.value if state else "unknown"
