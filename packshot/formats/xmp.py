"""Read XMP (ISO 16684-1), with the names of the IPTC Photo Metadata Standard and of studios' own schemas."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from packshot.formats.texts import MOST_KEYWORDS, Facts, clean

_MOST_XMP_BYTES = 1_000_000
_MOST_ELEMENTS = 20_000
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PACKET_START = re.compile(rb"<(x:xmpmeta|rdf:RDF)[\s>]")
_EMPTY = re.compile(rb"<(x:xmpmeta|rdf:RDF)[^<>]{0,2000}/>")
_PACKET_NAMES = 2
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
"""How a packet begins that is not in UTF-8, and its encoding. The longer beginnings come first."""
_XML_BLANKS = b" \t\r\n\f\v"
_LIST_ITEM = f"{_RDF}li"
_AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
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
    "{http://ns.adobe.com/tiff/1.0/}Orientation": "xmp_orientation",
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
"""Property names that studio programs and agencies use in their own XMP schemas, with any namespace."""
_STUDIO_NAMES = {name: field for field, names in _STUDIO_FIELDS.items() for name in names}
XMP_TAGS = frozenset(
    {"identifier", "job_id", "headline", "instructions", "product_gtin", "product_id", "product_name", "scene"}
) | frozenset(_STUDIO_FIELDS)
_COMMON_SCHEMAS = frozenset({name.rpartition("}")[0] for name in _XMP_FIELDS} | {_RDF[:-1], "{adobe:ns:meta/"})
"""Standard namespaces. Their properties are never matched by the studio names above."""
_XMP_KEYWORDS = "{http://purl.org/dc/elements/1.1/}subject"
_XMP_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_MOST_CREATORS = 10
_XMP_GPS = "{http://ns.adobe.com/exif/1.0/}GPS"


def xmp_damage(packet: bytes) -> str:
    """Return in words why an XMP packet cannot be read: "XMP that is no whole XML". The result is empty if it can, or
    has no content.

    Args:
        packet: the XMP packet of a file, in UTF-8, UTF-16 or UTF-32.
    """
    if not packet.strip(b"\0" + _XML_BLANKS):
        return ""
    text = _in_utf_8(packet)
    said_nothing = b"<?xpacket" in text and not _PACKET_START.search(_EMPTY.sub(b"", text))
    return "" if said_nothing or _root_of(packet) is not None else "XMP that is no whole XML"


def read_xmp(packet: bytes) -> Facts:
    """Return the facts that an XMP packet states: name of the fact -> value, such as "creator" -> "Ana López".

    Names are fields of `packshot.ingest.metadata.Metadata`, or one of `XMP_TAGS`: texts that may name the product, such
    as "product_gtin".

    The result is empty if the packet is not XML, or contains a document type declaration.

    Args:
        packet: the XMP packet of a file, in UTF-8, UTF-16 or UTF-32. Only its first megabyte is read.
    """
    root = _root_of(packet)
    if root is None:
        return {}
    found: Facts = {}
    elements = list(itertools.islice(root.iter(), _MOST_ELEMENTS + 1))
    items = _first_items(elements)
    for element in elements:
        _add_xmp(found, element, items)
    source = str(found.get("digital_source_type", "")).rsplit("/", 1)[-1]
    return found | ({"ai_provenance": source} if source in _AI_SOURCES else {})


def _root_of(packet: bytes) -> Element | None:
    try:
        return fromstring(_xml_of(_in_utf_8(packet[:_MOST_XMP_BYTES])), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return None


def _in_utf_8(packet: bytes) -> bytes:
    """Return a packet in UTF-8. It may be in UTF-16 or UTF-32, with or without a byte-order mark (ISO 16684-1, 7.3)."""
    encoding = next((name for start, name in _WIDE if packet.startswith(start)), "")
    return packet.decode(encoding, "replace").encode("utf-8", "replace") if encoding else packet


def _xml_of(packet: bytes) -> bytes:
    """Return the XML from the first start tag to the last end tag of the same name; empty if there is none.

    Each is searched once, from its end of the packet. A greedy pattern would search again for every start tag.
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
    """Return the offset after the last complete end tag; 0 if there is none after `least`."""
    before = len(packet)
    while (at := packet.rfind(tag, least, before)) >= 0:
        rest = packet[at + len(tag) : before].lstrip(_XML_BLANKS)
        if rest.startswith(b">"):
            return before - len(rest) + 1
        before = at
    return 0


def _first_items(elements: Sequence[Element]) -> dict[Element, Element]:
    """Return, for each element, the first list item inside it. Each element is visited once."""
    parents = {child: parent for parent in elements for child in parent}
    found: dict[Element, Element] = {}
    for item in elements:
        holder = parents.get(item) if item.tag == _LIST_ITEM else None
        while holder is not None and holder not in found:
            found[holder] = item
            holder = parents.get(holder)
    return found


def _add_xmp(found: Facts, element: Element, items: Mapping[Element, Element]) -> None:
    if element.tag == _XMP_KEYWORDS and "keywords" not in found:
        listed = itertools.islice(element.iter(_LIST_ITEM), _MOST_ELEMENTS)
        words = (clean(item.text or "") for item in listed)
        found["keywords"] = tuple(itertools.islice((word for word in words if word), MOST_KEYWORDS))
    if element.tag == _XMP_CREATOR and "creator" not in found:
        listed = itertools.islice(element.iter(_LIST_ITEM), _MOST_CREATORS)
        names = [clean(item.text or "") for item in listed] or [clean(element.text or "")]
        found["creator"] = clean("; ".join(name for name in names if name))
    text = _xmp_text(element, items.get(element)) if _xmp_field(element.tag) else ""
    for name, value in [(element.tag, text), *element.attrib.items()]:
        field = _xmp_field(name)
        if field and clean(value):
            found.setdefault(field, clean(value))
        elif isinstance(name, str) and name.startswith(_XMP_GPS):
            found["has_gps"] = True


def _xmp_field(name: object) -> str:
    """Return the field of an XMP property, by its full name, else by its local name in a studio's schema."""
    if not isinstance(name, str):
        return ""
    address, _, local = name.rpartition("}")
    studio = "" if address in _COMMON_SCHEMAS else _STUDIO_NAMES.get(local.casefold().replace("_", ""), "")
    return _XMP_FIELDS.get(name, "") or studio


def _xmp_text(element: Element, item: Element | None) -> str:
    """Return the text of a property: a simple value, a reference, or the first item of an array."""
    return (item.text if item is not None else element.text) or element.get(f"{_RDF}resource") or ""
