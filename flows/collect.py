"""Do the regular checks in a flow run of their own: returned files, shots on hold, due times, dead runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.pace import PACE
from flows.presence import present
from packshot.errors import LeaseLostError
from packshot.keys import COLLECTION_LEASE
from tasks.people.hot_folder import collect_returned, release_holds
from tasks.reports.board import update_board
from tasks.runs.lost_runs import end_lost_runs
from tasks.runs.missing_night import look_for_missing_night
from tasks.storage.leases import Patience, holding
from tasks.telling.heartbeat import send_heartbeat
from tasks.telling.notices import send_again


@flow(name="collect-returned-work", flow_run_name="collect returned work", task_runner=PACE, persist_result=False)
@present
def collect_returned_work() -> State[Any]:
    """Look for files that editors have returned, for shots on hold that can go on, and for what is due.

    Runs whose process has died are ended and started again, and a notice is sent if a night did not start. Notices that
    have not arrived are sent again. The board of waiting shots is updated. While an earlier run of this flow is at
    work, a new one does nothing. The run fails if one of these steps failed; the other steps are taken in any case.
    """
    with holding(COLLECTION_LEASE, Patience.NONE):
        return _look()


def _look() -> State[Any]:
    """Run every step, even if earlier ones fail. The run fails if any step failed; if none did, send a sign of life."""
    said, failed = [], []
    for what, step in _STEPS:
        try:
            said.append(step())
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the other steps are taken
            get_run_logger().exception("%s: this step failed", what)
            failed.append(f"{what}: {type(error).__name__}: {error}")
    told = "; ".join(filter(None, said))
    if failed:
        return Failed(message=f"{len(failed)} of {len(_STEPS)} steps failed: {'; '.join(failed)} ({told})")
    send_heartbeat()
    return Completed(message=told)


_STEPS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("end lost runs", lambda: end_lost_runs().sentence),
    ("look for a night that did not begin", lambda: look_for_missing_night()),
    ("send notices again", lambda: send_again().sentence),
    ("collect returned files", lambda: collect_returned().sentence),
    ("release what has arrived", lambda: f"{len(release_holds())} no longer on hold"),
    ("update the board", lambda: update_board()),
)
