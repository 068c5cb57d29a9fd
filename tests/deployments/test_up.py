"""`packshot up`, `status` and `down` on real servers, each part of which is killed in turn."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.local.processes import free_ports, holder_of
from tests.flows.line import poll
from tests.infra.local.conftest import left_over
from tests.often import few_often
from tests.patience import PATIENCE_S
from tests.servers import open_folder

PARTS = ("s3", "worker", "postgres", "prefect", "desk", "watch")
DESK_PORT = "PACKSHOT_DESK_PORT"
NO_DESK = """
import os, pathlib, sys
if sys.orig_argv[-1] == "desk" and pathlib.Path(__file__).with_name("no desk").exists():
    os._exit(3)
"""
"""What Python does first in each process of the line: as long as a file is there, a desk ends at once."""


class Up:
    """A line in the background, as its owner sees it from a terminal."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder, self.variables = folder, variables
        self.started = ""
        self.without_desk: dict[str, Any] = {}

    def packshot(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deployments", *words, "--state", str(self.folder)]
        return subprocess.run(command, env=dict(self.variables), capture_output=True, text=True, check=False)

    def status(self) -> dict[str, Any]:
        done = self.packshot("status", "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if found["healthy"] else 1), done.stderr
        return {**found, "parts": {part["name"]: part for part in found["parts"]}}

    def file(self) -> dict[str, Any]:
        """The status as it stands in the folder; quicker than a command, for looking often."""
        found = json.loads((self.folder / "status.json").read_text())
        return {part["name"]: part for part in found["parts"]}

    def environment(self) -> dict[str, str]:
        """What another terminal has after sourcing the file."""
        said = subprocess.run(
            ["sh", "-c", '. "$0"; env', self.folder / "environment"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env={"PATH": os.environ["PATH"]},
        )
        return dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)

    def works(self) -> dict[str, Any] | None:
        parts = self.file()
        return parts if not any(part["trouble"] for part in parts.values()) else None


@pytest.fixture(scope="module")
def line() -> Iterator[Up]:
    with open_folder() as outer, socket.create_server(("127.0.0.1", 0)) as another:
        folder = outer / "state"
        folder.mkdir(mode=0o711)
        (folder / "ports.json").write_text(json.dumps({"prefect": free_ports(1)}))
        first = outer / "first"
        first.mkdir()
        (first / "sitecustomize.py").write_text(NO_DESK)
        (first / "no desk").touch()
        variables = {
            "PACKSHOT_NIGHTLY_CRON": "0 2 29 2 *",
            "PACKSHOT_COLLECT_EVERY_S": "86400",
            DESK_PORT: str(another.getsockname()[1]),  # another desk of this machine has it
        }
        line = Up(folder, {**os.environ, **variables, "PYTHONPATH": str(first)})
        started = line.packshot("up")
        try:
            assert started.returncode == 1, started.stderr
            port = json.loads((folder / "ports.json").read_text())["desk"][0]
            assert f"Review desk http://127.0.0.1:{port}" in started.stdout
            line.started, line.without_desk = " ".join(started.stdout.split()), line.status()
            (first / "no desk").unlink()
            poll(line.works, until="the desk, which is tried again and again, works")
            yield line
        finally:
            line.packshot("down")
            assert left_over(folder) == []


def test_status_tells_of_every_part(line: Up) -> None:
    found = line.status()
    assert found["healthy"]
    assert set(found["parts"]) == set(PARTS)


def test_links_lead_to_this_desk_where_another_has_the_usual_port(line: Up) -> None:
    """Kind of test that was missing: two lines on one machine. Links of the second one led to the first one's desk."""
    ((port,), another) = json.loads((line.folder / "ports.json").read_text())["desk"], line.variables[DESK_PORT]
    assert str(port) != another
    for name in ("worker", "watch", "desk"):
        assert psutil.Process(line.file()[name]["process"]).environ()[DESK_PORT] == str(port), name
    assert line.environment()[DESK_PORT] == str(port)


def test_a_desk_that_does_not_start_stops_nothing_and_is_tried_again(line: Up) -> None:
    """Kind of test that was missing: one in which a part does not work from the start."""
    assert "Not all of it works: desk: ended with status 3" in line.started
    assert "it is tried again: packshot status" in line.started
    troubled = {name for name, part in line.without_desk["parts"].items() if part["trouble"]}
    assert troubled == {"desk"}
    assert line.without_desk["parts"]["desk"]["restarts"] >= 1
    assert "desk: ended with status 3; started again (restart 1)" in (line.folder / "serve.log").read_text()
    assert line.status()["healthy"]


@pytest.mark.parametrize("name", few_often(PARTS, 1))
def test_a_part_that_is_killed_is_started_again_where_it_was_and_said(line: Up, name: str) -> None:
    addresses = line.environment()
    before = line.file()[name]
    restarts = before["restarts"] + 1
    psutil.Process(before["process"]).kill()
    poll(lambda: line.file()[name]["restarts"] == restarts or None, until=f"{name} was started again")
    after = poll(line.works, until=f"all parts work after {name} was killed")[name]
    assert after["process"] != before["process"]
    assert after["since"] > before["since"]
    assert line.status()["healthy"]
    assert line.environment() == addresses
    said = (line.folder / "serve.log").read_text()
    assert f"{name}: ended with status -9; started again (restart {restarts})" in said
    with urllib.request.urlopen(f"{addresses['PREFECT_API_URL']}/ready", timeout=PATIENCE_S) as answer:
        assert answer.status == 200


def test_status_names_the_part_that_does_not_answer(line: Up) -> None:
    process = psutil.Process(line.file()["s3"]["process"])
    process.suspend()  # it lives, and does nothing
    try:
        poll(lambda: None if line.works() else True, until="the silence is seen")
        found = line.status()
    finally:
        process.resume()
    assert not found["healthy"]
    assert found["trouble"].startswith("s3: its process is stopped (SIGSTOP)")
    assert found["parts"]["s3"]["restarts"] == line.file()["s3"]["restarts"]
    poll(line.works, until="it answers again")


def test_another_terminal_works_with_the_same_style_guides(line: Up) -> None:
    assert Path(line.environment()["PACKSHOT_CONFIGS"]).is_absolute()
    assert (Path(line.environment()["PACKSHOT_CONFIGS"]) / "clients").is_dir()


def test_a_second_start_is_refused_and_names_the_first(line: Up) -> None:
    again = line.packshot("up")
    assert again.returncode == 5
    assert f"already running, started by process {holder_of(line.folder)}" in " ".join(again.stderr.split())


def test_status_of_what_does_not_run_is_not_healthy(tmp_path: Path) -> None:
    nothing = Up(tmp_path, os.environ)
    assert not nothing.status()["healthy"]
    assert nothing.packshot("down").stdout == "Nothing ran.\n"
