"""Show how far a batch is: by a progress bar in Prefect's UI, and by lines in the log."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from packshot.naming import BatchId
from tasks.environment.logs import log
from tasks.telling.artifacts import artifact_key, only_shown


class BatchProgress:
    """The progress bar of the flow run that works on a batch. The run makes it when it begins.

    If Prefect does not answer, that is only logged.
    """

    def __init__(self, batch: BatchId) -> None:
        self._log = log()
        self._artifact: UUID | None = None
        key = artifact_key("progress", batch.client, batch.batch)
        with only_shown():
            made = create_progress_artifact(0.0, key=key, description=f"{batch}")
            self._artifact = made if isinstance(made, UUID) else None

    def of(self, what: str, *, begins: float = 0.0, ends: float = 100.0) -> Callable[[int, int], None]:
        """Return a function that shows how far a step is.

        The function is called with (shots done so far, shots in all).

        Each call sets the bar and logs a line, such as "12 of 50 edited".

        Args:
            what: the step's work as a participle, such as "edited".
            begins, ends: the part of the whole bar that this step covers, in percent.
        """

        def report(done: int, total: int) -> None:
            share = done / total if total else 1.0
            percent = round(begins + share * (ends - begins), 1)
            self._tell(percent, f"{done} of {total} {what}")

        return report

    def done(self, sentence: str) -> None:
        """Set the bar to 100 %, and show the result of the run beside it. This is also called after a failure.

        Args:
            sentence: the result in words.
        """
        self._tell(100.0, sentence)

    def _tell(self, percent: float, sentence: str) -> None:
        self._log.info("%s", sentence)
        if self._artifact is not None:
            with only_shown():
                update_progress_artifact(self._artifact, progress=percent, description=sentence)
