"""Answer the viewer's requests for a shot's pictures, in tiles: its edit, its master, and overlays of the edit.

An overlay is a picture of what a check has measured. The addresses:

    /{client}/{batch}/{shot}/{kind}/{digest}/...
    picture.json                   the picture's width, height and levels (sizes)
    prefetch                       asks the desk to make the tiles before they are needed
    {level}/{column}_{row}.webp    a tile
    overlays.json                  of an edit: its overlays and their addresses
    overlays/{key}/guides.json     for each platform: the frame, and how far the product should fill it
    overlays/{key}/{overlay}/...   picture.json and tiles of an overlay

``{kind}`` is ``edit``, ``master`` or ``machine``; ``{digest}`` is the beginning of the picture's hash, so nobody can
guess an address; ``{key}`` is a hash of all that the overlays are made from. The content of an address never changes,
so a browser may keep it for ever. Only ``overlays.json`` can change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from desk.pictures import overlays, previews
from desk.pictures.overlays import Sources
from desk.pictures.packs import FOLDER, FOR_EVER, Packs, own_pictures
from desk.pictures.previews import Found, Pictures
from packshot.errors import PackshotError, TransientError
from packshot.looking.overlays import Overlay
from packshot.looking.pack import Pack, Tile
from packshot.record import ShotRecord

AGAIN = {"Cache-Control": "private, no-cache"}
_PICTURE = "/{client}/{batch}/{shot}/{kind}/{digest}"
_OVERLAY = f"{_PICTURE}/overlays/{{key}}"
TILE = "{level:int}/{column:int}_{row:int}.webp"

Allows = Callable[[Request, ShotRecord], bool]
"""Whether the person of a request may see a shot."""


def routes(shown: Pictures | None = None, *, allows: Allows = lambda request, record: True) -> list[Route]:
    """Return the routes at which a viewer asks for tiles of pictures and overlays, to be mounted below one folder.

    Args:
        shown: the desk's pictures; None makes them from the settings.
        allows: called with the request and the shot's record; returns whether the person of the request may see the
            shot. If not, the answer is 404. By default everybody may.
    """
    doors = _Doors(shown or own_pictures(), allows)
    return [
        Route(f"{_PICTURE}/picture.json", doors.picture),
        Route(f"{_PICTURE}/prefetch", doors.prefetch),
        Route(f"{_PICTURE}/{TILE}", doors.tile),
        Route(f"{_PICTURE}/overlays.json", doors.overlays),
        Route(f"{_OVERLAY}/guides.json", doors.guides),
        Route(f"{_OVERLAY}/{{overlay}}/picture.json", doors.overlay),
        Route(f"{_OVERLAY}/{{overlay}}/{TILE}", doors.overlay_tile),
    ]


class _RefusedError(Exception):
    """An address that leads nowhere, with the answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.answer = PlainTextResponse(f"{words}\n", status_code=status)


