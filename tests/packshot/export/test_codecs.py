from __future__ import annotations

import numpy as np
import pytest

from packshot.colour.spaces import srgb_profile
from packshot.export.codecs import EncoderSettings, write
from packshot.export.decoded import decode_delivered
from packshot.export.labels import Labels
from packshot.specs.models import Format

PIXELS = np.random.default_rng(5).integers(0, 256, (90, 130, 3), dtype=np.uint8)
LABELS = Labels(copyright="Acme & Sons", ai_provenance="compositeWithTrainedAlgorithmicMedia")
LOSSLESS = [
    EncoderSettings(format=Format.PNG),
    EncoderSettings(format=Format.PNG, bit_depth=16),
    EncoderSettings(format=Format.WEBP),
    EncoderSettings(format=Format.TIFF),
    EncoderSettings(format=Format.TIFF, bit_depth=16, compression="deflate"),
    EncoderSettings(format=Format.TIFF, bit_depth=16, compression="zstd"),
    EncoderSettings(format=Format.TIFF, bit_depth=8, compression="lzw"),
]
LOSSY = [
    EncoderSettings(format=Format.JPEG, quality=90),
    EncoderSettings(format=Format.JPEG, quality=90, chroma="4:2:0"),
    EncoderSettings(format=Format.WEBP, quality=85),
]


def pixels_for(settings: EncoderSettings) -> np.ndarray:
    return PIXELS.astype(np.uint16) * 257 if settings.bit_depth == 16 else PIXELS


@pytest.mark.parametrize("settings", LOSSLESS, ids=str)
def test_lossless_files_give_every_pixel_back(settings: EncoderSettings) -> None:
    data = write(pixels_for(settings), settings, icc=srgb_profile(), dpi=300, labels=LABELS)
    decoded = decode_delivered(data)
    assert np.array_equal(decoded.photo.pixels, pixels_for(settings))
    assert decoded.photo.bit_depth == settings.bit_depth
    assert decoded.codec == "lossless"


@pytest.mark.parametrize("settings", LOSSY + LOSSLESS, ids=str)
def test_every_format_carries_profile_and_labels_and_nothing_else(settings: EncoderSettings) -> None:
    data = write(pixels_for(settings), settings, icc=srgb_profile(), dpi=300, labels=LABELS)
    photo = decode_delivered(data).photo
    assert photo.icc == srgb_profile()
    assert photo.metadata.copyright == "Acme & Sons"
    assert photo.metadata.ai_provenance == "compositeWithTrainedAlgorithmicMedia"
    assert not photo.metadata.has_gps
    assert photo.metadata.software == ""
    assert photo.metadata.camera_model == ""
    assert photo.orientation == 1


@pytest.mark.parametrize("settings", LOSSY + LOSSLESS, ids=str)
def test_the_same_pixels_give_the_same_bytes(settings: EncoderSettings) -> None:
    first, second = (write(pixels_for(settings), settings, icc=srgb_profile(), dpi=None, labels=LABELS) for _ in "ab")
    assert first == second


@pytest.mark.parametrize("settings", LOSSY, ids=str)
def test_the_codec_is_recognised_from_the_bytes(settings: EncoderSettings) -> None:
    data = write(PIXELS, settings, icc=srgb_profile(), dpi=None, labels=Labels())
    assert decode_delivered(data).codec == settings.codec


def test_print_resolution_is_written() -> None:
    import io

    from PIL import Image

    for settings in (LOSSLESS[0], LOSSLESS[4], LOSSY[0]):
        data = write(pixels_for(settings), settings, icc=srgb_profile(), dpi=300, labels=Labels())
        if settings.bit_depth == 16 and settings.format is Format.TIFF:
            import tifffile

            with tifffile.TiffFile(io.BytesIO(data)) as file:
                tags = file.pages[0].tags  # type: ignore[union-attr]
                assert tags["XResolution"].value == (300, 1)
                assert tags["ResolutionUnit"].value == 2
                assert tags["BitsPerSample"].value == (16, 16, 16)
        else:
            with Image.open(io.BytesIO(data)) as image:
                assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
