"""Put photographs as sent above the same as exported: `python samples/before_after.py EXPORTS OUT NAME ...`.

EXPORTS is the folder that `packshot edit ... --platform amazon_main --out EXPORTS` filled.
The README's first picture is made so.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps

SENT = Path(__file__).resolve().parent / "demo-batch"
ROW_PX, GAP_PX, GAP = 520, 12, (222, 222, 222)


def column(sent: Path, exported: Path) -> Image.Image:
    """Return one picture in RGB: a photograph as it was sent, and below it the same shot as it was exported.

    Each is 520 px high (`ROW_PX`), with a grey gap of 12 px between them. The photograph is turned upright by its EXIF
    orientation. The export is cut to the photograph's shape.

    Args:
        sent: file of the photograph.
        exported: file of the export.
    """
    with Image.open(sent) as before, Image.open(exported) as after:
        above = ImageOps.contain(ImageOps.exif_transpose(before).convert("RGB"), (10 * ROW_PX, ROW_PX))
        below = ImageOps.fit(after.convert("RGB"), above.size)
    whole = Image.new("RGB", (above.width, 2 * ROW_PX + GAP_PX), GAP)
    whole.paste(above, (0, 0))
    whole.paste(below, (0, ROW_PX + GAP_PX))
    return whole


def main(exports: Path, out: Path, names: list[str]) -> None:
    columns = [column(next(SENT.glob(f"{name}.*")), exports / f"{name}.amazon_main.jpg") for name in names]
    picture = Image.new("RGB", (sum(one.width + GAP_PX for one in columns) - GAP_PX, 2 * ROW_PX + GAP_PX), GAP)
    left = 0
    for one in columns:
        picture.paste(one, (left, 0))
        left += one.width + GAP_PX
    picture.save(out, quality=88, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
