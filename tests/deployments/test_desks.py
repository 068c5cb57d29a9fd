"""`packshot desk add-user`, `users`, `remove-user`."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desk.accounts import Accounts

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


def packshot(file: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployments", "desk", *words]
    environment = {**os.environ, "PACKSHOT_DESK_ACCOUNTS_FILE": str(file)}
    return subprocess.run(command, env=environment, input=said, capture_output=True, text=True, check=False)


def test_an_account_comes_and_goes_and_its_password_is_read_from_standard_input(file: Path) -> None:
    added = packshot(file, "add-user", "Sen Ior", "--role", "reviewer,senior", said=f"{PASSWORD}\n")
    assert (added.returncode, PASSWORD in added.stdout + added.stderr) == (0, False), added.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Accounts(file).sign_in("Sen Ior", PASSWORD)
    listed = packshot(file, "users", "--json")
    assert json.loads(listed.stdout) == [{"name": "Sen Ior", "roles": ["reviewer", "senior"]}]
    assert packshot(file, "remove-user", "sen ior").returncode == 0
    assert Accounts(file).all() == ()


def test_what_cannot_be_is_said_in_a_sentence(file: Path) -> None:
    for words, said, told in (
        (("add-user", "Ada", "--role", "king"), PASSWORD, "'king' is not a role"),
        (("add-user", "Ada", "--role", "reviewer"), "short", "this password cannot be used"),
        (("remove-user", "Ada"), "", "there is no such account"),
    ):
        done = packshot(file, *words, said=f"{said}\n")
        assert done.returncode != 0
        assert told in " ".join(done.stderr.split()), done.stderr
        assert "Traceback" not in done.stderr
    assert not file.exists()
