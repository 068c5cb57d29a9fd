"""`packshot doctor` on real servers: all is well, and each thing that matters once broken."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import prefect
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from deployments.command_line import command_line
from deployments.demo import environment, nothing_collected
from deployments.doctor import CHECKS, MOST_SKEW_S, Health, Outcome, examine
from deployments.registry import WORK_POOL, register
from infra.local.parts import Part
from infra.local.stack import Stack
from infra.local.supervisor import Supervisor
from packshot.batch import BatchRecord
from packshot.cli.ending import Exit, run
from packshot.keys import COLLECTION_LEASE
from packshot.naming import batch_id
from packshot.record import WAITING
from tasks.queries.asking import waiting_records
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, create_batch
from tasks.runs.parts import EXPEDITED, PARTS_POOL
from tasks.runs.schedules import COLLECT, schedule_runs
from tasks.storage.bucket import open_storage
from tasks.storage.leases import Patience, holding
from tests.small_disk import small_disk

LINE = ("Prefect", "pool", "parts", "schedule")


@pytest.fixture(scope="module", autouse=True)
def line(prefect_stack: Stack) -> Iterator[None]:
    """This process as a client of the servers, with the deployments there; no worker is at work."""
    with environment({**prefect_stack.environment(), "PACKSHOT_S3_BUCKET": "packshot-doctor"}):
        open_storage().ensure_bucket()
        register()
        yield


def outcomes() -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in examine()}


def test_what_is_well_is_said_to_be_well(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["packshot", "doctor", "--json"])
    status = run(command_line())
    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(found) == list(CHECKS)
    well = [name for name in CHECKS if name not in ("disk", "memory", "models", "confinement", "pool")]  # the machine's
    assert {name: found[name]["verdict"] for name in well} == dict.fromkeys(well, "ok")
    assert "exactly one wins" in found["conditional writes"]["found"]
    assert found["pool"]["verdict"] == "failed"
    assert found["pool"]["found"].startswith(f"{WORK_POOL}: 0 workers online")
    assert status == Exit.NOT_ALL_WELL


def test_storage_that_refuses_is_named_and_what_rests_on_it_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, *(set(CHECKS) - set(LINE)))
    for variable, value, says in (
        ("PACKSHOT_S3_SECRET_KEY", "wrong", "refused"),
        ("PACKSHOT_S3_BUCKET", "packshot-none", "the bucket does not exist"),
        ("PACKSHOT_S3_ENDPOINT_URL", "http://127.0.0.1:9", "did not answer"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            found = outcomes()
        assert found["storage"].health is Health.FAILED, variable
        assert says in found["storage"].found
        assert found["storage"].next_step
        assert found["conditional writes"].health is found["clock"].health is Health.SKIPPED


def test_a_process_of_this_machine_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, "processes")
    monkeypatch.setenv("PACKSHOT_RESULTS_KEY_FILE", str(tmp_path / "results-key"))
    assert outcomes()["processes"].health is Health.OK
    start = partial(subprocess.Popen, ["sleep", "600"])
    desk = Part("desk", start, lambda _: "no answer", tmp_path / "log", start_s=60.0, needed=False)
    try:
        Supervisor([desk], tmp_path, say=lambda _: None).look()
        found = outcomes()["processes"]
        assert (found.health, found.found) == (Health.WARNING, "desk: no answer")
        assert "serve.log" in found.next_step
    finally:
        desk.kill()


def test_an_index_that_is_away_or_behind_is_named_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, "storage", "index")
    batch = batch_id("acme", "indexed")
    create_batch(BatchRecord(batch=batch, received_at=now()))
    waiting_records(WAITING)  # whoever asks first fills it
    found = outcomes()["index"]
    assert found.health is Health.OK
    assert "0 shots of 1 batch; 0 of 1 record in 1 batch differed" in found.found
    with monkeypatch.context() as patch:
        patch.delenv("PACKSHOT_INDEX_URL")
        assert outcomes()["index"].health is Health.WARNING
        change_batch(batch, lambda one: one.model_copy(update={"claimed_by": "a run"}))
        patch.setenv("PACKSHOT_INDEX_URL", "postgresql://nobody@127.0.0.1:9/none")
        away = outcomes()["index"]
    assert (away.health, away.next_step[:27]) == (Health.WARNING, "The line works without it, ")
    behind = outcomes()["index"]
    assert behind.health is Health.WARNING
    assert "1 of 1 record in 1 batch differed" in behind.found
    monkeypatch.setattr("sys.argv", ["packshot", "index", "rebuild"])
    assert run(command_line()) == Exit.OK
    assert outcomes()["index"].health is Health.OK


def alone(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make only these checks, in their own order."""
    monkeypatch.setattr("deployments.doctor.CHECKS", {name: CHECKS[name] for name in CHECKS if name in names})


def test_a_clock_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, "storage", "clock")
    for skew, health in ((0, Health.OK), (-120, Health.WARNING), (MOST_SKEW_S + 1, Health.FAILED)):
        monkeypatch.setattr("deployments.doctor.clock_skew_s", lambda _, skew=skew: float(skew))
        found = outcomes()["clock"]
        assert found.health is health
        assert f"{abs(skew)} s" in found.found


