"""Every public function that takes a mask, a matte or an outline bears any: nothing, one pixel, one line, everything.

Each returns, or refuses with an error of Packshot's own. A new function fails the first test until its call is added.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import packshot
from packshot.colour.backdrop_light import measure_backdrop
from packshot.colour.gamut import out_of_gamut_ratio
from packshot.colour.reference import main_colours
from packshot.colour.spaces import srgb_profile, working_profile
from packshot.cutout.backdrop import Backdrop, model_backdrop
from packshot.cutout.closed_form import closed_form_alpha
from packshot.cutout.cut import given_cutout
from packshot.cutout.distances import nearest, signed_distance
from packshot.cutout.guided import enlarged
from packshot.cutout.outline import edge_sigma_px, lens_ratio, settled_line
from packshot.cutout.second_look import overreach
from packshot.cutout.settle import settle
from packshot.cutout.shadow import contact_shade
from packshot.cutout.softness import jitter_px, soft_matte
from packshot.cutout.tiles import boxes_holding
from packshot.cutout.values import Method
from packshot.cutout.zones import find_zones
from packshot.errors import PackshotError
from packshot.export.clipping_path import clipping_path_blocks, clipping_path_finding
from packshot.export.labels import Labels
from packshot.export.measure import measure_colour, measure_fill, measure_white, product_zone, visible_product_box
from packshot.formats.sniff import FileKind
from packshot.framing.frame import frame
from packshot.framing.place import place
from packshot.framing.subject import subject_box
from packshot.handoff.head_start import head_start
from packshot.handoff.neck_joint.joint import join_neck
from packshot.handoff.neck_joint.mannequin import find_mannequin
from packshot.handoff.neck_joint.neck import neck_above_shoulders
from packshot.handoff.neck_joint.placing import Side, place_neck
from packshot.handoff.neck_joint.seam import measure_seam
from packshot.handoff.neck_joint.shoulders import place_by_shoulders
from packshot.ingest.master import lay_on_white
from packshot.ingest.shoot_groups import GroupDecision
from packshot.looking import overlays
from packshot.looking.guides import guides
from packshot.paths.draft import draft_path
from packshot.paths.draft_file import write_draft
from packshot.paths.outline import outlines
from packshot.pipeline import edit, export
from packshot.pipeline.editing import adopt, colour_before
from packshot.qc.around import Around, around_product
from packshot.qc.base import base_of
from packshot.qc.closer_look import closer_look
from packshot.qc.edge_figures import measure_edges
from packshot.qc.left_backdrop import most_likely_left
from packshot.qc.near_backdrop import near_backdrop
from packshot.qc.outline import longest_run, smooth_along, trace_outline, worst_stretch
from packshot.qc.pale_rules import white_on_white
from packshot.qc.patches import kept_patches
from packshot.qc.pinholes import pinholes
from packshot.qc.proven import least_proven, unproven
from packshot.qc.reduced import predict_backdrop, reduce_edit
from packshot.qc.regions import grown, opened, split
from packshot.qc.ridges import kept_strips
from packshot.qc.scene import background_of, box_of_product
from packshot.qc.white import away_from, check_border_points, find_off_white, off_white_in
from packshot.returned.alignment import align, likeness, reduced_pair
from packshot.returned.checks import check_returned
from packshot.returned.read import MatteSource, ReturnedWork, overlap
from packshot.routing.backdrop import fit_from
from packshot.routing.mask_figures import measure_masks
from packshot.routing.pale_rim import pale_rim
from packshot.routing.silhouette import eroded, share
from packshot.specs.models import Plan, Shadow
from packshot.specs.resolve import resolve
from packshot.types import Box, Mask, Matte, Pixels16
from tests.configs import shipped_configs

SIDES = (1, 2, 3, 5, 16, 33, 70, 150)
SHAPES = {
    "nothing": lambda y, x, rows, columns: np.zeros_like(y, bool),
    "everything": lambda y, x, rows, columns: np.ones_like(y, bool),
    "first pixel": lambda y, x, rows, columns: (y == 0) & (x == 0),
    "last pixel": lambda y, x, rows, columns: (y == rows - 1) & (x == columns - 1),
    "middle pixel": lambda y, x, rows, columns: (y == rows // 2) & (x == columns // 2),
    "two pixels": lambda y, x, rows, columns: (y == rows // 2) & (abs(x - columns // 2) < 1.5) & (x >= columns // 2),
    "three in a corner": lambda y, x, rows, columns: (
        (abs(y - rows // 2) + abs(x - columns // 2) <= 1) & (y >= rows // 2) & (x >= columns // 2)
    ),
    "all but one": lambda y, x, rows, columns: (y != rows // 2) | (x != columns // 2),
    "row": lambda y, x, rows, columns: y == rows // 2,
    "column": lambda y, x, rows, columns: x == columns // 2,
    "top": lambda y, x, rows, columns: y < max(1, rows // 3),
    "bottom": lambda y, x, rows, columns: y >= rows - max(1, rows // 3),
    "left": lambda y, x, rows, columns: x < max(1, columns // 3),
    "right": lambda y, x, rows, columns: x >= columns - max(1, columns // 3),
    "frame": lambda y, x, rows, columns: (y == 0) | (x == 0) | (y == rows - 1) | (x == columns - 1),
    "within": lambda y, x, rows, columns: (abs(y - rows / 2) < rows / 3) & (abs(x - columns / 2) < columns / 3),
    "ring": lambda y, x, rows, columns: abs(np.hypot(y - rows / 2, x - columns / 2) - min(rows, columns) / 3) < 1.5,
    "chequered": lambda y, x, rows, columns: (y + x) % 2 == 0,
    "diagonal": lambda y, x, rows, columns: y == x,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A picture with a product of a degenerate shape. What functions take beside a mask is made from it."""

    shape: str
    rows: int
    columns: int
    soft: bool = False
    plain: bool = True

    @functools.cached_property
    def mask(self) -> Mask:
        y, x = np.indices((self.rows, self.columns))
        return np.ascontiguousarray(SHAPES[self.shape](y, x, self.rows, self.columns))

    @functools.cached_property
    def matte(self) -> Matte:
        return self.mask.astype(np.float32) * np.float32(0.6 if self.soft else 1)

    @functools.cached_property
    def pixels(self) -> Pixels16:
        picture = np.full((self.rows, self.columns, 3), 60_000, np.uint16)
        picture[self.mask] = (9_000, 20_000, 30_000)
        if not self.plain:
            grain = np.random.default_rng(1).integers(0, 5_000, picture.shape)
            picture = (picture + grain).astype(np.uint16)
        return picture

    @functools.cached_property
    def composite(self) -> Pixels16:
        return np.where(self.mask[..., None], self.pixels, np.uint16(65_535))

    @functools.cached_property
    def levels(self) -> Any:
        return self.pixels.astype(np.float32) / np.float32(257)

    @functools.cached_property
    def backdrop(self) -> Backdrop:
        return model_backdrop(self.levels, self.matte)

    @functools.cached_property
    def reduced(self) -> Any:
        return reduce_edit(self.pixels, self.matte, self.matte)

    @functools.cached_property
    def outline(self) -> Any:
        return trace_outline(self.pixels, self.composite, self.matte, self.reduced, product_px=max(self.box.size))

    @functools.cached_property
    def around(self) -> Around | None:
        return around_product(self.pixels, self.matte, self.reduced, self.box, margin_px=48)

    @property
    def box(self) -> Box:
        return Box(0, 0, self.columns, self.rows)

    @property
    def work(self) -> ReturnedWork:
        return ReturnedWork(
            name="returned.tif",
            kind=FileKind.TIFF,
            pixels16=self.composite,
            matte=self.matte,
            source=MatteSource.TRANSPARENCY,
            source_name="",
            path=None,
            bit_depth=16,
            profile_name="Adobe RGB (1998)",
            profile_assumed=False,
            orientation=1,
            findings=(),
            lossy=False,
        )


