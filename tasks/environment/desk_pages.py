"""Addresses of the review desk's pages, for forms, artifacts, tickets and notices."""

from __future__ import annotations

from packshot.naming import ShotId
from tasks.environment.settings import get_settings


def desk_page(shot: ShotId) -> str:
    """Return the address of a shot's page at the review desk.

    It begins with the setting ``desk_public_url``; without it, with this machine's address.
    """
    settings = get_settings()
    desk = settings.desk_public_url or f"http://127.0.0.1:{settings.desk_port}"
    return f"{desk.rstrip('/')}/shots/{shot}"


def desk_link(shot: ShotId) -> str:
    """Return Markdown that leads to a shot's page at the review desk."""
    return f"[Look at it at the review desk, at full size]({desk_page(shot)})"
