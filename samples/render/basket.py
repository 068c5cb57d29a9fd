"""Model a fruit basket of wire, lacquered black, as meshes for the renderer."""

from __future__ import annotations

import numpy as np

from samples.render.shapes import tube
from samples.render.studio import Part, colour, glossy

WIRES = 40
PROFILE = ((4.6, 0.28), (6.5, 0.75), (9.2, 2.3), (11.4, 5.2), (12.6, 9.0))
"""Radius and height of the wires from the foot to the rim, cm."""


def product() -> list[Part]:
    """Return the basket's parts, each as (mesh in cm, material). It stands on the floor, z = 0, around the z axis."""
    lacquer = glossy(colour(0.02, 0.02, 0.022), roughness=0.25, specular=0.5)
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)

    def hoop(radius: float, height: float, thick: float) -> Part:
        knots = [(radius * np.cos(a), radius * np.sin(a), height) for a in turn]
        return tube(knots, thick, closed=True, steps=4, sides=20), lacquer

    parts = [
        hoop(PROFILE[-1][0], PROFILE[-1][1], 0.30),
        hoop(9.2, 2.3, 0.17),
        hoop(4.6, 0.28, 0.28),
        hoop(2.2, 0.30, 0.14),
    ]
    for a in np.linspace(0, 2 * np.pi, WIRES, endpoint=False):
        knots = [(radius * np.cos(a), radius * np.sin(a), height) for radius, height in PROFILE]
        parts.append((tube(knots, 0.135, up=(-np.sin(a), np.cos(a), 0), steps=8, sides=16), lacquer))
    for a in np.linspace(0, np.pi, 4, endpoint=False):
        ends = [(-4.6 * np.cos(a), -4.6 * np.sin(a), 0.30), (0, 0, 0.30), (4.6 * np.cos(a), 4.6 * np.sin(a), 0.30)]
        parts.append((tube(ends, 0.14, steps=4, sides=16), lacquer))
    return parts
