from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from packshot.errors import ObjectMissingError
from tasks.storage.bucket import Storage
from tasks.storage.scratch import COUNTED_BYTES, LEFTOVER_AFTER_S, Scratch, fetch_object, open_scratch, store_object
from tests.patience import PATIENCE_S


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.glob("??/*") if path.is_file()]


def used_ago(scratch: Scratch, sha256: str, seconds: float) -> None:
    path = scratch.folder / sha256[:2] / sha256
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch", max_bytes=10_000)


def test_what_is_kept_is_found_by_its_hash(scratch: Scratch) -> None:
    assert scratch.keep(b"master") == sha256_of(b"master")
    assert scratch.find(sha256_of(b"master")) == b"master"
    assert scratch.find(sha256_of(b"other")) is None


def test_a_damaged_copy_is_never_handed_out_and_goes_away(scratch: Scratch) -> None:
    sha256 = scratch.keep(b"master")
    (scratch.folder / sha256[:2] / sha256).write_bytes(b"mastex")
    assert scratch.find(sha256) is None
    assert files_in(scratch.folder) == []


def test_what_was_used_longest_ago_makes_room(scratch: Scratch) -> None:
    first, second, third = (scratch.keep(letter * 3000) for letter in (b"1", b"2", b"3"))
    for seconds, sha256 in ((300, first), (200, second), (100, third)):
        used_ago(scratch, sha256, seconds)
    scratch.find(first)
    fourth = scratch.keep(b"4" * 3000)
    here = {path.name for path in files_in(scratch.folder)}
    assert here == {first, third, fourth}


def test_the_folder_never_stays_above_its_size(scratch: Scratch) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: scratch.keep(os.urandom(1000 + n)), range(60)))
    scratch.keep(b"last")
    assert sum(path.stat().st_size for path in files_in(scratch.folder)) <= scratch.max_bytes


@pytest.mark.parametrize("room_for", [50, 100_000], ids=["full from the 50th on", "never full"])
def test_four_times_as_many_files_cost_at_most_four_times_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room_for: int
) -> None:
    """Kind of test that was missing: one that counts what is looked at."""
    looked_at = 0
    copies = Scratch._copies

    def counted(scratch: Scratch) -> Iterator[Any]:
        nonlocal looked_at
        for copy in copies(scratch):
            looked_at += 1
            yield copy

    monkeypatch.setattr(Scratch, "_copies", counted)
    costs = []
    for files in (100, 400):
        scratch = Scratch(tmp_path / str(files), max_bytes=COUNTED_BYTES * room_for)
        for number in range(files + 50):
            if number == 50:
                looked_at = 0
            scratch.keep(f"{number:04}".encode() * (COUNTED_BYTES // 4))
        costs.append(files + looked_at)
        kept = files_in(scratch.folder)
        assert sum(path.stat().st_size for path in kept) <= scratch.max_bytes
        assert len(kept) >= min(files, 0.9 * room_for)
    assert costs[1] <= 4.4 * costs[0]


def test_a_full_folder_that_nobody_has_counted_is_brought_to_its_size(scratch: Scratch) -> None:
    larger = Scratch(scratch.folder, max_bytes=100_000)
    for letter in (b"1", b"2", b"3", b"4"):
        larger.keep(letter * 3000)
    (scratch.folder / ".counted").unlink()
    scratch.keep(b"5")
    assert sum(path.stat().st_size for path in files_in(scratch.folder)) <= 10_000


def test_what_is_too_big_is_not_kept(scratch: Scratch) -> None:
    sha256 = scratch.keep(b"x" * 10_001)
    assert scratch.find(sha256) is None


def test_nothing_is_kept_where_scratch_is_switched_off(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch", max_bytes=0)
    scratch.keep(b"x")
    assert not scratch.folder.exists()


def test_what_a_dead_process_left_is_cleared_away(scratch: Scratch) -> None:
    scratch.keep(b"x")
    left = next(scratch.folder.glob("??")) / "abc.part"
    left.write_bytes(b"half")
    scratch.keep(b"y")
    assert left.exists(), "it may still be written"
    then = left.stat().st_mtime - LEFTOVER_AFTER_S - 1
    os.utime(left, (then, then))
    scratch.keep(b"z")
    assert not left.exists()


def test_a_disk_that_cannot_take_a_copy_is_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    scratch = Scratch(tmp_path / "file" / "scratch", max_bytes=1000)
    assert scratch.keep(b"x") == sha256_of(b"x")
    assert scratch.find(sha256_of(b"x")) is None


KEEP_AND_FIND = """
import os, sys
from pathlib import Path
from tasks.storage.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]), max_bytes=20_000)
for n in range(200):
    data = (n % 30).to_bytes(2, "big") * 1000
    found = scratch.find(scratch.keep(data))
    assert found is None or found == data
"""


def test_several_processes_share_the_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", KEEP_AND_FIND, str(tmp_path / "scratch")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, errors.decode()
    assert not list((tmp_path / "scratch").glob("??/*.part"))


def test_an_object_written_here_is_not_downloaded_again(storage: Storage) -> None:
    sha256 = store_object("batches/m.tif", b"master", content_type="image/tiff")
    assert storage.get("batches/m.tif") == b"master"
    sent: list[str] = []
    storage._client.meta.events.register("before-send.s3", lambda event_name, **_: sent.append(event_name))
    assert fetch_object("batches/m.tif", sha256=sha256) == b"master"
    assert sent == []


def test_an_object_from_another_machine_is_downloaded_once(storage: Storage) -> None:
    storage.put("batches/m.tif", b"master", content_type="image/tiff")
    assert fetch_object("batches/m.tif", sha256=sha256_of(b"master")) == b"master"
    assert open_scratch().find(sha256_of(b"master")) == b"master"


def test_an_object_whose_bytes_are_others_is_not_taken_for_it(storage: Storage) -> None:
    storage.put("batches/m.tif", b"a newer master", content_type="image/tiff")
    with pytest.raises(ObjectMissingError, match="differs from"):
        fetch_object("batches/m.tif", sha256=sha256_of(b"master"))


def test_an_object_that_is_nowhere_is_missing(storage: Storage) -> None:
    with pytest.raises(ObjectMissingError):
        fetch_object("batches/none", sha256=sha256_of(b"x"))


def test_nobody_else_on_the_machine_reads_what_lies_here(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        scratch = Scratch(tmp_path / "scratch", max_bytes=10_000)
        scratch.keep(b"master")
    finally:
        os.umask(before)
    paths = [scratch.folder, *scratch.folder.rglob("*")]
    assert len(paths) == 5  # the folder, its lock, what counts, a folder and a copy
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
