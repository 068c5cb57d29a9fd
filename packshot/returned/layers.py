"""Read the masks of a Photoshop document's layers, each at the document's size.

Damaged data raises no error: the result states in words what could not be read.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib

import numpy as np

from packshot.formats.container import DamagedError
from packshot.formats.psd_layers import Layer, LayeredDocument, Plane
from packshot.paths.model import SavedPath
from packshot.paths.rasterise import rasterise
from packshot.paths.records import decode_records
from packshot.types import Matte

_MOST_KEPT = 2
MOST_LAYER_PIXELS = 10_000_000_000
"""Maximum number of pixels that are decoded or drawn over all layers: about 400 masks of 24 megapixels."""


@dataclasses.dataclass(frozen=True)
class LayerMatte:
    """The mask or transparency of one visible layer or group of a Photoshop document. It may show the product.

    Attributes:
        name: name of the layer.
        matte: how much of each pixel the mask or transparency lets through, (rows, columns) float32 in 0..1, at the
            document's size.
        is_mask: True for a mask, False for the layer's own transparency.
    """

    name: str
    matte: Matte
    is_mask: bool


@dataclasses.dataclass(frozen=True)
class LayerMattes:
    """The largest masks and transparencies of the visible layers of a Photoshop document, masks first.

    Attributes:
        found: at most two masks and two transparencies, the largest of each first.
        damage: what could not be read, in words; empty if everything could.
    """

    found: tuple[LayerMatte, ...]
    damage: str = ""


def layer_mattes(data: bytes) -> LayerMattes:
    """Return the two largest masks and the two largest transparencies of the visible layers of a PSD or PSB.

    The largest mask is the product's; smaller ones usually belong to retouching. Disabled masks are ignored, and so
    are those that cover nothing or everything. A layer with a mask gives no transparency. No error is raised: damage
    is described in the result.

    Args:
        data: the whole file.
    """
    found: list[LayerMatte] = []
    try:
        document = LayeredDocument(data)
        drawn = _Drawn(document)
        for layer in document.layers():
            if layer.visible:
                matte = drawn.matte_of(layer)
                found = _largest([*found, matte]) if matte is not None else found
    except DamagedError as error:
        return LayerMattes(tuple(found), str(error))
    except (struct.error, ValueError, IndexError, OverflowError, zlib.error, RuntimeError, MemoryError) as error:
        return LayerMattes(tuple(found), f"its layers are cut off or damaged ({type(error).__name__})")
    return LayerMattes(tuple(found))


def _largest(mattes: list[LayerMatte]) -> list[LayerMatte]:
    """Return the largest mattes, without those that cover nothing or everything.

    Few are kept, because each takes as much memory as a channel of the picture.
    """
    kept = []
    for is_mask in (True, False):
        kind = [one for one in mattes if one.is_mask is is_mask and one.matte.min() < 0.5 <= one.matte.max()]
        kept += sorted(kind, key=lambda one: -float(one.matte.sum()))[:_MOST_KEPT]
    return kept


class _Drawn:
    """Masks and transparencies drawn at the document's size, within the budget of pixels."""

    def __init__(self, document: LayeredDocument) -> None:
        self._document = document
        self._pixels = 0

    def matte_of(self, layer: Layer) -> LayerMatte | None:
        """Return a layer's mask at the document's size, or its transparency if it has no mask; None without either.

        If the layer has a mask of pixels and one of vectors, both are multiplied.

        Args:
            layer: the layer.
        Raises:
            DamagedError: the vector mask is damaged, or the layers together have too many pixels.
        """
        masks: list[Matte | None] = [self._placed(layer.mask)] if layer.mask is not None else []
        masks += [self._vector_mask(layer)] if layer.vector else []
        used = [mask for mask in masks if mask is not None]
        if used:
            return LayerMatte(layer.name, np.asarray(np.prod(used, axis=0), np.float32), is_mask=True)
        if layer.transparency is None:
            return None
        return LayerMatte(layer.name, self._placed(layer.transparency), is_mask=False)

    def _vector_mask(self, layer: Layer) -> Matte | None:
        records = decode_records(layer.vector)
        if records.damage:
            raise DamagedError(f"the vector mask of {layer.name!r} has {records.damage[0]}")
        if not records.subpaths and not records.starts_filled:
            return None
        width, height = self._document.size
        self._take(width, height)
        path = SavedPath("", 0, records.subpaths, starts_filled=records.starts_filled)
        mask = rasterise(path, width, height)
        return 1 - mask if layer.vector_inverted else mask

    def _take(self, width: int, height: int) -> None:
        """Add the pixels of one more plane to the total.

        Raises:
            DamagedError: the total is over the limit.
        """
        self._pixels += max(width, 0) * max(height, 0)
        if self._pixels > MOST_LAYER_PIXELS:
            size = self._document.size
            raise DamagedError(f"more than {MOST_LAYER_PIXELS:,} pixels of layers in a document of {size}")

    def _placed(self, plane: Plane) -> Matte:
        """Return a plane at the document's size."""
        box = plane.box
        self._take(box.width, box.height)
        part = self._document.values(plane)
        width, height = self._document.size
        self._take(width, height)
        whole = np.full((height, width), plane.outside, np.float32)
        left, top = max(box.left, 0), max(box.top, 0)
        right, bottom = min(box.right, width), min(box.bottom, height)
        if right > left and bottom > top:
            rows = slice(top - box.top, bottom - box.top)
            whole[top:bottom, left:right] = part[rows, left - box.left : right - box.left]
        return 1 - whole if plane.inverted else whole
