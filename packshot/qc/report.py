"""Judge an edit: run all rules, add up the score, and decide the verdict for each platform.

A rule measures one property of the edit and returns a finding. Four groups of rules (background, edge, fill, colour)
share the 100 points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from packshot.qc import (
    background_rules,
    colour_rules,
    edge_rules,
    fill_rules,
    ground_rules,
    pale_rules,
    part_rules,
    remnant_rules,
)
from packshot.qc.evidence import Evidence, choose_evidence
from packshot.qc.inputs import QcInput
from packshot.qc.scene import Scene
from packshot.qc.score import component_points, decide_verdict, limits_of, severity, stricter
from packshot.qc.white import QuickCheck, check_border_points
from packshot.specs.models import QcConfig, RuleLimits
from packshot.threads import side_by_side
from packshot.types import Finding, Status, Value, Verdict

Rule: TypeAlias = Callable[[Scene, RuleLimits], Finding]
"""A rule measures one property of a scene and returns the finding, with a status from the rule's limits."""


def _by_code(*rules: Rule) -> Mapping[str, Rule]:
    """Return the rules by their codes: a rule's code is its function's name."""
    return MappingProxyType({rule.__name__: rule for rule in rules})


BACKGROUND_RULES = _by_code(
    background_rules.non_white_background,
    background_rules.background_leftover,
    background_rules.non_white_rendition,
    background_rules.quick_check,
)
EDGE_RULES = _by_code(
    edge_rules.gradient_alignment,
    edge_rules.outline_shift,
    edge_rules.outline_moved,
    edge_rules.rim_changed,
    edge_rules.fringe,
    edge_rules.fringe_width,
    edge_rules.jagged_edge,
    edge_rules.edge_contrast,
    pale_rules.pale_on_white,
    edge_rules.uncertain_band,
    edge_rules.islands,
    edge_rules.haze_around,
    edge_rules.network_disagreement,
    edge_rules.network_disagreement_patch,
    edge_rules.network_overruled,
    edge_rules.network_overruled_detail,
    edge_rules.outline_unproven,
    part_rules.bite_suspected,
    part_rules.missing_part_suspected,
    part_rules.sharp_edge_outside,
    part_rules.punched_hole_suspected,
    part_rules.leftover_suspected,
    part_rules.loose_outline,
    part_rules.filled_hole_suspected,
    part_rules.pinhole,
    ground_rules.kept_shadow_suspected,
    ground_rules.base_unproven,
    remnant_rules.backdrop_patch_suspected,
    remnant_rules.backdrop_strip_suspected,
    remnant_rules.backdrop_left_suspected,
    part_rules.product_touches_frame,
    part_rules.empty_product,
    part_rules.several_products,
    part_rules.backdrop_not_smooth,
)
FILL_RULES = _by_code(
    fill_rules.fill_ratio,
    fill_rules.fill_outside_platform,
    fill_rules.off_centre,
    fill_rules.product_cut,
    fill_rules.part_outside_canvas,
    fill_rules.enlarged,
    fill_rules.low_resolution,
    fill_rules.below_recommended,
)
COLOUR_RULES = _by_code(
    colour_rules.colour_shift,
    colour_rules.colour_shift_p95,
    colour_rules.channel_clipping,
    colour_rules.blurred,
    colour_rules.jpeg_blocks,
    colour_rules.colour_not_verified,
)
MEASUREMENTS: tuple[Callable[[Scene], object], ...] = (
    lambda scene: scene.reduced,
    lambda scene: scene.colour,
    lambda scene: scene.edges,
    lambda scene: scene.strips,
    lambda scene: scene.patches,
    lambda scene: scene.left_backdrop,
    lambda scene: scene.off_white,
    lambda scene: scene.disagreement,
)
"""Slow measurements that several rules need. They are started before the rules, so that no rule has to wait for one."""
COMPONENT_NAMES = ("background", "edge", "fill", "colour")
COMPONENTS = (BACKGROUND_RULES, EDGE_RULES, FILL_RULES, COLOUR_RULES)
RENDITION_CODES = frozenset({"non_white_rendition", "quick_check", *FILL_RULES, *COLOUR_RULES})
"""Rules that look at a platform's canvas; they run for each rendition. All others look at the edit and run once."""
ALL_CODES = (*BACKGROUND_RULES, *EDGE_RULES, *FILL_RULES, *COLOUR_RULES)


