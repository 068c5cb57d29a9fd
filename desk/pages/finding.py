"""Find shots by the words of a query, such as a SKU, among all shots that wait for people.

A person who may see whole batches also searches all batches ever processed.
"""

from __future__ import annotations

import logging
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from desk.pages.forms import person_of
from desk.pages.queues import ROWS
from desk.pages.rendering import TITLES, desk_of, page
from desk.work.waiting import STATES, Queue, in_order
from packshot.errors import PackshotError
from packshot.record import WAITING, ShotRecord
from tasks.queries.asking import MOST_FOUND, find_shots

LONGEST_WORDS = 200
_LOG = logging.getLogger("packshot.desk")


async def find(request: Request) -> Response:
    """Return the page with the shots that match the query ``words``. It has only shots that the person may see.

    Case does not matter. A waiting shot matches if its CLIENT/BATCH/SHOT, file name, SKU, ASIN or GTIN contain every
    word. For people who may see whole batches, the page also has shots of all batches that do not wait for anybody.
    Such a shot matches if each word begins its SKU, ASIN, GTIN or file name; of shots that changed lately, the word may
    also be in the middle. Without words, the page has no shots.
    """
    desk, person = desk_of(request), person_of(request)
    asked = request.query_params.get("words", "")[:LONGEST_WORDS]
    words = asked.casefold().split()
    found = in_order(
        one
        for one in desk.waiting.all()
        if words and person.sees(one.wait.state) and all(w in one.names for w in words)
    )
    lists = {state: queue for queue, states in STATES.items() if queue is not Queue.OVERDUE for state in states}
    rows = [
        {
            "name": one.name,
            "shot": one.shot,
            "product": one.product,
            "list": TITLES[lists[one.wait.state]],
            "due": f"{one.wait.due:%Y-%m-%d %H:%M}",
            "with_whom": one.wait.with_whom,
        }
        for one in found[:ROWS]
    ]
    others = await to_thread.run_sync(_others, words) if words and person.reads_numbers else []
    return page(
        request,
        "find",
        asked=asked,
        rows=rows,
        found=len(found),
        everywhere=person.reads_numbers,
        others=others,
        most=MOST_FOUND,
    )


def _others(words: list[str]) -> list[dict[str, Any]] | None:
    """Return the shots of all batches that don't wait for anybody; None if that can't be known now."""
    try:
        records = find_shots(words)
    except (PackshotError, OSError) as error:
        _LOG.warning("all batches could not be searched: %s", error)
        return None
    return [_row(one) for one in records if one.state not in WAITING]


def _row(record: ShotRecord) -> dict[str, Any]:
    return {
        "shot": record.shot,
        "product": record.product,
        "file": record.source.key.rpartition("/")[2],
        "state": record.state.replace("_", " "),
        "since": f"{record.since:%Y-%m-%d %H:%M}" if record.since else "",
    }
