"""Switch the schedules of deployments (flows that Prefect starts at given times) on and off."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound


def schedule_runs(deployment: str, *, active: bool) -> None:
    """Switch a deployment's schedules on or off. If the deployment is not registered, nothing is done.

    Args:
        deployment: ``flow-name/deployment-name``.
        active: True switches them on.
    """
    with get_client(sync_client=True) as client:
        try:
            found = client.read_deployment_by_name(deployment)
        except ObjectNotFound:
            return
        for schedule in found.schedules:
            if schedule.active is not active:
                client.update_deployment_schedule(found.id, schedule.id, active=active)
