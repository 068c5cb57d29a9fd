"""The one order of the automated line, on values alone.

    master   bytes of an original          -> 16-bit pixels in the working space, facts, plan, features
    route    features and category         -> who edits it, and why
    edit     master pixels and a network   -> matte, composite on exact white, score with findings
    adopt    a person's finished picture   -> the same, from their work
    export   composite and matte           -> verified files, one or two per platform

The command line runs these on local files; the tasks run the same functions on objects in storage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import imagecodecs
import numpy as np

from packshot.colour.backdrop_light import BackdropReading, measure_backdrop
from packshot.colour.normalise import Correction, correct, newly_clipped
from packshot.colour.reference import ReferenceColour, main_colours, nearest_delta_e, swatch_colour
from packshot.colour.target import TargetReading, find_target
from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Cutout, Method, Segmenter, compose_on_white, cut_out, given_cutout
from packshot.errors import EmptySubjectError, PackshotError
from packshot.export.labels import Labels
from packshot.export.names import delivered_name
from packshot.export.render import Rendered, render_all
from packshot.framing.fit import fit
from packshot.framing.place import Framed, place
from packshot.framing.subject import subject_box
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.facts import doubtful_facts, gather_facts
from packshot.ingest.grouping import ShotLight, light_of
from packshot.ingest.master import Master, develop
from packshot.ingest.metadata import with_sidecar
from packshot.ingest.shoot_groups import GroupDecision, ReferencePhoto
from packshot.qc.inputs import ColourReference, QcInput
from packshot.qc.report import QcReport, judge
from packshot.returned.read import ReturnedWork
from packshot.routing.approve import Watch, qc_figures
from packshot.routing.decide import RouteDecision, decide
from packshot.routing.features import Features, measure
from packshot.routing.mask_figures import measure_masks
from packshot.routing.model import RoutingModel
from packshot.routing.picture import Looks, look_at
from packshot.routing.words import category_in_words
from packshot.specs.models import Configs, IngestConfig, Plan, RenditionPlan, Shadow
from packshot.specs.resolve import resolve, style_guide
from packshot.threads import side_by_side
from packshot.types import Finding, Matte, Pixels8, Pixels16, Route, Size, Sourced, Status, Verdict, size_of

METHODS = (Method.AUTO, Method.NETWORK_ONLY)
"""How a shot is cut out, and with what it is tried again before a person is asked."""
COLOUR_PX = 1024
"""About so large a master is looked at for its product's colour."""


@dataclasses.dataclass(frozen=True)
class Mastered:
    """A shot after stage 1.

    Attributes:
        plan: everything that is decided about it.
        light: what tells of its shoot group.
        looks: what it looks like; None where its category is known, or nothing looks.
        report: how it was read and converted, as plain JSON for the record.
    """

    master: Master
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
        platforms=tuple(name for name in known.get("platforms", "").split(",") if name),
    )
    features, backdrop, target = _measured(developed.pixels16)
    return Mastered(
        master=developed,
        facts=facts,
        plan=plan,
        features=features,
        light=light_of(
            shot,
            metadata=photo.metadata,
            shoot_group=known.get("shoot_group", ""),
            backdrop=backdrop,
            target=target,
            reference=known.get("reference", ""),
            allowed=plan.rules.group_correction,
        ),
        looks=look_at(developed.pixels16, configs.categories) if _is_to_be_looked_at(plan) else None,
        findings=developed.findings + doubtful_facts(path, manifest_row=row, client=guide, metadata=photo.metadata),
        report=_reading(photo, developed),
    )


def _is_to_be_looked_at(plan: Plan) -> bool:
    return plan.category is None and plan.routing.picture is not None


