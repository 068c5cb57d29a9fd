"""An editor's finished picture is read, checked against its master, and becomes the shot's edit."""

from __future__ import annotations

import dataclasses

from packshot import pipeline
from packshot.cutout import Method
from packshot.handoff.services import Service
from packshot.ingest.master import read_master
from packshot.pipeline import Edit
from packshot.record import ShotRecord
from packshot.returned.checks import Permits, check_returned
from packshot.returned.read import ReturnedWork, read_returned
from packshot.specs.models import Plan, Shadow
from packshot.types import Finding, Matte, Pixels16, Status
from tasks import pictures, shelf
from tasks.drafts import DRAFT
from tasks.tickets import promise_to, scope_for

_PAINTED = (Service.RETOUCH, Service.GHOST_MANNEQUIN)


@dataclasses.dataclass(frozen=True)
class Taken:
    """Returned work, read and checked.

    Attributes:
        pixels: the master it was made from, working space.
        checks: what was checked; one that failed sends the work back.
    """

    record: ShotRecord
    plan: Plan
    pixels: Pixels16
    work: ReturnedWork
    checks: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.checks if one.status is Status.FAILED)

    def edit(self) -> Edit:
        """Return the work as the shot's edit, scored like a machine's.

        Raises:
            RefusedInputError: it tells nothing of what is product, or it has another shape than the master.
        """
        return pipeline.adopt(self.pixels, self.work, self.plan, group=pictures.group_of(self.record))


def take_over(record: ShotRecord, data: bytes, *, name: str) -> Taken:
    """Return a finished picture, read and checked before anyone looks at it.

    Raises:
        RefusedInputError: it cannot be read.
    """
    plan = shelf.plan_of(record)
    pixels = read_master(shelf.fetch(record, pictures.picture_to_edit(record)))
    rule = promise_to(record.shot.client).path_name
    work = read_returned(data, name=name, limits=plan.ingest, prefer_path=rule)
    checks = check_returned(work, pixels, draft=_machine_s_matte(record), permits=_permits(record, plan))
    return Taken(record, plan, pixels, work, checks)


def _machine_s_matte(record: ShotRecord) -> Matte | None:
    """The matte that the editor was given, or that the machine's own edit had; None where there was none."""
    if record.reports.get("draft", {}).get("made"):
        return read_returned(shelf.fetch(record, DRAFT), name=DRAFT, limits=shelf.plan_of(record).ingest).matte
    if record.reports.get("edit", {}).get("method", Method.GIVEN) != Method.GIVEN:
        return pictures.read_matte(shelf.fetch(record, "matte.png"))
    return None


def _permits(record: ShotRecord, plan: Plan) -> Permits:
    """What the job's services allow to change beside the background."""
    services = {one.service for one in scope_for(record, plan).services}
    return Permits(
        colour=Service.COLOUR_CORRECTION in services,
        retouch=bool(services.intersection(_PAINTED)),
        shadow=plan.rules.shadow is Shadow.KEEP,
    )
