"""Read the clipping paths that a picture's file has saved, and choose the one to use."""

from __future__ import annotations

import dataclasses
import struct

from packshot.errors import UnreadableError
from packshot.formats.blocks import Block, split_blocks
from packshot.formats.container import Container, DamagedError
from packshot.formats.headers import read_container
from packshot.formats.names import decode_name, is_named
from packshot.formats.psd import is_large
from packshot.formats.sniff import FileKind, detect
from packshot.paths.model import CLIPPING_PATH_NAME, FIRST_PATH, LAST_PATH, WORK_PATH, FillRule, SavedPath
from packshot.paths.records import decode_records
from packshot.types import Finding, Size, Status

_KINDS = {FileKind.TIFF: "TIFF", FileKind.PSD: "PSD", FileKind.JPEG: "JPEG", FileKind.PNG: "PNG"}
_WINDING = 2
_MOST_PATH_BYTES = 8 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class PathFile:
    """The saved paths of one picture file. `read_paths` makes it.

    Attributes:
        kind: TIFF, PSD, PSB, JPEG or PNG.
        size: size of the picture as stored, before it is turned upright.
        paths: the saved paths, in the order of the file.
        clipping_name: name of the clipping path, as the file states it; empty if it states none.
        has_work_path: True if there is a path that was drawn but not saved.
        findings: one for each damaged or contradictory path, and for a damaged list of paths.
    """

    kind: str
    size: Size
    paths: tuple[SavedPath, ...]
    clipping_name: str
    has_work_path: bool
    findings: tuple[Finding, ...]

    @property
    def clipping(self) -> SavedPath | None:
        """The path that the file names as its clipping path; None if there is none."""
        return next((path for path in self.paths if path.is_clipping), None)


@dataclasses.dataclass(frozen=True)
class ChosenPath:
    """The path of a file that shows the product, and the reason for the choice.

    Attributes:
        path: the path; None if the file has no path that encloses anything, or several of which neither the client's
            rule nor the file names one.
        why: the reason in words.
        assumed: True if neither the file nor the client's rule names this path: it was chosen because there is no
            other.
    """

    path: SavedPath | None
    why: str
    assumed: bool = False


def read_paths(data: bytes, *, name: str) -> PathFile:
    """Return the paths saved in a TIFF, PSD, PSB, JPEG or PNG file.

    Damaged resources and records become findings. The undamaged parts of a path are returned.

    Args:
        data: the whole file.
        name: the file's name, used in messages only.
    Raises:
        UnreadableError: the file is of another kind, or its header is damaged.
    """
    kind, container = _header(data, name)
    blocks, damage = split_blocks(container.resources)
    stated = next((block.content for block in blocks if block.number == CLIPPING_PATH_NAME), b"")
    findings = [_damaged("The list of image resources", damage)] if damage else []
    paths = []
    left = _MOST_PATH_BYTES
    for block in blocks:
        if FIRST_PATH <= block.number <= LAST_PATH:
            path, broken = _path(block, stated, most_bytes=left)
            left = max(0, left - len(block.content))
            paths.append(path)
            findings += [_damaged(f"Path {path.name!r} ({path.record_id})", "; ".join(broken))] if broken else []
    paths = _one_clipping(paths)
    if stated and not any(path.is_clipping for path in paths):
        findings.append(_nowhere(decode_name(_clipping_name(stated))))
    return PathFile(
        kind=kind,
        size=container.size,
        paths=tuple(paths),
        clipping_name=decode_name(_clipping_name(stated)),
        has_work_path=any(block.number == WORK_PATH for block in blocks),
        findings=tuple(findings),
    )


