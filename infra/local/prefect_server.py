"""The Prefect server with its UI, on the embedded PostgreSQL."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from infra.local.processes import Family, answers, free_ports, wait_until

START_S = 120.0
USUAL_PORT = 4200


@dataclasses.dataclass(frozen=True)
class PrefectAddress:
    """Where the server listens."""

    api_url: str
    ui_url: str


def settings(state_dir: Path) -> dict[str, str]:
    """Return the variables that keep Prefect inside the state folder and on this machine."""
    return {
        "PREFECT_HOME": str(state_dir / "prefect"),
        "PREFECT_PROFILES_PATH": str(state_dir / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLI_PROMPT": "false",
    }


def start(family: Family, state_dir: Path, database_url: str) -> PrefectAddress:
    """Start the server on its usual port, or on a free one where that is taken; return when it answers."""
    (port,) = free_ports(1, preferred=USUAL_PORT)
    log = state_dir / "prefect-server.log"
    address = PrefectAddress(api_url=f"http://127.0.0.1:{port}/api", ui_url=f"http://127.0.0.1:{port}")
    child = family.start(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        log=log,
        environment={
            **settings(state_dir),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_API_URL": address.api_url,
            "PREFECT_UI_API_URL": address.api_url,
        },
    )
    wait_until(answers(f"{address.api_url}/health"), child=child, name="The Prefect server", log=log, timeout_s=START_S)
    return address
