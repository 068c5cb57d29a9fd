"""A shot in storage whose pictures are drawn: an edit with known faults, its master, its matte."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from packshot.colour.transform import srgb8_to_working
from packshot.ingest.master import write_working_tiff
from packshot.ingest.metadata import Metadata
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord, Source, State
from packshot.specs.resolve import resolve
from packshot.types import Matte, Pixels16
from tasks.records.stored import create_record
from tasks.stages.stored_edits import write_matte
from tasks.storage import shot_objects
from tests import drawn_products
from tests.configs import shipped_configs

WIDTH, HEIGHT = 1500, 1100
OFF_WHITE = [(40, 30), (41, 30), (700, 12), (1480, 1080), (3, 1090)]
"""Column and row of pixels of the background that are off by a few of 65535 or more."""


class Drawn(NamedTuple):
    edit: Pixels16
    master: Pixels16
    matte: Matte


@cache
def drawn() -> Drawn:
    """The pictures: an even disc on white, of which some pixels are not."""
    photograph = drawn_products.pixels(WIDTH, HEIGHT)
    matte = drawn_products.coverage(WIDTH, HEIGHT, radius_ratio=0.33)
    matte[matte < 1e-4] = 0
    share = matte[..., None]
    edit = srgb8_to_working(np.rint(share * photograph + (1 - share) * 255).astype(np.uint8))
    edit[matte == 0] = 65535
    for number, (column, row) in enumerate(OFF_WHITE):
        edit[row, column, number % 3] -= 1 + 900 * number
    return Drawn(edit, srgb8_to_working(photograph), matte)


@cache
def _files() -> dict[str, bytes]:
    edit, master, matte = drawn()
    plan = resolve(shipped_configs(), client="acme", platforms=("amazon_main", "shopify"))
    return {
        "edit.tif": write_working_tiff(edit, metadata=Metadata()),
        "master.tif": write_working_tiff(master, metadata=Metadata()),
        "matte.png": write_matte(matte),
        "plan.json": plan.model_dump_json().encode(),
    }


def stored(batch: BatchId, name: str = "A1_MAIN", *, without: frozenset[str] = frozenset()) -> ShotRecord:
    """The shot's record, as it stands in storage while it waits for a reviewer."""
    shot = ShotId(client=batch.client, batch=batch.batch, shot=name)
    objects = shot_objects.keep(shot, {file: data for file, data in _files().items() if file not in without})
    source = Source(key=f"inbox/{name}.jpg", sha256="", size_bytes=1)
    return create_record(ShotRecord(shot=shot, source=source, state=State.IN_REVIEW, objects=objects))


def address(record: ShotRecord, kind: str = "edit", file: str = "edit.tif") -> str:
    """The address of one of its pictures."""
    shot = record.shot
    return f"/pictures/{shot.client}/{shot.batch}/{shot.shot}/{kind}/{record.objects[file][:16]}"
