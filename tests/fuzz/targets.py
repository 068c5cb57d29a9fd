"""What reads bytes that others wrote, with seeds: files of known kinds, drawn small.

A reader may return or refuse; whatever else it raises is a fault.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import pandas as pd
from pydantic import ValidationError

from packshot.colour.profile import ColourModel, check_profile, matrix_profile, profile_name, transfer_code
from packshot.colour.spaces import srgb_profile, working_profile
from packshot.errors import PackshotError, RecordDamagedError
from packshot.formats.av1 import stream_codes
from packshot.formats.blocks import join_blocks, split_blocks
from packshot.formats.channels import flat_transparency, saved_channels
from packshot.formats.container import Container, DamagedError
from packshot.formats.headers import read_container
from packshot.formats.hevc import configured_codes
from packshot.formats.jpeg_walk import look_for_damage
from packshot.formats.sniff import PICTURES, FileKind, detect
from packshot.handoff.ticket import JobTicket
from packshot.ingest.decode import open_photo
from packshot.ingest.manifest import read_manifest
from packshot.ingest.metadata import Metadata, metadata_findings, read_metadata, with_sidecar
from packshot.keys import (
    batch_from_drop_key,
    batch_from_ready_key,
    batch_from_record_key,
    path_in_inbox,
    shot_from_returned_key,
)
from packshot.naming import batch_id, path_trouble
from packshot.outcomes.exports import Export
from packshot.outcomes.golive import read_golive
from packshot.outcomes.orders import read_orders
from packshot.paths.model import SavedPath
from packshot.paths.rasterise import rasterise
from packshot.paths.read import choose_path, read_paths
from packshot.paths.records import decode_records, encode_records
from packshot.record import ShotRecord, Source
from packshot.returned.layers import layer_mattes
from packshot.returned.read import read_returned
from packshot.specs.models import IngestConfig
from packshot.stored import read_stored
from tasks.results.block import PlainSerializer, _is_ours
from tasks.results.handovers import KINDS
from tests.fuzz import files
from tests.packshot.formats import isobmff as bmff
from tests.packshot.paths.drawn_paths import circle, saved
from tests.packshot.sheets.books import workbook

REFUSED = (PackshotError, DamagedError)
LIMITS = IngestConfig(
    min_px=1, max_pixels=4_000_000, max_decoded_bytes=40_000_000, max_scanned_pixels=40_000_000, max_bytes=2_000_000
)
BATCH = batch_id("acme", "spring")
FORMATS: Mapping[FileKind, Callable[[], list[bytes]]] = {
    FileKind.JPEG: files.jpegs,
    FileKind.PNG: files.pngs,
    FileKind.WEBP: files.webps,
    FileKind.GIF: files.gifs,
    FileKind.BMP: files.bmps,
    FileKind.TIFF: files.tiffs,
    FileKind.PSD: files.documents,
    FileKind.HEIC: lambda: files.heifs(b"hvc1"),
    FileKind.AVIF: lambda: files.heifs(b"av01"),
    FileKind.JPEG_XL: files.jpeg_xls,
    FileKind.RAW: files.raws,
}
MANIFEST = 'file,sku,category,services\nA1.jpg,A1,boxes,dust_removal\n"B,1.jpg",B1,kettels,\n'
GOLIVE = "sku,date\nA1,2026-03-10\nB1,2026-03-21\n"
ORDERS = "order_id,order_date,sku,quantity,returned\n1,2026-03-01,A1,2,0\n2,2026-03-02,B1,1,1\n"


class Target(NamedTuple):
    """One reader.

    Attributes:
        read: takes the bytes.
        seeds: what it reads well.
        refused: what it may raise.
    """

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    refused: tuple[type[Exception], ...] = REFUSED


@cache
def pictures() -> list[bytes]:
    """A file of every format that is read."""
    return [data for seeds in FORMATS.values() for data in seeds()]


def _format(kind: FileKind) -> Callable[[bytes], object]:
    """Return the reader of a format: its header, its metadata, and its pixels as stored."""

    def read(data: bytes) -> None:
        found = read_container(data, kind)
        read_metadata(found)
        if detect(data) is kind:
            open_photo(data, name="a", limits=LIMITS)

    return read


def _containers(data: bytes) -> None:
    for kind in PICTURES:
        try:
            found = read_container(data, kind)
        except DamagedError:
            continue
        read_metadata(found)


def _profile(data: bytes) -> None:
    profile_name(data)
    transfer_code(data)
    matrix_profile(data)
    check_profile(data, model=ColourModel.RGB, subject="a")


def _exif(data: bytes) -> None:
    read_metadata(Container(exif=data))
    metadata_findings(Container(exif=data))


def _iptc(data: bytes) -> None:
    read_metadata(Container(iptc=data))
    metadata_findings(Container(iptc=data))


def _xmp(data: bytes) -> None:
    with_sidecar(Metadata(), data)
    metadata_findings(Container(xmp=data))


def _resources(data: bytes) -> None:
    join_blocks(split_blocks(data).blocks)


def _paths(data: bytes) -> None:
    found = choose_path(read_paths(data, name="a"), prefer="Product").path
    if found is not None:
        rasterise(found, files.SIDE, files.SIDE)


def _records(data: bytes) -> None:
    read = decode_records(data)
    rasterise(SavedPath("", 0, read.subpaths, starts_filled=read.starts_filled), files.SIDE, files.SIDE)


def _channels(data: bytes) -> None:
    photo = open_photo(data, name="a", limits=LIMITS)  # as `read_returned` does first
    container = read_container(data, photo.kind)
    damage = saved_channels(data, photo.kind, container).damage
    if photo.kind is FileKind.PSD and not damage:
        flat_transparency(data, container)


def _manifest(data: bytes) -> None:
    read_manifest(data, name="manifest.csv")


def _orders(name: str) -> Callable[[bytes], object]:
    return lambda data: read_orders([Export(name, data)], return_days=30, image_reasons=("colour",))


def _golive(name: str) -> Callable[[bytes], object]:
    return lambda data: read_golive(Export(name, data))


def parquet() -> list[bytes]:
    stream = io.BytesIO()
    pd.read_csv(io.StringIO(ORDERS)).to_parquet(stream)
    return [stream.getvalue()]


def typed(text: str) -> list[bytes]:
    """The table as text in three dialects, German dates and decimal commas among them."""
    semicolons = text.replace(",", ";")
    german = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", semicolons)
    return [text.encode(), semicolons.encode("utf-16"), b"sep=;\r\n" + german.replace(";2;", ";2,00;").encode("cp1252")]


def books(text: str) -> list[bytes]:
    """The table as Excel workbooks: the archive as it is, and with its parts stored, so that changes reach the XML."""
    rows = [list(row) for row in csv.reader(io.StringIO(text))]
    packed = workbook(rows)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as there, zipfile.ZipFile(stream, "w") as plain:
        for name in there.namelist():
            plain.writestr(name, there.read(name))
    return [packed, stream.getvalue()]


def _book_part(data: bytes) -> None:
    """Read a workbook of which one part was changed, with its checksum right: what a hostile writer would send."""
    (number,) = data[:1] or b"\0"
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(books(ORDERS)[0])) as there, zipfile.ZipFile(stream, "w") as changed:
        names = there.namelist()
        for at, name in enumerate(names):
            changed.writestr(name, data[1:] if at == number % len(names) else there.read(name))
    _orders("orders.xlsx")(stream.getvalue())


@cache
def book_parts() -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(books(ORDERS)[0])) as there:
        return [bytes([at]) + there.read(name) for at, name in enumerate(there.namelist())]


def ticket() -> list[bytes]:
    fields = {
        "client": "acme",
        "batch": "spring",
        "shot": "A1",
        "title": "A1",
        "picture": "ab",
        "size_px": [files.SIDE, files.SIDE],
    }
    at = datetime(2026, 3, 1, tzinfo=UTC).isoformat()
    times = dict.fromkeys(("issued_at", "due_at", "links_expire_at"), at)
    work = {"round": 1, "why": "hair", "services": [], "tier": "basic", "tier_why": "little", "take": []}
    rest = {"put_back_into": "jobs/acme/spring/A1/returned/", "facts": {}, "platforms": [], "colour": {}}
    made = JobTicket.model_validate_json(json.dumps({**fields, **times, **work, **rest}))
    return [made.model_dump_json().encode()]


def _keys(data: bytes) -> None:
    key = data.decode(errors="surrogateescape")
    path_trouble(key)
    for read in (batch_from_ready_key, batch_from_record_key, batch_from_drop_key, shot_from_returned_key):
        try:
            read(key)
        except PackshotError:
            continue
    path_in_inbox(BATCH, key)


def _results(data: bytes) -> None:
    if _is_ours(data):
        PlainSerializer().loads(data)
    PlainSerializer().loads(data)


def results() -> list[bytes]:
    record = ShotRecord(shot=BATCH.shot("A1"), source=Source(key="k", sha256="", size_bytes=1))
    kinds = [json.dumps({"kind": kind, "value": {"shot": record.shot.model_dump()}}).encode() for kind in KINDS]
    return [PlainSerializer().dumps({"a": [1, None, "x"]}), PlainSerializer().dumps(ValueError("x")), *kinds]


KEYS = [
    b"inbox/acme/spring/READY",
    b"jobs/acme/spring/A1/returned/Ada/A1.tif",
    b"jobs/acme/spring/_returned/A1.tif",
    b"batches/acme/spring/batch.json",
    b"inbox/%2e%2e/a b/READY",
]

TARGETS: Mapping[str, Target] = {
    "sniffing": Target(detect, pictures),
    "containers": Target(_containers, pictures),
    **{f"format {kind}": Target(_format(kind), seeds) for kind, seeds in FORMATS.items()},
    "JPEG codes": Target(look_for_damage, files.sequential_jpegs),
    "progressive JPEG codes": Target(look_for_damage, files.progressive_jpegs),
    "AV1 codes": Target(stream_codes, lambda: [bmff.picture(b"av01", files.pixels()).content]),
    "HEVC codes": Target(configured_codes, lambda: [files.hevc_configuration()], (IndexError,)),
    "photographs": Target(lambda data: open_photo(data, name="a", limits=LIMITS), pictures),
    "ICC profiles": Target(_profile, lambda: [srgb_profile(), working_profile()]),
    "EXIF": Target(_exif, lambda: [files.exif()]),
    "IPTC": Target(_iptc, lambda: [files.IPTC]),
    "XMP": Target(_xmp, lambda: [files.XMP, files.XMP.decode().encode("utf-16")]),
    "Photoshop resources": Target(_resources, lambda: [files.path_resources()]),
    "paths": Target(_paths, lambda: [files.jpegs()[0], files.pngs()[0], *files.tiffs(), *files.documents()]),
    "path records": Target(_records, lambda: [encode_records(saved(circle(0.5, 0.5, 0.3)).subpaths)]),
    "layers": Target(layer_mattes, files.documents),
    "channels": Target(_channels, lambda: [*files.tiffs(), *files.documents()]),
    "returned work": Target(
        lambda data: read_returned(data, name="a.psd", limits=LIMITS),
        lambda: [*files.documents(), *files.tiffs(), *files.jpegs(), *files.pngs()],
    ),
    "manifest, text": Target(_manifest, lambda: [*typed(MANIFEST), MANIFEST.replace(",", "\t").encode("utf-16")]),
    "manifest, Excel": Target(_manifest, lambda: books(MANIFEST)),
    "orders, text": Target(_orders("orders.csv"), lambda: typed(ORDERS)),
    "orders, Excel": Target(_orders("orders.xlsx"), lambda: books(ORDERS)),
    "orders, parts of Excel": Target(_book_part, book_parts),
    "orders, Parquet": Target(_orders("orders.parquet"), parquet),
    "go-live, text": Target(_golive("golive.csv"), lambda: typed(GOLIVE)),
    "go-live, Excel": Target(_golive("golive.xlsx"), lambda: books(GOLIVE)),
    "tickets": Target(JobTicket.model_validate_json, ticket, (ValidationError,)),
    "records": Target(
        lambda data: read_stored(ShotRecord, data, name="record.json"),
        lambda: [
            ShotRecord(shot=BATCH.shot("A1"), source=Source(key="k", sha256="", size_bytes=1))
            .model_dump_json()
            .encode()
        ],
        (RecordDamagedError,),
    ),
    "keys": Target(_keys, lambda: KEYS),
    "results": Target(_results, results, (ValueError,)),
}
"""Name -> reader. A serializer's result that is none counts as absent: ValueError is how it says so."""