def _measured(pixels: Pixels16) -> tuple[Features, BackdropReading | None, TargetReading | None]:
    """What is measured on every master: for its route, and for its shoot group."""
    measurements: tuple[Callable[[Pixels16], Any], ...] = (measure, find_target, measure_backdrop)
    features, target, backdrop = side_by_side(lambda measurement: measurement(pixels), measurements)
    return features, backdrop, target


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
    """Return who edits a shot, and why. A picture with a colour target in it is never edited by the machine.

    Args:
        model: the trained model; None: the limits alone decide.
        ruled_out: categories that the shot is known not to be of.
        looks: what the photograph looks like; heeded only where the category is unknown.
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
    shown = [one for one in group.findings if one.code == "target_in_picture"] if group else []
    if not shown:
        return decision
    return decision.model_copy(update={"route": Route.HUMAN, "reason": f"{shown[0].message} {decision.reason}"})


@dataclasses.dataclass(frozen=True)
class Edit:
    """A shot cut out and judged.

    Attributes:
        composite: (rows, columns, 3) uint16, working space, on exact white, as large as the master.
        matte: (rows, columns) float32 in 0..1.
        method: how the matte was made: the network's method, or whose work it is.
        report: None where there is nothing to judge; `verdict` then asks for another try.
        figures: measured on its mattes and by quality control, for the routing model; empty for a person's work.
    """

    composite: Pixels16
    matte: Matte
    method: str
    report: QcReport | None
    findings: tuple[Finding, ...]
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        return self.report.verdict if self.report else Verdict.REJECT_AND_REDO

    @property
    def score(self) -> float:
        return self.report.score if self.report else 0.0


def edit(
    pixels: Pixels16,
    segmenter: Segmenter,
    plan: Plan,
    *,
    methods: Sequence[Method] = METHODS,
    group: GroupDecision | None = None,
    watch: Watch | None = None,
) -> Edit:
    """Return the best edit a machine can make of a master: tried again with the next method where it must be redone.

    Args:
        pixels: (rows, columns, 3) uint16, working space, after its group's correction.
        group: what the shot was told about its group; its references are measured, its findings bear on the verdict.
        watch: says how likely a refusal is, and stops an approval that would break the promise; None: nobody says.
    """
    best: Edit | None = None
    for method in methods:
        if best is not None and best.method == method:
            continue  # without a smooth backdrop the first way is the network's alone already
        attempt = _edited(pixels, cut_out(pixels, segmenter, method=method), plan, group, watch)
        if best is None or attempt.score > best.score:
            best = attempt
        if best.verdict is not Verdict.REJECT_AND_REDO:
            break
    assert best is not None, "methods is never empty"
    return best


def _edited(pixels: Pixels16, cutout: Cutout, plan: Plan, group: GroupDecision | None, watch: Watch | None) -> Edit:
    composite = compose_on_white(pixels, cutout, shadow=plan.rules.shadow)
    masks = measure_masks(cutout.network_matte, cutout.matte)
    judged = _judged(pixels, cutout, composite, plan, group)
    figures = {**masks.model_dump(), **qc_figures(judged.findings)}
    return dataclasses.replace(_watched(judged, watch.judge(figures)) if watch else judged, figures=figures)


def _watched(judged: Edit, told: Finding) -> Edit:
    """An edit with what the routing model says of it, which may stop an approval and does nothing else."""
    if judged.report is None:
        return judged
    report = judged.report.model_copy(update={"findings": (*judged.report.findings, told)})
    if told.stops_approval and report.verdict is Verdict.AUTO_APPROVE:
        report = report.model_copy(update={"verdict": Verdict.HUMAN_REVIEW})
    return dataclasses.replace(judged, report=report, findings=report.findings)


def _judged(
    pixels: Pixels16,
    cutout: Cutout,
    composite: Pixels16,
    plan: Plan,
    group: GroupDecision | None,
) -> Edit:
    method = str(cutout.method)
    try:
        framed = frame(composite, cutout.matte, plan.renditions[0])
    except EmptySubjectError as error:
        empty = Finding(code="empty_mask", status=Status.FAILED, message=str(error), gate=True)
        return Edit(composite, cutout.matte, method, None, (*cutout.findings, empty))
    srgb8 = working_to_srgb8(framed.pixels)
    report = judge(
        QcInput(
            master16=pixels,
            cutout=cutout,
            composite16=composite,
            framed=framed,
            srgb8=srgb8,
            rendition=plan.renditions[0],
            colour_reference=_compared(srgb8, framed.matte, group) if group else None,
            findings=group.findings if group else (),
        ),
        plan.qc,
    )
    return Edit(composite, cutout.matte, method, report, report.findings)


def _compared(srgb8: Pixels8, matte: Matte, group: GroupDecision) -> ColourReference | None:
    """Hold the delivered pixels against the stated colour; without one, take the colour target's word for the group.

    A single colour has no spread of its own to hold against a product's light and shade: its 95th percentile is its
    difference.
    """
    colours = main_colours(srgb8, matte) if group.reference_lab else ()
    if group.reference_lab and colours:
        off = nearest_delta_e(colours, _stated(group))
        return ColourReference(off, off, f"the reference {group.reference}")
    if group.verified:
        return ColourReference(group.verified.mean, group.verified.p95, f"the colour target in {group.target_in}")
    return None


def colour_before(pixels: Pixels16, matte: Matte, group: GroupDecision) -> float | None:
    """Return how far a master's product is from the colour that its reference states; None where none is stated.

    Args:
        pixels: (rows, columns, 3) uint16, working space, after its group's correction.
        matte: (rows, columns) float32 in 0..1, of the same size.
    Returns:
        Delta E 2000 of the product's nearest main colour.
    """
    if group.reference_lab is None:
        return None
    step = max(1, size_of(pixels).longest // COLOUR_PX)
    colours = main_colours(working_to_srgb8(np.ascontiguousarray(pixels[::step, ::step])), matte[::step, ::step])
    return nearest_delta_e(colours, _stated(group)) if colours else None


def _stated(group: GroupDecision) -> ReferenceColour:
    assert group.reference_lab is not None
    return ReferenceColour(lab=group.reference_lab, said=group.reference)


def adopt(pixels: Pixels16, work: ReturnedWork, plan: Plan, *, group: GroupDecision | None = None) -> Edit:
    """Return a person's finished picture as an edit, judged like a machine's.

    Args:
        pixels: the master, (rows, columns, 3) uint16, working space.
        work: what the person put back.
    Raises:
        RefusedInputError: it tells nothing of what is product, or it has another shape than the master.
    """
    composite, matte = work.composite_for(pixels)
    return _judged(pixels, given_cutout(pixels, matte), composite, plan, group)


def frame(composite: Pixels16, matte: Matte, rendition: RenditionPlan) -> Framed:
    """Return the composite on a rendition's canvas, working space.

    Raises:
        EmptySubjectError: there is no product.
    """
    rules = rendition.rules
    placement = fit(
        subject_box(matte),
        canvas=rendition.platform.canvas,
        fill_ratio=rules.fill_ratio,
        max_upscale_ratio=rules.max_upscale_ratio,
    )
    return place(composite, matte, placement)


@dataclasses.dataclass(frozen=True)
class Rendition:
    """One file for one platform, verified.

    Attributes:
        path: below the delivery's folder: ``<platform>/<name>.<extension>``.
    """

    platform: str
    path: str
    size: Size
    rendered: Rendered


@dataclasses.dataclass(frozen=True)
class Export:
    """Stage 4 of a shot.

    Attributes:
        renditions: all that were made; only those that passed may be delivered.
        failures: platform -> why it gets nothing.
    """

    renditions: tuple[Rendition, ...]
    failures: Mapping[str, PackshotError]


def export(
    composite: Pixels16,
    matte: Matte,
    plan: Plan,
    *,
    known: Mapping[str, str],
    labels: Labels,
) -> Export:
    """Return the shot's verified files; a platform that cannot be served doesn't stop the others.

    Args:
        known: what is known of the shot, by the names that naming templates use, ``shot`` among them.
        labels: what the files say of themselves; SKU and GTIN are added where they are known.
    """
    labels = labels.model_copy(update={name: known[name] for name in ("sku", "gtin") if known.get(name)})

    def files_of(rendition: RenditionPlan) -> list[Rendition] | PackshotError:
        try:
            name = delivered_name(rendition, known, subject=known["shot"])
            framed = frame(composite, matte, rendition)
            files = render_all(framed, rendition, qc=plan.qc, labels=labels, clipping_path=plan.print_clipping_path)
        except PackshotError as error:
            return error
        return [_rendition(rendition.platform.name, name, file) for file in files]

    found = side_by_side(files_of, plan.renditions)
    failures = {
        rendition.platform.name: made
        for rendition, made in zip(plan.renditions, found, strict=True)
        if isinstance(made, PackshotError)
    }
    made = [file for files in found if not isinstance(files, PackshotError) for file in files]
    return Export(tuple(made), failures)


def _rendition(platform: str, name: str, file: Rendered) -> Rendition:
    return Rendition(platform, f"{platform}/{name}.{file.encoded.extension}", file.encoded.size, file)


@dataclasses.dataclass(frozen=True)
class CutOutFiles:
    """A photograph's matte and its composite on white, as files.

    Attributes:
        matte_png: 8 bit grey, as large as the upright photograph.
        composite_png: 8 bit sRGB, as large.
    """

    matte_png: bytes
    composite_png: bytes
    method: str
    findings: tuple[Finding, ...]


def cut_out_photo(data: bytes, segmenter: Segmenter, *, name: str, limits: IngestConfig) -> CutOutFiles:
    """Return a photograph cut out, whatever its size and without any plan.

    Raises:
        RefusedInputError: it cannot be read.
    """
    developed = develop(open_photo(data, name=name, limits=limits))
    cutout = cut_out(developed.pixels16, segmenter)
    composite = working_to_srgb8(compose_on_white(developed.pixels16, cutout, shadow=Shadow.DROP))
    matte = np.rint(cutout.matte * 255).astype(np.uint8)
    return CutOutFiles(
        bytes(imagecodecs.png_encode(matte, level=1)),
        bytes(imagecodecs.png_encode(composite, level=1)),
        str(cutout.method),
        (*developed.findings, *cutout.findings),
    )
