"""Lights of shots that were never taken, for tests of shoot groups."""

from __future__ import annotations

import datetime

import numpy as np

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.target_values import lab_of_linear
from packshot.ingest.grouping import ShotLight

START = datetime.datetime(2026, 3, 1, 9, 0, 0)


def backdrop(
    stops: float = 0.0,
    *,
    tint: tuple[float, float, float] = (1, 1, 1),
    level: float = 0.5,
    left_right: float = 0.1,
    clipped: float = 0.0,
) -> BackdropReading:
    """A grey backdrop so many stops off its usual light."""
    red, green, blue = (level * 2**stops * share for share in tint)
    lightness, a, b = (float(value) for value in lab_of_linear(np.array([red, green, blue])))
    return BackdropReading(
        linear=(red, green, blue),
        lab=(lightness, a, b),
        share=0.9,
        clipped=clipped,
        left_right=left_right,
        bottom_top=0.05,
    )


def shot(name: str, *, minute: float | None = None, **said: object) -> ShotLight:
    """A shot by one camera, one setting, before its usual backdrop, unless said otherwise."""
    known = {"camera": "c1", "settings": "1/160 s, f/11", "backdrop": backdrop()} | said
    taken = None if minute is None else START + datetime.timedelta(minutes=minute)
    return ShotLight.model_validate({"shot": name, "taken_at": taken, **known})


def shots(prefix: str, count: int, **said: object) -> list[ShotLight]:
    """So many shots, a minute apart."""
    return [shot(f"{prefix}{number:02}", minute=number, **said) for number in range(count)]
