"""The index on a real PostgreSQL and a real S3: what is kept is what a rebuild gives, and it never decides anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, event, select, text, update

from packshot.batch import BatchRecord, Cancellation, ShotRef
from packshot.decision import Choice, Decision, Reason
from packshot.keys import batch_record_key, job_returned_prefix, record_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import WAITING, ShotRecord, Source, State
from packshot.types import Sourced
from tasks.batches.cancelling import take_up_again
from tasks.batches.closed import closed_batches
from tasks.batches.status import standing_of as standing_of_batch
from tasks.environment.settings import Settings, get_settings
from tasks.index import database, keeping
from tasks.index.database import IndexAwayError, Shared, own, shared
from tasks.index.tables import REVISION, SCHEMA, batches, buckets, metadata, shots
from tasks.people import hot_folder
from tasks.queries import comparing
from tasks.queries.asking import ask, find_shots, judged_records, records_of_products, waiting_records
from tasks.queries.comparing import compare_all, compare_some, standing_of
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, change_record, create_batch, create_record
from tasks.storage.bucket import Storage
from tasks.storage.connection import connect
from tasks.storage.inbox import open_inbox

BATCH, OTHER = batch_id("acme", "spring"), batch_id("zeta", "spring")
NOBODY = "postgresql://nobody@127.0.0.1:9/none"


@pytest.fixture
def index(storage: Storage, index_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    """This process keeps an index, which is empty and counts as whole."""
    monkeypatch.setenv("PACKSHOT_INDEX_URL", index_server)
    monkeypatch.setattr(keeping, "WRITING_S", 100.0)  # however busy the machine is
    found = shared()
    assert found is not None

    def empty(connection: Connection) -> None:
        for table in (shots, batches, buckets):
            connection.execute(delete(table))

    found.run(empty)
    compare_all(found, storage)
    keeping._missed.clear()
    yield found
    assert not found._why, "it always answered"
    keeping._missed.clear()


def with_batch(batch: BatchId, *names: str) -> list[ShotId]:
    ids = [batch.shot(name) for name in names]
    refs = tuple(ShotRef(shot=one, key="k", path=f"{one.shot}.jpg", etag="e", size_bytes=1) for one in ids)
    create_batch(BatchRecord(batch=batch, received_at=now(), shots=refs))
    for one in ids:
        key = f"inbox/{batch.client}/{batch.batch}/{one.shot}.jpg"
        facts = {"sku": Sourced(value=f"SKU-{one.shot}", source="manifest")}
        create_record(ShotRecord(shot=one, source=Source(key=key, sha256="0" * 64, size_bytes=1), facts=facts))
    return ids


def to(*states: State) -> Callable[[ShotRecord], ShotRecord]:
    def change(record: ShotRecord) -> ShotRecord:
        for state in states:
            record = record.advance(state, at=now(), actor="run", why=f"now {state}")
        return record

    return change


IN_REVIEW = to(State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.IN_REVIEW)


def decided(record: ShotRecord) -> ShotRecord:
    said = Decision(choice=Choice.APPROVE, by="Ada", at=now(), reason=Reason.MEETS_STANDARD, picture="0" * 8)
    after = record.model_copy(update={"decisions": (*record.decisions, said)})
    return after.advance(State.APPROVED, at=now(), actor="Ada", why="approved")


def some_work() -> None:
    """Two batches: shots that wait, one that a person approved, one that has just come in."""
    first, second, third = with_batch(BATCH, "A", "B", "C")
    change_record(first, IN_REVIEW)
    change_record(second, IN_REVIEW)
    change_record(second, decided)
    change_batch(BATCH, lambda one: one.model_copy(update={"finished_at": now()}))
    (other,) = with_batch(OTHER, "A")
    change_record(other, to(State.MASTERED, State.ROUTED, State.AWAITING_EDITOR))
    assert third.shot == "C"


def dump(index: Shared) -> list[tuple[Any, ...]]:
    """All rows, without the time of comparing."""

    def work(connection: Connection) -> list[tuple[Any, ...]]:
        of_shots = connection.execute(select(shots).order_by(*shots.primary_key))
        columns = [column for column in batches.columns if column.name != "compared_at"]
        of_batches = connection.execute(select(*columns).order_by(*batches.primary_key))
        return [tuple(row) for row in (*of_shots, *of_batches)]

    return index.run(work)


def test_rebuilt_equals_kept(index: Shared, storage: Storage) -> None:
    some_work()
    kept = dump(index)
    assert len(kept) == 6
    index.run(lambda connection: [connection.execute(delete(table)) for table in (shots, batches)])
    done = compare_all(index, storage, anew=True)
    assert (done.batches, done.records) == (2, 6)
    assert dump(index) == kept
    assert standing_of(index, storage).behind.behind == 0


def test_a_fresh_index_is_filled_by_the_first_who_asks(index: Shared, storage: Storage) -> None:
    some_work()
    index.run(lambda connection: [connection.execute(delete(table)) for table in (shots, batches, buckets)])
    assert standing_of(index, storage).whole_at is None
    assert [str(one.shot) for one in waiting_records(WAITING)] == ["acme/spring/A", "zeta/spring/A"]
    assert standing_of(index, storage).whole_at is not None


def test_the_shared_index_and_a_machines_own_say_the_same(index: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    some_work()
    said = waiting_records(WAITING), waiting_records(WAITING, client="zeta"), judged_records()
    assert [len(one) for one in said] == [2, 1, 1]
    monkeypatch.delenv("PACKSHOT_INDEX_URL")
    assert shared() is None
    assert (waiting_records(WAITING), waiting_records(WAITING, client="zeta"), judged_records()) == said


def test_an_index_that_is_away_stops_no_write_and_no_answer(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch, index_server: str
) -> None:
    some_work()
    with monkeypatch.context() as patch:
        patch.setenv("PACKSHOT_INDEX_URL", NOBODY)
        assert change_record(BATCH.shot("C"), IN_REVIEW).state is State.IN_REVIEW
        assert [one.shot.shot for one in waiting_records(WAITING, client="acme")] == ["A", "C"], "from the records"
    assert standing_of(index, storage).behind.behind == 1
    assert [one.shot.shot for one in waiting_records(WAITING, client="acme")] == ["A", "C"], (
        "what it missed is written first"
    )
    assert standing_of(index, storage).behind.behind == 0


def test_a_row_that_nobody_remembers_is_found_by_its_etag(index: Shared, storage: Storage) -> None:
    """The process that wrote the record was killed before its row."""
    some_work()
    kept = dump(index)
    index.run(
        lambda connection: connection.execute(update(shots).filter_by(shot="C").values(etag="old", state="failed"))
    )
    index.run(lambda connection: connection.execute(delete(shots).filter_by(client="zeta")))
    index.run(lambda connection: connection.execute(update(batches).filter_by(client="zeta").values(etag="old")))
    assert standing_of(index, storage).behind.behind == 3
    assert compare_some(index, storage).behind == 3
    assert dump(index) == kept
    assert compare_some(index, storage).behind == 0


def test_what_is_gone_from_the_bucket_goes_from_the_index(index: Shared, storage: Storage) -> None:
    some_work()
    for key in (record_key(BATCH.shot("C")), record_key(OTHER.shot("A")), batch_record_key(OTHER)):
        storage._client.delete_object(Bucket=storage.bucket, Key=key)
    assert compare_some(index, storage).behind == 2, "a shot, and a batch"
    assert [row[:4] for row in dump(index)][:2] == [(storage.bucket, "acme", "spring", name) for name in "AB"]
    assert all(row[1] == "acme" for row in dump(index))


def test_a_damaged_record_has_a_row_and_is_read_once(index: Shared, storage: Storage) -> None:
    some_work()
    storage.put(record_key(BATCH.shot("A")), b"{", content_type="application/json")
    storage.put(batch_record_key(OTHER), b"[]", content_type="application/json")
    assert compare_some(index, storage).behind == 2
    assert compare_some(index, storage).behind == 0
    assert [str(one.shot) for one in waiting_records(WAITING)] == ["zeta/spring/A"]


def test_a_row_that_comes_late_does_not_replace_a_newer_one(index: Shared, storage: Storage) -> None:
    (shot,) = with_batch(BATCH, "A")
    older = change_record(shot, to(State.MASTERED))
    newer = change_record(shot, to(State.ROUTED))
    keeping.note(older, '"of the older"', bucket=storage.bucket)
    assert ask(lambda connection: connection.execute(select(shots.c.state)).scalars().all()) == [newer.state]


def test_a_bucket_put_back_from_a_backup_replaces_newer_rows(index: Shared, storage: Storage) -> None:
    (shot,) = with_batch(BATCH, "A")
    before = storage.get(record_key(shot))
    change_record(shot, IN_REVIEW)
    assert len(waiting_records(WAITING)) == 1
    storage.put(record_key(shot), before, content_type="application/json", replaces=True)
    assert compare_some(index, storage).behind == 1
    assert waiting_records(WAITING) == []


def test_a_look_takes_what_was_compared_longest_ago(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"b{n}" for n in range(6)]
    for name in names:
        with_batch(batch_id("acme", name), "A")
    monkeypatch.setattr(comparing, "OPEN_OBJECTS", 3)
    looks = [compare_some(index, storage) for _ in range(3)]
    assert [one.batches for one in looks] == [2, 2, 2], "two objects each: after two batches there are three and more"
    found = ask(lambda connection: connection.execute(select(batches.c.compared_at)).scalars().all())
    assert all(found)


def test_migrations_make_the_tables_that_the_code_says(index: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    def differences(connection: Connection) -> list[Any]:
        connection.execute(text("SET LOCAL search_path TO public"))
        monkeypatch.setattr(connection.dialect, "default_schema_name", "public")  # whose name Alembic leaves out

        def ours(name: str | None, kind: str, _: Any) -> bool:
            return kind != "schema" or name == SCHEMA

        options = {"include_schemas": True, "include_name": ours, "version_table_schema": SCHEMA, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    assert index.run(differences) == []
    assert index.run(database._revision) == REVISION


def test_many_processes_migrate_at_once(index: Shared, index_server: str) -> None:
    def drop(connection: Connection) -> None:
        for name in (*metadata.tables, f"{SCHEMA}.alembic_version"):
            connection.execute(text(f"DROP TABLE {name}"))

    index.run(drop)
    starting = [Shared(index_server, "") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: one.run(database._revision), starting))
    for one in starting:
        one.close()
    assert found == [REVISION] * 4


def test_tables_of_a_newer_version_are_left_alone(index: Shared, index_server: str) -> None:
    newer = update_revision("9999")
    index.run(newer)
    late = Shared(index_server, "")
    try:
        with pytest.raises(IndexAwayError, match="newer version of Packshot"):
            late.run(lambda connection: None)
    finally:
        late.close()
        index.run(update_revision(REVISION))


def test_each_time_that_it_goes_away_is_said_once_and_so_is_its_end(
    index: Shared, index_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Kind of test that was missing: one in which it goes away for the second time, and comes back.

    The second time was not said, however many days later, and no end was.
    """
    monkeypatch.setattr(database, "REST_S", 0.0)
    other = Shared(index_server, "")
    try:
        for _ in range(2):
            for _ in range(2):
                with pytest.raises(IndexAwayError):
                    other.run(lambda connection: connection.execute(text("select * from nothing_like_it")))
            for _ in range(2):
                other.run(lambda connection: None)
    finally:
        other.close()
    said = [one.getMessage() for one in caplog.records if "The index of shots" in one.getMessage()]
    assert [one.startswith("The index of shots cannot be used: ") for one in said] == [True, False, True, False]
    assert said[1] == said[3] == "The index of shots can be used again."


