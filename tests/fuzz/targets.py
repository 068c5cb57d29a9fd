"""What reads bytes that others wrote, with seeds: files of known kinds, drawn small.

A reader may return or refuse; whatever else it raises is a fault.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import tifffile
from PIL import Image
from pydantic import ValidationError

from packshot.errors import PackshotError, RecordDamagedError
from packshot.formats.container import DamagedError
from packshot.formats.headers import read_container
from packshot.formats.sniff import PICTURES, detect
from packshot.handoff.ticket import JobTicket
from packshot.ingest.decode import open_photo
from packshot.ingest.manifest import read_manifest
from packshot.ingest.metadata import Metadata, read_metadata, with_sidecar
from packshot.naming import (
    batch_from_drop_key,
    batch_from_ready_key,
    batch_from_record_key,
    batch_id,
    path_in_inbox,
    path_trouble,
    shot_from_returned_key,
)
from packshot.outcomes.exports import Export
from packshot.outcomes.orders import read_orders
from packshot.record import ShotRecord, Source
from packshot.returned.read import read_returned
from packshot.specs.models import IngestConfig
from packshot.stored import read_stored
from tasks.handovers import KINDS
from tasks.results import PlainSerializer, _is_ours

REFUSED = (PackshotError, DamagedError)
SIDE = 48
LIMITS = IngestConfig(
    min_px=1, max_pixels=4_000_000, max_decoded_bytes=40_000_000, max_scanned_pixels=40_000_000, max_bytes=2_000_000
)
BATCH = batch_id("acme", "spring")
XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"><dc:subject><rdf:Bag><rdf:li>spring</rdf:li>
<rdf:li>A1_MAIN</rdf:li></rdf:Bag></dc:subject><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">A kettle</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
MANIFEST = 'file,sku,category,services\nA1.jpg,A1,boxes,dust_removal\n"B,1.jpg",B1,kettels,\n'
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
    """Files of the usual kinds, with a profile, XMP or transparency in some."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    rgb, rgba = Image.fromarray(pixels), Image.fromarray(np.dstack([pixels, pixels[..., :1]]))
    found = [
        _saved(rgb, "JPEG", quality=80, xmp=XMP),
        _saved(rgb, "JPEG", progressive=True),
        _saved(rgb.convert("CMYK"), "JPEG"),
        _saved(rgba, "PNG"),
        _saved(rgb.convert("P"), "PNG"),
        _saved(rgba, "WEBP", lossless=True, xmp=XMP),
        _saved(rgb, "GIF"),
        _saved(rgb, "BMP"),
        _saved(rgb, "TIFF", compression="tiff_lzw"),
    ]
    return [*found, *tiffs()]


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@cache
def tiffs() -> list[bytes]:
    pixels = np.random.default_rng(2).integers(0, 65536, (SIDE, SIDE, 4), np.uint16)
    found = []
    for kept, extra in ((pixels[..., :3], None), (pixels, ["unassalpha"])):
        stream = io.BytesIO()
        tifffile.imwrite(stream, kept, photometric="rgb", extrasamples=extra, compression="deflate")
        found.append(stream.getvalue())
    return found


@cache
def documents() -> list[bytes]:
    """A flat Photoshop document with a path's resource, beside TIFFs and a PNG."""
    pixels = np.zeros((3, SIDE, SIDE), np.uint8)
    resources = b"8BIM" + (2000).to_bytes(2, "big") + b"\x00\x00" + (26).to_bytes(4, "big") + bytes(26)
    head = b"8BPS\x00\x01" + bytes(6) + (3).to_bytes(2, "big") + SIDE.to_bytes(4, "big") * 2 + b"\x00\x08\x00\x03"
    body = bytes(4) + len(resources).to_bytes(4, "big") + resources + bytes(4) + b"\x00\x00" + pixels.tobytes()
    return [head + body, *tiffs(), pictures()[3]]


def _containers(data: bytes) -> None:
    for kind in PICTURES:
        try:
            found = read_container(data, kind)
        except DamagedError:
            continue
        read_metadata(found)


def _manifest(data: bytes) -> None:
    read_manifest(data, name="manifest.csv")


def _tables(data: bytes) -> None:
    for name in ("orders.csv", "orders.parquet"):
        try:
            read_orders([Export(name, data)], return_days=30, image_reasons=("colour",))
        except PackshotError:
            continue


@cache
def tables() -> list[bytes]:
    stream = io.BytesIO()
    pd.read_csv(io.StringIO(ORDERS)).to_parquet(stream)
    return [ORDERS.encode(), ORDERS.replace(",", ";").encode("utf-16"), stream.getvalue()]


def ticket() -> list[bytes]:
    fields = {
        "client": "acme",
        "batch": "spring",
        "shot": "A1",
        "title": "A1",
        "picture": "ab",
        "size_px": [SIDE, SIDE],
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
    "photographs": Target(lambda data: open_photo(data, name="a", limits=LIMITS), pictures),
    "XMP": Target(lambda data: with_sidecar(Metadata(), data), lambda: [XMP, XMP.decode().encode("utf-16")]),
    "manifest": Target(_manifest, lambda: [MANIFEST.encode(), MANIFEST.replace(",", "\t").encode("utf-16")]),
    "tables": Target(_tables, tables),
    "returned work": Target(lambda data: read_returned(data, name="a.psd", limits=LIMITS), documents),
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
