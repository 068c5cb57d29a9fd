"""Report each week how new pictures have changed the clients' return rates."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.presence import present
from tasks.reports.return_rate import clients_with_orders, report_client


@flow(name="return-rate", flow_run_name="return rate", persist_result=False)
@present
def return_rate() -> State[Any]:
    """Report how new pictures changed the return rate, for every client whose orders are in storage.

    The run fails if the report of one client failed; the others are made.
    """
    told = [report_client(client) for client in clients_with_orders()]
    sentence = " ".join(one.sentence for one in told) or "There are no orders of any client in storage, below returns/"
    return Failed(message=sentence) if any(one.failed for one in told) else Completed(message=sentence)
