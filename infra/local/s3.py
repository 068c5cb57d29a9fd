"""Run the embedded S3 server (SeaweedFS, from a wheel), or use another server that the environment names."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local import s3_keys
from infra.local.parts import REFUSES, Child, Part
from infra.local.processes import ANSWER_S, Family, ServerError, answers, is_free, kept_ports, listens
from infra.local.s3_keys import InnerKeys

START_S = 60.0
STOP_S = 0.5
"""A clean stop of SeaweedFS takes 15 s. Acknowledged writes are in its files by then, so killing it loses nothing."""
MEMORY = "400MiB"
"""Soft memory limit for Go's garbage collector; without it, the server grew to 1 GB during uploads."""
SOCKETS = "/tmp/seaweedfs-{server}-grpc-{port}.sock"  # noqa: S108  (the program's choice; no flag changes it)
CONFIGS = {
    # These and security.toml are written, so that files of the same names in /etc/seaweedfs or at home have no say.
    "filer.toml": '[leveldb2]\nenabled = true\ndir = "./filerldb2"\n',
    "master.toml": "[master.volume_growth]\ncopy_1 = 2\n",  # a bucket starts with two volumes instead of seven
}
STORES = 8
"""SeaweedFS keeps its list of files in so many stores; which one a file stands in is decided by its folder's path."""
PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")


@dataclasses.dataclass(frozen=True)
class S3Access:
    """The address of an S3-compatible server, and the keys with which a client may use it.

    Attributes:
        endpoint_url: for example ``http://127.0.0.1:8333``.
        access_key, secret_key: the client's key pair. The pair of an embedded server has all rights.
        region: the AWS region for which requests are signed.
    """

    endpoint_url: str
    access_key: str
    secret_key: str = dataclasses.field(repr=False)
    region: str = "us-east-1"


def from_environment() -> S3Access | None:
    """Return the S3 server that the environment names; None if it names none.

    ``S3_ENDPOINT_URL`` has its address, ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY`` its keys.

    Raises:
        ServerError: the address is set, but one of the keys is not.
    """
    endpoint = os.environ.get("S3_ENDPOINT_URL")
    if not endpoint:
        return None
    try:
        return S3Access(endpoint, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    except KeyError as missing:
        raise ServerError(f"S3_ENDPOINT_URL is set, but {missing.args[0]} is not. Set it, or unset both.") from None


def start(family: Family, state_dir: Path, *, port: int | None = None) -> S3Access:
    """Start the S3 server SeaweedFS on 127.0.0.1, wait until it answers, and return its address and keys.

    Args:
        family: the processes that end together with the server.
        state_dir: folder for its data, log and keys.
        port: port of the S3 interface; None means the port of the last start, or a free one.

    Raises:
        ServerError: the program is missing, the port is taken, or the server does not start.
    """
    access, wait = launch(family, state_dir, port=port)
    wait()
    return access


def launch(family: Family, state_dir: Path, *, port: int | None = None) -> tuple[S3Access, Callable[[], None]]:
    """Start the S3 server SeaweedFS, without waiting for it; return (its address and keys, a function that waits).

    The function takes no arguments and returns when the server is ready. It raises a ServerError if the server does
    not start.

    Args:
        family: the processes that end together with the server.
        state_dir: folder for its data, log and keys.
        port: port of the S3 interface; None means the port of the last start, or a free one.

    Raises:
        ServerError: the program is missing, or the port is taken.
    """
    folder, log = state_dir / "s3", state_dir / "s3.log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    access_key, secret_key = _credentials(state_dir / "s3-credentials.json")
    ports = dict(zip(PORTS, kept_ports(state_dir, "s3", len(PORTS)), strict=True))
    if port is not None:
        if not is_free(port):
            raise ServerError(
                f"The S3 server cannot use port {port} of 127.0.0.1: another program uses it. Choose another port."
            )
        ports["s3"] = port
    inner, program = _configure(folder), _weed()
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    access = S3Access(endpoint, access_key, secret_key)
    probe = _Probe(access, os.environ.get("PACKSHOT_S3_BUCKET") or "packshot")
    gateway, knows_volumes = answers(f"{endpoint}/status"), f"https://127.0.0.1:{ports['master']}/dir/status"

    def start_process() -> Child:
        _remove_sockets(ports)
        return family.start(
            [program, "-logtostderr", "server", *_flags(state_dir, folder), *(_port_flag(*it) for it in ports.items())],
            log=log,
            environment={"HOME": str(folder), "GOMEMLIMIT": MEMORY},
            grace_s=STOP_S,
            cwd=folder,
        )

    def trouble(child: Child) -> str:
        if not (gateway() and listens(child, ports["s3"])):
            return f"{endpoint} does not answer"
        if not _can_store(knows_volumes, inner):
            return "its volume server is not ready"
        return "" if probe.accepted() else REFUSES

    family.afterwards(lambda: _remove_sockets(ports))
    part = family.keep(Part("s3", start_process, trouble, log, START_S))
    return access, part.wait


def _configure(folder: Path) -> InnerKeys:
    """Write the config files that SeaweedFS reads at its start; return the keys of its inner servers."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    inner = s3_keys.draw(keys)
    for name, text in {**CONFIGS, "security.toml": s3_keys.security_toml(keys, inner)}.items():
        s3_keys.write_secret(folder / name, text.encode())
    return inner


def _flags(state_dir: Path, folder: Path) -> tuple[str, ...]:
    return (
        *(f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        # One master is its own leader at once; as one of several it waits, and first reads and writes fail.
        *("-master.peers=none", "-master.telemetry=false"),
        # A master that resumes alone calls its elections, and then checks each thousandth of a second whether it still
        # leads. What it would remember, the number of the last volume, the volume server tells it at every start.
        "-master.resumeState=false",
        # Nothing is preallocated; the count is a limit, and would follow the free disk (0): too few buckets.
        *("-master.volumeSizeLimitMB=1024", "-volume.max=1000", "-volume.preStopSeconds=0"),
        # The gateway talks gRPC to the filer. All inner servers ask for a certificate besides: see s3_keys.
        *("-filer", "-filer.disableHttp", "-filer.maxMB=16", f"-filer.localSocket={_socket(folder, 'filer')}"),
        *("-s3", f"-s3.config={state_dir / 's3-credentials.json'}", f"-s3.localSocket={_socket(folder, 's3')}"),
        *("-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        "-s3.autoCreateBucket=false",  # like S3: a put into a missing bucket is an error
    )


def _socket(folder: Path, server: str) -> str:
    """Return the path of a server's socket: in its folder, or in /tmp if that is too long (macOS allows 104 bytes)."""
    inside = folder / f"{server}.sock"
    short = f"/tmp/packshot-{server}-{os.getpid()}.sock"  # noqa: S108  (the program makes it; others can't write to it)
    return str(inside) if len(os.fsencode(inside)) < 100 else short


def _can_store(topology_url: str, inner: InnerKeys) -> bool:
    """Return whether the master knows the volume server, so that the first put will succeed."""
    with_certificate = urllib.request.HTTPSHandler(context=inner.context())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), with_certificate)
    try:
        with opener.open(topology_url, timeout=2) as answer:
            return int(json.load(answer)["Topology"]["Max"]) > 0
    except (OSError, ValueError, KeyError, TypeError):
        return False