@dataclasses.dataclass(frozen=True)
class _Network:
    """Predicts one given matte, whatever it sees."""

    matte: Matte
    model: str = "given"
    fingerprint: str = "0" * 12
    engine: str = "numpy"
    precision: str = "float32"

    def predict(self, rgb: Any) -> Matte:
        return self.matte


@functools.cache
def plan() -> Plan:
    return resolve(
        shipped_configs(),
        client="demo",
        view="MAIN",
        platforms=("amazon_main", "print_catalog"),
    )


def _placed(case: Case) -> None:
    placement = frame(case.composite, case.matte, plan().renditions[-1]).placement
    framed = place(case.composite, case.matte, placement)
    measure_colour(framed.pixels, framed, icc=working_profile())


def _edited(case: Case) -> None:
    for method in (Method.REFINED, Method.MATTING, Method.NETWORK_ONLY):
        done = edit(case.pixels, _Network(case.matte), plan(), methods=(method,))
        assert np.isfinite(done.score)


def _exported(case: Case) -> None:
    export(case.composite, case.matte, plan(), known={"shot": "A1-MAIN", "sku": "A1"}, labels=Labels())


def _looked_at_closely(around: Around, noise: float) -> None:
    regions = near_backdrop(around, noise)
    if regions is not None:
        found = closer_look(around, noise, regions, np.arange(len(regions.boxes)))
        assert np.isfinite(found).all()


