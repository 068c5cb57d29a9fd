"""Deliveries of drawn products, read back from storage."""

from __future__ import annotations

import hashlib
import html
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from deployments.demo import environment
from packshot.naming import BatchId, batch_id, deliveries_prefix, delivery_prefix
from packshot.record import ShotRecord, State
from tasks.batches import survey
from tasks.deliveries import Handover, deliver
from tasks.lives import Life
from tasks.records import change_batch, change_record, load_batch, load_record
from tasks.stages import export_shot
from tasks.storage import Storage, open_storage
from tests.tasks.runs import in_a_run
from tests.tasks.shots import approved, photograph

BATCH = batch_id("acme", "deliveries")
OWN = ("certificate.json", "manifest.csv", "package.zip", "report.html")


def verified(batch: BatchId, products: dict[str, float], **options: Any) -> None:
    """A batch of shots whose renditions are verified."""
    for shot in approved(batch, products, **options):
        export_shot.fn(shot)


def delivered(batch: BatchId, *names: str) -> Handover:
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
def first(line_environment: dict[str, str]) -> Iterator[Handover]:
    """A delivery of two shots out of three; the third waits for its turn."""
    with environment(line_environment):
        verified(BATCH, {"A1": 0.43, "B1": 0.36, "C1": 0.43}, platforms="amazon_main,shopify")
        yield delivered(BATCH, "A1", "B1")


def test_a_delivery_says_in_words_what_it_holds(first: Handover, line: Storage) -> None:
    assert first == Handover(sentence="delivery 1: 2 shots in 5 files")


def test_it_holds_the_verified_files_and_its_own(first: Handover, line: Storage) -> None:
    assert set(content(BATCH, 1)) == {
        *OWN,
        "amazon_main/B0PACK0000.MAIN.jpg",
        *("shopify/A1-MAIN.webp", "shopify/A1-MAIN.jpg", "shopify/B1-MAIN.webp", "shopify/B1-MAIN.jpg"),
    }


def test_the_package_holds_the_same_bytes_as_the_folder(first: Handover, line: Storage) -> None:
    folder = content(BATCH, 1)
    package = unpacked(folder.pop("package.zip"))
    assert package == folder


def test_the_certificate_vouches_for_every_file(first: Handover, line: Storage) -> None:
    folder = content(BATCH, 1)
    certificate = folder["certificate.json"]
    for path, data in folder.items():
        if path not in OWN:
            assert hashlib.sha256(data).hexdigest() in certificate.decode(), path
    assert json.loads(certificate)
    (delivery,) = load_batch(BATCH).deliveries
    assert delivery.certificate_sha256 == hashlib.sha256(certificate).hexdigest()
    assert (delivery.number, delivery.shots, delivery.files) == (1, ("A1", "B1"), 5)


def test_what_a_platform_did_not_get_is_said_with_the_reason(first: Handover, line: Storage) -> None:
    report = content(BATCH, 1)["report.html"].decode()
    assert "B0PACK0001.MAIN.jpg" not in content(BATCH, 1)
    assert "amazon_main/B0PACK0001.MAIN.jpg" in report


def test_only_what_it_holds_counts_as_delivered(first: Handover, line: Storage) -> None:
    states = {name: load_record(BATCH.shot(name)).state for name in ("A1", "B1", "C1")}
    assert states == {"A1": State.DELIVERED, "B1": State.DELIVERED, "C1": State.VERIFIED}
    assert load_record(BATCH.shot("A1")).events[-1].why == "delivery 1"


def test_what_is_delivered_is_not_delivered_again(first: Handover, line: Storage) -> None:
    before = [one.etag for one in line.list(deliveries_prefix(BATCH))]
    assert delivered(BATCH, "A1", "B1") == Handover(sentence="nothing new to deliver")
    assert [one.etag for one in line.list(deliveries_prefix(BATCH))] == before


# --- interrupted ---


def keep(batch: BatchId, *names: str) -> dict[str, ShotRecord]:
    return {name: load_record(batch.shot(name)) for name in names}


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
    """However many shots were marked as delivered when it was."""
    verified(batch, {"A1": 0.43, "B1": 0.36})
    before = keep(batch, "A1", "B1")

    def twice() -> None:
        whole = deliver.fn(batch, only=["A1", "B1"])
        done, (delivery,) = content(batch, 1), load_batch(batch).deliveries
        interrupt(batch, {name: record for name, record in before.items() if name not in marked})
        again = deliver.fn(batch, only=[name for name in before if name not in marked])
        assert again == whole
        assert content(batch, 1) == done
        assert load_batch(batch).deliveries == (delivery,)

    in_a_run(twice)
    assert survey(batch).counts["delivered"] == 2


# --- more than one ---


def test_what_is_approved_later_goes_out_under_the_next_number(line: Storage, batch: BatchId) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.36})
    delivered(batch, "A1")
    first = content(batch, 1)
    assert delivered(batch, "B1").sentence.startswith("delivery 2: 1 shots")
    assert content(batch, 1) == first
    assert {path for path in content(batch, 2) if path not in OWN} == {"shopify/B1-MAIN.webp", "shopify/B1-MAIN.jpg"}
    assert [one.shots for one in load_batch(batch).deliveries] == [("A1",), ("B1",)]


def test_shots_that_want_one_name_fail_by_name_and_the_others_are_delivered(line: Storage, batch: BatchId) -> None:
    verified(batch, {"A1": 0.43, "B1": 0.43, "C1": 0.43})
    for name in ("A1", "B1"):
        Life(batch.shot(name)).reach(State.VERIFIED, why="", reports={"export": renamed(batch, name)})
    handover = delivered(batch, "A1", "B1", "C1")
    assert handover.failed == ("A1", "B1")
    assert handover.sentence == "delivery 1: 1 shots in 2 files"
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
