"""The example of TLS in front of the storage: a signed link and a form work through it, nothing else does."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.local import s3_keys
from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from tests.patience import PATIENCE_S

CADDYFILE = Path(__file__).resolve().parents[2] / "infra" / "policies" / "Caddyfile"
BUCKET = "through-tls"
pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed")


@pytest.fixture(scope="module")
def front(s3_server: S3Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The address of Caddy before the session's storage, and what trusts its certificate."""
    folder = tmp_path_factory.mktemp("caddy")
    keys = s3_keys.draw(folder)
    (port,) = free_ports(1)
    environment = {
        **{"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        "ADDRESS": f"https://127.0.0.1:{port}",
        "STORAGE": s3_server.endpoint_url.removeprefix("http://"),
        "TLS": f"tls {keys.certificate} {keys.key}",
    }
    caddy = shutil.which("caddy") or ""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([caddy, "run", "--config", str(CADDYFILE)], env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not _listens(port):
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=str(keys.authority))
        finally:
            server.terminate()
            server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def ask(url: str, trust: ssl.SSLContext, *, method: str = "GET") -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(urllib.request.Request(url, method=method), timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_signed_link_works_through_tls_and_nothing_else_does(
    front: tuple[str, ssl.SSLContext], s3_server: S3Access
) -> None:
    address, trust = front

    def client(endpoint: str) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=s3_server.region,
            aws_access_key_id=s3_server.access_key,
            aws_secret_access_key=s3_server.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    inside, outside = client(s3_server.endpoint_url), client(address)
    inside.create_bucket(Bucket=BUCKET)
    inside.put_object(Bucket=BUCKET, Key="jobs/x", Body=b"work")
    where = {"Bucket": BUCKET, "Key": "jobs/x"}
    link = outside.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    assert ask(link, trust) == (200, b"work")
    assert ask(f"{address}/{BUCKET}/jobs/x", trust)[0] == 403
    gone = outside.generate_presigned_url("delete_object", Params=where, ExpiresIn=60)
    assert ask(gone, trust, method="DELETE")[0] == 405
    assert ask(link, trust) == (200, b"work")
    inside.close()
    outside.close()
