"""Write a job ticket as one page, ``ticket.html``, which an editor prints or reads beside the work."""

from __future__ import annotations

import base64
from datetime import datetime

from packshot.escaping import page_environment
from packshot.handoff.ticket import JobTicket, words_for


def ticket_html(ticket: JobTicket, *, preview: bytes) -> bytes:
    """Return a job ticket as the bytes of an HTML page, in UTF-8. It needs no network, except for its links.

    Args:
        ticket: the job ticket.
        preview: a picture of the shot, as the bytes of a WebP; empty for a page without a picture.
    """
    environment = page_environment("packshot.handoff", {"moment": _moment})
    picture = f"data:image/webp;base64,{base64.b64encode(preview).decode()}" if preview else ""
    page = environment.get_template("ticket.html.j2").render(**words_for(ticket), picture=picture)
    return page.encode()


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M %Z")
