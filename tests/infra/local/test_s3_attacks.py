"""Who has no key of the embedded S3 server reads, writes and deletes nothing, whichever of its ports he tries."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.local import s3
from infra.local.s3 import S3Access
from infra.local.stack import running
from tests.infra.local.neighbour import CONNECT, NEIGHBOUR, READ, act, as_root, ask
from tests.infra.local.test_s3 import BUCKET, connect

PATHS = (
    "/",
    "/status",
    "/ui/index.html",
    "/dir/status",
    "/dir/assign",
    "/dir/lookup?volumeId=1",
    "/vol/status",
    "/vol/grow?count=1",
    f"/col/delete?collection={BUCKET}",
    "/cluster/status",
    "/metrics",
    "/debug/pprof/",
    f"/buckets/{BUCKET}/secret",
    f"/{BUCKET}/secret",
    "/admin/assign_volume?volume=99",
)
OPEN = {("/status", 200), ("/healthz", 200)}
"""Health answers of the S3 gateway: they show nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Access, Path, dict[str, int]]]:
    folder = tmp_path_factory.mktemp("attacked")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("S3_ENDPOINT_URL", raising=False)  # this is about the embedded one
        with running(folder, prefect=False) as stack:
            client = connect(stack.s3)
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="secret", Body=b"kept safe")
            ports = json.loads((folder / "ports.json").read_text())["s3"]
            yield stack.s3, folder, dict(zip(s3.PORTS, ports, strict=True))
            assert client.get_object(Bucket=BUCKET, Key="secret")["Body"].read() == b"kept safe"
            client.close()


@as_root
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_no_inner_port_answers_a_neighbour_or_a_picture_tag(
    server: tuple[S3Access, Path, dict[str, int]], method: str
) -> None:
    _, _, ports = server
    for port, scheme, _, path, status, said in ask(ports.values(), PATHS, method=method, body=None):
        assert BUCKET not in said or port == ports["s3"], (port, path, said)
        if port == ports["s3"]:
            assert (path, status) in OPEN or status in (400, 403, 405), (method, path, status, said)
        else:
            # Plain HTTP to a port that speaks TLS; without the certificate TLS itself fails.
            assert (scheme, status) == ("http", 400), (port, path, status, said)
            assert said == "Client sent an HTTP request to an HTTPS server.\n"


@as_root
def test_a_neighbours_shell_makes_nobody_an_administrator(server: tuple[S3Access, Path, dict[str, int]]) -> None:
    _, _, ports = server
    places = [
        f"-master=127.0.0.1:{ports['master']}.{ports['master.grpc']}",
        f"-filer=127.0.0.1:{ports['filer']}.{ports['filer.grpc']}",
    ]
    command = "s3.configure -user=thief -access_key=thief -secret_key=thief -actions=Admin -apply\nvolume.list\n"
    shell = subprocess.Popen(
        [s3._weed(), "shell", *places],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=NEIGHBOUR,
        group=NEIGHBOUR,
        extra_groups=[],
        cwd="/",
        env={"HOME": "/"},
    )
    try:
        said, _ = shell.communicate(command, timeout=4)
    except subprocess.TimeoutExpired:  # it tries to get in for ever
        shell.kill()
        said, _ = shell.communicate()
    assert "total size" not in said
    assert "thief" not in said


@as_root
def test_no_socket_and_no_file_of_the_server_opens_for_a_neighbour(
    server: tuple[S3Access, Path, dict[str, int]],
) -> None:
    _, folder, ports = server
    process = _listener(ports["s3"])
    sockets = {
        link.laddr for link in process.net_connections(kind="unix") if isinstance(link.laddr, str) and link.laddr
    }
    assert len(sockets) >= 5  # the test looks at something
    assert act(CONNECT, sorted(sockets)) == []
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    assert act(READ, files) == []


def test_keys_are_drawn_once_and_readable_by_their_owner_only(server: tuple[S3Access, Path, dict[str, int]]) -> None:
    access, folder, _ = server
    keys = {path: path.read_bytes() for path in (folder / "s3" / "keys").iterdir()}
    assert len(keys) == 7
    for path in (*keys, folder / "s3" / "security.toml", folder / "s3-credentials.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    s3._configure(folder / "s3")
    assert {path: path.read_bytes() for path in keys} == keys
    command = " ".join(_listener(int(access.endpoint_url.rpartition(":")[2])).cmdline())
    assert not any(content.decode(errors="replace").strip() in command for content in keys.values())


def test_the_certificates_key_is_not_the_authoritys(server: tuple[S3Access, Path, dict[str, int]]) -> None:
    """Who reads all files of the server can still sign no certificate of his own."""
    _, folder, _ = server
    private = [path for path in (folder / "s3").rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert [path.name for path in private] == ["inner.key"]


def _listener(port: int) -> psutil.Process:
    found = [link.pid for link in psutil.net_connections(kind="tcp") if link.laddr and link.laddr.port == port]
    return psutil.Process(next(pid for pid in found if pid and pid != os.getpid()))
