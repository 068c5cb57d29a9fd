"""A whole night on the sample photographs, through deployments and a worker; every delivered file measured again.

`make test` takes some of them, `make test-all` all of them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pytest
from prefect.client.schemas.objects import FlowRun

from deployments.demo import SAMPLES
from packshot.keys import delivery_prefix, inbox_prefix, shot_key, shots_prefix
from packshot.naming import BatchId, batch_id
from packshot.record import DONE, WAITING, ShotRecord, State
from tasks.batches.fates import Summary
from tasks.batches.summing_up import survey
from tasks.records.stored import load_batch, load_records
from tasks.storage.bucket import open_storage
from tasks.telling.artifacts import artifact_key
from tests.drawn_products import photograph
from tests.flows import remeasure
from tests.flows.line import STAGES, Line, objects, read_all
from tests.hostile_names import IN_LATIN

CLIENT = "demo"
SMALL_BATCH = ("BSK601_MAIN.jpg",)
OWN_FILES = {"manifest.csv", "manifest.xlsx", "certificate.json", "report.html", "package.zip"}
PHOTOGRAPHS = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".csv")
SOME = tuple(f"{name}.jpg" for name in ("BOX101_MAIN", "BOX102_MAIN", "BOX103_MAIN", "GLS501_MAIN"))
"""Of every fate at least one; the other samples cost most of a night and show no further kind."""
PAINTS = ((150, 82, 60), (60, 82, 150), (60, 130, 70), (120, 60, 130), (150, 140, 40), (50, 120, 130))
"""Colours of drawn products, as different as photographs of different products."""
FEW_NAMES = 3
"""So many names of other scripts go through a night in `make test`; all of them in `make test-all`."""
UPSCALE = 1.1
"""Most that a product is enlarged, by configs/defaults.yaml."""


class Night(NamedTuple):
    """A night that is over.

    Attributes:
        batch, beside_it: the batch that the tests look at, and a small one of the same night.
        paints: what `beside_it` has beside samples: file names of other scripts -> colour of the drawn product on it.
        sent: what its client sent, by name.
        delivery: everything in the delivery's folder, by path.
    """

    batch: BatchId
    beside_it: BatchId
    paints: Mapping[str, tuple[int, int, int]]
    sent: Mapping[str, bytes]
    run: FlowRun
    summary: Summary
    records: dict[str, ShotRecord]
    delivery: Mapping[str, bytes]

    @property
    def photographs(self) -> list[str]:
        return sorted(name for name in self.sent if name != "manifest.csv")

    @property
    def renditions(self) -> dict[str, bytes]:
        return {path: data for path, data in self.delivery.items() if path not in OWN_FILES}

    @property
    def manifest(self) -> dict[str, dict[str, str]]:
        """The delivery's manifest: path -> row."""
        rows = csv.DictReader(io.StringIO(self.delivery["manifest.csv"].decode()))
        return {row["file"]: row for row in rows if row["file"]}


@pytest.fixture(
    scope="module",
    params=[pytest.param("some", marks=pytest.mark.unless_slow), pytest.param("all", marks=pytest.mark.slow)],
)
def night(request: pytest.FixtureRequest, line: Line, tmp_path_factory: pytest.TempPathFactory) -> Night:
    batch, beside_it = (batch_id(CLIENT, f"{request.param}-{year}") for year in (24, 25))
    folder, small = tmp_path_factory.mktemp("photographs"), tmp_path_factory.mktemp("small")
    for name in PHOTOGRAPHS if request.param == "all" else SOME:
        shutil.copy(SAMPLES / name, folder)
    header, *rows = (SAMPLES / "manifest.csv").read_text().splitlines()
    left_out = {name for name in PHOTOGRAPHS if not (folder / name).exists()}
    kept = [row for row in rows if row.split(",")[0] not in left_out]
    (folder / "manifest.csv").write_text("\n".join([header, *kept]) + "\n")
    line.submit(batch, folder)
    for name in SMALL_BATCH:
        shutil.copy(SAMPLES / name, small)
    paints = dict(zip([*IN_LATIN][: None if request.param == "all" else FEW_NAMES], PAINTS, strict=False))
    _draw_named(small, paints)
    line.submit(beside_it, small)
    run = line.run("nightly/nightly", {"clients": [CLIENT]})
    records = load_records([ref.shot for ref in load_batch(batch).shots])
    delivery = read_all(delivery_prefix(batch, 1))
    sent = {path.name: path.read_bytes() for path in folder.iterdir()}
    by_name = {record.shot.shot: record for record in records}
    return Night(batch, beside_it, paints, sent, run, survey(batch), by_name, delivery)


