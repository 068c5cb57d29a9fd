"""Settings for all tests, and how they are shared among processes."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; it is no property of the code.
# The same examples each time: a test that fails must fail for the change, not for a draw.
# New examples: `make explore`.
settings.register_profile("packshot", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]

FLOWS = ("tests/flows/",)
LINE = (
    *("tests/desk/", "tests/deployments/", "tests/infra/test_compose.py", "tests/infra/local/test_stack.py"),
    *("tests/infra/local/test_prefect_guard.py", "tests/infra/local/test_web_page.py"),
)
FIRST = (FLOWS, LINE, ("tests/tasks/",))
"""What mostly waits for servers, and takes longest, in the order in which it begins.

The tests of flows have one line for themselves, with a worker; those of `LINE` share one Prefect without. Both stay
together in one process each. Every other module goes to whichever process is free; one that needs servers uses those
that its process has by then.
"""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, and let it never look at what was imported.

    Thousands of modules and tests stay until the end. To walk through them again and again costs every test process
    seconds while it collects, and more while it tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: next((n for n, those in enumerate(FIRST) if item.nodeid.startswith(those)), len(FIRST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep in one process what shares servers, and every other module by itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return next((those[0] for those in (FLOWS, LINE) if nodeid.startswith(those)), nodeid.partition("::")[0])

    return ByServers(config, log)
