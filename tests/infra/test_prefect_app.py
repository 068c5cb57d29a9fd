"""What Prefect's server does seldom: the names are Prefect's own, and a studio's own values come first.

The server is imported where a test needs it: it takes 4 s, and each process that runs tests collects this module.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL, Settings, temporary_settings
from prefect.types._datetime import now

from infra.local.processes import free_ports


def intervals() -> dict[str, float]:
    """How often each service looks, in seconds."""
    settings = Settings().server
    services = dict(settings.services)
    found = {name: float(one.loop_seconds) for name, one in services.items() if hasattr(one, "loop_seconds")}
    recent = float(settings.services.scheduler.recent_deployments_loop_seconds)
    return {**found, "recent": recent, "proactive": settings.events.proactive_granularity / timedelta(seconds=1)}


def test_no_service_of_prefects_looks_more_often_than_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.prefect_app import SELDOM

    for name in SELDOM:
        monkeypatch.delenv(name, raising=False)
    before = intervals()
    assert min(before.values()) == 5
    for name, value in SELDOM.items():
        monkeypatch.setenv(name, value)
    after = intervals()
    assert min(after.values()) >= 60
    assert sum(after[name] != before[name] for name in after) == len(SELDOM), "each name is one of Prefect's settings"


def answer_without_a_database() -> int:
    """The status of the server's answer while nothing listens where its database should be."""
    from prefect.server.api import server
    from prefect.server.database.dependencies import temporary_database_interface

    (port,) = free_ports(1)
    address = {PREFECT_SERVER_DATABASE_CONNECTION_URL: f"postgresql+asyncpg://nobody@127.0.0.1:{port}/prefect"}

    async def ask() -> int:
        app = server.create_app(final=True, ignore_cache=True)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return (await client.post("/api/flow_runs/count", json={})).status_code

    with temporary_settings(address), temporary_database_interface():
        return asyncio.run(ask())


def test_while_the_database_is_away_clients_are_asked_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind of test that was missing: a run that begins then ended, and waited for the next look for dead runs."""
    from prefect.server.api import server

    from infra.prefect_app import ask_to_try_again

    known = server.is_client_retryable_exception
    assert answer_without_a_database() == 500, "Prefect does so by itself now: this is not needed any more"
    monkeypatch.setattr(server, "is_client_retryable_exception", known)  # put back afterwards
    ask_to_try_again()
    assert answer_without_a_database() == 503
    assert not server.is_client_retryable_exception(KeyError("a fault of the server's own"))


@pytest.fixture
def slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's task queue as the shipped server has it. Prefect has no setting for it, so its parts are replaced."""
    import burner_redis
    from prefect.server.api import background_workers, server

    from infra.prefect_app import slow_down

    for module, name in ((background_workers, "Worker"), (server, "Docket"), (burner_redis, "PubSub")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    slow_down()


def test_the_task_queue_looks_seldom_at_each_place_where_it_looks(slowed_down: None) -> None:
    """Another version of Prefect may have other places."""
    from prefect.server.api import background_workers, server

    async def paces() -> tuple[timedelta, timedelta, timedelta]:
        async with (
            server.Docket(name="seldom", url="memory://seldom") as queue,
            background_workers.Worker(queue) as worker,
            queue._pubsub() as messages,
        ):
            assert type(messages).__name__ == "SeldomAsked"
            return worker.minimum_check_interval, worker.scheduling_resolution, queue.heartbeat_interval

    assert min(asyncio.run(paces())) >= timedelta(seconds=5)


def test_a_message_for_the_task_queue_arrives_although_nobody_waits_in_a_thread(
    slowed_down: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import burner_redis

    from infra import prefect_app

    monkeypatch.setattr(prefect_app, "SELDOM_DUE_S", 0.01)
    monkeypatch.setattr(asyncio, "to_thread", None)

    async def heard() -> list[Any]:
        storage = burner_redis.BurnerRedis()
        messages = storage.pubsub()
        await messages.psubscribe("cancel:*")
        first, nothing = await messages.get_message(timeout=0.1), await messages.get_message(timeout=0.1)
        waiting = asyncio.create_task(messages.get_message(timeout=None))
        await asyncio.sleep(0.05)
        await storage.publish("cancel:one", "one")
        return [first["type"], nothing, (await waiting)["data"]]

    assert asyncio.run(heard()) == ["psubscribe", None, b"one"]


def test_runs_that_ended_long_ago_are_removed_and_waiting_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's own service, on a database of its own, with the shipped setting."""
    from infra.prefect_app import REMOVED

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
    import sqlalchemy as sa
    from prefect.server.database import provide_database_interface
    from prefect.server.schemas.states import StateType
    from prefect.server.services.db_vacuum import vacuum_old_flow_runs

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
