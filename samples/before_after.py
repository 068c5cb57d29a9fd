"""Make the README's first picture: photographs as sent above the same as exported for Amazon.

    python -m samples.before_after [OUT]

Each photograph is edited by one command, ``packshot edit PHOTOGRAPH --category ... --platform amazon_main``, with its
category from the sample batch's manifest.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

SENT = Path(__file__).resolve().parent / "demo-batch"
OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "before-after.jpg"
SHOWN = ("BOX101_MAIN.jpg", "BTL204_MAIN.jpg", "KTL302_MAIN.jpg", "CHR701_MAIN.jpg")
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


def edited(photograph: Path, into: Path) -> Path:
    """Edit a photograph of the sample batch for Amazon, in a process of its own, and return the exported file.

    Args:
        photograph: a file that the batch's manifest names.
        into: folder of the export.
    Raises:
        FileNotFoundError: the photograph was refused, or could not be edited; the command has said why.
    """
    with (SENT / "manifest.csv").open(encoding="utf-8") as manifest:
        category = next(row["category"] for row in csv.DictReader(manifest) if row["file"] == photograph.name)
    command = [sys.executable, "-m", "deployments", "edit", photograph, "--category", category]
    # The exit status says whether the machine approves it; the picture is shown in any case.
    subprocess.run([*command, "--platform", "amazon_main", "--out", into], check=False)
    exported = into / f"{photograph.stem}.amazon_main.jpg"
    if not exported.exists():
        raise FileNotFoundError(exported.name)
    return exported


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns = [column(SENT / name, edited(SENT / name, Path(folder))) for name in SHOWN]
    picture = Image.new("RGB", (sum(one.width + GAP_PX for one in columns) - GAP_PX, 2 * ROW_PX + GAP_PX), GAP)
    left = 0
    for one in columns:
        picture.paste(one, (left, 0))
        left += one.width + GAP_PX
    picture.save(out, quality=88, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
