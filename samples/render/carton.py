"""Model a carton of tea, of printed board with folded edges, as meshes for the renderer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from samples.render.print import Ink, Sheet
from samples.render.shapes import rounded_box
from samples.render.studio import Part, glossy, printed

SIZE = (9.2, 6.0, 13.6)


class Tea(NamedTuple):
    """What is printed on the carton of one kind of tea, and in which inks. An ink is (red, green, blue), 0 to 255.

    Attributes:
        name: the kind of tea, such as "Earl Grey".
        what: a line below the name, such as "black tea with oil of bergamot".
        ingredients: a sentence on the side.
        barcode: the first 12 digits of the EAN-13; the check digit is calculated.
        ground, shade: inks of the carton itself and of the pale pattern on it.
        band: ink of the band at the bottom, and of the ornaments.
        leaf, dark_leaf: inks of the drawn leaves.
    """

    name: str
    what: str
    ingredients: str
    barcode: str
    ground: Ink
    shade: Ink
    band: Ink
    leaf: Ink
    dark_leaf: Ink


EARL_GREY = Tea(
    "Earl Grey", "black tea with oil of bergamot", "Black tea (97%), natural oil of bergamot (3%).", "200000419310",
    (22, 54, 74), (30, 68, 88), (206, 120, 58), (126, 160, 132), (92, 130, 104),
)  # fmt: skip
ROOIBOS = Tea(
    "Rooibos", "red bush tea with vanilla", "Rooibos (96%), natural flavour of vanilla (4%).", "200000419311",
    (122, 38, 30), (138, 50, 40), (224, 160, 70), (196, 120, 70), (160, 84, 50),
)  # fmt: skip
PEPPERMINT = Tea(
    "Peppermint", "whole leaves, nothing else", "Peppermint leaves (100%).", "200000419312",
    (24, 88, 70), (34, 102, 82), (232, 184, 92), (120, 168, 120), (84, 136, 92),
)  # fmt: skip
CREAM: Ink = (243, 234, 214)


def product(tea: Tea = EARL_GREY, *, view_deg: float) -> list[Part]:
    """Return the carton's six faces, each as (mesh in cm, material). It stands on the floor, z = 0.

    Args:
        tea: what is printed on it.
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: its front is to the camera.
    """
    front, side, top = _front(tea), _side(tea), _top(tea)
    prints = {"front": front, "back": front, "right": side, "left": side, "top": top, "bottom": top}
    faces = rounded_box(SIZE, rounding=0.09, bulge=0.07)
    return [
        (faces[name].moved(turned_deg=view_deg), glossy(printed(sheet), roughness=0.33, specular=0.45))
        for name, sheet in prints.items()
    ]


def _leaf(sheet: Sheet, x: float, y: float, length: float, lean_deg: float, ink: Ink, vein: Ink) -> None:
    """Print a leaf that grows from (x, y)."""
    t = np.linspace(0, 1, 60)
    half = 0.26 * length * np.sin(np.pi * t**0.85) ** 1.15
    lean = np.radians(lean_deg)
    way, across = np.array([np.sin(lean), -np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    spine = np.array([x, y]) + np.outer(t * length, way)
    left, right = spine + np.outer(half, across), spine - np.outer(half, across)
    sheet.shape([tuple(p) for p in np.vstack([left, right[::-1]])], ink)
    for at in np.linspace(0.12, 0.85, 8):
        for side in (1, -1):
            start = np.array([x, y]) + at * length * way
            reach = 0.22 * length * np.sin(np.pi * at**0.85)
            end = start + reach * (way * 0.75 + side * across * 0.8)
            sheet.draw.line(
                [*(start * sheet.per_cm), *(end * sheet.per_cm)], fill=vein, width=max(1, round(0.018 * sheet.per_cm))
            )
    sheet.draw.line(
        [*(spine[0] * sheet.per_cm), *(spine[-4] * sheet.per_cm)], fill=vein, width=round(0.03 * sheet.per_cm)
    )


def _ground(tea: Tea, width: float, height: float) -> Sheet:
    sheet = Sheet(width, height, tea.ground)
    sheet.box(0, height - 2.35, width, height, tea.band)
    sheet.box(0, height - 2.47, width, height - 2.41, CREAM)
    return sheet


def _front(tea: Tea) -> np.ndarray:
    width, _, height = SIZE
    sheet = _ground(tea, width, height)
    middle = width / 2
    rng = np.random.default_rng(5)
    for _ in range(46):
        x, y = rng.uniform(0.1, width - 0.1), rng.uniform(0.3, height - 2.6)
        _leaf(sheet, x, y, rng.uniform(0.5, 1.0), rng.uniform(0, 360), tea.shade, tea.ground)
    sheet.ring(middle, 4.7, 3.42, CREAM)
    sheet.ring(middle, 4.7, 3.28, tea.band, line=0.045)
    sheet.text(middle, 3.3, "NORTHLIGHT", size=0.74, ink=tea.ground, face="serif bold", spaced=0.075)
    sheet.text(middle, 3.78, "TEA MERCHANTS", size=0.24, ink=tea.band, face="sans bold", spaced=0.12)
    for lean, length in ((-62, 1.5), (-28, 1.75), (0, 1.95), (28, 1.75), (62, 1.5)):
        _leaf(sheet, middle, 6.35, length, lean, tea.leaf if abs(lean) != 28 else tea.dark_leaf, (236, 234, 214))
    sheet.text(middle, 7.12, "since 1931", size=0.30, ink=tea.ground, face="serif italic")
    sheet.text(middle, 9.42, tea.name, size=1.20, ink=CREAM, face="serif bold")
    sheet.text(middle, 10.12, tea.what, size=0.38, ink=CREAM, face="serif italic")
    sheet.text(0.7, height - 1.32, "20", size=1.12, ink=CREAM, face="sans bold", anchor="l")
    sheet.text(2.15, height - 1.78, "pyramid", size=0.36, ink=CREAM, face="sans bold", anchor="l")
    sheet.text(2.15, height - 1.34, "tea bags", size=0.36, ink=CREAM, face="sans bold", anchor="l")
    sheet.text(width - 0.7, height - 1.34, "40 g  e", size=0.42, ink=CREAM, face="sans bold", anchor="r")
    sheet.text(
        0.7,
        height - 0.55,
        "Net weight 1.41 oz. Packed in a protective atmosphere.",
        size=0.20,
        ink=CREAM,
        face="sans",
        anchor="l",
    )
    return sheet.pixels()


def _side(tea: Tea) -> np.ndarray:
    _, width, height = SIZE
    sheet = _ground(tea, width, height)
    sheet.text(width / 2, 1.25, "NORTHLIGHT", size=0.5, ink=CREAM, face="serif bold", spaced=0.06)
    sheet.box(0.55, 1.6, width - 0.55, 1.62, tea.band)
    sheet.text(0.55, 2.25, "To brew", size=0.36, ink=CREAM, face="serif bold", anchor="l")
    y = sheet.paragraph(
        0.55,
        2.7,
        "One bag for each cup. Pour on fresh water just off the boil and wait for three to five minutes. "
        "Good with milk or with a slice of lemon.",
        width=4.9,
        size=0.235,
        ink=CREAM,
    )
    sheet.text(0.55, y + 0.25, "Ingredients", size=0.36, ink=CREAM, face="serif bold", anchor="l")
    y = sheet.paragraph(
        0.55, y + 0.7, f"{tea.ingredients} Store in a cool and dry place.", width=4.9, size=0.235, ink=CREAM
    )
    sheet.box(0.55, y, width - 0.55, y + 2.5, CREAM)
    rows = (
        ("per 100 ml", "as drunk"),
        ("Energy", "4 kJ / 1 kcal"),
        ("Fat", "0 g"),
        ("Carbohydrate", "0.2 g"),
        ("Protein", "0 g"),
        ("Salt", "0 g"),
    )
    for number, (name, amount) in enumerate(rows):
        base = y + 0.36 + number * 0.39
        sheet.text(0.7, base, name, size=0.22, ink=tea.ground, face="sans bold" if number == 0 else "sans", anchor="l")
        sheet.text(
            width - 0.7,
            base,
            amount,
            size=0.22,
            ink=tea.ground,
            face="sans bold" if number == 0 else "sans",
            anchor="r",
        )
        sheet.box(0.7, base + 0.09, width - 0.7, base + 0.1, tea.ground)
    sheet.barcode(1.12, height - 2.22, tea.barcode, module=0.033, height=1.35)
    return sheet.pixels()


def _top(tea: Tea) -> np.ndarray:
    width, depth, _ = SIZE
    sheet = Sheet(width, depth, tea.ground)
    sheet.text(width / 2, depth / 2 + 0.1, "NORTHLIGHT", size=0.8, ink=CREAM, face="serif bold", spaced=0.08)
    sheet.text(width / 2, depth / 2 + 0.75, f"{tea.name} · 20 tea bags", size=0.34, ink=CREAM, face="serif italic")
    sheet.box(0.0, 0.42, width, 0.435, tea.shade)
    return sheet.pixels()
