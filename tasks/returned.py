"""An editor's finished picture becomes the shot's edit."""

from __future__ import annotations

import dataclasses

from packshot import pipeline
from packshot.ingest.master import read_master
from packshot.pipeline import Edit
from packshot.record import ShotRecord
from packshot.types import Finding, Pixels16
from tasks import pictures, shelf


@dataclasses.dataclass(frozen=True)
class Taken:
    """Returned work, read.

    Attributes:
        pixels: the master it was made from, working space.
        checks: of the file itself; one that failed sends it back.
    """

    pixels: Pixels16
    edit: Edit
    checks: tuple[Finding, ...] = ()


def take_over(record: ShotRecord, data: bytes, *, name: str) -> Taken:
    """Return a finished picture as the shot's edit, scored like a machine's.

    Raises:
        RefusedInputError: it cannot be read, or it is not as large as the master.
    """
    pixels = read_master(shelf.fetch(record, pictures.picture_to_edit(record)))
    return Taken(
        pixels, pipeline.adopt(pixels, data, shelf.plan_of(record), name=name, group=pictures.group_of(record))
    )
