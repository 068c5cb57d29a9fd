"""Model a stove-top kettle, with a spout, a lid and a handle above it, as meshes for the renderer."""

from __future__ import annotations

import numpy as np

from samples.render.shapes import Surface, smooth, straight, tube, turned
from samples.render.studio import Material, Part, colour, glossy


def enamel(red: float, green: float, blue: float) -> Material:
    return glossy(colour(red, green, blue), roughness=0.09, specular=0.6, coat=0.6)


def steel(*, roughness: float = 0.045) -> Material:
    return {"type": "roughconductor", "material": "Cr", "distribution": "ggx", "alpha": roughness}


def product(body: Material, *, view_deg: float = 0, fittings: Material | None = None) -> list[Part]:
    """Return the kettle's parts, each as (mesh in cm, material). It stands on the floor, z = 0.

    Args:
        body: material of vessel, lid and spout, from `enamel` or `steel`.
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: its spout is to the right.
        fittings: material of the rim, the spout's lip and the handle; None: steel.
    """
    metal = fittings or steel(roughness=0.12)
    grip = glossy(colour(0.012, 0.011, 0.011), roughness=0.4, specular=0.4)
    shell = turned(
        straight((0, 0.12, 0), (8.6, 0.12, 0.1), (8.7, 0.0, 0.06), (9.5, 0.0, 0.55), (9.85, 1.5, 0.8), (9.62, 2.1, 0.6))
        + smooth((9.62, 2.1), (9.35, 4.2), (8.75, 6.6), (7.55, 8.9), (5.9, 10.55), (4.35, 11.35))
        + straight((4.35, 11.35, 0), (4.35, 11.62, 0.05), (4.0, 11.62, 0))
    )
    rim = turned(straight((9.62, 1.92, 0), (9.83, 1.92, 0.08), (9.80, 2.16, 0.08), (9.5, 2.16, 0)))
    lid = turned(
        straight((3.6, 11.55, 0), (4.2, 11.55, 0.06), (4.22, 11.78, 0.08), (3.9, 11.86, 0))
        + smooth((3.9, 11.86), (2.9, 12.3), (1.6, 12.62), (0.0, 12.72))
    )
    knob = turned(
        straight((0.45, 12.5, 0), (0.5, 13.2, 0.1))
        + smooth((0.5, 13.2), (1.05, 13.6), (1.22, 14.15), (0.95, 14.7), (0.0, 14.92))
    )
    spout = tube(
        [(7.4, 0, 5.6), (9.6, 0, 7.2), (11.3, 0, 9.2), (12.6, 0, 11.3), (13.0, 0, 11.85)],
        lambda share: 1.95 - 1.12 * np.minimum(share * 1.12, 1) ** 0.8,
        rounded=False,
        steps=24,
        sides=72,
    )
    lip = _ring((13.0, 0, 11.85), (0.59, 0.0, 0.81), 0.86, 0.10)
    mouth = tube([(13.02, 0, 11.88), (12.55, 0, 11.2)], 0.80, rounded=False, sides=60)
    arc = [
        (-7.35, 0, 9.55),
        (-7.8, 0, 11.6),
        (-7.3, 0, 14.9),
        (-5.2, 0, 18.1),
        (0, 0, 19.7),
        (5.2, 0, 18.1),
        (7.3, 0, 14.9),
        (7.8, 0, 11.6),
        (7.35, 0, 9.55),
    ]
    bail = tube(arc, 0.33, flat=1.7, up=(0, 1, 0), steps=24)
    hold = tube(arc[3:6], lambda share: 0.55 + 0.22 * np.sin(np.pi * share), flat=1.35, up=(0, 1, 0), steps=32)
    ears = [
        turned(straight((0, -0.55, 0), (0.85, -0.55, 0.2), (0.85, 0.55, 0.2), (0, 0.55, 0)))
        .moved(turned_deg=90, about="x")
        .moved(by=(x, 0, 9.9))
        for x in (-7.45, 7.45)
    ]
    parts: list[Part] = [(one, body) for one in (shell, lid, spout)]
    parts += [(one, metal) for one in (rim, lip, bail, *ears)]
    parts += [(knob, grip), (hold, grip), (mouth, {"type": "twosided", "bsdf": dict(grip)})]
    return [(surface.moved(turned_deg=view_deg), material) for surface, material in parts]


def _ring(middle: tuple[float, float, float], way: tuple[float, float, float], radius: float, thick: float) -> Surface:
    """Return a ring about a direction in the plane y = 0."""
    a = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    side = np.array([way[2], 0, -way[0]])
    knots = np.array(middle) + radius * (np.outer(np.cos(a), side) + np.outer(np.sin(a), [0, 1, 0]))
    return tube([*knots], thick, up=way, closed=True, steps=6, sides=20)
