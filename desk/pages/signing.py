"""Answer the requests by which a person signs in at the desk by name and password, and signs out."""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desk.access import audit
from desk.access.doorkeeper import COOKIE
from desk.access.sessions import LONGEST_S
from desk.pages.forms import fields_of, own_fields_of, person_of
from desk.pages.rendering import desk_of, page

WRONG = "Name or password is wrong."
TOO_MANY = "Too many attempts. Wait half a minute, then try again."


async def sign_in_page(request: Request) -> Response:
    """Return the form to sign in at the desk.

    A person who is already signed in is redirected to the page that they asked for: the query ``to``, else the first
    page.
    """
    to = _within(request.query_params.get("to", "/"))
    if request.state.person is not None:
        return RedirectResponse(to, status_code=303)
    accounts = await to_thread.run_sync(desk_of(request).accounts.all)
    return page(request, "sign_in", to=to, said="", name="", any_account=bool(accounts))


async def sign_in(request: Request) -> Response:
    """Sign a person in by name and password, and return a redirect to the page that the person asked for.

    The form's fields are ``name``, ``password`` and ``to`` (the address of that page). The answer sets the session's
    cookie. If the name or the password is wrong, return the form again (403). It does not tell which of them was wrong.
    After too many attempts, return the form with a request to wait (429).
    """
    desk, fields = desk_of(request), await fields_of(request)
    name, to = fields.get("name", "")[:200], _within(fields.get("to", "/"))
    if not desk.attempts.may_try(name):
        audit.note("sign-in delayed", more=name)
        return page(request, "sign_in", status=429, to=to, said=TOO_MANY, name=name, any_account=True)
    account = await to_thread.run_sync(desk.accounts.sign_in, name, fields.get("password", ""))
    if account is None:
        audit.note("sign-in failed", more=name)
        return page(request, "sign_in", status=403, to=to, said=WRONG, name=name, any_account=True)
    desk.attempts.succeeded(name)
    audit.note("signed in", person=account.name)
    answer = RedirectResponse(to, status_code=303)
    answer.set_cookie(
        COOKIE,
        desk.sessions.begin(account),
        max_age=int(LONGEST_S),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


async def sign_out(request: Request) -> Response:
    """Sign the person out: end the session and the claim on a shot. Return a redirect to the form to sign in."""
    await own_fields_of(request)
    desk = desk_of(request)
    desk.sessions.end(request.state.token)
    desk.claims.release(person_of(request).name)
    audit.note("signed out", person=person_of(request).name)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _within(to: str) -> str:
    """Return an address of the desk itself, whatever was asked for."""
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if safe and "\\" not in to else "/"
