"""Read an editor's finished picture, check it against its master, and make it the shot's edit."""

from __future__ import annotations

import dataclasses

from packshot import pipeline
from packshot.ingest.master import read_master
from packshot.pipeline import Edit, opening
from packshot.record import ShotRecord
from packshot.returned.checks import Permits, check_returned
from packshot.returned.neck_joint import check_neck_joint
from packshot.returned.read import ReturnedWork
from packshot.specs.models import Plan, Shadow
from packshot.specs.services import Service
from packshot.types import Finding, Pixels16, Status
from tasks.environment.style_guides import promise_to
from tasks.people.drafts import given_matte, joint_draft
from tasks.people.tickets import scope_for
from tasks.processing.children import children
from tasks.stages import stored_edits
from tasks.storage import shot_objects

_PAINTED = (Service.RETOUCH, Service.GHOST_MANNEQUIN)


@dataclasses.dataclass(frozen=True)
class Taken:
    """An editor's finished picture that was read and checked. `take_over` makes it.

    Attributes:
        record: the shot's record when the picture was read.
        plan: the shot's plan.
        pixels: the picture that the editor worked from: (rows, columns, 3) uint16, Adobe RGB with its gamma.
        work: the editor's picture, as the file holds it.
        checks: results of all checks, passed ones too. If one has failed, the work goes back to the editor.
    """

    record: ShotRecord
    plan: Plan
    pixels: Pixels16
    work: ReturnedWork
    checks: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The checks that failed; empty if the work can be accepted."""
        return tuple(one for one in self.checks if one.status is Status.FAILED)

    def edit(self) -> Edit:
        """Return the editor's picture as the shot's edit, scored like an edit by the machine.

        Raises:
            RefusedInputError: the file has nothing that separates product from background, or it has another size than
                the master.
        """
        return pipeline.adopt(self.pixels, self.work, self.plan, group=stored_edits.group_of(self.record))


def take_over(record: ShotRecord, data: bytes, *, name: str) -> Taken:
    """Return an editor's finished picture, after reading and checking it. Failed checks are in the result, not raised.

    The picture is read in a confined child process, because the file comes from outside.

    Args:
        record: the record of the shot, which has a master.
        data: the whole file.
        name: file name, for messages and to tell the file's format.
    Raises:
        RefusedInputError: the picture can't be read.
    """
    plan = shot_objects.plan_of(record)
    pixels = read_master(shot_objects.fetch(record, stored_edits.picture_to_edit(record)))
    rule = promise_to(record.shot.client).path_name
    answer = children().call(
        opening.RETURNED,
        data,
        about=name,
        within=plan.ingest.apart,
        name=name,
        limits=plan.ingest,
        prefer_path=rule,
    )
    work = opening.received_returned(answer.value, answer.parts)
    services = frozenset(one.service for one in scope_for(record, plan).services)
    joint = joint_draft(record) if Service.GHOST_MANNEQUIN in services else None
    draft = joint.without_mannequin() if joint else given_matte(record)
    checks = check_returned(work, pixels, draft=draft, permits=_permits(plan, services))
    if Service.GHOST_MANNEQUIN in services:
        checks += check_neck_joint(work, pixels, joint)
    return Taken(record, plan, pixels, work, checks)


def _permits(plan: Plan, services: frozenset[Service]) -> Permits:
    """Return what the job's services allow to change besides the background."""
    return Permits(
        colour=Service.COLOUR_CORRECTION in services,
        retouch=bool(services.intersection(_PAINTED)),
        shadow=plan.rules.shadow is Shadow.KEEP,
    )
