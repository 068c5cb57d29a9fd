"""Provide what all pages share: templates, the signed-in person, messages to people, and the page for errors."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from desk.access.roles import Role
from desk.pages.forms import person_of, session_of
from desk.pages.static_files import static_version
from desk.state import Desk
from desk.work.showing import DONE, in_words
from desk.work.waiting import Queue, in_queue, queues_of
from packshot.escaping import page_environment
from packshot.naming import BatchId, ShotId, batch_id, is_name
from tasks.records.bookkeeping import now

TITLES = {
    Queue.REVIEW: "Review",
    Queue.SIGN_OFF: "Sign-off",
    Queue.EDITOR_JOBS: "Editor jobs",
    Queue.ON_HOLD: "On hold",
    Queue.OVERDUE: "Overdue",
}


@cache
def templates() -> jinja2.Environment:
    """Return the Jinja environment with the templates of all the desk's pages. It is made once in a process."""
    environment = page_environment("desk", {"in_words": in_words})
    environment.globals["static_version"] = static_version()
    return environment


def desk_of(request: Request) -> Desk:
    """Return the desk's memory, which all requests share.

    Args:
        request: any request to the desk.
    """
    desk: Desk = request.app.state.desk
    return desk


def page(request: Request, template: str, *, status: int = 200, **words: Any) -> Response:
    """Return a page made from a template, with the parts that every page of a signed-in person has.

    These parts are the menu, the notices and the numbers of the lists.

    Args:
        request: the request that the page answers.
        template: the template's name without the ending ``.html.j2``.
        status: HTTP status of the answer.
        words: the template's variables.
    """
    signed_in = getattr(request.state, "person", None) is not None
    reads = "text/html" in request.headers.get("accept", "")
    common = _common(request, tells=reads) if signed_in else {"person": None}
    text = templates().get_template(f"{template}.html.j2").render(**{**common, **words})
    return HTMLResponse(text, status_code=status)


def notices(request: Request, query: str) -> str:
    """Return the notices at the head of a page as HTML.

    They are the person's last decision, if it can still be taken back, with a button for that; and messages about
    decisions that did not count. Each message is returned once only. The result is empty but for blanks if there is
    nothing to show.

    Args:
        request: the request of the signed-in person.
        query: the query of the page's address, which names the list that the person works through, such as
            ``?queue=review``.
    """
    common = _common(request, tells=True)
    return templates().get_template("notices.html.j2").render(**common, query=query)


def _common(request: Request, *, tells: bool) -> dict[str, Any]:
    """Return what every page of a signed-in person has.

    Args:
        tells: whether the person reads this page, so that messages to them are spent.
    """
    desk, person = desk_of(request), person_of(request)
    held = desk.outbox.held_by(person.name)
    return {
        "person": person,
        "csrf": session_of(request).csrf,
        "counts": [(one.value, TITLES[one], count) for one, count in counts_of(request).items()],
        "queue": "",
        "shares": Role.MANAGER in person.roles,
        "stale": desk.stale_at(now()),
        "told": desk.outbox.told(person.name) if tells else (),
        "held": {
            "shot": str(held.answer.shot),
            "short": held.answer.shot.shot if len(held.shots) == 1 else f"{len(held.shots)} shots",
            "done": DONE[held.answer.decision.choice],
            "left_s": round(held.left_s),
        }
        if held
        else None,
    }


def counts_of(request: Request) -> dict[Queue, int]:
    """Return the number of shots in each list that the person of a request can see: list -> number.

    Shots that were just decided are not counted.
    """
    desk, person, at = desk_of(request), person_of(request), now()
    open_ = [one for one in desk.waiting.all() if not desk.outbox.has(one.name)]
    return {queue: len(in_queue(open_, queue, person=person, at=at)) for queue in queues_of(person)}


def shot_in(request: Request) -> ShotId:
    """Return the shot that the address of a request names: ``/shots/<client>/<batch>/<shot>``.

    Raises:
        HTTPException: 404: the address names no valid shot.
    """
    names = [request.path_params[name] for name in ("client", "batch", "shot")]
    if not all(map(is_name, names)):
        raise HTTPException(404, "There is no such shot.")
    return batch_id(*names[:2]).shot(names[2])


def batch_in(request: Request) -> BatchId:
    """Return the batch that the address of a request names: ``/batches/<client>/<batch>``.

    Raises:
        HTTPException: 404: the address names no valid batch.
    """
    names = [request.path_params[name] for name in ("client", "batch")]
    if not all(map(is_name, names)):
        raise HTTPException(404, "There is no such batch.")
    return batch_id(*names)


async def trouble(request: Request, error: Exception) -> Response:
    """Return a page that tells a person of an error in a sentence, with the HTTP status of the error.

    If the error is no `HTTPException`, the status is 500, and the page only says that something went wrong.

    Args:
        request: the request that failed.
        error: the error.
    """
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = error.detail if isinstance(error, HTTPException) else "Something went wrong here; the desk's log has it."
    if said in ("Not Found", "Method Not Allowed"):
        said = "There is no such page."
    return page(request, "trouble", status=status, said=said)