def _shadowed(case: Case) -> Matte:
    return contact_shade(case.pixels, case.backdrop.surface, case.matte)


CALLS: dict[str, Callable[[Case], Any]] = {
    "colour/backdrop_light:measure_backdrop": lambda c: measure_backdrop(c.pixels, seen=c.mask),
    "colour/gamut:out_of_gamut_ratio": lambda c: out_of_gamut_ratio(
        c.pixels, source=working_profile(), target=srgb_profile(), where=c.mask
    ),
    "colour/reference:main_colours": lambda c: main_colours((c.pixels >> 8).astype(np.uint8), c.matte),
    "cutout/backdrop:model_backdrop": lambda c: c.backdrop,
    "cutout/cut:given_cutout": lambda c: given_cutout(c.pixels, c.matte),
    "cutout/closed_form:closed_form_alpha": lambda c: (
        closed_form_alpha(c.levels / 255, c.matte, shifts=(1e-4, 1e-2)) if {0, 1} <= {*c.matte.flat} else None
    ),
    "cutout/distances:signed_distance": lambda c: signed_distance(c.mask),
    "cutout/distances:nearest": lambda c: nearest(c.mask, at=~c.mask) if c.mask.any() else None,
    "cutout/guided:enlarged": lambda c: enlarged(c.matte, c.levels / 255, c.levels / 255),
    "cutout/outline:settled_line": lambda c: settled_line(
        c.mask,
        c.levels,
        c.matte,
        ~c.mask,
        1 - c.matte,
        noise=1.0,
        least_levels=4.0,
        lens=0.3,
        floor_from=0,
    ),
    "cutout/outline:lens_ratio": lambda c: lens_ratio(c.pixels, c.matte),
    "cutout/outline:edge_sigma_px": lambda c: edge_sigma_px(c.pixels, c.matte),
    "cutout/second_look:overreach": lambda c: [
        overreach(c.pixels, c.mask, doubt, c.backdrop.surface, noise=1.0) for doubt in (c.matte, 0.2 * c.matte)
    ],
    "cutout/settle:settle": lambda c: settle(
        c.pixels, c.matte, c.mask, c.backdrop.surface, noise_levels=1.0, cell_px=1.0
    ),
    "cutout/shadow:contact_shade": _shadowed,
    "cutout/softness:jitter_px": lambda c: jitter_px(c.levels, c.matte, c.backdrop),
    "cutout/softness:soft_matte": lambda c: soft_matte(c.pixels, c.levels, c.matte, c.backdrop, c.matte),
    "cutout/tiles:boxes_holding": lambda c: list(boxes_holding(c.mask, side_px=4)),
    "cutout/zones:find_zones": lambda c: find_zones(c.levels, c.matte, c.backdrop, cell_px=1.0),
    "export/clipping_path:clipping_path_blocks": lambda c: clipping_path_blocks(c.matte),
    "export/clipping_path:clipping_path_finding": lambda c: clipping_path_finding(
        write_draft(c.pixels, c.matte, draft_path(c.matte)), c.matte
    ),
    "export/measure:product_zone": lambda c: product_zone(c.matte, c.composite, shadow_kept=True),
    "export/measure:measure_white": lambda c: measure_white(c.composite, c.mask, ring_distance_px=8),
    "export/measure:visible_product_box": lambda c: visible_product_box(c.composite, c.matte),
    "export/measure:measure_fill": lambda c: measure_fill(c.composite, c.matte),
    "framing/frame:frame": lambda c: [frame(c.composite, c.matte, one) for one in plan().renditions],
    "framing/place:place": _placed,
    "framing/subject:subject_box": lambda c: subject_box(c.matte),
    "handoff/head_start:head_start": lambda c: head_start(c.pixels, c.matte),
    "handoff/neck_joint/mannequin:find_mannequin": lambda c: find_mannequin(c.pixels, c.matte),
    "handoff/neck_joint/neck:neck_above_shoulders": lambda c: neck_above_shoulders(c.mask),
    "handoff/neck_joint/placing:place_neck": lambda c: [
        place_neck(Side(c.pixels, c.matte), np.zeros_like(c.matte), opening, Side(c.pixels, c.matte))
        for opening in (c.mask, ~c.mask)
    ],
    "handoff/neck_joint/seam:measure_seam": lambda c: measure_seam(c.levels, c.mask, ~c.mask),
    "handoff/neck_joint/shoulders:place_by_shoulders": lambda c: place_by_shoulders(c.mask, c.mask),
    "handoff/neck_joint/joint:join_neck": lambda c: join_neck(Side(c.pixels, c.matte), Side(c.pixels, c.matte)),
    "ingest/master:lay_on_white": lambda c: lay_on_white(c.pixels, c.matte),
    "looking/guides:guides": lambda c: guides(c.matte, plan().renditions),
    "looking/overlays:colour": lambda c: overlays.colour(c.composite, c.pixels, c.matte),
    "looking/overlays:halo": lambda c: overlays.halo(c.composite, c.matte),
    "looking/overlays:matte_edge": lambda c: overlays.matte_edge(c.matte),
    "looking/overlays:off_white": lambda c: [
        overlays.off_white(c.composite, c.matte, shadow=shadow) for shadow in Shadow
    ],
    "looking/overlays:reference_colour": lambda c: overlays.reference_colour(c.composite, c.matte, (50.0, 20.0, 10.0)),
    "paths/draft:draft_path": lambda c: draft_path(c.matte, min_area_px=0),
    "paths/draft_file:write_draft": lambda c: write_draft(c.pixels, c.matte, draft_path(c.matte, min_area_px=0)),
    "paths/outline:outlines": lambda c: outlines(c.matte, min_area_px=0),
    "pipeline/editing:edit": _edited,
    "pipeline/editing:adopt": lambda c: adopt(c.pixels, c.work, plan()),
    "pipeline/editing:colour_before": lambda c: colour_before(
        c.pixels,
        c.matte,
        GroupDecision(group="a", part="a", why="", reference="Lab 40 20 10", reference_lab=(40, 20, 10)),
    ),
    "pipeline/exporting:export": _exported,
    "qc/around:around_product": lambda c: c.around,
    "qc/base:base_of": lambda c: base_of(c.outline, measure_edges(c.outline), c.box),
    "qc/closer_look:closer_look": lambda c: _looked_at_closely(c.around, c.reduced.noise) if c.around else None,
    "qc/left_backdrop:most_likely_left": lambda c: most_likely_left(c.around, c.reduced.noise) if c.around else None,
    "qc/edge_figures:measure_edges": lambda c: measure_edges(c.outline),
    "qc/outline:trace_outline": lambda c: c.outline,
    "qc/outline:smooth_along": lambda c: smooth_along(c.outline.x, c.outline, points=6),
    "qc/outline:longest_run": lambda c: longest_run(c.outline.x > 3, c.outline),
    "qc/outline:worst_stretch": lambda c: worst_stretch(c.outline.x > 3, c.outline, length_px=9),
    "qc/pale_rules:white_on_white": lambda c: white_on_white(c.outline),
    "qc/pinholes:pinholes": lambda c: (
        pinholes(c.pixels, c.composite, c.matte, c.reduced, c.box) if c.reduced.backdrop is not None else None
    ),
    "qc/proven:unproven": lambda c: unproven(c.outline, measure_edges(c.outline), c.reduced),
    "qc/proven:least_proven": lambda c: least_proven(c.outline, measure_edges(c.outline), c.reduced),
    "qc/reduced:reduce_edit": lambda c: c.reduced,
    "qc/reduced:predict_backdrop": lambda c: predict_backdrop(c.levels, c.mask),
    "qc/regions:grown": lambda c: grown(c.mask, 11),
    "qc/regions:opened": lambda c: opened(c.mask, 11),
    "qc/regions:split": lambda c: split(c.mask, ~c.mask, c.reduced),
    "qc/patches:kept_patches": lambda c: kept_patches(c.pixels, c.matte, c.reduced, c.box),
    "qc/ridges:kept_strips": lambda c: kept_strips(c.around) if c.around else None,
    "qc/scene:background_of": lambda c: background_of(c.matte, shadow=Shadow.KEEP, subject=box_of_product(c.matte)),
    "qc/scene:box_of_product": lambda c: box_of_product(c.matte),
    "qc/white:off_white_in": lambda c: off_white_in(c.composite, c.mask),
    "qc/white:find_off_white": lambda c: find_off_white(c.composite, c.mask),
    "qc/white:check_border_points": lambda c: check_border_points(c.composite, c.matte),
    "qc/white:away_from": lambda c: away_from(c.mask, 8),
    "returned/alignment:reduced_pair": lambda c: align(reduced_pair(c.pixels, c.composite, c.matte, draft=c.matte)),
    "returned/alignment:likeness": lambda c: likeness(c.levels[..., 0], c.levels[..., 1], c.mask),
    "returned/checks:check_returned": lambda c: check_returned(c.work, c.pixels, draft=c.matte),
    "routing/backdrop:fit_from": lambda c: (
        fit_from(c.levels.astype(np.float32), c.mask, border_ratio=0.1) if c.mask.any() else None
    ),
    "routing/mask_figures:measure_masks": lambda c: measure_masks(c.matte, c.matte),
    "routing/pale_rim:pale_rim": lambda c: pale_rim(c.pixels, c.matte),
    "returned/read:overlap": lambda c: overlap(c.matte, 1 - c.matte),
    "routing/silhouette:share": lambda c: share(c.mask, of=c.mask.astype(np.uint8)),
    "routing/silhouette:eroded": lambda c: eroded(c.mask.astype(np.uint8), 3),
}

