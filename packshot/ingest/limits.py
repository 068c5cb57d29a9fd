"""Refuse clients' files that are too large, by their length and header, before any pixel is decoded."""

from __future__ import annotations

from packshot.errors import TooLargeError, TooSmallError, UnreadableError
from packshot.formats.container import Container
from packshot.specs.models import IngestConfig
from packshot.types import Size

_MOST_CHANNELS = 64
_MOST_DEPTH = 64
_USUAL_CHANNELS = 3
WORKING_BYTES_PER_PIXEL = 36
"""What the line takes for each pixel of a photograph beside its decoded bytes, at its peak: the master of 16 bits, the
working copies of cut-out and export. Measured, see docs/performance.md; a test holds it."""


def check_bytes(n_bytes: int, *, name: str, limits: IngestConfig) -> None:
    """Raise an error if a file is too long. Nothing comes back.

    Args:
        n_bytes: the file's length.
        name: the file's name, for the message.
        limits: its `max_bytes` is the limit.
    Raises:
        TooLargeError: the file is longer than the limit.
    """
    if n_bytes > limits.max_bytes:
        raise _too_large("the file is too large", name, f"{n_bytes:,} bytes", f"{limits.max_bytes:,} bytes")


def check_header(header: Container, *, name: str, limits: IngestConfig) -> None:
    """Raise an error if a number in a header is beyond its limit, before any pixel is decoded.

    The numbers are side lengths, pixels, frames, tiles, channels, scans, and the memory needed.

    Args:
        header: the file's header.
        name: the file's name, for the message.
        limits: the greatest and smallest picture.
    Raises:
        UnreadableError: the size is zero, or the numbers are impossible, such as more than 64 channels.
        TooLargeError: a number is beyond its limit.
        TooSmallError: the longest side is under the minimum.
    """
    size = header.size
    if size.width <= 0 or size.height <= 0 or header.channels > _MOST_CHANNELS or header.bit_depth > _MOST_DEPTH:
        raise UnreadableError(
            "its header makes no sense",
            name,
            found=f"{size} pixels, {header.channels} channels of {header.bit_depth} bits",
            next_step="Export the picture again.",
        )
    pixels = max(size.width, header.tile.width) * max(size.height, header.tile.height)
    if size.longest > limits.max_side_px or header.tile.longest > limits.max_side_px:
        raise _too_large("a side is too long", name, f"{size} pixels", f"{limits.max_side_px} pixels a side")
    if pixels > limits.max_pixels:
        raise _too_large("it has too many pixels", name, f"{size} pixels", f"{limits.max_pixels:,} pixels")
    if header.frames > limits.max_frames:
        raise _too_large("it has too many frames", name, f"{header.frames} frames", f"{limits.max_frames} frames")
    _check_memory(header, pixels, name=name, limits=limits)
    if header.scans > 1 and header.scans * pixels > limits.max_scanned_pixels:
        found = f"{header.scans} scans of {size} pixels"
        raise _too_large("it has too many scans", name, found, f"{limits.max_scanned_pixels:,} pixels over all scans")
    check_least(size, name=name, limits=limits)


def _check_memory(header: Container, pixels: int, *, name: str, limits: IngestConfig) -> None:
    """Check the memory that a picture takes when it is decoded and while it is processed."""
    channels = header.channels or _USUAL_CHANNELS
    each = _decoded_bytes(channels=channels, depth=header.bit_depth)
    found = f"{header.size} pixels, {channels} channels of {header.bit_depth} bits"
    if pixels * each > limits.max_decoded_bytes:
        raise _too_large("it is too large when decoded", name, found, f"{limits.max_decoded_bytes:,} bytes decoded")
    working = pixels * (each + WORKING_BYTES_PER_PIXEL)
    if working > limits.max_working_bytes:
        most = most_pixels(limits, channels=channels, depth=header.bit_depth)
        found = f"{found}, which take {working:,} bytes of memory to work on"
        allowed = f"{limits.max_working_bytes:,} bytes, {most:,} pixels of such a picture"
        raise _too_large("it is too large to be worked on", name, found, allowed)


def _decoded_bytes(*, channels: int, depth: int) -> int:
    """Return the bytes of one decoded pixel."""
    return channels * max(1, -(-depth // 8))


def working_bytes(pixels: int) -> int:
    """Return the greatest amount of memory, in bytes, that work on a master needs. The amount includes the master.

    Args:
        pixels: number of the master's pixels.
    """
    return pixels * (_decoded_bytes(channels=_USUAL_CHANNELS, depth=16) + WORKING_BYTES_PER_PIXEL)


def most_pixels(limits: IngestConfig, *, channels: int, depth: int) -> int:
    """Return the largest number of pixels that a picture may have, so that it can be decoded and worked on.

    The result follows from the configured number of pixels and from the memory that decoding and work may take.

    Args:
        limits: the greatest picture, and the memory to decode it and to work on it.
        channels: number of channels of the picture.
        depth: bits per channel.
    """
    each = _decoded_bytes(channels=channels, depth=depth)
    working = limits.max_working_bytes // (each + WORKING_BYTES_PER_PIXEL)
    return min(limits.max_pixels, limits.max_decoded_bytes // each, working)


def check_least(size: Size, *, name: str, limits: IngestConfig) -> None:
    """Raise an error if the longest side of a picture is shorter than the minimum.

    Args:
        size: width and height, in pixels.
        name: the file's name, for the message.
        limits: its `min_px` is the minimum.
    Raises:
        TooSmallError: the longest side is shorter.
    """
    if size.longest < limits.min_px:
        raise TooSmallError(
            "the picture is too small",
            name,
            found=f"{size} pixels",
            allowed=f"at least {limits.min_px} pixels on the longest side",
            next_step="Send the picture at its full size.",
        )


def _too_large(what: str, name: str, found: str, allowed: str) -> TooLargeError:
    return TooLargeError(what, name, found=found, allowed=f"at most {allowed}", next_step="Send a smaller file.")
