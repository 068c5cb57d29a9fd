"""docs/errors.md names every code there is, and none that there isn't."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from packshot import errors
from packshot.cli import EXIT_STATUSES
from packshot.errors import PackshotError
from packshot.specs.load import default_folder, load_configs

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "errors.md").read_text()
MAKERS = {"check", "measured", "skipped", "_warning", "_odd"}
"""Functions whose first argument is a finding's code."""


def codes_of(call: ast.Call) -> Iterator[ast.expr]:
    name = getattr(call.func, "id", None)
    if name == "Finding":
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "code")
    elif name in MAKERS and call.args:
        yield call.args[0]


def finding_codes() -> set[str]:
    found = set(load_configs(default_folder()).qc.rules)
    for file in [*(ROOT / "packshot").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            for code in codes_of(node) if isinstance(node, ast.Call) else ():
                if isinstance(code, ast.JoinedStr):
                    assert ast.unparse(code) == "f'{name}_wrong'", f"a code that cannot be looked up in {file}"
                found |= {
                    part.value
                    for part in ast.walk(code)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value != "_wrong"
                    if re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", part.value)
                }
    return found | {"gtin_wrong", "asin_wrong"}


def error_classes() -> list[type[PackshotError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PackshotError)]


def documented() -> set[str]:
    """What stands between backticks in the first column of a table."""
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    return {code for cell in rows for code in re.findall(r"`([a-z0-9_]+)`", cell)}


def test_every_finding_is_explained() -> None:
    assert finding_codes() - documented() == set()


def test_every_error_is_explained() -> None:
    assert {kind.code for kind in error_classes()} - documented() == set()
    assert [kind.__name__ for kind in error_classes() if kind.__name__ not in TEXT] == []


def test_nothing_is_explained_that_does_not_exist() -> None:
    assert documented() - finding_codes() - {kind.code for kind in error_classes()} == set()


def test_every_exit_status_is_explained_as_the_command_line_explains_it() -> None:
    for status, meaning in EXIT_STATUSES.items():
        assert f"| {int(status)} | {meaning} |" in TEXT
