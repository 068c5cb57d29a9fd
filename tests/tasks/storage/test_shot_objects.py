from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from packshot.errors import ObjectMissingError
from packshot.keys import shot_key
from packshot.naming import ShotId
from packshot.record import ShotRecord, Source
from packshot.specs.resolve import resolve
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import Settings
from tasks.storage import shot_objects
from tasks.storage.bucket import Storage
from tasks.storage.scratch import open_scratch

SHOT = ShotId(client="acme", batch="spring", shot="A1_MAIN")


def record(objects: dict[str, str]) -> ShotRecord:
    return ShotRecord(shot=SHOT, source=Source(key="inbox/a.jpg", sha256="", size_bytes=1), objects=objects)


def test_what_was_kept_is_fetched_as_it_was(storage: Storage) -> None:
    files = {"master.tif": b"pixels", "evidence/1-fringe.webp": b"place"}
    objects = shot_objects.keep(SHOT, files)
    assert objects == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert {name: shot_objects.fetch(record(objects), name) for name in files} == files


def test_a_machine_that_has_no_copies_fetches_from_storage(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = shot_objects.keep(SHOT, {"master.tif": b"pixels"})
    monkeypatch.setenv("PACKSHOT_SCRATCH_DIR", str(tmp_path / "another machine"))
    assert shot_objects.fetch(record(objects), "master.tif") == b"pixels"


def test_objects_say_what_they_are(storage: Storage) -> None:
    names = ("master.tif", "matte.png", "preview.webp", "renditions/shopify/A1.JPG", "qc.json", "strange")
    shot_objects.keep(SHOT, {name: name.encode() for name in names})
    kinds = [storage.head(shot_key(SHOT, name)).content_type for name in names]
    assert kinds == [
        *("image/tiff", "image/png", "image/webp", "image/jpeg"),
        *("application/json", "application/octet-stream"),
    ]


def test_an_object_that_the_record_does_not_know_is_named_with_those_it_knows(storage: Storage) -> None:
    objects = shot_objects.keep(SHOT, {"master.tif": b"pixels", "plan.json": b"{}"})
    with pytest.raises(ObjectMissingError, match=r"A1_MAIN: matte\.png.*found master\.tif, plan\.json"):
        shot_objects.fetch(record(objects), "matte.png")


def test_bytes_other_than_the_record_s_are_never_handed_out(storage: Storage) -> None:
    objects = shot_objects.keep(SHOT, {"master.tif": b"pixels"})
    shot_objects.keep(SHOT, {"master.tif": b"replaced"})
    assert shot_objects.fetch(record(objects), "master.tif") == b"pixels"  # the copy that is still on this machine
    (copy,) = open_scratch().folder.rglob(objects["master.tif"])
    copy.unlink()
    with pytest.raises(ObjectMissingError, match="differs from what its record says"):
        shot_objects.fetch(record(objects), "master.tif")


def test_copies_on_this_machine_stay_below_their_limit(
    storage: Storage, s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_SCRATCH_MAX_BYTES", "10000")
    files = {f"evidence/{n}.webp": bytes([n]) * 3000 for n in range(8)}
    objects = shot_objects.keep(SHOT, files)
    copies = [path for path in s3_settings.scratch_dir.glob("??/*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in copies) <= 10000
    assert {name: shot_objects.fetch(record(objects), name) for name in files} == files


def test_a_shot_s_plan_comes_back_as_it_was_resolved(storage: Storage) -> None:
    plan = resolve(configs_in_force(), client="demo", category="bottles", view="PT01")
    objects = shot_objects.keep(SHOT, {"plan.json": plan.model_dump_json(indent=1).encode()})
    again = shot_objects.plan_of(record(objects))
    assert again == plan
    assert again.fingerprint == plan.fingerprint
