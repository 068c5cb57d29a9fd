"""Read the fields of a form that a browser sends.

A form must not be too large, and must carry the session's token, so that no other site can send it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from desk.access.roles import Person
from desk.access.sessions import Session

MOST_BYTES = 100_000
MOST_FIELDS = 150


async def fields_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form that a browser sends: name -> value.

    If several fields have the same name, the last one counts.

    Raises:
        HTTPException: 413: the form is too large. 415: the request is not a form. 400: the form can't be read.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A form has at most {MOST_BYTES:,} bytes.")
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415, "A form is sent as application/x-www-form-urlencoded.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None


async def own_fields_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form, name -> value, after a check that the form comes from one of the desk's own pages.

    Without this check, another site's page could act in the name of the signed-in person.

    Raises:
        HTTPException: 413: the form is too large; 415: the request is not a form; 400: the form can't be read; 403:
            the form doesn't carry the session's token.
    """
    fields = await fields_of(request)
    if not session_of(request).carries(fields.get("csrf", "")):
        raise HTTPException(403, "This page is no longer valid. Load it again.")
    return fields


def person_of(request: Request) -> Person:
    """Return the signed-in person who sent a request. The doorkeeper has checked before that somebody is signed in."""
    person: Person = request.state.person
    return person


def session_of(request: Request) -> Session:
    """Return the session under which a request was sent. The doorkeeper has checked before that there is one."""
    session: Session = request.state.session
    return session
