"""Cut out the product: the segmentation network finds it, and the photograph gives its exact edge."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import cv2
import numpy as np

from packshot.colour.spaces import decode_working
from packshot.colour.transform import working_to_srgb8
from packshot.cutout.backdrop import Backdrop, model_backdrop
from packshot.cutout.coverage import cover
from packshot.cutout.network import Segmenter, to_size
from packshot.cutout.second_look import overreach
from packshot.cutout.settle import SETTLED_PX, Settled, settle
from packshot.cutout.softness import SOFT_PX, jitter_px, soft_matte
from packshot.cutout.values import BackdropReport, Cutout, Method, SoftPixels
from packshot.cutout.zones import Zones, find_zones
from packshot.types import Box, Finding, FloatImage, Mask, Matte, Pixels16, Size, Status, size_of

REDUCED_PX = 1024
"""Longest side of the copy that the backdrop is modelled in, and that the network sees."""
_AROUND_PX, _REACH_PX = 4, 16
"""Where a second look took something away, pixels within the first distance are undecided once more, and the outline
moves within the second."""
LEAST_PRODUCT_RATIO = 0.0005
"""With a smaller share of product pixels than this the photograph counts as empty."""


@dataclasses.dataclass(frozen=True, eq=False)
class Uncut:
    """All that is known about a photograph before it is cut out. `uncut_of` makes it; every method starts from it.

    Attributes:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        middle, small: copies reduced to at most 2048 and 1024 px on the longest side, in the form of `pixels`.
        prediction: the segmentation network's probability of product, (n, n) float32 in 0..1, at the network's size.
        levels: the small copy, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        probability: the prediction, resized to the small copy: (rows, columns) float32 in 0..1.
        backdrop: a `Backdrop`: the colour of the backdrop at each pixel of the small copy, also behind the product, as
            (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255; and how noisy and smooth the visible
            backdrop is. None if the network sees product in less than 0.05 % of the pixels.
    """

    pixels: Pixels16
    middle: Pixels16
    small: Pixels16
    prediction: Matte
    levels: FloatImage
    probability: Matte
    backdrop: Backdrop | None


def uncut_of(pixels: Pixels16, segmenter: Segmenter) -> Uncut:
    """Return what a cut-out starts from: the network's prediction, the modelled backdrop and reduced copies.

    If the network sees product in less than 0.05 % of the pixels, the photograph counts as empty, and the backdrop is
    None.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        segmenter: the segmentation network that predicts where the product is.
    """
    middle, small = reduced_copies(pixels)
    prediction = segmenter.predict(working_to_srgb8(small))
    levels: FloatImage = small.astype(np.float32) / np.float32(257)
    probability = to_size(prediction, (levels.shape[1], levels.shape[0]))
    is_empty = float(np.mean(probability >= 0.5)) < LEAST_PRODUCT_RATIO
    backdrop = None if is_empty else model_backdrop(levels, probability)
    return Uncut(pixels, middle, small, prediction, levels, probability, backdrop)


def cut_out(pixels: Pixels16, segmenter: Segmenter, *, method: Method = Method.AUTO) -> Cutout:
    """Return the cut-out of a photograph's product: its matte, and its colours along the edge.

    A photograph without a product raises nothing. It gives an empty matte and the failed finding `empty_mask`.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        segmenter: the segmentation network that predicts where the product is.
        method: how the matte is made. AUTO chooses by backdrop and edge: see `Method`.
    Raises:
        ValueError: the method is GIVEN, which needs a matte.
    """
    return cut_out_of(uncut_of(pixels, segmenter), method=method)


def cut_out_of(uncut: Uncut, *, method: Method = Method.AUTO) -> Cutout:
    """Return the cut-out of a photograph's product: its matte, and its colours along the edge.

    A photograph without a product raises nothing. It gives an empty matte and the failed finding `empty_mask`.

    Args:
        uncut: the photograph, with the network's prediction and the modelled backdrop. It serves for several methods
            in turn.
        method: AUTO refines the edge on a smooth backdrop (REFINED), and uses MATTING there if the edge is soft, like
            fur. On any other backdrop it uses the segmentation network's mask alone (NETWORK_ONLY). MATTING becomes
            REFINED if no pixel is surely product, or none surely backdrop. The cut-out names the method that was used.
    Raises:
        ValueError: the method is GIVEN, which needs a matte.
    """
    if method is Method.GIVEN:
        raise ValueError("a matte that was made elsewhere is no method of the network: call given_cutout with it")
    if uncut.backdrop is None:
        return _empty(size_of(uncut.pixels), uncut.prediction)
    chosen = _chosen(method, uncut.levels, uncut.probability, uncut.backdrop)
    if chosen is Method.NETWORK_ONLY:
        cutout = _by_network(uncut.pixels, uncut.prediction, uncut.backdrop.report)
    else:
        cutout = _refined(uncut, uncut.backdrop, chosen)
    return dataclasses.replace(cutout, reduced=uncut.small)


def given_cutout(pixels: Pixels16, matte: Matte) -> Cutout:
    """Return a cut-out with a matte that was made elsewhere, for example by an editor. Its method is GIVEN.

    So quality control can measure an editor's picture like the machine's own. The cut-out has no backdrop model
    (`surface` is None), its backdrop counts as smooth, and a reduced copy of the matte stands for the network's.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB: the finished picture. Its colours are taken as they are.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the picture's size.
    """
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    colours = decode_working(pixels[rows, columns][None])[0]
    soft = SoftPixels(rows.astype(np.int32), columns.astype(np.int32), colours)
    small: Any = cv2.resize(matte, _size_of_copy(size_of(pixels), REDUCED_PX), interpolation=cv2.INTER_AREA)
    return Cutout(matte, soft, small, BackdropReport(smooth=True), Method.GIVEN)


def _chosen(method: Method, levels: FloatImage, probability: Matte, backdrop: Backdrop) -> Method:
    """Return the method to use: the one asked for, or for AUTO the one that suits backdrop and edge."""
    if method is not Method.AUTO:
        return method
    if not backdrop.report.smooth:
        return Method.NETWORK_ONLY
    return Method.MATTING if jitter_px(levels, probability, backdrop) >= SOFT_PX else Method.REFINED


def _size_of_copy(size: Size, longest_px: int) -> Size:
    """Return the size of a copy with this longest side; never larger than the original."""
    share = min(1.0, longest_px / size.longest)
    return Size(max(1, round(size.width * share)), max(1, round(size.height * share)))


def reduced_copies(pixels: Pixels16) -> tuple[Pixels16, Pixels16]:
    """Return two reduced copies of a photograph, each (rows, columns, 3) uint16, Adobe RGB.

    The first, at most 2048 px on its longest side, is for finding the outline. The second, at most 1024 px, is for the
    segmentation network. A photograph that is not larger comes back itself, not as a copy.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
    """
    size = size_of(pixels)
    middle = _averaged(pixels, _size_of_copy(size, SETTLED_PX))
    return middle, _averaged(middle, _size_of_copy(size, REDUCED_PX))


def _averaged(pixels: Pixels16, size: Size) -> Pixels16:
    """Return the pixels reduced to a size by area averaging."""
    if size == size_of(pixels):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint16)


def _empty(size: Size, prediction: Matte) -> Cutout:
    """Return an empty cut-out with a finding that fails the photograph."""
    finding = Finding(
        code="empty_mask",
        status=Status.FAILED,
        gate=True,
        message="The machine found no product in the photograph.",
        measured=float(np.mean(prediction >= 0.5)),
        limit=LEAST_PRODUCT_RATIO,
        unit="ratio",
    )
    nothing = np.zeros(0, np.int32)
    return Cutout(
        np.zeros((size.height, size.width), np.float32),
        SoftPixels(nothing, nothing, np.zeros((0, 3), np.float32)),
        prediction,
        BackdropReport(smooth=False),
        Method.NETWORK_ONLY,
        (finding,),
    )


def _by_network(pixels: Pixels16, prediction: Matte, report: BackdropReport) -> Cutout:
    """Return a cut-out by the network's mask alone, with a steeper edge."""
    size = size_of(pixels)
    matte = _steep(to_size(prediction, size))
    soft = _coloured(pixels, matte)
    findings = () if report.smooth else (_rough_finding(report),)
    return Cutout(matte, soft, prediction, report, Method.NETWORK_ONLY, findings)


def _steep(probability: Matte) -> Matte:
    """Return the probability stretched from 0.15..0.85 to 0..1: the network's edge is wider than a lens makes it."""
    matte: Matte = np.clip((probability - 0.15) / 0.7, 0, 1)
    return matte


def _coloured(pixels: Pixels16, matte: Matte) -> SoftPixels:
    """Return the soft pixels, each with the colour of the nearest fully opaque pixel."""
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    whole = matte == 1
    if whole.any() and rows.size:
        _, labels = cv2.distanceTransformWithLabels(
            (~whole).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        inner_rows, inner_columns = np.nonzero(whole)
        where = np.zeros((int(labels.max()) + 1, 2), np.intp)
        where[labels[inner_rows, inner_columns]] = np.stack([inner_rows, inner_columns], axis=1)
        nearest = where[labels[rows, columns]]
        own = decode_working(pixels[nearest[:, 0], nearest[:, 1]][None])[0]
    else:
        own = decode_working(pixels[rows, columns][None])[0]
    return SoftPixels(rows.astype(np.int32), columns.astype(np.int32), own)


def _refined(uncut: Uncut, backdrop: Backdrop, method: Method) -> Cutout:
    """Return a cut-out by edge refinement or matting.

    The outline is settled in the middle copy; alpha is computed at full size. MATTING falls back to REFINED where the
    trimap has no sure product or no sure backdrop.
    """
    pixels, levels, prediction = uncut.pixels, uncut.levels, uncut.prediction
    cell_px = max(levels.shape[:2]) / prediction.shape[0]
    zones = find_zones(levels, uncut.probability, backdrop, cell_px=cell_px)
    settled = _settled_twice(uncut.middle, prediction, zones, backdrop)
    matte, soft = cover(pixels, settled)
    if method is Method.MATTING:
        solved = soft_matte(pixels, levels, zones.probability, backdrop, matte)
        if solved is None:
            method = Method.REFINED
        else:
            matte, soft = solved
    return Cutout(
        matte,
        soft,
        prediction,
        backdrop.report,
        method,
        _gap_findings(zones, size_of(pixels)),
        surface=backdrop.surface,
    )


def _settled_twice(middle: Pixels16, prediction: Matte, zones: Zones, backdrop: Backdrop) -> Settled:
    """Return the settled outline. It is settled again where a second look finds floor or backdrop inside of it."""
    size = size_of(middle)
    noise, cell_px = backdrop.report.noise_levels, size.longest / prediction.shape[0]
    again = partial(settle, middle, surface=backdrop.surface, noise_levels=noise, cell_px=cell_px)
    settled = again(zones.probability, zones.unknown)
    surface: Any = cv2.resize(backdrop.surface, size, interpolation=cv2.INTER_LINEAR)
    likely = to_size(prediction, size)
    kept = settled.line > 0
    wrong = overreach(middle, kept, likely, surface, noise=max(noise, 0.5))
    if not wrong.any():
        return settled
    out = wrong | (_grown(wrong, _AROUND_PX) & ~kept)
    around = _grown(out, _AROUND_PX) & kept & ~out
    heard, unknown = to_size(zones.probability, size), to_size(zones.unknown.astype(np.float32), size) >= 0.5
    heard = np.where(out, np.float32(0), np.where(around, np.minimum(heard, np.float32(0.5)), heard))
    second = again(heard, (unknown | around) & ~out)
    near = _grown(wrong, _REACH_PX)
    return Settled(
        np.where(near, np.minimum(settled.line, second.line), settled.line),  # a second look only takes away
        settled.unknown | around,
        np.where(near[..., None], second.backdrop, settled.backdrop),
    )


def _grown(mask: Mask, reach_px: int) -> Mask:
    """Return a mask enlarged by `reach_px`."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((2 * reach_px + 1,) * 2, np.uint8)) > 0)


def _rough_finding(report: BackdropReport) -> Finding:
    """Return the warning that the backdrop is not smooth, or that too little of it is seen."""
    why = (
        "Too little of the backdrop is seen to tell whether it is smooth; the product fills the frame"
        if report.rough_ratio == 1
        else f"The backdrop is not a smooth studio sweep ({report.rough_ratio:.0%} of it is uneven)"
    )
    return Finding(
        code="backdrop_not_smooth",
        status=Status.WARNING,
        message=f"{why}: only the AI's first mask decided the edge.",
        measured=report.rough_ratio,
        unit="ratio",
    )


def _gap_findings(zones: Zones, size: Size) -> tuple[Finding, ...]:
    """Return a warning where the image looks like backdrop but the network is sure of product.

    One box holds all such places.
    """
    if not zones.suspected_gaps.any():
        return ()
    rows, columns = np.nonzero(zones.suspected_gaps)
    across, down = size.width / zones.suspected_gaps.shape[1], size.height / zones.suspected_gaps.shape[0]
    box = Box(
        int(columns.min() * across),
        int(rows.min() * down),
        int((columns.max() + 1) * across),
        int((rows.max() + 1) * down),
    )
    share = float(zones.suspected_gaps.mean())
    return (
        Finding(
            code="gap_suspected",
            status=Status.WARNING,
            message="A place inside the product looks like the backdrop. It was kept as product.",
            measured=share,
            unit="ratio",
            box=box,
        ),
    )
