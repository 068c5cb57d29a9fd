"""How many characters a pattern looks at: a plain backtracking matcher over Python's own parse of it, which counts.

Python's matcher tries the same ways in the same order, and skips some of them early. So what is linear here is linear
there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_SINGLE = (
    _constants.LITERAL,
    _constants.NOT_LITERAL,
    _constants.ANY,
    _constants.IN,
    _constants.CATEGORY,
)


class TooManyStepsError(Exception):
    """The count has passed what was allowed."""


class Counter:
    """Counts the characters that one search looks at.

    Args:
        text: str or bytes, as the pattern wants it.
    """

    def __init__(self, pattern: re.Pattern[Any], text: Any, *, most: int) -> None:
        self.tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
        self.flags, self.text, self.most, self.steps = self.tree.state.flags, text, most, 0
        self._tests: dict[int, re.Pattern[Any]] = {}
        self._groups: dict[int, tuple[int, int]] = {}

    def search(self, *, everywhere: bool) -> int:
        """Return how many characters are looked at until it matches, or fails at every place."""
        sys.setrecursionlimit(100_000)
        for at in range(len(self.text) + 1) if everywhere else (0,):
            if next(self._sequence(list(self.tree), at), None) is not None:
                break
        return self.steps

    def _sequence(self, items: list[Any], at: int) -> Iterator[int]:
        if not items:
            yield at
            return
        for end in self._one(items[0], at):
            yield from self._sequence(items[1:], end)

    def _one(self, item: tuple[Any, Any], at: int) -> Iterator[int]:
        op, args = item
        if op in _SINGLE:
            yield from self._character(item, at)
        elif op in _REPEATS:
            yield from self._repeat(op, args, at)
        elif op is _constants.BRANCH:
            for branch in args[1]:
                yield from self._sequence(list(branch), at)
        elif op is _constants.SUBPATTERN:
            for end in self._sequence(list(args[-1]), at):
                self._groups[args[0]] = (at, end)
                yield end
        elif op is _constants.ATOMIC_GROUP:
            yield from self._first(self._sequence(list(args), at))
        elif op is _constants.GROUPREF:
            start, stop = self._groups.get(args, (0, 0))
            if self.text[at : at + stop - start] == self.text[start:stop]:
                yield at + stop - start
        elif op is _constants.ASSERT or op is _constants.ASSERT_NOT:
            yield from self._looking(op, args, at)
        elif op is _constants.AT:
            yield from self._place(args, at)
        else:
            raise NotImplementedError(str(op))

    def _character(self, item: tuple[Any, Any], at: int) -> Iterator[int]:
        self.steps += 1
        if self.steps > self.most:
            raise TooManyStepsError
        test = self._tests.get(id(item))
        if test is None:
            one = _parser.SubPattern(self.tree.state, [item])
            test = self._tests[id(item)] = _compiler.compile(one, self.flags)
        if test.match(self.text, at, at + 1):
            yield at + 1

    def _repeat(self, op: Any, args: tuple[int, Any, Any], at: int) -> Iterator[int]:
        least, most, body = args
        if op is _constants.POSSESSIVE_REPEAT:
            yield from self._first(self._greedy(list(body), at, least, most, 0))
        elif op is _constants.MIN_REPEAT:
            yield from self._lazy(list(body), at, least, most, 0)
        else:
            yield from self._greedy(list(body), at, least, most, 0)

    def _greedy(self, body: list[Any], at: int, least: int, most: Any, done: int) -> Iterator[int]:
        if done < most:
            for end in self._sequence(body, at):
                if end > at or done < least:
                    yield from self._greedy(body, end, least, most, done + 1)
        if done >= least:
            yield at

    def _lazy(self, body: list[Any], at: int, least: int, most: Any, done: int) -> Iterator[int]:
        if done >= least:
            yield at
        if done < most:
            for end in self._sequence(body, at):
                if end > at or done < least:
                    yield from self._lazy(body, end, least, most, done + 1)

    def _first(self, ends: Iterator[int]) -> Iterator[int]:
        for end in ends:
            yield end
            return

    def _looking(self, op: Any, args: tuple[int, Any], at: int) -> Iterator[int]:
        way, body = args
        width = body.getwidth()[1] if way < 0 else 0
        holds = at >= width and next(self._sequence(list(body), at - width), None) is not None
        if holds is (op is _constants.ASSERT):
            yield at

    def _place(self, where: Any, at: int) -> Iterator[int]:
        ends = {
            _constants.AT_BEGINNING: at == 0,
            _constants.AT_BEGINNING_STRING: at == 0,
            _constants.AT_END: at >= len(self.text) - 1,
            _constants.AT_END_STRING: at == len(self.text),
        }
        if ends.get(where, True):
            yield at


def worst_cases(pattern: re.Pattern[Any], n: int) -> Iterator[Any]:
    """Yield texts that make a pattern try again: what each repeat takes, n times over, before something it hates.

    With and without what stands before the repeat, and what the repeat takes with the start of the pattern repeated.
    """
    is_bytes = isinstance(pattern.pattern, bytes)
    tree = list(_parser.parse(pattern.pattern, pattern.flags))

    def encoded(text: str) -> Any:
        return text.encode("latin-1") if is_bytes else text

    for before, body in _pumps(tree, ""):
        for end in ("", "\x7f", "\n"):
            yield encoded(before + body * n + end)
            yield encoded(body * n + end)
            yield encoded((before + body) * n + end)


def _pumps(items: list[Any], before: str) -> Iterator[tuple[str, str]]:
    for item in items:
        op, args = item
        if op in _REPEATS and args[1] > 8:
            yield before, _sample(list(args[2]))
            yield before, " "
        for inside in _inside(op, args):
            yield from _pumps(list(inside), before)
        before += _sample([item])


def _inside(op: Any, args: Any) -> list[Any]:
    if op in _REPEATS:
        return [args[2]]
    if op is _constants.BRANCH:
        return list(args[1])
    if op is _constants.SUBPATTERN:
        return [args[-1]]
    return [args] if op is _constants.ATOMIC_GROUP else []


def _sample(items: list[Any]) -> str:
    """A short text that the items match."""
    return "".join(_sample_of(op, args) for op, args in items)


def _sample_of(op: Any, args: Any) -> str:
    if op is _constants.LITERAL:
        return chr(args)
    if op is _constants.NOT_LITERAL:
        return "a" if args != ord("a") else "b"
    if op is _constants.ANY:
        return "a"
    if op is _constants.IN or op is _constants.CATEGORY:
        item = (op, args)
        test = _compiler.compile(_parser.SubPattern(_parser.State(), [item]), 0)
        return next((sign for sign in _SIGNS if test.match(sign)), "a")
    if op in _REPEATS:
        return _sample(list(args[2])) * max(1, min(args[0], 3))
    if op is _constants.BRANCH:
        return _sample(list(args[1][0]))
    if op is _constants.SUBPATTERN:
        return _sample(list(args[-1]))
    return _sample(list(args)) if op is _constants.ATOMIC_GROUP else ""


_SIGNS = "a1 _-.#/=\n\xe9\x81\u3042" + "".join(map(chr, range(1, 127)))
