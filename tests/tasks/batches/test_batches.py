"""Batches on a real S3 server; who may work on one, in runs of a real Prefect server."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from pathlib import Path

import pytest
from prefect.context import SettingsContext, get_settings_context
from prefect.runtime import flow_run

from deployments.summaries import show_summary
from packshot.batch import BatchRecord, ShotRef
from packshot.cli.showing import terminal_console
from packshot.errors import (
    ConfigError,
    LeaseHeldError,
    LeaseLostError,
    ModelError,
    ObjectMissingError,
    RecordDamagedError,
)
from packshot.keys import batch_lease, batch_record_key, inbox_key, record_key
from packshot.naming import READY, BatchId, ShotId, batch_id
from packshot.record import DONE, FOLLOWS, WAITING, ShotRecord, Source, State
from packshot.specs.resolve import resolve
from packshot.types import Finding, Status
from tasks.batches import approved, closed, restarting, stock, summing_up
from tasks.batches.approved import TO_DELIVER
from tasks.batches.claiming import at_work_on
from tasks.batches.fates import Summary
from tasks.batches.status import standing_of
from tasks.batches.summing_up import survey
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import environment_problems, get_settings
from tasks.processing.networks import fetch_model
from tasks.queries.asking import find_shots
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import change_batch, change_record, create_batch, create_record, load_batch, load_record
from tasks.stages.references import listed_reference, reference_photos
from tasks.stages.shot_stages import master_shot
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox
from tasks.storage.leases import holding
from tasks.telling.artifacts import artifact_key
from tests.flows.line import poll
from tests.tasks.in_runs import artifact, in_a_run

SPRING = batch_id("acme", "spring")
MANIFEST = b"file,sku,category\nA1.jpg,A1,boxes\nlost.jpg,L1,boxes\n"

closed_batches, take_stock, restart = closed.closed_batches.fn, stock.take_stock.fn, restarting.restart_shot.fn


def upload(storage: Storage, batch: BatchId, files: Mapping[str, bytes]) -> None:
    """A batch as its client closes it."""
    for path, data in files.items():
        open_inbox().upload(batch, path, data, content_type="application/octet-stream")
    open_inbox().close(batch)


def route_to(state: State) -> list[State]:
    """The shortest way from received to a state."""
    ways: list[list[State]] = [[State.RECEIVED]]
    for way in ways:
        if way[-1] is state:
            return way[1:]
        ways += [[*way, after] for after in sorted(FOLLOWS[way[-1]]) if after not in way]
        if state is State.FAILED:
            return [State.FAILED]
    raise AssertionError(state)


def shot_in(state: State, batch: BatchId, name: str) -> ShotRef:
    """A shot that has come to a state, with its record."""
    ref = ShotRef(
        shot=batch.shot(name), path=f"{name}.jpg", key=inbox_key(batch, f"{name}.jpg"), etag="e", size_bytes=1
    )
    record = ShotRecord(shot=ref.shot, source=Source(key=ref.key, sha256="", size_bytes=1))
    for step in route_to(state):
        record = record.advance(step, at=now(), actor="test", why=f"it is {step}")
    create_record(record)
    return ref


def batch_of(states: Iterable[State], batch: BatchId = SPRING) -> None:
    """A batch with one shot for each state, named after it."""
    refs = tuple(shot_in(state, batch, state.value) for state in states)
    create_batch(BatchRecord(batch=batch, received_at=now(), shots=refs))


# --- which are closed ---


def test_only_batches_that_their_clients_closed_are_found_and_those_closed_first_come_first(storage: Storage) -> None:
    for client, name in (("zeta", "a"), ("beta", "a"), ("acme", "a")):
        upload(storage, batch_id(client, name), {"A1.jpg": b"x", "details/READY": b""})
        time.sleep(1.1)  # storage says to the second when something was written
    open_inbox().upload(batch_id("open", "a"), "A1.jpg", b"x", content_type="image/jpeg")
    assert [str(one) for one in closed_batches().batches] == ["zeta/a", "beta/a", "acme/a"]


def test_a_finished_batch_is_not_found_again(storage: Storage) -> None:
    upload(storage, SPRING, {"A1.jpg": b"x"})
    create_batch(BatchRecord(batch=SPRING, received_at=now(), finished_at=now()))
    assert closed_batches().batches == ()


# --- who works on one ---


def test_a_batch_that_a_run_is_at_work_on_is_refused_to_another_which_is_told_which(
    line: Storage, batch: BatchId
) -> None:
    def second() -> None:
        with pytest.raises(LeaseHeldError, match=load_batch(batch).claimed_by), at_work_on(batch):
            pass

    def first() -> None:
        with at_work_on(batch):
            in_a_run(second)
            assert load_batch(batch).claimed_by == flow_run.id

    in_a_run(first)
    assert load_batch(batch).claimed_by == ""


def test_of_two_copies_of_one_run_the_second_waits_for_the_first(line: Storage, batch: BatchId) -> None:
    """Where a run is started again although its process lives, both have its id; only one works at a time."""
    order: list[str] = []
    begun = threading.Event()

    def first() -> None:
        with at_work_on(batch):
            begun.set()
            claimed = load_batch(batch).fences
            poll(lambda: copies[0].is_alive() or None, until="the copy has begun")
            assert load_batch(batch).fences == claimed
            order.append("first")

    def second() -> None:
        begun.wait(60)
        with at_work_on(batch):
            order.append("second")

    def both() -> None:
        copies.append(threading.Thread(target=copy_context().run, args=(second,)))
        copies[0].start()
        first()
        copies[0].join()

    copies: list[threading.Thread] = []
    in_a_run(both)
    assert order == ["first", "second"]


def with_these_servers(work: Callable[[], object]) -> Callable[[], None]:
    """What a new thread needs to talk to the tests' Prefect: without it, Prefect starts a server of its own there."""
    known = get_settings_context()

    def working() -> None:
        with SettingsContext(profile=known.profile, settings=known.settings):
            work()

    return working


