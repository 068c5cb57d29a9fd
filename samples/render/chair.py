"""Model a café chair of bent beech (hoops, legs and a round seat) as meshes for the renderer."""

from __future__ import annotations

import cv2
import numpy as np

from samples.render.shapes import straight, tube, turned
from samples.render.studio import Part, glossy, printed

SCALE = 0.24
"""The chair is photographed as a model of itself: light does not know how large things are."""
SEAT = 46.0


def product(*, view_deg: float = 0) -> list[Part]:
    """Return the chair's parts, each as (mesh in cm, material), at 0.24 of its real size (`SCALE`).

    Args:
        view_deg: turn about the z axis in degrees, counter-clockwise seen from above; 0: its front is to the camera.
    """
    wood = glossy(printed(_grain(900, 700, seed=1)), roughness=0.22, specular=0.45, coat=0.3)
    board = glossy(printed(_grain(1600, 1600, seed=2)), roughness=0.26, specular=0.45, coat=0.2)

    def bent(
        knots: list[tuple[float, float, float]],
        radius: float,
        *,
        closed: bool = False,
        up: tuple[float, float, float] = (0, 1, 0),
    ) -> Part:
        return tube(knots, radius, closed=closed, up=up, steps=24), wood

    def leg(foot: tuple[float, float, float], head: tuple[float, float, float]) -> Part:
        middle = tuple((a + b) / 2 for a, b in zip(foot, head, strict=True))
        return tube(
            [foot, middle, head],
            lambda share: 1.35 + 0.55 * np.sin(np.pi * np.minimum(share * 0.75, 1)),
            up=(0, 1, 0),
            rounded=False,
            steps=16,
        ), wood

    hoop = [
        (-16.6, 22.5, 0),
        (-15.6, 18.6, 24),
        (-14.9, 16.8, 40),
        (-15.2, 17.6, 52),
        (-16.6, 20.6, 66),
        (-15.4, 23.4, 78),
        (-9.6, 25.6, 86.6),
        (0, 26.4, 89.4),
    ]
    inner = [(-9.2, 17.0, 45.0), (-9.5, 18.2, 54), (-9.6, 20.4, 64), (-6.4, 22.5, 72.4), (0, 23.2, 75.4)]
    mirrored = [(-x, y, z) for x, y, z in hoop[-2::-1]], [(-x, y, z) for x, y, z in inner[-2::-1]]
    around = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    frame = turned(
        straight(
            (17.2, SEAT - 2.0, 0),
            (20.2, SEAT - 2.0, 1.3),
            (20.2, SEAT + 1.2, 1.3),
            (17.3, SEAT + 1.2, 0.3),
            (17.1, SEAT + 0.7, 0),
        )
    )
    panel = turned(
        straight(
            (0, SEAT - 0.4, 0),
            (17.3, SEAT - 0.4, 0),
            (17.3, SEAT + 0.85, 0.1),
            (15, SEAT + 0.75, 3),
            (0, SEAT + 0.35, 0),
        )
    )
    panel = panel._replace(places=panel.points[:, :2] / 40 + 0.5)
    parts: list[Part] = [
        bent([*hoop, *mirrored[0]], 1.5),
        bent([*inner, *mirrored[1]], 1.05),
        bent([(19.6 * np.cos(a), 19.9 * np.sin(a) + 1.6, 24.0) for a in around], 0.85, closed=True, up=(0, 0, 1)),
        leg((-16.8, -16.8, 0), (-12.6, -11.6, SEAT - 1.2)),
        leg((16.8, -16.8, 0), (12.6, -11.6, SEAT - 1.2)),
        (frame, wood),
        (panel, board),
    ]
    return [(surface.moved(turned_deg=view_deg).scaled(SCALE), material) for surface, material in parts]


def _grain(rows: int, columns: int, *, seed: int) -> np.ndarray:
    """Return stained beech whose grain runs from top to bottom, (rows, columns, 3), uint8 sRGB."""
    rng = np.random.default_rng(seed)

    def noise(down: int, across: int) -> np.ndarray:
        return cv2.resize(
            rng.standard_normal((down, across)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
        )

    bands = np.sin(np.linspace(0, 46, columns)[None] + 2.2 * noise(3, 5)) * 0.5
    streaks = 0.55 * noise(6, 90) + 0.45 * noise(14, 240)
    pores = np.clip(noise(90, columns // 3) - 1.5, 0, 1)
    tone = 0.5 * bands + streaks * 0.7
    base = np.array([122, 72, 40], np.float32) + tone[..., None] * np.array([15, 12, 9]) - pores[..., None] * 26
    return np.clip(base, 0, 255).astype(np.uint8)
