"""Draw two files that a naive reader gets visibly wrong, beside Packshot's reading: a picture for docs/colour.md.

    python -m benchmarks.naive_readers ../shared/data/studio/image/bottlelabel-colour.jpg docs/images/naive-readers.jpg

A photograph is written in two ways. One is a 16-bit TIFF in Rec. 2020 with gamma 1.8, a space as wide as raw developers
use. The other is a CMYK JPEG as Adobe writes it, whose inks are stored inverted. The naive reader of the TIFF is
OpenCV, which ignores profiles. The naive reader of the JPEG takes the coloured inks as if they were not inverted.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import profile_of_figures, srgb_profile
from packshot.colour.transform import working_to_srgb8
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.load import default_folder, load_configs
from packshot.types import Pixels8

WIDE = (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
"""x, y of white, red, green, blue: ITU-R BT.2020-2, table 3."""
WIDE_GAMMA = 1.8
SIDE_PX = 420
NAMES = ("as it was", "read naively", "read by the line")


def wide_tiff(photo: Pixels8) -> bytes:
    """Return a photograph as the bytes of a 16-bit TIFF in Rec. 2020 with gamma 1.8, with that space's profile.

    Args:
        photo: (rows, columns, 3) uint8, sRGB.
    """
    icc = profile_of_figures(WIDE, gamma=WIDE_GAMMA)
    wide = imagecodecs.cms_transform(photo, srgb_profile(), icc, colorspace="rgb", outdtype="uint16")
    file = io.BytesIO()
    tifffile.imwrite(file, wide, photometric="rgb", iccprofile=icc)
    return file.getvalue()


def cmyk_jpeg(photo: Pixels8) -> bytes:
    """Return a photograph as the bytes of a CMYK JPEG without a profile.

    The inks are stored inverted, and a marker says so, as Adobe does it.

    Args:
        photo: (rows, columns, 3) uint8, sRGB.
    """
    file = io.BytesIO()
    Image.fromarray(photo).convert("CMYK").save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def read_by_the_line(data: bytes, name: str) -> Pixels8:
    """Return Packshot's reading of a file, (rows, columns, 3) uint8, sRGB.

    Args:
        data: the whole file.
        name: its name, for messages.
    """
    photo = open_photo(data, name=name, limits=load_configs(default_folder()).ingest)
    return working_to_srgb8(develop(photo).pixels16)


def read_naively(data: bytes, kind: str) -> Pixels8:
    """Return a file as a reader shows it that ignores what the file's numbers mean: (rows, columns, 3) uint8.

    The TIFF's numbers are taken as sRGB; the JPEG's inks are taken as if they were not inverted.

    Args:
        data: the whole file.
        kind: "tiff" or "jpeg".

    Raises:
        ValueError: OpenCV reads no picture from the TIFF.
    """
    if kind == "tiff":
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("OpenCV reads no picture from the TIFF")
        return np.asarray(decoded[..., ::-1], np.uint8)
    inks = imagecodecs.jpeg8_decode(data).astype(np.float32) / 255
    return np.rint(255 * (1 - inks[..., :3])).astype(np.uint8)


def main() -> None:
    """Write the picture for the document, and print how far each reading is from the photograph."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    photo = np.asarray(Image.open(source).convert("RGB"))
    rows = []
    for kind, data in (("tiff", wide_tiff(photo)), ("jpeg", cmyk_jpeg(photo))):
        pictures = [photo, read_naively(data, kind), read_by_the_line(data, f"{source.stem}.{kind}")]
        labs = [lab_of(np.ascontiguousarray(picture), icc=srgb_profile()) for picture in pictures]
        off = [float(delta_e_2000(labs[0], lab).mean()) for lab in labs]
        print(kind, ", ".join(f"{name}: {figure:.2f}" for name, figure in zip(NAMES, off, strict=True)))
        rows.append(np.hstack([_small(picture) for picture in pictures]))
    Image.fromarray(np.vstack(rows)).save(target, quality=88)


def _small(picture: Pixels8) -> Pixels8:
    height = round(picture.shape[0] * SIDE_PX / picture.shape[1])
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (SIDE_PX, height), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
