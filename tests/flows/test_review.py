"""A reviewer's word on a real server and worker: done again by the machine, then approved at the desk, in Chromium.

At the desk by keyboard only. That an approval from the command line is followed is held in `test_human.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from prefect.client.schemas.objects import FlowRun

from desk.access.roles import Role
from desk.app import application
from desk.state import Desk
from infra.local.processes import free_ports
from packshot.decision import Choice
from packshot.handoff.deciding import picture_shown
from packshot.naming import batch_id
from packshot.record import ShotRecord, State
from tasks.environment.settings import get_settings
from tasks.records.stored import load_record
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.line import Line, poll, sample_folder
from tests.flows.people import answered, settled

BATCH = batch_id("acme", "review")
KETTLE = BATCH.shot("KTL301_MAIN")
"""Chrome that mirrors the studio: nothing in the photograph says which of it is backdrop."""
REVIEWER = "Re Viewer"
OF_THE_BATCH = f"/queues/review?client={BATCH.client}&batch={BATCH.batch}"
"""Other tests' shots wait in the same line."""
PASSWORD = "correct horse battery"
LONG_MS = 60_000
LAPTOP = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def first(line: Line, tmp_path_factory: pytest.TempPathFactory) -> ShotRecord:
    """The record when a reviewer is asked for the first time."""
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("review"), [f"{KETTLE.shot}.jpg"]))
    line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    record = load_record(KETTLE)
    assert record.state is State.IN_REVIEW
    return record


@pytest.fixture(scope="module")
def redone(line: Line, first: ShotRecord) -> FlowRun:
    """The run that waits again, once the machine has done what it was asked."""
    (waiting,) = line.waiting_runs(BATCH)
    return answered(line, waiting.id, Choice.REDO, person=REVIEWER)


def approve(picture: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("packshot", path=str(Path(sys.executable).parent))
    assert command
    said = ("--by", REVIEWER, "--reason", "flaws_accepted", "--picture", picture[:16])
    return subprocess.run([command, "job", "approve", str(KETTLE), *said], capture_output=True, text=True, check=False)


def test_the_machine_does_it_again_by_the_other_method_and_asks_again(first: ShotRecord, redone: FlowRun) -> None:
    assert redone.state
    assert redone.state.is_paused()
    again = load_record(KETTLE)
    assert again.state is State.IN_REVIEW
    assert (first.reports["edit"]["method"], again.reports["edit"]["method"]) == ("refined", "network_only")
    assert picture_shown(first) != picture_shown(again)
    assert REVIEWER in next(event.why for event in again.events if event.to_state is State.REDO)


def test_an_approval_of_the_picture_of_before_is_refused(first: ShotRecord, redone: FlowRun, line: Line) -> None:
    refused = approve(picture_shown(first))
    assert refused.returncode != 0
    assert "changed" in refused.stderr
    run = line.read(redone.id)
    assert run.state_id == redone.state_id


@pytest.fixture
def served(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Desk, str]]:
    """The desk with its address; a decision can be taken back for a second."""
    monkeypatch.setenv("PACKSHOT_DESK_ACCOUNTS_FILE", str(tmp_path / "accounts.json"))
    monkeypatch.setenv("PACKSHOT_DESK_UNDO_S", "1")
    desk = Desk.of(get_settings())
    desk.accounts.add(REVIEWER, {Role.REVIEWER}, PASSWORD)
    (port,) = free_ports(1)
    config = uvicorn.Config(application(desk), host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=copy_context().run, args=(server.run,))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    yield desk, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page() -> Iterator[Any]:
    """A page in Chromium; whatever it complains about, such as a violated policy, fails the test."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        page = browser.new_context(viewport=LAPTOP).new_page()
        page.set_default_timeout(LONG_MS)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        yield page
        browser.close()
    assert not complaints
    assert all(url.startswith(("http://127.0.0.1:", "data:", "blob:")) for url in requested), requested


@needs_chromium
def test_a_reviewer_decides_by_keyboard_and_it_is_followed_exactly_once_and_delivered(
    line: Line, redone: FlowRun, served: tuple[Desk, str], page: Any
) -> None:
    desk, address = served
    waiting = load_record(KETTLE)
    page.goto(address)
    page.wait_for_function("document.activeElement?.name === 'name'")
    page.keyboard.type(REVIEWER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Sign out")
    page.goto(f"{address}{OF_THE_BATCH}")
    page.wait_for_selector(f"text={KETTLE.shot}")
    page.keyboard.press("Enter")  # begin with the first
    page.wait_for_selector("h1:has-text('KTL301_MAIN')")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits a laptop's width"
    first = waiting.present_findings and page.locator(".findings li").first.inner_text()
    assert first.startswith("Stops approval."), first
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")  # a finding stops approval: the reason is asked for
    assert page.locator("#offer-1").is_visible()
    page.keyboard.press("Enter")  # nothing is preset
    assert desk.outbox.is_empty
    page.keyboard.press("n")
    page.keyboard.type("looked at 1:1, a mirror")
    page.keyboard.press("Enter")  # out of the note
    with page.expect_navigation():
        page.keyboard.press("2")
    page.wait_for_selector("#undo")
    poll(lambda: load_record(KETTLE).state is not State.IN_REVIEW or None, until="the approval was followed")
    record = load_record(KETTLE)
    again, decision = record.decisions
    assert (again.choice, again.by) == (Choice.REDO, REVIEWER)
    assert (decision.choice, decision.reason.value) == (Choice.APPROVE, "flaws_accepted")
    assert (decision.by, decision.verified, decision.note) == (REVIEWER, True, "looked at 1:1, a mirror")
    assert record.objects["edit.tif"].startswith(decision.picture)
    assert len([one for one in record.events if one.to_state is State.APPROVED]) == 1
    poll(lambda: desk.outbox.is_empty or None, until="the desk has seen it")
    page.goto(f"{address}{OF_THE_BATCH}")
    page.wait_for_selector("text=Nothing here passes these filters.")
    run = settled(line, redone)
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert load_record(KETTLE).state is State.DELIVERED
