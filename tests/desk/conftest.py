"""The desk in this process, on the session's real servers; people with accounts of their own."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from prefect.client.orchestration import get_client
from starlette.testclient import TestClient

from deployments.demo import environment
from desk.access import accounts
from desk.access.accounts import Accounts
from desk.access.roles import Role
from desk.app import application
from desk.state import Desk
from packshot.decision import Choice, Mark
from packshot.naming import BatchId, ShotId, batch_id
from packshot.types import Verdict
from tasks.environment.settings import get_settings
from tasks.people.holds import hold_back
from tasks.people.jobs import open_job, open_waiting_run
from tasks.records.stored import load_record
from tasks.runs.resuming import waiting_runs
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import Storage
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.desk.people import PASSWORD, Browser
from tests.desk.serving import At, Person, served
from tests.tasks.by_people import answer, cut_out_by_hand, follow, put_back
from tests.tasks.conftest import (  # noqa: F401
    batch,
    line,
    line_environment,
    nobody_takes_runs,
    remembered,
    s3_settings,
    storage,
)
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import edited, photograph, routed, submitted, twin

PEOPLE = {
    "Rea Viewer": {Role.REVIEWER},
    "Ben Viewer": {Role.REVIEWER},
    "Sen Ior": {Role.SENIOR},
    "Edi Tor": {Role.EDITOR},
    "Max Manager": {Role.MANAGER},
}

MARKS = [Mark(left=100, top=100, right=200, bottom=180, text=text) for text in ("Close the hole.", "Cut the strap.")]


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash quickly here, where people sign in a hundred times. Outside it takes a fifth of a second, on purpose."""
    assert (accounts._HASHER.time_cost, accounts._HASHER.memory_cost) >= (3, 65_536)
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "_HASHER", quick)
        patched.setattr(accounts, "_NOBODY", quick.hash("nobody's"))
        yield


@pytest.fixture(scope="session")
def accounts_file(quick_passwords: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an account for each of `PEOPLE`."""
    file = tmp_path_factory.mktemp("accounts") / "accounts.json"
    accounts = Accounts(file)
    for name, roles in PEOPLE.items():
        accounts.add(name, roles, PASSWORD)
    return file


@pytest.fixture
def desk(accounts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty memory, with an account for each of `PEOPLE`."""
    own = shutil.copy(accounts_file, tmp_path)
    monkeypatch.setenv("PACKSHOT_DESK_ACCOUNTS_FILE", str(own))
    return Desk.of(get_settings())


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


@pytest.fixture(scope="session")
def reviewed(line_environment: dict[str, str]) -> BatchId:  # noqa: F811
    """A batch of three shots whose edits a person shall look at; nobody is asked. Tests get copies of it."""
    made = batch_id("acme", f"reviewed-{uuid.uuid4().hex[:8]}")
    with environment(line_environment):
        for one in routed(made, {"A1": 0.43, "A2": 0.40, "A3": 0.37}):
            edited(one.shot, verdict=Verdict.HUMAN_REVIEW)
    return made


@pytest.fixture
def for_review(line: Storage, reviewed: BatchId, batch: BatchId) -> list[ShotId]:  # noqa: F811
    """Three shots whose edits a person shall look at."""
    shots = twin(reviewed, batch)
    open_for_review(shots)
    return shots


@pytest.fixture(autouse=True)
def nobody_waits(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove the runs that wait when a test is over, else each round of every later test reads their records."""
    yield
    if "line" in request.fixturenames:
        with get_client(sync_client=True) as client:
            for run in list(waiting_runs()):
                client.delete_flow_run(run.id)


def open_for_review(shots: list[ShotId]) -> None:
    """Ask people about edits, as the line does."""
    in_a_run(lambda: [open_waiting_run(load_record(one), generation=0, category="boxes") for one in shots])


@pytest.fixture
def for_editor(line: Storage, batch: BatchId) -> ShotId:  # noqa: F811
    """A shot that waits for an editor."""
    jobs = batch_id(batch.client, f"{batch.batch}-jobs")
    (shot,) = routed(jobs, {"E1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    return shot.shot


@pytest.fixture
def on_hold(line: Storage, batch: BatchId, desk: Desk) -> ShotId:  # noqa: F811
    """A shot whose manifest asks for a service that nobody knows."""
    manifest = "file,sku,category,view,platforms,services\nH1.jpg,H1,boxes,MAIN,shopify,dust_remval\n"
    held = batch_id(batch.client, f"{batch.batch}-held")
    stock = submitted(held, {"H1.jpg": photograph(radius_ratio=0.43), "manifest.csv": manifest.encode()})
    mastered = master_shot.fn(stock.shots[0], configs_fingerprint=stock.configs_fingerprint)
    shot = route_shot.fn(mastered, group=group_shots.fn(held, [mastered])[mastered.name])
    assert in_a_run(lambda: hold_back.fn(held, [shot])).on_hold == (shot.name,)
    desk.waiting.refresh()
    return shot.shot


@pytest.fixture
def for_signoff(for_editor: ShotId) -> ShotId:
    """A shot that Edi Tor has edited, and that waits for a second person."""
    put_back(for_editor, "E1.png", cut_out_by_hand())
    outcome = in_a_run(lambda: follow(for_editor, answer(for_editor, Choice.RETURN, person="Edi Tor")))
    assert not outcome.objection
    return for_editor


@pytest.fixture
def edited_again(for_review: list[ShotId], desk: Desk) -> ShotId:
    """A shot that the machine edited, a reviewer sent to an editor with two marks, and Edi Tor brought back."""
    shot = for_review[0]
    sent = answer(shot, Choice.SEND_TO_EDITOR, person="Rea Viewer", marks=MARKS)
    assert not in_a_run(lambda: follow(shot, sent)).objection
    put_back(shot, f"{shot.shot}.png", cut_out_by_hand())
    outcome = in_a_run(lambda: follow(shot, answer(shot, Choice.RETURN, person="Edi Tor"), question="run-2"))
    assert not outcome.objection
    desk.waiting.refresh()
    return shot


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, "--force-color-profile=srgb"])
        yield browser
        browser.close()


@pytest.fixture
def at(desk: Desk, chromium: Any) -> Iterator[At]:
    """Seat somebody at the desk; whatever their pages complain about, such as a violated policy, fails the test."""
    people: list[Person] = []
    with served(desk) as address:

        def seat(name: str, **options: Any) -> Person:
            people.append(Person(chromium, address, **options))
            return people[-1].signed_in(name) if name else people[-1]

        yield seat
        for one in people:
            one.page.context.close()
    assert [said for one in people for said in one.complaints] == []