def _header(data: bytes, name: str) -> tuple[str, Container]:
    """Return the kind of a file, and its header.

    Raises:
        UnreadableError: files of this kind hold no paths, or the header cannot be read.
    """
    kind = _KINDS.get(detect(data))
    if kind is None:
        raise _unreadable(name, "another kind of file")
    try:
        found = read_container(data, detect(data))
    except DamagedError as error:
        raise _unreadable(name, str(error)) from error
    if found.size.width < 1 or found.size.height < 1:
        raise _unreadable(name, f"a picture of {found.size} pixels")
    return ("PSB" if kind == "PSD" and is_large(data) else kind), found


def _unreadable(name: str, found: str) -> UnreadableError:
    return UnreadableError(
        "no paths can be read from this file",
        name,
        found=found,
        allowed="TIFF, PSD, PSB, JPEG or PNG",
        next_step="Save it again, as a TIFF or a Photoshop document.",
    )


def choose_path(paths: PathFile, *, prefer: str = "") -> ChosenPath:
    """Return which of a file's saved paths shows the product, with the reason.

    The path that the client's rule names is chosen, else the clipping path, else the only path. Paths that enclose
    nothing are not considered. If none of these exists, `ChosenPath.path` is None.

    Args:
        paths: the saved paths of a file.
        prefer: the name of the path in the client's rule, whatever its case and encoding in the file; empty if the
            client has no such rule.
    """
    filled = [path for path in paths.paths if not path.is_empty]
    named = next((path for path in filled if prefer and is_named(path.raw_name, prefer)), None)
    if named:
        return ChosenPath(named, f"named {prefer!r} by the client's rule")
    if paths.clipping and not paths.clipping.is_empty:
        return ChosenPath(paths.clipping, "the file's clipping path")
    if len(filled) == 1:
        return ChosenPath(filled[0], "the only path", assumed=True)
    if filled:
        names = ", ".join(repr(path.name) for path in filled[:10])
        return ChosenPath(None, f"{len(filled)} paths ({names}), and none is marked as the clipping path")
    return ChosenPath(None, "a work path that was not saved" if paths.has_work_path else "no path")


def _path(block: Block, stated: bytes, *, most_bytes: int) -> tuple[SavedPath, tuple[str, ...]]:
    records = decode_records(block.content[:most_bytes])
    ignored = (f"its last {len(block.content) - most_bytes} bytes were not read",)
    is_clipping = bool(stated) and block.name == _clipping_name(stated)
    path = SavedPath(
        name=decode_name(block.name),
        record_id=block.number,
        subpaths=records.subpaths,
        is_clipping=is_clipping,
        starts_filled=records.starts_filled,
        clip_rule=_clip_rule(stated) if is_clipping else FillRule.EVEN_ODD,
        raw_name=block.name,
    )
    return path, records.damage + (ignored if len(block.content) > most_bytes else ())


def _one_clipping(paths: list[SavedPath]) -> list[SavedPath]:
    """Return the paths with only one marked as clipping path: the first, if several have the same name."""
    first = next((index for index, path in enumerate(paths) if path.is_clipping), -1)
    return [
        dataclasses.replace(path, is_clipping=False, clip_rule=FillRule.EVEN_ODD) if index != first else path
        for index, path in enumerate(paths)
    ]


def _clipping_name(stated: bytes) -> bytes:
    return stated[1 : 1 + stated[0]] if stated else b""


def _clip_rule(stated: bytes) -> FillRule:
    """Return the fill rule that follows the name and the flatness (a fixed-point number). Both may be missing."""
    rest = stated[1 + stated[0] :]
    rule = struct.unpack_from(">H", rest, 4)[0] if len(rest) >= 6 else 0
    return FillRule.WINDING if rule == _WINDING else FillRule.EVEN_ODD


def _damaged(what: str, how: str) -> Finding:
    return Finding(code="path_damaged", status=Status.FAILED, message=f"{what} is damaged: {how}.", gate=True)


def _nowhere(name: str) -> Finding:
    message = f"The file names {name!r} as its clipping path, but has no path of that name."
    return Finding(code="clipping_path_missing", status=Status.WARNING, message=message)
