"""Describe a delivery to its client: pictures and files in plain words.

Scores, findings, runs and people's names are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from packshot import PIPELINE_VERSION
from packshot.colour.spaces import srgb_profile
from packshot.colour.transform import convert
from packshot.decision import Decision, answer_to
from packshot.errors import ObjectMissingError
from packshot.export.decoded import decode_delivered
from packshot.export.delivery import DeliveredFile, DeliverySummary, ShotSummary
from packshot.export.report_page import thumbnail
from packshot.handoff.rejecting import Delivered, rejected_in
from packshot.keys import delivery_key, delivery_summary_key
from packshot.looking.pack import Pack
from packshot.looking.pyramid import encode_picture, pack_of, picture_levels
from packshot.naming import BatchId
from packshot.record import ShotRecord, State, deliveries_of
from packshot.types import Size
from tasks.deliveries.share_links import handed_over
from tasks.processing.memory import room_for_file
from tasks.stages.stored_edits import thumbnail_name
from tasks.storage import shot_objects
from tasks.storage.bucket import open_storage

DIGITS = 16
"""Hex digits of a file's hash in addresses."""
_SUMMARIES_KEPT, _SMALL_KEPT = 16, 512
FORMATS = {"jpeg": "JPEG", "jpg": "JPEG", "webp": "WebP", "png": "PNG", "tiff": "TIFF", "tif": "TIFF"}


class File(NamedTuple):
    """One delivered file, as its client sees it.

    Attributes:
        path: relative to the delivery's folder: ``<platform>/<name>``.
        key: the file's key in storage.
        sha256: hash of the file, hex.
        size: width and height in pixels.
        name: its name without folders.
        platform: name of the platform as people write it, for example ``Amazon main``.
        about: format, size in pixels and in bytes, in words: ``JPEG, 2000 x 2000 px, 1.2 MB``.
    """

    path: str
    key: str
    sha256: str
    size: Size
    name: str
    platform: str
    about: str

    @property
    def digest(self) -> str:
        """The first 16 hex digits (`DIGITS`) of the SHA-256 of the file's bytes. They stand for the file in the
        addresses of the desk's pages.
        """
        return self.sha256[:DIGITS]


class Picture(NamedTuple):
    """One photograph of a delivery with its files, as its client sees it.

    Attributes:
        shot: the shot's name.
        name: the product's SKU; without one, the name of the client's file.
        view: the view of the product, such as ``MAIN``; empty if it is not known.
        corrects: number of the earlier delivery whose picture this one replaces; None if there is none.
        files: at least one, sorted by path.
    """

    shot: str
    name: str
    view: str
    corrects: int | None
    files: tuple[File, ...]

    @property
    def title(self) -> str:
        """The picture's name and view, as the client reads them: ``BTL201 MAIN``."""
        return f"{self.name} {self.view}".strip()


class Status(NamedTuple):
    """What has happened to a picture since it was delivered, in a client's words.

    Attributes:
        words: a sentence; empty if nothing has happened.
        may_be_sent_back: whether the client can send it back now.
        was_sent_back: whether the client has sent it back from this delivery.
    """

    words: str
    may_be_sent_back: bool
    was_sent_back: bool = False


class Sight(NamedTuple):
    """A delivery as its client sees it, without scores, findings or people's names.

    Attributes:
        batch: the batch.
        number: the delivery's number in its batch.
        day: when it was delivered, for example 2026-03-01.
        pictures: those that have files in this delivery, sorted by name and view.
    """

    batch: BatchId
    number: int
    day: str
    pictures: tuple[Picture, ...]

    @property
    def files(self) -> list[tuple[Picture, File]]:
        """Every file of the delivery with its picture, in the order of the pages."""
        return [(picture, file) for picture in self.pictures for file in picture.files]

    def find(self, digest: str) -> tuple[Picture, File] | None:
        """Return (the picture, the file) whose hash begins with these digits; None if the delivery has no such file.

        Args:
            digest: the first 16 hex digits of the file's hash, as in addresses.
        """
        if len(digest) != DIGITS:
            return None
        return next((one for one in self.files if one[1].digest == digest), None)


def sight_of(batch: BatchId, number: int) -> Sight:
    """Return a delivery as its client sees it: its pictures and files, without scores, findings or people's names.

    Args:
        batch: the batch.
        number: number of the delivery in its batch.

    Raises:
        TerminalError: there is no such delivery.
        ObjectMissingError: the batch or the delivery's summary is gone.
    """
    return _sight(batch, number, handed_over(batch, number).certificate_sha256)


@lru_cache(_SUMMARIES_KEPT)
def _sight(batch: BatchId, number: int, certificate_sha256: str) -> Sight:
    """Return what a client sees of a delivery that never changes any more."""
    summary = DeliverySummary.model_validate_json(open_storage().get(delivery_summary_key(batch, number)))
    shown = [_picture(batch, number, one) for one in summary.shots if one.files]
    ordered = sorted(shown, key=lambda one: (one.name, one.view, one.shot))
    return Sight(batch, number, f"{summary.at:%Y-%m-%d}", tuple(ordered))


def _picture(batch: BatchId, number: int, shot: ShotSummary) -> Picture:
    name = shot.fact("sku") or shot.file.rpartition("/")[2]
    files = tuple(_file(batch, number, one) for one in sorted(shot.files, key=lambda one: one.path))
    return Picture(shot.shot, name, shot.fact("view"), shot.corrects, files)


