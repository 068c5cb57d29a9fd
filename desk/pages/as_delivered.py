"""Show, at 1:1, the file that each platform would get of an edit that is not yet signed off.

The code of the export makes the file, and nothing is delivered.

    /shots/{client}/{batch}/{shot}/as-delivered/{platform}                     the page
    /shots/{client}/{batch}/{shot}/as-delivered/{platform}/{key}/...           picture.json and tiles, for the viewer

A file is made when somebody first looks at it. Its tiles are kept on this machine's disk until nobody looks any more.
Nothing is written to the storage. If the export later makes other bytes, the delivery's own checks report it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import numpy as np
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk.pages.forms import person_of
from desk.pages.queues import place_of
from desk.pages.rendering import page, shot_in
from desk.pages.shots import readable_record
from desk.pictures.packs import FOR_EVER, Packs
from desk.pictures.previews import Pictures
from desk.pictures.tiles import TILE
from desk.work import showing
from desk.work.delivered import FORMATS, bytes_in_words, file_pack
from packshot import PIPELINE_VERSION, pipeline
from packshot.errors import ObjectMissingError
from packshot.export.labels import labels_of
from packshot.ingest.master import read_master
from packshot.looking.pack import Pack, Tile
from packshot.looking.pyramid import encode_picture, pack_of
from packshot.pipeline.exporting import Export, Rendition
from packshot.record import EDIT, ShotRecord
from packshot.types import Status
from tasks.processing.memory import room_for
from tasks.stages import stored_edits
from tasks.storage import shot_objects

GONE = "There is no such file, or the shot has another edit by now: load its page again."


class Meant(NamedTuple):
    """The file that one platform would get of a shot's edit if it were exported now.

    Attributes:
        record: the shot's record.
        platform: name of the platform.
        key: a hash of everything that the file is made from.
    """

    record: ShotRecord
    platform: str
    key: str


def routes(folder: str, shown: Pictures) -> list[Route]:
    """Return the routes of the files that platforms would get of an edit that is not signed off yet.

    Args:
        folder: the address of a shot, as a route's pattern: ``/shots/{client}/{batch}/{shot}``.
        shown: the desk's pictures, which make the tiles.
    """
    doors = _Doors(Packs(shown))
    own = f"{folder}/as-delivered/{{platform}}"
    return [
        Route(own, doors.page),
        Route(f"{own}/{{key}}/picture.json", doors.described),
        Route(f"{own}/{{key}}/{TILE}", doors.tile),
    ]


class _Doors:
    """The endpoints. What reads storage or renders runs in threads."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs

    async def page(self, request: Request) -> Response:
        """Return the page that shows the file which one platform would get. The answer waits until the file is made.

        Raises:
            HTTPException: 403: the person may not see the shot; 404: there is no such file; 409: it can't be made now.
        """
        meant = await _meant(request)
        try:
            made = await self._packs.described(meant.key, lambda: make(meant))
        except ObjectMissingError as error:
            raise HTTPException(409, f"This file cannot be made now: {error}") from None
        place = place_of(request)
        return page(
            request,
            "as_delivered",
            shot=meant.record.shot,
            queue=place.queue.value,
            query=place.query,
            platform=meant.platform,
            platforms=showing.platforms_of(meant.record),
            key=meant.key,
            made=made,
            kinds=json.dumps({"delivered": meant.key[: showing.DIGITS]}),
        )

    async def described(self, request: Request) -> Response:
        """Return the width, height and levels (sizes) of a platform's file as JSON, for the viewer.

        The answer waits until the file's tiles are made.

        Raises:
            HTTPException: 403: the person may not see the shot; 404: there is no such file.
        """
        meant = await _meant(request)
        return JSONResponse(await self._packs.described(meant.key, lambda: make(meant)), headers=FOR_EVER)

    async def tile(self, request: Request) -> Response:
        """Return one tile of a platform's file, as WebP. The address has the tile's level, column and row.

        Raises:
            HTTPException: 403: the person may not see the shot; 404: there is no such file or tile.
        """
        meant = await _meant(request)
        tile = Tile(*(request.path_params[part] for part in Tile._fields))
        try:
            data = await self._packs.tile(meant.key, lambda: make(meant), tile)
        except KeyError:
            raise HTTPException(404, "The picture has no such tile.") from None
        return Response(data, media_type="image/webp", headers=FOR_EVER)


async def _meant(request: Request) -> Meant:
    """Return the file that an address means.

    Raises:
        HTTPException: 403: the person may not see the shot; 404: there is no such file.
    """
    shot, platform = shot_in(request), request.path_params["platform"]
    record = await to_thread.run_sync(readable_record, shot)
    if not person_of(request).sees(record.state):
        raise HTTPException(403, "Your roles do not open this shot.")
    if platform not in [name for name, _ in showing.platforms_of(record)]:
        raise HTTPException(404, GONE)
    meant = Meant(record, platform, _key(record, platform))
    if request.path_params.get("key", meant.key) != meant.key:
        raise HTTPException(404, GONE)
    return meant


def _key(record: ShotRecord, platform: str) -> str:
    made_from = [record.objects[name] for name in showing.DELIVERED_FROM]
    told = json.dumps([*made_from, platform, PIPELINE_VERSION, stored_edits.known_of(record)], sort_keys=True)
    return f"{hashlib.sha256(told.encode()).hexdigest()[:32]}-as-delivered"


def make(meant: Meant) -> Pack:
    """Return the tiles of the file that a platform would get of an edit, as one pack.

    The pack has two further data for the page. ``files`` is a list with an entry for each file of the platform:
    ``name``, ``about`` (format and size in words), ``passed`` (True if it passed its checks) and ``remarks`` (sentences
    of the checks that warn or failed). ``why_not`` is empty, or says why a file cannot be made. If the platform has
    several files, the tiles are those of the first. If there is none, the tiles show one white pixel.

    Args:
        meant: the file to make.

    Raises:
        ObjectMissingError: the edit, its matte or its plan is gone, or was changed.
    """
    record = meant.record
    with room_for(record):
        plan = shot_objects.plan_of(record)
        only = tuple(one for one in plan.renditions if one.platform.name == meant.platform)
        export = pipeline.export(
            read_master(shot_objects.fetch(record, EDIT)),
            stored_edits.read_matte(shot_objects.fetch(record, "matte.png")),
            plan.model_copy(update={"renditions": only, "left_out": {}, "all_or_nothing": False}),
            known=stored_edits.known_of(record),
            labels=labels_of(plan, stored_edits.metadata_of(record)),
        )
        made = [*export.verified, *export.rejected]
        about = {"files": [_said(one) for one in made], "why_not": _why_not(export)}
        if not made:
            return pack_of([_NOTHING], encode_picture, about=about)
        return file_pack(made[0].rendered.encoded.data, name=made[0].path, about=about)


_NOTHING = np.full((1, 1, 3), 255, np.uint8)


def _said(one: Rendition) -> dict[str, Any]:
    encoded = one.rendered.encoded
    kind = FORMATS.get(encoded.extension, encoded.extension.upper())
    return {
        "name": one.path.rpartition("/")[2],
        "about": f"{kind}, {one.size.width} x {one.size.height} px, {bytes_in_words(len(encoded.data))}",
        "passed": one.rendered.passed,
        "remarks": [
            finding.message for finding in one.rendered.findings if finding.status in (Status.FAILED, Status.WARNING)
        ],
    }


def _why_not(export: Export) -> str:
    return " ".join(error.without_subject for error in export.failures.values())
