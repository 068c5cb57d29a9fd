"""Write clipping paths as Photoshop's image resources, for TIFF, PSD and JPEG files."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from packshot.errors import NamingError
from packshot.formats.blocks import Block, join_blocks, pascal
from packshot.formats.names import encode_name
from packshot.paths.model import CLIPPING_PATH_NAME, FIRST_PATH, LAST_PATH, FillRule, SavedPath
from packshot.paths.records import encode_records


def photoshop_resources(paths: Sequence[SavedPath], *, clipping: str = "") -> bytes:
    """Return Photoshop's image resources with saved paths and the name of the clipping path, as bytes.

    They can stand in a TIFF, PSD or JPEG.

    Args:
        paths: each with its own number and name.
        clipping: name of the clipping path. If it is empty, the path that is marked as clipping path is taken; there
            may be none.

    Raises:
        NamingError: two paths have the same number or name, a number is not in the range of paths, or no path has the
            name `clipping`.
    """
    return join_blocks(path_blocks(paths, clipping=clipping))


def path_blocks(paths: Sequence[SavedPath], *, clipping: str = "") -> tuple[Block, ...]:
    """Return Photoshop's image resources with saved paths and the name of the clipping path, one `Block` each.

    The paths come first, in order; the resource that names the clipping path is the last, if there is one.

    Args:
        paths: each with its own number and name.
        clipping: name of the clipping path. If it is empty, the path that is marked as clipping path is taken; there
            may be none.

    Raises:
        NamingError: two paths have the same number or name, a number is not in the range of paths, or no path has the
            name `clipping`.
    """
    _check(paths)
    chosen = [path for path in paths if (path.name == clipping if clipping else path.is_clipping)]
    if clipping and not chosen:
        known = ", ".join(path.name for path in paths)
        raise NamingError(
            "there is no such path to be the clipping path",
            clipping,
            allowed=known,
            next_step="Name one of the paths, or add this one.",
        )
    blocks = [Block(path.record_id, _stored_name(path), _content(path)) for path in paths]
    if chosen:
        blocks.append(Block(CLIPPING_PATH_NAME, b"", _clipping_content(chosen[0])))
    return tuple(blocks)


def _check(paths: Sequence[SavedPath]) -> None:
    numbers, names = [path.record_id for path in paths], [_stored_name(path) for path in paths]
    wrong = [number for number in numbers if not FIRST_PATH <= number <= LAST_PATH]
    if wrong:
        raise NamingError(
            "this is no path's number",
            str(wrong[0]),
            allowed=f"{FIRST_PATH} to {LAST_PATH}",
            next_step="Give the path a number in this range.",
        )
    if len(set(numbers)) < len(paths) or len(set(names)) < len(paths):
        raise NamingError(
            "two paths have the same number or name",
            ", ".join(f"{path.name!r}" for path in paths),
            next_step="Give each path a number and a name of its own.",
        )


def _stored_name(path: SavedPath) -> bytes:
    return path.raw_name or encode_name(path.name)


def _content(path: SavedPath) -> bytes:
    return encode_records(path.subpaths, starts_filled=path.starts_filled)


def _clipping_content(path: SavedPath) -> bytes:
    """Return the name, a flatness of 0 (the default of the output device) and the fill rule."""
    return pascal(_stored_name(path)) + struct.pack(">IH", 0, 2 if path.clip_rule is FillRule.WINDING else 1)
