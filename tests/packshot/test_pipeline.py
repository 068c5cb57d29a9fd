"""One drawn photograph through all stages, its files decoded again by another library and measured."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from packshot import pipeline
from packshot.colour.normalise import Correction, Kind
from packshot.colour.reference import main_colours, parse_reference
from packshot.colour.target_fit import DeltaE
from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Method, cut
from packshot.errors import ConfigError, NamingError, RefusedInputError, TooSmallError
from packshot.export.labels import Labels
from packshot.ingest.shoot_groups import GroupDecision, state_groups
from packshot.pipeline import Edit, Export, Mastered
from packshot.pipeline.editing import STOPPING
from packshot.qc import reduced
from packshot.returned.read import read_returned
from packshot.routing import features, seen_backdrop
from packshot.routing.approve import Watch, ruled_out
from packshot.routing.model import shipped_model
from packshot.specs.models import Configs, Plan, ResolvedRules
from packshot.types import Finding, Matte, Pixels8, Route, Size, Status, Verdict
from tests import drawn_products
from tests.configs import shipped_configs
from tests.drawn_products import ContrastNetwork
from tests.drawn_targets import photograph_of_chart
from tests.often import few_often
from tests.packshot.formats.damaged_jpegs import out_of_step, with_one_bit_changed, without_last_scan
from tests.packshot.formats.test_contradictions import xmp_of_orientation
from tests.packshot.formats.test_psd import psd

ROW = {
    "sku": "A1",
    "asin": "B0PACK0101",
    "category": "boxes",
    "view": "MAIN",
    "platforms": "amazon_main,shopify,print_catalog",
}
LABELS = Labels(copyright="Ada")
RINGING_PX = {"jpg": 8, "webp": 12, "tif": 0}
"""How far from the product a codec may leave anything but exact white."""


@pytest.fixture(scope="module")
def configs() -> Configs:
    return shipped_configs()


def mastered_from(data: bytes, configs: Configs, row: Mapping[str, str] = ROW, *, path: str = "A1.jpg") -> Mastered:
    return pipeline.master(data, path=path, shot="A1", row=row, client="default", configs=configs)


def exported_from(edit: Edit, mastered: Mastered, **known: str) -> Export:
    facts = {name: fact.value for name, fact in mastered.facts.items()}
    return pipeline.export(
        edit.composite, edit.matte, mastered.plan, known={"shot": "A1", **facts, **known}, labels=LABELS
    )


@dataclasses.dataclass(frozen=True)
class Line:
    """What came of each stage."""

    photograph: bytes
    mastered: Mastered
    edit: Edit
    export: Export

    @property
    def files(self) -> dict[str, bytes]:
        return {one.path: one.rendered.encoded.data for one in self.export.verified}


@pytest.fixture(scope="module")
def line(configs: Configs) -> Line:
    photograph = drawn_products.photograph()
    mastered = mastered_from(photograph, configs)
    edit = pipeline.edit(mastered.master.pixels16, ContrastNetwork(), mastered.plan)
    return Line(photograph, mastered, edit, exported_from(edit, mastered))


def decoded(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def sha256(array: NDArray[np.generic]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def background_of(side: int, *, fill: float, ringing_px: int) -> NDArray[np.bool_]:
    """Where a square file may not show anything of the drawn disc, nor of a codec's ringing around it."""
    y, x = np.mgrid[:side, :side]
    product = np.hypot(y - (side - 1) / 2, x - (side - 1) / 2) < fill * side / 2 + 2
    reach = np.ones((2 * ringing_px + 1, 2 * ringing_px + 1), np.uint8)
    return cv2.dilate(product.astype(np.uint8), reach) == 0


# --- master ---


def test_a_master_holds_the_photograph_as_it_is(line: Line) -> None:
    shown = working_to_srgb8(line.mastered.master.pixels16).astype(int)
    assert shown.shape == (1000, 1000, 3)
    assert np.abs(shown - decoded(line.photograph)).max() <= 1
    assert line.mastered.report["size"] == [1000, 1000]


