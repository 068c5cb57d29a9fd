"""Settings for all tests, and how they are shared among processes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; it is no property of the code.
settings.register_profile("packshot", deadline=None)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]

OWN_SERVERS = ("tests/flows/test_deaths.py", "tests/flows/test_restart.py")
"""Their tests stop and start servers of their own."""

ONE_LINE = ("tests/flows/",)
"""Their tests share the servers and the worker of one line, so they run in one process."""

ONE_PREFECT = ("tests/tasks/", "tests/deployments/")
"""Their tests share one Prefect, so they run in one process."""

LONGEST_FIRST = (
    OWN_SERVERS[0],
    *ONE_LINE,
    *ONE_PREFECT,
    "tests/packshot/test_memory.py",
    "tests/infra/",
    "tests/fuzz/",
    "tests/packshot/outcomes/test_effect.py",
    "tests/packshot/cutout/",
    "tests/packshot/handoff/",
)
"""What is begun first, so that no process ends long after the others; all else follows."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: next((n for n, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start)), 99))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep in one process what shares servers, and every other module by itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            if module in OWN_SERVERS:
                return module
            return next((one[0] for one in (ONE_LINE, ONE_PREFECT) if module.startswith(one)), module)

    return ByServers(config, log)
