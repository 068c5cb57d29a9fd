"""Read and write Photoshop's image resource blocks (Adobe Photoshop File Formats, "Image Resource Blocks")."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

IPTC, ICC, EXIF, XMP, VERSION = 0x0404, 0x040F, 0x0422, 0x0424, 0x0421
_PHOTOSHOP = b"8BIM"
_OTHERS = (b"MeSa", b"PHUT", b"AgHg", b"DCSR")
_MOST_BLOCKS = 10_000
_LONGEST_NAME = 255


class Block(NamedTuple):
    """One image resource of Photoshop: a piece of a file that holds anything but pixels, such as a path or metadata.

    Attributes:
        number: resource number; it says what kind of content this is, for example 0x0404 for IPTC.
        name: bytes of the name, in an unknown encoding; usually empty.
        content: the resource's bytes, without its head.
    """

    number: int
    name: bytes
    content: bytes


class Blocks(NamedTuple):
    """Photoshop's image resources of a file, in file order, as `split_blocks` reads them.

    Attributes:
        blocks: the resources that were read.
        damage: if reading stopped early, the reason in words; otherwise empty.
    """

    blocks: tuple[Block, ...]
    damage: str = ""


def split_blocks(data: bytes) -> Blocks:
    """Return Photoshop's image resources in the data, up to the first damage, which is described. No error is raised.

    Resources of other programs are skipped: they have another signature, and their numbers have another meaning. At
    most 10,000 resources are read.

    Args:
        data: the image resources of a PSD, TIFF or JPEG, as stored.
    """
    found: list[Block] = []
    at = 0
    while at < len(data) and len(found) < _MOST_BLOCKS:
        signature = data[at : at + 4]
        if signature != _PHOTOSHOP and signature not in _OTHERS:
            stuffing = not data[at:].strip(b"\0")
            return Blocks(tuple(found), "" if stuffing else f"no image resource at byte {at} of {len(data)}")
        if at + 12 > len(data):
            return Blocks(tuple(found), f"an image resource's head is cut off at byte {at}")
        (number,) = struct.unpack_from(">H", data, at + 4)
        name = data[at + 7 : at + 7 + data[at + 6]]
        start = at + 6 + (data[at + 6] + 2 & ~1)
        if start + 4 > len(data):
            return Blocks(tuple(found), f"image resource {number} is cut off in its name")
        (size,) = struct.unpack_from(">I", data, start)
        content = data[start + 4 : start + 4 + size]
        if len(content) < size:
            return Blocks(tuple(found), f"image resource {number} holds {len(content)} of its {size} bytes")
        if signature == _PHOTOSHOP:
            found.append(Block(number, name, content))
        at = start + 4 + (size + 1 & ~1)
    return Blocks(tuple(found))


def resource_damage(data: bytes) -> str:
    """Return in words what is damaged in Photoshop's image resources; empty if nothing is damaged.

    Example: "image resource 1036 holds 20 of its 500 bytes".

    Args:
        data: the image resources of a PSD, TIFF or JPEG, as stored.
    """
    return split_blocks(data).damage


def read_resources(data: bytes) -> dict[int, bytes]:
    """Return Photoshop's image resources: number of the resource -> its content, up to the first damage.

    If a number occurs several times, the first counts. Numbers say what a resource is, for example 0x0404 for IPTC.

    Args:
        data: the image resources of a PSD, TIFF or JPEG, as stored.
    """
    return {block.number: block.content for block in reversed(split_blocks(data).blocks)}


def join_blocks(blocks: Iterable[Block]) -> bytes:
    """Return image resources as bytes, one after the other, in the form that PSD, TIFF and JPEG files contain.

    Args:
        blocks: the resources, in the order in which they are to be written.
    """
    return b"".join(_joined(block) for block in blocks)


def _joined(block: Block) -> bytes:
    head = _PHOTOSHOP + struct.pack(">H", block.number) + pascal(block.name, even=True)
    return head + struct.pack(">I", len(block.content)) + block.content + b"\0" * (len(block.content) & 1)


def pascal(name: bytes, *, even: bool = False) -> bytes:
    """Return a Pascal string, as Photoshop stores names: the length in the first byte, then at most 255 bytes of text.

    Args:
        name: the text's bytes; what is beyond 255 is cut off.
        even: pad with a zero byte to an even number of bytes.
    """
    text = bytes([min(len(name), _LONGEST_NAME)]) + name[:_LONGEST_NAME]
    return text + b"\0" * (len(text) & 1) if even else text
