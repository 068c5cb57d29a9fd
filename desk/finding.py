"""Search among all shots that wait: by SKU, ASIN, GTIN, file name, shot, batch or client."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from desk.forms import person_of
from desk.pages import TITLES, desk_of, page
from desk.queues import ROWS
from desk.waiting import STATES, Queue, in_order

LONGEST_WORDS = 200


async def find(request: Request) -> Response:
    """Return the page with the shots that fit a query. The person sees only shots that they may see.

    A shot fits if its names contain every word of the query.
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
    return page(request, "find", asked=asked, rows=rows, found=len(found))