def test_what_quality_control_judged_is_what_is_exported(line: Line) -> None:
    assert line.edit.framed is not None
    first = line.mastered.plan.model_copy(update={"renditions": line.mastered.plan.renditions[:1]})
    known = {"shot": "A1", **{name: fact.value for name, fact in line.mastered.facts.items()}}
    judged = pipeline.export(
        line.edit.composite, line.edit.matte, first, known=known, labels=LABELS, framed=line.edit.framed
    )
    path = judged.verified[0].path
    assert judged.verified[0].rendered.encoded.data == line.files[path]


def test_every_fact_says_where_it_comes_from(line: Line) -> None:
    assert line.mastered.facts["asin"].source == "manifest"
    assert line.mastered.category_source == "manifest"
    assert line.mastered.plan.category is not None


@pytest.mark.parametrize("size", [(999, 700), (700, 999)])
def test_a_photograph_whose_longest_side_is_below_1000_px_is_refused(configs: Configs, size: tuple[int, int]) -> None:
    with pytest.raises(TooSmallError) as refused:
        mastered_from(drawn_products.photograph(*size), configs)
    assert refused.value.subject == "A1.jpg"
    assert refused.value.found.startswith(f"{size[0]} x {size[1]}")
    assert "1000" in refused.value.allowed
    assert refused.value.next_step


def test_a_photograph_without_colours_is_a_finding(configs: Configs) -> None:
    grey = np.repeat(drawn_products.pixels()[..., :1], 3, axis=2)
    for data in (
        drawn_products.encoded(grey),
        drawn_products.encoded(grey, "JPEG", quality=92),
        drawn_products.encoded(drawn_products.pixels()),
    ):
        codes = {finding.code for finding in mastered_from(data, configs).findings}
        assert ("grey_photograph" in codes) is (Image.open(io.BytesIO(data)).convert("HSV").getextrema()[1][1] < 9)
    stored_grey = io.BytesIO()
    Image.fromarray(grey[..., 0]).save(stored_grey, "JPEG")
    assert "grey_photograph" in {one.code for one in mastered_from(stored_grey.getvalue(), configs).findings}


