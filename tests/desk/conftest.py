"""The desk in this process, on the session's real servers; people with accounts of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from desk.app import application
from desk.roles import Role
from desk.state import Desk
from packshot.decision import Choice
from packshot.naming import BatchId, ShotId
from packshot.types import Verdict
from tasks.jobs import open_job, open_waiting_run
from tasks.records import load_record
from tasks.settings import get_settings
from tasks.storage import Storage
from tests.desk.people import PASSWORD, Browser
from tests.tasks.conftest import (  # noqa: F401
    batch,
    line,
    line_environment,
    nobody_takes_runs,
    remembered,
    remembered_folder,
    s3_settings,
    storage,
)
from tests.tasks.people import answer, cut_out_by_hand, follow, put_back
from tests.tasks.runs import in_a_run
from tests.tasks.shots import edited, routed

PEOPLE = {
    "Rea Viewer": {Role.REVIEWER},
    "Ben Viewer": {Role.REVIEWER},
    "Sen Ior": {Role.SENIOR},
    "Edi Tor": {Role.EDITOR},
    "Max Manager": {Role.MANAGER},
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty memory, with an account for each of `PEOPLE`."""
    monkeypatch.setenv("PACKSHOT_DESK_ACCOUNTS_FILE", str(tmp_path / "accounts.json"))
    memory = Desk.of(get_settings())
    for name, roles in PEOPLE.items():
        memory.accounts.add(name, roles, PASSWORD)
    return memory


@pytest.fixture
def browse(desk: Desk) -> Iterator[Callable[[str], Browser]]:
    """Open a browser in which somebody is signed in; nothing goes on by itself, a test does each round."""
    opened: list[TestClient] = []

    def browser(name: str) -> Browser:
        client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
        opened.append(client)
        return Browser(client).signed_in(name)

    yield browser
    for client in opened:
        client.close()


@pytest.fixture
def for_review(line: Storage, batch: BatchId) -> list[ShotId]:  # noqa: F811
    """Three shots whose edits a person shall look at."""
    shots = [one.shot for one in routed(batch, {"A1": 0.43, "A2": 0.40, "A3": 0.37})]
    for shot in shots:
        edited(shot, verdict=Verdict.HUMAN_REVIEW)
    open_for_review(shots)
    return shots


def open_for_review(shots: list[ShotId]) -> None:
    """Ask people about edits, as the line does."""
    in_a_run(lambda: [open_waiting_run(load_record(one), generation=0, category="boxes") for one in shots])


@pytest.fixture
def for_editor(line: Storage, batch: BatchId) -> ShotId:  # noqa: F811
    """A shot that waits for an editor."""
    (shot,) = routed(batch, {"E1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    return shot.shot


@pytest.fixture
def for_signoff(for_editor: ShotId) -> ShotId:
    """A shot that Edi Tor has edited, and that waits for a second person."""
    put_back(for_editor, "E1.png", cut_out_by_hand())
    outcome = in_a_run(lambda: follow(for_editor, answer(for_editor, Choice.RETURN, person="Edi Tor")))
    assert not outcome.objection
    return for_editor
