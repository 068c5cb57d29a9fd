"""Build the desk's web application (ASGI): its routes, and its background work from start to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from desk.access.doorkeeper import Doorkeeper
from desk.access.proxy import Proxy
from desk.pages import (
    arriving,
    as_delivered,
    batch,
    decisions,
    finding,
    jobs,
    numbers,
    queues,
    shared,
    sharing,
    shots,
    signing,
    together,
)
from desk.pages.forms import person_of
from desk.pages.rendering import trouble
from desk.pages.static_files import STATIC, KeptFiles, static_version
from desk.pictures import tiles
from desk.pictures.packs import own_pictures
from desk.pictures.previews import Pictures
from desk.state import Desk
from packshot.record import ShotRecord
from tasks.environment.settings import get_settings
from tasks.people.uploads import storage_origin

_SHOT = "/shots/{client}/{batch}/{shot}"


def application(desk: Desk | None = None) -> Doorkeeper:
    """Return the review desk as an ASGI application, ready to be served.

    It is wrapped in the `Doorkeeper`, which checks every request and adds security headers.

    Args:
        desk: the desk's memory; None makes an empty one from the settings.

    Raises:
        ConfigError: the settings for a reverse proxy can't be used.
    """
    settings = get_settings()
    memory = desk or Desk.of(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with memory.at_work():
            yield

    app = Starlette(
        routes=routes(memory.pictures),
        lifespan=lifespan,
        exception_handlers={HTTPException: trouble, Exception: trouble},
    )
    app.state.desk = memory
    return Doorkeeper(
        app,
        sessions=memory.sessions,
        accounts=memory.accounts,
        hosts=[*settings.desk_hosts.split(","), urlsplit(settings.desk_public_url or "").hostname or ""],
        storage=storage_origin(),
        proxy=Proxy.of(settings),
    )


def routes(pictures: Pictures | None = None) -> list[BaseRoute]:
    """Return all routes of the review desk: each address with the function that answers it.

    Args:
        pictures: the desk's pictures; None makes them from the settings.
    """
    shown = pictures or own_pictures()
    return [
        Route("/", queues.first),
        Route("/health", health),
        Route("/sign-in", signing.sign_in_page, methods=["GET"]),
        Route("/sign-in", signing.sign_in, methods=["POST"]),
        Route("/sign-out", signing.sign_out, methods=["POST"]),
        Route("/queues/{queue}", queues.queue_page),
        Route("/counts", queues.counts),
        Route("/find", finding.find),
        Route("/my-rate", jobs.own_rate),
        Route("/numbers", numbers.numbers_page),
        Route("/numbers/{date}/run", numbers.night_run),
        Route("/numbers/{date}/{number}", numbers.list_page),
        Route("/batches/{client}/{batch}", batch.batch_page),
        Route(_SHOT, shots.shot_page),
        Route(f"{_SHOT}/ahead", arriving.ahead),
        Route(f"{_SHOT}/arrive", arriving.arrive, methods=["POST"]),
        Route(f"{_SHOT}/claim", shots.claim, methods=["POST"]),
        Route(f"{_SHOT}/seen", shots.seen, methods=["POST"]),
        Route("/together", together.approve, methods=["POST"]),
        Route(f"{_SHOT}/job/take", jobs.take, methods=["POST"]),
        Route(f"{_SHOT}/job/give-back", jobs.give_back, methods=["POST"]),
        Route(f"{_SHOT}/job/files.zip", jobs.files),
        Route(f"{_SHOT}/job/upload", jobs.upload, methods=["POST"]),
        Route(f"{_SHOT}/job/check", jobs.check, methods=["POST"]),
        Route(f"{_SHOT}/job/hand-in", jobs.hand_in, methods=["POST"]),
        Route(f"{_SHOT}/decision", decisions.decide, methods=["POST"]),
        Route("/undo", decisions.undo, methods=["POST"]),
        Route(f"{_SHOT}/leave", shots.leave, methods=["POST"]),
        *as_delivered.routes(_SHOT, shown),
        Route("/previews/{client}/{batch}/{shot}/{digest}.webp", shots.preview),
        Mount("/pictures", routes=tiles.routes(shown, allows=_sees)),
        *sharing.routes(),
        *shared.routes(shown),
        Mount(f"/static/{static_version()}", KeptFiles(directory=STATIC)),
    ]


def _sees(request: Request, record: ShotRecord) -> bool:
    """Return whether whoever asks may look at a shot as it is now."""
    return person_of(request).sees(record.state)


async def health(request: Request) -> Response:
    """Return the text "well" to any request. An answer proves that the desk is alive, for a program that watches it."""
    return PlainTextResponse("well\n")
