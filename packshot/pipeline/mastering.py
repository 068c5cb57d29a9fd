"""Run stages 1 and 2 on one shot: make the master and its plan from an original's bytes, and decide who edits it.

A master is the photograph in one exact form (16 bits, Adobe RGB, upright). A plan holds the rules that apply to a shot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from packshot.colour.backdrop_light import BackdropReading, measure_backdrop
from packshot.colour.normalise import Correction, correct, newly_clipped
from packshot.colour.reference import swatch_colour
from packshot.colour.target import TargetReading, find_target
from packshot.decision import Decision
from packshot.ingest.corrections import corrected_facts
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.facts import doubtful_facts, gather_facts, listed
from packshot.ingest.grouping import ShotLight, light_of
from packshot.ingest.master import Master, develop, write_master
from packshot.ingest.metadata import with_sidecar
from packshot.ingest.shoot_groups import GroupDecision, ReferencePhoto
from packshot.routing.decide import RouteDecision, decide, may_be_otherwise
from packshot.routing.features import Features, frame_of, measure
from packshot.routing.model import RoutingModel
from packshot.routing.picture import Looks, look_at
from packshot.routing.seen_backdrop import seen_beside
from packshot.routing.words import category_in_words, doubtful_category
from packshot.specs.models import Configs, IngestConfig, Plan
from packshot.specs.resolve import resolve, style_guide
from packshot.specs.services import beyond_the_machine
from packshot.threads import side_by_side
from packshot.types import Complexity, Finding, Pixels16, Route, Sourced, Status

_GREY_STEP_PX, _GREY_LEVELS_16 = 4, 257
"""A photograph is grey if no pixel of each fourth row and column has channels that differ by more than 1 of 255."""


@dataclasses.dataclass(frozen=True)
class Mastered:
    """Result of stage 1 for one shot: the master, the facts about the shot, and its plan.

    Attributes:
        master: the photograph as 16-bit pixels in Adobe RGB, with what is known of its colours.
        tiff: the master as the bytes of a TIFF.
        facts: name of a fact about the shot -> value and source, such as ``sku`` -> ``BTL201`` from the manifest.
        plan: all settings resolved for this shot.
        features: measurements of the master, by which it is decided who edits the shot.
        light: data from which its shoot group (shots in the same light) is found.
        looks: the category network's prediction; None if the category is certain, or no network is used.
        findings: on the file, its colours, and doubtful facts.
        report: how the file was read and converted, as plain JSON for the record.
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
        """Where the shot's category comes from, for example ``manifest``; empty if the category is unknown."""
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
    decisions: Sequence[Decision] = (),
) -> Mastered:
    """Return an original photograph as a master (16 bits, Adobe RGB), with the facts about it and its plan.

    Args:
        data: the whole file.
        path: path of the file in its batch.
        shot: the shot's name.
        row: the file's row in the manifest, column -> value; empty if there is none.
        client: the client's name.
        configs: all configs.
        sidecar: the bytes of the XMP file beside the photograph; empty if there is none.
        decisions: people's earlier decisions about the shot. Their corrections of its name and services count.

    Raises:
        RefusedInputError: the file is not accepted.
        ConfigError: no plan can be resolved from the facts and the configs.
    """
    guide = style_guide(configs, client)
    limits = configs.ingest.model_copy(update={"min_px": guide.min_px} if guide.min_px else {})
    photo = open_photo(data, name=path, limits=limits)
    if sidecar:
        photo = dataclasses.replace(photo, metadata=with_sidecar(photo.metadata, sidecar))
    developed = develop(photo)
    facts = gather_facts(path, manifest_row=row, client=guide, metadata=photo.metadata)
    facts = corrected_facts(facts, decisions, client=guide, path=path)
    texts = (photo.metadata.title, *photo.metadata.keywords)
    if "category" not in facts and (said := category_in_words(path, texts, configs.categories)):
        facts["category"] = said
    known = {name: fact.value for name, fact in facts.items()}
    plan = plan_from(facts, client=client, configs=configs)
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
        findings=developed.findings + doubts + _without_colour(developed.pixels16),
        report=_reading(photo, developed),
    )


