"""Render the sample photographs: `python -m samples.render` for all, or with the names of some."""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

import cv2
import numpy as np

from samples.render.batch import PHOTOGRAPHS, Photograph
from samples.render.camera import developed, write
from samples.render.studio import photograph

FOLDER = Path(__file__).resolve().parent.parent / "demo-batch"


def main() -> None:
    names = {one.file.split(".")[0]: one for one in PHOTOGRAPHS}
    arguments = argparse.ArgumentParser(prog="python -m samples.render", description="Render the sample photographs.")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}; by itself all")
    arguments.add_argument("--out", type=Path, default=FOLDER, help="folder for the files")
    asked = arguments.parse_args()
    unknown = [name for name in asked.names if name not in names]
    if unknown:
        arguments.error(f"There is no sample {unknown[0]!r}. There are {', '.join(names)}.")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.names or names:
        render(names[name], asked.out)
        print(asked.out / names[name].file, flush=True)  # noqa: T201


def render(one: Photograph, folder: Path) -> None:
    """Render one photograph and write it into a folder, as the file that `Photograph.file` names.

    An existing file is replaced. The same photograph gets the same sensor noise each time. Nothing is returned.

    Args:
        one: what to render, and how to store it.
        folder: an existing folder.
    """
    light = photograph(one.product(), one.around, samples=one.samples)
    picture = developed(light, backdrop_level=one.backdrop_level, seed=zlib.crc32(one.file.encode()))
    if one.shrunk_to:
        scale = one.shrunk_to / max(picture.shape)
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    file = folder / one.file
    write(picture, file, turned=one.turned)
    if one.cut_after < 1:
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * one.cut_after)])


if __name__ == "__main__":
    main()
