from __future__ import annotations

import numpy as np

from packshot.cutout import compose_on_white, cut_out
from packshot.specs.models import Shadow
from tests.packshot.cutout.conftest import SIDE, Photograph, disc, photograph


def shaded() -> Photograph:
    photo = photograph("light grey")
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    shade = 1 - 0.4 * np.exp(-(((x - 700) / 250.0) ** 2) - ((y - 1120) / 40.0) ** 2)
    return photo.change(backdrop=photo.backdrop * shade[..., None])


def test_a_kept_shadow_darkens_the_white_near_the_product_only() -> None:
    photo = shaded()
    pixels = photo.pixels
    cutout = cut_out(pixels, photo.network)
    dropped = compose_on_white(pixels, cutout)
    kept = compose_on_white(pixels, cutout, shadow=Shadow.KEEP)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    away = disc(y, x, radius=420)
    assert (dropped[away > 4] == 65535).all()
    assert kept[1135, 700].max() < 60000
    assert (kept[away > 0.13 * 840 + 30] == 65535).all()


def test_a_kept_shadow_is_grey() -> None:
    photo = shaded()
    pixels = photo.pixels
    kept = compose_on_white(pixels, cut_out(pixels, photo.network), shadow=Shadow.KEEP)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    outside = kept[disc(y, x, radius=420) > 4].astype(int)
    assert (outside.max(axis=1) == outside.min(axis=1)).all()


def test_shadows_are_dropped_unless_asked_for() -> None:
    photo = shaded()
    cutout = cut_out(photo.pixels, photo.network)
    assert (compose_on_white(photo.pixels, cutout) == compose_on_white(photo.pixels, cutout, shadow=Shadow.DROP)).all()
