"""Read a file that an editor has returned: the finished picture, and the matte (each pixel's share of product) with it.

A file can keep the matte in several places.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from enum import StrEnum

import cv2
import numpy as np

from packshot.colour.spaces import WHITE_16
from packshot.errors import RefusedInputError, UnreadableError
from packshot.formats.channels import flat_transparency, saved_channels
from packshot.formats.container import Container
from packshot.formats.headers import read_container
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import Photo, open_photo, upright
from packshot.ingest.master import develop, lay_on_white
from packshot.paths.model import SavedPath
from packshot.paths.rasterise import rasterise
from packshot.paths.read import ChosenPath, PathFile, choose_path, read_paths
from packshot.returned.layers import LayerMatte, layer_mattes
from packshot.specs.models import IngestConfig
from packshot.types import Finding, Mask, Matte, Pixels16, Size, Status, size_of

_SAME = 0.98
_LEAST_WHITE_BORDER = 0.5
_NEARLY_WHITE = round(0.97 * WHITE_16)
_SAME_ASPECT = 0.005
_WITH_PATHS = (FileKind.TIFF, FileKind.PSD, FileKind.JPEG, FileKind.PNG)


class MatteSource(StrEnum):
    """The part of a returned file that holds the matte (each pixel's share of product).

    Attributes:
        TRANSPARENCY: the transparency of the whole picture.
        LAYER_MASK: the mask of a layer.
        CLIPPING_PATH: a saved path; what it encloses is product.
        SAVED_CHANNEL: a saved selection.
        LAYER_TRANSPARENCY: the transparency of a layer.
        WHITE_BACKGROUND: the file has none of the others; everything that is not white is product.
    """

    TRANSPARENCY = "transparency"
    LAYER_MASK = "layer mask"
    CLIPPING_PATH = "clipping path"
    SAVED_CHANNEL = "saved channel"
    LAYER_TRANSPARENCY = "a layer's transparency"
    WHITE_BACKGROUND = "white background"


_ON_WHITE_ALREADY = (MatteSource.TRANSPARENCY, MatteSource.WHITE_BACKGROUND)


@dataclasses.dataclass(frozen=True)
class _Candidate:
    source: MatteSource
    name: str
    matte: Matte


@dataclasses.dataclass(frozen=True)
class ReturnedWork:
    """A picture that an editor returned.

    Attributes:
        name: the file's name, for messages.
        kind: the file's kind.
        pixels16: (rows, columns, 3) uint16, Adobe RGB, upright. Transparent parts are composited on white.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, upright; None if the file has no matte
            and no white background.
        source: the part of the file that holds the matte; None without one.
        source_name: name of the channel, layer or path; empty if it has none.
        path: the path that was rasterised; None if the matte comes from another source.
        bit_depth: bits per channel in the file.
        profile_name: description of the ICC profile; empty if it has none.
        profile_assumed: True where the file did not define its colours with certainty.
        orientation: EXIF orientation, already applied.
        findings: findings made while the file was read and the matte was chosen.
        lossy: whether the file's coding may change pixels when a picture is saved. False for PSD, PNG, BMP, and for
            TIFF without JPEG compression.
    """

    name: str
    kind: FileKind
    pixels16: Pixels16
    matte: Matte | None
    source: MatteSource | None
    source_name: str
    path: SavedPath | None
    bit_depth: int
    profile_name: str
    profile_assumed: bool
    orientation: int
    findings: tuple[Finding, ...]
    lossy: bool

    @property
    def size(self) -> Size:
        """Size of the upright picture, in pixels."""
        return size_of(self.pixels16)

    def has_aspect_of(self, size: Size) -> bool:
        """Return whether the picture has the given size or nearly its aspect ratio, to 0.5 % or one pixel.

        Args:
            size: (width, height), usually that of the master.
        """
        ours, theirs = self.size.width / self.size.height, size.width / size.height
        pixel = 1 / self.size.shortest
        return self.size == size or abs(ours / theirs - 1) <= max(_SAME_ASPECT, pixel)

    def matte_at(self, size: Size) -> Matte | None:
        """Return the matte at another size: (rows, columns) float32 in 0..1, upright; None if the work has no matte.

        A path is rasterised again, any other matte is resampled. At the work's own size it is `matte` itself.

        Args:
            size: (width, height) of the result, upright. The matte is stretched to it.
        """
        if self.matte is None or self.size == size:
            return self.matte
        if self.path is not None:
            stored = size if self.orientation < 5 else Size(size.height, size.width)
            return np.asarray(upright(rasterise(self.path, *stored), self.orientation), np.float32)
        shrinks = size.width < self.size.width
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.clip(np.asarray(cv2.resize(self.matte, size, interpolation=way), np.float32), 0, 1)

    def composite_for(self, master: Pixels16) -> tuple[Pixels16, Matte]:
        """Return (the work on exact white at the master's size, its matte).

        The picture is (rows, columns, 3) uint16, Adobe RGB; the matte is (rows, columns) float32 in 0..1. If the work
        has another size than the master, only its matte is used, with the pixels of the master.

        Args:
            master: (rows, columns, 3) uint16, Adobe RGB.

        Raises:
            RefusedInputError: there is no matte, or the aspect ratio differs from the master's.
        """
        size = size_of(master)
        matte = self.matte_at(size)
        if matte is None or not self.has_aspect_of(size):
            raise RefusedInputError(
                "this cannot be made the shot's picture",
                self.name,
                found=str(self.size) if matte is not None else "no cut-out",
                allowed=f"a cut-out, and the shape of the master, {size}",
                next_step="Return the picture uncropped, with its path, mask or alpha channel.",
            )
        if self.size != size:
            return lay_on_white(master, matte), matte
        if self.source in _ON_WHITE_ALREADY:
            return self.pixels16, matte
        return lay_on_white(self.pixels16, matte), matte


def read_returned(data: bytes, *, name: str, limits: IngestConfig, prefer_path: str = "") -> ReturnedWork:
    """Return the picture that an editor returned in a file, with the matte that the editor made.

    A file can keep the matte in several places. The first one found is taken, in this order:

    1. The path named by the client's rule.
    2. The transparency of the picture.
    3. A layer mask.
    4. The clipping path, or the only path.
    5. A saved channel.
    6. The transparency of a layer.
    7. Without any of these, all pixels that are not exactly white, if the picture stands on white.

    A matte that covers nothing or everything does not count. If several mattes differ, a finding says which one was
    taken.

    Args:
        data: the whole file.
        name: the file's name, used in messages only.
        limits: limits on bytes and pixels. The minimum size does not apply here.
        prefer_path: name of the path in the client's rule, in any encoding and case; empty if there is no such rule.

    Raises:
        RefusedInputError: the file cannot be read.
    """
    photo = open_photo(data, name=name, limits=limits.model_copy(update={"min_px": 1}))
    developed = develop(photo)
    paths, chosen = _paths(data, photo, prefer_path)
    candidates, findings = _candidates(data, photo, chosen, prefer_path)
    if not candidates:
        candidates = _white_background(developed.pixels16)
    taken = candidates[0] if candidates else None
    kept = tuple(one for one in developed.findings if one.code not in ("extra_channels_ignored", "transparency"))
    return ReturnedWork(
        name=name,
        kind=photo.kind,
        pixels16=developed.pixels16,
        matte=taken.matte if taken else None,
        source=taken.source if taken else None,
        source_name=taken.name if taken else "",
        path=chosen.path if taken and taken.source is MatteSource.CLIPPING_PATH else None,
        bit_depth=photo.bit_depth,
        profile_name=photo.profile_name,
        profile_assumed=photo.profile_assumed,
        orientation=photo.orientation,
        findings=(*kept, *(paths.findings if paths else ()), *findings, *_compared(candidates, chosen)),
        lossy=_is_lossy(photo.kind, data),
    )


def _is_lossy(kind: FileKind, data: bytes) -> bool:
    """Return whether a file's coding may change pixels when a picture is saved."""
    if kind is FileKind.TIFF:
        return read_container(data, kind).coding == "JPEG"
    return kind not in (FileKind.PSD, FileKind.PNG, FileKind.BMP)


def _paths(data: bytes, photo: Photo, prefer: str) -> tuple[PathFile | None, ChosenPath]:
    if photo.kind not in _WITH_PATHS:
        return None, ChosenPath(None, "no path")
    try:
        found = read_paths(data, name=photo.name)
    except UnreadableError:
        return None, ChosenPath(None, "no path that can be read")
    return found, choose_path(found, prefer=prefer)


def _candidates(
    data: bytes, photo: Photo, chosen: ChosenPath, prefer: str
) -> tuple[list[_Candidate], tuple[Finding, ...]]:
    """Return every matte in the file, in the order of preference, and what of layers and channels is damaged."""
    stored = photo.size if photo.orientation < 5 else Size(photo.size.height, photo.size.width)

    def turned(matte: Matte) -> Matte:
        return np.asarray(upright(matte, photo.orientation), np.float32)

    path: list[_Candidate] = []
    if chosen.path is not None:
        filled = turned(rasterise(chosen.path, *stored))
        path = [_Candidate(MatteSource.CLIPPING_PATH, chosen.path.name, filled)]
    clear = [_Candidate(MatteSource.TRANSPARENCY, "", photo.alpha)] if photo.alpha is not None else []
    container = read_container(data, photo.kind)
    layers = layer_mattes(data) if photo.kind is FileKind.PSD else None
    masks = _of_layers(layers.found if layers else (), turned)
    channels = saved_channels(data, photo.kind, container)
    saved = [_Candidate(MatteSource.SAVED_CHANNEL, label, turned(matte)) for label, matte in channels.found]
    named_by_rule = bool(prefer) and "client's rule" in chosen.why
    own_masks = [one for one in masks if one.source is MatteSource.LAYER_MASK]
    others = [one for one in masks if one.source is not MatteSource.LAYER_MASK]
    if len(own_masks) > 1 and not channels.damage:
        # A composite of several photographs: no single mask covers the whole product.
        clear = [*clear, *_of_flat(data, container, turned)]
    in_order = [*path, *clear, *own_masks] if named_by_rule else [*clear, *own_masks, *path]
    kept = [one for one in (*in_order, *saved, *others) if one.matte.shape == photo.pixels.shape[:2]]
    findings = (
        *_stopping("layers_damaged", "Not all layers could be read", layers.damage if layers else ""),
        *_stopping("channels_damaged", "Not all saved channels could be read", channels.damage),
    )
    return [one for one in kept if _says_something(one.matte)], findings


def _stopping(code: str, what: str, how: str) -> tuple[Finding, ...]:
    """Return a finding that stops the work: the product's matte may be in the part that is damaged."""
    if not how:
        return ()
    return (Finding(code=code, status=Status.FAILED, message=f"{what}: {how}. Save the file again.", gate=True),)


def _of_flat(data: bytes, container: Container, turned: Callable[[Matte], Matte]) -> list[_Candidate]:
    matte = flat_transparency(data, container)
    return [_Candidate(MatteSource.TRANSPARENCY, "", turned(matte))] if matte is not None else []


def _of_layers(layers: Sequence[LayerMatte], turned: Callable[[Matte], Matte]) -> list[_Candidate]:
    source = {True: MatteSource.LAYER_MASK, False: MatteSource.LAYER_TRANSPARENCY}
    return [_Candidate(source[one.is_mask], one.name, turned(one.matte)) for one in layers]


def _says_something(matte: Matte) -> bool:
    return bool(matte.min() < 0.5 <= matte.max())


def _white_background(pixels: Pixels16) -> list[_Candidate]:
    """Return the pixels that are not exactly white as a matte, if the picture stands on white; else nothing.

    Where the white is not exact, nearly white pixels connected to the border are background.
    """
    border = _border(np.all(pixels >= _NEARLY_WHITE, axis=2))
    if border.mean() < _LEAST_WHITE_BORDER:
        return []
    product: Mask = np.any(pixels < WHITE_16, axis=2)
    if _border(product).mean() > 1 - _LEAST_WHITE_BORDER:
        product = ~near_white_around(pixels)
    return [_Candidate(MatteSource.WHITE_BACKGROUND, "", product.astype(np.float32))] if product.any() else []


def near_white_around(pixels: Pixels16) -> Mask:
    """Return the background of a picture on white: nearly white pixels that are connected to its border.

    The result is (rows, columns) bool. Nearly white means at least 97 % of the range in every channel.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
    """
    near = np.all(pixels >= _NEARLY_WHITE, axis=2).astype(np.uint8)
    _, labels = cv2.connectedComponents(np.pad(near, 1, constant_values=1), connectivity=4)
    return np.asarray(labels[1:-1, 1:-1] == labels[0, 0])


def _border(flags: Mask) -> Mask:
    return np.concatenate([flags[0], flags[-1], flags[:, 0], flags[:, -1]])


def _compared(candidates: Sequence[_Candidate], chosen: ChosenPath) -> tuple[Finding, ...]:
    """Return findings where mattes in the file differ, or where several paths exist and none is marked."""
    findings = []
    if candidates:
        first = candidates[0]
        apart = [(one, overlap(first.matte, one.matte)) for one in candidates[1:]]
        apart = [(one, share) for one, share in apart if share < _SAME]
        if apart:
            others = ", ".join(_called(one) for one, _ in apart[:5])
            message = f"The file holds several cut-outs that differ: the {_called(first)} was taken, not the {others}."
            least = min(share for _, share in apart)
            findings.append(
                Finding(
                    code="mattes_differ",
                    status=Status.WARNING,
                    message=message,
                    measured=round(least, 4),
                    limit=_SAME,
                    unit="overlap",
                )
            )
    if chosen.assumed and candidates and candidates[0].source is MatteSource.CLIPPING_PATH:
        message = f"The only path, {candidates[0].name!r}, was taken for the clipping path; the file names none."
        findings.append(Finding(code="clipping_path_assumed", status=Status.WARNING, message=message))
    if chosen.path is None and "paths" in chosen.why:
        message = f"No path was used: the file holds {chosen.why}."
        findings.append(Finding(code="clipping_path_unclear", status=Status.WARNING, message=message))
    return tuple(findings)


def _called(one: _Candidate) -> str:
    return f"{one.source} {one.name!r}" if one.name else str(one.source)


def overlap(a: Matte, b: Matte) -> float:
    """Return how much two mattes agree, 0..1: the intersection over union of both at the threshold 0.5.

    It is 1 if both are empty.

    Args:
        a, b: (rows, columns) float32 in 0..1, of the same size.
    """
    inside, other = a >= 0.5, b >= 0.5
    union = int(np.count_nonzero(inside | other))
    return int(np.count_nonzero(inside & other)) / union if union else 1.0
