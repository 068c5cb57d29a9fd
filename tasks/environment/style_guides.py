"""Read a client's style guide and its hand-off rules: due times, lifetimes of links, services."""

from __future__ import annotations

from packshot.errors import ConfigError
from packshot.specs.handoff import HandoffConfig, promised
from packshot.specs.models import Client
from packshot.specs.resolve import style_guide
from tasks.environment.configs import configs_in_force


def guide_of(client: str) -> Client:
    """Return the style guide of a client, with its defaults filled in; the default style guide if the client has none.

    Raises:
        ConfigError: the client's own file is wrong, or it has none and there is no default one.
    """
    return style_guide(configs_in_force(), client)


def promise_to(client: str) -> HandoffConfig:
    """Return the hand-off rules for a client's shots: due times, link lifetimes, seniors, services.

    Raises:
        ConfigError: the client's own file is wrong, or it has none and there is no default one.
    """
    return promised(configs_in_force().handoff, guide_of(client).handoff)


def promise_shown(client: str) -> HandoffConfig:
    """Return a client's hand-off rules, for display only.

    If the client's own style guide is wrong, return the rules that hold for all clients.
    """
    try:
        return promise_to(client)
    except ConfigError:
        return configs_in_force().handoff
