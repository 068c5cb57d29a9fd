"""Model a gold ring, with a brilliant in six claws, as meshes for the renderer."""

from __future__ import annotations

import numpy as np

from samples.render.shapes import Surface, tube
from samples.render.studio import Part

RADIUS = 4.2


def product(*, view_deg: float = 0) -> list[Part]:
    """Return the ring's parts, each as (mesh in cm, material), four times as large as life.

    The ring stands upright on the floor, z = 0, with the stone on top.

    Args:
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: one looks through the ring.
    """
    gold = {"type": "roughconductor", "material": "Au", "distribution": "ggx", "alpha": 0.05}
    diamond = {"type": "dielectric", "int_ior": 2.2, "ext_ior": 1.0}
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    band = tube(
        [(RADIUS * np.sin(a), 0, RADIUS * np.cos(a) + RADIUS + 0.42) for a in turn],
        0.42,
        flat=1.35,
        up=(0, 1, 0),
        closed=True,
        steps=10,
    )
    top = 2 * RADIUS + 0.84
    claws = []
    for a in np.linspace(0, 2 * np.pi, 6, endpoint=False) + 0.26:
        x, y = np.cos(a), np.sin(a)
        knots = [
            (0.3 * x, 0.3 * y, top - 0.3),
            (0.75 * x, 0.75 * y, top + 0.35),
            (1.12 * x, 1.12 * y, top + 1.05),
            (1.02 * x, 1.02 * y, top + 1.36),
        ]
        claws.append(tube(knots, lambda share: 0.15 - 0.05 * share, up=(-y, x, 0.1), steps=8, sides=20))
    collet = tube([(0.72 * np.cos(a), 0.72 * np.sin(a), top + 0.35) for a in turn], 0.1, closed=True, steps=6, sides=20)
    parts: list[Part] = [(one, gold) for one in (band, collet, *claws)]
    parts.append((_brilliant(1.16).moved(by=(0, 0, top + 1.05)), diamond))
    return [(surface.moved(turned_deg=view_deg), material) for surface, material in parts]


def _brilliant(radius: float) -> Surface:
    """Return a round brilliant, its girdle at z = 0 (proportions by M. Tolkowsky, Diamond Design, 1919)."""
    eight = np.arange(8) * np.pi / 4
    table, crown, pavilion = 0.53 * radius, 0.324 * radius, 0.862 * radius

    def ring(reach: float, z: float, angles: np.ndarray) -> np.ndarray:
        return np.stack([reach * np.cos(angles), reach * np.sin(angles), np.full(len(angles), z)], 1)

    flat = ring(table, crown, eight)
    star = ring(0.77 * radius, 0.62 * crown, eight + np.pi / 8)
    girdle = ring(radius, 0.02 * radius, np.arange(16) * np.pi / 8)
    under = girdle - [0, 0, 0.04 * radius]
    low = ring(0.25 * radius, -0.72 * pavilion, eight + np.pi / 8)
    tip, middle = np.array([0, 0, -pavilion]), np.array([0, 0, crown])
    corners = []
    for k in range(8):
        nxt = (k + 1) % 8
        g0, g1, g2 = girdle[2 * k], girdle[2 * k + 1], girdle[(2 * k + 2) % 16]
        u0, u1, u2 = under[2 * k], under[2 * k + 1], under[(2 * k + 2) % 16]
        corners += [(middle, flat[k], flat[nxt]), (flat[k], star[k], flat[nxt])]
        corners += [(flat[k], g0, star[k]), (star[k], g2, flat[nxt]), (star[k], g0, g1), (star[k], g1, g2)]
        corners += [(g0, u0, u1), (g0, u1, g1), (g1, u1, u2), (g1, u2, g2)]
        corners += [(u0, low[k], u1), (u1, low[k], u2), (u2, low[k], low[nxt]), (low[k], tip, low[nxt])]
    points = np.array(corners)
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    inwards = (normals * points.mean(axis=1)).sum(1) < 0
    points[inwards] = points[inwards][:, ::-1]
    normals[inwards] *= -1
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    count = len(points)
    return Surface(
        points.reshape(-1, 3),
        np.repeat(normals, 3, axis=0),
        np.zeros((3 * count, 2)),
        np.arange(3 * count).reshape(-1, 3),
    )
