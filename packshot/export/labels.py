"""What is written into a delivered file beside its pixels: whose it is, and whether a machine made it. Nothing else.

Where a photograph was taken, with which camera and by whom is the client's business and stays with the master.
"""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape

from PIL import Image

from packshot.types import Value

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_EXIF_COPYRIGHT = 0x8298
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "{properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="
    '"r"?>'
)


class Labels(Value):
    """What a delivered file says of itself.

    Attributes:
        copyright: the client's notice.
        ai_provenance: IPTC digital source type, name or address, as the photograph declared it; marketplaces ask that
            it stays.
    """

    copyright: str = ""
    ai_provenance: str = ""

    @property
    def ascii_copyright(self) -> str:
        """The notice for EXIF and TIFF, whose text is ASCII (TIFF 6.0, section 2); XMP carries it as it is."""
        plain = unicodedata.normalize("NFKD", self.copyright.replace("©", "(c)"))
        return plain.encode("ascii", "ignore").decode()

    def exif(self) -> bytes:
        """Return an EXIF block with the copyright notice only; empty without one."""
        if not self.copyright:
            return b""
        exif = Image.Exif()
        exif[_EXIF_COPYRIGHT] = self.ascii_copyright
        return exif.tobytes()

    def xmp(self) -> bytes:
        """Return an XMP packet (ISO 16684-1), the same for the same labels; empty if there is nothing to say."""
        properties = ""
        if self.copyright:
            notice = f'<rdf:li xml:lang="x-default">{escape(self.copyright)}</rdf:li>'
            properties += f"<dc:rights><rdf:Alt>{notice}</rdf:Alt></dc:rights>"
        if self.ai_provenance:
            name = self.ai_provenance
            source = escape(name if "/" in name else _SOURCE_TYPES + name)
            properties += f"<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>"
        return _XMP.format(properties=properties).encode() if properties else b""
