"""Settings for all tests, and how they are shared among processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; it is no property of the code.
settings.register_profile("packshot", deadline=None)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]

FLOWS = Path(__file__).parent / "flows"


@pytest.hookimpl(tryfirst=True)  # before the plugin that shares tests out reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares servers, and begin with the tests that mostly wait for them.

    A group of tests runs in one process: all nights on one line, all other tests of Prefect on one server, and every
    other module by itself.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    order = {"the line": 0, "Prefect": 1}
    items.sort(key=lambda item: order.get(_group(item), 2))


def _group(item: pytest.Item) -> str:
    if item.path.is_relative_to(FLOWS):
        return "the line"
    return "Prefect" if "prefect_stack" in getattr(item, "fixturenames", ()) else item.nodeid.partition("::")[0]
