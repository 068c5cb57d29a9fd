import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from packshot.colour.profile import ColourModel
from packshot.colour.spaces import working_profile
from packshot.errors import UnreadableError
from packshot.formats.channels import flat_transparency, saved_channels
from packshot.formats.headers import read_container
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import open_photo
from tests.shared_data import shared_data


def psd(pixels, *, mode=3, packed=False, large=False, icc=b"", layers=b"", version_info=b"", extra=None):
    """Draw a document: channels are stored one after the other."""
    planes = [pixels] if pixels.ndim == 2 else list(np.moveaxis(pixels, -1, 0))
    planes += extra or []
    rows, columns = planes[0].shape
    depth = pixels.dtype.itemsize * 8
    head = b"8BPS" + struct.pack(">H6xHIIHH", 2 if large else 1, len(planes), rows, columns, depth, mode)
    blocks = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + bytes(len(body) & 1)
        for number, body in ((0x040F, icc), (0x0421, version_info))
        if body
    )
    wide = ">Q" if large else ">I"
    sections = struct.pack(">I", 0) + struct.pack(">I", len(blocks)) + blocks + struct.pack(wide, len(layers)) + layers
    lines = [row.astype(row.dtype.newbyteorder(">")).tobytes() for plane in planes for row in plane]
    if not packed:
        return head + sections + b"\0\0" + b"".join(lines)
    coded = [imagecodecs.packbits_encode(line) for line in lines]
    counts = b"".join(struct.pack(">I" if large else ">H", len(line)) for line in coded)
    return head + sections + b"\0\1" + counts + b"".join(coded)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_the_flattened_picture_comes_out_as_it_went_in(picture, picture16, limits, packed, large, deep):
    pixels = picture16 if deep else picture
    photo = open_photo(psd(pixels, packed=packed, large=large, icc=working_profile()), name="a", limits=limits)
    assert photo.kind is FileKind.PSD
    assert (photo.pixels == pixels).all()
    assert photo.icc == working_profile()


def test_cmyk_is_ink_not_light(picture, limits):
    ink = np.dstack([picture, np.zeros(picture.shape[:2], np.uint8)])
    photo = open_photo(psd(255 - ink, mode=4), name="a", limits=limits)
    assert photo.model is ColourModel.CMYK
    assert (photo.pixels == ink).all()


def test_a_document_without_flattened_picture_is_refused_with_its_reason(picture, limits):
    with pytest.raises(UnreadableError, match="Maximize compatibility"):
        open_photo(psd(picture, version_info=struct.pack(">IB", 1, 0)), name="a", limits=limits)


def test_transparency_and_saved_selections_are_told_apart(picture, limits):
    selection = [np.zeros(picture.shape[:2], np.uint8)]
    layers = struct.pack(">Ih", 2, -1)
    codes = {
        open_photo(data, name="a", limits=limits).findings[0].code
        for data in (psd(picture, extra=selection, layers=layers),)
    }
    assert codes == {"transparency"}
    photo = open_photo(psd(picture, extra=selection), name="a", limits=limits)
    assert photo.findings[0].code == "extra_channels_ignored"


@pytest.mark.parametrize("packed", [False, True])
def test_a_document_cut_off_is_refused(picture, limits, packed):
    data = psd(picture, packed=packed)
    for share in (0.3, 0.7, 0.99):
        with pytest.raises(UnreadableError):
            open_photo(data[: int(len(data) * share)], name="a", limits=limits)


@pytest.mark.parametrize("mode", [0, 2, 7, 42])
def test_modes_that_are_not_read_are_named(picture, limits, mode):
    with pytest.raises(UnreadableError, match="which is not read"):
        open_photo(psd(picture[..., 0].copy(), mode=mode), name="a", limits=limits)


def test_real_documents_agree_with_an_independent_reader(limits):
    compared = 0
    for path in sorted(shared_data("editor_returns", "psd").rglob("*.psd")):
        try:
            photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
            with Image.open(path) as image:
                independent = np.asarray(image)
        except (UnreadableError, OSError, ValueError):
            continue
        # The other reader mixes channels up where there are saved selections, and leaves documents unturned.
        odd = photo.orientation != 1 or any(finding.code == "extra_channels_ignored" for finding in photo.findings)
        if photo.model is not ColourModel.RGB or photo.pixels.dtype != np.uint8 or odd:
            continue
        assert (photo.pixels == independent[..., :3]).all(), path.name
        compared += 1
    assert compared >= 40


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("count", [-1, 1])
def test_a_negative_count_of_layers_makes_the_first_channel_the_transparency_at_every_depth(
    picture, picture16, limits, large, deep, count
):
    pixels = picture16 if deep else picture
    wide = ">Q" if large else ">I"
    info = struct.pack(">h", count)
    if deep:  # the section itself is empty; the layers are in a block behind the global mask
        layers = struct.pack(wide, 0) + struct.pack(">I", 0) + b"8BIMLr16" + struct.pack(wide, 2) + info + bytes(2)
    else:
        layers = struct.pack(wide, len(info)) + info
    channel = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    data = psd(pixels, large=large, layers=layers, extra=[channel])
    codes = {one.code for one in open_photo(data, name="a", limits=limits).findings}
    assert {"transparency", "extra_channels_ignored"} & codes == (
        {"transparency"} if count < 0 else {"extra_channels_ignored"}
    )
    container = read_container(data, FileKind.PSD)
    assert len(saved_channels(data, FileKind.PSD, container).found) == (count > 0)
    assert (flat_transparency(data, container) is not None) is (count < 0)