class RenditionReport(Value):
    """Quality control's report on an edit on one platform's canvas.

    Attributes:
        platform: the platform's name.
        score: 0..100, the sum of the four components.
        background, edge, fill, colour: points left in each component; the config says how many it has at most.
        verdict: what is decided about this rendition: approve, review or redo.
        findings: results of the rules that look at the canvas, and findings of the framing.
    """

    platform: str
    score: float
    background: float
    edge: float
    fill: float
    colour: float
    verdict: Verdict
    findings: tuple[Finding, ...] = ()


class QcReport(Value):
    """Quality control's report on an edit. The shot as a whole gets the score and the verdict of its worst rendition.

    A rendition is the edit on one platform's canvas. `judge` and `judge_all` make the report.

    Attributes:
        score: 0..100: the lowest score of all renditions. So another platform never raises it, and the order of the
            platforms does not matter.
        background, edge, fill, colour: points of the score's four components, of the rendition with the lowest score.
        findings: findings of all rules, also those that passed or were skipped, then those of the cut-out, the framing
            and the shot. A rule that looks at the canvas appears once, with its worst finding of all renditions.
        verdict: the strictest verdict of all renditions.
        quick_check: the worst quick check (of points along the border) of all renditions.
        evidence: places that a reviewer should look at, the worst first.
        renditions: one report per platform, in the order of the canvases.
    """

    score: float
    background: float
    edge: float
    fill: float
    colour: float
    findings: tuple[Finding, ...]
    verdict: Verdict
    quick_check: QuickCheck
    evidence: tuple[Evidence, ...]
    renditions: tuple[RenditionReport, ...] = ()

    @property
    def approved_platforms(self) -> tuple[str, ...]:
        """Names of the platforms whose rendition the machine approves without a review; empty if there are none."""
        return tuple(one.platform for one in self.renditions if one.verdict is Verdict.AUTO_APPROVE)

    def stopped(self, told: Finding) -> QcReport:
        """Return the report with one more finding on the whole edit, for example from a model that doubts it.

        If the finding stops approval (a gate that failed), verdicts of approval become reviews. The score does not
        change.

        Args:
            told: the finding to add.
        """
        report = self.model_copy(update={"findings": (*self.findings, told)})
        if not told.stops_approval:
            return report
        renditions = tuple(
            one.model_copy(update={"verdict": stricter(one.verdict, Verdict.HUMAN_REVIEW)}) for one in self.renditions
        )
        verdict = stricter(self.verdict, Verdict.HUMAN_REVIEW)
        return report.model_copy(update={"verdict": verdict, "renditions": renditions})


def judge(edit: QcInput, config: QcConfig) -> QcReport:
    """Return the report on an edit on one canvas: its score, its verdict and the findings of all rules.

    Args:
        edit: the edit on its canvas.
        config: the rules' limits and weights, and which of them are gates, which forbid automatic approval.
    Raises:
        ConfigError: the config has no limits for one of the rules.
    """
    return judge_all((edit,), config)


def judge_all(
    canvases: Iterable[QcInput], config: QcConfig, *, known: Mapping[str, Finding] = MappingProxyType({})
) -> QcReport:
    """Return the report on an edit that is placed on one or more canvases: the lowest score and the strictest verdict.

    Args:
        canvases: the same edit for each rendition; at least one. They are read one by one, so that a generator keeps
            only one canvas in memory.
        config: the rules' limits and weights, and which of them are gates, which forbid automatic approval.
        known: findings by their rules' codes, from an earlier report on the same edit. Those rules don't run again.
            Rules that look at the canvas always run.
    Raises:
        ConfigError: the config has no limits for a rule that runs.
    """
    scene: Scene | None = None
    of_edit = {code: finding for code, finding in known.items() if code not in RENDITION_CODES}
    judged: list[_Judged] = []
    for edit in canvases:
        scene = scene.on_canvas(edit) if scene else Scene(edit)
        found = _apply(scene, config, known=of_edit)
        of_edit = {code: finding for code, finding in found.items() if code not in RENDITION_CODES}
        judged.append(_judged(scene, found, config))
    assert scene is not None, "a plan has at least one rendition"
    return _together(judged, scene, of_edit, config)


