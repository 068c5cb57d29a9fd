"""Count what code does in loops, so that a test can compare it for n things and for 4n.

Modules that are imported after `count_in` are compiled with a count at each place where something is gone through: a
loop, a comprehension, ``x in a_list``, ``*a_tuple``, ``sorted(a_list)``. Looking something up in a dictionary or a set
counts nothing. A loop's own iterable counts as it is gone through, so one that is left early counts only what it saw.

It is for a process of its own: what was imported before is not counted.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from types import CodeType, ModuleType
from typing import Any

GO_THROUGH = frozenset({"sorted", "list", "tuple", "set", "frozenset", "dict", "sum", "max", "min", "any", "all"})
"""Builtin functions that go through what they are given."""
LOOK_FOR = frozenset({"index", "count", "remove"})
"""Methods of lists that go through them."""


class Count:
    """How many things were gone through, in all modules that count."""

    seen = 0


def _each(things: Iterable[Any]) -> Iterator[Any]:
    for one in things:
        Count.seen += 1
        yield one


def _is_in(one: Any, things: Any) -> bool:
    if isinstance(things, (list, tuple)):
        Count.seen += len(things)
    return one in things


def _whole(things: Any) -> Any:
    if hasattr(things, "__len__"):
        Count.seen += len(things)
    return things


class _Counting(ast.NodeTransformer):
    """Puts the counts into a module's code."""

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = _call("_counted_each", node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        if not node.is_async:
            node.iter = _call("_counted_each", node.iter)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) > 1 or not isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return node
        found = _call("_counted_in", node.left, node.comparators[0])
        return found if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), found)

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = _call("_counted_whole", node.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        self.generic_visit(node)
        pairs = zip(node.keys, node.values, strict=True)
        node.values = [value if key else _call("_counted_whole", value) for key, value in pairs]
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        goes_through = isinstance(node.func, ast.Name) and node.func.id in GO_THROUGH
        if goes_through and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            node.args = [_call("_counted_whole", node.args[0])]
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOOK_FOR and len(node.args) == 1:
            node.func.value = _call("_counted_whole", node.func.value)
        return node


def _call(name: str, *given: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(given), [])


class _Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:
        tree = ast.fix_missing_locations(_Counting().visit(ast.parse(data, path)))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)  # never what is kept in __pycache__


class _Finder(MetaPathFinder):
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name.split(".")[0] not in self._packages:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        if found is None or not isinstance(found.loader, importlib.machinery.SourceFileLoader):
            return found
        loader = _Loader(found.loader.name, found.loader.path)
        return importlib.util.spec_from_file_location(
            name, found.origin, loader=loader, submodule_search_locations=found.submodule_search_locations
        )


def count_in(*packages: str) -> None:
    """Count in all modules of these packages that are imported from now on."""
    for name, counted in (("_counted_each", _each), ("_counted_in", _is_in), ("_counted_whole", _whole)):
        setattr(builtins, name, counted)
    sys.meta_path.insert(0, _Finder(packages))


def counted(source: str) -> Callable[[str], Any]:
    """Return a function that gives a name of a module with this source, which counts; for the tests of the count."""
    count_in()
    code = compile(ast.fix_missing_locations(_Counting().visit(ast.parse(source))), "a test", "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    return names.__getitem__
