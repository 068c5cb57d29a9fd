import datetime
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from packshot.formats.blocks import IPTC, read_resources
from packshot.formats.container import Container
from packshot.formats.headers import read_container
from packshot.formats.sniff import FileKind
from packshot.ingest.metadata import Metadata, read_metadata, with_sidecar
from packshot.ingest.packet import kept_metadata, xmp_packet


def xmp(body, namespaces=""):
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f'<rdf:Description rdf:about="" {namespaces}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def iptc(*records):
    return b"".join(b"\x1c" + bytes(place) + len(text).to_bytes(2, "big") + text for place, text in records)


def test_exif_tells_of_camera_light_and_time():
    block = Image.Exif()
    block[271], block[272], block[305], block[33432] = "Canon", "EOS R5", "Capture One", "Acme"
    shot = block.get_ifd(0x8769)
    shot[33434], shot[33437], shot[34855], shot[37385], shot[41987] = 1 / 160, 11.0, 100, 1, 1
    shot[36867], shot[42033], shot[42036] = "2026:03:01 09:30:00", "S-1", "RF 100mm"
    stream = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(stream, "JPEG", exif=block.tobytes())
    found = read_metadata(read_container(stream.getvalue(), FileKind.JPEG))
    assert (found.camera_make, found.camera_model, found.camera_serial) == ("Canon", "EOS R5", "S-1")
    assert found.exposure_s == pytest.approx(1 / 160, rel=1e-3)
    assert (found.f_number, found.iso, found.flash, found.white_balance) == (11.0, 100, True, "manual")
    assert found.taken_at == datetime.datetime(2026, 3, 1, 9, 30)
    assert (found.lens, found.software, found.copyright) == ("RF 100mm", "Capture One", "Acme")


def test_no_flash_is_not_unknown_flash():
    block = Image.Exif()
    block.get_ifd(0x8769)[37385] = 16
    assert read_metadata(Container(exif=block.tobytes()[6:])).flash is False
    assert read_metadata(Container()).flash is None


def test_xmp_tells_title_keywords_product_and_job():
    packet = xmp(
        "<dc:title><rdf:Alt><rdf:li>Red shoe</rdf:li></rdf:Alt></dc:title>"
        "<dc:subject><rdf:Bag><rdf:li>shoe</rdf:li><rdf:li> spring </rdf:li></rdf:Bag></dc:subject>"
        "<e:ProductInImage><rdf:Bag><rdf:li rdf:parseType='Resource'><e:ProductGTIN>4006381333931</e:ProductGTIN>"
        "<e:ProductId>SKU1</e:ProductId></rdf:li></rdf:Bag></e:ProductInImage>",
        'photoshop:TransmissionReference="JOB-7"',
    )
    found = read_metadata(Container(xmp=packet))
    assert found.title == "Red shoe"
    assert found.keywords == ("shoe", "spring")
    assert found.tags == {"xmp:product_gtin": "4006381333931", "xmp:product_id": "SKU1", "xmp:job_id": "JOB-7"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", ""),
    ],
)
def test_ai_provenance_is_read(source, expected):
    found = read_metadata(Container(xmp=xmp(f"<e:DigitalSourceType>{source}</e:DigitalSourceType>")))
    assert found.ai_provenance == expected


def test_gps_is_seen_but_not_kept():
    found = read_metadata(Container(xmp=xmp("<exif:GPSLatitude>52,31N</exif:GPSLatitude>")))
    assert found.has_gps
    assert "52,31" not in found.model_dump_json()


def test_iptc_is_read_where_nothing_better_is_there():
    record = iptc(((2, 5), b"Object"), ((2, 103), b"JOB-9"), ((2, 25), b"one"), ((2, 25), b"two"), ((2, 116), b"Acme"))
    found = read_metadata(Container(iptc=record))
    assert (found.title, found.copyright, found.keywords) == ("Object", "Acme", ("one", "two"))
    assert found.tags["iptc:job_id"] == "JOB-9"


