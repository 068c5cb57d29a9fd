from __future__ import annotations

import asyncio
import json
import pickle
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers, text
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.serializers import JSONSerializer
from prefect.settings import Settings as PrefectSettings

from deployments.demo import environment
from infra.local.stack import Stack
from packshot.errors import (
    ConfigError,
    EmptySubjectError,
    ObjectMissingError,
    PackshotError,
    StorageUnavailableError,
)
from packshot.keys import result_key
from packshot.naming import ShotId
from packshot.types import Complexity, Route
from tasks.environment.settings import get_settings
from tasks.results.block import BLOCK, ENVIRONMENT, SERIALIZER, PlainSerializer, ResultsInBucket, register_results
from tasks.results.cache_keys import unit
from tasks.results.handovers import Outcome, RoutedShot
from tasks.storage.bucket import Storage
from tasks.storage.seals import draw_key, line_key, seal, unseal


@pytest.fixture(scope="module")
def prefect_server(prefect_stack: Stack) -> Iterator[None]:
    """This process as a client of the session's Prefect."""
    quiet = {"PREFECT_LOGGING_TO_API_ENABLED": "false"}  # what is still to be sent must not outlive the server
    with environment({**prefect_stack.environment(), **quiet}):
        yield


@pytest.fixture
def results(prefect_server: None, storage: Storage) -> str:
    return register_results()


class Executions:
    """What ran, in order. An attribute and not a list in a closure, so that tasks stay importable."""

    ran: list[str]
    fail: set[str]


@pytest.fixture(autouse=True)
def executions() -> type[Executions]:
    Executions.ran, Executions.fail = [], set()
    return Executions


def routed(name: str, *, source_sha256: str = "f" * 64) -> RoutedShot:
    return RoutedShot(
        shot=ShotId(client="acme", batch="spring", shot=name),
        source_sha256=source_sha256,
        plan_fingerprint="0" * 16,
        group="g1",
        category="books",
        complexity=Complexity.SIMPLE,
        route=Route.AUTOMATED,
        reason="books are simple",
        master_sha256="e" * 64,
    )


@task(name="touch", **unit("touch"))
def touch(shot: RoutedShot) -> RoutedShot:
    Executions.ran.append(shot.name)
    if shot.name in Executions.fail:
        raise EmptySubjectError("no product found", shot.name)
    return shot


@flow(name="touch-all")
def touch_all(shots: list[RoutedShot]) -> int:
    futures = [touch.submit(shot) for shot in shots]
    done = [future.result(raise_on_failure=False) for future in futures]
    assert all(isinstance(result, RoutedShot | EmptySubjectError) for result in done)
    return len(done)


def test_a_second_run_finds_the_results_of_the_first_in_the_bucket(results: str, storage: Storage) -> None:
    shots = [routed("A"), routed("B"), routed("C")]
    touch_all(shots)
    assert len(list(storage.list(result_key("touch-")))) == 3
    touch_all(shots)
    assert sorted(Executions.ran) == ["A", "B", "C"]


def test_only_what_failed_or_changed_runs_again(results: str) -> None:
    Executions.fail = {"B"}
    touch_all([routed("A"), routed("B"), routed("C")])
    Executions.ran, Executions.fail = [], set()
    touch_all([routed("A"), routed("B"), routed("C", source_sha256="1" * 64)])
    assert sorted(Executions.ran) == ["B", "C"]


@flow(name="touch-one")
def touch_one(shot: RoutedShot) -> str:
    return touch_unavailable.with_options(retry_delay_seconds=0).submit(shot).result().name


@task(name="touch unavailable", **unit("touch-unavailable"))
def touch_unavailable(shot: RoutedShot) -> RoutedShot:
    Executions.ran.append(shot.name)
    if len(Executions.ran) < 3:
        raise StorageUnavailableError("down", shot.name)
    return shot


def test_an_outage_is_tried_again_until_it_is_over(results: str) -> None:
    assert touch_one(routed("A")) == "A"
    assert Executions.ran == ["A"] * 3


def test_no_secret_reaches_the_database_of_prefect(results: str, storage: Storage) -> None:
    with get_client(sync_client=True) as client:
        slug, name = BLOCK.split("/")
        document = client.read_block_document_by_name(name, slug)
    stored = document.model_dump_json()
    settings = get_settings()
    assert settings.s3_access_key is not None
    assert settings.s3_secret_key is not None
    assert settings.s3_access_key.get_secret_value() not in stored
    assert settings.s3_secret_key.get_secret_value() not in stored
    assert str(settings.s3_endpoint_url) not in stored


def test_registering_again_changes_nothing(results: str) -> None:
    with get_client(sync_client=True) as client:
        before = client.read_server_default_result_storage()
        assert register_results() == BLOCK
        assert client.read_server_default_result_storage() == before
        assert before.default_result_storage_block_id is not None


class Bomb:
    def __reduce__(self) -> tuple[type[SystemExit], tuple[str]]:
        return SystemExit, ("unpickled",)


def record_of(result: str, serializer: dict[str, object]) -> bytes:
    return json.dumps({"metadata": {"serializer": serializer, "storage_key": "x"}, "result": result}).encode()


CALLED = Path(tempfile.gettempdir()) / f"packshot-called-{uuid.uuid4().hex}"
"""A folder that an attack makes if it gets something to run."""
CALL = json.dumps({"__class__": "os.makedirs", "data": {"name": str(CALLED)}})
FORGED = {
    "prefect's json that calls": record_of(CALL, JSONSerializer().model_dump(mode="json")),
    "pickle": record_of(pickle.dumps(Bomb()).hex(), {"type": "pickle", "picklelib": "pickle"}),
    "a decoder of its own": record_of('"x"', {"type": "json", "object_decoder": "os.system"}),
    "our serializer": record_of(json.dumps({"plain": "approved"}), {"type": "packshot"}),
    "bare pickle": pickle.dumps(Bomb()),
    "nested": b"[" * 100_000,
    "nothing": b"",
}


