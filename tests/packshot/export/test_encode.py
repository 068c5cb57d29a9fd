from __future__ import annotations

import numpy as np
import pytest

from packshot.colour.spaces import srgb_profile, working_profile
from packshot.errors import ByteLimitError
from packshot.export.decoded import decode_delivered
from packshot.export.encode import delivered_pixels, encode
from packshot.specs.models import Encoding, Format, Profile
from tests.packshot.export.conftest import FramedFor, Ordered

WHITE = np.full((4, 4, 3), 65535, np.uint16)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_white_is_delivered_as_white(profile: Profile, bit_depth: int) -> None:
    delivered = delivered_pixels(WHITE, profile=profile, bit_depth=bit_depth)
    assert delivered.dtype == (np.uint8 if bit_depth == 8 else np.uint16)
    assert (delivered == np.iinfo(delivered.dtype).max).all()


def test_print_takes_the_working_space_bit_for_bit(ordered: Ordered, framed_for: FramedFor) -> None:
    rendition = ordered("print_catalog")
    framed = framed_for(rendition)
    encoded = encode(framed, rendition)
    photo = decode_delivered(encoded.data).photo
    assert np.array_equal(photo.pixels, framed.pixels)
    assert photo.icc == working_profile()


def test_the_web_gets_srgb_at_the_quality_ordered(ordered: Ordered, framed_for: FramedFor) -> None:
    rendition = ordered("amazon_main")
    encoded = encode(framed_for(rendition), rendition)
    assert encoded.settings.quality == 95
    assert encoded.extension == "jpg"
    assert decode_delivered(encoded.data).photo.icc == srgb_profile()
    assert encoded.size == decode_delivered(encoded.data).size


def test_the_highest_quality_that_meets_the_byte_limit_is_taken(ordered: Ordered, framed_for: FramedFor) -> None:
    framed = framed_for(ordered())
    whole = encode(framed, ordered())
    limit = int(len(whole.data) * 0.7)
    fitting = encode(framed, ordered(max_bytes=limit))
    assert len(fitting.data) <= limit
    quality = fitting.settings.quality
    assert quality is not None
    assert 80 <= quality < 95
    one_more = ordered(encoding=Encoding(format=Format.JPEG, quality=quality + 1, quality_floor=80))
    assert len(encode(framed, one_more).data) > limit


def test_quality_never_goes_below_the_floor(ordered: Ordered, framed_for: FramedFor) -> None:
    framed = framed_for(ordered())
    with pytest.raises(ByteLimitError, match=r"quality 80, the lowest permitted.*1,000 bytes"):
        encode(framed, ordered(max_bytes=1000))


def test_a_file_that_is_too_small_gets_a_higher_quality(ordered: Ordered, framed_for: FramedFor) -> None:
    framed = framed_for(ordered())
    usual = encode(framed, ordered())
    least = len(usual.data) + 2000
    larger = encode(framed, ordered(min_bytes=least))
    quality = larger.settings.quality
    assert quality is not None
    assert quality > 95
    assert len(larger.data) >= least
    one_less = ordered(encoding=Encoding(format=Format.JPEG, quality=quality - 1, quality_floor=80))
    assert len(encode(framed, one_less).data) < least


def test_without_a_floor_the_quality_stays(ordered: Ordered, framed_for: FramedFor) -> None:
    rendition = ordered(max_bytes=1000, encoding=Encoding(format=Format.JPEG, quality=90))
    with pytest.raises(ByteLimitError, match="quality 90"):
        encode(framed_for(rendition), rendition)


def test_a_lossless_file_beyond_the_limit_is_refused(ordered: Ordered, framed_for: FramedFor) -> None:
    rendition = ordered("print_catalog", max_bytes=1000)
    with pytest.raises(ByteLimitError, match="lossless"):
        encode(framed_for(rendition), rendition)
