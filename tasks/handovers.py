"""The small results that tasks hand to each other: references and figures, never pixels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from packshot.batch import ShotRef
from packshot.ingest.grouping import ShotLight
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord
from packshot.routing.features import Features
from packshot.routing.picture import Looks
from packshot.types import Complexity, Route, Value, Verdict


class Handover(Value):
    """What every stage needs to know of a shot.

    Attributes:
        source_sha256: of the client's original.
        plan_fingerprint: of the plan stored beside the record as ``plan.json``.
        generation: how often the shot was started again.
    """

    shot: ShotId
    source_sha256: str
    plan_fingerprint: str
    generation: int = 0

    @property
    def name(self) -> str:
        return self.shot.shot

    @property
    def content(self) -> str:
        """What a result depends on besides the stage and the pipeline's version; part of its cache key."""
        return f"{self.shot}-{self.generation}-{self.source_sha256}-{self.plan_fingerprint}"


class MasteredShot(Handover):
    """After stage 1.

    Attributes:
        refused: why the file is not accepted; empty if it is.
        category: the category's name, empty where unknown.
        features, light: None for a refused file.
        looks: what the photograph looks like; None where its category is known, or nothing looks.
        master_sha256: of the picture that is edited: ``master.tif``, or ``corrected.tif`` after its group's correction.
    """

    refused: str = ""
    category: str = ""
    category_source: str = ""
    view: str = ""
    features: Features | None = None
    light: ShotLight | None = None
    looks: Looks | None = None
    master_sha256: str = ""


class RoutedShot(Handover):
    """After stage 2.

    Attributes:
        group: the set-up it was taken under; its shots are edited in one part of the batch.
        colour_fingerprint: of what the shot was told about its group's colours.
    """

    group: str
    colour_fingerprint: str = ""
    category: str
    complexity: Complexity
    route: Route
    reason: str
    master_sha256: str

    @property
    def content(self) -> str:
        return f"{super().content}-{self.master_sha256}-{self.colour_fingerprint}"

    @property
    def automated(self) -> bool:
        return self.route is Route.AUTOMATED


class EditedShot(Handover):
    """After stage 3A.

    Attributes:
        needs_person: whether a reviewer or an editor has to look at it.
    """

    group: str
    category: str
    verdict: Verdict
    score: float
    reason: str
    needs_person: bool


class ApprovedShot(Handover):
    """Ready for stage 4.

    Attributes:
        edit_sha256: of ``edit.tif``, so that a new edit is exported anew.
    """

    edit_sha256: str

    @property
    def content(self) -> str:
        return f"{super().content}-{self.edit_sha256}"

    @classmethod
    def of(cls, record: ShotRecord, *, generation: int) -> Self:
        """Return the handover that a record in state ``approved`` or later describes."""
        return cls(
            shot=record.shot,
            source_sha256=record.source.sha256,
            plan_fingerprint=record.plan_fingerprint,
            generation=generation,
            edit_sha256=record.objects.get("edit.tif", ""),
        )


class ExportedShot(Handover):
    """After stage 4's export and verification.

    Attributes:
        files: paths of the renditions below the delivery's folder.
    """

    files: tuple[str, ...]


class BatchStock(Value):
    """What lies in a batch's inbox."""

    batch: BatchId
    configs_fingerprint: str
    shots: tuple[ShotRef, ...]


class Outcome(Value):
    """What became of a person's answer.

    Attributes:
        objection: why it cannot be followed; empty if it was.
        sentence: what was done.
    """

    objection: str = ""
    sentence: str = ""


KINDS: Mapping[str, type[Value]] = MappingProxyType(
    {kind.__name__: kind for kind in (MasteredShot, RoutedShot, EditedShot, ExportedShot, Outcome)}
)
"""What a task's kept result may be, by name; a kept result can name nothing else."""
