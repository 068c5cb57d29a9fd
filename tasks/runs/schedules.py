"""Switch the schedules of deployments (flows that Prefect starts at given times) on and off."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from tasks.storage.leases import look

COLLECT = "collect-returned-work/collect-returned-work"
"""The flow of the regular checks, as a deployment. ``packshot watch`` switches its schedule off while it works."""


def schedule_runs(deployment: str, *, active: bool) -> bool:
    """Switch a deployment's schedules on or off; return True if at least one was not so already.

    If the deployment is not registered, nothing is done.

    Args:
        deployment: ``flow-name/deployment-name``.
        active: True switches them on.
    """
    with get_client(sync_client=True) as client:
        try:
            found = client.read_deployment_by_name(deployment)
        except ObjectNotFound:
            return False
        others = [one for one in found.schedules if one.active is not active]
        for schedule in others:
            client.update_deployment_schedule(found.id, schedule.id, active=active)
        return bool(others)


def switch_on_if_forgotten(deployment: str, *, lease: str) -> bool:
    """Switch a deployment's schedules on if the process that had switched them off was killed.

    A process that switches a schedule off holds a lease (a mark in storage) meanwhile, and releases it at its end. A
    lease that has expired and was not released shows that the process died. If a person has switched the schedule off,
    there is no expired lease, and the schedule stays off.

    Args:
        deployment: ``flow-name/deployment-name``.
        lease: the lease's name, such as `packshot.keys.COLLECTION_LEASE`.
    Returns:
        True if the process was killed and a schedule was still off; it is on then.
    Raises:
        StorageUnavailableError: the storage does not answer.
        httpx.HTTPError: Prefect's server does not answer.
    """
    left = look(lease)
    if left is None or left.lease.released or left.is_alive:
        return False
    return schedule_runs(deployment, active=True)
