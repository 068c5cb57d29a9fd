"""Write text metadata into delivered files: product identifiers, copyright, creator, and whether AI edited the picture.

Place and camera are not written: they concern the client only, and stay with the master.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from xml.sax.saxutils import escape

from PIL import Image

from packshot.ingest.metadata import Metadata
from packshot.specs.models import Plan
from packshot.types import Value

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_EXIF_ARTIST, _EXIF_COPYRIGHT = 0x013B, 0x8298
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "{properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="
    '"r"?>'
)
_UTF_8 = b"\x1b%G"
_RECORD_VERSION, _OBJECT_NAME, _BY_LINE, _COPYRIGHT_NOTICE = 0, 5, 80, 116
_IPTC_MOST_BYTES = {_OBJECT_NAME: 64, _BY_LINE: 32, _COPYRIGHT_NOTICE: 128}


class Labels(Value):
    """Text metadata that is written into a delivered file. Each text is empty if it is not known.

    `labels_of` makes it, without SKU and GTIN.

    Attributes:
        copyright: the client's notice, else the photograph's own.
        creator: the person who took the photograph, as its metadata states.
        ai_provenance: IPTC digital source type, as name or address, as declared in the photograph. Marketplaces require
            that it is kept.
        sku, gtin: identifiers of the product.
    """

    copyright: str = ""
    creator: str = ""
    ai_provenance: str = ""
    sku: str = ""
    gtin: str = ""

    @property
    def ascii_copyright(self) -> str:
        """The copyright notice in ASCII, for EXIF and TIFF (TIFF 6.0, section 2). XMP carries it unchanged.

        "©" becomes "(c)". Accents, and all letters that ASCII does not have, are left out. The result is empty if
        nothing remains.
        """
        return _ascii(self.copyright)

    @property
    def ascii_creator(self) -> str:
        """The creator in ASCII, for EXIF and TIFF. XMP carries the name unchanged.

        Accents, and all letters that ASCII does not have, are left out. The result is empty if nothing remains.
        """
        return _ascii(self.creator)

    def exif(self) -> bytes:
        """Return an EXIF block to write into a file, with copyright notice and creator only; b"" without both."""
        stated = {_EXIF_ARTIST: self.ascii_creator, _EXIF_COPYRIGHT: self.ascii_copyright}
        exif = Image.Exif()
        exif.update({tag: text for tag, text in stated.items() if text})
        return exif.tobytes() if len(exif) else b""

    def xmp(self) -> bytes:
        """Return all labels as an XMP packet (ISO 16684-1), UTF-8; b"" if all are empty.

        The same labels give the same bytes.
        """
        properties = "".join(f"<{name}>{value}</{name}>" for name, value in self._properties())
        return _XMP.format(properties=properties).encode() if properties else b""

    def _properties(self) -> Iterator[tuple[str, str]]:
        """Yield names and values of XMP properties (IPTC Photo Metadata Standard 2023.1)."""
        if self.copyright:
            yield "dc:rights", f'<rdf:Alt><rdf:li xml:lang="x-default">{escape(self.copyright)}</rdf:li></rdf:Alt>'
        if self.creator:
            names = "".join(f"<rdf:li>{escape(name)}</rdf:li>" for name in self.creator.split("; "))
            yield "dc:creator", f"<rdf:Seq>{names}</rdf:Seq>"
        if self.sku:
            yield "dc:identifier", escape(self.sku)
        stated = {"Iptc4xmpExt:ProductId": self.sku, "Iptc4xmpExt:ProductGTIN": self.gtin}
        product = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in stated.items() if value)
        if product:
            item = f'<rdf:li rdf:parseType="Resource">{product}</rdf:li>'
            yield "Iptc4xmpExt:ProductInImage", f"<rdf:Bag>{item}</rdf:Bag>"
        if self.ai_provenance:
            name = self.ai_provenance
            yield "Iptc4xmpExt:DigitalSourceType", escape(name if "/" in name else _SOURCE_TYPES + name)

    def iptc(self) -> bytes:
        """Return IPTC-IIM records (version 4.2) for older archives; b"" if there is no SKU, creator or copyright."""
        texts = {_OBJECT_NAME: self.sku, _BY_LINE: self.creator, _COPYRIGHT_NOTICE: self.copyright}
        stated = {number: _cut(text, _IPTC_MOST_BYTES[number]) for number, text in texts.items() if text}
        if not stated:
            return b""
        records = [_record(1, 90, _UTF_8), _record(2, _RECORD_VERSION, struct.pack(">H", 4))]
        return b"".join([*records, *(_record(2, number, content) for number, content in stated.items())])


def labels_of(plan: Plan, metadata: Metadata) -> Labels:
    """Return the text metadata for a shot's files: copyright, creator and AI provenance, without SKU and GTIN.

    The client's copyright notice wins over the photograph's own. The photograph's copyright and creator are left out if
    the client's `source_credit` is ``remove``.

    Args:
        plan: all settings of the shot, with the client's copyright notice.
        metadata: copyright, creator and AI provenance that the photograph's file states.
    """
    kept = plan.source_credit == "keep"
    return Labels(
        copyright=plan.copyright or (metadata.copyright if kept else ""),
        creator=metadata.creator if kept else "",
        ai_provenance=metadata.ai_provenance,
    )


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("©", "(c)"))
    return plain.encode("ascii", "ignore").decode()


def _record(group: int, number: int, content: bytes) -> bytes:
    """Return one IPTC-IIM record."""
    return struct.pack(">BBBH", 0x1C, group, number, len(content)) + content


def _cut(text: str, most_bytes: int) -> bytes:
    """Return the text in UTF-8, shortened to at most so many bytes without splitting a character."""
    return text.encode()[:most_bytes].decode("utf-8", "ignore").encode()
