"""Judge an edit: all rules, the score by component, the gates, the verdict, the places to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from packshot.qc import background_rules, colour_rules, edge_rules, fill_rules, ground_rules, part_rules
from packshot.qc.evidence import Evidence, choose_evidence
from packshot.qc.inputs import QcInput
from packshot.qc.scene import Scene
from packshot.qc.score import component_points, decide_verdict, limits_of
from packshot.qc.white import QuickCheck, check_border_points
from packshot.specs.models import QcConfig, RuleLimits
from packshot.threads import side_by_side
from packshot.types import Finding, Value, Verdict

Rule: TypeAlias = Callable[[Scene, RuleLimits], Finding]


def _by_code(*rules: Rule) -> Mapping[str, Rule]:
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
    edge_rules.uncertain_band,
    edge_rules.islands,
    edge_rules.haze_around,
    edge_rules.network_disagreement,
    edge_rules.network_disagreement_patch,
    edge_rules.network_overruled,
    part_rules.bite_suspected,
    part_rules.missing_part_suspected,
    part_rules.sharp_edge_outside,
    part_rules.punched_hole_suspected,
    part_rules.leftover_suspected,
    part_rules.loose_outline,
    part_rules.filled_hole_suspected,
    part_rules.pinhole,
    ground_rules.kept_shadow_suspected,
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
    lambda scene: scene.off_white,
    lambda scene: scene.disagreement,
)
"""What takes longest and several rules ask for: begun before them, so that no rule has to wait."""
COMPONENTS = (BACKGROUND_RULES, EDGE_RULES, FILL_RULES, COLOUR_RULES)
ALL_CODES = (*BACKGROUND_RULES, *EDGE_RULES, *FILL_RULES, *COLOUR_RULES)


class QcReport(Value):
    """What quality control says about an edit.

    Attributes:
        score: 0..100, the sum of the four components.
        findings: of all rules, also those that passed or could not be checked, and those that the cut-out and
            the framing brought along.
        evidence: places worth a look, the worst first.
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


def judge(edit: QcInput, config: QcConfig) -> QcReport:
    """Return the report on an edit.

    Raises:
        ConfigError: the config has no limits for one of the rules.
    """
    scene = Scene(edit)
    background, edge, fill, colour = _apply(COMPONENTS, scene, config)
    points = {
        "background": component_points(background, config, points=config.background_points),
        "edge": component_points(edge, config, points=config.edge_points),
        "fill": component_points(fill, config, points=config.fill_points),
        "colour": component_points(colour, config, points=config.colour_points),
    }
    brought = (*edit.cutout.findings, *edit.framed.placement.findings, *edit.findings)
    findings = (*background, *edge, *fill, *colour, *brought)
    score = sum(points.values())
    return QcReport(
        score=round(score, 2),
        background=round(points["background"], 2),
        edge=round(points["edge"], 2),
        fill=round(points["fill"], 2),
        colour=round(points["colour"], 2),
        findings=findings,
        verdict=decide_verdict(score, findings, config),
        quick_check=check_border_points(edit.srgb8, edit.framed.matte),
        evidence=choose_evidence(findings),
    )


def _apply(components: Sequence[Mapping[str, Rule]], scene: Scene, config: QcConfig) -> tuple[tuple[Finding, ...], ...]:
    """Return the findings of each component's rules; all rules side by side."""
    rules = {code: rule for component in components for code, rule in component.items()}
    looks: tuple[Callable[[], Any], ...] = (
        *(partial(measure, scene) for measure in MEASUREMENTS),
        *(partial(rule, scene, limits_of(code, config)) for code, rule in rules.items()),
    )
    found = side_by_side(lambda look: look(), looks)[len(MEASUREMENTS) :]
    by_code = dict(zip(rules, found, strict=True))
    return tuple(tuple(by_code[code] for code in component) for component in components)
