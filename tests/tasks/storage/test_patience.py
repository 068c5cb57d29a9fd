"""A run waits while the storage is away: which requests are made again, for how long, and what is said."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import prefect.client.base
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed

from flows.presence import present
from packshot.errors import LeaseLostError, StorageUnavailableError
from packshot.naming import batch_id
from tasks.environment.settings import get_settings
from tasks.storage import bucket, patience
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.inbox import Inbox, open_inbox
from tasks.storage.patience import only_while
from tests.tasks.simulated_s3 import PAGE, Actor, SimulatedS3, World

BATCH = batch_id("acme", "spring")
JSON = "application/json"
OLD, NEW = "batches/acme/old.json", "batches/acme/new.json"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A storage in memory, with a clock that a wait moves on; `Actor.away_at` says when it goes away."""
    made = World()
    client = SimulatedS3(made)
    monkeypatch.setattr(bucket, "connect", lambda settings: client)
    monkeypatch.setattr(patience, "time", made)
    monkeypatch.setattr(patience, "_outage", patience._Outage())
    made.act(Actor(run="before"), lambda: open_storage().put(OLD, b"{}", content_type=JSON))
    return made


def inside(monkeypatch: pytest.MonkeyPatch, *, flow: bool = True, task: bool = False) -> None:
    """What is done is done by a flow, or by a task."""
    for name, here in (("FlowRunContext", flow), ("TaskRunContext", task)):
        monkeypatch.setattr(patience, name, SimpleNamespace(get=lambda here=here: object() if here else None))


def many(opened: Storage) -> None:
    for number in range(2 * PAGE + 1):
        opened.put(f"many/{number:03}/x", b"x", content_type=JSON)


METHODS: Mapping[str, Callable[[Storage, Path], Any]] = MappingProxyType(
    {
        "get": lambda opened, _: opened.get(OLD),
        "get_with_etag": lambda opened, _: opened.get_with_etag(OLD)[0],
        "get_with_age": lambda opened, _: opened.get_with_age(OLD)[0],
        "get_with_info": lambda opened, _: [(data, info.sha256) for data, info in [opened.get_with_info(OLD)]],
        "get_if_there": lambda opened, _: (opened.get_if_there(OLD), opened.get_if_there(NEW)),
        "get_file": lambda opened, folder: (opened.get_file(OLD, folder / "got").sha256, (folder / "got").read_bytes()),
        "head": lambda opened, _: opened.head(OLD).sha256,
        "exists": lambda opened, _: (opened.exists(OLD), opened.exists(NEW)),
        "list": lambda opened, _: (many(opened), [one.key for one in opened.list("many/")])[1],
        "folders": lambda opened, _: (many(opened), list(opened.folders("many/")))[1],
        "put": lambda opened, _: (opened.put(NEW, b"1", content_type=JSON).sha256, opened.get(NEW)),
        "put_file": lambda opened, folder: (
            (folder / "file").write_bytes(b"2"),
            opened.put_file(NEW, folder / "file", content_type=JSON).sha256,
            opened.get(NEW),
        ),
        "put_if_absent": lambda opened, _: (opened.put_if_absent(NEW, b"3", content_type=JSON).sha256, opened.get(NEW)),
        "replace_if": lambda opened, _: (
            opened.replace_if(OLD, b"4", etag=opened.head(OLD).etag, content_type=JSON).sha256,
            opened.get(OLD),
        ),
        "copy": lambda opened, _: (opened.copy(OLD, NEW).sha256, opened.get(NEW)),
        "copy_verified": lambda opened, _: (
            opened.copy_verified(OLD, NEW, sha256=opened.head(OLD).sha256).sha256,
            opened.get(NEW),
        ),
        "remove_lease": lambda opened, _: opened.remove_lease("night"),
        "upload": lambda opened, _: open_inbox().upload(BATCH, "A1.jpg", b"5", content_type=JSON).sha256,
        "close": lambda opened, _: open_inbox().close(BATCH).sha256,
        "ensure_bucket": lambda opened, _: opened.ensure_bucket(),
    }
)