class _Doors:
    """The endpoints. What reads storage or disk runs in threads."""

    def __init__(self, shown: Pictures, allows: Allows) -> None:
        self._pictures, self._packs, self._allows = shown, Packs(shown), allows

    async def picture(self, request: Request) -> Response:
        """Return a picture's width, height and levels (sizes) as JSON. The answer waits until its tiles are made."""
        return await self._answer(request, self._picture)

    async def tile(self, request: Request) -> Response:
        """Return one tile of a picture, as WebP. The address has the tile's level, column and row."""
        return await self._answer(request, self._tile)

    async def prefetch(self, request: Request) -> Response:
        """Begin to make a picture's tiles, and answer at once: 202; or 429 if too many others are being made."""
        return await self._answer(request, self._prefetch)

    async def overlays(self, request: Request) -> Response:
        """Return as JSON which overlays an edit has (``overlays``), and the folder of their addresses (``address``).

        Both are empty if the picture is not an edit.
        """
        return await self._answer(request, self._overlays)

    async def guides(self, request: Request) -> Response:
        """Return as JSON, for each platform, the boxes that show its frame and how far the product should fill it."""
        return await self._answer(request, self._guides)

    async def overlay(self, request: Request) -> Response:
        """Return an overlay's size, levels, measurements, and a sentence for people, as JSON.

        The answer waits until the overlay's tiles are made.
        """
        return await self._answer(request, self._overlay)

    async def overlay_tile(self, request: Request) -> Response:
        """Return one tile of an overlay, as WebP; or a transparent GIF of one pixel if the tile shows nothing."""
        return await self._answer(request, self._overlay_tile)

    async def _answer(self, request: Request, answer: Callable[[Request, Found], Awaitable[Response]]) -> Response:
        try:
            return await answer(request, await run_in_threadpool(self._find, request))
        except _RefusedError as refused:
            return refused.answer
        except TransientError as error:
            return PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "2"})
        except PackshotError as error:
            return PlainTextResponse(f"{error}\n", status_code=404)
        except OSError as error:
            words = (
                f"The tiles could not be kept in {FOLDER}/ of the scratch folder: {error.strerror}. Make room there."
            )
            return PlainTextResponse(f"{words}\n", status_code=503)

    def _find(self, request: Request) -> Found:
        found = self._pictures.find(**{name: request.path_params[name] for name in _NAMES})
        if found is None or not self._allows(request, found.record):
            raise _RefusedError(
                404, "There is no such picture, or the shot has another one by now: load its page again."
            )
        return found

    async def _picture(self, request: Request, found: Found) -> Response:
        told = await self._packs.described(previews.tiles_name(found), lambda: previews.make_tiles(found))
        return JSONResponse(told, headers=FOR_EVER)

    async def _tile(self, request: Request, found: Found) -> Response:
        data = await self._bytes(request, previews.tiles_name(found), lambda: previews.make_tiles(found))
        return Response(data, media_type="image/webp", headers=FOR_EVER)

    async def _prefetch(self, request: Request, found: Found) -> Response:
        name = previews.tiles_name(found)
        taken = await run_in_threadpool(self._pictures.ahead, name, lambda: previews.make_tiles(found))
        return Response(status_code=202 if taken else 429, headers={"Cache-Control": "no-store"})

    async def _overlays(self, request: Request, found: Found) -> Response:
        sources = overlays.sources_of(found)
        listed = sources.overlays if sources else []
        address = f"overlays/{sources.key}" if sources else ""
        return JSONResponse({"address": address, "overlays": listed}, headers=AGAIN)

    async def _guides(self, request: Request, found: Found) -> Response:
        sources = _sources(request, found)
        return JSONResponse(await run_in_threadpool(overlays.guides_of, sources), headers=FOR_EVER)

    async def _overlay(self, request: Request, found: Found) -> Response:
        name, make = _overlay(request, found)
        return JSONResponse(await self._packs.described(name, make), headers=FOR_EVER)

    async def _overlay_tile(self, request: Request, found: Found) -> Response:
        name, make = _overlay(request, found)
        data = await self._bytes(request, name, make)
        return Response(data or _NOTHING, media_type="image/webp" if data else "image/gif", headers=FOR_EVER)

    async def _bytes(self, request: Request, name: str, make: Callable[[], Pack]) -> bytes:
        tile = Tile(*(request.path_params[part] for part in Tile._fields))
        try:
            return await self._packs.tile(name, make, tile)
        except KeyError:
            raise _RefusedError(404, "The picture has no such tile.") from None


_NAMES = ("client", "batch", "shot", "kind", "digest")
_NOTHING = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b")
"""A transparent GIF of one pixel, for a tile that shows nothing."""


def _sources(request: Request, found: Found) -> Sources:
    sources = overlays.sources_of(found)
    if sources is None or request.path_params["key"] != sources.key:
        raise _RefusedError(404, "There are no such overlays, or the shot has others by now: load its page again.")
    return sources


def _overlay(request: Request, found: Found) -> tuple[str, Callable[[], Pack]]:
    sources = _sources(request, found)
    named = request.path_params["overlay"]
    if named not in sources.overlays:
        raise _RefusedError(404, f"There is no such overlay; there are {', '.join(sources.overlays)}.")
    overlay = Overlay(named)
    return overlays.tiles_name(sources, overlay), lambda: overlays.make_overlay(sources, overlay)