def test_a_batch_whose_run_died_is_taken_over_and_the_dead_can_change_it_no_more(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_LEASE_S", "4")

    def dead() -> None:
        create_batch(BatchRecord(batch=batch, received_at=now()))
        with holding(batch_lease(batch)) as holder:
            holder._over.set()  # it renews nothing more
            elsewhere = threading.Thread(target=with_these_servers(lambda: in_a_run(heir)))
            elsewhere.start()
            elsewhere.join()
            with pytest.raises(LeaseLostError):
                take_stock(batch)

    def heir() -> None:
        with at_work_on(batch):
            pass

    upload(line, batch, {"A1.jpg": b"x"})
    in_a_run(dead)
    assert load_batch(batch).shots == ()


# --- what came in ---


def received(storage: Storage, files: Mapping[str, bytes]) -> None:
    """A batch that its client has closed and a run has claimed."""
    upload(storage, SPRING, files)
    create_batch(BatchRecord(batch=SPRING, received_at=now()))


def test_every_photograph_gets_a_record_and_every_other_file_a_reason(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "B1.tif": b"b", "B1.xmp": b"c", ".DS_Store": b"d", "manifest.csv": MANIFEST})
    stock = take_stock(SPRING)
    assert [ref.path for ref in stock.shots] == ["A1.jpg", "B1.tif"]
    assert [load_record(ref.shot).state for ref in stock.shots] == [State.RECEIVED, State.RECEIVED]
    record = load_batch(SPRING)
    assert set(record.ignored) == {"B1.xmp", ".DS_Store", "manifest.csv", "READY"}
    assert all(record.ignored.values())
    assert stock.shots[0].row == {"file": "A1.jpg", "sku": "A1", "category": "boxes"}
    assert stock.shots[1].row == {}
    assert [ref.sidecar for ref in stock.shots] == ["", inbox_key(SPRING, "B1.xmp")]
    assert stock.shots[1].sidecar_etag


def test_a_record_of_a_newer_version_fails_its_shot_alone_and_says_what_to_do(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"b", "C1.jpg": b"c"})
    newer = SPRING.shot("B1")
    storage.put(record_key(newer), b'{"schema_version": 99, "mood": "good"}', content_type="application/json")
    refs = {ref.shot.shot: ref for ref in take_stock(SPRING).shots}
    assert set(refs) == {"A1", "B1", "C1"}
    with pytest.raises(RecordDamagedError):
        master_shot.fn(refs["B1"], configs_fingerprint="")
    fates = {fate.shot: fate for fate in survey(SPRING).fates}
    assert {load_record(refs[name].shot).state for name in ("A1", "C1")} == {State.RECEIVED}
    assert fates["B1"].kind == "failed"
    for words in (record_key(newer), "found schema version 99", "allowed up to", "Upgrade Packshot"):
        assert words in fates["B1"].why
    assert [one.shot.shot for one in find_shots([])] == ["A1", "C1"]


