"""What Prefect's server does seldom: the names are Prefect's own, and a studio's own values come first."""

from __future__ import annotations

import inspect
from datetime import timedelta

import docket
import pytest
from prefect.server.api import background_workers
from prefect.settings import Settings

from infra.prefect_app import SELDOM


def intervals() -> dict[str, float]:
    """How often each service looks, in seconds."""
    server = Settings().server
    services = dict(server.services)
    found = {name: float(one.loop_seconds) for name, one in services.items() if hasattr(one, "loop_seconds")}
    recent = float(server.services.scheduler.recent_deployments_loop_seconds)
    return {**found, "recent": recent, "proactive": server.events.proactive_granularity / timedelta(seconds=1)}


def test_no_service_of_prefects_looks_more_often_than_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SELDOM:
        monkeypatch.delenv(name, raising=False)
    before = intervals()
    assert min(before.values()) == 5
    for name, value in SELDOM.items():
        monkeypatch.setenv(name, value)
    after = intervals()
    assert min(after.values()) >= 60
    assert sum(after[name] != before[name] for name in after) == len(SELDOM), "each name is one of Prefect's settings"


def test_what_looks_whether_a_service_is_due_is_where_it_is_slowed_down() -> None:
    """Prefect has no setting for it: another version may have another place."""
    assert background_workers.Worker is docket.Worker
    parameters = inspect.signature(docket.Worker).parameters
    assert {"minimum_check_interval", "scheduling_resolution"} <= parameters.keys()
