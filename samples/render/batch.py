"""List the photographs of `samples/demo-batch` (`PHOTOGRAPHS`): which product on which backdrop, as which file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from samples.render import basket, carton, chair, glass, juice_bottle, kettle, pump_bottle, ring
from samples.render.studio import Colour, Part, Set, SoftBox

LAMPS = (
    SoftBox(at=(-75, -45, 62), size=(55, 120), light=15),
    SoftBox(at=(80, -25, 45), size=(30, 110), light=6),
    SoftBox(at=(0, 25, 140), size=(150, 100), light=4.5),
)
"""A tall box on the left, a narrow one on the right, a wide one above the sweep."""
LIGHT_GREY, MID_GREY, DARK_GREY, WHITE = (0.62, 0.63, 0.65), (0.40, 0.40, 0.41), (0.32, 0.32, 0.31), (0.85, 0.85, 0.85)
PALE_BLUE, BEIGE, GREEN = (0.50, 0.68, 0.82), (0.68, 0.60, 0.50), (0.17, 0.30, 0.24)


class Photograph(NamedTuple):
    """A photograph to render: one file of the sample batch. Some are faulty on purpose, to show what Packshot does.

    Attributes:
        file: name of the file, such as ``BOX101_MAIN.jpg``.
        product: called without arguments; returns the product's parts, each as (mesh in cm, material).
        around: backdrop, lamps and camera.
        backdrop_level: sRGB level, 0 to 255, that the backdrop gets at the picture's left and right edges, from a
            quarter to half way down.
        samples: light paths per pixel; more give less noise.
        turned: True if the picture is stored on its side, with the EXIF orientation that puts it upright.
        shrunk_to: longer side in pixels to which the picture is made smaller; None: it keeps its size.
        cut_after: share of the file's bytes that are kept. Below 1 the file is damaged, as after a broken upload.
    """

    file: str
    product: Callable[[], Sequence[Part]]
    around: Set
    backdrop_level: float
    samples: int = 8
    turned: bool = False
    shrunk_to: int | None = None
    cut_after: float = 1.0


def standing(
    height: float,
    field_deg: float,
    backdrop: Colour,
    *,
    size: tuple[int, int] = (1600, 2000),
    to_the_right: float = 0,
    camera_above: float | None = None,
) -> Set:
    """Return backdrop, lamps and camera for a product that stands upright, seen from the front and a bit from above.

    Args:
        height: the product's height, cm.
        field_deg: field of view along the picture's longer side, in degrees.
        backdrop: reflectance of the backdrop, linear sRGB, each channel 0 to 1.
        size: of the picture, (width, height) in pixels.
        to_the_right: by how many cm the camera is moved to the right, and with it the point that it looks at.
        camera_above: height of the camera above the floor, cm; None: half the product's height, and 24 cm more.
    """
    above = height / 2 + 24 if camera_above is None else camera_above
    return Set(
        backdrop=backdrop,
        camera=(to_the_right, -110, above),
        looks_at=(to_the_right, 0, 0.47 * height),
        field_deg=field_deg,
        size=size,
        lamps=LAMPS,
        room=0.15,
    )


RED = kettle.enamel(0.42, 0.018, 0.012)
PHOTOGRAPHS = (
    Photograph(
        "BOX101_MAIN.jpg", lambda: carton.product(carton.EARL_GREY, view_deg=-28), standing(13.6, 9.9, LIGHT_GREY), 205
    ),
    Photograph(
        "BOX102_MAIN.jpg", lambda: carton.product(carton.ROOIBOS, view_deg=30), standing(13.6, 9.9, MID_GREY), 160
    ),
    Photograph(
        "BOX103_MAIN.jpg",
        lambda: carton.product(carton.PEPPERMINT, view_deg=-36),
        standing(13.6, 9.9, WHITE, size=(800, 1000)),
        246,
        shrunk_to=640,
    ),
    Photograph("BTL205_MAIN.jpg", pump_bottle.product, standing(20.7, 13.1, LIGHT_GREY, camera_above=17), 205),
    Photograph("BTL204_MAIN.jpg", juice_bottle.product, standing(19.5, 12.0, PALE_BLUE, camera_above=16), 222),
    Photograph(
        "BTL203_MAIN.jpg",
        lambda: juice_bottle.product(view_deg=-40),
        standing(19.5, 12.0, BEIGE, size=(800, 1000), camera_above=16),
        215,
        cut_after=0.5,
    ),
    Photograph(
        "BSK601_MAIN.jpg", basket.product, standing(9.3, 15.5, DARK_GREY, size=(2000, 1600), camera_above=48), 140
    ),
    Photograph(
        "CHR701_MAIN.jpg", lambda: chair.product(view_deg=-32), standing(21.5, 13.9, LIGHT_GREY, to_the_right=0.2), 222
    ),
    Photograph("GLS501_MAIN.jpg", glass.product, standing(20.5, 13, BEIGE), 212),
    Photograph(
        "KTL302_MAIN.jpg",
        lambda: kettle.product(RED, view_deg=-18),
        standing(19.7, 15, GREEN, size=(2000, 2000)),
        150,
        turned=True,
    ),
    Photograph(
        "RNG401_MAIN.jpg", lambda: ring.product(view_deg=28), standing(10.5, 8, LIGHT_GREY, size=(1600, 1600)), 200
    ),
)
