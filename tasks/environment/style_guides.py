"""Read a client's style guide (its rules), and the hand-off rules for its shots.

Hand-off rules are due times, lifetimes of links, and who may sign off.
"""

from __future__ import annotations

from packshot.errors import ConfigError
from packshot.specs.handoff import HandoffConfig, promised
from packshot.specs.models import Client
from packshot.specs.nearest import did_you_mean
from packshot.specs.resolve import style_guide
from tasks.environment.configs import configs_in_force


def guide_of(client: str) -> Client:
    """Return a client's style guide, with its defaults filled in. A client without one gets the default style guide.

    Args:
        client: the client's short name, for example ``acme``.
    Raises:
        ConfigError: the client's own file is wrong, or it has none and there is no default one.
    """
    return style_guide(configs_in_force(), client)


def taken_away(client: str) -> ConfigError:
    """Return the error for a client whose own style guide is gone since its work began. The error is not raised here.

    Raise it instead of going on: with the default style guide, pictures would be made by other rules, and nobody would
    know.

    Args:
        client: the client's short name, for example ``acme``.
    Raises:
        ConfigError: a file that all clients share is wrong.
    """
    return ConfigError(
        "this client's style guide was taken away while its photographs were being processed",
        client,
        found=f"none of that name{did_you_mean(client, configs_in_force().clients)}",
        allowed=f"configs/clients/{client}.yaml",
        next_step="Put it back, and retry. Photographs that are processed from their start without it get the default "
        "one, and their batch says so.",
    )


def promise_to(client: str) -> HandoffConfig:
    """Return the hand-off rules: what holds for the work that people do on a client's shots.

    They say, among others, in how many hours work is due, how long links to files live, and who may sign off. A
    client's style guide may change some of the general rules.

    Args:
        client: the client's short name, for example ``acme``.
    Raises:
        ConfigError: the client's own file is wrong, or it has none and there is no default one.
    """
    return promised(configs_in_force().handoff, guide_of(client).handoff)


def promise_shown(client: str) -> HandoffConfig:
    """Return the hand-off rules of a client, such as due times, for pages that only display them.

    If the client's own style guide is wrong, no error is raised, unlike by `promise_to`: the general rules are
    returned, which hold for all clients. A wrong style guide must not break a page.

    Args:
        client: the client's short name, for example ``acme``.
    Raises:
        ConfigError: a file that all clients share is wrong.
    """
    try:
        return promise_to(client)
    except ConfigError:
        return configs_in_force().handoff