def test_a_client_s_folder_with_a_blank_is_told_and_the_others_are_found(storage: Storage) -> None:
    upload(storage, SPRING, {"A1.jpg": b"a"})
    odd = ("inbox/spring sale/week 1/READY", "inbox/acme/spring sale/READY", "inbox/Ümlaut GmbH/a/READY")
    for key in odd:
        storage._client.put_object(Bucket=storage.bucket, Key=key, Body=b"")  # as a client's own program does
    found = closed_batches()
    assert SPRING in found.batches
    assert {"inbox/spring sale/week 1/READY", "inbox/acme/spring sale/READY"} <= set(found.left_out)
    for why in found.left_out.values():
        assert "allowed" in why


def test_a_client_s_broken_style_guide_stops_that_client_only(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(get_settings().configs, tmp_path / "configs"))
    (folder / "clients" / "slipped.yaml").write_text("name: [\n", encoding="utf-8")
    (folder / "clients" / "misspelt.yaml").write_text("title: Misspelt\nplatfroms: [shopify]\n", encoding="utf-8")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(folder))
    configs = configs_in_force()
    assert set(configs.broken_clients) == {"slipped", "misspelt"}
    assert resolve(configs, client="demo", view="MAIN").client == "demo"
    with pytest.raises(ConfigError, match="misspelt"):
        resolve(configs, client="misspelt", view="MAIN")
    with pytest.raises(ModelError, match="no-such-network"):  # the networks are found all the same
        fetch_model("no-such-network")
    assert environment_problems() == ()
    received(storage, {"A1.jpg": b"a"})
    assert [ref.path for ref in take_stock(SPRING).shots] == ["A1.jpg"]


def test_a_batch_whose_own_record_cannot_be_read_hides_no_other(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a"})
    take_stock(SPRING)
    broken = batch_id("acme", "broken")
    upload(storage, broken, {"A1.jpg": b"a"})
    storage.put(batch_record_key(broken), b"{", content_type="application/json")
    assert {one.shot.in_batch for one in find_shots([])} == {SPRING}
    assert {*closed_batches().batches} == {broken, SPRING}  # its own run says what is wrong with it


def test_a_batch_that_waits_for_its_night_is_said_to(storage: Storage) -> None:
    with pytest.raises(ObjectMissingError, match="was never uploaded"):
        standing_of(SPRING)
    open_inbox().upload(SPRING, "A1.jpg", b"a", content_type="image/jpeg")
    assert standing_of(SPRING).sentence.startswith("Being uploaded, not closed")
    open_inbox().close(SPRING)
    waiting = standing_of(SPRING)
    assert waiting.sentence.startswith("Submitted, not started")
    assert not waiting.failed


def test_what_a_run_has_still_to_do_is_no_failure_while_it_lives(storage: Storage) -> None:
    batch_of([State.ROUTED, State.FAILED, State.DELIVERED])
    with at_work_on(SPRING):
        now_standing = standing_of(SPRING)
        assert now_standing.counts == {"delivered": 1, "waiting": 0, "refused": 0, "failed": 1, "at work": 1}
        assert now_standing.sentence.startswith("A run is at work on it now; 3 photographs: 1 delivered")
        assert len(survey(SPRING).failed) == 2  # the run itself looks at the end
    assert len(standing_of(SPRING).failed) == 2


def test_manifest_and_files_that_do_not_agree_are_named(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"same", "C1.jpg": b"same", "manifest.csv": MANIFEST})
    take_stock(SPRING)
    found = {(one.code, one.message) for one in load_batch(SPRING).findings}
    assert ("row_without_file", "The manifest names lost.jpg, which was not uploaded.") in found
    assert ("file_without_row", "B1.jpg has no row in the manifest.") in found
    assert ("duplicate", "The same photograph more than once: B1.jpg, C1.jpg.") in found


