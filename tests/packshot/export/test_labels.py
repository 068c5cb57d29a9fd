from __future__ import annotations

import defusedxml.ElementTree as ElementTree
from hypothesis import given
from hypothesis import strategies as st

from packshot.export.labels import Labels


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
