"""One part of a batch: done once and found again, a bad shot fails alone, and nobody can make up a part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed

from flows.part import master_each, work_on_part
from flows.presence import SKIPPED, present
from flows.sharing import cut, share
from packshot.batch import Cancellation
from packshot.keys import part_lease, part_result_name, result_key
from packshot.naming import BatchId
from packshot.record import State as ShotState
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, load_record
from tasks.runs.parts import PARTS_POOL, Stage, ToMaster, done_of, part_name, store_work, work_of
from tasks.runs.resuming import runs_of
from tasks.storage.bucket import Storage
from tasks.storage.leases import holding
from tasks.storage.seals import seal, unseal
from tests.flows.line import poll
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import photograph, submitted

ROW = "{name}.jpg,{name},B0PACK0001,glassware,MAIN,shopify\n"


def handed_out(batch: BatchId, **files: bytes) -> tuple[str, list[ToMaster]]:
    """The name of a part that masters these files, and its work."""
    rows = "".join(ROW.format(name=name) for name in files)
    stock = submitted(batch, {f"{name}.jpg": data for name, data in files.items()}, rows=rows)
    items = [ToMaster(ref=ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    name = part_name(Stage.MASTER, items)
    store_work(batch, name, items)
    return name, items


def run(batch: BatchId, part: str, stage: Stage = Stage.MASTER) -> State[Any]:
    state: State[Any] = work_on_part(
        client=batch.client, batch=batch.batch, stage=stage.value, part=part, place="1 of 1", return_state=True
    )
    return state


def test_a_part_is_done_once_and_found_again(line: Storage, batch: BatchId) -> None:
    part, items = handed_out(batch, A1=photograph(), A2=photograph(radius_ratio=0.3))
    assert work_of(batch, part, Stage.MASTER) == tuple(items)
    assert done_of(batch, part, Stage.MASTER) is None
    state = run(batch, part)
    assert state.is_completed(), state.message
    done = done_of(batch, part, Stage.MASTER)
    assert done is not None
    assert [one.name for one in done] == ["A1", "A2"]
    written = load_record(batch.shot("A1"))
    assert run(batch, part).message == "it was done already"
    assert load_record(batch.shot("A1")) == written


def test_a_refused_file_does_not_keep_a_part_from_being_done(line: Storage, batch: BatchId) -> None:
    part, _ = handed_out(batch, A1=photograph(), A2=b"not a picture")
    assert run(batch, part).is_completed()
    done = done_of(batch, part, Stage.MASTER)
    assert done is not None
    assert load_record(batch.shot("A2")).state is ShotState.REFUSED


def test_a_shot_that_fails_fails_alone_and_the_part_is_not_taken_for_done(line: Storage, batch: BatchId) -> None:
    part, items = handed_out(batch, A1=photograph(), A2=photograph(radius_ratio=0.3))
    line._client.delete_object(Bucket=line.bucket, Key=items[1].ref.key)
    state = run(batch, part)
    assert state.is_failed()
    assert "1 of 2 shots did not come through" in str(state.message)
    assert done_of(batch, part, Stage.MASTER) is None
    found = {name: load_record(batch.shot(name)).state for name in ("A1", "A2")}
    assert found == {"A1": ShotState.MASTERED, "A2": ShotState.FAILED}


def test_a_part_on_which_another_run_works_is_left_alone(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_LEASE_S", "4")
    part, _ = handed_out(batch, A1=photograph())
    with holding(part_lease(batch, part)):
        state = run(batch, part)
    assert state.name == SKIPPED
    assert load_record(batch.shot("A1")).state is ShotState.RECEIVED


def test_a_part_of_a_batch_that_is_cancelled_while_it_is_at_work_ends_as_cancelled(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: its worker is never told."""
    monkeypatch.setenv("PACKSHOT_LEASE_S", "4")
    part, _ = handed_out(batch, A0=photograph(), **{f"A{n}": photograph(3000, 3000) for n in range(1, 3)})

    def cancel() -> None:
        """Once the first of the shots is mastered, as `cancel_batch` does it."""
        poll(lambda: load_record(batch.shot("A0")).state is not ShotState.RECEIVED or None, until="it is at work")
        said = Cancellation(at=now(), by="Max", why="the client has withdrawn it")
        change_batch(batch, lambda record: record.model_copy(update={"cancellations": (said,)}))

    somebody = threading.Thread(target=cancel)
    somebody.start()
    state = run(batch, part)
    somebody.join()
    assert state.is_cancelled(), state
    assert "Cancelled by Max" in str(state.message)
    assert done_of(batch, part, Stage.MASTER) is None
    assert run(batch, part).is_cancelled(), "nor is it begun"