def update_revision(revision: str) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(
        text(f"UPDATE {SCHEMA}.alembic_version SET version_num = :revision"), {"revision": revision}
    )


def test_a_wrong_row_decides_nothing(index: Shared) -> None:
    """Whoever acts reads the record: a row that claims another state changes no record."""
    (shot,) = with_batch(BATCH, "A")
    index.run(lambda connection: connection.execute(update(shots).values(state="delivered", events=99)))
    assert change_record(shot, to(State.MASTERED)).state is State.MASTERED


def test_a_file_of_this_machine_that_is_damaged_does_not_matter(
    storage: Storage, s3_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    some_work()
    assert len(waiting_records(WAITING)) == 2
    (file,) = s3_settings.scratch_dir.glob("index-*.sqlite")
    file.write_bytes(b"no database" * 1000)
    assert len(waiting_records(WAITING)) == 2
    assert "in memory" in caplog.text


@contextmanager
def requested() -> Iterator[Counter[str]]:
    """Count this process's requests to storage by operation."""
    asked: Counter[str] = Counter()
    events = connect(get_settings()).meta.events

    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    events.register("before-call.s3", count, unique_id="index")
    try:
        yield asked
    finally:
        events.unregister("before-call.s3", unique_id="index")


def test_what_is_asked_costs_the_same_however_many_shots_there_are(index: Shared, storage: Storage) -> None:
    """Statements and requests for what waits, at n and at 4n ended shots."""

    def cost(ended: int) -> tuple[int, int]:
        for one in with_batch(batch_id("acme", f"ended{ended}"), *(f"S{n}" for n in range(ended))):
            change_record(one, to(State.MASTERED, State.ROUTED))
        statements: list[str] = []
        engine = index._engine.sync_engine

        def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            with requested() as asked:
                assert waiting_records(WAITING) == []
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements), asked.total()

    assert cost(3) == cost(12) == (2, 0)