def _draw_named(folder: Path, paints: Mapping[str, tuple[int, int, int]]) -> None:
    """Write photographs of drawn products, and a manifest whose SKUs are the files' names without their suffix."""
    rows = ["file,sku,category,view,platforms"]
    for name, paint in paints.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photograph(radius_ratio=0.4, paint=paint))
        rows.append(f"{name},{PurePosixPath(name).stem},boxes,MAIN,ebay")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def measured(night: Night) -> Iterator[tuple[str, dict[str, object], remeasure.Measured]]:
    """Every delivered picture: path, its platform's facts, decoded."""
    assert night.renditions
    for path, data in sorted(night.renditions.items()):
        yield path, remeasure.platform(path.split("/")[0]), remeasure.decode(data)


def test_the_night_ends_well_and_processed_the_batch_in_a_run_of_its_own(night: Night, line: Line) -> None:
    assert night.run.state
    assert night.run.state.is_completed(), night.run.state.message
    (batch_run,) = [run for run in line.family(night.run.id) if run.name == f"process batch · {night.batch}"]
    assert batch_run.state
    assert batch_run.state.message == night.summary.sentence
    assert batch_run.deployment_id is not None
    assert f"client:{CLIENT}" in batch_run.tags


def test_two_batches_were_worked_on_side_by_side(night: Night, line: Line) -> None:
    one, other = (
        next(run for run in line.family(night.run.id) if run.name == f"process batch · {batch}")
        for batch in (night.batch, night.beside_it)
    )
    assert one.parent_task_run_id is not None
    assert other.parent_task_run_id is not None
    assert one.start_time is not None
    assert one.end_time is not None
    assert other.start_time is not None
    assert other.end_time is not None
    assert max(one.start_time, other.start_time) < min(one.end_time, other.end_time)


