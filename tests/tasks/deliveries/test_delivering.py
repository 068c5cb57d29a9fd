"""Deliveries of drawn products, read back from storage."""

from __future__ import annotations

import hashlib
import html
import io
import json
import threading
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from deployments.demo import environment
from packshot.batch import Delivery
from packshot.errors import StorageUnavailableError
from packshot.keys import deliveries_prefix, delivery_prefix
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, State
from tasks.batches.restarting import restart_shot
from tasks.batches.summing_up import survey
from tasks.deliveries.delivering import DeliveryOutcome, deliver, finish_open_deliveries
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import change_batch, change_record, load_batch, load_record
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import ObjectInfo, Storage, open_storage
from tests.patience import PATIENCE_S
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import approved, photograph, twin

BATCH = batch_id("acme", "deliveries")
OWN = ("certificate.json", "manifest.csv", "manifest.xlsx", "package.zip", "report.html")


_made: dict[tuple[tuple[str, float], ...], BatchId] = {}


def verified(batch: BatchId, products: dict[str, float], **options: Any) -> None:
    """A batch of shots whose renditions are verified: made once for the same products, then copied."""
    known = tuple(products.items())
    if options or known not in _made:
        made = batch if options else batch_id(batch.client, f"verified-{uuid.uuid4().hex[:8]}")
        for shot in approved(made, products, **options):
            export_shot.fn(shot)
        if options:
            return
        _made[known] = made
    twin(_made[known], batch)


def delivered(batch: BatchId, *names: str) -> DeliveryOutcome:
    return deliver.fn(batch, only=list(names))


def content(batch: BatchId, number: int) -> dict[str, bytes]:
    """Every object of a delivery."""
    storage, prefix = open_storage(), delivery_prefix(batch, number)
    return {one.key.removeprefix(prefix): storage.get(one.key) for one in storage.list(prefix)}


