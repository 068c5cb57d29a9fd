"""Build the addresses of the review desk's pages, for forms, artifacts, tickets and notices.

The review desk is the web page on which people look at edited pictures and decide.
"""

from __future__ import annotations

from packshot.naming import ShotId
from tasks.environment.settings import get_settings


def desk_page(shot: ShotId) -> str:
    """Return the address of a shot's page at the review desk, the web page on which people decide about pictures.

    Example: ``https://desk.example.com/shots/acme/spring/BTL201_MAIN``. It begins with the setting
    ``PACKSHOT_DESK_PUBLIC_URL``. If that is not set, it begins with ``http://127.0.0.1:4280`` and works on this machine
    only; 4280 is the default of ``PACKSHOT_DESK_PORT``.
    """
    settings = get_settings()
    desk = settings.desk_public_url or f"http://127.0.0.1:{settings.desk_port}"
    return f"{desk.rstrip('/')}/shots/{shot}"


def desk_link(shot: ShotId) -> str:
    """Return a Markdown link to a shot's page at the review desk, as Prefect's pages show it.

    Example: ``[Look at it at the review desk, at full size](https://desk.example.com/shots/acme/spring/BTL201_MAIN)``.
    """
    return f"[Look at it at the review desk, at full size]({desk_page(shot)})"