_TAKES = ("Mask", "Matte", "Outline", "_Bytes")
_NOT_SHAPES = {"cli", "learning", "outcomes"}


def _public_functions() -> Iterator[str]:
    """Yield each public function of the package that takes a mask, a matte or an outline, as ``room/module:name``."""
    root = Path(packshot.__file__).parent
    for path in sorted(root.rglob("*.py")):
        module = path.relative_to(root).with_suffix("")
        if module.parts[0] in _NOT_SHAPES:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                said = [
                    ast.unparse(one.annotation) for one in (*node.args.args, *node.args.kwonlyargs) if one.annotation
                ]
                if any(word in _TAKES for text in said for word in text.replace("|", " ").split()):
                    yield f"{module}:{node.name}"


def test_every_function_that_takes_a_mask_is_tried() -> None:
    assert set(_public_functions()) <= set(CALLS)


cases = st.builds(
    Case,
    shape=st.sampled_from(sorted(SHAPES)),
    rows=st.sampled_from(SIDES),
    columns=st.sampled_from(SIDES),
    soft=st.booleans(),
    plain=st.booleans(),
)
SLOW = ("pipeline/", "handoff/", "returned/", "framing/frame", "framing/place")


def _bears(call: Callable[[Case], Any], case: Case) -> None:
    with suppress(PackshotError):
        call(case)


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith(SLOW)])
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases)
@example(case=Case("frame", 70, 70))
@example(case=Case("nothing", 1, 1))
@example(case=Case("everything", 1, 70))
def test_a_function_bears_any_mask(name: str, case: Case) -> None:
    _bears(CALLS[name], case)


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith(SLOW)])
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases)
@example(case=Case("frame", 70, 70))
@example(case=Case("nothing", 16, 16))
@example(case=Case("everything", 16, 16))
def test_a_step_of_the_line_bears_any_mask(name: str, case: Case) -> None:
    _bears(CALLS[name], case)