def test_names_in_any_script_come_through_the_night_to_the_delivered_package_each_with_its_picture(
    night: Night,
) -> None:
    """`tests/tasks/people/test_holds.py` has names whose product nobody states: they wait with a question."""
    delivery = read_all(delivery_prefix(night.beside_it, 1))
    rows = list(csv.DictReader(io.StringIO(delivery["manifest.csv"].decode())))
    with zipfile.ZipFile(io.BytesIO(delivery["package.zip"])) as package:
        packed = {name: package.read(name) for name in package.namelist()}
    named = {name: f"ebay/{IN_LATIN[name]}-MAIN.jpg" for name in night.paints}
    assert {row["file"] for row in rows if row["platform"] == "ebay"} == {*named.values()}
    for name, path in named.items():
        (row,) = [row for row in rows if row["file"] == path]
        assert unicodedata.normalize("NFC", row["original"]) == unicodedata.normalize("NFC", name)
        stem = PurePosixPath(name).stem
        assert unicodedata.normalize("NFC", row["sku"]) == unicodedata.normalize("NFC", stem)
        file = remeasure.decode(packed[path])
        rows_px, columns_px = file.pixels.shape[:2]
        middle = (
            file.pixels[rows_px // 3 : -rows_px // 3, columns_px // 3 : -columns_px // 3].reshape(-1, 3).mean(axis=0)
        )
        nearest = min(night.paints, key=lambda one: float(np.abs(middle - 0.8 * np.array(night.paints[one])).sum()))
        assert nearest == name


def test_every_uploaded_photograph_has_exactly_one_fate(night: Night) -> None:
    assert sorted(fate.file for fate in night.summary.fates) == night.photographs
    kinds = Counter(fate.kind for fate in night.summary.fates)
    assert sum(kinds.values()) == len(night.photographs)
    assert dict(kinds) == {kind: count for kind, count in night.summary.counts.items() if count}
    assert kinds["delivered"] >= 2
    assert kinds["failed"] == 0
    assert {"delivered", "waiting", "refused"} == set(kinds)
    assert all(fate.why for fate in night.summary.fates)


def test_the_manifests_row_without_a_file_is_reported(night: Night) -> None:
    assert [one.message for one in night.summary.findings if one.code == "row_without_file"] == [
        "The manifest names LMP701_MAIN.jpg, which was not uploaded."
    ]


def test_every_record_is_in_a_final_or_waiting_state_with_an_unbroken_history(night: Night) -> None:
    expected = {"delivered": {*DONE}, "waiting": {*WAITING}, "refused": {State.REFUSED}}
    for fate in night.summary.fates:
        record = night.records[fate.shot]
        assert record.state in expected[fate.kind], fate
        states = [State.RECEIVED, *(event.to_state for event in record.events)]
        assert [event.from_state for event in record.events] == states[:-1], fate.shot
        assert states[-1] is record.state
        assert State.FAILED not in states
        assert all(event.actor.startswith("flow run ") and event.why for event in record.events)


def test_a_machine_approves_nothing_below_the_limit_or_past_a_gate(night: Night) -> None:
    for fate in night.summary.of("delivered"):
        record = night.records[fate.shot]
        assert record.reports["edit"]["score"] >= 90, fate
        assert not [finding for finding in record.findings if finding.stops_approval]


def test_the_originals_are_as_they_were_sent(night: Night) -> None:
    inbox = read_all(inbox_prefix(night.batch))
    assert {name: data for name, data in inbox.items() if name != "READY"} == night.sent
    for fate in night.summary.fates:
        assert night.records[fate.shot].source.sha256 == hashlib.sha256(night.sent[fate.file]).hexdigest(), fate.file


def test_what_was_refused_lies_in_quarantine_with_its_reason(night: Night) -> None:
    refused = {fate.file: fate.why for fate in night.summary.of("refused")}
    quarantine = read_all(f"quarantine/{CLIENT}/{night.batch.batch}/")
    assert quarantine.keys() == refused.keys() | {f"{file}.reason.json" for file in refused}
    for file, why in refused.items():
        sent = (SAMPLES / file).read_bytes()
        assert quarantine[file] == sent
        reason = json.loads(quarantine[f"{file}.reason.json"])
        assert (reason["file"], reason["sha256"]) == (file, hashlib.sha256(sent).hexdigest())
        assert reason["message"] == why
        assert reason["next_step"]


def test_every_delivered_shot_has_the_files_that_its_platforms_ask_for_and_they_are_named_so(night: Night) -> None:
    rows = {row["file"]: row for row in csv.DictReader(night.sent["manifest.csv"].decode().splitlines())}
    expected, left_out = set(), set()
    for fate in night.summary.of("delivered"):
        row = rows[fate.file]
        known = {"product_id": row["asin"], "sku": row["sku"], "view": row["view"]}
        report = night.records[fate.shot].reports["export"]
        for name in remeasure.client_platforms(CLIENT):
            facts = remeasure.platform(name)
            if not any(re.fullmatch(view, row["view"]) for view in facts.get("views", [".*"])):
                continue
            for encoding in filter(None, (facts["encoding"], facts.get("fallback"))):
                extension = remeasure.EXTENSIONS[encoding["format"]]
                path = f"{name}/{facts['naming'].format(**known)}.{extension}"
                expected.add(path)
                if name in report["left_out"] or any(
                    one["path"] == path and not one["passed"] for one in report["files"]
                ):
                    left_out.add(path)
    assert night.renditions.keys() == expected - left_out
    assert len(left_out) <= len(expected) // 10, left_out


def test_every_delivered_file_has_the_format_shape_and_size_of_its_platform(night: Night) -> None:
    for path, facts, file in measured(night):
        canvas = facts["canvas"]
        assert isinstance(canvas, dict)
        assert remeasure.EXTENSIONS[file.format.lower()] == path.rpartition(".")[2]
        row = night.manifest[path]
        assert file.size == (int(row["width_px"]), int(row["height_px"])), path
        longest = max(file.size)
        assert canvas.get("min_px", 1) <= longest <= canvas.get("max_px", longest), path
        assert len(night.renditions[path]) <= facts.get("max_bytes", 10**9), path  # type: ignore[operator]
        if canvas.get("aspect") == "1:1":
            assert file.size[0] == file.size[1], path
            product = longest_of_product(night, row["shot"]) / remeasure.wanted_fill(facts)
            # As large as recommended; the small samples reach that only as far as they may be enlarged.
            least = max(product, min(canvas["min_px"], product * UPSCALE))
            assert abs(longest - min(canvas["recommended_px"], least)) <= 2, (path, longest, product)


def longest_of_product(night: Night, shot: str) -> int:
    matte = remeasure.read_matte(open_storage().get(shot_key(night.batch.shot(shot), "matte.png"))) > 0.5
    sides = (matte.any(axis=axis).nonzero()[0] for axis in (0, 1))
    return max(int(side[-1] - side[0] + 1) for side in sides)


def test_the_background_is_exactly_white_over_the_whole_frame(night: Night) -> None:
    mattes: dict[str, bytes] = {}
    for path, facts, file in measured(night):
        shot = night.manifest[path]["shot"]
        data = mattes.setdefault(shot, open_storage().get(shot_key(night.batch.shot(shot), "matte.png")))
        square = "aspect" in facts["canvas"]  # type: ignore[operator]
        product = remeasure.product_on_canvas(
            remeasure.read_matte(data), file.size, fill=remeasure.wanted_fill(facts), square=square
        )
        beyond_px = remeasure.RINGING_PX[path.rpartition(".")[2]] + remeasure.RESAMPLED_PX
        assert remeasure.off_white(file, product, beyond_px=beyond_px) == 0, path
        assert 0.05 < product.mean() < 0.9, path  # it is the product that was left out of the count, not everything
        assert remeasure.border_is_white(file), path


def test_the_product_fills_what_the_platform_asks_for(night: Night) -> None:
    for path, facts, file in measured(night):
        fill = remeasure.fill_ratio(file)
        limits = facts.get("fill", {})
        assert isinstance(limits, dict)
        assert fill == pytest.approx(remeasure.wanted_fill(facts), abs=remeasure.fill_tolerance(file)), path
        assert limits.get("least_ratio", 0) <= fill <= limits.get("most_ratio", 1), path


def test_every_delivered_file_carries_the_profile_of_its_platform(night: Night) -> None:
    for path, facts, file in measured(night):
        if facts["profile"] == "srgb":
            assert "sRGB" in remeasure.profile_title(file.icc), path
            assert remeasure.is_srgb(file.icc), path
        else:
            assert "Adobe RGB" in remeasure.profile_title(file.icc), path
            assert not remeasure.is_srgb(file.icc), path
            assert file.pixels.dtype == "uint16", path


def test_the_package_holds_what_the_manifest_lists_byte_for_byte(night: Night) -> None:
    sums = {path: row["sha256"] for path, row in night.manifest.items()}
    assert {path: hashlib.sha256(data).hexdigest() for path, data in night.renditions.items()} == sums
    with zipfile.ZipFile(io.BytesIO(night.delivery["package.zip"])) as package:
        assert package.testzip() is None
        packed = {name: package.read(name) for name in package.namelist()}
    assert packed == {path: data for path, data in night.delivery.items() if path != "package.zip"}
    for path, row in night.manifest.items():
        assert int(row["bytes"]) == len(packed[path])


def test_the_certificate_agrees_with_the_files_and_the_count(night: Night) -> None:
    certificate = json.loads(night.delivery["certificate.json"])
    sums = {one["path"]: one["sha256"] for one in certificate["files"]}
    assert sums == {path: hashlib.sha256(data).hexdigest() for path, data in night.renditions.items()}
    assert certificate["photographs"] == {"received": len(night.photographs), **night.summary.counts}
    inside = {one["shot"] for one in certificate["shots"]}
    outside = {one["shot"]: one["fate"] for one in certificate["not_in_this_delivery"]}
    assert inside == {fate.shot for fate in night.summary.of("delivered")}
    assert outside == {fate.shot: fate.kind for fate in night.summary.fates if fate.kind != "delivered"}
    (delivery,) = load_batch(night.batch).deliveries
    assert delivery.certificate_sha256 == hashlib.sha256(night.delivery["certificate.json"]).hexdigest()


def test_the_certificates_own_figures_hold_when_measured_again(night: Night) -> None:
    for one in json.loads(night.delivery["certificate.json"])["files"]:
        file = remeasure.decode(night.renditions[one["path"]])
        fill, tolerance = remeasure.fill_ratio(file), remeasure.fill_tolerance(file)
        assert fill == pytest.approx(one["fill_ratio"], abs=tolerance), one["path"]
        assert one["background"]["off_white_px"] == 0, one["path"]
        assert one["colour"]["mean_delta_e"] <= 2.0, one["path"]


def test_the_ui_shows_every_shot_with_its_picture_or_reason_and_the_batch_as_a_table(night: Night, line: Line) -> None:
    for fate in night.summary.fates:
        found = line.artifacts(artifact_key("shot", CLIENT, night.batch.batch, fate.shot))
        assert found, f"no artifact shows {fate.shot}"
        newest = found[0]
        assert newest.type == "markdown"
        if fate.kind != "refused":
            assert "](data:image/webp;base64," in str(newest.data) or "](http" in str(newest.data), fate.shot
    (table,) = line.artifacts(artifact_key("batch", CLIENT, night.batch.batch))
    rows = json.loads(str(table.data))
    assert {row["shot"]: row["became"] for row in rows} == {fate.shot: fate.kind for fate in night.summary.fates}
    (summary, *_) = line.artifacts("night")
    assert night.batch.batch in str(summary.data)


def test_every_waiting_shot_is_one_suspended_run_that_holds_nothing(night: Night, line: Line) -> None:
    waiting = line.waiting_runs(night.batch)
    assert [run.parameters["shot"] for run in waiting] == sorted(fate.shot for fate in night.summary.of("waiting"))
    for run in waiting:
        assert run.state
        assert run.state.is_paused()
        assert run.infrastructure_pid is None
        assert run.run_count == 0


def test_another_night_finds_nothing_to_do_and_writes_nothing(night: Night, line: Line) -> None:
    before = objects()
    again = line.run("nightly/nightly", {"clients": [CLIENT]})
    assert again.state
    assert again.state.message == "No closed batch was waiting"
    assert [run.name for run in line.task_runs(again.id)] == ["find closed batches"]
    assert objects() == before


def test_the_batch_processed_again_does_no_stage_and_delivers_nothing_twice(night: Night, line: Line) -> None:
    before = objects()
    again = line.run("process-batch/process-batch", {"client": CLIENT, "batch": night.batch.batch})
    assert again.state
    assert again.state.message == night.summary.sentence
    assert not [run.name for run in line.task_runs(again.id) if run.name.startswith(STAGES)]
    after = objects()
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert changed <= {f"{shots_prefix(night.batch).removesuffix('shots/')}batch.json"}, changed
