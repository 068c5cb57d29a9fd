"""Shots that wait for something of the client's: another photograph of the product, or its true colour."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from packshot.handoff.holds import Missing, missing_for
from packshot.naming import BatchId
from packshot.record import ShotRecord, State
from packshot.specs.models import Plan
from tasks import shelf
from tasks.handovers import RoutedShot
from tasks.jobs import open_waiting_run
from tasks.lives import ALWAYS, living
from tasks.notices import tell
from tasks.pictures import group_of
from tasks.records import load_records
from tasks.siblings import note_sibling, product_of, siblings_of
from tasks.tickets import promise_to, scope_for

_REFERENCE_FINDINGS = ("target_fit", "colour_not_verified")


def still_missing(record: ShotRecord, plan: Plan | None = None) -> tuple[Missing, ...]:
    """Return what a routed shot has to wait for; empty if nothing.

    Args:
        plan: the shot's, where it is at hand.
    """
    plan, promise = plan or shelf.plan_of(record), promise_to(record.shot.client)
    product = product_of(record)
    return missing_for(
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
    """Whether the manifest names a reference, or the light of its group was measured on a colour target."""
    group = group_of(record)
    if record.fact("reference") or (group and (group.verified or group.reference_lab)):
        return True
    return any(one.code in _REFERENCE_FINDINGS and one.measured is not None for one in record.findings)


@task(name="hold back", task_run_name="hold back · {batch}", **ALWAYS)
def hold_back(batch: BatchId, routed: Sequence[RoutedShot]) -> list[str]:
    """Put shots on hold that something is missing for, tell the client, and return their names.

    What other shots may wait for is noted first, so that one batch meets its own needs.
    """
    records = {one.shot.shot: one for one in load_records([shot.shot for shot in routed])}
    plans = {name: shelf.plan_of(record) for name, record in records.items()}
    promise = promise_to(batch.client)
    for name, record in records.items():
        if plans[name].view in (promise.neck_view, promise.reference_view):
            note_sibling(record, view=plans[name].view)
    held = []
    for shot in routed:
        missing = still_missing(records[shot.name], plans[shot.name])
        if missing:
            _hold(shot, missing)
            held.append(shot.name)
    return held


def _hold(shot: RoutedShot, missing: Sequence[Missing]) -> None:
    why = " ".join(one.sentence for one in missing)
    with living(shot.shot) as life:
        record = life.reach(State.ON_HOLD, why=why, reports={"hold": {"needs": [one.need.value for one in missing]}})
        if record.state is State.ON_HOLD:
            open_waiting_run(record, generation=shot.generation, category=shot.category)
            tell(record, "on_hold", why)
