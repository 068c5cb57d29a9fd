"""Stage 1 and 2: from an original's bytes to its master, its plan, and who edits it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from packshot.colour.backdrop_light import BackdropReading, measure_backdrop
from packshot.colour.normalise import Correction, correct, newly_clipped
from packshot.colour.reference import swatch_colour
from packshot.colour.target import TargetReading, find_target
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.facts import doubtful_facts, gather_facts
from packshot.ingest.grouping import ShotLight, light_of
from packshot.ingest.master import Master, develop, write_master
from packshot.ingest.metadata import with_sidecar
from packshot.ingest.shoot_groups import GroupDecision, ReferencePhoto
from packshot.routing.decide import RouteDecision, decide, may_be_otherwise
from packshot.routing.features import Features, measure
from packshot.routing.model import RoutingModel
from packshot.routing.picture import Looks, look_at
from packshot.routing.words import category_in_words, doubtful_category
from packshot.specs.models import Configs, IngestConfig, Plan
from packshot.specs.resolve import resolve, style_guide
from packshot.specs.services import beyond_the_machine
from packshot.threads import side_by_side
from packshot.types import Complexity, Finding, Pixels16, Route, Sourced, Status


@dataclasses.dataclass(frozen=True)
class Mastered:
    """A shot after stage 1.

    Attributes:
        tiff: the master as a file.
        plan: everything that is decided about it.
        light: what tells of its shoot group.
        looks: what it looks like; None where its category is known, or nothing looks.
        report: how it was read and converted, as plain JSON for the record.
    """

    master: Master
    tiff: bytes
    facts: Mapping[str, Sourced]
    plan: Plan
    features: Features
    light: ShotLight
    looks: Looks | None
    findings: tuple[Finding, ...]
    report: Mapping[str, Any]

    @property
    def category_source(self) -> str:
        """Where the category is known from; empty where it is not."""
        fact = self.facts.get("category")
        return fact.source if fact else ""


def master(
    data: bytes,
    *,
    path: str,
    shot: str,
    row: Mapping[str, str],
    client: str,
    configs: Configs,
    sidecar: bytes = b"",
) -> Mastered:
    """Return an original brought to the working space, with all that is known and decided about it.

    Args:
        data: the whole file.
        path: of the file in its batch.
        row: its row in the manifest; empty without one.
        sidecar: the XMP file beside it; empty without one.
    Raises:
        RefusedInputError: the file is not accepted.
        ConfigError: its facts and the configs don't go together.
    """
    guide = style_guide(configs, client)
    limits = configs.ingest.model_copy(update={"min_px": guide.min_px} if guide.min_px else {})
    photo = open_photo(data, name=path, limits=limits)
    if sidecar:
        photo = dataclasses.replace(photo, metadata=with_sidecar(photo.metadata, sidecar))
    developed = develop(photo)
    facts = gather_facts(path, manifest_row=row, client=guide, metadata=photo.metadata)
    texts = (photo.metadata.title, *photo.metadata.keywords)
    if "category" not in facts and (said := category_in_words(path, texts, configs.categories)):
        facts["category"] = said
    known = {name: fact.value for name, fact in facts.items()}
    plan = resolve(
        configs,
        client=client,
        category=known.get("category", ""),
        view=known.get("view", ""),
        platforms=_listed(known.get("platforms", "")),
        services=_listed(known.get("services", "")),
    )
    doubts = doubtful_facts(path, manifest_row=row, client=guide, metadata=photo.metadata)
    doubts += doubtful_category(facts.get("category"), configs.categories)
    seen = _measured(developed)
    return Mastered(
        master=developed,
        tiff=seen.tiff,
        facts=facts,
        plan=plan,
        features=seen.features,
        light=light_of(
            shot,
            metadata=photo.metadata,
            shoot_group=known.get("shoot_group", ""),
            backdrop=seen.backdrop,
            target=seen.target,
            reference=known.get("reference", ""),
            allowed=plan.rules.group_correction,
        ),
        looks=look_at(developed.pixels16, configs.categories) if _is_to_be_looked_at(plan, facts) else None,
        findings=developed.findings + doubts,
        report=_reading(photo, developed),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _is_to_be_looked_at(plan: Plan, facts: Mapping[str, Sourced]) -> bool:
    source = facts["category"].source if "category" in facts else ""
    return may_be_otherwise(plan.category, source) and plan.routing.picture is not None


class _Measured(NamedTuple):
    """What is measured on every master, for its route and for its shoot group, and its file."""

    features: Features
    tiff: bytes
    target: TargetReading | None
    backdrop: BackdropReading | None


def _measured(developed: Master) -> _Measured:
    pixels = developed.pixels16
    measurements: tuple[Callable[[], Any], ...] = (
        partial(measure, pixels),
        partial(write_master, developed),
        partial(find_target, pixels),
        partial(measure_backdrop, pixels),
    )
    return _Measured(*side_by_side(lambda measurement: measurement(), measurements))


def _reading(photo: Photo, developed: Master) -> dict[str, Any]:
    """How an original was read, for the record."""
    return {
        "kind": photo.kind.value,
        "size": list(photo.size),
        "bit_depth": photo.bit_depth,
        "profile": photo.profile_name,
        "orientation": photo.orientation,
        "transform": developed.transform.model_dump(mode="json"),
        "metadata": photo.metadata.model_dump(mode="json", exclude={"has_gps"}),
    }


def read_reference(data: bytes, *, path: str, limits: IngestConfig) -> ReferencePhoto:
    """Return what a file shows that is named as the colour reference of others: a colour target, or a swatch.

    Raises:
        RefusedInputError: it cannot be read.
    """
    small_ones_too = limits.model_copy(update={"min_px": 1})
    pixels = develop(open_photo(data, name=path, limits=small_ones_too)).pixels16
    target = find_target(pixels, thorough=True)
    return ReferencePhoto(target=target, swatch=None if target else swatch_colour(pixels))


@dataclasses.dataclass(frozen=True)
class Corrected:
    """A master after its group's transform.

    Attributes:
        pixels: (rows, columns, 3) uint16, working space.
        findings: colours that the transform cut off.
    """

    pixels: Pixels16
    findings: tuple[Finding, ...]


def correct_master(pixels: Pixels16, correction: Correction, *, most_clipped: float = 0.02) -> Corrected:
    """Return a master changed by its group's transform, and a finding where that cuts colours off.

    Args:
        pixels: (rows, columns, 3) uint16, working space.
        most_clipped: share of the picture from which that is said.
    """
    corrected = correct(pixels, correction)
    share = newly_clipped(pixels, corrected) if corrected is not pixels else 0.0
    if share <= most_clipped:
        return Corrected(corrected, ())
    clipped = Finding(
        code="correction_clips",
        status=Status.WARNING,
        message=f"The group's correction drives {share:.1%} of the picture to the end of a channel.",
        measured=round(share, 4),
        limit=most_clipped,
        unit="share",
    )
    return Corrected(corrected, (clipped,))


def route(
    features: Features,
    plan: Plan,
    *,
    category_source: str,
    group: GroupDecision | None = None,
    model: RoutingModel | None = None,
    ruled_out: Collection[str] = (),
    looks: Looks | None = None,
) -> RouteDecision:
    """Return who edits a shot, and why.

    A picture with a colour target in it is never edited by the machine, nor is one for which a service is asked that
    the machine cannot do.

    Args:
        model: the trained model; None: the limits alone decide.
        ruled_out: categories that the shot is known not to be of.
        looks: what the photograph looks like; heeded where nobody surely says what it shows.
    """
    decision = decide(
        features,
        category=plan.category,
        category_source=category_source,
        config=plan.routing,
        model=model,
        ruled_out=ruled_out,
        looks=looks,
    )
    decision = _with_services(decision, beyond_the_machine(plan.services))
    shown = [one for one in group.findings if one.code == "target_in_picture"] if group else []
    if not shown:
        return decision
    return decision.model_copy(update={"route": Route.HUMAN, "reason": f"{shown[0].message} {decision.reason}"})


def _with_services(decision: RouteDecision, asked: Sequence[str]) -> RouteDecision:
    """A person's, where the manifest asks for what the machine cannot do; never simpler than it was."""
    if not asked:
        return decision
    named = ", ".join(word.replace("_", " ") for word in asked)
    simple = decision.complexity is Complexity.SIMPLE
    return decision.model_copy(
        update={
            "complexity": Complexity.MEDIUM if simple else decision.complexity,
            "route": Route.HUMAN,
            "reason": f"the manifest asks for a person's work: {named}; else: {decision.reason}",
        }
    )
