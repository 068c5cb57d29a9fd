"""What a file's EXIF, IPTC and XMP say, as one small value. Hostile metadata is left out, never fatal.

EXIF 2.32 (CIPA DC-008); IPTC-IIM 4.2; XMP (ISO 16684-1) with the IPTC Photo Metadata Standard's names.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import Field

from packshot.ingest.ifd import Directory, open_tiff
from packshot.ingest.parts import Container
from packshot.types import Value

_MOST_XMP_BYTES = 1_000_000
_MOST_ELEMENTS = 20_000
_MOST_CHARACTERS = 500
_MOST_KEYWORDS = 100
_MOST_RECORDS = 2000
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PACKET_START = re.compile(rb"<(x:xmpmeta|rdf:RDF)[\s>]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]+")
_PACKET_NAMES = 2
_XML_BLANKS = b" \t\r\n\f\v"
_LIST_ITEM = f"{_RDF}li"
_AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")


class Metadata(Value):
    """What is known of how and of what a photograph was taken.

    Attributes:
        taken_at: by the camera's clock, which has no time zone.
        colour_space: what EXIF declares: ``srgb``, ``adobe_rgb`` or nothing.
        orientation: EXIF's, 1 to 8.
        white_balance: ``auto``, ``manual`` or nothing.
        tags: words that may name the product, by ``iptc:...`` and ``xmp:...`` name.
        has_gps: whether the file tells where it was taken; the place itself is not kept.
        ai_provenance: the IPTC digital source type, if it says that a machine made the picture or a part of it.
    """

    camera_make: str = ""
    camera_model: str = ""
    camera_serial: str = ""
    lens: str = ""
    exposure_s: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length_mm: float | None = None
    flash: bool | None = None
    white_balance: str = ""
    taken_at: datetime | None = None
    software: str = ""
    copyright: str = ""
    title: str = ""
    keywords: tuple[str, ...] = ()
    tags: Mapping[str, str] = Field(default_factory=dict)
    has_gps: bool = False
    ai_provenance: str = ""
    colour_space: str = ""
    orientation: int = 1


def with_sidecar(metadata: Metadata, xmp: bytes) -> Metadata:
    """Return a file's metadata with what the XMP file beside it says: that was written later, so it counts first.

    The camera's own words - when, with what, how exposed - stay as the picture has them.
    """
    said = _read_xmp(xmp)
    words = tuple(dict.fromkeys((*_texts(said.get("keywords")), *metadata.keywords)))[:_MOST_KEYWORDS]
    stated = {key: str(said[key]) for key in _SAID_BY_SIDECARS if said.get(key)}
    tags = {**metadata.tags, **_xmp_tags(said)}
    has_gps = metadata.has_gps or bool(said.get("has_gps"))
    return metadata.model_copy(update={**stated, "keywords": words, "tags": tags, "has_gps": has_gps})


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _xmp_tags(found: _Found) -> dict[str, str]:
    return {f"xmp:{key}": str(value) for key, value in found.items() if key in _XMP_TAGS}


def read_metadata(container: Container) -> Metadata:
    """Return what the metadata blocks of a file say; EXIF comes before XMP, XMP before IPTC."""
    exif, xmp, iptc = (
        _read_exif(container.exif, container.exif_shot),
        _read_xmp(container.xmp),
        _read_iptc(container.iptc),
    )
    tags = _xmp_tags(xmp)
    tags |= {f"iptc:{key}": str(value) for key, value in iptc.items() if key in _IPTC_TAGS}
    known: _Found = {}
    for found in (iptc, xmp, exif):
        known |= {key: value for key, value in found.items() if key in Metadata.model_fields and value}
    return Metadata.model_validate({"flash": exif.get("flash"), **known, "tags": tags})


_Found = dict[str, object]


def _read_exif(exif: bytes, shot_apart: bytes) -> _Found:
    tiff = open_tiff(exif)
    main = next(tiff.directories(most=1), None) if tiff else None
    if tiff is None or main is None:
        return {}
    apart = open_tiff(shot_apart)
    shot = tiff.directory_at(main.whole(34665)) if apart is None else apart.directory_at(apart.first)
    found: _Found = {
        "camera_make": clean(main.text(271)),
        "camera_model": clean(main.text(272)),
        "camera_serial": clean(shot.text(42033)),
        "lens": clean(shot.text(42036)),
        "exposure_s": _positive(shot.number(33434)),
        "f_number": _positive(shot.number(33437)),
        "iso": shot.whole(34855) or None,
        "focal_length_mm": _positive(shot.number(37386)),
        "flash": bool(shot.whole(37385) & 1) if 37385 in shot else None,
        "white_balance": {0: "auto", 1: "manual"}.get(shot.whole(41987, -1), ""),
        "taken_at": _exif_time(shot.text(36867)) or _exif_time(main.text(306)),
        "software": clean(main.text(305)),
        "copyright": clean(main.text(33432)),
        "title": clean(main.text(270)),
        "colour_space": _colour_space(shot, tiff.directory_at(shot.whole(40965)).text(1)),
    }
    if 34853 in main:
        found["has_gps"] = True
    orientation = main.whole(274, 1)
    return found | {"orientation": orientation if 1 <= orientation <= 8 else 1}


def _colour_space(shot: Directory, interoperability: str) -> str:
    """EXIF 2.32, ColorSpace; DCF 2.0 marks its optional colour space, Adobe RGB, by R03."""
    space = shot.whole(40961)
    if space == 2 or (interoperability[:3] == "R03" and space != 1):
        return "adobe_rgb"
    return "srgb" if space == 1 else ""


def _exif_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _positive(number: float | None) -> float | None:
    return number if number is not None and 0 < number < 1e6 else None


def clean(text: str) -> str:
    """Return one line of bounded length, without control characters or anything else that XML forbids."""
    return _UNPRINTABLE.sub(" ", text).strip()[:_MOST_CHARACTERS]


_IPTC_FIELDS = {
    (2, 5): "object_name",
    (2, 103): "job_id",
    (2, 22): "fixture_id",
    (2, 116): "copyright",
    (2, 105): "headline",
    (2, 40): "instructions",
}
_IPTC_TAGS = frozenset({"object_name", "job_id", "fixture_id", "headline", "instructions"})


def _read_iptc(record: bytes) -> _Found:
    found: _Found = {}
    keywords: list[str] = []
    at = 0
    for _ in range(_MOST_RECORDS):
        if record[at : at + 1] != b"\x1c" or at + 5 > len(record):
            break
        group, number, size = struct.unpack_from(">BBH", record, at + 1)
        if size & 0x8000:  # an extended length: longer than any word we look for
            break
        text = clean(record[at + 5 : at + 5 + size].decode("utf-8", "replace"))
        if (group, number) == (2, 25) and text and len(keywords) < _MOST_KEYWORDS:
            keywords.append(text)
        elif text and (group, number) in _IPTC_FIELDS:
            found.setdefault(_IPTC_FIELDS[group, number], text)
        at += 5 + size
    return found | {"keywords": tuple(keywords), "title": found.get("object_name", "")}


_XMP_FIELDS = {
    "{http://purl.org/dc/elements/1.1/}title": "title",
    "{http://purl.org/dc/elements/1.1/}rights": "copyright",
    "{http://purl.org/dc/elements/1.1/}identifier": "identifier",
    "{http://ns.adobe.com/photoshop/1.0/}TransmissionReference": "job_id",
    "{http://ns.adobe.com/photoshop/1.0/}Headline": "headline",
    "{http://ns.adobe.com/photoshop/1.0/}Instructions": "instructions",
    "{http://ns.adobe.com/exif/1.0/aux/}SerialNumber": "camera_serial",
    "{http://ns.adobe.com/exif/1.0/aux/}Lens": "lens",
    "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}Scene": "scene",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}ProductGTIN": "product_gtin",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}ProductId": "product_id",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}ProductName": "product_name",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType": "digital_source_type",
    "{http://ns.adobe.com/xap/1.0/}CreatorTool": "software",
}
_STUDIO_FIELDS = {
    "product_code": (
        "productcode",
        "stylecode",
        "stylenumber",
        "styleno",
        "sku",
        "itemnumber",
        "itemno",
        "articlenumber",
    ),
    "product_gtin": ("barcode", "ean", "gtin", "upc"),
    "shoot": ("shoot", "shootname", "shootid", "session", "sessionname"),
    "set": ("set", "setname", "setid", "look"),
    "view": ("view", "viewcode", "angle", "shottype"),
}
"""What studio programs and agencies call them in schemas of their own, whatever the schema's address."""
_STUDIO_NAMES = {name: field for field, names in _STUDIO_FIELDS.items() for name in names}
_XMP_TAGS = frozenset(
    {"identifier", "job_id", "headline", "instructions", "product_gtin", "product_id", "product_name", "scene"}
) | frozenset(_STUDIO_FIELDS)
_SAID_BY_SIDECARS = ("title", "copyright", "ai_provenance")
_COMMON_SCHEMAS = frozenset({name.rpartition("}")[0] for name in _XMP_FIELDS} | {_RDF[:-1], "{adobe:ns:meta/"})
"""Where a property means only what its standard says."""
_XMP_KEYWORDS = "{http://purl.org/dc/elements/1.1/}subject"
_XMP_GPS = "{http://ns.adobe.com/exif/1.0/}GPS"


