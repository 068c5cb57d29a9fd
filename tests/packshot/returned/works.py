"""A drawn photograph, its master and matte, and what editors make of it, as files."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from packshot.colour.spaces import srgb_profile, working_profile
from packshot.colour.transform import working_to_srgb8
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop, lay_on_white
from packshot.paths.rasterise import rasterise
from packshot.specs.models import IngestConfig
from packshot.types import Matte, Pixels8, Pixels16
from tests.configs import shipped_configs
from tests.packshot.paths.drawn_paths import circle, saved

SIZE = 1000
PATH = saved(circle(0.5, 0.5, 0.3), circle(0.42, 0.45, 0.05), name="Product", is_clipping=True)


@cache
def limits() -> IngestConfig:
    return shipped_configs().ingest


@cache
def matte() -> Matte:
    return rasterise(PATH, SIZE, SIZE)


@cache
def master(seed: int = 1) -> Pixels16:
    """A product with blots of many sizes and colours on light grey; another seed is another photograph."""
    rng = np.random.default_rng(seed)
    surface = np.zeros((SIZE, SIZE, 3), np.float32)
    for sigma, strength in ((4, 30), (12, 60), (40, 150)):
        noise = rng.normal(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), sigma)
        surface += soft / soft.std() * strength / 6
    picture = np.where(matte()[..., None] > 0, 120 + surface, 225) * matte()[..., None] + 225 * (1 - matte()[..., None])
    return develop(open_photo(png(np.clip(picture, 0, 255).astype(np.uint8)), name="master", limits=limits())).pixels16


def on_white(pixels: Pixels16 | None = None) -> Pixels8:
    return working_to_srgb8(lay_on_white(master() if pixels is None else pixels, matte()))


def plain() -> Pixels8:
    return working_to_srgb8(master())


def png(pixels: Pixels8, alpha: Matte | None = None, *, profile: bool = True) -> bytes:
    stream = io.BytesIO()
    if alpha is not None:
        pixels = np.dstack([pixels, np.rint(alpha * 255).astype(np.uint8)])
    more = {"icc_profile": srgb_profile()} if profile else {}
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1, **more)
    return stream.getvalue()


def jpeg(pixels: Pixels8, *, resources: bytes = b"", quality: int = 92, orientation: int = 1) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, icc_profile=srgb_profile(), exif=exif)
    whole = stream.getvalue()
    if not resources:
        return whole
    segment = b"Photoshop 3.0\0" + resources
    return whole[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + whole[2:]


def tiff_of_jpeg(pixels: Pixels8, *, quality: int = 92) -> bytes:
    stream = io.BytesIO()
    how: dict[str, Any] = {"compression": "jpeg", "compressionargs": {"level": quality}, "photometric": "rgb"}
    tifffile.imwrite(stream, pixels, **how, iccprofile=srgb_profile(), metadata=None)
    return stream.getvalue()


def tiff(pixels: Pixels16, *extra: Matte, resources: bytes = b"", meaning: str = "unspecified") -> bytes:
    stream = io.BytesIO()
    planes = [np.rint(one * 65535).astype(np.uint16) for one in extra]
    tifffile.imwrite(
        stream,
        np.dstack([pixels, *planes]),
        photometric="rgb",
        planarconfig="contig",
        extrasamples=[meaning] * len(extra),
        iccprofile=working_profile(),
        metadata=None,
        extratags=[(34377, 1, len(resources), resources, True)] if resources else [],
    )
    return stream.getvalue()