def test_iptc_is_found_among_photoshop_resources():
    record = iptc(((2, 5), b"Object"))
    other = b"8BIM\x03\xed\0\0" + (3).to_bytes(4, "big") + b"abc\0"
    wanted = b"8BIM\x04\x04\0\0" + len(record).to_bytes(4, "big") + record
    assert read_resources(other + wanted)[IPTC] == record
    assert read_resources(b"8BIM\x04\x04") == {}


def test_entity_bombs_and_foreign_entities_are_left_out():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + xmp("<dc:title>&b;</dc:title>")
    assert read_metadata(Container(xmp=bomb)) == Metadata()


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(exif, packet, record):
    for container in (
        Container(
            exif=b"II*\0\x08\0\0\0" + exif, xmp=b"<x:xmpmeta >" + packet + b"</x:xmpmeta>", iptc=b"\x1c" + record
        ),
        Container(exif=exif, xmp=packet, iptc=record),
    ):
        assert read_metadata(container).model_dump_json()


@given(
    st.builds(
        Metadata,
        camera_make=st.text(max_size=20),
        title=st.text(max_size=20),
        keywords=st.lists(st.text(min_size=1, max_size=10), max_size=3).map(tuple),
        exposure_s=st.one_of(st.none(), st.floats(1e-5, 100)),
        taken_at=st.one_of(st.none(), st.datetimes()),
    )
)
def test_kept_metadata_is_always_a_packet_that_can_be_read_again(metadata):
    packet, tags = kept_metadata(metadata)
    again = read_metadata(Container(xmp=packet))
    if metadata.title.isascii() and metadata.title.isprintable() and metadata.title.strip():
        assert again.title == " ".join(metadata.title.strip().split(" "))
    assert all(text.isascii() for _, text in tags)
    assert xmp_packet(metadata) == packet


STUDIO = """<s:ProductCode>KTL-301</s:ProductCode><s:ShootName>Spring 26</s:ShootName><s:Set>3</s:Set>
<s:View>PT02</s:View><s:EAN>4006381333931</s:EAN>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">Studio</rdf:li></rdf:Alt></dc:rights>
<dc:subject><rdf:Bag><rdf:li>kettle</rdf:li></rdf:Bag></dc:subject><exif:GPSLatitude>1</exif:GPSLatitude>"""


def test_a_studio_s_own_tags_are_known_by_their_names():
    found = read_metadata(Container(xmp=xmp(STUDIO, 'xmlns:s="https://studio.example/ns/"'))).tags
    assert {key: found[f"xmp:{key}"] for key in ("product_code", "shoot", "set", "view", "product_gtin")} == {
        "product_code": "KTL-301",
        "shoot": "Spring 26",
        "set": "3",
        "view": "PT02",
        "product_gtin": "4006381333931",
    }


def test_the_same_names_mean_nothing_where_a_standard_gives_them_another_meaning():
    assert "xmp:set" not in read_metadata(Container(xmp=xmp("<dc:set>3</dc:set>"))).tags


def test_a_sidecar_counts_before_what_stands_in_the_file_but_not_before_the_camera():
    inside = Metadata(
        copyright="Camera owner", camera_model="EOS R5", keywords=("red",), tags={"xmp:set": "1", "a": "b"}
    )
    both = with_sidecar(inside, xmp(STUDIO, 'xmlns:s="https://studio.example/ns/"'))
    assert both.copyright == "Studio"
    assert both.camera_model == "EOS R5"
    assert both.keywords == ("kettle", "red")
    assert (both.tags["xmp:set"], both.tags["a"]) == ("3", "b")
    assert both.has_gps


def test_a_damaged_sidecar_changes_nothing():
    inside = Metadata(copyright="x", keywords=("red",))
    assert with_sidecar(inside, b"<x:xmpmeta><broken") == inside
