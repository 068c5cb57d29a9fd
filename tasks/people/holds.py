"""Put shots on hold: they wait for another photograph of the product, or for a colour reference, from the client."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prefect import task
from prefect.runtime import task_run

from packshot.handoff.holds import Missing, missing_for
from packshot.keys import path_in_inbox
from packshot.naming import BatchId
from packshot.record import ShotRecord, State
from packshot.specs.models import Plan
from packshot.types import Value
from tasks.environment.logs import log
from tasks.environment.style_guides import promise_to
from tasks.people.jobs import open_waiting_run
from tasks.people.products import note_sibling, siblings_of
from tasks.people.tickets import scope_for
from tasks.records.bookkeeping import ALWAYS, Life, living
from tasks.results.cache_keys import RETRIES, may_pass
from tasks.results.handovers import RoutedShot
from tasks.stages.stored_edits import group_of
from tasks.storage import shot_objects
from tasks.telling.notices import tell

_REFERENCE_FINDINGS = ("target_fit", "colour_not_verified")


def still_missing(record: ShotRecord, plan: Plan | None = None) -> tuple[Missing, ...]:
    """Return what the client must still send or answer for a shot, one entry for each; empty if nothing is missing.

    Each entry says whether a photograph or an answer is missing, and has the request to the client as a sentence.

    Args:
        record: the record of a shot for which stage 2 has decided who edits it.
        plan: the shot's plan; None: it is read from storage.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    plan, promise = plan or shot_objects.plan_of(record), promise_to(record.shot.client)
    product = record.product
    return missing_for(
        file=path_in_inbox(record.shot.in_batch, record.source.key),
        product=product,
        view=plan.view,
        ghost_mannequin=scope_for(record, plan).ghost_mannequin,
        reference_required=plan.rules.colour_reference_required,
        reference_given=_reference_given(record),
        services=plan.services,
        siblings=siblings_of(record.shot.client, product),
        config=promise,
    )


def _reference_given(record: ShotRecord) -> bool:
    """Return whether there is a colour reference: named in the manifest, or measured in its group's light."""
    group = group_of(record)
    if record.fact("reference") or (group and (group.verified or group.reference_lab)):
        return True
    return any(one.code in _REFERENCE_FINDINGS and one.measured is not None for one in record.findings)


class HeldBack(Value):
    """Names of the shots that `hold_back` has stopped before their edit.

    Attributes:
        on_hold: shots that wait for something that the client has to send.
        failed: shots whose check failed; the reason is in the shot's record.
    """

    on_hold: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all these shots: those on hold first, then those whose check failed."""
        return self.on_hold + self.failed


@task(name="hold back", task_run_name="hold back · {batch}", **ALWAYS)
def hold_back(batch: BatchId, routed: Sequence[RoutedShot]) -> HeldBack:
    """Put the shots on hold that lack something from their client; return which shots stop before their edit.

    People are told about each shot on hold. First every shot is noted as a possible match for others, so that shots of
    one batch find each other. If the check of a shot fails, that shot stops with the reason in its record, and the
    others go on.

    Args:
        routed: the routed shots that would be edited next.
    Raises:
        TransientError: a check failed for a reason that may pass by itself, and the task can still be retried.
    """
    stopped: dict[str, Exception] = {}
    lives: dict[str, Life] = {}
    for shot in routed:
        _alone(shot, _note, stopped, lives)
    held = [shot.name for shot in routed if shot.name not in stopped and _alone(shot, _held, stopped, lives)]
    passing = [error for error in stopped.values() if may_pass(error)]
    if passing and (task_run.run_count or 0) <= RETRIES:
        raise passing[0]
    return HeldBack(on_hold=tuple(held), failed=tuple(stopped))


def _alone(
    shot: RoutedShot,
    work: Callable[[RoutedShot, ShotRecord], bool],
    stopped: dict[str, Exception],
    lives: dict[str, Life],
) -> bool:
    """Run `work` for one shot. An error is put into its record and into `stopped`, so that other shots go on.

    Args:
        lives: the shots' lives, so that a second pass does not read each record again.
    """
    try:
        with living(shot.shot, known=lives[shot.name].known if shot.name in lives else None) as life:
            lives[shot.name] = life
            return work(shot, life.record)
    except Exception as error:  # noqa: BLE001  whatever it is, the other shots go on
        log().error("%s could not be checked: %s", shot.shot, error)
        stopped[shot.name] = error
        return False


def _note(shot: RoutedShot, record: ShotRecord) -> bool:
    note_for_others(record)
    return True


def note_for_others(record: ShotRecord) -> None:
    """Note a shot in storage if other shots of its product may wait for it, so that they find it. Nothing is returned.

    It is noted if its view is the client's view of a garment's neck (usually ``NECK``) or of a colour reference
    (``SWCH``). All other shots are not noted.

    Args:
        record: the record of a shot that has a plan.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    view, promise = shot_objects.plan_of(record).view, promise_to(record.shot.client)
    if view in (promise.neck_view, promise.reference_view):
        note_sibling(record, view=view)


def _held(shot: RoutedShot, record: ShotRecord) -> bool:
    """Put a shot on hold if something is missing; return whether it is on hold."""
    missing = still_missing(record)
    if missing:
        _hold(shot, missing)
    return bool(missing)


def _hold(shot: RoutedShot, missing: Sequence[Missing]) -> None:
    why = " ".join(one.sentence for one in missing)
    needs = [one.need.value for one in missing]
    record = Life(shot.shot).reach(State.ON_HOLD, why=why, reports={"hold": {"needs": needs}})
    if record.state is State.ON_HOLD:
        open_waiting_run(record, generation=shot.generation, category=shot.category)
        tell(record, "on_hold", why)
