"""The disk below the embedded servers is full for a while: nothing half-written, nothing lost, and all goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
import pytest

from deployments.demo import environment
from infra.local import postgres, s3
from infra.local.processes import Family, only_one
from infra.local.s3 import S3Access
from infra.local.supervisor import Supervisor, read_status
from packshot.errors import ObjectMissingError, PackshotError, StorageUnavailableError
from tasks.storage.bucket import Storage, open_storage
from tests.servers import open_folder
from tests.small_disk import fill, make_room, small_disk

pytestmark = pytest.mark.slow

R = TypeVar("R")
LONG_S = 180.0
FOLDERS = [f"batches/acme/full/{number}" for number in range(48)]
"""So many that each of the eight stores in which the server keeps its list of files has some."""
PICTURE = b"x" * 300_000
BUCKET = "packshot-full"
RECORD = "batches/acme/full/shots/A1/record.json"


class Servers(NamedTuple):
    """Two servers on a small disk, and the process that starts them again."""

    disk: Path
    state_dir: Path
    storage: Storage
    database_url: str
    watching: threading.Thread

    def ask(self, *statements: str) -> Any:
        """Run statements, and return the last one's value."""

        async def run() -> Any:
            connection = await asyncpg.connect(self.database_url.replace("+asyncpg", ""), timeout=10)
            try:
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return await connection.fetchval(statements[-1])
            finally:
                await connection.close(timeout=5)

        return asyncio.run(run())


def soon(ask: Callable[[], R], *, but: type[Exception] | tuple[type[Exception], ...]) -> R:
    """Ask again until it answers without an error of these kinds."""
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        with suppress(*(but if isinstance(but, tuple) else (but,))):
            return ask()
        time.sleep(1)
    return ask()


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with open_folder() as folder, small_disk(folder / "disk", megabytes=400) as disk:
        state_dir, stop = disk / "state", threading.Event()
        with only_one(state_dir) as lock, Family(str(state_dir), lock=lock) as family:
            with environment({"PACKSHOT_S3_BUCKET": BUCKET}):
                access, url = s3.start(family, state_dir), postgres.start(family, state_dir)
            supervisor = Supervisor(family.parts, state_dir, say=lambda _: None)
            watching = threading.Thread(target=supervisor.run, args=(stop,))
            watching.start()
            try:
                with environment(client_of(access)):
                    open_storage().ensure_bucket()
                    yield Servers(disk, state_dir, open_storage(), url, watching)
            finally:
                stop.set()
                watching.join()


def client_of(access: S3Access) -> dict[str, str]:
    return {
        "PACKSHOT_S3_ENDPOINT_URL": access.endpoint_url,
        "PACKSHOT_S3_ACCESS_KEY": access.access_key,
        "PACKSHOT_S3_SECRET_KEY": access.secret_key,
        "PACKSHOT_S3_BUCKET": BUCKET,
    }


def refused(servers: Servers, key: str) -> str:
    """Fill the disk until a write is refused; then there is no object, not even a part of one. Return what was said."""
    for _ in range(50):
        fill(servers.disk)
        try:
            servers.storage.put(key, PICTURE, content_type="image/tiff")
        except StorageUnavailableError as error:
            with pytest.raises(ObjectMissingError):
                servers.storage.get(key)
            return str(error)
        servers.storage._client.delete_object(Bucket=servers.storage.bucket, Key=key)
    raise AssertionError("the disk never was full")


def test_a_full_disk_under_the_servers(servers: Servers) -> None:
    """One story: before, full, room again."""
    storage = servers.storage
    storage.put(RECORD, b"before", content_type="application/json")
    _, etag = storage.get_with_etag(RECORD)
    servers.ask("create table runs (name text)", "insert into runs values ('before')", "select 1")

    for attempt in range(3):
        assert "has the storage's disk room" in refused(servers, f"batches/acme/full/{attempt}.tif")
        fill(servers.disk)
        with suppress(StorageUnavailableError):  # some bytes of a server's own may just have become free
            etag = storage.replace_if(RECORD, b"after", etag=etag, content_type="application/json").etag
    for folder in FOLDERS:  # until each store of the server's list of files has met the full disk, too
        with suppress(StorageUnavailableError):
            for number in range(100):
                fill(servers.disk)
                storage.put_if_absent(f"{folder}/{number}", b"", content_type="text/plain")
    assert storage.get(RECORD) in (b"before", b"after")
    with pytest.raises((asyncpg.PostgresError, OSError)):
        servers.ask("insert into runs select repeat('x', 1000) from generate_series(1, 200000)", "select 1")
    assert servers.watching.is_alive(), "what starts servers again must outlive a full disk"
    trouble = read_status(servers.state_dir)[1]
    assert str(servers.state_dir) in trouble
    assert "has only 0 MB free: make room" in trouble

    make_room(servers.disk)
    for folder in FOLDERS:
        soon(partial(storage.put, f"{folder}/after", b"", content_type="text/plain"), but=PackshotError)
    soon(lambda: storage.put("batches/acme/full/0.tif", PICTURE, content_type="image/tiff"), but=PackshotError)
    assert storage.get("batches/acme/full/0.tif") == PICTURE
    assert storage.get(RECORD) in (b"before", b"after")
    soon(lambda: servers.ask("insert into runs values ('after')", "select 1"), but=(asyncpg.PostgresError, OSError))
    assert servers.ask("select string_agg(name, ' ' order by name desc) from runs") == "before after"
    assert servers.watching.is_alive()
