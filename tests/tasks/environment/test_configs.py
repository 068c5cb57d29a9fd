"""A change of the configs has the shots mastered again that it concerns, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from packshot.specs.models import Configs
from packshot.specs.resolve import FALLBACK_CLIENT
from tasks.environment.configs import fingerprint
from tests.configs import shipped_configs


@pytest.fixture(scope="module")
def configs() -> Configs:
    return shipped_configs()


def guided(configs: Configs, client: str, **changed: Any) -> Configs:
    """The configs with another style guide of one client."""
    base = configs.clients.get(client, configs.clients[FALLBACK_CLIENT])
    return configs.model_copy(update={"clients": {**configs.clients, client: base.model_copy(update=changed)}})


def test_a_change_of_one_client_concerns_no_other(configs: Configs) -> None:
    new = guided(configs, "another", cmyk_profile="press.icc")
    for client in (*configs.clients, "unknown"):
        assert fingerprint(new, client=client) == fingerprint(configs, client=client)
    broken = configs.model_copy(update={"broken_clients": {"another": "line 3"}})
    assert fingerprint(broken, client="demo") == fingerprint(configs, client="demo")


def test_a_client_s_own_change_concerns_it(configs: Configs) -> None:
    known = fingerprint(configs, client="demo")
    assert fingerprint(guided(configs, "demo", cmyk_profile="press.icc"), client="demo") != known
    broken = configs.model_copy(update={"broken_clients": {"demo": "line 3"}})
    assert fingerprint(broken, client="demo") != known


def test_a_client_without_a_style_guide_follows_the_one_for_all(configs: Configs) -> None:
    changed = guided(configs, FALLBACK_CLIENT, cmyk_profile="press.icc")
    assert fingerprint(changed, client="unknown") != fingerprint(configs, client="unknown")


def test_what_all_share_concerns_all_and_what_reports_read_concerns_none(configs: Configs) -> None:
    fewer = configs.model_copy(update={"categories": dict(list(configs.categories.items())[1:])})
    assert fingerprint(fewer, client="demo") != fingerprint(configs, client="demo")
    dearer = configs.model_copy(update={"daily": configs.daily.model_copy(update={"currency": "XTS"})})
    assert fingerprint(dearer, client="demo") == fingerprint(configs, client="demo")
