"""A batch that a camera saw in warm, dim light, with a ColorChecker: corrected as a group, through the whole line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from prefect.client.schemas.objects import FlowRun

from deployments.demo import SAMPLES
from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, working_profile
from packshot.colour.transform import working_to_srgb8
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop, read_master
from packshot.keys import delivery_prefix, job_out_key, shot_key
from packshot.naming import batch_id
from packshot.record import ShotRecord, State
from packshot.specs.models import IngestConfig
from packshot.types import Pixels16
from tasks.batches.fates import Summary
from tasks.batches.summing_up import survey
from tasks.records.stored import load_batch, load_record
from tasks.stages.stored_edits import read_matte
from tasks.storage.bucket import open_storage
from tests import drawn_products
from tests.drawn_targets import CAMERA, photograph_of_chart
from tests.flows.line import Line, read_all

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "warm-light")
# Lossless: of 8-bit JPEGs in this light the cut-out keeps scraps of backdrop at both cartons' edges, so that quality
# control rightly stops them, see docs/quality.md.
FILES = ("BOX102_MAIN.png", "BOX101_MAIN.png", "BTL202_MAIN.png")
STRICT = "BTL202_MAIN"
DIM = CAMERA * 0.85


class Done(NamedTuple):
    run: FlowRun
    summary: Summary
    records: dict[str, ShotRecord]
    delivery: dict[str, bytes]


def seen(pixels: Pixels16) -> Pixels16:
    """What the camera makes of a scene in that light."""
    return encode_working((decode_working(pixels) @ DIM.T).astype(np.float32))


def as_sent(name: str) -> Pixels16:
    sample = (SAMPLES / name).with_suffix(".jpg").read_bytes()
    return develop(open_photo(sample, name=name, limits=IngestConfig())).pixels16


@pytest.fixture(scope="module")
def done(line: Line, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Three samples as that camera saw them, a chart beside them; one row states a colour that no product here has."""
    folder: Path = tmp_path_factory.mktemp("warm")
    rows = {row["file"]: row for row in csv.DictReader((SAMPLES / "manifest.csv").read_text().splitlines())}
    for name in FILES:
        photograph = working_to_srgb8(seen(as_sent(name)))
        (folder / name).write_bytes(drawn_products.encoded(photograph))
    (folder / "chart.png").write_bytes(drawn_products.encoded(working_to_srgb8(photograph_of_chart(camera=DIM))))
    table = io.StringIO()
    writer = csv.DictWriter(table, [*next(iter(rows.values())), "reference"])
    writer.writeheader()
    for name in FILES:
        reference = "#00A0FF" if name.startswith(STRICT) else "chart.png"
        writer.writerow({**rows[f"{Path(name).stem}.jpg"], "file": name, "shoot_group": "warm", "reference": reference})
    (folder / "manifest.csv").write_text(table.getvalue())
    line.submit(BATCH, folder)
    run = line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    records = {Path(name).stem: load_record(BATCH.shot(Path(name).stem)) for name in FILES}
    return Done(run, survey(BATCH), records, read_all(delivery_prefix(BATCH, 1)))


def stored(shot: str, name: str) -> Pixels16:
    return read_master(open_storage().get(shot_key(BATCH.shot(shot), name)))


def apart(one: Pixels16, other: Pixels16) -> float:
    """Mean delta E 2000 of two pictures over cells of 16 pixels: without grain, which a correction enlarges."""
    cells = [cv2.resize(picture, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA) for picture in (one, other)]
    return float(delta_e_2000(*(lab_of(cell, icc=working_profile()) for cell in cells)).mean())


def test_the_chart_is_no_photograph_of_a_product(done: Done) -> None:
    assert sorted(fate.file for fate in done.summary.fates) == sorted(FILES)
    assert load_batch(BATCH).ignored["chart.png"]


def test_the_group_has_one_transform_and_every_shot_states_it(done: Done) -> None:
    (statement,) = load_batch(BATCH).statements.values()
    assert sorted(statement["shots"]) == sorted(done.records)
    assert statement["fit"]["before"]["mean"] > 7
    assert statement["fit"]["held_out"]["mean"] < 2
    stated = {json.dumps(record.reports["group"]["correction"], sort_keys=True) for record in done.records.values()}
    assert stated == {json.dumps(statement["corrections"]["even"], sort_keys=True)}


def test_the_corrected_pictures_have_the_colours_of_the_scene(done: Done) -> None:
    for name in FILES:
        shot = Path(name).stem
        truth = as_sent(name)
        assert apart(stored(shot, "master.tif"), truth) > 4
        assert apart(stored(shot, "corrected.tif"), truth) < 1.2


def test_inside_the_product_the_edit_is_the_corrected_picture_bit_for_bit(done: Done) -> None:
    matte = read_matte(open_storage().get(shot_key(BATCH.shot(Path(FILES[0]).stem), "matte.png")))
    inside = matte == matte.max()
    corrected, edit = (stored(Path(FILES[0]).stem, name) for name in ("corrected.tif", "edit.tif"))
    assert inside.mean() > 0.05
    assert (corrected[inside] == edit[inside]).mean() > 0.995


def test_what_is_verified_against_the_chart_says_so_in_the_certificate(done: Done) -> None:
    certificate = json.loads(done.delivery["certificate.json"])
    assert certificate["shots"]
    for shot in certificate["shots"]:
        assert shot["correction"]["kind"] == "colour target"
        assert "chart.png" in shot["correction"]["why"]
        assert shot["shoot_group"] in load_batch(BATCH).statements
        assert shot["colour_reference"].startswith("verified: delta E")


def test_a_product_that_misses_its_stated_colour_is_never_delivered_unseen(done: Done) -> None:
    record = done.records[STRICT]
    (finding,) = [one for one in record.findings if one.code == "colour_not_verified"]
    assert finding.measured
    assert finding.measured > 3.5
    assert record.state is State.AWAITING_EDITOR
    assert record.reports["edit"]["verdict"] == "reject_and_redo"


def test_an_editor_takes_the_corrected_picture(done: Done) -> None:
    taken = read_master(open_storage().get(job_out_key(BATCH.shot(STRICT), "master.tif")))
    assert np.array_equal(taken, stored(STRICT, "corrected.tif"))