def test_what_the_line_asks_of_storage_grows_with_what_is_open_not_with_what_ended(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night's look for batches, a batch's status and a look into the hot folders, at n and at 4n ended batches."""
    monkeypatch.setattr(hot_folder, "OTHERS", 2)
    (open_one,) = with_batch(BATCH, "A")
    change_record(open_one, to(State.MASTERED, State.ROUTED, State.AWAITING_EDITOR))
    storage.put(job_returned_prefix(open_one) + "A.tif", b"x", content_type="image/tiff")

    def costs(ended: int) -> list[Counter[str]]:
        for number in range(ended):
            batch = batch_id("acme", f"ended-{ended}-{number}")
            (shot,) = with_batch(batch, "A")
            change_record(shot, to(State.REFUSED))
            change_batch(batch, lambda one: one.model_copy(update={"finished_at": now()}))
            open_inbox().upload(batch, "A.jpg", b"x", content_type="image/jpeg")
            open_inbox().close(batch)
            storage.put(f"jobs/{batch}/A/out/ticket.json", b"{}", content_type="application/json")
        found = []
        for look in (closed_batches.fn, lambda: standing_of_batch(BATCH), lambda: looked_into()):
            with requested() as asked:
                look()
            found.append(+asked)
        return found

    def looked_into() -> None:
        listed = [one.key for one in hot_folder._listed("", now())]
        assert job_returned_prefix(open_one) + "A.tif" in listed

    one, few, many = costs(1), costs(3), costs(12)
    assert few == many
    assert few[0].keys() == {"ListObjectsV2"}
    assert one[:2] == few[:2]
    assert max(look.total() for look in few[1:]) <= 6
    assert few[2].total() <= one[2].total() + hot_folder.OTHERS, "the hot folders of so many ended batches, in turn"


def test_a_batch_s_status_reads_no_shot_s_record(index: Shared, storage: Storage) -> None:
    with_batch(BATCH, *(f"S{number}" for number in range(5)))
    with requested() as asked:
        assert len(standing_of_batch(BATCH).fates) == 5
    few = +asked
    with_batch(OTHER, *(f"S{number}" for number in range(20)))
    with requested() as asked:
        assert len(standing_of_batch(OTHER).fates) == 20
    assert +asked == few


def test_own_index_is_not_asked_while_the_shared_one_answers(index: Shared, s3_settings: Settings) -> None:
    some_work()
    waiting_records(WAITING)
    assert not list(s3_settings.scratch_dir.glob("index-*.sqlite"))
    assert own(s3_settings).name.endswith(".sqlite")


def test_a_shot_is_found_by_the_beginning_of_any_of_its_names_in_every_batch(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_work()
    with_batch(batch_id("acme", "autumn"), "A", "AB")

    def found(*words: str, **only: str) -> list[str]:
        return [str(one.shot) for one in find_shots(words, **only)]

    for _ in ("shared", "own"):
        assert found("sku-ab") == ["acme/autumn/AB"]
        assert found("SKU-A", batch="spring") == ["acme/spring/A", "zeta/spring/A"]
        assert found("a.JPG", client="acme") == ["acme/autumn/A", "acme/spring/A"]
        assert found("sku-a", "ab") == ["acme/autumn/AB"], "every word fits"
        assert found("100%") == found("sku-_") == found("%ku-a") == [], "no sign has a meaning"
        monkeypatch.delenv("PACKSHOT_INDEX_URL", raising=False)


def test_a_product_with_two_names_is_returned_once_however_many_are_asked_for(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one whose names do not fit into one question."""
    (shot, _) = with_batch(batch_id("acme", "spring"), "B", "A")
    change_record(
        shot,
        lambda one: one.model_copy(
            update={"facts": {**one.facts, "gtin": Sourced(value="04006381333931", source="manifest")}}
        ),
    )
    for part in (500, 1):
        monkeypatch.setattr("tasks.queries.asking._PART", part)
        found = records_of_products("acme", ["SKU-B", "04006381333931", "sku-a"])
        assert [one.shot.shot for one in found] == ["A", "B"]


def test_a_shot_that_changed_lately_is_found_by_the_middle_of_a_name_after_those_that_begin_so(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one that looks for what people remember, a number in the middle."""
    with_batch(batch_id("acme", "spring"), "X20400", "20400X", "X30400")

    def found(*words: str) -> list[str]:
        return [one.shot.shot for one in find_shots(words)]

    for _ in ("shared", "own"):
        monkeypatch.setattr("tasks.queries.asking.LOOKED_THROUGH", 50_000)
        assert found("20400") == ["20400X", "X20400"]
        assert found("0400", "x2") == [], "a short word is looked for at the beginning alone, and all words must fit"
        assert found("0400", "x20") == ["X20400"]
        monkeypatch.setattr("tasks.queries.asking.LOOKED_THROUGH", 0)
        assert found("20400") == ["20400X"], "older ones by their beginning"
        monkeypatch.delenv("PACKSHOT_INDEX_URL", raising=False)


def test_a_search_uses_the_indexes_of_the_table(index: Shared) -> None:
    """Whatever else stands in the table: PostgreSQL looks up the beginnings, and reads no other row."""

    def plan(connection: Connection) -> str:
        names = "'acme', 'b', 'S' || n, 'e', 1, 'delivered', false, 'sku' || n, 'asin' || n, 'gtin' || n, 'f' || n, ''"
        for statement in (
            f"INSERT INTO {SCHEMA}.shots SELECT 'b', {names} FROM generate_series(1, 20000) AS n",
            f"ANALYZE {SCHEMA}.shots",
        ):
            connection.execute(text(statement))
        begins = " OR ".join(f"({name} >= 'x' AND {name} < 'y')" for name in ("sku", "asin", "gtin", "file"))
        wanted = f"EXPLAIN SELECT * FROM {SCHEMA}.shots WHERE bucket = 'b' AND ({begins})"
        said = connection.execute(text(wanted)).scalars().all()
        connection.execute(text(f"DELETE FROM {SCHEMA}.shots"))
        return str(said)

    said = index.run(plan)
    assert all(f"shots_{name}" in said for name in ("sku", "asin", "gtin", "file")), said


def test_a_night_looks_for_closed_batches_without_a_look_at_their_files(index: Shared, storage: Storage) -> None:
    def requests(files: int) -> Counter[str]:
        batch = batch_id("acme", f"closed{files}")
        for n in range(files):
            open_inbox().upload(batch, f"{n}.jpg", b"x", content_type="image/jpeg")
        open_inbox().close(batch)
        create_batch(BatchRecord(batch=batch, received_at=now(), finished_at=now()))
        with requested() as asked:
            assert closed_batches.fn().batches == ()
        return asked

    few, many = requests(3), requests(12)
    assert few.keys() == {"ListObjectsV2"}, "no record is read; the listings show folders only"
    assert many == few


def test_a_row_that_calls_a_batch_finished_is_put_right_before_the_next_night(index: Shared, storage: Storage) -> None:
    open_inbox().close(BATCH)
    with_batch(BATCH, "A")
    index.run(lambda connection: connection.execute(update(batches).values(finished_at=now(), etag="wrong")))
    assert closed_batches.fn().batches == (BATCH,), "the row is no longer its record's"
    compare_some(index, storage)
    assert closed_batches.fn().batches == (BATCH,)
    index.run(lambda connection: connection.execute(delete(batches)))
    assert closed_batches.fn().batches == (BATCH,)


def test_a_batch_that_was_cancelled_and_taken_up_again_is_seen_although_its_row_is_old(
    index: Shared, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: a change of a batch's record of which the index never hears."""
    open_inbox().close(BATCH)
    with_batch(BATCH, "A")
    change_batch(BATCH, lambda record: record.model_copy(update={"finished_at": now()}))
    assert closed_batches.fn().batches == ()
    with monkeypatch.context() as patch:
        patch.setenv("PACKSHOT_INDEX_URL", NOBODY)

        def cancel(record: BatchRecord) -> BatchRecord:
            cancelled = Cancellation(at=now(), by="Max", why="withdrawn")
            return record.model_copy(update={"cancellations": (cancelled,), "finished_at": None})

        change_batch(BATCH, cancel)
        assert take_up_again(BATCH)
    keeping._missed.clear()  # the process that changed the record was killed
    found = index.run(lambda connection: connection.execute(select(batches.c.finished_at)).scalar())
    assert found is not None, "the row still calls it finished"
    assert closed_batches.fn().batches == (BATCH,)
