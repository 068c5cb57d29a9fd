"""Model a bottle of orange juice, with a printed sleeve and a screw cap, as meshes for the renderer."""

from __future__ import annotations

import numpy as np

from samples.render.print import Ink, Sheet
from samples.render.shapes import straight, tube, turned
from samples.render.studio import Part, colour, glossy, printed

RADIUS, SHOULDER = 3.1, 11.2
LABEL = (2.6, 9.4)
LEAF, ORANGE, PEEL, CREAM, RED = (34, 98, 62), (247, 148, 29), (226, 106, 16), (255, 248, 230), (196, 48, 40)


def product(*, view_deg: float = 0) -> list[Part]:
    """Return the bottle's parts, each as (mesh in cm, material). It stands on the floor, z = 0, around the z axis.

    Args:
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: its front is to the camera.
    """
    juice = glossy(colour(0.80, 0.235, 0.012), roughness=0.05, specular=0.55)
    green = glossy(colour(0.012, 0.105, 0.045), roughness=0.3, specular=0.5)
    body = turned(
        straight(
            (0, 0.3, 0),
            (2.0, 0.3, 0.2),
            (2.25, 0.0, 0.1),
            (2.95, 0.0, 0.5),
            (2.95, 1.9, 0.4),
            (RADIUS, 2.3, 0.2),
            (RADIUS, 9.7, 0.2),
            (2.95, 10.1, 0.4),
            (2.95, SHOULDER, 1.6),
            (1.55, 14.6, 1.4),
            (1.42, 17.2, 0.05),
            (1.68, 17.2, 0.08),
            (1.68, 17.5, 0.08),
            (1.4, 17.5, 0),
        )
    )
    low, high = LABEL
    edge = RADIUS + 0.015
    sleeve = turned(
        straight((RADIUS, low, 0), (edge, low, 0), (edge, high, 0), (RADIUS, high, 0)),
        heights=LABEL,
        sector_deg=(90, 450),
    )
    collar = turned(straight((1.6, 17.45, 0), (1.6, 18.2, 0)))
    ring = turned(straight((1.5, 17.56, 0), (1.72, 17.56, 0.05), (1.72, 17.95, 0.05), (1.5, 17.95, 0)))
    cap = turned(straight((1.5, 18.02, 0), (1.72, 18.02, 0.05), (1.70, 19.45, 0.22), (0, 19.5, 0)))
    ribs = [
        tube(
            [(1.7 * np.cos(a), 1.7 * np.sin(a), 18.15), (1.69 * np.cos(a), 1.69 * np.sin(a), 19.2)],
            0.05,
            sides=10,
            up=(1, 0.2, 0),
            steps=2,
        )
        for a in np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ]
    parts: list[Part] = [(body, juice), (sleeve, glossy(printed(_sleeve()), roughness=0.22, specular=0.45))]
    parts += [(one, green) for one in (collar, ring, cap, *ribs)]
    return [(surface.moved(turned_deg=view_deg), material) for surface, material in parts]


def _slice(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """Print a slice of an orange."""
    sheet.ring(x, y, radius, PEEL)
    sheet.ring(x, y, radius * 0.93, (255, 232, 190))
    for number in range(10):
        middle = 2 * np.pi * number / 10 + 0.2
        rim = middle + np.linspace(-0.26, 0.26, 16)
        corners = [(x + 0.09 * radius * np.cos(middle), y + 0.09 * radius * np.sin(middle))]
        corners += [(x + 0.84 * radius * np.cos(a), y + 0.84 * radius * np.sin(a)) for a in rim]
        sheet.shape(corners, ORANGE)
        inner = [
            (
                x + s * (corner[0] - x) + 0.05 * radius * np.cos(middle),
                y + s * (corner[1] - y) + 0.05 * radius * np.sin(middle),
            )
            for s, corner in zip([0.8] * 17, corners, strict=True)
        ]
        sheet.shape(inner, (252, 170, 56))


def _sleeve() -> np.ndarray:
    width, height = 2 * np.pi * RADIUS, LABEL[1] - LABEL[0]
    sheet = Sheet(width, height, LEAF, per_cm=190)
    middle = width / 2
    for x, y, radius in (
        (middle - 5.6, 1.0, 1.5),
        (middle + 5.6, 5.9, 1.7),
        (middle - 3.6, 6.5, 1.25),
        (middle + 3.5, 0.35, 1.15),
    ):
        _slice(sheet, x, y, radius)
    sheet.box(0, 0, width, 0.14, ORANGE)
    sheet.box(0, height - 0.14, width, height, ORANGE)
    sheet.text(middle, 1.95, "sunny", size=1.55, ink=ORANGE, face="round")
    sheet.text(middle, 3.15, "grove", size=1.55, ink=CREAM, face="round")
    sheet.box(middle - 2.3, 3.72, middle + 2.3, 4.36, RED)
    sheet.text(middle, 4.16, "100% ORANGE JUICE", size=0.34, ink=CREAM, face="sans bold", spaced=0.02)
    sheet.text(middle, 4.95, "pressed, never from concentrate", size=0.27, ink=CREAM, face="sans bold")
    sheet.text(middle, 5.34, "with pulp · no added sugar", size=0.27, ink=CREAM, face="sans")
    sheet.text(middle, 6.20, "330 ml", size=0.46, ink=CREAM, face="sans bold")
    _small_print(sheet, 0.4)
    return sheet.pixels()


def _small_print(sheet: Sheet, left: float) -> None:
    ink: Ink = CREAM
    y = sheet.paragraph(
        left,
        2.6,
        "Orange juice. Pasteurised. Shake well, drink cold. "
        "Once opened, keep in the fridge and finish within three days.",
        width=3.1,
        size=0.2,
        ink=ink,
    )
    sheet.barcode(left, y, "200000633018", module=0.026, height=1.0)
