"""Code blocks of the documents can be read by what they are for: the shell, YAML, JSON, TOML, Python."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").rglob("*.md")]
BLOCKS = [
    (path, kind, text)
    for path in DOCUMENTS
    for kind, text in re.findall(r"^```([a-z]*)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
]


def read_by_the_shell(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


READERS = {
    "sh": read_by_the_shell,
    "yaml": yaml.safe_load,
    "json": json.loads,
    "toml": tomllib.loads,
    "python": ast.parse,
    "": str,  # a drawing, or what a command prints
    "csv": str,
}


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    BLOCKS,
    ids=[f"{path.relative_to(ROOT)}: {kind} {text.strip().splitlines()[0][:40]}" for path, kind, text in BLOCKS],
)
def test_a_block_is_what_it_says(document: Path, kind: str, text: str) -> None:
    assert kind in READERS, f"{document.name} has a block of a kind that nobody tries: {kind}"
    READERS[kind](text)
