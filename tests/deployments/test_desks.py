"""`packshot desk add-user`, `users`, `remove-user`; once as a process of its own, with a real standard input."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desk.access.accounts import Accounts
from tests.terminal import packshot

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The accounts that the commands change; there are none yet."""
    file = tmp_path / "accounts.json"
    monkeypatch.setenv("PACKSHOT_DESK_ACCOUNTS_FILE", str(file))
    return file


def test_an_account_comes_and_goes_and_its_password_is_read_from_standard_input(file: Path) -> None:
    command = [sys.executable, "-m", "deployments", "desk", "add-user", "Sen Ior", "--role", "reviewer,senior"]
    added = subprocess.run(command, input=f"{PASSWORD}\n", capture_output=True, text=True, check=False)
    assert (added.returncode, PASSWORD in added.stdout + added.stderr) == (0, False), added.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Accounts(file).sign_in("Sen Ior", PASSWORD)
    assert json.loads(packshot("desk", "users", "--json").out) == [{"name": "Sen Ior", "roles": ["reviewer", "senior"]}]
    assert packshot("desk", "remove-user", "sen ior").status == 0
    assert Accounts(file).all() == ()


def test_what_cannot_be_is_said_in_a_sentence(file: Path) -> None:
    for words, said, told in (
        (("add-user", "Ada", "--role", "king"), PASSWORD, "'king' is not a role"),
        (("add-user", "Ada", "--role", "reviewer"), "short", "this password cannot be used"),
        (("remove-user", "Ada"), "", "there is no such account"),
    ):
        done = packshot("desk", *words, said=f"{said}\n")  # what is no error of a command would be raised here
        assert done.status != 0
        assert told in done.error
    assert not file.exists()
