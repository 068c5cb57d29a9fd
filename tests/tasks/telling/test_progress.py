"""The progress bar of a batch in Prefect, and that the work does not need it."""

from __future__ import annotations

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from packshot.naming import BatchId
from tasks.storage.bucket import Storage
from tasks.telling.artifacts import artifact_key
from tasks.telling.progress import BatchProgress
from tests.tasks.in_runs import artifact, in_a_run


def shown(batch: BatchId) -> tuple[float, str]:
    found = artifact(artifact_key("progress", batch.client, batch.batch))
    return float(str(found.data)), str(found.description)


def test_it_shows_how_far_a_batch_is_and_ends_at_the_whole(line: Storage, batch: BatchId) -> None:
    def work() -> list[tuple[float, str]]:
        progress = BatchProgress(batch)
        seen = [shown(batch)]
        mastered = progress.of("mastered", ends=30)
        mastered(5, 10)
        seen.append(shown(batch))
        mastered(10, 10)
        progress.of("routed", begins=30, ends=40)(0, 0)
        seen.append(shown(batch))
        progress.done("delivery 1: 10 shots")
        return [*seen, shown(batch)]

    begun, half, none_to_route, done = in_a_run(work)
    assert begun[0] == 0
    assert half == (15, "5 of 10 mastered")
    assert none_to_route == (40, "0 of 0 routed")
    assert done == (100, "delivery 1: 10 shots")


@pytest.mark.filterwarnings("ignore:Artifact creation outside:FutureWarning")
def test_a_batch_goes_on_where_nobody_takes_its_progress(batch: BatchId) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        progress = BatchProgress(batch)
        progress.of("mastered")(1, 2)
        progress.done("delivered")
    assert progress._artifact is None


def test_a_server_that_goes_away_in_the_middle_stops_nothing_either(line: Storage, batch: BatchId) -> None:
    def work() -> tuple[float, str]:
        progress = BatchProgress(batch)
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
            progress.of("mastered")(1, 2)
        progress.of("mastered")(2, 2)
        return shown(batch)

    assert in_a_run(work) == (100, "2 of 2 mastered")
