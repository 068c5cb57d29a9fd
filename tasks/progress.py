"""How far a batch is: one progress bar in the UI, one line in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from packshot.naming import BatchId
from tasks.logs import log


class BatchProgress:
    """The progress artifact of the flow run at work on a batch."""

    def __init__(self, batch: BatchId) -> None:
        self._log = log()
        key = f"progress-{batch.client}-{batch.batch}".lower().replace("_", "-").replace(".", "-")
        self._artifact = cast(UUID, create_progress_artifact(0.0, key=key, description=f"{batch}"))

    def of(self, what: str, *, begins: float = 0.0, ends: float = 100.0) -> Callable[[int, int], None]:
        """Return what to call with (so far, all) while shots are being `what`.

        Args:
            begins, ends: the part of the whole bar, in percent.
        """

        def report(done: int, total: int) -> None:
            share = done / total if total else 1.0
            percent = round(begins + share * (ends - begins), 1)
            self._log.info("%d of %d %s", done, total, what)
            update_progress_artifact(self._artifact, progress=percent, description=f"{done} of {total} {what}")

        return report