def plan_from(facts: Mapping[str, Sourced], *, client: str, configs: Configs) -> Plan:
    """Return the plan (all settings) that follows from the facts about a shot.

    Args:
        facts: name of the fact, such as ``category`` -> value and source.
        client: the client's name.
        configs: all configs.

    Raises:
        ConfigError: there is no valid plan, for example because no platform takes the view.
    """
    known = {name: fact.value for name, fact in facts.items()}
    return resolve(
        configs,
        client=client,
        category=known.get("category", ""),
        view=known.get("view", ""),
        platforms=listed(known.get("platforms", "")),
        services=listed(known.get("services", "")),
    )


def _without_colour(pixels: Pixels16) -> tuple[Finding, ...]:
    """Return a finding that stops approval if a photograph has no colours at all; a camera's own noise has some.

    A grey picture of a coloured product looks right in every measurement of the edit, so only a person can tell.
    """
    some = pixels[::_GREY_STEP_PX, ::_GREY_STEP_PX].astype(np.int32)
    if some.size and int(np.ptp(some, axis=2).max()) > _GREY_LEVELS_16:
        return ()
    message = "The photograph has no colours: every pixel is grey. If the product has, ask for a photograph in colour."
    return (Finding(code="grey_photograph", status=Status.FAILED, message=message, gate=True),)


def _is_to_be_looked_at(plan: Plan, facts: Mapping[str, Sourced]) -> bool:
    source = facts["category"].source if "category" in facts else ""
    return may_be_otherwise(plan.category, source) and plan.routing.picture is not None


class _Measured(NamedTuple):
    """Measurements of a master, for its route and its shoot group, and the master as a file."""

    features: Features
    tiff: bytes
    target: TargetReading | None
    backdrop: BackdropReading | None


def _measured(developed: Master) -> _Measured:
    pixels = developed.pixels16
    measurements: tuple[Callable[[], Any], ...] = (
        partial(_frame_figures, pixels),
        partial(write_master, developed),
        partial(find_target, pixels),
    )
    (features, backdrop), tiff, target = side_by_side(lambda measurement: measurement(), measurements)
    return _Measured(features, tiff, target, backdrop)


def _frame_figures(pixels: Pixels16) -> tuple[Features, BackdropReading | None]:
    frame = frame_of(pixels)
    seen = seen_beside(frame.seen)
    return measure(pixels, within=frame), measure_backdrop(pixels, seen=seen)


def _reading(photo: Photo, developed: Master) -> dict[str, Any]:
    """Return how an original was read, for the record."""
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
    """Return what a photograph of a colour reference shows: a colour target, else the colour of a swatch.

    The swatch is looked for in the centre. Both are None if the photograph shows neither.

    Args:
        data: the whole file.
        path: path of the file in its batch, for messages.
        limits: the greatest picture, and which assumptions about colours are allowed. Its least size does not count.

    Raises:
        RefusedInputError: the file can't be read.
    """
    small_ones_too = limits.model_copy(update={"min_px": 1})
    pixels = develop(open_photo(data, name=path, limits=small_ones_too)).pixels16
    target = find_target(pixels, thorough=True)
    return ReferencePhoto(target=target, swatch=None if target else swatch_colour(pixels))


@dataclasses.dataclass(frozen=True)
class Corrected:
    """A master after the colour correction of its shoot group (shots in the same light).

    Attributes:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        findings: a warning if the correction clips colours.
    """

    pixels: Pixels16
    findings: tuple[Finding, ...]


def correct_master(pixels: Pixels16, correction: Correction, *, most_clipped: float = 0.02) -> Corrected:
    """Return a master after the colour correction of its shoot group, with a finding if the correction clips colours.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        correction: the group's correction. If it changes nothing, the array comes back as it is.
        most_clipped: largest share of clipped pixels, in 0..1, without a finding.
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
    """Return who edits a shot, the machine or a person, and the reason.

    A person always edits a picture that shows a colour target, and one for which the manifest asks for a service that
    the machine can't do.

    Args:
        features: measured on the master.
        plan: the shot's plan: all its settings, resolved.
        category_source: where the category comes from, for example ``manifest``; empty if it is unknown.
        group: what was decided about the shot's group (shots in the same light); None if it has none.
        model: the trained model; None means that only fixed limits decide.
        ruled_out: names of categories to which the shot certainly does not belong.
        looks: the category network's prediction; used if the category is not certain.
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
    """Return the decision; if the manifest asks for services that the machine can't do, a person edits the shot.

    The complexity never goes down.
    """
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
