"""Model an empty wine glass as a mesh for the renderer."""

from __future__ import annotations

from samples.render.shapes import smooth, straight, turned
from samples.render.studio import Part


def product() -> list[Part]:
    """Return the glass as one part: (mesh in cm, material). It stands on the floor, z = 0, around the z axis."""
    clear = {"type": "dielectric", "int_ior": 1.52, "ext_ior": 1.0}
    outside = (
        straight((0, 0.22, 0), (2.6, 0.12, 0.6), (3.0, 0.0, 0.1), (3.55, 0.0, 0.12), (3.6, 0.22, 0.1), (3.3, 0.32, 0))
        + smooth(
            (3.3, 0.32),
            (2.0, 0.52),
            (0.9, 0.95),
            (0.48, 1.9),
            (0.36, 4.0),
            (0.36, 7.0),
            (0.46, 8.6),
            (0.95, 9.5),
            (2.3, 10.6),
            (3.5, 12.3),
            (3.95, 14.4),
            (3.75, 17.0),
            (3.2, 20.0),
            (3.12, 20.4),
        )
        + straight((3.12, 20.4, 0), (3.1, 20.52, 0.06), (3.0, 20.52, 0.06), (2.99, 20.4, 0))
    )
    inside = smooth(
        (2.99, 20.4), (3.07, 20.0), (3.61, 17.0), (3.81, 14.4), (3.36, 12.4), (2.2, 10.9), (1.0, 10.1), (0.0, 9.85)
    )
    return [(turned(outside + inside), clear)]