def test_every_method_is_tried_here() -> None:
    public = {name for name, _ in inspect.getmembers(Inbox, inspect.isfunction) if not name.startswith("_")}
    assert public == METHODS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_a_flow_outlasts_an_outage_at_every_request_of_every_method(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inside(monkeypatch)
    begun, answers = dict(world.objects), []

    def call() -> None:
        answers.append(METHODS[name](open_storage(), tmp_path))

    undisturbed = Actor(run="undisturbed")
    world.act(undisturbed, call)
    left = {key: one.data for key, one in world.objects.items()}
    assert undisturbed.requests
    for at in range(undisturbed.requests):
        world.objects = dict(begun)
        world.act(Actor(run="flow", away_at=at, away_for=7), call)
        assert answers[-1] == answers[0], at
        assert {key: one.data for key, one in world.objects.items()} == left, at


def get_old() -> bytes:
    return open_storage().get(OLD)


@pytest.fixture
def away(world: World) -> Actor:
    """A process from which the storage is away, for as long as it asks."""
    actor = Actor(run="flow", away_at=0, away_for=1_000_000)
    world.act(actor, lambda: None)
    return actor


def test_outside_a_run_the_error_comes_at_once(world: World, away: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch, flow=False)
    with pytest.raises(StorageUnavailableError):
        get_old()
    assert away.requests == 1


def test_patience_ends_with_a_sentence(world: World, away: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch)
    begun = world.seconds
    with pytest.raises(StorageUnavailableError, match=r"this run has waited for 6\d\d s\. Bring the storage back"):
        get_old()
    assert get_settings().patience_s <= world.seconds - begun < get_settings().patience_s + 60
    before = away.requests
    with pytest.raises(StorageUnavailableError, match="this run has waited"):  # not once more for each request
        get_old()
    assert away.requests == before + 1


def test_without_patience_nothing_is_made_again(world: World, away: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch)
    monkeypatch.setenv("PACKSHOT_PATIENCE_S", "0")
    with pytest.raises(StorageUnavailableError):
        get_old()
    assert away.requests == 1


def test_it_is_said_once_that_it_waits_and_once_that_it_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inside(monkeypatch)
    world.act(Actor(run="flow", away_at=0, away_for=9), get_old)
    waits, goes_on = (record.getMessage() for record in caplog.records)
    assert waits.startswith("waiting for the storage, up to 600 s: ")
    assert OLD in waits
    assert goes_on.startswith("the storage answers again after ")


def test_a_task_waits_while_nothing_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch, task=True)
    got: list[bytes] = []
    world.act(Actor(run="task", away_at=0, away_for=20), lambda: got.append(get_old()))
    assert got == [b"{}"]


def test_a_task_fails_where_only_its_object_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shots of a batch must not wait for one another's damaged object."""
    inside(monkeypatch, task=True)
    actor = Actor(run="task", away_at=0, away_for=1)  # the question whether anything is answered is its second request
    with pytest.raises(StorageUnavailableError):
        world.act(actor, get_old)
    assert actor.requests == 2


def test_whoever_lost_its_work_meanwhile_makes_no_request_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch)

    def is_lost() -> None:
        raise LeaseLostError("another run has it", "batches/acme/spring")

    def write() -> None:
        with only_while(is_lost):
            open_storage().put(NEW, b"late", content_type=JSON)

    with pytest.raises(LeaseLostError):
        world.act(Actor(run="flow", away_at=0, away_for=3), write)
    assert NEW not in world.objects


def test_a_wait_within_the_question_who_owns_the_work_asks_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside(monkeypatch)
    asked: list[bytes] = []
    actor = Actor(run="flow", away_at=0, away_for=4)  # the question itself meets the outage, too

    def work() -> None:
        with only_while(lambda: asked.append(get_old())):
            get_old()

    world.act(actor, work)
    assert asked == [b"{}"]


# --- Prefect's server ---


class Away(BaseHTTPRequestHandler):
    """A server that is away for some requests: it breaks each second connection, and answers the others with 503."""

    left = 0

    def do_GET(self) -> None:
        kind = type(self)
        kind.left -= 1
        if kind.left >= 0 and kind.left % 2:
            self.connection.close()
            return
        self.send_response(503 if kind.left >= 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
        """Say nothing on the terminal."""


def test_a_flow_outlasts_a_prefect_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(prefect.client.base, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(Away, "left", 8)

    @present
    def flow() -> State[Any]:
        with get_client(sync_client=True) as client:
            return Completed(message=str(client.request("GET", "/hello").status_code))

    with HTTPServer(("127.0.0.1", 0), Away) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.server_port}/api"}):
            assert flow().message == "200"
        server.shutdown()
    assert 0.5 * get_settings().patience_s < sum(pauses) < 1.5 * get_settings().patience_s
