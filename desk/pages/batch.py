"""Show the page of a batch: which products are complete, which views the others lack, and each photograph's result."""

from __future__ import annotations

import logging
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desk.pages.forms import person_of
from desk.pages.queues import ROWS, page_number
from desk.pages.rendering import batch_in, desk_of, page
from packshot.naming import BatchId
from tasks.batches.fates import Fate
from tasks.records.stored import find_batch
from tasks.runs.addresses import page_of_run

_LOG = logging.getLogger("packshot.desk")
KINDS = ("delivered", "waiting", "refused", "failed", "at work")


async def batch_page(request: Request) -> Response:
    """Return the page of a batch: its products, the views that they lack, and the result for each photograph.

    It shows the last count, which may be a minute old or more, so that nobody waits for a count. The query ``kind``
    limits the photographs to one kind of result: ``delivered``, ``waiting``, ``refused``, ``failed`` or ``at work``.
    With any other word all photographs are shown. The photographs stand on pages, whose number, from 1, is the query
    ``page``. If the batch was never counted, the page says that it is being counted, and loads itself again.

    Raises:
        HTTPException: 403: the person may not see batches; 404: the address names no valid batch.
    """
    desk, person = desk_of(request), person_of(request)
    if not person.reads_numbers:
        raise HTTPException(403, "Your roles do not open this page.")
    batch = batch_in(request)
    count = await to_thread.run_sync(desk.counted.of, batch)
    summary = count.summary
    asked = request.query_params.get("kind", "")
    kind = asked if asked in KINDS else ""
    fates = [one for one in (summary.fates if summary else ()) if kind in ("", one.kind)]
    pages = max(1, -(-len(fates) // ROWS))
    number = page_number(request.query_params.get("page", ""), most=pages)
    products = summary.products if summary else ()
    return page(
        request,
        "batch",
        batch=batch,
        trouble=count.trouble,
        read_at=f"{count.read_at:%Y-%m-%d %H:%M:%S}" if count.read_at else "",
        kinds=[(name, many) for name, many in (summary.counts.items() if summary else ()) if many],
        stands=summary.stands if summary else "",
        received=len(summary.fates) if summary else 0,
        kind=kind,
        lacking=[one for one in products if not one.complete],
        complete=[one for one in products if one.complete],
        rows=[_row(batch, one) for one in fates[(number - 1) * ROWS :][:ROWS]],
        number=number,
        pages=pages,
        findings=summary.findings if summary else (),
        run=await to_thread.run_sync(_run_of, batch),
    )


def _run_of(batch: BatchId) -> str:
    """Return the page of Prefect's run that works on a batch, or made its last delivery; empty if none is known."""
    try:
        record = find_batch(batch)
    except Exception as error:  # noqa: BLE001  (the page itself says what is wrong with the batch)
        _LOG.warning("%s: the run that works on it is not known", batch, exc_info=error)
        return ""
    if record is None:
        return ""
    return page_of_run(record.claimed_by or next((one.opened_by for one in reversed(record.deliveries)), ""))


def _row(batch: BatchId, fate: Fate) -> dict[str, Any]:
    """Return a row of the table."""
    return {
        "shot": batch.shot(fate.shot),
        "file": fate.file,
        "became": "on hold" if fate.on_hold else fate.kind,
        "product": fate.product,
        "score": "" if fate.score is None else f"{fate.score:.0f}",
        "with_whom": fate.with_whom,
        "due": f"{fate.due:%Y-%m-%d %H:%M}" if fate.due else "",
        "why": fate.why_beside_its_name,
    }
