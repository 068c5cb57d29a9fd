"""Build the addresses of Prefect's own pages, for people who come from the review desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterStartTime
from prefect.settings import PREFECT_UI_URL

from tasks.runs.resuming import runs_of

NIGHT_FLOW = "nightly"


def page_of_run(run: str) -> str:
    """Return the address of a flow run's page in Prefect; empty if the run is not given.

    The address is also empty if Prefect's setting ``PREFECT_UI_URL`` is not set.

    Args:
        run: id of the flow run; may be empty.
    """
    pages = PREFECT_UI_URL.value()
    return f"{pages.rstrip('/')}/runs/flow-run/{run}" if pages and run else ""


def night_runs(begins: datetime, ends: datetime) -> Iterator[str]:
    """Yield the address of the Prefect page of each nightly run that began between two times, the earliest first.

    Nothing is yielded if the address of Prefect's pages is not known.

    Args:
        begins, ends: the two times, with time zones.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    wanted = FlowRunFilter(start_time=FlowRunFilterStartTime(after_=begins, before_=ends))
    with get_client(sync_client=True) as client:
        runs = [run for run in runs_of(client, wanted, flow=NIGHT_FLOW) if run.start_time]
    for run in sorted(runs, key=lambda run: str(run.start_time)):
        if address := page_of_run(str(run.id)):
            yield address
