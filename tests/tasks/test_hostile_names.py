"""Hostile names on real storage: each is told, and the others' work goes on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from deployments.demo import fetch_deliveries
from packshot.batch import BatchRecord
from packshot.errors import NamingError
from packshot.handoff.ticket import TicketFile
from packshot.ingest.stock import REFERENCE_FILE
from packshot.keys import delivery_key, inbox_key, inbox_prefix
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source
from packshot.types import Sourced
from tasks.batches.closed import closed_batches
from tasks.batches.submitting import submit_folder
from tasks.environment.style_guides import promise_to
from tasks.people.hot_folder import _files, _Findings
from tasks.people.tickets import _reference
from tasks.records.bookkeeping import now
from tasks.records.stored import create_batch
from tasks.reports.return_rate import report_client
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox
from tasks.telling import notices
from tasks.telling.notices import Notice
from tests.hostile_names import NAMES, PATHS

BATCH = batch_id("acme", "spring")
IN_STORAGE = ("%2e%2e", "a b", "ä", "a%b", "[a](b)", "=1+1", "a..b", "-a")
"""Of the hostile names those that the test's S3 server keeps as they are."""


def put(storage: Storage, key: str, data: bytes = b"") -> None:
    """Write as somebody with a key of the bucket does: by no way of ours."""
    storage._client.put_object(Bucket=storage.bucket, Key=key, Body=data)


def test_a_folder_that_can_be_no_batch_is_told_and_the_night_goes_on(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    assert set(IN_STORAGE) <= set(NAMES)
    for name in IN_STORAGE:
        put(storage, f"inbox/acme/{name}/READY")
        put(storage, f"inbox/{name}/spring/READY")
    open_inbox().close(BATCH)
    with caplog.at_level(logging.WARNING):
        assert closed_batches.fn().batches == (BATCH,)
    for name in IN_STORAGE:
        assert f"inbox/acme/{name}/READY" in caplog.text


def test_a_misnamed_returned_file_is_told_once_and_the_others_are_looked_at(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Notice] = []
    monkeypatch.setattr(notices, "send", told.append)
    for name in IN_STORAGE:
        put(storage, f"jobs/acme/spring/{name}/returned/x.tif", b"x")
        put(storage, f"jobs/{name}/spring/A1/returned/x.tif", b"x")
    put(storage, "jobs/acme/spring/A1/returned/%2e%2e/x.tif", b"x")
    put(storage, "jobs/acme/spring/A1/returned/A1.tif", b"x")
    found = _Findings(at=now())
    assert list(_files("", found)) == []
    assert found.waiting == ["jobs/acme/spring/A1/returned/A1.tif"]
    assert len(found.unknown) == 2 * len(IN_STORAGE) + 1
    assert "cannot be used" in found.unknown["jobs/acme/spring/A1/returned/%2e%2e/x.tif"]
    assert {one.kind for one in told} == {"misnamed"}
    assert len(told) == len(found.unknown)
    list(_files("", _Findings(at=now())))
    assert len(told) == len(found.unknown), "of each but once"


@pytest.mark.parametrize("client", ["%2e%2e", "a b"])
def test_a_client_that_can_be_none_fails_alone(storage: Storage, client: str) -> None:
    told = report_client.fn(client)
    assert told.failed
    assert "cannot be used in a storage key" in told.sentence


def test_a_symbolic_link_is_never_followed_and_told(storage: Storage, tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "shoot"
    secret.mkdir()
    folder.mkdir()
    (secret / "shadow").write_text("root:secret")
    (folder / "A1.jpg").write_bytes(b"a photograph")
    (folder / "notes.txt").symlink_to(secret / "shadow")
    (folder / "more").symlink_to(secret)
    (folder / "bad\nname.jpg").write_bytes(b"x")
    left_out: dict[str, str] = {}
    count = submit_folder(folder, BATCH, on_progress=lambda *_: None, on_left_out=left_out.__setitem__)
    assert count == 1
    assert left_out["notes.txt"] == left_out["more"] == "it is a symbolic link"
    assert set(left_out) == {"notes.txt", "more", "bad\nname.jpg"}
    assert {one.key.removeprefix(inbox_prefix(BATCH)) for one in storage.list("inbox/")} == {"A1.jpg", "READY"}


def test_no_delivered_name_becomes_a_file_outside_its_folder(storage: Storage, tmp_path: Path) -> None:
    put(storage, delivery_key(BATCH, 1, "report.html"), b"x")
    for name in ("%2e%2e/%2e%2e/x", "%2e%2e%2fy", "a%0ab"):
        put(storage, f"deliveries/acme/spring/1/{name}", b"x")
    before = set(tmp_path.rglob("*"))
    fetch_deliveries(BATCH, tmp_path / "below" / "deliveries")
    written = [path.relative_to(tmp_path).as_posix() for path in set(tmp_path.rglob("*")) - before if path.is_file()]
    assert written == ["below/deliveries/1/report.html"]


def test_a_reference_of_the_manifest_stays_in_its_batch() -> None:
    with pytest.raises(NamingError, match="leads out of its folder"):
        inbox_key(BATCH, "../../other/spring/secret.jpg")


SECRET = "other/spring/secret.jpg"
OUTSIDE = (
    *(f"../../{SECRET}", f"a/../../../{SECRET}", f"..\\..\\{SECRET}", f"./../../{SECRET}", "../summer/secret.jpg"),
    *(
        f"%2e%2e/%2e%2e/{SECRET}",
        f"%2E%2E%2F%2E%2E%2F{SECRET}",
        f"%252e%252e/%252e%252e/{SECRET}",
        f"..%2f..%2f{SECRET}",
    ),
    *(f"inbox/{SECRET}", f"/inbox/{SECRET}", f"//inbox/{SECRET}", f"\uff0e\uff0e/\uff0e\uff0e/{SECRET}"),
    *(f"https://example.com/inbox/{SECRET}", f"s3://packshot/inbox/{SECRET}", f"file:///{SECRET}", f"C:\\{SECRET}"),
    *(f"refs/red.jpg?versionId=../../{SECRET}", f"refs/red.jpg#/../../../{SECRET}", f"refs/red.jpg\0../../{SECRET}"),
)


def test_no_link_is_signed_for_a_reference_outside_of_the_batch_s_own_folder(storage: Storage) -> None:
    put(storage, f"inbox/{SECRET}", b"secret")
    put(storage, "inbox/acme/summer/secret.jpg", b"secret")
    put(storage, "inbox/acme/spring/refs/red.jpg", b"red")
    ignored = {"refs/red.jpg": REFERENCE_FILE}
    create_batch(BatchRecord(batch=BATCH, received_at=now(), ignored=ignored))
    promise = promise_to("acme")

    def signed(named: str) -> TicketFile | None:
        source = Source(key="inbox/acme/spring/A1.jpg", sha256="", size_bytes=1)
        facts = {"reference": Sourced(value=named, source="manifest")}
        return _reference(ShotRecord(shot=BATCH.shot("A1"), source=source, facts=facts), promise).file

    for named in (*OUTSIDE, *PATHS):
        assert signed(named) is None, named
    own = signed("refs/red.jpg")
    assert own is not None
    assert own.key == "jobs/acme/spring/A1/out/reference.jpg"
    assert f"/{own.key}?" in own.link
    assert storage.get(own.key) == b"red"
