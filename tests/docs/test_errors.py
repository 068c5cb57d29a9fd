"""Every code that there is is explained, and none that there isn't, with units and gates as they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from packshot.cli.ending import EXIT_STATUSES
from packshot.errors import PackshotError, TerminalError, TransientError
from packshot.explained import ERRORS, GROUPS, Group, error_in_words
from packshot.qc.report import BACKGROUND_RULES, COLOUR_RULES, EDGE_RULES, FILL_RULES
from tests.configs import shipped_configs

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "errors.md").read_text()
FLOORS = ("packshot", "tasks", "flows", "desk", "deployments")

COMPUTED = {
    ("facts.py", "f'{name}_wrong'"): {"gtin_wrong", "asin_wrong"},
    ("manifest.py", "f'{column}_damaged'"): {"gtin_damaged", "sku_damaged"},
    ("stock.py", "code"): {
        "row_without_file",
        "file_without_row",
        "misnamed_file",
        "names_alike",
        "duplicate",
        "table_not_taken",
        "reference_is_shot",
    },
    ("render.py", "'colour_corrected' if colour else 'background_corrected'"): {
        "colour_corrected",
        "background_corrected",
    },
}
"""Codes that do not stand in the call that makes the finding: (file, expression) -> codes."""


COMPONENTS = ("Background", "Edge", "Fill", "Colour and detail")


@cache
def sources() -> dict[Path, ast.Module]:
    files = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.py")]
    return {file: ast.parse(file.read_text()) for file in files}


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def makers() -> dict[str, int]:
    """Functions that make a finding of the code they are given -> which argument that is."""
    found = {}
    for tree in (tree for file, tree in sources().items() if "Finding(" in file.read_text()):
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            names = [argument.arg for argument in function.args.args]
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                code = keyword(call, "code") if name_of(call) == "Finding" else None
                if isinstance(code, ast.Name) and code.id in names:
                    found[function.name] = names.index(code.id)
    return found


@cache
def code_expressions() -> tuple[tuple[Path, ast.Call, ast.expr], ...]:
    """Every expression that becomes the code of a finding, outside the functions that are given it."""
    return tuple(_code_expressions(makers()))


def _code_expressions(positions: Mapping[str, int]) -> Iterator[tuple[Path, ast.Call, ast.expr]]:
    words = ("Finding(", *(f"{name}(" for name in positions))
    for file, tree in sources().items():
        if not any(word in file.read_text() for word in words):
            continue
        inside = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef) and function.name in positions
            for node in ast.walk(function)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name, code = name_of(call), keyword(call, "code")
            if name in positions and len(call.args) > positions[name]:
                code = call.args[positions[name]]
            if code is not None and (name == "Finding" or name in positions) and id(call) not in inside:
                yield file, call, code


def finding_codes() -> set[str]:
    found = set(shipped_configs().qc.rules)
    for file, _, code in code_expressions():
        if isinstance(code, ast.Constant):
            found.add(str(code.value))
        else:
            found |= COMPUTED[file.name, ast.unparse(code)]
    return found


def test_every_code_that_is_computed_is_known() -> None:
    met = {(file.name, ast.unparse(code)) for file, _, code in code_expressions() if not isinstance(code, ast.Constant)}
    assert met == set(COMPUTED)


def test_every_finding_is_explained_and_no_other() -> None:
    assert {code for group in GROUPS.values() for code in group.codes} == finding_codes()


def test_every_error_is_explained_with_what_to_do() -> None:
    kinds = {PackshotError, TransientError, TerminalError}
    for kind in ERRORS.values():
        says, todo = error_in_words(kind)
        assert says.endswith(".") or says.endswith("..."), kind
        assert bool(todo) == (kind not in kinds), kind
        assert "Args:" not in says, kind


def test_every_error_that_is_raised_says_what_is_allowed_or_what_to_do() -> None:
    names = {kind.__name__ for kind in ERRORS.values() if kind is not PackshotError}  # restored from words only
    calls = [
        (file.name, call)
        for file, tree in sources().items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and name_of(call) in names
    ]
    assert len(calls) > 100
    silent = [
        (file, call.lineno)
        for file, call in calls
        if len(call.args) < len(("what", "subject", "found", "allowed"))
        and not (
            keyword(call, "allowed") or keyword(call, "next_step") or any(one.arg is None for one in call.keywords)
        )
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("component", "rules"),
    [("Background", BACKGROUND_RULES), ("Edge", EDGE_RULES), ("Fill", FILL_RULES), ("Colour and detail", COLOUR_RULES)],
)
def test_every_quality_rule_stands_in_its_component_with_its_gate(component: str, rules: dict[str, object]) -> None:
    limits = shipped_configs().qc.rules
    told = {code: one.gate for code, one in GROUPS[component].codes.items()}
    assert told == {code: limits[code].gate for code in rules}


def test_every_quality_rule_has_its_unit() -> None:
    told = {code: one.unit for name in COMPONENTS for code, one in GROUPS[name].codes.items()}
    for file, call, code in code_expressions():
        if file.parent.name == "qc" and name_of(call) == "measured" and isinstance(code, ast.Constant):
            unit = keyword(call, "unit")
            assert told[str(code.value)] == (unit.value if isinstance(unit, ast.Constant) else ""), code.value


def test_every_check_of_a_delivered_file_has_its_unit() -> None:
    told = {code: one.unit for code, one in GROUPS["A delivered file"].codes.items()}
    for file, call, code in code_expressions():
        if file.parent.name == "export" and isinstance(code, ast.Constant):
            unit = keyword(call, "unit")
            assert unit is None or told[str(code.value)] == ast.literal_eval(unit), code.value


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_every_finding_has_a_sentence_or_a_figure_with_advice(group: Group) -> None:
    for code, one in group.codes.items():
        assert one.text or (one.measured and group.advice), code


def test_every_exit_status_is_explained_as_the_command_line_explains_it() -> None:
    for status, meaning in EXIT_STATUSES.items():
        assert f"| {int(status)} | {meaning} |" in TEXT


def test_the_columns_of_a_manifest_are_those_that_mean_something() -> None:
    from packshot.ingest.manifest import COLUMNS

    told = re.findall(r"`([a-z_]+)`", TEXT.split("Known columns: ")[1].split(".")[0])
    assert told == list(COLUMNS)
