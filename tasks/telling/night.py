"""Tell people how a nightly run went: a table of its result, and an alarm if it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.client.schemas.objects import State

from packshot.figures import counted
from packshot.naming import BatchId
from tasks.telling.artifacts import table_artifact
from tasks.telling.notices import raise_alarm, tell_of_misnamed


def report_night(states: Sequence[tuple[BatchId, State[Any]]], left_out: Mapping[str, str]) -> None:
    """Show in Prefect's UI how each batch of a nightly run ended, as a table with the key ``night``.

    Folders of the inbox whose names can't be used were left out of the night. They get a row too, and people get one
    notice about each of them.

    Args:
        states: for each batch (the batch, the final state of its run).
        left_out: key of the READY object in such a folder -> the reason.
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
    """Send people a notice that a nightly run did not run to its end, or was skipped. Nothing is returned.

    Each call sends a notice, also if one was sent about the same night before.

    Args:
        why: the reason, in words.
    """
    raise_alarm("night_stopped", why, about="night")
