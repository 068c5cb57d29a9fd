"""The night's summary as an artifact, and the alarm where it did not run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State

from packshot.naming import BatchId
from tasks.artifacts import table_artifact
from tasks.notices import raise_alarm


def report_night(states: Sequence[tuple[BatchId, State[Any]]]) -> None:
    """Show what became of each batch of a nightly run."""
    rows = [
        {"client": batch.client, "batch": batch.batch, "state": state.name, "result": state.message or ""}
        for batch, state in states
    ]
    table_artifact(rows, key="night", description=f"{len(rows)} batches")


def night_stopped(why: str) -> None:
    """Tell people that a night did not begin, or did not come to its end."""
    raise_alarm("night_stopped", why, about="night")
