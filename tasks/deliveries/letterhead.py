"""Read the head of a client's reports, which is a title and a logo, from the client's style guide."""

from __future__ import annotations

import base64

from packshot.errors import ConfigError
from packshot.specs.load import MOST_LOGO_BYTES
from tasks.environment.logs import log
from tasks.environment.settings import get_settings
from tasks.environment.style_guides import guide_of
from tasks.storage.shot_objects import content_type


def title_of(client: str) -> str:
    """Return a client's name as people read it, the `title` in its own style guide, such as ``Acme Ltd.``.

    The result is empty if the client has no style guide of its own, or one that can't be read.

    Args:
        client: the client's short name, for example ``acme``.
    """
    try:
        guide = guide_of(client)
    except ConfigError:
        return ""
    return guide.title if guide.name == client else ""


def logo_of(client: str) -> str:
    """Return a client's logo as a data URI (``data:image/png;base64,...``); empty if there is none to show.

    There is none if the style guide can't be read or names no logo, or if the logo's file can't be read or is larger
    than 100 kB (`MOST_LOGO_BYTES`). A client without a style guide of its own has the logo of the default one.

    Args:
        client: the client's short name, for example ``acme``.
    """
    try:
        name = guide_of(client).logo
    except ConfigError:
        return ""
    if not name:
        return ""
    try:
        data = (get_settings().configs / "logos" / name).read_bytes()
    except OSError as error:
        log().warning("the logo of %s cannot be read: %s", client, type(error).__name__)
        return ""
    if len(data) > MOST_LOGO_BYTES:
        log().warning("the logo of %s has %s bytes; at most %s are shown", client, len(data), MOST_LOGO_BYTES)
        return ""
    return f"data:{content_type(name)};base64,{base64.b64encode(data).decode()}"