def unpacked(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def first(line_environment: dict[str, str]) -> Iterator[DeliveryOutcome]:
    """A delivery of two shots out of three; the third waits for its turn."""
    with environment(line_environment):
        verified(BATCH, {"A1": 0.43, "B1": 0.36, "C1": 0.43}, platforms="amazon_main,shopify")
        yield delivered(BATCH, "A1", "B1")


def test_a_delivery_says_in_words_what_it_holds(first: DeliveryOutcome, line: Storage) -> None:
    held, missing = first.sentence.split("; ", 1)
    assert held == "delivery 1: 2 shots in 5 files"
    assert missing.startswith("1 left out: B1 for amazon_main: ")
    assert first.failed == ()


def test_it_holds_the_verified_files_and_its_own(first: DeliveryOutcome, line: Storage) -> None:
    assert set(content(BATCH, 1)) == {
        *OWN,
        "amazon_main/B0PACK0000.MAIN.jpg",
        *("shopify/A1-MAIN.webp", "shopify/A1-MAIN.jpg", "shopify/B1-MAIN.webp", "shopify/B1-MAIN.jpg"),
    }


def test_the_package_holds_the_same_bytes_as_the_folder(first: DeliveryOutcome, line: Storage) -> None:
    folder = content(BATCH, 1)
    package = unpacked(folder.pop("package.zip"))
    assert package == folder


def test_the_certificate_vouches_for_every_file(first: DeliveryOutcome, line: Storage) -> None:
    folder = content(BATCH, 1)
    certificate = folder["certificate.json"]
    for path, data in folder.items():
        if path not in OWN:
            assert hashlib.sha256(data).hexdigest() in certificate.decode(), path
    assert json.loads(certificate)
    (delivery,) = load_batch(BATCH).deliveries
    assert delivery.certificate_sha256 == hashlib.sha256(certificate).hexdigest()
    assert (delivery.number, delivery.shots, delivery.files) == (1, ("A1", "B1"), 5)


def test_what_a_platform_did_not_get_is_said_with_the_reason(first: DeliveryOutcome, line: Storage) -> None:
    report = content(BATCH, 1)["report.html"].decode()
    assert "B0PACK0001.MAIN.jpg" not in content(BATCH, 1)
    assert load_record(BATCH.shot("B1")).reports["export"]["left_out"].keys() == {"amazon_main"}
    why = load_record(BATCH.shot("B1")).reports["export"]["left_out"]["amazon_main"]
    assert html.escape(why, quote=False) in html.unescape(report)
    assert f"Not delivered: {why}" in content(BATCH, 1)["manifest.csv"].decode()


def test_only_what_it_holds_counts_as_delivered(first: DeliveryOutcome, line: Storage) -> None:
    states = {name: load_record(BATCH.shot(name)).state for name in ("A1", "B1", "C1")}
    assert states == {"A1": State.DELIVERED, "B1": State.DELIVERED, "C1": State.VERIFIED}
    assert load_record(BATCH.shot("A1")).events[-1].why == "delivery 1"


def test_what_is_delivered_is_not_delivered_again(first: DeliveryOutcome, line: Storage) -> None:
    before = [one.etag for one in line.list(deliveries_prefix(BATCH))]
    assert delivered(BATCH, "A1", "B1") == DeliveryOutcome(sentence="nothing new to deliver")
    assert [one.etag for one in line.list(deliveries_prefix(BATCH))] == before


# --- interrupted ---


def written(storage: Storage, batch: BatchId) -> dict[str, tuple[str, object]]:
    """Every object of a batch's deliveries, with what changes when it is written again."""
    return {one.key: (one.etag, one.modified) for one in storage.list(deliveries_prefix(batch))}


def failing_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A storage that goes away when a file of this name is written or copied into a delivery."""
    put, copy = Storage.put, Storage.copy_verified

    def fail(key: str) -> None:
        if key.startswith("deliveries/") and key.endswith(name):
            raise StorageUnavailableError("the storage did not answer", key)

    def failing_put(self: Storage, key: str, data: bytes, *, content_type: str, replaces: bool = False) -> ObjectInfo:
        fail(key)
        return put(self, key, data, content_type=content_type, replaces=replaces)

    def failing_copy(self: Storage, source: str, target: str, *, sha256: str, is_new: bool = False) -> ObjectInfo:
        fail(target)
        return copy(self, source, target, sha256=sha256, is_new=is_new)

    monkeypatch.setattr(Storage, "put", failing_put)
    monkeypatch.setattr(Storage, "copy_verified", failing_copy)


@pytest.mark.parametrize("where", ["B1-MAIN.webp", "certificate.json", "report.html"])
def test_another_run_goes_on_with_a_delivery_that_failed_under_its_number_and_writes_no_file_again(
    line: Storage, batch: BatchId, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.36})
    with monkeypatch.context() as patched:
        failing_at(patched, where)
        with pytest.raises(StorageUnavailableError):
            in_a_run(lambda: deliver.fn(batch, only=["A1", "B1"]))
    before = written(line, batch)
    assert before
    finished = in_a_run(lambda: finish_open_deliveries.fn(batch))
    assert finished == "delivery 1: 2 shots in 4 files"
    after = written(line, batch)
    assert {key: after[key] for key in before} == before
    assert [(one.number, one.shots) for one in load_batch(batch).deliveries] == [(1, ("A1", "B1"))]
    assert load_batch(batch).deliveries[0].certificate_sha256
    assert survey(batch).counts["delivered"] == 2
    assert in_a_run(lambda: deliver.fn(batch, only=["A1", "B1"])).sentence == "nothing new to deliver"
    assert written(line, batch) == after


def interrupt(batch: BatchId, before: dict[str, ShotRecord]) -> None:
    """Put records back to what they were, and open the last delivery again: its run ended before it was finished."""
    for name, record in before.items():
        change_record(batch.shot(name), lambda _, record=record: record)

    def reopen(record: Any) -> Any:
        *others, last = record.deliveries
        again = last.model_copy(update={"certificate_sha256": "", "files": 0})
        return record.model_copy(update={"deliveries": (*others, again)})

    change_batch(batch, reopen)


@pytest.mark.parametrize("marked", [(), ("A1",), ("A1", "B1")])
def test_a_delivery_that_was_interrupted_is_finished_with_the_same_bytes(
    line: Storage, batch: BatchId, marked: tuple[str, ...]
) -> None:
    """However many shots were marked as delivered when it was, and although another shot has gone on since."""
    verified(batch, {"A1": 0.43, "B1": 0.36, "C1": 0.43})
    before = {name: load_record(batch.shot(name)) for name in ("A1", "B1")}
    whole = delivered(batch, "A1", "B1")
    done, (delivery,), files = content(batch, 1), load_batch(batch).deliveries, written(line, batch)
    interrupt(batch, {name: record for name, record in before.items() if name not in marked})
    Life(batch.shot("C1")).reach(State.DELIVERED, why="it went out by another way")
    assert delivered(batch, "A1", "B1") == whole
    assert content(batch, 1) == done
    assert written(line, batch) == files
    assert load_batch(batch).deliveries == (delivery,)
    assert survey(batch).counts["delivered"] == 3


def test_a_shot_that_was_started_again_is_left_out_of_a_delivery_that_was_interrupted(
    line: Storage, batch: BatchId
) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.36})
    before = {name: load_record(batch.shot(name)) for name in ("A1", "B1")}
    delivered(batch, "A1", "B1")
    interrupt(batch, before)
    restart_shot.fn(batch.shot("B1"), person="Ada", reason="another crop")
    assert in_a_run(lambda: finish_open_deliveries.fn(batch)) == "delivery 1: 1 shot in 2 files"
    (delivery,) = load_batch(batch).deliveries
    assert delivery.shots == ("A1",)
    certificate = json.loads(content(batch, 1)["certificate.json"])
    assert [one["shot"] for one in certificate["shots"]] == ["A1"]


def test_a_delivery_that_an_older_version_left_open_beside_another_gives_its_number_back(
    line: Storage, batch: BatchId
) -> None:
    """Its shots went out under the next number; they must not go out once more."""
    verified(batch, {"A1": 0.43})
    old = Delivery(number=1, at=now(), shots=("A1",), opened_by="a run of before")
    delivered(batch, "A1")
    (only,) = load_batch(batch).deliveries
    second = only.model_copy(update={"number": 2})
    change_record(
        batch.shot("A1"),
        lambda record: record.model_copy(
            update={"events": (*record.events[:-1], record.events[-1].model_copy(update={"why": "delivery 2"}))}
        ),
    )
    change_batch(batch, lambda record: record.model_copy(update={"deliveries": (old, second)}))
    assert in_a_run(lambda: deliver.fn(batch, only=["A1"])).sentence == "nothing new to deliver"
    record = load_batch(batch)
    assert [one.number for one in record.deliveries] == [2]
    assert record.next_delivery == 3


def test_two_runs_that_deliver_at_once_deliver_each_shot_once(line: Storage, batch: BatchId) -> None:
    names = ("A1", "B1", "C1")
    verified(batch, dict.fromkeys(names, 0.43))
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def one() -> DeliveryOutcome:
        both.wait()
        return deliver.fn(batch, only=list(names))

    with ThreadPoolExecutor(2) as pool:
        said = [run.result().sentence for run in [pool.submit(copy_context().run, in_a_run, one) for _ in range(2)]]
    assert sorted(said) == ["delivery 1: 3 shots in 6 files", "nothing new to deliver"]
    assert [one.shots for one in load_batch(batch).deliveries] == [names]


# --- more than one ---


def test_what_is_approved_later_goes_out_under_the_next_number(line: Storage, batch: BatchId) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.36})
    delivered(batch, "A1")
    first = content(batch, 1)
    assert delivered(batch, "B1").sentence.startswith("delivery 2: 1 shot")
    assert content(batch, 1) == first
    assert {path for path in content(batch, 2) if path not in OWN} == {"shopify/B1-MAIN.webp", "shopify/B1-MAIN.jpg"}
    assert [one.shots for one in load_batch(batch).deliveries] == [("A1",), ("B1",)]


def test_shots_that_want_one_name_fail_by_name_and_the_others_are_delivered(line: Storage, batch: BatchId) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.43, "C1": 0.43})
    for name in ("A1", "B1"):
        Life(batch.shot(name)).reach(State.VERIFIED, why="", reports={"export": renamed(batch, name)})
    handover = delivered(batch, "A1", "B1", "C1")
    assert handover.failed == ("A1", "B1")
    assert handover.sentence == "delivery 1: 1 shot in 2 files"
    for name in ("A1", "B1"):
        record = load_record(batch.shot(name))
        assert record.state is State.FAILED
        assert "shopify/same-main.jpg from A1 and B1" in record.events[-1].why


def renamed(batch: BatchId, name: str) -> dict[str, Any]:
    """What the record says of a shot's files, with names that another one has too, in other letters' case."""
    report = load_record(batch.shot(name)).reports["export"]
    same = "Same-MAIN" if name == "A1" else "same-main"
    return {**report, "files": [{**one, "path": one["path"].replace(f"{name}-MAIN", same)} for one in report["files"]]}


# --- the report ---


STRANGE = "<img src=x onerror=alert(1)>.jpg"


def test_a_refused_photograph_stands_in_report_and_certificate_with_its_reason(line: Storage, batch: BatchId) -> None:
    others = {"small.jpg": photograph(640, 480), STRANGE: b"no picture"}
    in_a_run(lambda: verified(batch, {"A1": 0.43}, others=others))
    delivered(batch, "A1")
    files = content(batch, 1)
    page, certificate = files["report.html"].decode(), files["certificate.json"].decode()
    refused = survey(batch).of("refused")
    assert {fate.file for fate in refused} == {"small.jpg", STRANGE}
    for fate in refused:
        assert fate.why in html.unescape(page)
        assert fate.why in json.loads(json.dumps(certificate)).replace('\\"', '"')
    assert STRANGE.partition(".")[0] not in page
    assert "640 x 480" in page
