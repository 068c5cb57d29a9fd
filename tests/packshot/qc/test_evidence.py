"""Evidence shows the worst places once, at 1:1."""

from __future__ import annotations

import numpy as np

from packshot.colour.transform import srgb8_to_working
from packshot.qc.evidence import choose_evidence, crop_evidence
from packshot.types import Box, Finding, Status


def finding(code: str, status: Status, box: Box | None, *, gate: bool = False) -> Finding:
    return Finding(code=code, status=status, message=code, box=box, gate=gate)


def test_failed_gates_come_first_and_passed_rules_not_at_all() -> None:
    chosen = choose_evidence(
        [
            finding("warned", Status.WARNING, Box(0, 0, 10, 10)),
            finding("passed", Status.PASSED, Box(50, 50, 60, 60)),
            finding("failed", Status.FAILED, Box(20, 20, 30, 30)),
            finding("gate", Status.FAILED, Box(40, 40, 50, 50), gate=True),
            finding("everywhere", Status.FAILED, None),
        ]
    )
    assert [evidence.code for evidence in chosen] == ["gate", "failed", "warned"]


def test_a_place_is_shown_once() -> None:
    boxes = [Box(0, 0, 100, 100), Box(10, 10, 110, 110), Box(300, 0, 400, 100)]
    chosen = choose_evidence([finding(f"rule_{i}", Status.FAILED, box) for i, box in enumerate(boxes)])
    assert [evidence.code for evidence in chosen] == ["rule_0", "rule_2"]


def test_there_are_never_more_than_asked_for() -> None:
    findings = [finding(f"rule_{i}", Status.FAILED, Box(i * 20, 0, i * 20 + 10, 10)) for i in range(20)]
    assert len(choose_evidence(findings, most=4)) == 4


def test_crop_is_the_same_pixels_in_srgb() -> None:
    srgb = np.random.default_rng(3).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    crop = crop_evidence(srgb8_to_working(srgb), Box(5, 6, 25, 36))
    assert np.array_equal(crop, srgb[6:36, 5:25])


def test_crop_is_cut_at_the_frame() -> None:
    white = np.full((40, 50, 3), 65535, np.uint16)
    assert crop_evidence(white, Box(-10, -10, 20, 500)).shape == (40, 20, 3)
