"""Cut out one photograph, without scoring, framing or export."""

from __future__ import annotations

import dataclasses

import imagecodecs
import numpy as np

from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Segmenter, compose_on_white, cut_out
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig, Shadow
from packshot.types import Finding


@dataclasses.dataclass(frozen=True)
class CutOutFiles:
    """A photograph's matte and its composite on white, as the bytes of files.

    Attributes:
        matte_png: 8-bit grey PNG, of the size of the upright photograph.
        composite_png: 8-bit sRGB PNG, of the size of the upright photograph.
        method: how the matte was made, a value of `Method`.
        findings: on the photograph and on the cut-out.
    """

    matte_png: bytes
    composite_png: bytes
    method: str
    findings: tuple[Finding, ...]


def cut_out_photo(data: bytes, segmenter: Segmenter, *, name: str, limits: IngestConfig) -> CutOutFiles:
    """Return a photograph's matte and its composite on white, without scoring, framing or export.

    No client's style guide is needed, and any size within `limits` is accepted. If no product is found, the matte is
    black, the composite is white, and the findings have the failed `empty_mask`.

    Args:
        data: the whole file.
        segmenter: the segmentation network.
        name: the file's name, for messages.
        limits: the greatest and smallest picture, and which assumptions about colours are allowed.

    Raises:
        RefusedInputError: the photograph can't be read, or `limits` refuse it: for example, it is too small.
    """
    developed = develop(open_photo(data, name=name, limits=limits))
    cutout = cut_out(developed.pixels16, segmenter)
    composite = working_to_srgb8(compose_on_white(developed.pixels16, cutout, shadow=Shadow.DROP))
    matte = np.rint(cutout.matte * 255).astype(np.uint8)
    return CutOutFiles(
        bytes(imagecodecs.png_encode(matte, level=1)),
        bytes(imagecodecs.png_encode(composite, level=1)),
        str(cutout.method),
        (*developed.findings, *cutout.findings),
    )
