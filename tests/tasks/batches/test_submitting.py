from __future__ import annotations

from pathlib import Path

import pytest

from packshot.errors import NamingError, StorageDeniedError
from packshot.keys import inbox_key, inbox_prefix
from packshot.naming import batch_id
from tasks.batches.closed import closed_batches
from tasks.batches.submitting import submit_folder
from tasks.storage.bucket import Storage

BATCH = batch_id("acme", "spring")


def silent(name: str, done: int, total: int) -> None:
    """Take a report of progress and show nothing."""


def silent_too(name: str, why: str) -> None:
    """Take a report of a file that is left out and show nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shoot"
    (folder / "details").mkdir(parents=True)
    (folder / "A1_MAIN.jpg").write_bytes(b"first")
    (folder / "details" / "Größe 2.tif").write_bytes(b"second")
    (folder / "manifest.csv").write_bytes(b"file\nA1_MAIN.jpg\n")
    return folder


def test_a_folder_with_all_below_it_becomes_a_closed_batch(storage: Storage, folder: Path) -> None:
    assert submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too) == 3
    paths = [one.key.removeprefix(inbox_prefix(BATCH)) for one in storage.list(inbox_prefix(BATCH))]
    assert sorted(paths) == ["A1_MAIN.jpg", "READY", "details/Größe 2.tif", "manifest.csv"]
    assert storage.get(inbox_key(BATCH, "details/Größe 2.tif")) == b"second"
    assert closed_batches.fn().batches == (BATCH,)


def test_files_say_what_they_are(storage: Storage, folder: Path) -> None:
    submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too)
    kinds = {path: storage.head(inbox_key(BATCH, path)).content_type for path in ("A1_MAIN.jpg", "manifest.csv")}
    assert kinds == {"A1_MAIN.jpg": "image/jpeg", "manifest.csv": "text/csv"}


def test_the_batch_is_closed_last_so_that_nobody_starts_on_half_of_it(storage: Storage, folder: Path) -> None:
    seen: list[tuple[str, int, int, bool]] = []

    def watch(name: str, done: int, total: int) -> None:
        seen.append((name, done, total, storage.exists(inbox_key(BATCH, "READY"))))

    submit_folder(folder, BATCH, on_progress=watch, on_left_out=silent_too)
    assert [(done, total, closed) for _, done, total, closed in seen] == [(1, 3, False), (2, 3, False), (3, 3, False)]
    assert storage.exists(inbox_key(BATCH, "READY"))


def test_an_upload_that_broke_off_goes_on_where_it_stopped(storage: Storage, folder: Path) -> None:
    def break_off(name: str, done: int, total: int) -> None:
        if done == 2:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        submit_folder(folder, BATCH, on_progress=break_off, on_left_out=silent_too)
    assert closed_batches.fn().batches == ()
    before = {one.key: one.etag for one in storage.list(inbox_prefix(BATCH))}
    assert submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too) == 3
    assert before.items() <= {one.key: one.etag for one in storage.list(inbox_prefix(BATCH))}.items()
    assert closed_batches.fn().batches == (BATCH,)


def test_submitting_a_closed_batch_again_changes_nothing(storage: Storage, folder: Path) -> None:
    submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too)
    before = list(storage.list(inbox_prefix(BATCH)))
    assert submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too) == 3
    assert list(storage.list(inbox_prefix(BATCH))) == before


def test_a_closed_batch_takes_nothing_new(storage: Storage, folder: Path) -> None:
    submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too)
    (folder / "late.jpg").write_bytes(b"late")
    with pytest.raises(StorageDeniedError, match=r"late\.jpg.*new batch"):
        submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too)
    assert not storage.exists(inbox_key(BATCH, "late.jpg"))


def test_a_ready_file_on_the_client_s_disk_does_not_close_the_batch_early(storage: Storage, folder: Path) -> None:
    (folder / "READY").write_bytes(b"not empty")
    assert submit_folder(folder, BATCH, on_progress=silent, on_left_out=silent_too) == 3
    assert storage.get(inbox_key(BATCH, "READY")) == b""


def test_an_empty_folder_is_no_batch(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NamingError, match="no files to submit"):
        submit_folder(tmp_path / "nothing", BATCH, on_progress=silent, on_left_out=silent_too)
    assert list(storage.list("inbox/")) == []