def test_nobody_can_make_up_a_part(line: Storage, batch: BatchId) -> None:
    state = run(batch, f"master-9-{'0' * 32}")
    assert state.is_failed()
    assert "there is no such part of this batch" in str(state.message)


def test_work_that_somebody_else_put_into_the_bucket_is_no_part(line: Storage, batch: BatchId) -> None:
    part, _ = handed_out(batch, A1=photograph())
    key = result_key(part_result_name(batch, part, "work"))
    forged = line.get(key).replace(b"A1", b"A9")
    line._client.put_object(Bucket=line.bucket, Key=key, Body=forged)
    assert "there is no such part" in str(run(batch, part).message)


def test_results_of_an_earlier_version_with_other_fields_count_as_absent(line: Storage, batch: BatchId) -> None:
    part, _ = handed_out(batch, A1=photograph())
    assert run(batch, part).is_completed()
    key = result_key(part_result_name(batch, part, "done"))
    content = unseal(key, line.get(key))
    assert content
    (result,) = json.loads(content)
    line.put(key, seal(key, json.dumps([{**result, "view": ""}]).encode()), content_type="x/x", replaces=True)
    assert done_of(batch, part, Stage.MASTER) is None


def test_the_name_of_a_part_changes_with_what_its_results_depend_on(line: Storage, batch: BatchId) -> None:
    part, items = handed_out(batch, A1=photograph(), A2=photograph(radius_ratio=0.3))
    other = [one.model_copy(update={"configs_fingerprint": "another"}) for one in items]
    assert len({part, part_name(Stage.MASTER, items[:1]), part_name(Stage.MASTER, other)}) == 3
    assert part == part_name(Stage.MASTER, items)


def test_where_nobody_helps_nothing_is_cut_and_nothing_handed_out(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_PART_SIZE", "1")
    _, items = handed_out(batch, A1=photograph(), A2=photograph(radius_ratio=0.3))
    got: list[int] = []

    def work(some: Any, told: Any) -> list[Any]:
        got.append(len(some))
        return list(some)

    monkeypatch.setattr("flows.sharing.hand_out", lambda *_, **__: pytest.fail("nobody is there"))
    assert in_a_run(lambda: share(Stage.MASTER, batch, cut(items), work, lambda done, total: None)) == items
    assert got == [2]


@pytest.fixture
def another_worker(line: Storage) -> Iterator[None]:
    """The server has heard of a worker of the parts' pool; the test does what that one would do."""
    place = {"work_pool_name": PARTS_POOL, "name": "another machine"}
    with get_client(sync_client=True) as client:
        beat = {"name": place["name"], "heartbeat_interval_seconds": 600}
        client.request("POST", "/work_pools/{work_pool_name}/workers/heartbeat", path_params=place, json=beat)
        yield
        client.request("DELETE", "/work_pools/{work_pool_name}/workers/{name}", path_params=place)


def parts_of(batch: BatchId) -> list[FlowRun]:
    """The runs of the parts of a batch, in the order of their places."""
    with get_client(sync_client=True) as client:
        wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"part-of:{batch}"]))
        return sorted(runs_of(client, wanted, flow="work-on-part"), key=lambda run: str(run.parameters["place"]))


def test_another_process_does_a_part_meanwhile_and_nothing_is_done_twice(
    line: Storage, batch: BatchId, another_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `tests/flows/test_two_workers.py` does with two workers on a whole batch."""
    monkeypatch.setenv("PACKSHOT_PART_SIZE", "1")
    _, items = handed_out(batch, **{f"A{n}": photograph(radius_ratio=0.43 - n / 100) for n in range(3)})
    done_here: list[str] = []

    def work(some: Any, told: Any) -> list[Any]:
        if not done_here:  # as a worker starts it, while this process is at work
            first = {**os.environ, "PREFECT__FLOW_RUN_ID": str(parts_of(batch)[0].id)}
            subprocess.run([sys.executable, "-m", "prefect.engine"], env=first, check=True, capture_output=True)
        done_here.extend(one.ref.shot.shot for one in some)
        return master_each(some, told)

    results: list[Any] = []

    @flow(name="a batch", persist_result=False, validate_parameters=False)
    @present
    def a_batch() -> State[Any]:
        results.extend(share(Stage.MASTER, batch, cut(items), work, lambda done, total: None))
        return Completed()

    a_batch()
    assert [one.name for one in results] == ["A0", "A1", "A2"]
    assert done_here == ["A2", "A1"]  # from the last one on
    elsewhere, *here = (run.state for run in parts_of(batch))
    assert elsewhere
    assert elsewhere.is_completed()
    assert all(state and state.is_cancelled() for state in here), here  # nobody else begins them
    for item in items:
        masters = [one for one in load_record(item.ref.shot).events if one.to_state is ShotState.MASTERED]
        assert len(masters) == 1, "nothing was done twice"