def test_missing_models_and_folders_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, "configs", "models", "folders", "disk")
    monkeypatch.setenv("PACKSHOT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("PACKSHOT_RESULTS_KEY_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PACKSHOT_SCRATCH_MAX_BYTES", str(10**18))
    found = outcomes()
    assert found["configs"].health is Health.OK, found["configs"]
    assert (found["models"].health, found["models"].next_step) == (Health.FAILED, "packshot models fetch")
    assert "isnet-general-use" in found["models"].found
    assert (found["folders"].health, found["folders"].found) == (Health.FAILED, f"{tmp_path / 'none'} is missing")
    assert found["disk"].health is not Health.OK


def test_every_disk_that_the_line_writes_to_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, "disk")
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        found = outcomes()["disk"]
    assert (found.health, found.found) == (Health.FAILED, f"0.0 GB free at {disk}")
    assert "TMPDIR" in found.next_step


def test_memory_must_do_for_the_largest_photograph_that_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, "memory")
    for memory, health in ((1e9, Health.FAILED), (7e9, Health.WARNING), (64e9, Health.OK)):
        monkeypatch.setattr("deployments.doctor.memory_bytes", lambda memory=memory: int(memory))
        assert outcomes()["memory"].health is health, memory
    monkeypatch.setattr("deployments.doctor.memory_bytes", lambda: 7_000_000_000)
    assert "the largest accepted size takes 8.0 GB" in outcomes()["memory"].found


def test_a_config_that_is_wrong_is_named_and_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone(monkeypatch, "configs", "models", "memory")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(tmp_path))
    found = outcomes()
    assert found["configs"].health is Health.FAILED
    assert str(tmp_path) in found["configs"].found
    assert found["models"].health is Health.SKIPPED
    assert found["memory"].health is not Health.SKIPPED


def test_a_server_older_than_its_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, *LINE)
    monkeypatch.setattr(prefect, "__version__", "99.0.0")
    found = outcomes()
    assert found["Prefect"].health is Health.FAILED
    assert found["Prefect"].next_step == "The server is older: upgrade it first, then its clients."
    assert found["schedule"].health is Health.SKIPPED


def test_a_wrong_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, "Prefect")
    with temporary_settings({PREFECT_API_AUTH_STRING: "wrong"}):
        found = outcomes()["Prefect"]
    assert found.health is Health.FAILED
    assert "401" in found.found


def set_paused(paused: bool) -> None:
    with get_client(sync_client=True) as client:
        night = client.read_deployment_by_name("nightly/nightly")
        (client.pause_deployment if paused else client.resume_deployment)(night.id)


def test_a_night_that_will_not_start_or_at_another_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, *LINE)
    monkeypatch.setenv("PACKSHOT_NIGHTLY_CRON", "0 3 * * *")
    found = outcomes()["schedule"]
    assert (found.health, found.next_step) == (Health.WARNING, "packshot register")
    assert "settings here say 0 3 * * * UTC" in found.found
    set_paused(True)
    try:
        assert outcomes()["schedule"].health is Health.FAILED
    finally:
        set_paused(False)


def test_regular_checks_that_nobody_makes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that had switched the schedule off was killed. Kind of test that was missing: one of what it left."""
    alone(monkeypatch, "Prefect", "schedule")
    schedule_runs(COLLECT, active=False)
    try:
        left = outcomes()["schedule"]
        with holding(COLLECTION_LEASE, Patience.NONE):
            watched = outcomes()["schedule"]
        with nothing_collected():
            pass
        after = outcomes()["schedule"]
    finally:
        schedule_runs(COLLECT, active=True)
    assert (left.health, left.next_step) == (Health.FAILED, "packshot register, or start packshot watch")
    assert "nobody makes the regular checks" in left.found
    assert (watched.health, after.health) == (Health.OK, Health.OK)


def test_whether_other_machines_can_help_with_a_batch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind of test that was missing: one that looks at the second pool."""
    alone(monkeypatch, "Prefect", "parts")
    assert outcomes()["parts"] == Outcome(
        "parts", Health.OK, f"{PARTS_POOL}: 0 workers online; each batch's run does all of it"
    )
    with get_client(sync_client=True) as client:
        queue = client.read_work_queue_by_name(EXPEDITED, work_pool_name=PARTS_POOL)
        client.update_work_pool(PARTS_POOL, WorkPoolUpdate(is_paused=True))
        paused = outcomes()["parts"]
        client.update_work_pool(PARTS_POOL, WorkPoolUpdate(is_paused=False))
        client.update_work_queue(queue.id, is_paused=True)
        half = outcomes()["parts"]
        client.update_work_queue(queue.id, is_paused=False)
        client.update_work_pool(PARTS_POOL, WorkPoolUpdate(concurrency_limit=3))
        limited = outcomes()["parts"]
        client.delete_work_pool(PARTS_POOL)
        gone = outcomes()["parts"]
    register()
    assert {one.health for one in (paused, half, limited, gone)} == {Health.WARNING}
    assert paused.next_step == f"prefect work-pool resume {PARTS_POOL}"
    assert half.next_step == f"prefect work-queue resume {EXPEDITED} --pool {PARTS_POOL}"
    assert "at most 3 parts at once" in limited.found
    assert gone.next_step == "packshot register"
    assert outcomes()["parts"].health is Health.OK


def test_a_check_that_fails_in_a_new_way_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> tuple[Health, str, str]:
        raise RuntimeError("never seen before")

    monkeypatch.setattr("deployments.doctor.CHECKS", {"disk": ("", breaks), "memory": CHECKS["memory"]})
    found = outcomes()
    assert (found["disk"].health, found["disk"].found) == (Health.FAILED, "RuntimeError: never seen before")
    assert found["memory"].health is not Health.SKIPPED
