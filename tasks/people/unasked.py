"""Find shots that wait for people although nobody was asked about them, and ask.

This happens if a run dies after it has written the shot's record and before it has created the form.
"""

from __future__ import annotations

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags

from packshot.naming import BatchId
from packshot.record import WAITING, State
from tasks.people.drafts import with_draft
from tasks.people.jobs import open_waiting_run
from tasks.records.bookkeeping import ALWAYS
from tasks.records.stored import load_batch, load_records
from tasks.runs.resuming import human_edits, shot_of_run


@task(name="ask who was not asked", task_run_name="ask who was not asked · {batch}", **ALWAYS)
def ask_who_was_not_asked(batch: BatchId, *, waiting: list[str]) -> list[str]:
    """Create the missing questions to people in a batch; return the names of the shots that had none.

    A shot has no question if an earlier run died after it had written the shot's record. The names are in the order of
    `waiting`.

    Args:
        waiting: names of the shots that already waited for people when this run began. For all others, this run has
            created the questions itself.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    if not waiting:
        return []
    known = load_batch(batch)
    refs = {ref.shot.shot: ref for ref in known.shots}
    found = [one for one in load_records([batch.shot(name) for name in waiting]) if one.state in WAITING]
    asked = _asked(batch) if found else set()
    unasked = [one for one in found if one.shot.shot not in asked]
    for one in unasked:
        record = with_draft(one) if one.state is State.AWAITING_EDITOR else one
        category = record.reports.get("routing", {}).get("category", "") or record.fact("category")
        generation, times = refs[record.shot.shot].generation, len(known.cancellations)
        open_waiting_run(record, generation=generation, category=category, cancelled_before=times)
    return [one.shot.shot for one in unasked]


def _asked(batch: BatchId) -> set[str]:
    """Return the shots of a batch that have a run which waits, works, or has failed."""
    tags = FlowRunFilterTags(all_=[f"client:{batch.client}", f"batch:{batch.batch}"])
    with get_client(sync_client=True) as client:
        runs = list(human_edits(client, FlowRunFilter(tags=tags)))
    return {
        shot_of_run(run).shot
        for run in runs
        if run.state is not None and not (run.state.is_completed() or run.state.is_cancelled())
    }
