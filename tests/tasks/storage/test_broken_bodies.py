"""Bytes of an object that break off on the way are asked for again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from benchmarks.storage_faults import Faults, faulty
from deployments.demo import environment
from packshot.errors import StorageUnavailableError
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.connection import ATTEMPTS

KEY = "batches/acme/spring/record"


class Truncating(Faults):
    """Cuts the first answers, and no others."""

    def __init__(self, times: int) -> None:
        super().__init__(0, 0)
        self._left = times

    def next(self) -> str:
        self._left -= 1
        return "truncated" if self._left >= 0 else ""


@pytest.mark.parametrize("times", [ATTEMPTS - 1, ATTEMPTS])
def test_an_object_whose_bytes_break_off_is_asked_for_again_as_often_as_any_request(
    storage: Storage, s3_settings: Settings, times: int
) -> None:
    """Kind of test that was missing: a task that reads many records, where one answer in twenty is cut."""
    data = b"x" * 50_000
    storage.put(KEY, data, content_type="application/json")
    here = urlsplit(s3_settings.s3_endpoint_url or "")
    with (
        faulty((here.hostname or "", here.port or 0), Truncating(times)) as address,
        environment({"PACKSHOT_S3_ENDPOINT_URL": address}),
    ):
        if times < ATTEMPTS:
            assert open_storage().get(KEY) == data
        else:
            with pytest.raises(StorageUnavailableError, match="broke off"):
                open_storage().get(KEY)
