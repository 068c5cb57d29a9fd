"""The Prefect server with its UI, on the embedded PostgreSQL."""

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
"""A start takes 12 s of processor time: on a busy machine that is minutes."""
USUAL_PORT = 4200
PASSWORD_FILE = "prefect-password"  # noqa: S105  (its name)
"""The API's password, in the state folder. Who knows it is an operator."""
TO_THE_SERVER = (
    *("PACKSHOT_ALLOWED_HOSTS", "PREFECT_LOGGING_*", "PREFECT_SERVER_LOGGING_*", "PREFECT_SERVER_LOGS_*"),
    *("PREFECT_SERVER_METRICS_ENABLED", "PREFECT_SERVER_LOG_RETRYABLE_ERRORS", "PREFECT_SERVER_API_DEFAULT_LIMIT"),
    *("PREFECT_SERVER_API_KEEPALIVE_TIMEOUT", "PREFECT_SERVER_API_WEBSOCKET_*", "PREFECT_SERVER_API_MAX_*"),
    *("PREFECT_SERVER_CONCURRENCY_*", "PREFECT_SERVER_DEPLOYMENT*", "PREFECT_SERVER_EVENTS_*"),
    *("PREFECT_SERVER_FLOW_RUN_GRAPH_*", "PREFECT_SERVER_SERVICES_*", "PREFECT_SERVER_TASKS_*"),
    *("PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_*", "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW"),
)
"""Settings of the user that reach the server: how it works, not where, for whom, or on which database."""


@dataclasses.dataclass(frozen=True)
class PrefectAddress:
    """Where the server listens."""

    api_url: str
    ui_url: str
    password: str = dataclasses.field(default="", repr=False)


def settings(state_dir: Path) -> dict[str, str]:
    """Return the variables that keep Prefect inside the state folder and on this machine."""
    return {
        "PREFECT_HOME": str(state_dir / "prefect"),
        "PREFECT_PROFILES_PATH": str(state_dir / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLI_PROMPT": "false",
        # A client without an address must fail, not start a server of its own unseen.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }


def start(family: Family, state_dir: Path, database_url: str, *, port: int | None = None) -> PrefectAddress:
    """Start the server; return when it answers.

    Args:
        port: None: the one of its last start, or the usual one, or a free one where that is taken.
    Raises:
        ServerError: it does not start, or the port asked for is taken.
    """
    chosen = port if port is not None else kept_ports(state_dir, "prefect", 1, preferred=USUAL_PORT)[0]
    if not is_free(chosen):
        raise ServerError(f"Port {chosen} of 127.0.0.1, asked for the Prefect server, is taken. Choose another.")
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
            # Who has no password gets health answers and the UI's static files, and nothing else.
            "PREFECT_SERVER_API_AUTH_STRING": address.password,
            "PREFECT_UI_API_URL": address.api_url,
            # Pages of other sites in the user's browser may not call it; by default all may.
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{address.ui_url},http://localhost:{chosen}",
            # Pages are written with the address in them: not into the package, which other servers share.
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        },
        cwd=home,  # Prefect reads .env, prefect.toml and pyproject.toml where it is started
    )
    healthy, ready = answers(f"{address.api_url}/health"), answers(f"{address.api_url}/ready")

    def trouble(child: Child) -> str:
        if not (healthy() and listens(child, chosen)):
            return f"{address.api_url} does not answer"
        return "" if ready() else "it does not reach its database"

    family.keep(Part("prefect", start_process, trouble, log, START_S, needs=("postgres",))).wait()
    return address


def authorization(password: str) -> dict[str, str]:
    """Return the header by which a request shows the password."""
    return {"Authorization": f"Basic {base64.b64encode(password.encode()).decode()}"}


def _password(path: Path) -> str:
    """Return the API's password: the user's, the one drawn before, or a new one; only this user can read its file."""
    wished = os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")
    if wished or not path.exists():
        write_secret(path, (wished or secrets.token_hex(20)).encode())
    return path.read_text().strip()


def last_heartbeat(address: PrefectAddress, work_pool: str, worker: str) -> str | None:
    """Return when the server last heard of a worker, as it words it; None: never, or the server does not answer."""
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