class _Probe:
    """Shows that the server accepts writes: an empty object for each store of its list of files, in turn.

    Once its disk was full, a store refuses every write, also when there is room again, until the server is started
    anew. The others go on.
    """

    def __init__(self, access: S3Access, bucket: str) -> None:
        self._access = access
        self._places = tuple(f"{bucket}/{folder}/empty" for folder in _one_folder_a_store(bucket))
        self._turn = 0

    def accepted(self) -> bool:
        """Return whether the S3 server accepts a write: it stored a small object, or has no bucket yet.

        Each call tries another object. After a refusal, the next call tries the refused object again.
        """
        if not _accepts_write(self._access, self._places[self._turn]):
            return False
        self._turn = (self._turn + 1) % len(self._places)
        return True


def _one_folder_a_store(bucket: str) -> tuple[str, ...]:
    """Return a folder of the bucket for each store (SeaweedFS, weed/filer/leveldb2: last byte of the path's MD5)."""
    found: dict[int, str] = {}
    for number in itertools.count():
        folder = f"leases/probe/{number}"
        path = f"/buckets/{bucket}/{folder}".encode()
        found.setdefault(hashlib.md5(path, usedforsecurity=False).digest()[-1] % STORES, folder)
        if len(found) == STORES:
            return tuple(found[store] for store in range(STORES))
    raise AssertionError


def _accepts_write(access: S3Access, place: str) -> bool:
    """Return whether an empty object can be written, or there is no bucket yet.

    Args:
        place: bucket and key.
    """
    wanted = AWSRequest("PUT", f"{access.endpoint_url}/{place}", data=b"")
    S3SigV4Auth(Credentials(access.access_key, access.secret_key), "s3", access.region).add_auth(wanted)
    request = urllib.request.Request(str(wanted.url), data=b"", headers=dict(wanted.headers), method="PUT")  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_S):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # 404: no bucket yet
    except OSError:
        return False


def _remove_sockets(ports: dict[str, int]) -> None:
    """Remove the sockets that SeaweedFS leaves in /tmp."""
    for name, port in ports.items():
        server, _, kind = name.partition(".")
        if kind:
            with contextlib.suppress(OSError):
                Path(SOCKETS.format(server=server, port=port)).unlink(missing_ok=True)


def _port_flag(name: str, port: int) -> str:
    server, _, kind = name.partition(".")
    return f"-{server}.port{'.' + kind if kind else ''}={port}"


def _weed() -> str:
    """Return the server's program, from this Python's folder or from the PATH."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise ServerError("The embedded S3 server is not installed. Install packshot[local].")
    return found


def _credentials(path: Path) -> tuple[str, str]:
    """Return the server's access and secret key, created at the first start; only this user can read the file."""
    if not path.exists():
        keys = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(20)}
        identity = {"name": "packshot", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        path.touch(mode=0o600)
        path.write_text(json.dumps({"identities": [identity]}))
    keys = json.loads(path.read_text())["identities"][0]["credentials"][0]
    return keys["accessKey"], keys["secretKey"]
