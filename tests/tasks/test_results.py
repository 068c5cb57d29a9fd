from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Iterator

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.serializers import JSONSerializer
from prefect.settings import Settings as PrefectSettings
from prefect.testing.utilities import prefect_test_harness

from packshot.errors import EmptySubjectError, RecordDamagedError, StorageUnavailableError
from packshot.naming import ShotId, result_key
from packshot.types import Complexity, Route
from tasks.cache_keys import unit
from tasks.handovers import RoutedShot
from tasks.results import BLOCK, ENVIRONMENT, ResultsInBucket, register_results
from tasks.settings import get_settings
from tasks.storage import Storage


@pytest.fixture(scope="module")
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=60):
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


def test_a_result_that_is_not_plain_json_is_never_decoded(storage: Storage) -> None:
    serializers = [{"type": "pickle", "picklelib": "pickle"}, {"type": "json", "object_decoder": "os.system"}]
    for serializer in serializers:
        record = {"metadata": {"serializer": serializer}, "result": pickle.dumps(Bomb()).hex()}
        storage.put(result_key("bad"), json.dumps(record).encode(), content_type="application/json")
        with pytest.raises(RecordDamagedError, match="cannot be trusted"):
            ResultsInBucket().read_path("bad")
    storage.put(result_key("bad"), pickle.dumps(Bomb()), content_type="application/json")
    with pytest.raises(RecordDamagedError):
        ResultsInBucket().read_path("bad")


def test_reading_waits_in_a_thread_and_not_in_the_event_loop(storage: Storage) -> None:
    async def write_then_read() -> bytes:
        await ResultsInBucket().awrite_path("a", record)
        return await ResultsInBucket().aread_path("a")

    serializer = JSONSerializer().model_dump(mode="json")
    record = json.dumps({"metadata": {"serializer": serializer}, "result": "1"}).encode()
    assert asyncio.run(write_then_read()) == record


def test_the_environment_for_workers_says_where_results_go_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    understood = PrefectSettings().results
    assert (understood.default_storage_block, understood.default_serializer) == (BLOCK, "json")
