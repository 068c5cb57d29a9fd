"""Show a client the pages behind a share link: one delivery, and nothing else.

    /shared/{token}                              all pictures
    /shared/{token}/{digest}                     one file, at 1:1
    /shared/{token}/{digest}/send-back           the client sends its picture back
    /shared/{token}/{digest}/small.webp          a small picture
    /shared/{token}/{digest}/file                the file itself, by a short-lived link to the storage
    /shared/{token}/{digest}/tiles/...           picture.json and tiles, for the viewer
    /shared/{token}/all.zip                      all files

A client needs only the token. Its signature is checked, and its link is looked up. If the link opens nothing, every
address answers with a page that says why: status 404 if Packshot never made the link, 410 if the link is expired or
withdrawn. If the storage or Prefect can't be reached, that page has the status 503.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from anyio import to_thread
from prefect.exceptions import PrefectException
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from desk.access import audit
from desk.pages.forms import fields_of
from desk.pages.rendering import desk_of, templates
from desk.pictures.packs import FOR_EVER, Packs
from desk.pictures.previews import Pictures
from desk.pictures.tiles import TILE
from desk.work import delivered
from desk.work.delivered import File, Picture
from desk.work.guests import Opened
from desk.work.zips import zipped
from packshot.decision import MOST_MARKS, Choice, Reason
from packshot.errors import DecisionRefusedError, PackshotError, TransientError
from packshot.handoff.rejecting import WORDS, rejected_in
from packshot.looking.pack import Tile
from packshot.record import ShotRecord
from packshot.types import Box, Size
from tasks.deliveries.share_links import form_token, link_behind, read_token
from tasks.environment.clocks import passed_s
from tasks.people.rejected_deliveries import Words, send_back
from tasks.records.bookkeeping import now
from tasks.records.stored import load_records
from tasks.storage.links import link_to

PICTURES_PER_PAGE = 60
LONGEST_NOTE = 2000
FILE_LINK_S = 300
"""How long a link to a file in the storage lasts."""
KEPT_S = 5.0
"""How long a link that was looked up opens tiles and small pictures without another look."""
_KEPT = 500
_ASK = "Ask whoever sent it to you for a new one."
NO_LINK = f"This is not the address of a delivery. Perhaps a part of it is missing. {_ASK}"
EXPIRED = f"This link has expired. {_ASK}"
WITHDRAWN = f"This link was withdrawn. {_ASK}"
GONE = f"This delivery is not here any more. {_ASK}"
BUSY = "That was a lot at once. Wait a minute, then try again."
AWAY = "It could not be sent just now, and nothing was lost. Wait a minute, then send it again: it counts once."
NOT_NOW = "This page cannot be shown just now. Wait a minute, then load it again."
CHANGED = "This picture has changed since this page was opened. Look at it again."
NOTHING_SAID = "Say what is wrong, in words or by a mark on the picture."
NO_REASON = "Choose what is wrong."
OTHER_WORDS = "Say in words what the fault is."


class _ClosedError(Exception):
    """A link that opens nothing, or a page that is not there."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


def routes(shown: Pictures) -> list[Route]:
    """Return the routes of the pages on which a client looks at a delivery by a share link.

    Args:
        shown: the desk's pictures, which make the tiles.
    """
    tiles = _Tiles(Packs(shown))
    return [
        Route("/shared/{token}", _for_guests(overview)),
        Route("/shared/{token}/all.zip", _for_guests(everything)),
        Route("/shared/{token}/{digest}", _for_guests(picture_page)),
        Route("/shared/{token}/{digest}/send-back", _for_guests(sends_back), methods=["POST"]),
        Route("/shared/{token}/{digest}/small.webp", _for_guests(small)),
        Route("/shared/{token}/{digest}/file", _for_guests(one_file)),
        Route("/shared/{token}/{digest}/tiles/picture.json", _for_guests(tiles.described)),
        Route(f"/shared/{{token}}/{{digest}}/tiles/{TILE}", _for_guests(tiles.tile)),
        Route("/shared/{rest:path}", _for_guests(nothing)),
    ]


