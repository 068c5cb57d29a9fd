"""Group all shots of a batch by their light, including those that need no more work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prefect import task

from packshot.batch import BatchRecord
from packshot.errors import RecordConflictError
from packshot.ingest.grouping import ShotLight
from packshot.ingest.shoot_groups import GroupDecision, Statement, state_groups
from packshot.naming import BatchId
from packshot.record import ShotRecord, State
from tasks.environment.configs import configs_in_force
from tasks.records.bookkeeping import ALWAYS
from tasks.records.stored import change_batch, load_batch, load_records
from tasks.results.handovers import MasteredShot
from tasks.stages.references import reference_photos

_NOT_YET_EDITED = frozenset({State.RECEIVED, State.REFUSED, State.MASTERED, State.ROUTED})


@task(name="group by light", task_run_name="group by light · {batch}", **ALWAYS)
def group_shots(
    batch: BatchId, mastered: list[MasteredShot], *, unedited: Collection[str] = ()
) -> dict[str, GroupDecision]:
    """Return what was decided about the shoot group of each shot that has a master: shot name -> decision.

    A decision names the shot's group and has the correction of its colours. Shots in the same light form a group and
    get the same correction. Groups and corrections are stored in the batch's record. The result is empty if no shot
    needs work.

    Args:
        mastered: the shots that need work, as stage 1 left them. The light of all other shots is read from their
            records.
        unedited: names of shots that surely nobody has edited. The records of those that are in `mastered` too are not
            read.
    Raises:
        RecordConflictError: another run has stored other groups meanwhile. The task is then tried again.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    if not mastered:
        return {}
    record = load_batch(batch)
    fresh = {shot.name for shot in mastered} & set(unedited)
    records = load_records([ref.shot for ref in record.shots if ref.shot.shot not in fresh])
    lights = {one.shot.shot: light for one in records if (light := _light_in(one)) is not None}
    lights |= {shot.name: shot.light for shot in mastered if shot.light is not None}
    earlier = [Statement.model_validate(stated) for stated in record.statements.values()]
    decisions, statements = state_groups(
        lights.values(),
        config=configs_in_force().ingest,
        references=reference_photos(record, (light.reference for light in lights.values())),
        before={shot: (one.group, one.part) for one in earlier for shot in one.shots},
        stated=_followed(earlier, records),
    )
    groups = {shot: decision.group for shot, decision in decisions.items()}
    plain = {part: one.model_dump(mode="json") for part, one in statements.items()}

    def state(found: BatchRecord) -> BatchRecord:
        if found.statements != record.statements:
            raise RecordConflictError(
                "another run has changed the batch's groups in the meantime",
                str(batch),
                next_step="Nothing to do: they are worked out again from the new state.",
            )
        return found.model_copy(update={"groups": groups, "statements": plain})

    change_batch(batch, state)
    return decisions


def _light_in(record: ShotRecord) -> ShotLight | None:
    stated = record.reports.get("light")
    return ShotLight.model_validate(stated) if stated else None


def _followed(earlier: Iterable[Statement], records: Iterable[ShotRecord]) -> Mapping[str, Statement]:
    """Return the statements that at least one edited shot has used. They stay as they are, so that groups match."""
    edited = {
        str(record.reports.get("group", {}).get("part", ""))
        for record in records
        if (record.failed_from or record.state) not in _NOT_YET_EDITED
    }
    return {one.part: one for one in earlier if one.part in edited}
