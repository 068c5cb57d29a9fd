"""A client replaces or deletes files while the run that listed them works on them."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ConfigError, ObjectMissingError, RefusedInputError
from packshot.ingest.shoot_groups import GroupDecision
from packshot.keys import inbox_key, quarantine_key, quarantine_reason_key
from packshot.naming import batch_id
from packshot.record import State
from tasks.batches import stock
from tasks.batches.restarting import restart_shot
from tasks.environment.configs import CLIENT_UNKNOWN
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import create_batch, load_batch, load_record
from tasks.results.handovers import MasteredShot
from tasks.stages import shot_stages
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.inbox import open_inbox
from tests import drawn_products
from tests.configs import changed_configs
from tests.tasks.simulated_s3 import Actor, Stored, World
from tests.tasks.stages.test_groups import light
from tests.tasks.test_crash_points import world

__all__ = ["world"]

BATCH = batch_id("acme", "spring")
LISTED, ANOTHER = b"no picture, as it was listed", b"another file, no picture either"
take_stock = stock.take_stock.fn


@pytest.fixture(autouse=True)
def unshown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a run there is no page of Prefect's to show a refusal on."""
    monkeypatch.setattr(shot_stages, "show_refusal", lambda *_: None)


def submit(*names: str) -> None:
    for name in names:
        open_inbox().upload(BATCH, f"{name}.jpg", LISTED + name.encode(), content_type="image/jpeg")
    open_inbox().close(BATCH)
    create_batch(BatchRecord(batch=BATCH, received_at=now()))


def replace(name: str, data: bytes) -> None:
    """What a client's upload does: our own code never writes over a file of the inbox."""
    storage = open_storage()
    storage._client.put_object(
        Bucket=storage.bucket, Key=inbox_key(BATCH, f"{name}.jpg"), Body=data, ContentType="image/jpeg", Metadata={}
    )


def delete(name: str) -> None:
    storage = open_storage()
    storage._client.delete_object(Bucket=storage.bucket, Key=inbox_key(BATCH, f"{name}.jpg"))


def mastered(ref: ShotRef) -> str:
    """The refusal of a file that is no picture."""
    return master_shot.fn(ref, configs_fingerprint="").refused


def test_a_file_replaced_or_deleted_under_a_run_fails_its_shot_alone(storage: Storage) -> None:
    submit("A1", "B1", "C1", "D1")
    replaced, deleted, rewritten, untouched = take_stock(BATCH).shots
    replace("A1", ANOTHER)
    delete("B1")
    replace("C1", LISTED + b"C1")
    with pytest.raises(ObjectMissingError, match=r"A1\.jpg: this uploaded file was replaced while its batch was being"):
        mastered(replaced)
    with pytest.raises(ObjectMissingError, match=r"B1\.jpg"):
        mastered(deleted)
    for whole in (rewritten, untouched):
        assert mastered(whole)
        assert load_record(whole.shot).state is State.REFUSED
        assert storage.get(quarantine_key(BATCH, whole.path)) == LISTED + whole.shot.shot.encode()
    assert {load_record(one.shot).state for one in (replaced, deleted)} == {State.FAILED}


def test_a_run_that_lists_again_takes_the_new_file(storage: Storage) -> None:
    submit("A1")
    (listed,) = take_stock(BATCH).shots
    replace("A1", ANOTHER)
    with pytest.raises(ObjectMissingError):
        mastered(listed)
    (again,) = take_stock(BATCH).shots
    assert again.etag != listed.etag
    assert mastered(again)
    assert load_record(again.shot).source.sha256 == hashlib.sha256(ANOTHER).hexdigest()


def test_a_copy_for_quarantine_is_of_the_version_that_was_read(storage: Storage) -> None:
    """The file may be replaced between any two requests, so the storage itself is asked to hold the copy to it."""
    submit("A1")
    (ref,) = take_stock(BATCH).shots
    replace("A1", ANOTHER)
    error, life = RefusedInputError("no picture"), Life(ref.shot, stage="master")
    with pytest.raises(ObjectMissingError, match="was replaced while"):
        shot_stages._refused(life, ref, LISTED + b"A1", "0" * 64, error)
    assert not storage.exists(quarantine_key(BATCH, ref.path))


