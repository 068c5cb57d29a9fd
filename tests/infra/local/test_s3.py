"""The embedded S3 server keeps what it was given, and keeps to what the storage relies on."""

from __future__ import annotations

import json
import stat
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import s3
from infra.local.processes import ServerError
from infra.local.s3 import S3Access
from infra.local.stack import Ports, running
from tests.infra.local.conftest import Starter, wait_until_nothing_is_left

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

WRITERS = 6
BUCKET = "embedded-server"


def connect(access: S3Access) -> S3Client:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=access.endpoint_url,
        region_name=access.region,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
    )


@pytest.fixture(scope="module")
def client(s3_server: S3Access) -> Iterator[S3Client]:
    client = connect(s3_server)
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


def test_of_many_writers_who_expect_no_object_exactly_one_wins(client: S3Client) -> None:
    line_up = threading.Barrier(WRITERS)

    def write(number: int) -> str:
        line_up.wait()
        try:
            client.put_object(Bucket=BUCKET, Key="first", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "won"

    client.delete_object(Bucket=BUCKET, Key="first")
    with ThreadPoolExecutor(WRITERS) as writers:
        outcomes = list(writers.map(write, range(WRITERS)))
    assert sorted(outcomes) == ["PreconditionFailed"] * (WRITERS - 1) + ["won"]
    stored = client.get_object(Bucket=BUCKET, Key="first")["Body"].read()
    assert stored == str(outcomes.index("won")).encode()


def test_no_update_is_lost_when_writers_expect_what_they_read(client: S3Client) -> None:
    each = 4

    def count_up(_: int) -> None:
        done = 0
        while done < each:
            read = client.get_object(Bucket=BUCKET, Key="counter")
            following = str(int(read["Body"].read()) + 1).encode()
            try:
                client.put_object(Bucket=BUCKET, Key="counter", Body=following, IfMatch=read["ETag"])
                done += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"  # noqa: PT017

    client.put_object(Bucket=BUCKET, Key="counter", Body=b"0")
    with ThreadPoolExecutor(3) as writers:
        list(writers.map(count_up, range(3)))
    assert client.get_object(Bucket=BUCKET, Key="counter")["Body"].read() == str(3 * each).encode()


def test_an_empty_object_can_be_put_found_and_removed(client: S3Client) -> None:
    client.put_object(Bucket=BUCKET, Key="batch/READY", Body=b"")
    assert client.head_object(Bucket=BUCKET, Key="batch/READY")["ContentLength"] == 0
    client.delete_object(Bucket=BUCKET, Key="batch/READY")
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket=BUCKET, Key="batch/READY")


def test_a_put_into_a_missing_bucket_is_refused(client: S3Client) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        client.put_object(Bucket="never-created", Key="x", Body=b"")


def test_nobody_reads_without_a_key_and_nothing_listens_beyond_this_machine(
    client: S3Client, s3_server: S3Access
) -> None:
    client.put_object(Bucket=BUCKET, Key="secret", Body=b"x")
    port = int(s3_server.endpoint_url.rpartition(":")[2])
    listening = [link for link in psutil.net_connections(kind="tcp") if link.status == psutil.CONN_LISTEN]
    server = next((link.pid for link in listening if link.laddr.port == port), None)
    if server is None:
        pytest.skip("the S3 server of the environment is not one of this machine's processes")
    addresses = [link.laddr for link in listening if link.pid == server]
    assert len(addresses) >= len(s3.PORTS)
    assert {address.ip for address in addresses} == {"127.0.0.1"}
    for address in addresses:
        for path in (f"/{BUCKET}/secret", f"/buckets/{BUCKET}/secret"):
            assert not _reads(f"http://127.0.0.1:{address.port}{path}")


def _reads(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.read() == b"x")
    except (urllib.error.URLError, OSError):
        return False


def test_after_kill_9_the_next_start_has_the_same_files_keys_and_address(tmp_path: Path, start: Starter) -> None:
    starter = start("s3", tmp_path)
    port = json.loads((tmp_path / "ports.json").read_text())["s3"][s3.PORTS.index("s3")]
    before = S3Access(f"http://127.0.0.1:{port}", *s3._credentials(tmp_path / "s3-credentials.json"))
    client = connect(before)
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="kept/a", Body=b"a" * 100_000)
    client.put_object(Bucket=BUCKET, Key="kept/b", Body=b"b")
    client.close()
    starter.kill()
    wait_until_nothing_is_left(tmp_path)
    with running(tmp_path, prefect=False) as stack:
        assert stack.s3 == before
        client = connect(stack.s3)
        assert client.get_object(Bucket=BUCKET, Key="kept/a")["Body"].read() == b"a" * 100_000
        assert client.get_object(Bucket=BUCKET, Key="kept/b")["Body"].read() == b"b"
        client.create_bucket(Bucket="a-new-one")
        for bucket in (BUCKET, "a-new-one"):  # a volume's number that is used twice would lose what is there
            client.put_object(Bucket=bucket, Key="new/a", Body=b"new")
            assert client.get_object(Bucket=bucket, Key="new/a")["Body"].read() == b"new"
        assert client.get_object(Bucket=BUCKET, Key="kept/a")["Body"].read() == b"a" * 100_000
        client.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="how often threads wake is counted as Linux has it")
def test_a_server_that_was_started_again_wakes_no_more_often_than_one_that_is_new(tmp_path: Path) -> None:
    """It did, 700 times a second for each thread. Waking is counted; an unasked server does nothing else."""
    with running(tmp_path, prefect=False) as stack:
        connect(stack.s3).create_bucket(Bucket=BUCKET)
        new = wakes(stack.family.parts[0].pid)
    with running(tmp_path, prefect=False) as stack:
        again = wakes(stack.family.parts[0].pid)
    assert again <= 3 * new + 200


def wakes(process: int) -> int:
    """How often the threads of a process wake in two seconds."""
    counts = []
    for _ in range(2):
        texts = [file.read_text() for file in Path(f"/proc/{process}/task").glob("*/status")]
        counts.append(sum(int(text.rpartition("\nvoluntary_ctxt_switches:")[2].split()[0]) for text in texts))
        time.sleep(2)
    return counts[1] - counts[0]


def test_two_state_folders_run_side_by_side_and_leave_no_sockets(tmp_path: Path, s3_server: S3Access) -> None:
    sockets = {str(path) for path in Path("/tmp").glob("seaweedfs-*.sock")}
    with running(tmp_path, prefect=False, ports=Ports()) as stack:
        assert stack.s3.endpoint_url != s3_server.endpoint_url
        assert stack.s3.secret_key != s3_server.secret_key
        names = (tmp_path / "ports.json").read_text()
    left = {str(path) for path in Path("/tmp").glob("seaweedfs-*.sock")} - sockets
    assert not [name for name in left if name.rpartition("-")[2].removesuffix(".sock") in names]


def test_keys_are_readable_by_their_owner_only_and_never_shown(tmp_path: Path) -> None:
    access_key, secret_key = s3._credentials(tmp_path / "keys.json")
    assert s3._credentials(tmp_path / "keys.json") == (access_key, secret_key)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert secret_key not in repr(S3Access("http://127.0.0.1:1", access_key, secret_key))


def test_a_server_named_by_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:9000")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with running(tmp_path, prefect=False) as stack:
        assert stack.s3 == S3Access("http://127.0.0.1:9000", "a", "b")
        assert stack.environment()["PACKSHOT_S3_ENDPOINT_URL"] == "http://127.0.0.1:9000"
        assert stack.family._children == []
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ServerError, match="AWS_SECRET_ACCESS_KEY is not"):
        s3.from_environment()
