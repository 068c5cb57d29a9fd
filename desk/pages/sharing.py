"""Show a manager the deliveries of a batch, and make and withdraw the links with which clients look at them.

Each page answers 403 to a person who is no manager, and 404 if there is no such batch.
"""

from __future__ import annotations

from itertools import islice

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.access import audit
from desk.access.roles import Role
from desk.pages.forms import own_fields_of, person_of
from desk.pages.rendering import batch_in, page
from packshot.errors import ObjectMissingError, TerminalError
from packshot.naming import BatchId
from tasks.deliveries.share_links import (
    LONGEST_DAYS,
    USUAL_DAYS,
    delivered_batches,
    links_of,
    share,
    token_of,
    unshare,
)
from tasks.environment.settings import get_settings
from tasks.records.bookkeeping import now
from tasks.records.stored import load_batch

MOST_BATCHES = 1000
"""Batches that the list shows."""
_BATCH = "/deliveries/{client}/{batch}"


def routes() -> list[Route]:
    """Return the routes of a manager's pages about deliveries and their share links."""
    return [
        Route("/deliveries", deliveries_page),
        Route(_BATCH, batch_page),
        Route(f"{_BATCH}/{{number:int}}/share", makes_link, methods=["POST"]),
        Route(f"{_BATCH}/{{number:int}}/unshare", withdraws_links, methods=["POST"]),
    ]


async def deliveries_page(request: Request) -> Response:
    """Return the page with the batches that have a delivery, at most 1,000.

    The query ``client`` shows the batches of one client only.

    Raises:
        HTTPException: 403: the person is no manager.
    """
    _require_manager(request)
    wanted = request.query_params.get("client", "")

    def read() -> list[BatchId]:
        return list(islice((one for one in delivered_batches() if wanted in ("", one.client)), MOST_BATCHES))

    return page(request, "deliveries", batches=await to_thread.run_sync(read), most=MOST_BATCHES)


async def batch_page(request: Request) -> Response:
    """Return the page with a batch's finished deliveries and the share links to each.

    Raises:
        HTTPException: 403: the person is no manager; 404: there is no such batch.
    """
    _require_manager(request)
    return await _shown(request, batch_in(request))


async def _shown(request: Request, batch: BatchId, *, refused: str = "") -> Response:
    base = get_settings().desk_public_url or str(request.base_url).rstrip("/")
    at = now()

    def read() -> list[dict[str, object]]:
        whole = [one for one in load_batch(batch).deliveries if one.certificate_sha256]
        return [
            {
                "number": one.number,
                "day": f"{one.at:%Y-%m-%d %H:%M}",
                "shots": len(one.shots),
                "files": one.files,
                "links": [
                    {
                        "by": link.made_by,
                        "until": f"{link.expires_at:%Y-%m-%d %H:%M}",
                        "address": f"{base}/shared/{token_of(batch, one.number, link)}" if link.opens_at(at) else "",
                        "withdrawn": link.withdrawn_by if link.withdrawn_at else "",
                    }
                    for link in reversed(links_of(batch, one.number))
                ],
            }
            for one in whole
        ]

    try:
        shown = await to_thread.run_sync(read)
    except ObjectMissingError:
        raise HTTPException(404, "There is no such batch.") from None
    status = 409 if refused else 200
    words = {"batch": batch, "deliveries": shown, "refused": refused, "days": USUAL_DAYS, "longest": LONGEST_DAYS}
    return page(request, "batch_deliveries", status=status, **words)


async def makes_link(request: Request) -> Response:
    """Make a share link, by which a client looks at a delivery without an account.

    The address names the batch and the delivery's number. The form's field ``days`` says for how many days the link is
    valid, 1 to 90. The answer is a redirect to the batch's page, which shows the link. If the link can't be made, the
    batch's page is returned with the reason.

    Raises:
        HTTPException: 403: the person is no manager; 404: there is no such batch.
    """
    _require_manager(request)
    fields = await own_fields_of(request)
    batch, number, person = batch_in(request), request.path_params["number"], person_of(request)
    days = fields.get("days", "")
    try:
        asked = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
        made, _ = await to_thread.run_sync(lambda: share(batch, number, days=asked, by=person.name))
    except TerminalError as error:
        return await _shown(request, batch, refused=str(error))
    except ObjectMissingError:
        raise HTTPException(404, "There is no such batch.") from None
    audit.note("shared a delivery", person=person.name, more=f"{batch} delivery {number} link {made.id}, {asked} days")
    return RedirectResponse(f"/deliveries/{batch}", status_code=303)


async def withdraws_links(request: Request) -> Response:
    """Withdraw all share links to a delivery, so that they open nothing; return a redirect to the batch's page.

    The address names the batch and the delivery's number. If there is no such delivery, the batch's page is returned
    with the reason.

    Raises:
        HTTPException: 403: the person is no manager; 404: there is no such batch.
    """
    _require_manager(request)
    await own_fields_of(request)
    batch, number, person = batch_in(request), request.path_params["number"], person_of(request)
    try:
        gone = await to_thread.run_sync(lambda: unshare(batch, number, by=person.name))
    except TerminalError as error:
        return await _shown(request, batch, refused=str(error))
    except ObjectMissingError:
        raise HTTPException(404, "There is no such batch.") from None
    audit.note("withdrew links", person=person.name, more=f"{batch} delivery {number}, {gone}")
    return RedirectResponse(f"/deliveries/{batch}", status_code=303)


def _require_manager(request: Request) -> None:
    if Role.MANAGER not in person_of(request).roles:
        raise HTTPException(403, "Your roles do not open this page.")
