import io

import numpy as np
from PIL import Image

from packshot.ingest.inspect_file import inspect
from packshot.specs.models import IngestConfig


def jpeg(size):
    stream = io.BytesIO()
    block = Image.Exif()
    block[271], block[274] = "Canon", 6
    Image.new("RGB", size, (200, 30, 30)).save(stream, "JPEG", exif=block.tobytes())
    return stream.getvalue()


def test_an_accepted_file_is_described():
    found = inspect(jpeg((1200, 900)), "a.jpg", IngestConfig())
    assert found.accepted
    assert (found.kind, found.size, found.bit_depth, found.orientation) == ("JPEG", (900, 1200), 8, 6)
    assert found.profile_assumed
    assert found.metadata is not None
    assert found.metadata.camera_make == "Canon"
    assert [finding.code for finding in found.findings] == ["profile_assumed"]


def test_a_refused_file_says_why_and_what_is_known():
    found = inspect(jpeg((640, 480)), "a.jpg", IngestConfig())
    assert not found.accepted
    assert found.refusal_code == "too_small"
    assert found.size == (640, 480)
    assert "at least 1000" in found.refusal


def test_what_is_no_picture_is_named():
    found = inspect(b"<html></html>", "a.jpg", IngestConfig())
    assert (found.accepted, found.kind, found.refusal_code) == (False, "web page", "unreadable")


def test_it_goes_to_json():
    pixels = np.zeros((8, 8, 4), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    found = inspect(stream.getvalue(), "a.png", IngestConfig(min_px=1))
    assert found.transparent
    assert '"transparent":true' in found.model_dump_json()
