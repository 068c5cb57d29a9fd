"""Masks of layers, held against psd-tools, which reads them on its own."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psd_tools import PSDImage

from packshot.formats.psd_layers import Plane
from packshot.returned import layers
from packshot.returned.layers import LayerMatte, layer_mattes
from packshot.types import Matte
from tests.shared_data import shared_data


def documents() -> list[Path]:
    folder = shared_data("editor_returns")
    return sorted(one for one in folder.rglob("*") if one.suffix in (".psd", ".psb"))


def their_masks(file: Path) -> dict[str, list[Matte]]:
    """Layer name -> its pixel mask on the whole document, of the visible layers that have one and no vector mask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = PSDImage.open(file)
    found: dict[str, list[Matte]] = {}
    for layer in document.descendants():
        mask = layer.mask
        if not layer.visible or mask is None or mask.disabled or layer.has_vector_mask() or not mask.width:
            continue
        if mask.has_real():
            continue
        whole = np.full((document.height, document.width), mask.background_color / 255, np.float32)
        left, top = max(mask.left, 0), max(mask.top, 0)
        right, bottom = min(mask.right, document.width), min(mask.bottom, document.height)
        part = layer.numpy("mask")
        if part is None or right <= left or bottom <= top or part.shape[:2] != (mask.height, mask.width):
            continue
        whole[top:bottom, left:right] = part[
            top - mask.top : bottom - mask.top, left - mask.left : right - mask.left, 0
        ]
        found.setdefault(layer.name, []).append(whole)
    return found


def test_pixel_masks_are_those_that_psd_tools_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_largest", lambda mattes: mattes)
    compared = 0
    for file in documents():
        try:
            theirs = their_masks(file)
        except Exception:  # noqa: BLE001  what psd-tools cannot read says nothing of us
            continue
        ours: dict[str, list[LayerMatte]] = {}
        for one in layer_mattes(file.read_bytes()).found:
            ours.setdefault(one.name, []).append(one)
        for name, masks in theirs.items():
            for mask in masks:
                assert any(np.abs(one.matte - mask).max() < 1e-3 for one in ours.get(name, [])), f"{file.name}: {name}"
                compared += 1
    assert compared >= 20


def test_only_the_largest_masks_are_kept() -> None:
    for file in documents():
        found = layer_mattes(file.read_bytes()).found
        assert sum(one.is_mask for one in found) <= 2
        assert sum(not one.is_mask for one in found) <= 2
        for one in found:
            assert 0 <= one.matte.min() < 0.5 <= one.matte.max() <= 1


@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_damaged_documents_never_raise(data: st.DataObject) -> None:
    whole = shared_data("editor_returns", "psd", "psd-tools", "layer_mask_data.psd").read_bytes()
    start = 26
    harmed = bytearray(whole[: data.draw(st.integers(start + 1, len(whole)))])
    for _ in range(data.draw(st.integers(1, 6))):
        harmed[data.draw(st.integers(start, len(harmed) - 1))] = data.draw(st.integers(0, 255))
    layer_mattes(bytes(harmed))


def test_layers_have_a_budget_of_pixels_over_the_whole_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a small file of many layers on a large canvas ends after so many pixels."""
    placed: list[int] = []
    original = layers._Drawn._placed

    def counted(self: layers._Drawn, plane: Plane) -> Matte:
        whole = original(self, plane)
        placed.append(whole.size)
        return whole

    monkeypatch.setattr(layers._Drawn, "_placed", counted)
    monkeypatch.setattr(layers, "MOST_LAYER_PIXELS", 10 * 400 * 300)
    for count in (8, 200, 800):
        placed.clear()
        found = layer_mattes(many_layers(count, width=400, height=300))
        assert sum(placed) <= 10 * 400 * 300
        assert ("pixels of layers" in found.damage) is (count > 10)


def many_layers(count: int, *, width: int, height: int) -> bytes:
    """A PSD in which each layer has a transparency of one pixel."""
    plane = struct.pack(">HB", 0, 200)
    records = b"".join(
        struct.pack(">4iH", 0, 0, 1, 1, 1)
        + struct.pack(">hI", -1, len(plane))
        + b"8BIMnorm"
        + struct.pack(">4BI", 255, 0, 0, 0, 12)
        + struct.pack(">II", 0, 0)
        + b"\x00\x00\x00\x00"
        for _ in range(count)
    )
    info = struct.pack(">h", count) + records + plane * count
    info += b"\0" * (len(info) % 2)
    section = struct.pack(">I", len(info)) + info + struct.pack(">I", 0)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    return head + struct.pack(">II", 0, 0) + struct.pack(">I", len(section)) + section