def _for_guests(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint whose troubles are said in a client's words."""

    async def answered(request: Request) -> Response:
        try:
            response = await answer(request)
        except _ClosedError as closed:
            response = _page("shared_closed", status=closed.status, words=closed.words)
        except HTTPException as error:
            response = _page("shared_closed", status=error.status_code, words=error.detail)
        except (PackshotError, httpx.HTTPError, PrefectException, OSError) as error:
            audit.note("shared page failed", more=type(error).__name__)
            response = _page("shared_closed", status=503, words=NOT_NOW)
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return answered


async def nothing(request: Request) -> Response:
    """Answer an address below ``/shared/`` that does not exist, with a page that says so (404)."""
    raise _ClosedError(404, NO_LINK)


async def overview(request: Request) -> Response:
    """Return a page of the pictures of a shared delivery, 60 on each page.

    Beside each picture stands what has happened to it since it was delivered. The query ``page`` names the page's
    number, from 1; a number that is too large gives the last page. If the link opens nothing, the answer is a page that
    says so (404 or 410).
    """
    opened = await _opened(request)
    every = opened.sight.pictures
    asked = request.query_params.get("page", "1")
    pages = max(1, -(-len(every) // PICTURES_PER_PAGE))
    page = min(pages, max(1, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1))
    some = every[(page - 1) * PICTURES_PER_PAGE : page * PICTURES_PER_PAGE]
    records = await to_thread.run_sync(_records, opened, some)
    shown = [(one, delivered.status_of(records.get(one.shot), opened.shared.number)) for one in some]
    return _page("shared", opened=opened, shown=shown, page=page, pages=pages)


async def picture_page(request: Request) -> Response:
    """Return a client's page of one delivered file at 1:1, with a form to send its picture back.

    The address has the link's token and the first 16 digits of the file's hash. If the link opens nothing, or the
    delivery has no such file, the answer is a page that says so.
    """
    opened = await _opened(request)
    return await _shown(opened, *_found(opened, request), sent="sent" in request.query_params)


async def _shown(
    opened: Opened,
    picture: Picture,
    file: File,
    *,
    sent: bool = False,
    refused: str = "",
    note: str = "",
    reason: str = "",
    marks: str = "",
    status: int = 200,
) -> Response:
    records = await to_thread.run_sync(_records, opened, [picture])
    every = [one for _, one in opened.sight.files]
    here = every.index(file)
    return _page(
        "shared_picture",
        status=status,
        opened=opened,
        picture=picture,
        file=file,
        state=delivered.status_of(records.get(picture.shot), opened.shared.number),
        sent=sent,
        refused=refused,
        note=note,
        reason=reason,
        marks=marks,
        before=every[here - 1] if here else None,
        after=every[here + 1] if here + 1 < len(every) else None,
        number=here + 1,
        count=len(every),
        form=form_token(opened.shared),
        kinds=json.dumps({"delivered": file.digest}),
        groups=[
            (words, [(one.value, said) for one, (choice, said) in WORDS.items() if choice is which])
            for which, words in _GROUPS
        ],
        longest=LONGEST_NOTE,
    )


_GROUPS = ((Choice.CLIENT_FAULT, "Something is wrong"), (Choice.CLIENT_WISH, "We wish something else"))


async def sends_back(request: Request) -> Response:
    """Send a delivered picture back to the studio in the client's name; return a redirect to the picture's page.

    The form's fields are ``reason`` (a `Reason`), ``note`` (what is wrong, in words) and ``marks`` (places on the
    picture, as a JSON list of objects with ``x``, ``y``, ``width`` and ``height`` in pixels of the file). If the
    picture can't be sent back, its page is returned with the reason: the form is not complete, the picture has changed,
    there were too many attempts, or the storage or Prefect can't be reached.
    """
    opened = await _opened(request)
    picture, file = _found(opened, request)
    fields = await fields_of(request)
    if not hmac.compare_digest(fields.get("form", "").encode(), form_token(opened.shared).encode()):
        raise _ClosedError(403, "This page is no longer valid. Load it again.")
    note, reason = fields.get("note", "").strip()[:LONGEST_NOTE], fields.get("reason", "")

    boxes, drawn = _boxes(fields.get("marks", ""), file.size), fields.get("marks", "")

    async def refused(words: str, status: int = 409) -> Response:
        return await _shown(opened, picture, file, refused=words, note=note, reason=reason, marks=drawn, status=status)

    if reason not in [one.value for one in WORDS]:
        return await refused(NO_REASON)
    if reason == Reason.OTHER and not note:
        return await refused(OTHER_WORDS)
    if not note and not boxes:
        return await refused(NOTHING_SAID)
    if not desk_of(request).guests.rejections.may_try(opened.shared.id):
        return await refused(BUSY, 429)
    said = Words(reason=Reason(reason), note=note, boxes=boxes, size=file.size)
    shot, seen = opened.shared.batch.shot(picture.shot), delivered.seen_file(opened.shared.number, file)
    try:
        await to_thread.run_sync(send_back, shot, seen, said)
    except DecisionRefusedError:
        audit.note("client's rejection refused", shot=shot, more=f"{opened.name}")
        return await refused(CHANGED)
    except (PackshotError, httpx.HTTPError, PrefectException, OSError) as error:
        audit.note("client's rejection failed", shot=shot, more=f"{opened.name}: {type(error).__name__}")
        record = (await to_thread.run_sync(_records, opened, [picture])).get(picture.shot)
        if record is None or rejected_in(record, seen.number) is None:
            return await refused(AWAY, 503)
        desk_of(request).guests.unfinished.add(shot, seen, said)  # what the client said is kept; the rest is ours
    audit.note("client sent a picture back", shot=shot, more=f"{opened.name}: {reason}, {len(boxes)} marks")
    return RedirectResponse(f"{opened.address}/{file.digest}?sent", status_code=303)


async def small(request: Request) -> Response:
    """Return the small picture of a delivered file as WebP, for the overview of a delivery.

    Its longest side has 112 px at most. The address contains the first digits of the file's hash, so a browser may keep
    the picture for ever. If the link opens nothing, or the delivery has no such file, the answer is a page that says
    so.
    """
    opened = await _opened(request, again=True)
    picture, file = _found(opened, request)
    guests = desk_of(request).guests

    def read() -> bytes:
        return guests.small.of(file, _records(opened, [picture]).get(picture.shot))

    return Response(await to_thread.run_sync(read), media_type="image/webp", headers=FOR_EVER)


async def one_file(request: Request) -> Response:
    """Return a redirect to a delivered file in the storage, by a link that is valid for five minutes.

    The browser saves the file under the name that it has in the delivery. If the share link opens nothing, or the
    delivery has no such file, the answer is a page that says so.
    """
    opened = await _opened(request)
    _, file = _found(opened, request)
    link = link_to(file.key, expires_s=FILE_LINK_S, download_name=file.name)
    return RedirectResponse(link, status_code=303)


async def everything(request: Request) -> Response:
    """Return all files of a shared delivery as one zip, which is made while it is sent.

    If one share link was used for this too often (three times at once, then once a minute), the answer is a page with
    the status 429.
    """
    opened = await _opened(request)
    if not desk_of(request).guests.zips.may_try(opened.shared.id):
        raise _ClosedError(429, BUSY)
    audit.note("client downloads all", more=opened.name)
    parts = zipped([(file.key, file.path) for _, file in opened.sight.files])
    name = f"{opened.shared.batch.batch}_delivery_{opened.shared.number}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, media_type="application/zip", headers=headers)


class _Tiles:
    """The viewer's addresses of one delivered file."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs

    async def described(self, request: Request) -> Response:
        """Return the width, height and levels (sizes) of a delivered file as JSON, for a client's viewer.

        The answer waits until the file's tiles are made.
        """
        _, file = _found(await _opened(request, again=True), request)
        told = await self._packs.described(delivered.tiles_name(file), lambda: delivered.make_tiles(file))
        return JSONResponse(told, headers=FOR_EVER)

    async def tile(self, request: Request) -> Response:
        """Return one tile of a delivered file, as WebP. The address has the tile's level, column and row."""
        _, file = _found(await _opened(request, again=True), request)
        tile = Tile(*(request.path_params[part] for part in Tile._fields))
        try:
            data = await self._packs.tile(delivered.tiles_name(file), lambda: delivered.make_tiles(file), tile)
        except KeyError:
            raise _ClosedError(404, "The picture has no such part.") from None
        return Response(data, media_type="image/webp", headers=FOR_EVER)


async def _opened(request: Request, *, again: bool = False) -> Opened:
    """Return what a request's link opens.

    Args:
        again: whether a link that was looked up some seconds ago needs no other look.
    Raises:
        _ClosedError: it opens nothing; the words say why, and what to do.
    """
    token, guests = request.path_params["token"], desk_of(request).guests
    looked_at, known = guests.looked_up.get(token, (0.0, None))
    if again and known is not None and passed_s() - looked_at < KEPT_S:
        return known
    shared = read_token(token)
    if shared is None:
        if not guests.unknown.may_try(""):
            raise _ClosedError(429, BUSY)
        raise _ClosedError(404, NO_LINK)
    if now() >= shared.expires_at:
        raise _ClosedError(410, EXPIRED)
    link = await to_thread.run_sync(link_behind, shared)
    if link is None or not link.opens_at(now()):
        guests.looked_up.pop(token, None)
        raise _ClosedError(410, WITHDRAWN)
    try:
        sight = await to_thread.run_sync(delivered.sight_of, shared.batch, shared.number)
    except (PackshotError, ValidationError) as error:
        if isinstance(error, TransientError):
            raise
        raise _ClosedError(410, GONE) from None
    opened = Opened(token, shared, sight)
    guests.looked_up[token] = (passed_s(), opened)
    while len(guests.looked_up) > _KEPT:
        guests.looked_up.pop(next(iter(guests.looked_up)))
    return opened


def _found(opened: Opened, request: Request) -> tuple[Picture, File]:
    found = opened.sight.find(request.path_params["digest"])
    if found is None:
        raise _ClosedError(404, "There is no such picture in this delivery.")
    return found


def _records(opened: Opened, pictures: list[Picture] | tuple[Picture, ...]) -> dict[str, ShotRecord]:
    """Return the records of pictures as they are now, by the shot's name; those that can't be read are left out."""
    shots = [opened.shared.batch.shot(one.shot) for one in pictures]
    return {one.shot.shot: one for one in load_records(shots)}


def _boxes(drawn: str, size: Size) -> tuple[Box, ...]:
    """Return the places that were drawn, within the file.

    Raises:
        HTTPException: 400: the page can't have sent this.
    """
    try:
        found = json.loads(drawn) if drawn else []
        if not isinstance(found, list) or len(found) > MOST_MARKS:
            raise ValueError("too many")
        boxes = [[round(float(one[name])) for name in ("x", "y", "width", "height")] for one in found]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise HTTPException(400, "The marks cannot be read.") from None
    whole = [
        Box(
            left=(left := min(max(0, x), size.width - 1)),
            top=(top := min(max(0, y), size.height - 1)),
            right=min(left + max(1, width), size.width),
            bottom=min(top + max(1, height), size.height),
        )
        for x, y, width, height in boxes
    ]
    return tuple(whole)


def _page(template: str, *, status: int = 200, **words: Any) -> Response:
    return HTMLResponse(templates().get_template(f"{template}.html.j2").render(**words), status_code=status)
