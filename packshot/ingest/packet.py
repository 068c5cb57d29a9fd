"""Write the metadata that Packshot keeps: camera, time, copyright, title, keywords and AI provenance.

Metadata that identifies people or places is never written: GPS, owners, artists, serial numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from packshot.formats.texts import clean
from packshot.ingest.metadata import Metadata

_MAKE, _MODEL, _TAKEN, _COPYRIGHT = 271, 272, 306, 33432
_DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


def kept_metadata(metadata: Metadata) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """Return the kept metadata twice: (an XMP packet, TIFF tags as pairs of tag number and ASCII text).

    Kept are camera, time, copyright, title, keywords and AI provenance. Nothing that identifies people or places is
    written. Empty texts give no tag.

    Args:
        metadata: what the picture's original says.
    """
    taken = metadata.taken_at.strftime("%Y:%m:%d %H:%M:%S") if metadata.taken_at else ""
    tags = (
        (_MAKE, metadata.camera_make),
        (_MODEL, metadata.camera_model),
        (_TAKEN, taken),
        (_COPYRIGHT, metadata.copyright),
    )
    return xmp_packet(metadata), tuple((tag, _ascii(text)) for tag, text in tags if _ascii(text))


def xmp_packet(metadata: Metadata) -> bytes:
    """Return the kept metadata as an XMP packet (ISO 16684-1), UTF-8. The same metadata gives the same bytes.

    Kept are camera, time, exposure, copyright, title, keywords and AI provenance; nothing that identifies people or
    places.

    Args:
        metadata: what the picture's original says.
    """
    names = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in _NAMESPACES.items() if prefix != "rdf")
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in _fields(metadata))
    body = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_NAMESPACES["rdf"]}"><rdf:Description rdf:about=""{names}>{fields}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )
    return body.encode()


def _fields(metadata: Metadata) -> Iterable[tuple[str, str]]:
    plain = {
        "tiff:Make": metadata.camera_make,
        "tiff:Model": metadata.camera_model,
        "aux:Lens": metadata.lens,
        "exif:ExposureTime": _rational(metadata.exposure_s),
        "exif:FNumber": _rational(metadata.f_number),
        "exif:DateTimeOriginal": metadata.taken_at.isoformat() if metadata.taken_at else "",
        "Iptc4xmpExt:DigitalSourceType": _DIGITAL_SOURCE + metadata.ai_provenance if metadata.ai_provenance else "",
    }
    yield from ((name, _xml(value)) for name, value in plain.items() if value)
    if metadata.iso:
        yield "exif:ISOSpeedRatings", f"<rdf:Seq><rdf:li>{metadata.iso}</rdf:li></rdf:Seq>"
    for name, value in (("dc:title", metadata.title), ("dc:rights", metadata.copyright)):
        if value:
            yield name, f'<rdf:Alt><rdf:li xml:lang="x-default">{_xml(value)}</rdf:li></rdf:Alt>'
    if metadata.keywords:
        items = "".join(f"<rdf:li>{_xml(word)}</rdf:li>" for word in metadata.keywords)
        yield "dc:subject", f"<rdf:Bag>{items}</rdf:Bag>"


def _rational(number: float | None) -> str:
    if not number:
        return ""
    return f"1/{round(1 / number)}" if 0 < number < 0.4 else f"{round(number * 100)}/100"


def _xml(text: str) -> str:
    return escape(clean(text))


def _ascii(text: str) -> str:
    """Return a text in ASCII, as TIFF tags require. Other characters are dropped; XMP keeps the full text."""
    return clean(text).encode("ascii", "ignore").decode().strip()