@pytest.fixture
def guides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of style guides, of which `acme` has one of its own."""
    folder = changed_configs(tmp_path / "configs", {}) / "clients"
    shutil.copyfile(folder / "demo.yaml", folder / "acme.yaml")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(folder.parent))
    return folder


def test_a_style_guide_that_is_renamed_under_a_run_fails_its_client_s_shots_and_the_next_run_says_which_it_uses(
    storage: Storage, guides: Path
) -> None:
    """Kind of test that was missing: one that changes a config between two stages of a batch.

    The style guide for all took its place, with other platforms, and nobody was told.
    """
    submit("A1", "B1")
    stocked = take_stock(BATCH)
    (guides / "acme.yaml").rename(guides / "acmee.yaml")
    with pytest.raises(ConfigError, match=r"acme: this client's style guide was taken away .*did you mean acmee"):
        master_shot.fn(stocked.shots[0], configs_fingerprint=stocked.configs_fingerprint)
    assert load_record(stocked.shots[0].shot).state is State.FAILED
    again = take_stock(BATCH)
    assert [one.code for one in load_batch(BATCH).findings] == [CLIENT_UNKNOWN]
    assert master_shot.fn(again.shots[0], configs_fingerprint=again.configs_fingerprint).refused


@pytest.mark.parametrize("file", ["clients/default.yaml", "clients/demo.yaml", "defaults.yaml"])
def test_a_client_that_never_had_a_style_guide_is_not_stopped_by_another_change(
    storage: Storage, guides: Path, file: str
) -> None:
    (guides / "acme.yaml").unlink()
    submit("A1")
    stocked = take_stock(BATCH)
    changed = guides.parent / file
    changed.write_text(f"{changed.read_text()}# another time\n")
    for listed in (stocked.configs_fingerprint, "that of a default guide before its change"):
        assert master_shot.fn(stocked.shots[0], configs_fingerprint=listed).refused


def test_a_shot_that_starts_again_without_its_style_guide_says_so_in_the_batch(storage: Storage, guides: Path) -> None:
    submit("A1")
    take_stock(BATCH)
    assert not load_batch(BATCH).findings
    (guides / "acme.yaml").rename(guides / "acmee.yaml")
    for _ in range(2):
        started = restart_shot.fn(BATCH.shot("A1"), person="Ada", reason="another crop")
        assert [one.code for one in load_batch(BATCH).findings] == [CLIENT_UNKNOWN]
    assert master_shot.fn(started.ref, configs_fingerprint=started.configs_fingerprint).refused
    (guides / "acmee.yaml").rename(guides / "acme.yaml")
    restart_shot.fn(BATCH.shot("A1"), person="Ada", reason="with the right one")
    assert not load_batch(BATCH).findings


def test_of_many_shots_that_are_started_again_at_once_none_is_forgotten(storage: Storage, guides: Path) -> None:
    """Each start is counted in the one record of the batch. Kind of test that was missing: several at the same time."""
    names = [f"A{number}" for number in range(6)]
    submit(*names)
    take_stock(BATCH)
    with ThreadPoolExecutor(len(names)) as pool:
        again = partial(restart_shot.fn, person="Ada", reason="another crop")
        started = list(pool.map(lambda name: again(BATCH.shot(name)).ref, [*names, *names]))
    found = {ref.shot.shot: ref.generation for ref in load_batch(BATCH).shots}
    assert found == dict.fromkeys(names, 2)
    assert sorted((ref.shot.shot, ref.generation) for ref in started) == [(n, times) for n in names for times in (1, 2)]


# --- the same with a simulated storage, which can be told when ---


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "deleted"])
def test_before_each_request_of_the_line(world: World, replaced: bool) -> None:
    """What is decided and kept is about the file that was listed, wherever the client's turn comes."""
    tried = (_changed_before(world, number, replaced=replaced) for number in itertools.count())
    outcomes = list(itertools.takewhile(lambda outcome: outcome != "not changed", tried))
    assert outcomes.count("failed") >= 5
    assert outcomes[-1] == "of the listed file"


def _changed_before(world: World, number: int, *, replaced: bool) -> str:
    """What came of a file that the client changed before the line's request of this number."""
    key, requests = inbox_key(BATCH, "S1.jpg"), itertools.count()
    world.objects = {}
    world.act(Actor(run="client"), lambda: submit("S1"))

    def step() -> None:
        if next(requests) == number:
            del world.objects[key]
            if replaced:
                world.objects[key] = Stored(ANOTHER, {}, "image/jpeg", world.now)

    outcome: list[str] = []
    world.step = step  # type: ignore[method-assign]
    world.act(Actor(run="line"), lambda: outcome.append(_outcome()))
    del world.step
    if next(requests) <= number:
        return "not changed"
    world.act(Actor(run="reader"), lambda: _require_whole(*outcome))
    return outcome[0]


def _outcome() -> str:
    found = take_stock(BATCH).shots
    if not found:
        return "deleted before it was listed"
    try:
        assert mastered(found[0])
    except ObjectMissingError:
        return "failed"
    listed = hashlib.md5(LISTED + b"S1", usedforsecurity=False).hexdigest()
    return "of the listed file" if found[0].etag == listed else "of the file that was there before it was listed"


def _require_whole(outcome: str) -> None:
    if outcome.startswith("deleted"):
        return
    storage, record = open_storage(), load_record(BATCH.shot("S1"))
    if outcome == "failed":
        assert record.state is State.FAILED
        return
    expected = LISTED + b"S1" if outcome == "of the listed file" else ANOTHER
    assert record.state is State.REFUSED
    assert storage.get(quarantine_key(BATCH, "S1.jpg")) == expected
    reason = json.loads(storage.get(quarantine_reason_key(BATCH, "S1.jpg")))
    assert reason["sha256"] == record.source.sha256 == hashlib.sha256(expected).hexdigest()


