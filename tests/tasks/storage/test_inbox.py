"""The client's side of the inbox."""

from __future__ import annotations

import pytest

from packshot.errors import StorageDeniedError
from packshot.naming import batch_id
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox

BATCH = batch_id("acme", "spring")


def test_a_client_submits_a_batch_and_closes_it(storage: Storage) -> None:
    open_inbox().upload(BATCH, "day 1/a.jpg", b"a", content_type="image/jpeg")
    open_inbox().upload(BATCH, "day 1/a.jpg", b"better", content_type="image/jpeg")
    open_inbox().close(BATCH)
    open_inbox().upload(BATCH, "day 1/a.jpg", b"better", content_type="image/jpeg")
    for path, data in (("day 1/a.jpg", b"changed"), ("late.jpg", b"new")):
        with pytest.raises(StorageDeniedError, match="closed"):
            open_inbox().upload(BATCH, path, data, content_type="image/jpeg")
    assert {info.key: info.size_bytes for info in storage.list("inbox/")} == {
        "inbox/acme/spring/READY": 0,
        "inbox/acme/spring/day 1/a.jpg": 6,
    }
    storage.copy("inbox/acme/spring/day 1/a.jpg", "quarantine/acme/spring/day 1/a.jpg")
    assert storage.get("quarantine/acme/spring/day 1/a.jpg") == b"better"