def with_trouble(code: str) -> bytes:
    """A file of the drawn photograph that has what a finding of this code says."""
    photograph = drawn_products.pixels()
    if code == "grey_photograph":
        data = drawn_products.encoded(np.repeat(photograph[..., :1], 3, axis=2))
    elif code == "seam_of_lost_data":
        data = with_one_bit_changed(drawn_products.encoded(photograph, "JPEG", quality=92))
    elif code == "codes_out_of_step":
        data = out_of_step(drawn_products.encoded(photograph, "JPEG", quality=92, progressive=True))
    elif code == "scans_missing":
        data = without_last_scan(drawn_products.encoded(photograph, "JPEG", quality=92, progressive=True))
    elif code == "file_contradictory":
        data = drawn_products.encoded(photograph, "JPEG", quality=92, xmp=xmp_of_orientation(6))
    elif code == "inks_left_out":
        data = psd(np.ascontiguousarray(photograph[..., 0]), mode=8)
    else:
        whole, body = drawn_products.encoded(photograph), b"tRNS\0\1\0\1\0\1\0\1"
        data = whole[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + whole[33:]
    return data


@pytest.mark.parametrize("code", sorted(STOPPING))
def test_what_is_wrong_with_the_photograph_itself_is_a_finding_that_stops_an_approval(
    configs: Configs, code: str
) -> None:
    told = [one for one in mastered_from(with_trouble(code), configs).findings if one.code == code]
    assert [one.stops_approval for one in told] == [True]


@pytest.mark.parametrize("code", few_often(sorted(STOPPING), often=1))
def test_what_is_wrong_with_the_photograph_itself_stops_an_approval(configs: Configs, line: Line, code: str) -> None:
    pixels, plan = line.mastered.master.pixels16, line.mastered.plan
    held = pipeline.edit(pixels, ContrastNetwork(), plan, noted=mastered_from(with_trouble(code), configs).findings)
    assert line.edit.verdict is Verdict.AUTO_APPROVE
    assert held.verdict is Verdict.HUMAN_REVIEW
    assert held.score == line.edit.score
    assert code in {one.code for one in held.findings if one.stops_approval}


def test_a_photograph_of_exactly_1000_px_is_accepted(configs: Configs) -> None:
    for size in ((1000, 300), (300, 1000)):
        assert mastered_from(drawn_products.photograph(*size), configs).report["size"] == list(size)


def test_a_client_may_ask_for_more_pixels_than_the_line(configs: Configs) -> None:
    stricter = configs.clients["default"].model_copy(update={"min_px": 1600})
    changed = configs.model_copy(update={"clients": {**configs.clients, "default": stricter}})
    with pytest.raises(TooSmallError, match="1600"):
        mastered_from(drawn_products.photograph(), changed)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", b"<svg/>", b"MZ" + bytes(100)])
def test_what_is_no_picture_is_refused_by_name(configs: Configs, data: bytes) -> None:
    with pytest.raises(RefusedInputError, match=r"^A1\.jpg: "):
        mastered_from(data, configs)


def test_a_platform_that_does_not_exist_is_an_error_of_the_manifest_not_of_the_picture(configs: Configs) -> None:
    with pytest.raises(ConfigError, match="ebuy"):
        mastered_from(drawn_products.photograph(), configs, {"platforms": "ebuy"})


# --- route ---


def test_the_category_s_rule_decides_and_says_so(line: Line) -> None:
    mastered = line.mastered
    decision = pipeline.route(mastered.features, mastered.plan, category_source=mastered.category_source)
    assert decision.route is Route.AUTOMATED
    assert decision.category == "boxes"
    assert decision.category_source == "manifest"


def test_a_word_in_the_name_says_the_category_where_nobody_else_does(configs: Configs) -> None:
    unsaid = {name: value for name, value in ROW.items() if name != "category"}
    ring = mastered_from(drawn_products.photograph(), configs, unsaid, path="gold_ring_0012.jpg")
    assert ring.category_source == "file_name"
    decision = pipeline.route(ring.features, ring.plan, category_source=ring.category_source, looks=ring.looks)
    assert (decision.route, decision.category) == (Route.HUMAN, "jewelry")
    said = mastered_from(drawn_products.photograph(), configs, path="gold_ring_0012.jpg")
    assert (said.category_source, said.plan.category) == ("manifest", configs.categories["boxes"])


def test_a_photograph_is_looked_at_only_where_nobody_says_what_it_shows(configs: Configs, line: Line) -> None:
    assert line.mastered.looks is None
    unsaid = {name: value for name, value in ROW.items() if name != "category"}
    unknown = mastered_from(drawn_products.photograph(), configs, unsaid)
    assert unknown.looks is not None
    decision = pipeline.route(unknown.features, unknown.plan, category_source="", looks=unknown.looks)
    assert decision.category == ""
    blind = configs.model_copy(update={"routing": configs.routing.model_copy(update={"picture": None})})
    assert mastered_from(drawn_products.photograph(), blind, unsaid).looks is None


def test_a_word_that_names_no_rule_does_not_keep_a_photograph_from_being_looked_at(configs: Configs) -> None:
    unsaid = {name: value for name, value in ROW.items() if name != "category"}
    vase = mastered_from(drawn_products.photograph(), configs, unsaid, path="white_vase_0012.jpg")
    assert (vase.category_source, vase.plan.category) == ("file_name", configs.categories["home"])
    assert vase.looks is not None
    glass = vase.looks.model_copy(update={"ruled_category": "glassware", "ruled_probability": 0.9})
    decision = pipeline.route(vase.features, vase.plan, category_source="file_name", looks=glass)
    assert (decision.route, decision.category) == (Route.HUMAN, "home")
    ring = mastered_from(drawn_products.photograph(), configs, unsaid, path="gold_ring_0012.jpg")
    assert ring.looks is None, "its word names a rule, which is law"


def test_a_misspelt_category_is_told_and_the_photograph_is_accepted(configs: Configs, line: Line) -> None:
    done = mastered_from(line.photograph, configs, {**ROW, "category": "kettels"})
    (told,) = (one for one in done.findings if one.code == "category_unknown")
    assert "did you mean kettle?" in told.message
    assert done.plan.category is None
    assert not [one for one in line.mastered.findings if one.code == "category_unknown"]


def test_a_category_that_is_always_a_person_s_goes_to_a_person(configs: Configs) -> None:
    glass = mastered_from(drawn_products.photograph(), configs, {**ROW, "category": "glassware"})
    decision = pipeline.route(glass.features, glass.plan, category_source=glass.category_source)
    assert decision.route is Route.HUMAN
    assert decision.reason


# --- edit ---


def test_a_plain_product_is_approved(line: Line) -> None:
    assert line.edit.verdict is Verdict.AUTO_APPROVE
    assert line.edit.method == Method.REFINED
    assert line.edit.report
    parts = (line.edit.report.background, line.edit.report.edge, line.edit.report.fill, line.edit.report.colour)
    assert line.edit.score == pytest.approx(sum(parts), abs=0.02)


def watched(line: Line, configs: Configs, category: str, *, ratio: float) -> Edit:
    """The line's edit, looked at by the shipped model as a night does it."""
    config = line.mastered.plan.routing
    promise = config.approve.model_copy(update={"ratio": ratio})
    ruled = ruled_out(configs.categories.get(category), configs.categories.values())
    watch = Watch(shipped_model(), line.mastered.features, promise, ruled, category, config.real_only)
    return pipeline.edit(line.mastered.master.pixels16, ContrastNetwork(), line.mastered.plan, watch=watch)


def stops(edit: Edit) -> set[str]:
    return {one.code for one in edit.findings if one.stops_approval}


def test_the_shipped_model_and_promise_approve_a_shot_of_a_known_category_only(line: Line, configs: Configs) -> None:
    shipped = line.mastered.plan.routing.approve.ratio
    assert watched(line, configs, "boxes", ratio=shipped).verdict is Verdict.AUTO_APPROVE
    unnamed = watched(line, configs, "", ratio=shipped)
    assert unnamed.verdict is Verdict.HUMAN_REVIEW
    assert stops(unnamed) == {"refusal_likely", "real_proof_missing"}


def test_a_shot_that_nobody_named_is_only_held_for_want_of_real_photographs(line: Line, configs: Configs) -> None:
    """By a weaker promise, under which nothing else speaks against it."""
    unnamed = watched(line, configs, "", ratio=0.05)
    assert (unnamed.verdict, unnamed.unproven) == (Verdict.HUMAN_REVIEW, True)
    assert stops(unnamed) == {"real_proof_missing"}


@dataclasses.dataclass(frozen=True)
class Blind(ContrastNetwork):
    """A network that sees nothing."""

    def predict(self, rgb: Pixels8) -> Matte:
        return np.zeros((64, 64), np.float32)


class Counted:
    """Counts the calls of functions where a module finds them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *functions: tuple[Any, str]) -> None:
        self.calls = dict.fromkeys((name for _, name in functions), 0)
        for owner, name in functions:
            monkeypatch.setattr(owner, name, self._counting(name, getattr(owner, name)))

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any, **named: Any) -> Any:
            self.calls[name] += 1
            return function(*given, **named)

        return counting


@pytest.mark.parametrize("platforms", few_often([3, 1], often=1))
@pytest.mark.parametrize("network", [ContrastNetwork, Blind], ids=["approved", "every method"])
def test_what_an_edit_starts_from_is_found_once_for_all_methods_and_platforms(
    line: Line, platforms: int, network: type[ContrastNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = line.mastered.plan.model_copy(update={"renditions": line.mastered.plan.renditions[:platforms]})
    counted = Counted(
        monkeypatch,
        (network, "predict"),
        (cut, "reduced_copies"),
        (cut, "model_backdrop"),
        (reduced, "predict_backdrop"),
    )
    edit = pipeline.edit(line.mastered.master.pixels16, network(), plan)
    found = int(edit.report is not None)  # where there is no product, there is no backdrop around it
    assert counted.calls == {"predict": 1, "reduced_copies": 1, "model_backdrop": found, "predict_backdrop": found}


def test_a_photograph_s_backdrop_is_fitted_once_for_its_route_and_met_once_in_the_frame_and_once_at_the_product(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch, (seen_backdrop, "fit_to_border"), (seen_backdrop, "backdrop_at"))
    at_product = Counted(monkeypatch, (features, "backdrop_at"))
    assert features.measure(line.mastered.master.pixels16) == line.mastered.features
    assert counted.calls == {"fit_to_border": 1, "backdrop_at": 1}
    assert at_product.calls == {"backdrop_at": 1}


def test_everything_that_is_not_product_is_exactly_white_in_the_composite(line: Line) -> None:
    truth = drawn_products.coverage(1000, 1000)
    assert (line.edit.composite[line.edit.matte == 0] == 65535).all()
    far_out = drawn_products.coverage(1000, 1000, radius_ratio=0.434) == 0
    assert (line.edit.composite[far_out] == 65535).all()
    assert np.abs(line.edit.matte - truth).sum() / (2 * np.pi * 430) < 0.35  # px of error per px of outline


def test_inside_the_product_the_master_is_kept_bit_for_bit(line: Line) -> None:
    inside = drawn_products.coverage(1000, 1000, radius_ratio=0.425) == 1
    assert (line.edit.composite[inside] == line.mastered.master.pixels16[inside]).all()


def test_an_edit_changes_neither_the_master_nor_anything_it_is_given(line: Line) -> None:
    again = mastered_from(line.photograph, configs=shipped_configs())
    assert sha256(line.mastered.master.pixels16) == sha256(again.master.pixels16)


def test_where_no_product_is_found_every_method_is_tried_and_a_person_is_asked(line: Line) -> None:
    edit = pipeline.edit(line.mastered.master.pixels16, Blind(), line.mastered.plan)
    assert edit.verdict is Verdict.REJECT_AND_REDO
    assert edit.score == 0
    assert edit.report is None
    assert any(one.code == "empty_mask" and one.stops_approval for one in edit.findings)
    export = exported_from(edit, line.mastered)
    assert export.verified == export.rejected == ()
    assert set(export.left_out) == set(export.failures) == {"amazon_main", "shopify", "print_catalog"}


# --- colour: the group's word ---


def judged_with(line: Line, group: GroupDecision, plan: Plan | None = None) -> Edit:
    return pipeline.edit(line.mastered.master.pixels16, ContrastNetwork(), plan or line.mastered.plan, group=group)


def colour_finding(edit: Edit) -> Finding:
    (finding,) = [one for one in edit.findings if one.code == "colour_not_verified"]
    return finding


def with_reference(text: str) -> GroupDecision:
    reference = parse_reference(text)
    assert reference is not None
    return GroupDecision(group="g", part="g", why="", reference=text, reference_lab=reference.lab)


def required(plan: Plan) -> Plan:
    rules = plan.renditions[0].rules.model_copy(update={"colour_reference_required": True})
    first = plan.renditions[0].model_copy(update={"rules": rules})
    return plan.model_copy(update={"rules": rules, "renditions": (first, *plan.renditions[1:])})


def test_without_a_reference_colours_are_not_verified_and_that_is_said(line: Line) -> None:
    assert colour_finding(line.edit).status is Status.SKIPPED
    assert line.edit.verdict is Verdict.AUTO_APPROVE


def test_a_required_reference_that_is_missing_forbids_approval(line: Line) -> None:
    edit = judged_with(line, GroupDecision(group="g", part="g", why=""), required(line.mastered.plan))
    assert colour_finding(edit).stops_approval
    assert edit.verdict is Verdict.HUMAN_REVIEW


def test_a_required_reference_that_is_met_is_approved(line: Line) -> None:
    edit = judged_with(line, with_reference(main_colour(line)), required(line.mastered.plan))
    assert colour_finding(edit).status is Status.PASSED
    assert edit.verdict is Verdict.AUTO_APPROVE


def main_colour(line: Line) -> str:
    shown = working_to_srgb8(line.edit.composite)
    lightness, a, b = main_colours(shown, line.edit.matte)[0].lab
    return f"Lab {lightness:.2f} {a:.2f} {b:.2f}"


def test_a_stated_colour_is_measured_on_the_delivered_pixels(line: Line) -> None:
    """Off by some 2.6: a person looks. Off by far more: it is done again, then an editor gets it."""
    lightness, a, b = (float(word) for word in main_colour(line).split()[1:])
    near = judged_with(line, with_reference(f"Lab {lightness + 2.9:.2f} {a:.2f} {b:.2f}"))
    assert 2 < (colour_finding(near).measured or 0) < 3.5
    assert near.verdict is Verdict.HUMAN_REVIEW
    far = judged_with(line, with_reference("#00A0FF"))
    assert (colour_finding(far).measured or 0) > 20
    assert far.verdict is Verdict.REJECT_AND_REDO


def test_a_group_s_target_verifies_its_shots_by_what_is_left_on_held_out_patches(line: Line) -> None:
    good = GroupDecision(group="g", part="g", why="", target_in="chart", verified=DeltaE(mean=0.9, p95=2.0, max=3.0))
    finding = colour_finding(judged_with(line, good))
    assert (finding.status, finding.measured) == (Status.PASSED, 0.9)
    assert "the colour target in chart" in finding.message
    uneven = good.model_copy(update={"verified": DeltaE(mean=0.9, p95=6.0, max=9.0)})
    edit = judged_with(line, uneven)
    assert colour_finding(edit).stops_approval
    assert edit.verdict is Verdict.HUMAN_REVIEW


def test_a_finding_of_the_group_that_is_a_gate_bears_on_the_verdict(line: Line) -> None:
    failed = Finding(code="light_outlier", status=Status.FAILED, message="A lamp may have failed.", gate=True)
    edit = judged_with(line, GroupDecision(group="g", part="g", why="", findings=(failed,)))
    assert edit.verdict is Verdict.HUMAN_REVIEW
    assert failed in edit.findings


def test_a_picture_with_a_colour_target_in_it_goes_to_a_person(line: Line, configs: Configs) -> None:
    chart = drawn_products.encoded(working_to_srgb8(photograph_of_chart()))
    mastered = mastered_from(chart, configs)
    assert mastered.light.target is not None
    decisions, _ = state_groups([mastered.light], config=configs.ingest)
    decision = pipeline.route(mastered.features, mastered.plan, category_source="", group=decisions["A1"])
    assert decision.route is Route.HUMAN
    assert "colour target" in decision.reason


def test_a_correction_that_cuts_colours_off_says_so(line: Line) -> None:
    pixels = line.mastered.master.pixels16
    brighter = pipeline.correct_master(pixels, Correction(kind=Kind.EVENED, gains=(3.0, 3.0, 3.0)))
    assert [one.code for one in brighter.findings] == ["correction_clips"]
    untouched = pipeline.correct_master(pixels, Correction())
    assert untouched.pixels is pixels
    assert untouched.findings == ()


# --- frame and export ---


def test_each_platform_gets_its_files_under_its_names(line: Line) -> None:
    assert not line.export.failures
    assert {one.path for one in line.export.verified} == {
        "amazon_main/B0PACK0101.MAIN.jpg",
        *("shopify/A1-MAIN.webp", "shopify/A1-MAIN.jpg"),
        "print_catalog/A1-MAIN.tif",
    }
    assert line.export.rejected == ()
    assert line.export.left_out == {}


def rules_of(line: Line, platform: str) -> ResolvedRules:
    return next(plan.rules for plan in line.mastered.plan.renditions if plan.platform.name == platform)


def test_the_decoded_background_of_every_square_file_is_exactly_white(line: Line) -> None:
    square = [one for one in line.export.verified if one.size.width == one.size.height]
    assert len(square) >= 3
    for one in square:
        ringing_px = RINGING_PX[one.path.rpartition(".")[2]]
        fill_ratio = rules_of(line, one.platform).fill_ratio
        background = background_of(one.size.width, fill=fill_ratio, ringing_px=ringing_px)
        assert background.mean() > 0.2
        assert (decoded(one.rendered.encoded.data)[background] == 255).all(), one.path


def test_the_product_fills_what_was_ordered_in_the_middle_of_the_canvas(line: Line) -> None:
    for one in line.export.verified:
        product = decoded(one.rendered.encoded.data).min(axis=2) < 230
        rows, columns = np.flatnonzero(product.any(axis=1)), np.flatnonzero(product.any(axis=0))
        longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
        assert longest / one.size.longest == pytest.approx(
            rules_of(line, one.platform).fill_ratio, abs=4 / one.size.longest
        ), one.path
        middle = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
        assert middle == pytest.approx((one.size.width / 2, one.size.height / 2), abs=2), one.path


def test_a_file_says_its_size_truly(line: Line) -> None:
    for one in line.export.verified:
        with Image.open(io.BytesIO(one.rendered.encoded.data)) as image:
            assert Size(*image.size) == one.size


def test_the_same_photograph_gives_the_same_bytes(line: Line, configs: Configs) -> None:
    mastered = mastered_from(line.photograph, configs)
    edit = pipeline.edit(mastered.master.pixels16, ContrastNetwork(), mastered.plan)
    again = exported_from(edit, mastered)
    assert mastered.plan.fingerprint == line.mastered.plan.fingerprint
    assert edit.findings == line.edit.findings
    assert {one.path: one.rendered.encoded.data for one in again.verified} == line.files


def test_a_platform_that_cannot_be_served_does_not_keep_the_others(line: Line) -> None:
    export = exported_from(line.edit, line.mastered, asin="")
    assert isinstance(export.failures.pop("amazon_main"), NamingError)
    assert not export.failures
    assert {one.platform for one in export.verified} == {"shopify", "print_catalog"}
    assert set(export.left_out) == {"amazon_main"}


# --- adopt ---


def editor_s_work(line: Line, *, transparent: bool) -> bytes:
    """The product as a person would cut it out: exactly, in the photograph's own colours."""
    photograph = Image.open(io.BytesIO(line.photograph)).convert("RGB")
    matte = Image.fromarray(np.rint(drawn_products.coverage(1000, 1000) * 255).astype(np.uint8))
    if transparent:
        photograph.putalpha(matte)
    else:
        photograph = Image.composite(photograph, Image.new("RGB", photograph.size, "white"), matte)
    file = io.BytesIO()
    photograph.save(file, "PNG", icc_profile=drawn_products.SRGB, compress_level=1)
    return file.getvalue()


def adopted(line: Line, returned: bytes) -> pipeline.Edit:
    plan = line.mastered.plan
    return pipeline.adopt(
        line.mastered.master.pixels16, read_returned(returned, name="back.png", limits=plan.ingest), plan
    )


@pytest.mark.parametrize("transparent", [True, False])
def test_a_person_s_work_is_judged_and_exported_like_a_machine_s(line: Line, transparent: bool) -> None:
    before = sha256(line.mastered.master.pixels16)
    edit = adopted(line, editor_s_work(line, transparent=transparent))
    assert sha256(line.mastered.master.pixels16) == before
    assert edit.method == Method.GIVEN
    assert edit.report
    assert edit.score > 70
    outside = drawn_products.coverage(1000, 1000, radius_ratio=0.434) == 0
    assert (edit.composite[outside] == 65535).all()
    assert edit.matte[outside].max() == 0
    export = exported_from(edit, line.mastered)
    assert not export.failures
    assert export.rejected == ()


def test_work_of_another_shape_is_refused_with_both_sizes_and_what_to_do(line: Line) -> None:
    cropped = drawn_products.encoded(np.asarray(Image.open(io.BytesIO(editor_s_work(line, transparent=False))))[:700])
    with pytest.raises(RefusedInputError) as refused:
        adopted(line, cropped)
    error = refused.value
    assert (error.subject, error.found) == ("back.png", "1000 x 700")
    assert "1000 x 1000" in error.allowed
    assert "uncropped" in error.next_step


def test_a_picture_that_tells_nothing_of_its_product_is_refused(line: Line) -> None:
    with pytest.raises(RefusedInputError, match=r"no cut-out"):
        adopted(line, line.photograph)


@pytest.mark.parametrize(("stated", "expected"), [("as painted", 0.0), ("lighter by 10", 8.0)])
def test_a_master_s_colour_is_held_against_what_its_reference_states(line: Line, stated: str, expected: float) -> None:
    pixels, matte = line.mastered.master.pixels16, line.edit.matte
    main = main_colours(working_to_srgb8(pixels), matte)[0].lab
    lab = main if stated == "as painted" else (main[0] + 10, main[1], main[2])
    group = GroupDecision(group="g", part="g", why="", reference="swatch", reference_lab=lab)
    off = pipeline.colour_before(pixels, matte, group)
    assert off == pytest.approx(expected, abs=2.5)
    assert pipeline.colour_before(pixels, matte, group.model_copy(update={"reference_lab": None})) is None


# --- cut_out_photo ---


def test_a_photograph_of_any_size_can_be_cut_out(configs: Configs) -> None:
    limits = configs.ingest.model_copy(update={"min_px": 1})
    data = drawn_products.photograph(320, 240)
    files = pipeline.cut_out_photo(data, ContrastNetwork(), name="small.jpg", limits=limits)
    matte, composite = decoded(files.matte_png), decoded(files.composite_png)
    assert matte.shape == composite.shape == (240, 320, 3)
    assert (composite[matte == 0] == 255).all()


# --- beside the picture ---

SIDECAR = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:s="https://studio.example/ns/" s:ProductCode="KTL-301" s:Shoot="Spring 26"/>
</rdf:RDF></x:xmpmeta>"""


def test_the_xmp_file_beside_a_photograph_says_what_it_shows(configs: Configs) -> None:
    data = drawn_products.photograph()
    facts = pipeline.master(
        data, path="IMG_1.jpg", shot="A1", row={}, client="default", configs=configs, sidecar=SIDECAR
    ).facts
    assert (facts["sku"].value, facts["sku"].source) == ("KTL-301", "xmp")
    assert facts["shoot_group"].value == "Spring 26"


def test_delivered_files_name_their_product(line: Line) -> None:
    for data in line.files.values():
        assert b"<Iptc4xmpExt:ProductId>A1</Iptc4xmpExt:ProductId>" in data


def test_the_clipping_path_is_in_tiffs_only_and_where_the_client_orders_it(line: Line) -> None:
    known = {"shot": "A1", **{name: fact.value for name, fact in line.mastered.facts.items()}}
    for ordered, expected in ((True, {"print_catalog"}), (False, set())):
        plan = line.mastered.plan.model_copy(update={"print_clipping_path": ordered})
        export = pipeline.export(line.edit.composite, line.edit.matte, plan, known=known, labels=LABELS)
        assert not export.failures
        carrying = {one.platform for one in export.verified if b"8BIM" in one.rendered.encoded.data}
        assert carrying == expected