def _file(batch: BatchId, number: int, file: DeliveredFile) -> File:
    kind = FORMATS.get(file.format, file.format.upper())
    return File(
        path=file.path,
        key=delivery_key(batch, number, file.path),
        sha256=file.sha256,
        size=file.size,
        name=file.path.rpartition("/")[2],
        platform=file.platform.replace("_", " ").replace("-", " ").capitalize(),
        about=f"{kind}, {file.size.width} x {file.size.height} px, {bytes_in_words(file.size_bytes)}",
    )


def bytes_in_words(count: int) -> str:
    """Return a file size as people write it: ``1.2 MB``; below a megabyte ``340 kB``, at least ``1 kB``.

    Args:
        count: number of bytes.
    """
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


def status_of(record: ShotRecord | None, number: int) -> Status:
    """Return what has happened to a picture since it was delivered, and whether its client can send it back now.

    The client can send it back if nothing has happened to it since: the shot is in no later delivery, it was not
    sent back from this delivery, and nobody works on the shot.

    Args:
        record: the shot's record as it is now; None if it can't be read. Then the client can't send the picture back.
        number: number of the delivery in its batch.
    """
    if record is None:
        return Status("", may_be_sent_back=False)
    told = rejected_in(record, number)
    later = [one for one in deliveries_of(record) if one > number]
    if later:
        return Status(f"Corrected in delivery {later[-1]}.", may_be_sent_back=False, was_sent_back=told is not None)
    if told:
        return Status(_since(told, record), may_be_sent_back=False, was_sent_back=True)
    if record.state is not State.DELIVERED:
        return Status("It is being worked on, and comes in a later delivery.", may_be_sent_back=False)
    return Status("", may_be_sent_back=True)


def _since(told: Decision, record: ShotRecord) -> str:
    """Return what has happened since a client sent a picture back, in a client's words."""
    sent = f"Sent back on {told.at:%Y-%m-%d}"
    answer = answer_to(told, record.decisions)
    if answer:
        looked = f"{sent}. We looked at it again on {answer.at:%Y-%m-%d}, and it stays as it is"
        return f"{looked}: {answer.note}"
    if record.state is State.REFUSED:
        return f"{sent}. It cannot be corrected from this photograph; we will talk to you."
    return f"{sent}. It is being corrected, and comes in a later delivery."


def seen_file(number: int, file: File) -> Delivered:
    """Return a delivered file as a shot's record names it when a client sends its picture back: number, path and hash.

    Args:
        number: number of the delivery in its batch.
        file: the file.
    """
    return Delivered(number=number, path=file.path, sha256=file.sha256)


def tiles_name(file: File) -> str:
    """Return the name under which a delivered file's tiles are kept on this machine's disk (`TileShelf`).

    It is ``<hash>-delivered-<pipeline version>``, with the first 32 hex digits of the file's SHA-256.
    """
    return f"{file.sha256[:32]}-delivered-{PIPELINE_VERSION}"


def make_tiles(file: File) -> Pack:
    """Return the tiles of a delivered file as one pack, decoded as a browser decodes it.

    Args:
        file: the delivered file.

    Raises:
        ObjectMissingError: the file is gone, or was changed.
    """
    data = _fetched(file)
    with room_for_file(3 * file.size.width * file.size.height):
        return file_pack(data, name=file.name)


def file_pack(data: bytes, *, name: str, about: Mapping[str, Any] = MappingProxyType({})) -> Pack:
    """Return the tiles of a picture file as one pack, decoded as a browser decodes it and converted to sRGB.

    Args:
        data: the whole file.
        name: the file's name, for messages.
        about: further data for the viewer, as plain JSON.
    """
    photo = decode_delivered(data, name=name).photo
    shown = convert(photo.pixels, source=photo.icc or srgb_profile(), target=srgb_profile(), bit_depth=8)
    pixels = shown if shown.ndim == 3 else np.repeat(shown[:, :, None], 3, axis=2)
    return pack_of(picture_levels(np.ascontiguousarray(pixels)), encode_picture, about=about)


class Small:
    """Makes and remembers small pictures of delivered files.

    For each shot the storage has the small pictures of its last delivery. Those of earlier deliveries are made when
    somebody asks for them.
    """

    def __init__(self) -> None:
        self._made = lru_cache(_SMALL_KEPT)(_made_small)

    def of(self, file: File, record: ShotRecord | None) -> bytes:
        """Return a small picture of a delivered file, at most 112 px on its longest side, as the bytes of a WebP.

        Args:
            file: the delivered file.
            record: the shot's record, by which a stored small picture is found; None if it can't be read.

        Raises:
            ObjectMissingError: the file is gone, or was changed.
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        if record is not None and _has(record, file):
            try:
                return shot_objects.fetch(record, thumbnail_name(file.path))
            except ObjectMissingError:
                pass  # it is made anew
        return self._made(file)


def _has(record: ShotRecord, file: File) -> bool:
    files: Iterable[Mapping[str, str]] = record.reports.get("export", {}).get("files", ())
    return thumbnail_name(file.path) in record.objects and any(
        (one["path"], one["sha256"]) == (file.path, file.sha256) for one in files
    )


def _made_small(file: File) -> bytes:
    return thumbnail(_fetched(file))


def _fetched(file: File) -> bytes:
    data = open_storage().get(file.key)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ObjectMissingError(
            "the delivered file was changed", file.key, next_step="Restore it from the bucket's versions."
        )
    return data