def test_a_photograph_that_is_shot_and_reference_stays_a_shot_and_is_named(storage: Storage) -> None:
    manifest = b"file,sku,reference\nA1.jpg,A1,B1.JPG\nB1.jpg,B1,\n"
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"b", "manifest.csv": manifest})
    assert [ref.path for ref in take_stock(SPRING).shots] == ["A1.jpg", "B1.jpg"]
    (told,) = [one.message for one in load_batch(SPRING).findings if one.code == "reference_is_shot"]
    assert "names B1.jpg as a reference" in told
    unusable = reference_photos(load_batch(SPRING), ["B1.JPG", "lost.jpg"])
    assert {name: photo.is_shot for name, photo in unusable.items()} == {"B1.JPG": True}


def test_a_reference_whose_name_fits_files_of_two_folders_is_none_of_them_and_its_path_is_one(storage: Storage) -> None:
    """Kind of test that was missing: two files of one name. The last one listed was taken, without a word."""
    manifest = b"file,sku,reference\nA1.jpg,A1,red.jpg\nB1.jpg,B1,day2/red.jpg\n"
    files = {"A1.jpg": b"a", "B1.jpg": b"b", "day1/red.jpg": b"c", "day2/red.jpg": b"d", "manifest.csv": manifest}
    received(storage, files)
    take_stock(SPRING)
    record = load_batch(SPRING)
    assert listed_reference(record, "red.jpg") is None
    of_a_path = listed_reference(record, "day2/red.jpg")
    assert of_a_path is not None
    assert of_a_path.path == "day2/red.jpg"
    assert reference_photos(record, ["red.jpg"])["red.jpg"].several == ("day1/red.jpg", "day2/red.jpg")


def test_a_manifest_that_cannot_be_read_is_said_and_the_photographs_go_on(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "manifest.csv": b"\x00\xff\x00nothing"})
    assert [ref.path for ref in take_stock(SPRING).shots] == ["A1.jpg"]
    (finding,) = [one for one in load_batch(SPRING).findings if one.code == "manifest_unreadable"]
    assert finding.status is Status.FAILED
    assert "manifest.csv" in finding.message


def test_photographs_of_one_name_become_different_shots_the_same_every_time(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "A1.png": b"b", "front/A1.jpg": b"c"})
    names = [ref.shot.shot for ref in take_stock(SPRING).shots]
    assert len({name.lower() for name in names}) == 3
    assert [ref.shot.shot for ref in take_stock(SPRING).shots] == names


def test_taking_stock_again_gives_only_what_there_is_work_to_do_on(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"b"})
    first = take_stock(SPRING)
    Life(SPRING.shot("A1")).reach(State.REFUSED, why="too small")
    again = take_stock(SPRING)
    assert [ref.path for ref in again.shots] == ["B1.jpg"]
    assert load_batch(SPRING).shots == first.shots
    assert load_record(SPRING.shot("A1")).state is State.REFUSED


def test_a_batch_without_files_is_missing(storage: Storage) -> None:
    create_batch(BatchRecord(batch=SPRING, received_at=now()))
    with pytest.raises(ObjectMissingError, match="nothing was uploaded"):
        take_stock(SPRING)


# --- what became of them ---


def test_every_photograph_has_exactly_one_fate_and_the_counts_add_up(storage: Storage) -> None:
    batch_of(State)
    summary = survey(SPRING)
    assert len(summary.fates) == len(State)
    assert sum(summary.counts.values()) == len(State)
    by_kind = {kind: {fate.state for fate in summary.of(kind)} for kind in summary.counts}
    assert by_kind["delivered"] == DONE
    assert by_kind["waiting"] == WAITING
    assert by_kind["refused"] == {State.REFUSED}
    assert by_kind["failed"] == set(State) - DONE - WAITING - {State.REFUSED}
    assert all(fate.why for fate in summary.fates)


def test_a_shot_that_stopped_on_its_way_says_where_and_why(storage: Storage) -> None:
    batch_of([State.ROUTED, State.FAILED])
    stopped, failed = survey(SPRING).fates
    assert stopped.why == "stopped at 'routed': it is routed"
    assert failed.why == "it is failed"
    assert (
        survey(SPRING).failure_sentence
        == "2 of 2 shots failed: routed: stopped at 'routed': it is routed; failed: it is failed"
    )


def test_a_delivered_shot_says_why_it_was_approved(storage: Storage) -> None:
    batch_of([State.DELIVERED])
    assert survey(SPRING).fates[0].why == "it is approved"


