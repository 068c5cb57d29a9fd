"""The layered file, read back by psd-tools and by the line's own readers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psd_tools import PSDImage
from psd_tools.constants import Resource

from packshot.colour.spaces import working_profile
from packshot.handoff.neck_joint.photoshop import Layer, fits, flattened, write_layers
from packshot.returned.read import MatteSource, read_returned
from packshot.types import Size
from tests.packshot.returned import works


def layers(width: int, height: int, *, seed: int = 1) -> tuple[Layer, Layer]:
    rng = np.random.default_rng(seed)

    def one(name: str) -> Layer:
        cover, mask = (rng.random((height, width)).astype(np.float32) for _ in range(2))
        return Layer(name, rng.integers(0, 65536, (height, width, 3)).astype(np.uint16), cover, mask)

    return one("Neck (inside)"), one("Exterior, größer")


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_every_value_of_every_layer_is_read_back_by_psd_tools(width: int, height: int, seed: int) -> None:
    wanted = layers(width, height, seed=seed)
    document = PSDImage.open(io.BytesIO(write_layers(wanted)))
    assert (document.width, document.height, document.depth) == (width, height, 16)
    assert [one.name for one in document] == [one.name for one in wanted]
    for got, given_layer in zip(document, wanted, strict=True):
        colour, shape, mask = (got.numpy(kind) for kind in ("color", "shape", "mask"))
        assert colour is not None
        assert shape is not None
        assert mask is not None
        assert np.array_equal(np.rint(colour * 65535), given_layer.pixels)
        assert np.abs(shape[..., 0] - given_layer.cover).max() < 1e-4
        assert np.abs(mask[..., 0] - given_layer.mask).max() < 1e-4


def test_the_profile_and_the_flattened_picture_are_in_it() -> None:
    wanted = layers(60, 50)
    document = PSDImage.open(io.BytesIO(write_layers(wanted)))
    assert document.image_resources.get_data(Resource.ICC_PROFILE) == working_profile()
    picture, cover = flattened(wanted)
    flat = document.numpy()  # which takes the white out again
    assert np.abs(flat[..., 3] - cover).max() < 1e-4
    on_white = flat[..., :3] * flat[..., 3:] + 1 - flat[..., 3:]
    assert np.abs(on_white - picture / 65535).max() < 1e-3


def test_the_flattened_picture_is_what_the_layers_show() -> None:
    lower, upper = layers(60, 50)
    picture, cover = flattened([lower, upper])
    document = PSDImage.open(io.BytesIO(write_layers([lower, upper])))
    shown = document.composite(force=True, apply_icc=False).convert("RGBA")
    assert np.abs(np.asarray(shown)[..., 3] / 255 - cover).max() < 2 / 255
    assert np.all(picture[cover == 0] == 65535)


def test_it_comes_back_as_one_picture_not_as_one_of_its_layers() -> None:
    pixels = np.full((200, 300, 3), 30000, np.uint16)
    whole, left = np.ones((200, 300), np.float32), np.zeros((200, 300), np.float32)
    left[40:160, 40:120] = 1
    right = np.zeros_like(left)
    right[40:160, 118:260] = 1
    data = write_layers([Layer("a", pixels, whole, left), Layer("b", pixels, whole, right)])
    work = read_returned(data, name="joint.psd", limits=works.limits())
    assert work.source is MatteSource.TRANSPARENCY
    assert work.matte is not None
    assert np.array_equal(work.matte >= 0.5, (left + right) > 0)
    assert (work.bit_depth, work.profile_assumed) == (16, False)
    assert np.all(work.pixels16[work.matte == 0] == 65535)


@pytest.mark.parametrize(("size", "layers_", "wanted"), [((4000, 6000), 2, True), ((30_001, 10), 2, False)])
def test_what_no_psd_holds_is_known_beforehand(size: tuple[int, int], layers_: int, wanted: bool) -> None:
    assert fits(Size(*size), layers=layers_) is wanted
    assert not fits(Size(12_000, 12_000), layers=layers_)