def _read_xmp(packet: bytes) -> _Found:
    try:
        root = fromstring(_xml_of(packet[:_MOST_XMP_BYTES]), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return {}
    found: _Found = {}
    elements = list(itertools.islice(root.iter(), _MOST_ELEMENTS + 1))
    items = _first_items(elements)
    for element in elements:
        _add_xmp(found, element, items)
    source = str(found.get("digital_source_type", "")).rsplit("/", 1)[-1]
    return found | ({"ai_provenance": source} if source in _AI_SOURCES else {})


def _xml_of(packet: bytes) -> bytes:
    """Cut out the XML between the first start tag and the last end tag of its name; empty if there is none.

    Both are looked for once, from either end: a pattern with a greedy middle would look again for each start.
    """
    tried: set[bytes] = set()
    for start in _PACKET_START.finditer(packet):
        name = start.group(1)
        if name not in tried:
            tried.add(name)
            end = _end_of_last(b"</" + name, packet, start.end())
            if end:
                return packet[start.start() : end]
        if len(tried) == _PACKET_NAMES:
            break
    return b""


def _end_of_last(tag: bytes, packet: bytes, least: int) -> int:
    """Where the last whole end tag ends; 0 if there is none behind `least`."""
    before = len(packet)
    while (at := packet.rfind(tag, least, before)) >= 0:
        rest = packet[at + len(tag) : before].lstrip(_XML_BLANKS)
        if rest.startswith(b">"):
            return before - len(rest) + 1
        before = at
    return 0


def _first_items(elements: Sequence[Element]) -> dict[Element, Element]:
    """Return the first list item inside each element that holds one; each element is entered once."""
    parents = {child: parent for parent in elements for child in parent}
    found: dict[Element, Element] = {}
    for item in elements:
        holder = parents.get(item) if item.tag == _LIST_ITEM else None
        while holder is not None and holder not in found:
            found[holder] = item
            holder = parents.get(holder)
    return found


def _add_xmp(found: _Found, element: Element, items: Mapping[Element, Element]) -> None:
    if element.tag == _XMP_KEYWORDS and "keywords" not in found:
        listed = itertools.islice(element.iter(_LIST_ITEM), _MOST_ELEMENTS)
        words = (clean(item.text or "") for item in listed)
        found["keywords"] = tuple(itertools.islice((word for word in words if word), _MOST_KEYWORDS))
    text = _xmp_text(element, items.get(element)) if _xmp_field(element.tag) else ""
    for name, value in [(element.tag, text), *element.attrib.items()]:
        field = _xmp_field(name)
        if field and clean(value):
            found.setdefault(field, clean(value))
        elif isinstance(name, str) and name.startswith(_XMP_GPS):
            found["has_gps"] = True


def _xmp_field(name: object) -> str:
    """Return which of our fields a property is: by its full name, else by its own name in a studio's schema."""
    if not isinstance(name, str):
        return ""
    address, _, local = name.rpartition("}")
    studio = "" if address in _COMMON_SCHEMAS else _STUDIO_NAMES.get(local.casefold().replace("_", ""), "")
    return _XMP_FIELDS.get(name, "") or studio


def _xmp_text(element: Element, item: Element | None) -> str:
    """A simple value, a reference, or the first item of an array."""
    return (item.text if item is not None else element.text) or element.get(f"{_RDF}resource") or ""
