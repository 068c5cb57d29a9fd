"""Settings for all tests, and how they are shared among processes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; it is no property of the code.
settings.register_profile("packshot", deadline=None)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]

SERVERS = ("tests/flows/", "tests/tasks/", "tests/desk/", "tests/deployments/")
"""Their tests start servers for a whole session: those of flows a line of their own, the others one Prefect."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that mostly wait for servers."""
    items.sort(key=lambda item: next((n for n, folder in enumerate(SERVERS) if item.nodeid.startswith(folder)), 9))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep in one process what shares servers, and every other module by itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            folder = next((one for one in SERVERS if nodeid.startswith(one)), "")
            return "Prefect" if folder in SERVERS[1:] else folder or nodeid.partition("::")[0]

    return ByServers(config, log)
