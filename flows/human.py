"""Let people work on shots: one run for each shot that waits for an editor, a reviewer, a senior or the client.

The run is created suspended (`tasks.people.jobs`), so while it waits it uses no process, thread or slot. An answer from
the form in the UI, the command line, the API or the hot folder resumes it. The flow then starts from its first line;
finished tasks are not repeated. The shot's record decides each next step, until the shot is approved or refused.
"""

from __future__ import annotations

from typing import Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.delivery import deliver_batch
from flows.pace import PACE
from flows.parameters import BatchName, ClientName, ShotName
from flows.presence import present
from packshot.naming import ShotId
from tasks.deliveries.late_deliveries import gather
from tasks.people.answers import follow_answer
from tasks.people.forms import Answer
from tasks.people.jobs import begin_job, pause_key
from tasks.people.questions import Next, WhoActs, next_step
from tasks.results.handovers import Outcome
from tasks.runs.suspended import ask, given_answer, show_whether_refused
from tasks.stages.redo import edit_released, redo_edit


@flow(name="human-edit", flow_run_name="human edit · {client}/{batch} · {shot}", task_runner=PACE, persist_result=False)
@present
def human_edit(client: ClientName, batch: BatchName, shot: ShotName) -> State[Any]:
    """Ask people about a shot until it is approved or refused. An approved shot is then delivered.

    Approved shots of a batch are collected and delivered together, as the client's style guide says: this run is
    completed even if the shot still waits for its delivery. The run fails if the delivery fails. If an answer cannot be
    followed, the people are asked again, with the reason.
    """
    which, number, outcome = ShotId(client=client, batch=batch, shot=shot), 1, Outcome()
    while True:
        key = pause_key(number)
        given = given_answer(Answer, pause_key=key)
        asked = next_step(which, objection=outcome.objection, answered=given is not None)
        if asked.step is WhoActs.NOBODY:
            return _ended(which, asked, outcome)
        if asked.step is not WhoActs.PERSON:
            _let_machine(which, asked)
            continue
        if given is None:
            assert asked.question is not None, "an unanswered question is asked"
            form = asked.question.form()
            given = cast(Answer, ask(form, pause_key=key, refused=outcome.objection, followed=outcome.sentence))
        outcome = follow_answer(which, given, question=f"{flow_run.id}-{number}")
        show_whether_refused(which, outcome.objection)
        number += 1


def _let_machine(shot: ShotId, asked: Next) -> None:
    """Do what a person asked the machine to do, or continue a shot for which nothing is missing any more."""
    if asked.step is WhoActs.MACHINE_REDO:
        redo_edit(shot)
    elif asked.step is WhoActs.MACHINE_EDIT:
        edit_released(shot)
    else:
        begin_job(shot)


def _ended(shot: ShotId, asked: Next, outcome: Outcome) -> State[Any]:
    if asked.state in ("refused", "delivered"):
        return Completed(message=outcome.sentence)
    gathered = gather(shot)
    if not gathered.goes_now:
        return Completed(message=f"{outcome.sentence}; {gathered.sentence}")
    delivered: State[Any] = deliver_batch(client=shot.client, batch=shot.batch, return_state=True)
    if not delivered.is_completed():
        return Failed(message=f"{outcome.sentence}; {delivered.message}")
    return Completed(message=f"{outcome.sentence}; {delivered.message}")