class _Judged(NamedTuple):
    """One rendition's report, with the findings that depend on its canvas."""

    report: RenditionReport
    by_code: Mapping[str, Finding]
    framing: tuple[Finding, ...]
    quick_check: QuickCheck


def _judged(scene: Scene, found: Mapping[str, Finding], config: QcConfig) -> _Judged:
    """Return a rendition's report from the findings of all rules."""
    edit = scene.edit
    points = {
        name: component_points([found[code] for code in rules], config, points=getattr(config, f"{name}_points"))
        for name, rules in zip(COMPONENT_NAMES, COMPONENTS, strict=True)
    }
    score, framing = sum(points.values()), edit.framed.placement.findings
    brought = (*edit.cutout.findings, *framing, *edit.findings)
    own = {code: finding for code, finding in found.items() if code in RENDITION_CODES}
    report = RenditionReport(
        platform=edit.rendition.platform.name,
        score=round(score, 2),
        **{name: round(share, 2) for name, share in points.items()},
        verdict=decide_verdict(score, (*found.values(), *brought), config),
        findings=(*own.values(), *framing),
    )
    return _Judged(report, own, framing, check_border_points(edit.srgb8, edit.framed.matte))


def _together(judged: Sequence[_Judged], scene: Scene, of_edit: Mapping[str, Finding], config: QcConfig) -> QcReport:
    """Return the shot's report: the strictest rendition's score and verdict, and each rule's worst finding."""
    reports = [one.report for one in judged]
    lowest = min(reports, key=lambda one: (one.score, one.platform))
    worst = {code: _worst(code, judged, config) for code in RENDITION_CODES}
    framing = dict.fromkeys(one for each in sorted(judged, key=_platform) for one in each.framing)
    findings = (
        *({**of_edit, **worst}[code] for code in ALL_CODES),
        *scene.edit.cutout.findings,
        *framing,
        *scene.edit.findings,
    )
    return QcReport(
        **{name: getattr(lowest, name) for name in ("score", *COMPONENT_NAMES)},
        findings=findings,
        verdict=stricter(*(one.verdict for one in reports)),
        quick_check=min(sorted(judged, key=_platform), key=lambda one: one.quick_check.compliance_rate).quick_check,
        evidence=choose_evidence(findings),
        renditions=tuple(reports),
    )


def _platform(one: _Judged) -> str:
    """Return the platform's name, as a sort key."""
    return one.report.platform


def _worst(code: str, judged: Sequence[_Judged], config: QcConfig) -> Finding:
    """Return a rule's worst finding of all renditions. Its message names the platform if the renditions differ."""
    found = {one.report.platform: one.by_code[code] for one in judged}
    limits = limits_of(code, config)
    name = max(sorted(found), key=lambda platform: severity(found[platform], limits))
    worst = found[name]
    if worst.status is Status.PASSED or all(finding == worst for finding in found.values()):
        return worst
    return worst.model_copy(update={"message": f"{name}: {worst.message}"})


def _apply(scene: Scene, config: QcConfig, *, known: Mapping[str, Finding]) -> dict[str, Finding]:
    """Return the finding of each rule by code. Rules with a known finding don't run; the others run in parallel."""
    rules = {code: rule for component in COMPONENTS for code, rule in component.items() if code not in known}
    measurements = () if known else MEASUREMENTS  # they serve the rules about the edit
    looks: tuple[Callable[[], Any], ...] = (
        *(partial(measure, scene) for measure in measurements),
        *(partial(rule, scene, limits_of(code, config)) for code, rule in rules.items()),
    )
    found = side_by_side(lambda look: look(), looks)[len(measurements) :]
    return {**known, **dict(zip(rules, found, strict=True))}
