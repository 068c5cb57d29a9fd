"""Run stage 3 on one shot: cut out a master and judge the edit, or judge an editor's finished picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from packshot.colour.reference import ReferenceColour, main_colours, nearest_delta_e
from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Cutout, Method, Segmenter, compose_on_white, cut_out_of, given_cutout, uncut_of
from packshot.errors import EmptySubjectError
from packshot.framing.frame import frame
from packshot.framing.place import Framed
from packshot.ingest.shoot_groups import GroupDecision
from packshot.qc.inputs import ColourReference, QcInput
from packshot.qc.report import QcReport, RenditionReport, judge_all
from packshot.returned.read import ReturnedWork
from packshot.routing.approve import Watch, qc_figures
from packshot.routing.mask_figures import measure_masks
from packshot.routing.pale_rim import FIGURE as PALE_RIM
from packshot.routing.pale_rim import pale_rim
from packshot.specs.models import Plan, RenditionPlan
from packshot.threads import side_by_side
from packshot.types import Finding, Matte, Pixels8, Pixels16, Status, Verdict, size_of

METHODS = (Method.AUTO, Method.NETWORK_ONLY)
"""Cut-out methods in the order in which they are tried; then a person is asked."""
STOPPING = frozenset(
    {
        *("codes_out_of_step", "decoder_warned", "file_contradictory", "grey_photograph", "inks_left_out"),
        *("scans_missing", "seam_of_lost_data"),
    }
)
"""Findings on a photograph that stop an approval: what is wrong there no measurement of the edit would show."""
COLOUR_PX = 1024
"""The product's colour is measured on a copy of the master of about this size (longest side, px)."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """A shot that was cut out and judged by quality control.

    Attributes:
        composite: (rows, columns, 3) uint16, Adobe RGB: the product on exact white, at the master's size.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, at the master's size.
        method: how the matte was made, a value of `Method`: the cut-out method, or that a person made it.
        report: the result of quality control; None if no product was found. Then the verdict is `REJECT_AND_REDO`.
        findings: those of `report`. Without a report: those of the cut-out, and `empty_mask`.
        framed: the product on the first rendition's canvas, as it was judged; None if no product was found.
        figures: measurements for the routing model: name -> number. They are of the network's matte and the final
            matte, or from quality control. Empty for a person's work.
        unproven: True if only proof was missing: the machine would have approved the edit if people had judged enough
            real photographs of its kind.
    """

    composite: Pixels16
    matte: Matte
    method: str
    report: QcReport | None
    findings: tuple[Finding, ...]
    framed: Framed | None = None
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    unproven: bool = False

    def held_back(self, plan: Plan) -> dict[str, str]:
        """Return the renditions that wait for a person while others are delivered: name of the platform -> reason.

        The machine may approve an edit for some platforms and not for others. If the client wants the approved
        renditions at once (`partial` in the plan is ``ship``), the others are held back. The result is empty if the
        client wants all renditions together, if the machine approves all of them or none, or if the shot's verdict is
        to edit it again.

        Args:
            plan: the shot's plan; its `partial` says what the client wants.
        """
        if plan.partial != "ship" or self.report is None or self.verdict is not Verdict.HUMAN_REVIEW:
            return {}
        if not self.report.approved_platforms:
            return {}
        held = (one for one in self.report.renditions if one.verdict is not Verdict.AUTO_APPROVE)
        return {one.platform: _why_held(one) for one in held}

    @property
    def verdict(self) -> Verdict:
        """The verdict on the edit: the machine may approve it, a reviewer must look, or it must be made again.

        If no product was found, it is `REJECT_AND_REDO`.
        """
        return self.report.verdict if self.report else Verdict.REJECT_AND_REDO

    @property
    def score(self) -> float:
        """Quality control's score, in 0..100; 0 if no product was found."""
        return self.report.score if self.report else 0.0


def _why_held(rendition: RenditionReport) -> str:
    """Return why a person has to look at a rendition first, and what to do to get it delivered."""
    reasons = " ".join(one.message for one in rendition.findings if one.stops_approval)
    score = f"its score is {rendition.score:.1f}."
    return (
        f"A person has to look at it first: {reasons or score} The others went ahead, as the client has it "
        "(partial: ship). Have the shot processed again for this platform."
    )


def without_held(plan: Plan, held: Mapping[str, str]) -> Plan:
    """Return a shot's plan without the renditions that wait for a person, so that the others can be exported.

    The ones that wait are listed in `Plan.left_out` with the reason.

    Args:
        plan: the shot's plan: all its settings, resolved.
        held: name of the platform -> reason, as `Edit.held_back` returns it.
    """
    ahead = tuple(one for one in plan.renditions if one.platform.name not in held)
    return plan.model_copy(update={"renditions": ahead, "left_out": {**plan.left_out, **held}}) if held else plan