def test_a_photograph_without_a_record_counts_as_failed(storage: Storage) -> None:
    lost = ShotRef(shot=SPRING.shot("lost"), path="lost.jpg", key="inbox/acme/spring/lost.jpg", etag="e", size_bytes=1)
    create_batch(BatchRecord(batch=SPRING, received_at=now(), shots=(lost,)))
    (fate,) = survey(SPRING).failed
    assert fate.why == "it has no record"


def summed_up(batch: BatchId) -> Summary:
    return in_a_run(lambda: summing_up.summarise.fn(batch))


def test_a_batch_without_failures_is_finished_once(line: Storage, batch: BatchId) -> None:
    batch_of([State.DELIVERED, State.REFUSED, State.AWAITING_EDITOR], batch)
    change_batch(batch, lambda one: one.model_copy(update={"ignored": {READY: "it closes the batch"}}))
    summed_up(batch)
    finished_at = load_batch(batch).finished_at
    assert finished_at is not None
    summed_up(batch)
    assert load_batch(batch).finished_at == finished_at


def test_a_batch_that_was_still_being_uploaded_is_not_finished_and_what_comes_later_is_found(
    line: Storage, batch: BatchId
) -> None:
    """Kind of test that was missing: one in which somebody starts a run of a batch before its client has closed it.

    It counted as finished from then on, and no night looked at the photographs that came later.
    """
    open_inbox().upload(batch, "A1.jpg", b"a", content_type="image/jpeg")
    create_batch(BatchRecord(batch=batch, received_at=now()))
    for number, finished in ((1, False), (2, True)):
        for ref in take_stock(batch).shots:
            Life(ref.shot).reach(State.REFUSED, why="too small")
        assert len(summed_up(batch).fates) == number
        assert bool(load_batch(batch).finished_at) is finished
        if not finished:
            upload(line, batch, {"B1.jpg": b"b"})
            assert batch in closed_batches().batches


def test_a_batch_with_a_failure_is_not_finished(line: Storage, batch: BatchId) -> None:
    batch_of([State.DELIVERED, State.FAILED], batch)
    summed_up(batch)
    assert load_batch(batch).finished_at is None


def test_the_table_has_a_row_for_every_file_with_its_fate_and_the_reason(line: Storage, batch: BatchId) -> None:
    batch_of([State.DELIVERED, State.REFUSED, State.AWAITING_EDITOR], batch)
    summary = summed_up(batch)
    table = artifact(artifact_key("batch", batch.client, batch.batch))
    assert table.description == summary.sentence == "3 photographs: 1 delivered, 1 waiting, 1 refused, 0 failed"
    rows = json.loads(str(table.data))
    assert {(row["file"], row["became"], row["why"]) for row in rows} == {
        ("delivered.jpg", "delivered", "it is approved"),
        ("refused.jpg", "refused", "it is refused"),
        ("awaiting_editor.jpg", "waiting", "it is awaiting_editor"),
    }
    named = summary.fates[0].model_copy(update={"file": "a/A1.jpg", "why": "A1.jpg: the picture is too small."})
    (row,) = summary.model_copy(update={"fates": (named,)}).rows
    assert (row["file"], row["why"]) == ("a/A1.jpg", "the picture is too small."), "the name stands beside it"


UNKNOWN = Finding(
    code="category_unknown",
    status=Status.WARNING,
    message="'kettels' (manifest) is no category (did you mean kettle?)",
)


def test_a_warning_of_many_photographs_is_said_once_wherever_a_batch_is_summed_up(
    line: Storage, batch: BatchId, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    states = [State.DELIVERED, State.REFUSED, State.AWAITING_EDITOR, State.IN_REVIEW]
    batch_of(states, batch)
    for state in states:
        change_record(batch.shot(state.value), lambda one: one.model_copy(update={"findings": (UNKNOWN,)}))
    summary = summed_up(batch)
    assert [(one.code, len(one.shots)) for one in summary.warnings] == [("category_unknown", 4)]
    assert [one.getMessage() for one in caplog.records if "kettels" in one.getMessage()] == [
        summary.warnings[0].sentence
    ]
    show_summary(terminal_console(), standing_of(batch))
    shown = capsys.readouterr().out
    assert shown.count("kettels") == 1
    assert "category_unknown at 4 (" in shown


# --- files that go ---


def test_a_batch_loses_no_shot_although_its_file_goes_and_comes_back(storage: Storage) -> None:
    """Kind of test that was missing: one in which a batch that is known is listed with fewer files.

    Whoever puts a bucket back file by file while workers are at work does so; what had not come yet was left out of the
    batch for good, and the batch was finished without it.
    """
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"b", "B1.png": b"c", "C1.jpg": b"d"})
    first = take_stock(SPRING)
    mastered = first.shots[1]
    Life(mastered.shot).reach(State.MASTERED, why="")
    gone = [first.shots[0], mastered]
    for ref in gone:
        storage._client.delete_object(Bucket=storage.bucket, Key=ref.key)
    assert take_stock(SPRING) == first
    with pytest.raises(ObjectMissingError):
        master_shot.fn(gone[0], configs_fingerprint="")
    assert len(survey(SPRING).fates) == 4
    storage._client.put_object(Bucket=storage.bucket, Key=gone[0].key, Body=b"a")  # as a copy comes back
    assert take_stock(SPRING).shots == first.shots
    assert load_record(gone[0].shot).state is State.FAILED, "it is tried again"


