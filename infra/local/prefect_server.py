"""Run the Prefect server with its UI, on the embedded PostgreSQL."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import secrets
import sys
import urllib.request
from functools import partial
from pathlib import Path
from urllib.parse import quote

from infra.local.parts import Child, Part
from infra.local.processes import PYTHONS, Family, ServerError, answers, is_free, kept_ports, listens
from infra.local.s3_keys import write_secret

START_S = 300.0
"""A start takes 12 s of processor time, which can be minutes on a busy machine."""
USUAL_PORT = 4200
PASSWORD_FILE = "prefect-password"  # noqa: S105  (its name)
"""File of the API's password in the state folder. Whoever knows the password is an operator."""
TO_THE_SERVER = (
    *("PACKSHOT_ALLOWED_HOSTS", "PREFECT_LOGGING_*", "PREFECT_SERVER_LOGGING_*", "PREFECT_SERVER_LOGS_*"),
    *("PREFECT_SERVER_METRICS_ENABLED", "PREFECT_SERVER_LOG_RETRYABLE_ERRORS", "PREFECT_SERVER_API_DEFAULT_LIMIT"),
    *("PREFECT_SERVER_API_KEEPALIVE_TIMEOUT", "PREFECT_SERVER_API_WEBSOCKET_*", "PREFECT_SERVER_API_MAX_*"),
    *("PREFECT_SERVER_CONCURRENCY_*", "PREFECT_SERVER_DEPLOYMENT*", "PREFECT_SERVER_EVENTS_*"),
    *("PREFECT_SERVER_FLOW_RUN_GRAPH_*", "PREFECT_SERVER_SERVICES_*", "PREFECT_SERVER_TASKS_*"),
    *("PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_*", "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW"),
)
"""The user's environment variables that reach the server: tuning only, not its address, users or database."""


@dataclasses.dataclass(frozen=True)
class PrefectAddress:
    """The addresses of Prefect's server and its password.

    Attributes:
        api_url: address of its API; ends with ``/api``; empty if there is no server.
        ui_url: address of its pages; empty if there is no server.
        password: the password of its API and pages. Whoever knows it can do everything there. It is empty if there is
            none.
    """

    api_url: str
    ui_url: str
    password: str = dataclasses.field(default="", repr=False)


def settings(state_dir: Path) -> dict[str, str]:
    """Return environment variables for Prefect: name -> value.

    With them Prefect keeps its files in the state folder, sends nothing about its use to its maker, asks no
    questions, and starts no server by itself.

    Args:
        state_dir: the folder.
    """
    return {
        "PREFECT_HOME": str(state_dir / "prefect"),
        "PREFECT_PROFILES_PATH": str(state_dir / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLI_PROMPT": "false",
        # A client without an address must fail, not silently start its own server.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }


def start(family: Family, state_dir: Path, database_url: str, *, port: int | None = None) -> PrefectAddress:
    """Start Prefect's server on 127.0.0.1, wait until it answers, and return its address and password.

    Args:
        family: the processes that end together with the server.
        state_dir: folder for its files.
        database_url: URL of its database.
        port: None means the port of its last start, else 4200, else a free one.

    Raises:
        ServerError: the server does not start, or the requested port is taken.
    """
    chosen = port if port is not None else kept_ports(state_dir, "prefect", 1, preferred=USUAL_PORT)[0]
    if not is_free(chosen):
        raise ServerError(
            f"The Prefect server cannot use port {chosen} of 127.0.0.1: another program uses it. Choose another port."
        )
    log, home = state_dir / "prefect-server.log", state_dir / "prefect"
    home.mkdir(mode=0o700, exist_ok=True)
    address = PrefectAddress(
        api_url=f"http://127.0.0.1:{chosen}/api",
        ui_url=f"http://127.0.0.1:{chosen}",
        password=_password(state_dir / PASSWORD_FILE),
    )
    start_process = partial(
        family.start,
        [sys.executable, "-m", "infra.prefect_app", "--host", "127.0.0.1", "--port", str(chosen)],
        log=log,
        passed_on=(*PYTHONS, *TO_THE_SERVER),
        environment={
            **settings(state_dir),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_API_URL": address.api_url,
            # Without the password only health checks and the UI's static files are served.
            "PREFECT_SERVER_API_AUTH_STRING": address.password,
            "PREFECT_UI_API_URL": address.api_url,
            # CORS: other sites' pages may not call it; by default all may.
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{address.ui_url},http://localhost:{chosen}",
            # The UI's pages contain the address, so they must not be in the package, which other servers share.
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        },
        cwd=home,  # Prefect reads .env, prefect.toml and pyproject.toml in its working directory
    )
    healthy, ready = answers(f"{address.api_url}/health"), answers(f"{address.api_url}/ready")

    def trouble(child: Child) -> str:
        if ready() and listens(child, chosen):
            return ""
        return "it does not reach its database" if healthy() else f"{address.api_url} does not answer"

    family.keep(Part("prefect", start_process, trouble, log, START_S, needs=("postgres",))).wait()
    return address


def authorization(password: str) -> dict[str, str]:
    """Return the HTTP header with which a client of Prefect's server proves the password.

    It is ``{"Authorization": "Basic ..."}``.
    """
    return {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"}


def _password(path: Path) -> str:
    """Return the API's password: from the environment, from an earlier start, or a new one.

    Only this user can read its file.
    """
    wished = os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")
    if wished or not path.exists():
        write_secret(path, (wished or secrets.token_hex(20)).encode())
    return path.read_text().strip()


def last_heartbeat(address: PrefectAddress, work_pool: str, worker: str) -> str | None:
    """Return when Prefect's server last heard of a worker, as an ISO date and time, such as ``2026-05-01T12:00:00Z``.

    None if the server has never heard of the worker, or if the server doesn't answer.

    Args:
        address: the server's address.
        work_pool: name of the worker's pool.
        worker: the worker's name.
    """
    request = urllib.request.Request(  # noqa: S310  (our own server's address)
        f"{address.api_url}/work_pools/{quote(work_pool, safe='')}/workers/filter",
        data=b"{}",
        headers={"Content-Type": "application/json", **authorization(address.password)},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            workers = json.load(answer)
    except (OSError, ValueError):
        return None
    return next((str(found["last_heartbeat_time"]) for found in workers if found["name"] == worker), None)
