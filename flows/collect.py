"""Regular checks: returned files, photographs that holds wait for, due times, dead runs."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.pace import PACE
from flows.presence import present
from packshot.naming import COLLECTION_LEASE
from tasks.board import update_board
from tasks.hot_folder import collect_returned, release_holds
from tasks.leases import Patience, holding
from tasks.lost_runs import end_lost_runs


@flow(name="collect-returned-work", flow_run_name="collect returned work", task_runner=PACE, persist_result=False)
@present
def collect_returned_work() -> State[Any]:
    """Look into the hot folders, let shots go on for which nothing is missing any more, and update the board.

    Runs whose process is gone are ended and started again. While an earlier look goes on, nothing is done.
    """
    with holding(COLLECTION_LEASE, Patience.NONE):
        return _look()


def _look() -> State[Any]:
    lost = end_lost_runs()
    collected = collect_returned()
    released = release_holds()
    board = update_board()
    sentences = [collected.sentence, f"{len(released)} no longer on hold", board]
    if lost.sentence:
        sentences.append(lost.sentence)
    return Completed(message="; ".join(sentences))