def test_a_shot_whose_file_stays_away_fails_once_and_is_refused_the_next_time(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "B1.jpg": b"b"})
    gone, there = take_stock(SPRING).shots
    storage._client.delete_object(Bucket=storage.bucket, Key=gone.key)
    with pytest.raises(ObjectMissingError):
        master_shot.fn(gone, configs_fingerprint="")
    assert take_stock(SPRING).shots == (there,)
    record = load_record(gone.shot)
    assert record.state is State.REFUSED
    assert record.events[-1].why == "its file was deleted from the inbox before it was read"
    assert {fate.shot: fate.kind for fate in survey(SPRING).fates}["A1"] == "refused"


# --- one shot again ---


def test_a_restarted_shot_begins_anew_and_keeps_its_history(storage: Storage) -> None:
    batch_of([State.DELIVERED, State.ROUTED])
    shot = SPRING.shot("delivered")
    before = load_record(shot)
    again = restart(shot, person="Ada", reason="the client wants it brighter")
    record = load_record(shot)
    assert record.state is State.RECEIVED
    assert record.events[:-1] == before.events
    assert record.events[-1].why == "the client wants it brighter"
    assert record.events[-1].actor.startswith("Ada")
    assert again.ref.generation == 1
    delivered, routed = load_batch(SPRING).shots
    assert (delivered.generation, routed.generation) == (1, 0)


def test_its_generation_outlives_taking_stock(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a"})
    take_stock(SPRING)
    restart(SPRING.shot("A1"), person="Ada", reason="again")
    assert [ref.generation for ref in take_stock(SPRING).shots] == [1]


def test_a_shot_that_is_not_in_the_batch_cannot_be_restarted(storage: Storage) -> None:
    batch_of([State.ROUTED])
    with pytest.raises(ObjectMissingError, match="no such shot"):
        restart(ShotId(client="acme", batch="spring", shot="nobody"), person="Ada", reason="")


# --- what can be delivered ---


def test_what_is_approved_and_not_delivered_is_found(storage: Storage) -> None:
    batch_of(State)
    assert {shot.name for shot in approved.approved_shots.fn(SPRING, only=[])} == {state.value for state in TO_DELIVER}
    assert [shot.name for shot in approved.approved_shots.fn(SPRING, only=["exported", "routed"])] == ["exported"]


def test_a_shot_whose_export_failed_is_found_again_and_one_whose_edit_failed_is_not(storage: Storage) -> None:
    batch_of([State.APPROVED, State.ROUTED])
    for name in ("approved", "routed"):
        change_record(SPRING.shot(name), lambda one: one.advance(State.FAILED, at=now(), actor="test", why="odd"))
    assert [shot.name for shot in approved.approved_shots.fn(SPRING, only=[])] == ["approved"]


def test_other_tables_an_unknown_client_and_a_manifest_in_any_case_are_said(storage: Storage) -> None:
    received(storage, {"A1.jpg": b"a", "Manifest.CSV": MANIFEST, "prices.xlsx": b"PK", "é.jpg": b"b", "e.jpg": b"c"})
    stock = take_stock(SPRING)
    assert [ref.row["sku"] for ref in stock.shots if ref.row] == ["A1"]
    found = {one.code: one.message for one in load_batch(SPRING).findings}
    assert "'prices.xlsx' was left out" in found["table_not_taken"]
    assert "so count as one product: e.jpg, é.jpg" in found["names_alike"]
    assert "The client 'acme' has no style guide" in found["client_unknown"]
