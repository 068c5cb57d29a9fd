"""Define the small results that stages pass to each other: references and measurements, never pixels."""

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
    """What one stage tells the next about a shot. Each stage has a subclass of its own.

    Attributes:
        shot: the shot that is passed on.
        source_sha256: hash of the client's original, hex.
        plan_fingerprint: hash of the shot's plan, which is stored as ``plan.json`` beside its record.
        generation: how many times people have had the shot started again from its original.
    """

    shot: ShotId
    source_sha256: str
    plan_fingerprint: str
    generation: int = 0

    @property
    def name(self) -> str:
        """The shot's name within its batch, such as ``BTL201_MAIN``."""
        return self.shot.shot

    @property
    def content(self) -> str:
        """A text that changes whenever the shot's result may change; it is part of the cache key.

        The text is made of the shot's id, generation, original and plan. Stage and pipeline version are added
        elsewhere.
        """
        return f"{self.shot}-{self.generation}-{self.source_sha256}-{self.plan_fingerprint}"


class MasteredShot(Handover):
    """Result of stage 1: the shot has a master, or its file was refused.

    Attributes:
        refused: why the file was refused; empty if it was accepted.
        category_source: where the category in the plan comes from, such as ``manifest``; empty for a refused file.
        features: measurements by which stage 2 decides who edits the shot; None for a refused file.
        light: the light of the photograph, by which shots are grouped; None for a refused file.
        looks: what the category network predicts from the picture; None if the category is known, or no network is
            used.
        master_sha256: hash of the picture to edit: ``master.tif``, or ``corrected.tif`` after the colours of its shoot
            group were corrected. Empty for a refused file.
    """

    refused: str = ""
    category_source: str = ""
    features: Features | None = None
    light: ShotLight | None = None
    looks: Looks | None = None
    master_sha256: str = ""


class RoutedShot(Handover):
    """Result of stage 2: it is decided whether the machine or a person edits the shot.

    Attributes:
        group: name of the shot's shoot group (same light). All shots of a group are edited in the same part of the
            batch.
        colour_fingerprint: hash of what was decided about the colours of the group, so that a new decision gives a new
            edit.
        category: name of the product category, such as ``bottle``; empty if unknown.
        complexity: how hard the product is to edit.
        route: who edits the shot: the machine, or a person.
        reason: why the shot has this route, in words.
        master_sha256: hash of the picture to edit: ``master.tif``, or ``corrected.tif`` after the colours of its shoot
            group were corrected.
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
        """A text that changes whenever the shot's edit may change; it is part of the cache key.

        It is made of the shot's id, generation, original and plan, and of hashes of the picture to edit and of what was
        decided about colours.
        """
        return f"{super().content}-{self.master_sha256}-{self.colour_fingerprint}"

    @property
    def automated(self) -> bool:
        """True if the machine edits the shot."""
        return self.route is Route.AUTOMATED


class EditedShot(Handover):
    """Result of stage 3, if the machine has edited the shot.

    Attributes:
        group: name of the shot's shoot group (same light).
        category: name of the product category, such as ``bottle``; empty if unknown.
        verdict: the machine's verdict on its edit: approve, review, or redo.
        score: of the edit, 0 to 100.
        reason: the reason of the verdict, in words.
        needs_person: True if a reviewer or an editor has to look at the shot.
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
        edit_sha256: hash of ``edit.tif``. After a new edit the hash is another, so the shot is exported again.
        delivered: how many deliveries the shot was in before. With it, the shot is exported again for a second
            delivery, even if the edit has not changed.
    """

    edit_sha256: str
    delivered: int = 0

    @property
    def content(self) -> str:
        """A text that changes whenever the shot's delivered files may change; it is part of the cache key.

        It is made of the shot's id, generation, original and plan, the edit's hash, and the number of earlier
        deliveries if that is not 0.
        """
        again = f"-{self.delivered}" if self.delivered else ""
        return f"{super().content}-{self.edit_sha256}{again}"

    @classmethod
    def of(cls, record: ShotRecord, *, generation: int) -> Self:
        """Return what stage 4 needs about a shot that is approved, exported or verified.

        Args:
            record: the shot's record.
            generation: how many times people have had the shot started again, from its batch's record.
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
    """Result of stage 4: the shot's renditions are made and verified.

    Attributes:
        files: paths of the renditions, relative to the delivery's folder.
    """

    files: tuple[str, ...]


class BatchStock(Value):
    """What a run finds to do in a batch: its shots that need work.

    Attributes:
        batch: the batch.
        configs_fingerprint: hash of the configs of the batch's client (`tasks.environment.configs.fingerprint`).
        shots: one entry for each shot that needs work, as in the batch's record.
        unedited: names of the shots in `shots` that have no route yet, so that nobody can have edited them.
        waiting: names of the batch's other shots that wait for people.
    """

    batch: BatchId
    configs_fingerprint: str
    shots: tuple[ShotRef, ...]
    unedited: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Outcome(Value):
    """What became of a person's answer to a question about a shot: it was followed, or refused.

    Attributes:
        objection: why the answer was refused; empty if it was followed.
        sentence: what was done, in words; empty if the answer was refused.
    """

    objection: str = ""
    sentence: str = ""


KINDS: Mapping[str, type[Value]] = MappingProxyType(
    {kind.__name__: kind for kind in (MasteredShot, RoutedShot, EditedShot, ExportedShot, Outcome)}
)
"""Classes that a cached task result may have, by name. Other names are refused when a result is read."""
