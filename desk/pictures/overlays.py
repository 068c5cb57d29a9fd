"""List the overlays of an edit (pictures of what a check has measured), each with a sentence, and make their tiles."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from desk.pictures.previews import Found
from packshot import PIPELINE_VERSION
from packshot.ingest.master import read_master
from packshot.looking import overlays
from packshot.looking.guides import guides
from packshot.looking.overlays import SEEN_DELTA_E, Overlay, Shown
from packshot.looking.pack import Pack
from packshot.looking.pyramid import pack_of, value_levels
from packshot.looking.shades import encode_overlay
from packshot.record import EDIT, ShotRecord
from packshot.types import Matte
from tasks.processing.memory import room_for
from tasks.stages import stored_edits
from tasks.storage import shot_objects

MATTE = "matte.png"


class Sources(NamedTuple):
    """The pictures from which the overlays of an edit are made. An overlay shows where a check measured something.

    Attributes:
        record: the shot's record.
        master: object name of the picture that was edited, such as ``master.tif``.
        key: hash of all these pictures and of the reference, for the overlays' address.
        reference: the colour reference as the manifest names it; empty if there is none, or if it gives no single
            colour.
        lab: CIE L*a*b* (D50) of the reference; empty if there is none.
    """

    record: ShotRecord
    master: str
    key: str
    reference: str = ""
    lab: tuple[float, ...] = ()

    @property
    def overlays(self) -> list[Overlay]:
        """The overlays that can be made of the edit: all kinds, in the order of `Overlay`.

        Only `Overlay.REFERENCE` is left out if there is no reference colour.
        """
        return [one for one in Overlay if one is not Overlay.REFERENCE or self.lab]


def sources_of(found: Found) -> Sources | None:
    """Return the pictures from which the overlays of an edit are made.

    The result is None if the picture is not an edit, or if its shot has no matte.

    Args:
        found: a picture of a shot.
    """
    record = found.record
    if found.name != EDIT or MATTE not in record.objects:
        return None
    master = stored_edits.picture_to_edit(record)
    group = stored_edits.group_of(record)
    lab = tuple(group.reference_lab) if group and group.reference_lab else ()
    pictures = (record.objects.get(name, "") for name in (EDIT, MATTE, master, "plan.json"))
    told = "-".join([*pictures, PIPELINE_VERSION, *map(str, lab)])
    key = hashlib.sha256(told.encode()).hexdigest()[:32]
    return Sources(record, master, key, group.reference if group and lab else "", lab)


def tiles_name(sources: Sources, overlay: Overlay) -> str:
    """Return the name under which an overlay's tiles are kept on this machine's disk (`TileShelf`).

    It is the hash of the sources and the overlay's name, such as ``<hash>-halo``.
    """
    return f"{sources.key}-{overlay}"


def make_overlay(sources: Sources, overlay: Overlay) -> Pack:
    """Return the tiles of an overlay as a pack, with its measurements and a sentence for people.

    The pack's further data are ``sentence`` and four numbers. ``count`` is the number of pixels that the overlay shows,
    and ``compared`` the number that was looked at. ``worst`` is the greatest difference, in delta E 2000 or, for
    `Overlay.OFF_WHITE`, in levels below white. ``box`` is the worst place: (left, top, width, height) in pixels of the
    edit, or None.

    Args:
        sources: the pictures from which it is made.
        overlay: which overlay.

    Raises:
        ObjectMissingError: one of the pictures is gone, or was changed.
    """
    with room_for(sources.record):
        shown = _shown(sources, overlay)
        levels = value_levels(shown.values, spread=overlay is Overlay.OFF_WHITE)
    about = {
        "count": shown.count,
        "compared": shown.compared,
        "worst": shown.worst,
        "box": _corner_and_size(shown.box) if shown.box else None,
        "sentence": sentence(overlay, shown, reference=sources.reference),
    }
    return pack_of(levels, lambda tile: encode_overlay(tile, overlay), about=about)


def guides_of(sources: Sources) -> list[dict[str, Any]]:
    """Return the guide lines for the framing of an edit, one item for each platform, as plain JSON.

    Each item has ``platform``, ``sentence``, and three boxes: ``frame`` (what becomes the platform's canvas), ``fill``
    (what the product should just fill) and ``product`` (where the product is). Boxes are (left, top, width, height) in
    pixels of the edit. The result is empty if the matte holds no product.

    Args:
        sources: the pictures of the edit.

    Raises:
        ObjectMissingError: the matte or the plan is gone, or was changed.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    told = guides(_matte(sources), shot_objects.plan_of(sources.record).renditions)
    return [
        {
            "platform": one.platform,
            **{name: _corner_and_size(getattr(one, name)) for name in ("frame", "fill", "product")},
            "sentence": f"The product fills {one.fill_ratio:.1%} of the frame, {one.wanted_fill_ratio:.1%} was "
            f"ordered; it is delivered with {one.canvas} px.",
        }
        for one in told
    ]


def sentence(overlay: Overlay, shown: Shown, *, reference: str = "") -> str:
    """Return a sentence that tells a person what an overlay shows.

    Example: ``All 5,000,000 background pixels are exactly white.``

    Args:
        overlay: which overlay.
        shown: its measurements.
        reference: the colour reference as the manifest names it; needed by `Overlay.REFERENCE` only.
    """
    worst = f"{shown.worst:.1f}"
    if overlay is Overlay.OFF_WHITE:
        if not shown.count:
            return f"All {shown.compared:,} background pixels are exactly white."
        off = "1 background pixel is" if shown.count == 1 else f"{shown.count:,} background pixels are"
        return f"{off} not exactly white, by up to {worst} levels of 255."
    if overlay is Overlay.MATTE_EDGE:
        return "The line along which the cut-out is half transparent; it is one pixel wide, on the product's side."
    where = "along the outline" if overlay is Overlay.HALO else "inside the product"
    if overlay is Overlay.REFERENCE:
        where = f"{where}, compared with the reference {reference} without light and shade,"
    if not shown.compared:
        return f"Nothing could be compared {where.rstrip(',')}."
    if not shown.count:
        return f"No pixel {where} is off by delta E {SEEN_DELTA_E:g} or more; the worst is off by {worst}."
    return f"{shown.count:,} pixels {where} are off by delta E {SEEN_DELTA_E:g} or more, the worst by {worst}."


def _shown(sources: Sources, overlay: Overlay) -> Shown:
    matte = _matte(sources)
    if overlay is Overlay.MATTE_EDGE:
        return overlays.matte_edge(matte)
    edit = read_master(shot_objects.fetch(sources.record, EDIT))
    if overlay is Overlay.OFF_WHITE:
        return overlays.off_white(edit, matte, shadow=shot_objects.plan_of(sources.record).rules.shadow)
    if overlay is Overlay.HALO:
        return overlays.halo(edit, matte)
    if overlay is Overlay.REFERENCE:
        return overlays.reference_colour(edit, matte, sources.lab)
    return overlays.colour(edit, read_master(shot_objects.fetch(sources.record, sources.master)), matte)


def _matte(sources: Sources) -> Matte:
    return stored_edits.read_matte(shot_objects.fetch(sources.record, MATTE))


def _corner_and_size(box: tuple[int, int, int, int]) -> list[int]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]
