"""Runs of Prefect in this process, and what they leave in its UI."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import Artifact

R = TypeVar("R")


def in_a_run(work: Callable[[], R]) -> R:
    """Do something inside a flow run of its own and return what comes of it."""

    @flow(name="a test", persist_result=False, validate_parameters=False)
    def a_test() -> R:
        return work()

    return a_test()


def artifact(key: str) -> Artifact:
    """Return the newest artifact of a key."""
    with get_client(sync_client=True) as client:
        wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
        (found,) = client.request("POST", "/artifacts/filter", json=wanted).json()
    return Artifact.model_validate(found)
