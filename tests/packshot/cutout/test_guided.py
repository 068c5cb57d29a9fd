"""A matte that was solved small has the large picture's detail, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from packshot.cutout.guided import enlarged
from packshot.types import FloatImage, Matte

SIDE, SMALL = 240, 80
PRODUCT, BACKDROP = np.array([0.5, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])


def strands() -> Matte:
    """Hairs of two pixels, sixteen pixels apart."""
    columns = np.arange(SIDE)
    hair = np.clip(1.5 - np.abs(columns % 16 - 7.5), 0, 1)
    matte = np.tile(hair, (SIDE, 1)).astype(np.float32)
    matte[: SIDE // 4] = 0
    matte[-SIDE // 4 :] = 1
    return matte


def seen(matte: Matte, *, noise: float = 0.002) -> FloatImage:
    light = matte[..., None] * PRODUCT + (1 - matte[..., None]) * BACKDROP
    return (light + np.random.default_rng(5).normal(0, noise, light.shape)).astype(np.float32)


def shrunk(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA)


def test_strands_that_the_small_picture_cannot_show_are_found_in_the_large_one() -> None:
    matte = strands()
    light = seen(matte)

    found = enlarged(shrunk(matte), shrunk(light), light)

    plain = cv2.resize(shrunk(matte), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    assert float(np.abs(found - matte).mean()) < 0.1 * float(np.abs(plain - matte).mean())


def test_noise_makes_nothing_of_nothing() -> None:
    matte = strands()
    light = seen(matte, noise=0.02)

    found = enlarged(shrunk(matte), shrunk(light), light)

    assert float(found[: SIDE // 4 - 12].max()) == 0
    assert float(found[-SIDE // 4 + 12 :].min()) == 1


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_an_even_matte_stays_even(value: float) -> None:
    matte = np.full((SMALL, SMALL), value, np.float32)
    light = seen(strands())

    assert np.allclose(enlarged(matte, shrunk(light), light), value, atol=1e-3)
