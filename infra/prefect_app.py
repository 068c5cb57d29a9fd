"""Run Prefect's server, with the guard: ``python -m infra.prefect_app --host 127.0.0.1 --port 4200``.

With ``--without-services`` the process serves Prefect's API and pages only. Several such processes may share a database
and a Redis. One process of `infra.prefect_services` then does the background work for all of them.

The guard is a middleware that refuses requests from other sites' pages (`infra.guard`). ``prefect server start`` cannot
add one, so this module replaces that command. Its settings are Prefect's own variables, some with another default
(`SELDOM`, `REMOVED`), and ``PACKSHOT_ALLOWED_HOSTS``: host names of the server besides 127.0.0.1 and localhost,
separated by commas.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import timedelta
from functools import cache, partial
from typing import Any

from infra import quiet
from infra.guard import ALLOWED_HOSTS, Guard

_SERVICES = "PREFECT_SERVER_SERVICES"
SELDOM = {
    # It reads every suspended run in full each time, and those of this line have no end to their wait.
    f"{_SERVICES}_PAUSE_EXPIRATIONS_LOOP_SECONDS": "3600",
    # A changed schedule, and a worker that is gone: what is done about them waits so long.
    f"{_SERVICES}_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "60",
    f"{_SERVICES}_FOREMAN_LOOP_SECONDS": "60",
    # Schedules are filled an hour ahead. The word "late" on a page, what a killed run's parts leave behind, limits of
    # concurrency and automations, of which the line has none: minutes do.
    f"{_SERVICES}_SCHEDULER_LOOP_SECONDS": "300",
    f"{_SERVICES}_LATE_RUNS_LOOP_SECONDS": "300",
    f"{_SERVICES}_CANCELLATION_CLEANUP_LOOP_SECONDS": "300",
    f"{_SERVICES}_CLEANUP_RECONCILER_LOOP_SECONDS": "300",
    f"{_SERVICES}_REPOSSESSOR_LOOP_SECONDS": "300",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT5M",
}
"""How often Prefect's background services look unless the environment says otherwise.

Most look every 5 seconds by default, which an idle line pays for all day. None of them starts a run or an answer.
"""
REMOVED = {f"{_SERVICES}_DB_VACUUM_ENABLED": "events,flow_runs"}
"""What Prefect removes from its database unless the environment says otherwise.

These are old events, and runs that ended 90 days ago (Prefect's own default). Prefect alone would keep ended runs for
ever. A run that waits has not ended, so it stays.
"""
SELDOM_DUE_S = 10
"""How often Prefect looks whether one of these is due, in seconds. It looks four times a second by itself, and has no
setting for it. What is to be done at once is done at once.
"""
SELDOM_TOLD_S = 60
"""How often Prefect's task queue notes which process works on it, in seconds. There is one, so nobody reads it; Prefect
notes it every two seconds, once for each kind of task.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line: ``--host``, ``--port`` and ``--without-services``."""
    found = argparse.ArgumentParser(prog="python -m infra.prefect_app", description="Prefect's server behind a guard")
    found.add_argument("--host", required=True)
    found.add_argument("--port", type=int, required=True)
    found.add_argument("--without-services", action="store_true", help="one of several servers, which share a Redis")
    return found


def main() -> int:
    """Serve Prefect's API and pages until a signal to end; return the exit status: 2 if no password is set, else 0.

    Host and port come from the command line, everything else from the environment.
    """
    given = parser().parse_args()
    quiet.install()
    set_defaults()
    from prefect.settings import get_current_settings  # Prefect takes seconds to import, its server some more

    settings = get_current_settings().server
    password = settings.api.auth_string
    if password is None or not password.get_secret_value():
        sys.stderr.write("PREFECT_SERVER_API_AUTH_STRING is empty. Set it: without a password anybody runs the line.\n")
        return 2
    import uvicorn
    from prefect.server.api.server import create_app

    from infra.web_server import serve

    slow_down()
    ask_to_try_again()
    serve(
        uvicorn.Config(
            Guard(
                create_app(final=True, webserver_only=given.without_services),
                hosts=os.environ.get(ALLOWED_HOSTS, "").split(","),
            ),
            host=given.host,
            port=given.port,
            # Same values as `prefect server start`.
            timeout_keep_alive=settings.api.keepalive_timeout,
            ws_ping_interval=settings.api.websocket_ping_interval,
            ws_ping_timeout=settings.api.websocket_ping_timeout,
            log_level=settings.logging_level.lower(),
        )
    )
    return 0


def set_defaults() -> None:
    """Set Prefect's settings for this process, as environment variables, unless they are set already.

    With them, background services of Prefect run less often (`SELDOM`), and old runs and events are removed
    (`REMOVED`).
    """
    for name, value in {**SELDOM, **REMOVED}.items():
        os.environ.setdefault(name, value)


def ask_to_try_again() -> None:
    """Make Prefect's server in this process answer 503 and not 500 while its database takes no connections.

    Prefect's clients try again after a 503, so a run that is just beginning lives on. After a 500 the run's process
    ends. Prefect by itself answers 503 only if a connection that it had was broken.
    """
    from prefect.server.api import server
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    of_server = vars(server)
    known = of_server["is_client_retryable_exception"]

    def may_pass(error: Exception) -> bool:
        return isinstance(error, (OSError, PoolTimeoutError)) or bool(known(error))

    of_server["is_client_retryable_exception"] = may_pass


def slow_down() -> None:
    """Make the task queue inside Prefect's server look for work seldom, where Prefect has no setting for that.

    It replaces parts of Prefect in this process. Call it before the server starts. While no batch is processed, the
    server then takes less processor time.
    """
    import burner_redis
    import docket
    from prefect._internal.schemas import validators
    from prefect.server.api import background_workers, server
    from prefect.server.events import triggers

    class SeldomAsked(burner_redis.PubSub):  # type: ignore[misc]
        """Messages that somebody looks for seldom. By itself a thread looks for each ten times a second.

        The one message that Prefect's task queue waits for so says that a task in the background is to end.
        """

        async def get_message(self, ignore_subscribe_messages: bool = False, timeout: float | None = 0.0) -> Any:
            found = await super().get_message(ignore_subscribe_messages, 0.0)
            while found is None and timeout != 0.0:
                await asyncio.sleep(SELDOM_DUE_S)
                found = await super().get_message(ignore_subscribe_messages, 0.0)
                timeout = None if timeout is None else 0.0
            return found

    pace, told = timedelta(seconds=SELDOM_DUE_S), timedelta(seconds=SELDOM_TOLD_S)
    of_workers, of_server, of_queue = vars(background_workers), vars(server), vars(burner_redis)
    of_workers["Worker"] = partial(docket.Worker, minimum_check_interval=pace, scheduling_resolution=pace)
    of_server["Docket"] = partial(docket.Docket, heartbeat_interval=told)
    of_queue["PubSub"] = SeldomAsked
    # Automations: whether a trigger's time has run out, and whether others have changed, which is told besides.
    vars(triggers)["consumer"] = partial(triggers.consumer, periodic_granularity=told)
    # The names of all time zones, which are read from hundreds of files for each schedule that is looked at.
    names = vars(validators)
    names["get_timezones"] = cache(names["get_timezones"])


if __name__ == "__main__":
    sys.exit(main())
