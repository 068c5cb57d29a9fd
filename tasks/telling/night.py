"""The nightly run: an artifact with its summary, and an alarm if it did not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.client.schemas.objects import State

from packshot.figures import counted
from packshot.naming import BatchId
from tasks.telling.artifacts import table_artifact
from tasks.telling.notices import raise_alarm, tell_of_misnamed


def report_night(states: Sequence[tuple[BatchId, State[Any]]], left_out: Mapping[str, str]) -> None:
    """Show the result for each batch of a nightly run. Tell people once about each folder that was left out.

    Args:
        states: (batch, the final state of its run) for each batch.
        left_out: key of a READY object whose folder has no valid batch name -> the reason.
    """
    rows = [
        {"client": batch.client, "batch": batch.batch, "state": state.name, "result": state.message or ""}
        for batch, state in states
    ]
    rows += [{"client": "", "batch": key, "state": "Left out", "result": why} for key, why in left_out.items()]
    table_artifact(rows, key="night", description=counted(len(states), "batch", "batches"))
    for key, why in left_out.items():
        tell_of_misnamed(key, why, about="inbox")


def night_stopped(why: str) -> None:
    """Send a notice that a night did not start or did not finish.

    Args:
        why: the reason, in words.
    """
    raise_alarm("night_stopped", why, about="night")
