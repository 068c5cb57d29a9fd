"""Open jobs for people: each shot that waits for a person gets a suspended run with a form.

If it waits for an editor, it also gets a ticket in storage, which says what to do.
"""

from __future__ import annotations

from prefect import task

from packshot.blind import is_unjudged
from packshot.handoff.ticket import Scope
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.specs.services import Service
from tasks.people.drafts import with_draft
from tasks.people.questions import Question, at_full_size, question_about, show_question
from tasks.people.tickets import scope_for
from tasks.records.bookkeeping import ALWAYS, living
from tasks.results.cache_keys import unit
from tasks.results.handovers import EditedShot, RoutedShot
from tasks.runs.suspended import create_waiting_run, run_name
from tasks.storage import shot_objects

HUMAN_EDIT = "human-edit/human-edit"
PAUSE_KEY = "question-1"


def pause_key(number: int) -> str:
    """Return the name under which Prefect keeps the n-th question of a run: ``question-1`` for the first."""
    return f"question-{number}"


@task(name="open job", task_run_name="open job · {routed.shot.shot}", **unit("open job"))
def open_job(routed: RoutedShot) -> str:
    """Ask an editor to edit a shot, and return the id of the suspended run that waits for the answer.

    First the shot's draft (a picture with the machine's clipping path, to begin from), ticket and master are stored,
    and its record says that it waits for an editor. A second call returns the same run.

    Args:
        routed: a shot that stage 2 gives to a person.
    """
    with living(routed.shot) as life:
        record = life.reach(State.AWAITING_EDITOR, why=f"an editor's work, {routed.complexity}: {routed.reason}")
        record = with_draft(record)
        return open_waiting_run(record, generation=routed.generation, category=routed.category)


@task(name="begin job", task_run_name="begin job · {shot.shot}", **ALWAYS)
def begin_job(shot: ShotId) -> None:
    """Put a shot that was on hold into the editors' queue: its record then says that it waits for an editor.

    Nothing is returned, and no run is created: the run that asked about the hold goes on, and asks the editor. Stage 2
    must have decided who edits the shot.
    """
    with living(shot) as life:
        routing = life.record.reports["routing"]
        life.reach(State.AWAITING_EDITOR, why=f"an editor's work, {routing['complexity']}: {routing['reason']}")


@task(name="open review", task_run_name="open review · {edited.shot.shot}", **unit("open review"))
def open_review(edited: EditedShot) -> str:
    """Ask a reviewer about the machine's edit, and return the id of the suspended run that waits for the answer.

    A second call returns the same run.

    Args:
        edited: a shot whose edit the machine may not approve itself.
    """
    with living(edited.shot) as life:
        return open_waiting_run(life.record, generation=edited.generation, category=edited.category)


def open_waiting_run(record: ShotRecord, *, generation: int, category: str, cancelled_before: int = 0) -> str:
    """Create the suspended run that asks people about a shot, and return its id.

    A second call with the same arguments returns the same run.

    Args:
        record: the shot's record. Its state decides which question is asked.
        generation: how many times the shot was started again; each time it gets a new run.
        category: product category, for the run's tags; empty if it is not known.
        cancelled_before: how many times the shot's batch was cancelled before. Each time ended the shot's run, so a new
            one is needed afterwards.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    shot, question = record.shot, question_about(record)
    if record.state is not State.IN_REVIEW:  # in review, the artifact shows the edit already
        show_question(record, question)
    scope = scope_for(record, shot_objects.plan_of(record))
    again = f"-{cancelled_before}" if cancelled_before else ""
    run_id = create_waiting_run(
        HUMAN_EDIT,
        parameters={"client": shot.client, "batch": shot.batch, "shot": shot.shot},
        form=question.form(),
        pause_key=PAUSE_KEY,
        name=run_name(shot),
        tags=_tags(record, category=category, scope=scope),
        says=f"{_first_words(record, question)} Resume, above, shows the form.",
        idempotency_key=f"human-edit-{shot}-{generation}-{record.source.sha256}-{record.plan_fingerprint}{again}",
    )
    return str(run_id)


def _first_words(record: ShotRecord, question: Question) -> str:
    """Return what the run's page says first. Of reviews it says the same of all, else it would show which are blind."""
    return f"A reviewer decides. {at_full_size(record.shot)}" if is_unjudged(record) else question.lead


def _tags(record: ShotRecord, *, category: str, scope: Scope) -> list[str]:
    """Return the run's tags, by which people filter their work. The state is the one in which the run was created.

    Tier and services are left out while an edit waits for its judgement: they come from how difficult the machine takes
    the shot to be.
    """
    shot, work = record.shot, [f"tier:{scope.estimate.tier.value}"]
    work += [f"service:{_SHORT[one.service]}" for one in scope.services]
    return [
        f"client:{shot.client}",
        f"batch:{shot.batch}",
        f"category:{category or 'unknown'}",
        *([] if is_unjudged(record) else work),
        record.state.value,
    ]


_SHORT = {
    Service.CLIPPING_PATH: "clipping-path",
    Service.COMPOUND_PATH: "compound-path",
    Service.HAIR_MASK: "hair-mask",
    Service.TRANSPARENCY_MASK: "transparency-mask",
    Service.GHOST_MANNEQUIN: "ghost-mannequin",
    Service.COLOUR_CORRECTION: "colour-correction",
    Service.RETOUCH: "retouch",
}
