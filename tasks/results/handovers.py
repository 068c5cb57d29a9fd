"""The small results that tasks pass to each other: references and figures, never pixels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from packshot.batch import ShotRef
from packshot.ingest.grouping import ShotLight
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord, deliveries_of
from packshot.routing.features import Features
from packshot.routing.picture import Looks
from packshot.types import Complexity, Route, Value, Verdict


class Handover(Value):
    """The facts about a shot that every stage needs.

    Attributes:
        shot: the shot that is passed on.
        source_sha256: hash of the client's original.
        plan_fingerprint: hash of the plan that is stored beside the record as ``plan.json``.
        generation: how many times the shot was started again.
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
        """The shot's part of a cache key, as text: everything that a result depends on, except stage and pipeline
        version.
        """
        return f"{self.shot}-{self.generation}-{self.source_sha256}-{self.plan_fingerprint}"


class MasteredShot(Handover):
    """Result of stage 1: the shot has a master, or was refused.

    Attributes:
        refused: why the file was refused; empty if it was accepted.
        category, view: empty; the shot's plan has them.
        category_source: where the category in the plan comes from, such as ``manifest``; empty for a refused file.
        features, light: measured figures, and the light of the photograph; None for a refused file.
        looks: the category network's prediction; None if the category is known, or no network is used.
        master_sha256: hash of the picture to edit: ``master.tif``, or ``corrected.tif`` after the group's correction.
            Empty for a refused file.
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
    """Result of stage 2: the shot goes to the machine or to a person.

    Attributes:
        group: name of the lighting set-up of the shot. All shots of a set-up are edited in the same part of the batch.
        colour_fingerprint: hash of the group's decision about the shot's colours.
        category: name of the product category; empty if unknown.
        complexity: how hard the product is to edit.
        route: who edits the shot: the machine, or a person.
        reason: why the shot has this route, in words.
        master_sha256: hash of the picture to edit: ``master.tif``, or ``corrected.tif`` after the group's correction.
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
    """Result of stage 3A: the machine has edited the shot.

    Attributes:
        group: name of the lighting set-up of the shot.
        category: name of the product category; empty if unknown.
        verdict: the machine's verdict on its edit.
        score: of the edit, in 0..100.
        reason: the verdict in words.
        needs_person: whether a reviewer or an editor has to look at it.
    """

    group: str
    category: str
    verdict: Verdict
    score: float
    reason: str
    needs_person: bool


class ApprovedShot(Handover):
    """Input of stage 4, the export: the shot is approved.

    Attributes:
        edit_sha256: hash of ``edit.tif``. So a new edit is exported again.
        delivered: how often the shot was delivered before. So a second delivery is exported again, even if the edit is
            the same.
    """

    edit_sha256: str
    delivered: int = 0

    @property
    def content(self) -> str:
        again = f"-{self.delivered}" if self.delivered else ""
        return f"{super().content}-{self.edit_sha256}{again}"

    @classmethod
    def of(cls, record: ShotRecord, *, generation: int) -> Self:
        """Return the handover for a shot that is approved, exported or verified.

        Args:
            record: the shot's record.
            generation: how many times the shot was started again, from its batch's record.
        """
        return cls(
            shot=record.shot,
            source_sha256=record.source.sha256,
            plan_fingerprint=record.plan_fingerprint,
            generation=generation,
            edit_sha256=record.objects.get("edit.tif", ""),
            delivered=len(deliveries_of(record)),
        )


class ExportedShot(Handover):
    """Result of stage 4, after export and verification.

    Attributes:
        files: paths of the renditions, relative to the delivery's folder.
    """

    files: tuple[str, ...]


class BatchStock(Value):
    """The shots of a batch that need work.

    Attributes:
        configs_fingerprint: fingerprint of the configs of the batch's client (`tasks.environment.configs.fingerprint`).
        shots: entries in the batch's record of the shots that need work.
        unedited: names of the shots that nobody has edited yet.
        waiting: names of the batch's other shots that wait for people.
    """

    batch: BatchId
    configs_fingerprint: str
    shots: tuple[ShotRef, ...]
    unedited: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Outcome(Value):
    """Result of applying a person's answer.

    Attributes:
        objection: why the answer was refused; empty if it was applied.
        sentence: what was done, in words; empty if the answer was refused.
    """

    objection: str = ""
    sentence: str = ""


KINDS: Mapping[str, type[Value]] = MappingProxyType(
    {kind.__name__: kind for kind in (MasteredShot, RoutedShot, EditedShot, ExportedShot, Outcome)}
)
"""Classes that a cached task result may have, by name. Other names are refused when a result is read."""
