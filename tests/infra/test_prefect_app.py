"""What Prefect's server does seldom: the names are Prefect's own, and a studio's own values come first."""

from __future__ import annotations

import asyncio
import inspect
from datetime import datetime, timedelta
from pathlib import Path

import docket
import pytest
import sqlalchemy as sa
from prefect.server.api import background_workers
from prefect.server.database import provide_database_interface
from prefect.server.schemas.states import StateType
from prefect.server.services.db_vacuum import vacuum_old_flow_runs
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL, Settings, temporary_settings
from prefect.types._datetime import now

from infra.prefect_app import REMOVED, SELDOM


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


def test_runs_that_ended_long_ago_are_removed_and_waiting_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's own service, on a database of its own, with the shipped setting."""
    for name, value in REMOVED.items():
        monkeypatch.setenv(name, value)
    services = Settings().server.services
    assert services.db_vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}
    long_ago = now("UTC") - services.db_vacuum.retention_period - timedelta(days=1)
    address = {PREFECT_SERVER_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{tmp_path / 'prefect.db'}"}
    with temporary_settings(address):
        assert asyncio.run(left_after_the_vacuum(long_ago)) == {"waits", "ended today"}


async def left_after_the_vacuum(long_ago: datetime) -> set[str]:
    """Make three runs, let Prefect clear up, and return the names of those that are left."""
    db = provide_database_interface()
    await db.create_db()
    async with db.session_context(begin_transaction=True) as session:
        flow = db.Flow(name="human-edit")
        session.add(flow)
        await session.flush()
        for name, state, end in (
            ("waits", StateType.PAUSED, None),
            ("ended long ago", StateType.COMPLETED, long_ago),
            ("ended today", StateType.COMPLETED, now("UTC")),
        ):
            run = db.FlowRun(flow_id=flow.id, name=name, state_type=state, start_time=long_ago, end_time=end)
            session.add(run)
    await vacuum_old_flow_runs(db=db)
    async with db.session_context() as session:
        return set((await session.execute(sa.select(db.FlowRun.name))).scalars())
