from __future__ import annotations

import defusedxml.ElementTree as ElementTree
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.spaces import srgb_profile
from packshot.export.codecs import EncoderSettings, write
from packshot.export.labels import Labels, labels_of
from packshot.ingest.decode import open_photo
from packshot.ingest.metadata import Metadata
from packshot.specs.models import Format, IngestConfig, Plan
from packshot.specs.resolve import resolve
from tests.configs import shipped_configs


def test_a_file_without_labels_says_nothing() -> None:
    assert Labels().exif() == b""
    assert Labels().xmp() == b""


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1))
def test_any_notice_gives_well_formed_xmp(notice: str) -> None:
    packet = Labels(copyright=notice).xmp().decode()
    body = packet[packet.index("<x:xmpmeta") : packet.index("<?xpacket end")]
    texts = [element.text for element in ElementTree.fromstring(body).iter() if element.tag.endswith("}li")]
    assert texts == [notice]


def test_the_digital_source_type_is_written_as_an_address() -> None:
    address = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert address in Labels(ai_provenance="trainedAlgorithmicMedia").xmp()
    assert Labels(ai_provenance=address.decode()).xmp().count(b"newscodes") == 1


def test_a_copyright_sign_survives_in_ascii() -> None:
    assert Labels(copyright="© Müller 2026").ascii_copyright == "(c) Muller 2026"


def plan(**changed: object) -> Plan:
    return resolve(shipped_configs(), client="default").model_copy(update=changed)


TAKEN = Metadata(copyright="© Ada", creator="Ada; Bob", ai_provenance="trainedAlgorithmicMedia")


@pytest.mark.parametrize(
    ("notice", "credit", "notice_delivered", "creator"),
    [
        ("", "keep", "© Ada", "Ada; Bob"),
        ("© Shop", "keep", "© Shop", "Ada; Bob"),
        ("© Shop", "remove", "© Shop", ""),
        ("", "remove", "", ""),
    ],
)
def test_the_photographs_own_rights_are_delivered_unless_the_client_says_otherwise(
    notice, credit, notice_delivered, creator
):
    labels = labels_of(plan(copyright=notice, source_credit=credit), TAKEN)
    assert (labels.copyright, labels.creator) == (notice_delivered, creator)
    assert labels.ai_provenance == "trainedAlgorithmicMedia"


@pytest.mark.parametrize("format_", list(Format))
def test_rights_are_read_again_from_each_format_that_is_delivered(format_):
    labels = Labels(copyright="© Ada", creator="Ada; Bob")
    lossy = format_ in (Format.JPEG, Format.WEBP)
    settings = EncoderSettings(format=format_, quality=90 if lossy else None)
    data = write(np.full((20, 30, 3), 200, np.uint8), settings, icc=srgb_profile(), dpi=300, labels=labels)
    metadata = open_photo(data, name="A1", limits=IngestConfig(min_px=1)).metadata
    assert metadata.creator == "Ada; Bob"
    assert metadata.copyright in ("© Ada", "(c) Ada")
    assert not metadata.has_gps