def edit(
    pixels: Pixels16,
    segmenter: Segmenter,
    plan: Plan,
    *,
    methods: Sequence[Method] = METHODS,
    noted: Iterable[Finding] = (),
    group: GroupDecision | None = None,
    watch: Watch | None = None,
) -> Edit:
    """Return the machine's best edit of a shot: the product cut out, put on exact white, and judged.

    The cut-out methods are tried in order, until an edit has another verdict than `REJECT_AND_REDO`. That edit comes
    back; if there is none, the one with the highest score.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB, after the correction of the shot's group.
        segmenter: the segmentation network.
        plan: the shot's plan: all its settings, resolved.
        methods: cut-out methods to try, in this order; at least one.
        noted: findings on the photograph. Some of them stop an approval, because no measurement of the edit would show
            what is wrong: for example, that a part of the file was lost. `STOPPING` has their codes.
        group: what was decided about the shot's group (shots in the same light). Its colour reference is compared, and
            its findings affect the verdict. None if the shot has no group.
        watch: estimates the probability that a person would refuse the edit. It stops an approval that would break the
            promised error ratio. If it is None, this is not checked.
    """
    best: Edit | None = None
    uncut = uncut_of(pixels, segmenter)
    brought = (*(one for one in noted if one.code in STOPPING), *(group.findings if group else ()))
    for method in methods:
        if best is not None and best.method == method:
            continue  # without a smooth backdrop the first attempt already used the network alone
        attempt = _edited(pixels, cut_out_of(uncut, method=method), plan, group, watch, brought)
        if best is None or attempt.score > best.score:
            best = attempt
        if best.verdict is not Verdict.REJECT_AND_REDO:
            break
    assert best is not None, "methods is never empty"
    return best


def _edited(
    pixels: Pixels16,
    cutout: Cutout,
    plan: Plan,
    group: GroupDecision | None,
    watch: Watch | None,
    brought: tuple[Finding, ...],
) -> Edit:
    composite = compose_on_white(pixels, cutout, shadow=plan.rules.shadow)
    looks: tuple[Callable[[], Any], ...] = (
        partial(_judged, pixels, cutout, composite, plan, group, brought),
        partial(measure_masks, cutout.network_matte, cutout.matte),
        partial(pale_rim, pixels if cutout.reduced is None else cutout.reduced, cutout.matte),
    )
    judged, masks, pale = side_by_side(lambda look: look(), looks)
    figures = {**masks.model_dump(), PALE_RIM: pale, **qc_figures(judged.findings)}
    return dataclasses.replace(_watched(judged, watch, figures) if watch else judged, figures=figures)


def _watched(judged: Edit, watch: Watch, figures: Mapping[str, float]) -> Edit:
    """Return the edit after the routing model's check, which can only stop an approval."""
    if judged.report is None:
        return judged
    promised = judged.report.stopped(watch.judge(figures))
    report = promised.stopped(watch.proof(figures))
    unproven = promised.verdict is Verdict.AUTO_APPROVE and report.verdict is not Verdict.AUTO_APPROVE
    return dataclasses.replace(judged, report=report, findings=report.findings, unproven=unproven)


def _judged(
    pixels: Pixels16,
    cutout: Cutout,
    composite: Pixels16,
    plan: Plan,
    group: GroupDecision | None,
    brought: tuple[Finding, ...],
) -> Edit:
    method = str(cutout.method)
    try:
        first = frame(composite, cutout.matte, plan.renditions[0])
    except EmptySubjectError as error:
        empty = Finding(code="empty_mask", status=Status.FAILED, message=str(error), gate=True)
        return Edit(composite, cutout.matte, method, None, (*cutout.findings, empty))

    def on_canvas(rendition: RenditionPlan) -> QcInput:
        framed = first if rendition is plan.renditions[0] else frame(composite, cutout.matte, rendition)
        srgb8 = working_to_srgb8(framed.pixels)
        return QcInput(
            master16=pixels,
            cutout=cutout,
            composite16=composite,
            framed=framed,
            srgb8=srgb8,
            rendition=rendition,
            colour_reference=_compared(srgb8, framed.matte, group) if group else None,
            findings=brought,
            reduced16=cutout.reduced,
        )

    report = judge_all(map(on_canvas, plan.renditions), plan.qc)
    return Edit(composite, cutout.matte, method, report, report.findings, first)


def _compared(srgb8: Pixels8, matte: Matte, group: GroupDecision) -> ColourReference | None:
    """Return the colour difference of the delivered pixels from the reference, else that of the group's colour target.

    A stated reference is a single colour, but a product has light and shade. Therefore its mean difference is also used
    as the 95th percentile.
    """
    colours = main_colours(srgb8, matte) if group.reference_lab else ()
    if group.reference_lab and colours:
        off = nearest_delta_e(colours, _stated(group))
        return ColourReference(off, off, f"the reference {group.reference}")
    if group.verified:
        return ColourReference(group.verified.mean, group.verified.p95, f"the colour target in {group.target_in}")
    return None


def colour_before(pixels: Pixels16, matte: Matte, group: GroupDecision) -> float | None:
    """Return the colour difference between a master's product and its stated reference colour (delta E 2000).

    The difference is measured at the product's main colour that is nearest to the reference. The result is None if no
    reference is stated, or no main colour is found.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB, after the correction of the shot's group.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the size of `pixels`.
        group: what was decided about the shot's group; its `reference_lab` is the reference colour.
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
    """Return a person's finished picture as an edit, judged like an edit by the machine.

    Args:
        pixels: the master, (rows, columns, 3) uint16, Adobe RGB.
        work: the returned picture.
        plan: the shot's plan: all its settings, resolved.
        group: what was decided about the shot's group (shots in the same light). Its colour reference is compared, and
            its findings affect the verdict. None if the shot has no group.

    Raises:
        RefusedInputError: the file has nothing that separates product from background, or its aspect ratio differs from
            the master's.
    """
    composite, matte = work.composite_for(pixels)
    brought = group.findings if group else ()
    return _judged(pixels, given_cutout(pixels, matte), composite, plan, group, brought)
