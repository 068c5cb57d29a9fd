"""The embedded S3 server: SeaweedFS from a wheel, or whichever server the environment names."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path

from infra.local.processes import Family, ServerError, answers, free_ports, wait_until

START_S = 60.0
PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")


@dataclasses.dataclass(frozen=True)
class S3Access:
    """How to reach an S3-compatible server."""

    endpoint_url: str
    access_key: str
    secret_key: str = dataclasses.field(repr=False)
    region: str = "us-east-1"


def from_environment() -> S3Access | None:
    """Return the server that ``S3_ENDPOINT_URL`` names, with ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``."""
    endpoint = os.environ.get("S3_ENDPOINT_URL")
    if not endpoint:
        return None
    try:
        return S3Access(endpoint, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    except KeyError as missing:
        raise ServerError(f"S3_ENDPOINT_URL is set, but {missing.args[0]} is not. Set it, or unset both.") from None


def start(family: Family, state_dir: Path) -> S3Access:
    """Start SeaweedFS on free ports of 127.0.0.1 with its data below `state_dir`; return when it answers."""
    folder, log = state_dir / "s3", state_dir / "s3.log"
    folder.mkdir(parents=True, exist_ok=True)
    access_key, secret_key = _credentials(state_dir / "s3-credentials.json")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    child = family.start(
        [
            *(_weed(), "-logdir", folder, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *("-filer", "-s3", f"-s3.config={state_dir / 's3-credentials.json'}", "-s3.iam=false"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            *("-master.volumeSizeLimitMB=1024", "-volume.max=0", "-volume.preStopSeconds=0"),
            *(_port_flag(name, port) for name, port in ports.items()),
        ],
        log=log,
        stop_signal=signal.SIGTERM,
    )
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    wait_until(answers(f"{endpoint}/status"), child=child, name="SeaweedFS", log=log, timeout_s=START_S)
    return S3Access(endpoint, access_key, secret_key)


def _port_flag(name: str, port: int) -> str:
    server, _, kind = name.partition(".")
    return f"-{server}.port{'.' + kind if kind else ''}={port}"


def _weed() -> str:
    """The server's program: beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise ServerError("The embedded S3 server is not installed. Install packshot[local].")
    return found


def _credentials(path: Path) -> tuple[str, str]:
    """Read the server's keys, or draw them the first time; only this user can read the file."""
    if not path.exists():
        keys = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(20)}
        identity = {"name": "packshot", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        path.touch(mode=0o600)
        path.write_text(json.dumps({"identities": [identity]}))
    keys = json.loads(path.read_text())["identities"][0]["credentials"][0]
    return keys["accessKey"], keys["secretKey"]
