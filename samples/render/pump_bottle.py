"""Model a round amber bottle of hand wash, with a pump and a paper label, as meshes for the renderer."""

from __future__ import annotations

import numpy as np

from samples.render.print import Sheet
from samples.render.shapes import straight, tube, turned
from samples.render.studio import Part, colour, glossy, printed

RADIUS, BODY = 3.55, 14.2
LABEL = (2.0, 9.9)
SECTOR = (100.0, 440.0)
INK = (38, 34, 30)


def product(*, view_deg: float = 0) -> list[Part]:
    """Return the bottle's parts, each as (mesh in cm, material). It stands on the floor, z = 0, around the z axis.

    Args:
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: its front is to the camera.
    """
    amber = glossy(colour(0.062, 0.017, 0.0045), roughness=0.06, specular=0.5)
    black = glossy(colour(0.012, 0.012, 0.013), roughness=0.34, specular=0.5)
    body = turned(
        straight(
            (0, 0.35, 0),
            (2.5, 0.35, 0.25),
            (2.75, 0.0, 0.12),
            (RADIUS, 0, 0.25),
            (RADIUS, BODY, 2.0),
            (1.55, BODY + 1.45, 0.8),
            (1.45, BODY + 2.6, 0),
        )
    )
    low, high = LABEL
    edge = RADIUS + 0.022
    label = turned(
        straight((RADIUS, low, 0), (edge, low, 0), (edge, high, 0), (RADIUS, high, 0)), heights=LABEL, sector_deg=SECTOR
    )
    collar = turned(
        straight(
            (1.4, BODY + 1.5, 0),
            (1.78, BODY + 1.5, 0.06),
            (1.78, BODY + 3.2, 0.14),
            (1.0, BODY + 3.35, 0.2),
            (0.95, BODY + 4.1, 0.08),
            (0.4, BODY + 4.1, 0),
        )
    )
    ribs = [
        tube(
            [(1.775 * np.cos(a), 1.775 * np.sin(a), BODY + 1.68), (1.775 * np.cos(a), 1.775 * np.sin(a), BODY + 2.95)],
            0.055,
            sides=10,
            up=(1, 0.2, 0),
            steps=2,
        )
        for a in np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ]
    stem = turned(straight((0.42, BODY + 3.5, 0), (0.42, BODY + 5.7, 0)))
    top = BODY + 5.5
    head = turned(straight((0.3, top, 0), (1.0, top, 0.12), (1.12, top + 0.75, 0.3), (0, top + 1.02, 0)))
    nozzle = tube(
        [
            (0.4, 0, top + 0.55),
            (1.6, 0, top + 0.60),
            (2.9, 0, top + 0.52),
            (3.75, 0, top + 0.16),
            (3.98, 0, top - 0.18),
        ],
        lambda share: 0.44 - 0.16 * share,
        flat=lambda share: 1.25 - 0.25 * share,
    )
    parts: list[Part] = [(body, amber), (label, glossy(printed(_label()), roughness=0.5, specular=0.35))]
    parts += [(one, black) for one in (collar, stem, head, *ribs)]
    parts.append((nozzle.moved(turned_deg=-52 - view_deg), black))
    return [(surface.moved(turned_deg=view_deg), material) for surface, material in parts]


def _label() -> np.ndarray:
    degrees = SECTOR[1] - SECTOR[0]
    width = 2 * np.pi * RADIUS * degrees / 360
    height = LABEL[1] - LABEL[0]
    sheet = Sheet(width, height, (186, 150, 106), per_cm=190)
    middle = width * (270 - SECTOR[0]) / degrees
    _front(sheet, middle, height)
    _back(sheet, 0.5, height)
    for y in (0.17, height - 0.23):
        sheet.box(0, y, width, y + 0.05, INK)
    return sheet.pixels()


def _front(sheet: Sheet, middle: float, height: float) -> None:
    sheet.box(middle - 2.55, 0.22, middle - 2.535, height - 0.22, INK)
    sheet.box(middle + 2.55, 0.22, middle + 2.565, height - 0.22, INK)
    sheet.text(middle, 1.30, "HALDEN", size=0.92, ink=INK, face="serif bold", spaced=0.13)
    sheet.text(middle, 1.78, "& MARSH", size=0.36, ink=INK, face="serif", spaced=0.16)
    sheet.box(middle - 2.2, 2.14, middle + 2.2, 2.155, INK)
    sheet.text(middle, 2.92, "Fig leaf &", size=0.66, ink=INK, face="serif italic")
    sheet.text(middle, 3.62, "Cedarwood", size=0.66, ink=INK, face="serif italic")
    sheet.text(middle, 4.28, "HAND WASH", size=0.30, ink=INK, face="sans bold", spaced=0.11)
    sheet.box(middle - 2.2, 4.58, middle + 2.2, 4.595, INK)
    sheet.paragraph(
        middle,
        4.98,
        "A mild daily wash with oils of fig, cedar and bergamot. Cleans without drying the skin.",
        width=4.1,
        size=0.205,
        ink=INK,
        face="serif",
        anchor="m",
    )
    sheet.box(middle - 2.2, 6.02, middle + 2.2, 6.62, (74, 44, 26))
    sheet.text(middle, 6.43, "No. 14  GREEN & WOODY", size=0.27, ink=(246, 239, 226), face="sans bold", spaced=0.05)
    sheet.text(middle - 2.2, 7.28, "500 ml", size=0.30, ink=INK, face="sans bold", anchor="l")
    sheet.text(middle + 2.2, 7.28, "16.9 fl oz", size=0.30, ink=INK, face="sans", anchor="r")


def _back(sheet: Sheet, left: float, height: float) -> None:
    """Print the back: it starts at the sheet's left edge, opposite the front."""
    sheet.text(left, 0.95, "How to use", size=0.42, ink=INK, face="serif bold", anchor="l")
    y = sheet.paragraph(
        left,
        1.40,
        "Press once into wet hands, lather for twenty seconds and rinse well. "
        "Refill this bottle: the pouch holds two more.",
        width=4.6,
        size=0.22,
        ink=INK,
        face="serif",
    )
    sheet.text(left, y + 0.22, "Ingredients", size=0.30, ink=INK, face="serif bold", anchor="l")
    y = sheet.paragraph(
        left,
        y + 0.58,
        "Aqua, sodium coco-sulfate, glycerin, coco-glucoside, sodium chloride, ficus carica leaf extract, "
        "cedrus atlantica bark oil, citrus bergamia peel oil, citric acid, sodium benzoate, potassium sorbate, "
        "linalool, limonene.",
        width=4.6,
        size=0.185,
        ink=INK,
        face="sans",
    )
    sheet.box(left, y, left + 4.6, y + 0.015, INK)
    sheet.barcode(left, height - 2.35, "200000514207", module=0.021, height=1.3)
    sheet.paragraph(
        left + 2.65,
        height - 2.0,
        "Halden & Marsh, Mill Lane 4. Keep out of reach of children. Best within 12 months of opening.",
        width=2.0,
        size=0.16,
        ink=INK,
        face="sans",
    )