# --- a photograph that the manifest names as the colour reference ---

RED, BLUE = (
    drawn_products.encoded(np.full((300, 300, 3), colour, np.uint8)) for colour in ((150, 40, 30), (30, 60, 150))
)
MANIFEST = b"file,sku,reference\nA1.jpg,A1,swatch.png\nB1.jpg,B1,\n"


def submit_with_reference() -> None:
    for name, data in (("manifest.csv", MANIFEST), ("swatch.png", RED)):
        open_inbox().upload(BATCH, name, data, content_type="application/octet-stream")
    submit("A1", "B1")


def grouped() -> dict[str, GroupDecision]:
    lights = {one.shot: light(one.shot.shot, reference=one.row.get("reference", "")) for one in take_stock(BATCH).shots}
    shots = [MasteredShot(shot=shot, source_sha256="", plan_fingerprint="", light=one) for shot, one in lights.items()]
    return group_shots.fn(BATCH, shots, unedited=[one.name for one in shots])


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "deleted"])
def test_before_each_request_a_reference_is_the_listed_one(world: World, replaced: bool) -> None:
    """A colour that was measured is of the file that was listed; otherwise the shots that name it say why."""
    tried = (_reference_changed_before(world, number, replaced=replaced) for number in itertools.count())
    outcomes = list(itertools.takewhile(lambda outcome: outcome != "not changed", tried))
    assert "reference_replaced" in outcomes
    assert outcomes[-1] == "of the listed file"


def _reference_changed_before(world: World, number: int, *, replaced: bool) -> str:
    key, requests = inbox_key(BATCH, "swatch.png"), itertools.count()
    world.objects = {}
    world.act(Actor(run="client"), submit_with_reference)

    def step() -> None:
        if next(requests) == number:
            del world.objects[key]
            if replaced:
                world.objects[key] = Stored(BLUE, {}, "image/png", world.now)

    decisions: list[dict[str, GroupDecision]] = []
    world.step = step  # type: ignore[method-assign]
    world.act(Actor(run="line"), lambda: decisions.append(grouped()))
    del world.step
    if next(requests) <= number:
        return "not changed"
    (decision,) = decisions
    told = [one for one in decision["A1"].findings if one.code.startswith("reference_")]
    assert not [one for one in decision["B1"].findings if one.code.startswith("reference_")]
    if decision["A1"].reference_lab is None:
        (finding,) = told
        assert finding.gate is (finding.code == "reference_replaced")
        return finding.code
    assert not told
    listed: list[str] = []
    world.act(Actor(run="reader"), lambda: listed.append(load_batch(BATCH).references["swatch.png"]))
    colour = RED if decision["A1"].reference_lab[2] > 0 else BLUE
    assert listed == [hashlib.md5(colour, usedforsecurity=False).hexdigest()]
    return "of the listed file"


# --- the manifest ---


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "deleted"])
def test_before_each_request_the_manifest_is_the_one_of_the_listed_files(world: World, replaced: bool) -> None:
    """A client adds a photograph and its row at once, or takes both away. No listing has only one of them."""
    tried = (_manifest_changed_before(world, number, replaced=replaced) for number in itertools.count())
    outcomes = list(itertools.takewhile(lambda outcome: outcome, tried))
    more, before = (["A1", "B1", "C1"] if replaced else ["A1"]), ["A1", "B1"]
    assert set(map(tuple, outcomes)) == {tuple(more), tuple(before)}
    assert outcomes[-1] == before


def _manifest_changed_before(world: World, number: int, *, replaced: bool) -> list[str]:
    """The shots of the batch; none if the client's turn did not come."""
    requests = itertools.count()
    world.objects = {}
    world.act(Actor(run="client"), submit_with_reference)

    def step() -> None:
        if next(requests) != number:
            return
        manifest = inbox_key(BATCH, "manifest.csv")
        if replaced:
            world.objects[manifest] = Stored(MANIFEST + b"C1.jpg,C1,\n", {}, "text/csv", world.now)
            world.objects[inbox_key(BATCH, "C1.jpg")] = Stored(LISTED + b"C1", {}, "image/jpeg", world.now)
        else:
            for name in ("manifest.csv", "B1.jpg"):
                del world.objects[inbox_key(BATCH, name)]

    shots: list[str] = []
    world.step = step  # type: ignore[method-assign]
    world.act(Actor(run="line"), lambda: shots.extend(one.shot.shot for one in take_stock(BATCH).shots))
    del world.step
    if next(requests) <= number:
        return []
    codes: list[str] = []
    world.act(Actor(run="reader"), lambda: codes.extend(one.code for one in load_batch(BATCH).findings))
    assert not {"row_without_file", "file_without_row"} & set(codes)
    return [one for one in shots if one != "swatch"]
