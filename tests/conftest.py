"""Settings for all tests, and how they are shared among processes."""

from __future__ import annotations

import gc
import re
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import deployments  # noqa: F401  (before numpy, as in every process of the line: linear algebra gets one thread)
from tests.shared_folder import delete_shared_folder

# How long an example takes depends on what else the machine does; it is no property of the code.
# The same examples each time: a test that fails must fail for the change, not for a draw.
# New examples: `make explore`.
settings.register_profile("packshot", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]

ROOT = Path(__file__).resolve().parents[1]
FLOWS = ("tests/flows/",)
LINE = (
    *("tests/desk/", "tests/deployments/", "tests/infra/test_compose.py", "tests/infra/local/test_stack.py"),
    *("tests/infra/local/test_prefect_guard.py", "tests/infra/local/test_web_page.py"),
)
KERNELS = (
    *("tests/benchmarks/test_cutout_quality.py", "tests/benchmarks/test_throughput.py"),
    *("tests/packshot/cutout/test_network.py", "tests/packshot/cutout/test_closed_form.py"),
)
LONG = (*KERNELS, "tests/release/test_wheel.py")
FIRST = (FLOWS, LINE, LONG, ("tests/tasks/",), ("tests/packshot/test_memory.py",))
"""What mostly waits for servers, and takes longest, in the order in which it begins.

The tests of `LONG` and of memory take minutes with `make test-all`: as the last ones they would leave the other
processes idle. Those of `KERNELS` stay together in one process. On a new machine the first import of rembg compiles all
of pymatting for 50 s and keeps the result; two processes at once would both do it.

The tests of flows have one line for themselves, with a worker; those of `LINE` share one Prefect without. Both stay
together in one process each. Every other module goes to whichever process is free; one that needs servers uses those
that its process has by then. One that needs Prefect goes to a process that has one already, if there is another module
for the process that has none: a further Prefect costs about 17 s of processor time to start, and more while it runs.
"""
NEEDS_PREFECT = re.compile(r"\b(?:line: Storage|line_environment: |nobody_takes_runs: |prefect_stack: )")
"""In a module's text: a test or fixture that takes what stands on Prefect."""


THIRDS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow-third", type=int, choices=range(THIRDS), help="run only this third of the slow tests")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    delete_shared_folder(session.config)


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


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Return the parameter's name for bytes that are no text, which pytest numbers; None, its own way, for all else.

    Such bytes may hold the time at which they were made (`gzip.compress` writes it). Two processes
    would then name one case in two ways, and pytest-xdist would run nothing at all.
    """
    if not isinstance(val, bytes) or (val.isascii() and val.decode("ascii").isprintable()):
        return None
    return argname


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as slow what `slow_tests.txt` names by its module, by its test, or by its case."""
    if " at 0x" in item.nodeid:  # another address in each process, so that pytest-xdist would run nothing at all
        raise pytest.UsageError(f"{item.nodeid}: give the case a name of its own, by `ids`")
    if slow_tests() & {item.nodeid, _test_of(item), item.nodeid.partition("::")[0]}:
        item.add_marker(pytest.mark.slow)


@cache
def slow_tests() -> frozenset[str]:
    """The lines of `slow_tests.txt` without its head."""
    lines = (ROOT / "tests" / "slow_tests.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out a small case where the slow case of the same test runs too; begin with what takes longest."""
    third = config.getoption("--slow-third")
    if third is not None:
        _leave_out(of_other_thirds(items, third), items, config)
    on_more = {_test_of(item) for item in items if item.get_closest_marker("slow")}
    spared = [item for item in items if item.get_closest_marker("unless_slow") and _test_of(item) in on_more]
    _leave_out(spared, items, config)
    items.sort(key=lambda item: next((n for n, those in enumerate(FIRST) if item.nodeid.startswith(those)), len(FIRST)))


def of_other_thirds(items: list[pytest.Item], third: int) -> list[pytest.Item]:
    """Return the slow tests that are not of this third (0, 1 or 2).

    The modules that have slow tests are dealt out like cards, by name. So a module's slow tests share their servers,
    and the nights of `tests/flows` are spread over all thirds.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    modules = sorted({item.nodeid.partition("::")[0] for item in slow})
    mine = set(modules[third::THIRDS])
    return [item for item in slow if item.nodeid.partition("::")[0] not in mine]


def _leave_out(those: list[pytest.Item], items: list[pytest.Item], config: pytest.Config) -> None:
    if those:
        config.hook.pytest_deselected(items=those)
        gone = set(those)
        items[:] = [item for item in items if item not in gone]


def _test_of(item: pytest.Item) -> str:
    """The name of a test without its case."""
    return item.nodeid.partition("[")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep in one process what shares servers, and every other module by itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServers(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return next(
                (those[0] for those in (FLOWS, LINE, KERNELS) if nodeid.startswith(those)), nodeid.partition("::")[0]
            )

        def _assign_work_unit(self, node: Any) -> None:
            with_prefect: set[Any] = self.__dict__.setdefault("with_prefect", set())
            may_start = node in with_prefect or len(with_prefect) < max(2, self.numnodes - 1)
            first = next(iter(self.workqueue))
            without = (one for one in self.workqueue if not needs_prefect(one))
            chosen = first if may_start else next(without, first)
            if needs_prefect(chosen):
                with_prefect.add(node)
            self.workqueue.move_to_end(chosen, last=False)
            super()._assign_work_unit(node)

    return ByServers(config, log)


@cache
def needs_prefect(scope: str) -> bool:
    """Whether what stays together uses a Prefect."""
    module = ROOT / scope
    return not module.is_file() or NEEDS_PREFECT.search(module.read_text()) is not None
