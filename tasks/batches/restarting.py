"""Start a shot again from its first state, because a person asked for it."""

from __future__ import annotations

from prefect import task

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ObjectMissingError
from packshot.naming import ShotId
from packshot.types import Value
from tasks.batches.stock import client_finding
from tasks.environment.configs import CLIENT_UNKNOWN, configs_in_force, fingerprint
from tasks.records.bookkeeping import ALWAYS, actor, now
from tasks.records.stored import change_batch, change_record, load_batch


class Restarted(Value):
    """A shot that was put back into its first state, ready for stage 1.

    Attributes:
        ref: the shot's entry in its batch's record, with its new generation: how many times it was started again.
        configs_fingerprint: hash of the configs of the batch's client (`tasks.environment.configs.fingerprint`).
    """

    ref: ShotRef
    configs_fingerprint: str


@task(name="restart", task_run_name="restart · {shot.shot}", **ALWAYS)
def restart_shot(shot: ShotId, *, person: str, reason: str) -> Restarted:
    """Put a shot back into its first state, because a person wants it done again; return what stage 1 needs.

    The record keeps the shot's events and decisions, and loses its findings, reports and objects. The shot's generation
    goes up by one, so that no cached result is used again. If the shot was approved and waited for a later delivery, it
    is taken out of that delivery. The batch's findings say whether its client has a style guide now.

    Args:
        person: name of the person who asks; it goes into the record.
        reason: why, in words; it goes into the record too.
    Raises:
        ObjectMissingError: the batch has no such shot.
        BatchCancelledError: somebody has cancelled the batch.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    batch = shot.in_batch
    known = load_batch(batch)
    known.require_not_cancelled()
    if known.ref(shot.shot) is None:
        raise ObjectMissingError(
            "there is no such shot in this batch", str(shot), next_step="Take the name from the batch's table."
        )
    unknown = client_finding(batch.client)

    def count(record: BatchRecord) -> BatchRecord:
        again = (
            one.model_copy(update={"generation": one.generation + 1}) if one.shot == shot else one
            for one in record.shots
        )
        findings = (*unknown, *(one for one in record.findings if one.code != CLIENT_UNKNOWN))
        return record.model_copy(update={"shots": tuple(again), "findings": findings})

    # The generation first: a process that dies between the two leaves a shot that is not started again. The other way
    # round, it would leave one that begins anew with the results of before.
    changed = change_batch(batch, count)
    change_record(shot, lambda record: record.restart(at=now(), actor=f"{person} ({actor()})", why=reason))
    if shot.shot in changed.gathered:
        change_batch(batch, lambda record: _without_gathered(record, shot))
    ref = changed.ref(shot.shot)
    assert ref is not None, "the shot was found just now, and a batch never loses a shot"
    return Restarted(ref=ref, configs_fingerprint=fingerprint(configs_in_force(), client=shot.client))


def _without_gathered(record: BatchRecord, shot: ShotId) -> BatchRecord:
    gathered = {name: at for name, at in record.gathered.items() if name != shot.shot}
    return record.model_copy(update={"gathered": gathered})
