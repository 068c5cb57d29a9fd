"""Files of every kind with image resources, and a little picture, for tests."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

PIXELS = np.full((60, 80, 3), 200, np.uint8)


def tiff(resources: bytes, *, byteorder: str = "<", big: bool = False) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder=byteorder, bigtiff=big) as writer:  # type: ignore[arg-type]
        writer.write(PIXELS, photometric="rgb", metadata=None, extratags=[(34377, 1, len(resources), resources, True)])
    return stream.getvalue()


def psd(resources: bytes, *, version: int = 1) -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, 3, 60, 80, 8, 3)
    layers = bytes(8 if version == 2 else 4)
    planes = np.moveaxis(PIXELS, -1, 0).tobytes()
    return head + bytes(4) + struct.pack(">I", len(resources)) + resources + layers + b"\0\0" + planes


def jpeg(resources: bytes, *, segment_bytes: int = 65000) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "JPEG")
    plain = stream.getvalue()
    parts = [resources[at : at + segment_bytes] for at in range(0, len(resources), segment_bytes)]
    segments = b"".join(b"\xff\xed" + struct.pack(">H", len(one) + 16) + b"Photoshop 3.0\0" + one for one in parts)
    return plain[:2] + segments + plain[2:]


def png(resources: bytes, *, packed: bool = True) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG")
    plain = stream.getvalue()
    digits = resources.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\n8bim\n{len(resources):8d}\n{lines}\n".encode()
    key = b"Raw profile type 8bim\0"
    kind, content = (b"zTXt", key + b"\0" + zlib.compress(text)) if packed else (b"tEXt", key + text)
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return plain[:33] + chunk + plain[33:]
