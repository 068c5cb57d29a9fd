"""`packshot register` says in one sentence what is wrong; no server is needed for that."""

from __future__ import annotations

import socket

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.registry import deployments, register
from packshot.errors import ConfigError, TransientError


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_is_down_is_named() -> None:
    url = f"http://127.0.0.1:{closed_port()}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(TransientError, match="does not answer") as caught:
        register()
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_without_api_is_told_before_anything_is_asked() -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:4200"}), pytest.raises(ConfigError, match="Add /api"):
        register()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACKSHOT_NIGHTLY_CRON", "at two"),
        ("PACKSHOT_NIGHTLY_CRON", "0 99 * * *"),
        ("PACKSHOT_NIGHTLY_TIMEZONE", "Europe/Berlln"),
    ],
)
def test_a_time_that_cannot_be_understood_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as caught:
        deployments()
    assert value in str(caught.value)
    assert "\n" not in str(caught.value)