def test_who_can_write_results_runs_nothing_and_decides_nothing(results: str, storage: Storage) -> None:
    """The key of a result can be computed beforehand: so what lies there is written before the task runs."""
    JSONSerializer().loads(CALL.encode())
    CALLED.rmdir()  # the bait is good: Prefect's own serializer takes it
    shots = [routed(f"S{number}") for number in range(4 * len(FORGED))]
    touch_all(shots)
    written = {info.key: storage.get(info.key) for info in storage.list(result_key("touch-"))}
    assert len(written) == len(shots)
    contents = (content for forged in FORGED.values() for content in _put_forward(forged))
    for (key, genuine), content in zip(written.items(), contents, strict=True):
        storage.put(key, content.replace(b"GENUINE", genuine[:82]), content_type="application/octet-stream")
    Executions.ran = []
    touch_all(shots)
    assert sorted(Executions.ran) == sorted(shot.name for shot in shots)
    assert not CALLED.exists()
    assert all(unseal(key, storage.get(key)) is not None for key in written)  # the tasks have put their own there again


def _put_forward(forged: bytes) -> tuple[bytes, ...]:
    """Ways to present a forged result: bare, sealed for another key, behind a genuine seal, with its seal cut."""
    elsewhere = seal("prefect-results/elsewhere", forged)
    return forged, elsewhere, b"GENUINE" + forged, elsewhere[:40]


def test_a_result_moved_to_another_key_counts_as_absent(results: str, storage: Storage) -> None:
    touch_all([routed("A")])
    (moved,) = storage.list(result_key("touch-"))
    storage.put(result_key("other"), storage.get(moved.key), content_type="application/octet-stream")
    with pytest.raises(ObjectMissingError):
        ResultsInBucket().read_path("other")


def test_a_result_of_another_line_counts_as_absent(
    results: str, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch_all([routed("A")])
    draw_key(tmp_path / "another")
    monkeypatch.setenv("PACKSHOT_RESULTS_KEY_FILE", str(tmp_path / "another"))
    touch_all([routed("A")])
    assert Executions.ran == ["A", "A"]


def test_even_under_the_seal_nothing_is_called() -> None:
    for hostile in (
        CALL,
        json.dumps({"kind": "Settings", "value": {}}),
        json.dumps({"kind": "RoutedShot", "value": 1}),
        json.dumps({"kind": "MasteredShot", "value": {"shot": {"client": "../x", "batch": "a", "shot": "A1"}}}),
    ):
        with pytest.raises(ValueError, match=r"result of a task|validation error|storage key"):
            PlainSerializer().loads(hostile.encode())
    read = PlainSerializer().loads(json.dumps({"plain": json.loads(CALL)}).encode())
    assert read == json.loads(CALL)
    assert not CALLED.exists()


def test_a_result_sealed_for_another_serializer_counts_as_absent(storage: Storage) -> None:
    content = record_of(CALL, JSONSerializer().model_dump(mode="json"))
    storage.put(result_key("x"), seal(result_key("x"), content), content_type="application/octet-stream")
    with pytest.raises(ObjectMissingError):
        ResultsInBucket().read_path("x")


@pytest.mark.parametrize("result", [routed("A"), Outcome(sentence="done"), None, "a run", [1, 2.5, {"a": None}], True])
def test_a_result_comes_back_as_it_was(result: object) -> None:
    assert PlainSerializer().loads(PlainSerializer().dumps(result)) == result


def test_what_is_neither_plain_nor_a_handover_is_not_kept() -> None:
    class Stranger(RoutedShot):
        pass

    stranger = Stranger.model_validate(routed("A").model_dump())
    for result in (stranger, object(), {"a": object()}, b"bytes"):
        with pytest.raises(TypeError):
            PlainSerializer().dumps(result)


def test_of_an_error_only_its_words_come_back() -> None:
    read = PlainSerializer().loads(PlainSerializer().dumps(EmptySubjectError("no product found", "A")))
    assert type(read) is PackshotError
    assert "EmptySubjectError: A: no product found" in str(read)


@given(key=text(), other=text(), content=binary(), position=integers(min_value=0))
def test_no_changed_byte_and_no_other_key_keeps_the_seal(key: str, other: str, content: bytes, position: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.storage.seals.line_key", lambda: b"k" * 64)
        sealed = seal(key, content)
        assert unseal(key, sealed) == content
        assert other == key or unseal(other, sealed) is None
        at = position % len(sealed)
        assert unseal(key, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]) is None


def test_a_key_is_drawn_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "key"
    draw_key(file)
    drawn = file.read_text()
    draw_key(file)
    assert file.read_text() == drawn
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_a_named_key_file_that_is_missing_or_short_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_RESULTS_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ConfigError, match="PACKSHOT_RESULTS_KEY_FILE"):
        line_key()
    (tmp_path / "key").write_text("guess\n")
    with pytest.raises(ConfigError, match="5 characters") as caught:
        register_results()  # so a line without it does not start
    assert "guess" not in str(caught.value)


def test_reading_waits_in_a_thread_and_not_in_the_event_loop(storage: Storage) -> None:
    async def write_then_read() -> bytes:
        await ResultsInBucket().awrite_path("a", record)
        return await ResultsInBucket().aread_path("a")

    record = record_of("1", {"type": SERIALIZER})
    assert asyncio.run(write_then_read()) == record


def test_the_environment_for_workers_says_where_results_go_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    understood = PrefectSettings().results
    assert (understood.default_storage_block, understood.default_serializer) == (BLOCK, "json")
