"""The proxy that disturbs requests to the storage, before the real one."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from benchmarks import storage_faults
from benchmarks.storage_faults import Faults, faulty
from infra.local.s3 import S3Access
from packshot.errors import StorageUnavailableError
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage, open_storage

DATA = bytes(range(256)) * 4000


def behind(address: str, server: S3Access) -> Storage:
    return open_storage(
        Settings(
            s3_endpoint_url=address,
            s3_bucket="packshot-faults",
            s3_access_key=SecretStr(server.access_key),
            s3_secret_key=SecretStr(server.secret_key),
        )
    )


def upstream(server: S3Access) -> tuple[str, int]:
    parts = urlsplit(server.endpoint_url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


@pytest.fixture
def direct(s3_server: S3Access) -> Storage:
    storage = behind(s3_server.endpoint_url, s3_server)
    storage.ensure_bucket()
    return storage


def test_what_is_not_disturbed_passes_unchanged(direct: Storage, s3_server: S3Access) -> None:
    faults = Faults(0, seed=1)
    with faulty(upstream(s3_server), faults) as address:
        through = behind(address, s3_server)
        through.put("batches/a b", DATA, content_type="text/plain")
        assert through.get("batches/a b") == direct.get("batches/a b") == DATA
        assert "batches/a b" in [one.key for one in through.list("batches/")]
    assert faults.met.total() == 0


@pytest.mark.parametrize("kind", storage_faults.KINDS)
def test_each_fault_is_met_and_said(
    kind: str, direct: Storage, s3_server: S3Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_faults, "SLOW_S", 0.1)
    direct.put("batches/b", DATA, content_type="text/plain")
    faults = Faults(1, seed=1, kinds=(kind,))
    with faulty(upstream(s3_server), faults) as address:
        through = behind(address, s3_server)
        if kind == "slow":
            assert through.get("batches/b") == DATA
        else:
            with pytest.raises(StorageUnavailableError):
                through.get("batches/b")
    assert faults.met[kind] >= 1
