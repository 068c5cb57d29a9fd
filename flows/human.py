"""The work of people: one run per shot that waits, suspended, for an editor or a reviewer.

The run is created suspended (`tasks.jobs`), so nothing is held while it waits: no process, no thread, no slot. An
answer, from the form in the UI or through the API, starts it here at the top; what is finished is not done again.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.delivery import deliver_batch
from flows.pace import PACE
from flows.parameters import BatchName, ClientName, ShotName
from packshot.naming import ShotId
from tasks.artifacts import plain
from tasks.jobs import PAUSE_KEY, EditorAnswer, accept_work


@flow(name="human-edit", flow_run_name="human edit · {client}/{batch} · {shot}", task_runner=PACE, persist_result=False)
def human_edit(client: ClientName, batch: BatchName, shot: ShotName) -> State[Any]:
    """Wait for a person's answer, check it, score the work and deliver it.

    An answer that cannot be followed is sent back with the reason, as often as it takes.
    """
    which = ShotId(client=client, batch=batch, shot=shot)
    answer = suspend_flow_run(wait_for_input=EditorAnswer, key=PAUSE_KEY, timeout=None)
    outcome, attempt = accept_work(which, answer, question=_question(1)), 1
    while outcome.objection:
        attempt += 1
        form = EditorAnswer.with_initial_data(
            description=f"**Not accepted:** {plain(outcome.objection)}", editor=answer.editor
        )
        answer = suspend_flow_run(wait_for_input=form, key=f"{PAUSE_KEY}-{attempt}", timeout=None)
        outcome = accept_work(which, answer, question=_question(attempt))
    delivered: State[Any] = deliver_batch(client=client, batch=batch, shots=[shot], return_state=True)
    if delivered.is_completed():
        return Completed(message=f"{outcome.sentence}; {delivered.message}")
    return delivered


def _question(attempt: int) -> str:
    """Which of this run's questions is answered: from its top again, the run finds what came of earlier answers."""
    return f"{flow_run.id}-{attempt}"
