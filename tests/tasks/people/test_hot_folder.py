"""The hot folder: each file is taken up once, by the right shot, when it is complete."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from packshot.decision import Choice
from packshot.errors import DecisionRefusedError
from packshot.handoff.deciding import UNKNOWN_EDITOR
from packshot.keys import drop_prefix, job_returned_prefix
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord, State
from tasks.environment.configs import configs_in_force
from tasks.people import answers, hot_folder
from tasks.people.hot_folder import Collected, collect_returned
from tasks.people.job_commands import take_job
from tasks.people.jobs import open_job
from tasks.people.returned_work import Taken
from tasks.records.stored import load_record
from tasks.runs.resuming import resume, waiting_run_of
from tasks.storage.bucket import Storage, open_storage
from tasks.telling import notices
from tests.tasks.by_people import answer, cut_out_by_hand, follow
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import routed


@pytest.fixture
def shot(line: Storage, batch: BatchId) -> ShotId:
    """A shot that waits for an editor."""
    (one,) = routed(batch, {"A1_MAIN": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(one))
    return one.shot


@pytest.fixture
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every upload counts as complete: these tests do not wait."""
    promise = hot_folder.promise_to
    monkeypatch.setattr(hot_folder, "promise_to", lambda client: promise(client).model_copy(update={"settle_s": 0.0}))


def put(key: str, data: bytes = b"a picture") -> None:
    open_storage().put(key, data, content_type="image/tiff")


def collect(shot: ShotId) -> Collected:
    """What one look finds of a shot's batch; other tests' files lie in the same bucket."""
    found: Collected = in_a_run(collect_returned.fn)
    mine = f"jobs/{shot.client}/{shot.batch}/"
    return Collected(
        resumed={name: key for name, key in found.resumed.items() if key.startswith(mine)},
        waiting=tuple(key for key in found.waiting if key.startswith(mine)),
        unknown={key: why for key, why in found.unknown.items() if key.startswith(mine)},
    )


def test_a_file_that_has_just_been_written_is_left_alone(shot: ShotId) -> None:
    put(job_returned_prefix(shot) + "A1_MAIN.tif")
    found = collect(shot)
    assert (found.resumed, found.waiting) == ({}, (job_returned_prefix(shot) + "A1_MAIN.tif",))
    assert waiting_run_of(shot)


@pytest.mark.parametrize("name", ["A1_MAIN.tif.part", "A1_MAIN.tif.filepart", "~A1_MAIN.tif"])
def test_a_name_that_says_unfinished_waits_however_old(shot: ShotId, settled_at_once: None, name: str) -> None:
    put(job_returned_prefix(shot) + name)
    assert len(collect(shot).waiting) == 1


@pytest.mark.usefixtures("settled_at_once")
def test_a_returned_file_resumes_its_run_once_and_never_again(shot: ShotId) -> None:
    key = job_returned_prefix(shot) + "whatever I called it.tif"
    put(key)
    assert collect(shot).resumed == {str(shot): key}
    assert waiting_run_of(shot) is None
    assert collect(shot).resumed == {}


@pytest.mark.usefixtures("settled_at_once")
def test_a_stray_file_is_told_of_once_however_often_one_looks(shot: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices, "send", lambda notice: told.append(notice.batch))
    put(drop_prefix(shot.in_batch) + "notes.txt")
    put(drop_prefix(shot.in_batch) + "told/unknown_file-0123456789abcdef.json")  # a mark of an earlier version
    for _ in range(3):
        assert list(collect(shot).unknown) == [drop_prefix(shot.in_batch) + "notes.txt"]
    assert told.count(shot.batch) == 1


@pytest.mark.usefixtures("settled_at_once")
def test_one_look_reads_a_batch_s_records_once_for_all_its_files(shot: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    names_of = hot_folder._names_of
    monkeypatch.setattr(hot_folder, "_names_of", lambda batch: read.append(batch.batch) or names_of(batch))
    for number in range(4):
        put(drop_prefix(shot.in_batch) + f"nobody's {number}.tif")
    collect(shot)
    assert read.count(shot.batch) == 1


@pytest.mark.usefixtures("settled_at_once")
def test_a_name_is_read_generously_and_the_folder_names_the_editor(shot: ShotId) -> None:
    put(drop_prefix(shot.in_batch) + "Ada_Editor/a1 main FINAL v2.tif")
    found = collect(shot)
    assert found.resumed == {str(shot): job_returned_prefix(shot) + "Ada_Editor/a1 main FINAL v2.tif"}
    assert not found.unknown


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_that_fits_no_shot_is_reported_and_left_where_it_is(shot: ShotId) -> None:
    key = drop_prefix(shot.in_batch) + "holiday.tif"
    put(key)
    put(drop_prefix(shot.in_batch) + "A1_BACK.tif")
    put(drop_prefix(shot.in_batch) + ".DS_Store")
    found = collect(shot)
    assert set(found.unknown) == {key, drop_prefix(shot.in_batch) + "A1_BACK.tif"}
    assert not found.resumed
    assert open_storage().exists(key)


@pytest.mark.usefixtures("settled_at_once")
def test_of_several_files_the_highest_version_counts(shot: ShotId) -> None:
    for name in ("A1_MAIN_v2.tif", "A1_MAIN_v10.tif", "A1_MAIN.tif"):
        put(job_returned_prefix(shot) + name)
    assert collect(shot).resumed == {str(shot): job_returned_prefix(shot) + "A1_MAIN_v10.tif"}


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_that_was_sent_back_is_not_taken_up_again_but_a_newer_one_is(shot: ShotId) -> None:
    put(job_returned_prefix(shot) + "A1_MAIN.tif", b"no picture")
    assert follow(shot, answer(shot, Choice.RETURN)).objection
    assert collect(shot).resumed == {}
    put(job_returned_prefix(shot) + "A1_MAIN.tif", b"another one")
    assert len(collect(shot).resumed) == 1


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_from_before_the_question_is_no_answer_to_it(shot: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    put(job_returned_prefix(shot) + "A1_MAIN.tif")
    monkeypatch.setattr(hot_folder, "SLACK", -hot_folder.SLACK)
    assert collect(shot).resumed == {}


@pytest.mark.usefixtures("settled_at_once")
def test_a_shot_that_waits_for_no_editor_is_left_alone(shot: ShotId) -> None:
    follow(shot, answer(shot, Choice.REJECT))
    put(job_returned_prefix(shot) + "A1_MAIN.tif")
    assert collect(shot).resumed == {}
    assert load_record(shot).state is State.REFUSED


def test_without_a_name_the_editor_is_not_known(shot: ShotId) -> None:
    open_storage().put(job_returned_prefix(shot) + "A1_MAIN.png", cut_out_by_hand(), content_type="image/png")
    (file,) = open_storage().list(job_returned_prefix(shot))
    assert hot_folder._answer(load_record(shot), file)["person"] == UNKNOWN_EDITOR
    take_job(str(shot), person="Ada")
    assert hot_folder._answer(load_record(shot), file)["person"] == "Ada"


@pytest.mark.usefixtures("settled_at_once")
def test_two_looks_at_the_same_moment_resume_once(shot: ShotId) -> None:
    put(job_returned_prefix(shot) + "A1_MAIN.tif")
    run = waiting_run_of(shot)
    assert run
    (file,) = open_storage().list(job_returned_prefix(shot))
    given = hot_folder._answer(load_record(shot), file)
    resume(run, given)
    with pytest.raises(DecisionRefusedError, match="somebody else answered first"):
        resume(run, given)


@pytest.mark.usefixtures("settled_at_once")
def test_a_shot_nobody_knows_is_reported(line: Storage, shot: ShotId) -> None:
    nobody = shot.in_batch.shot("NOBODY")
    put(job_returned_prefix(nobody) + "x.tif")
    assert "there is no such shot" in collect(shot).unknown.values()


def by_another(key: str, data: bytes | None) -> None:
    """What an editor's own S3 tool does: it puts other bytes there, or deletes the file."""
    storage = open_storage()
    if data is None:
        storage._client.delete_object(Bucket=storage.bucket, Key=key)
    else:
        storage._client.put_object(Bucket=storage.bucket, Key=key, Body=data)


def after_listing(monkeypatch: pytest.MonkeyPatch, batch: BatchId, change: Callable[[], None]) -> None:
    """Let somebody change a batch's hot folder once, between a look's listing of it and the copies."""
    names_of, left = hot_folder._names_of, [change]

    def names(asked: BatchId) -> dict[str, tuple[str, ...]]:
        if asked == batch and left:
            left.pop()()
        return names_of(asked)

    monkeypatch.setattr(hot_folder, "_names_of", names)


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_replaced_after_it_was_listed_waits_for_the_next_look(
    shot: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = drop_prefix(shot.in_batch) + "A1_MAIN.tif"
    put(key, b"as it was listed")
    after_listing(monkeypatch, shot.in_batch, lambda: by_another(key, b"half of another"))
    found = collect(shot)
    assert (found.resumed, found.waiting) == ({}, (key,))
    assert list(open_storage().list(job_returned_prefix(shot))) == []
    assert collect(shot).resumed == {str(shot): job_returned_prefix(shot) + "A1_MAIN.tif"}
    assert open_storage().get(job_returned_prefix(shot) + "A1_MAIN.tif") == b"half of another"


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_moved_away_after_it_was_listed_stops_no_other(shot: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, other = (drop_prefix(shot.in_batch) + name for name in ("A1_MAIN.tif", "A1_MAIN_v2.tif"))
    put(gone)
    put(other)
    after_listing(monkeypatch, shot.in_batch, lambda: by_another(gone, None))
    found = collect(shot)
    assert found.resumed == {str(shot): job_returned_prefix(shot) + "A1_MAIN_v2.tif"}
    assert not found.waiting


@pytest.mark.usefixtures("settled_at_once")
def test_a_better_file_that_arrives_while_the_last_one_is_checked_is_not_taken_for_used(
    shot: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, take_over = job_returned_prefix(shot) + "A1_MAIN.tif", answers.take_over
    put(key, b"no picture")

    def checked(record: ShotRecord, data: bytes, *, name: str) -> Taken:
        assert data == b"no picture"
        by_another(key, b"a better one")
        return take_over(record, data, name=name)

    monkeypatch.setattr(answers, "take_over", checked)
    assert follow(shot, answer(shot, Choice.RETURN)).objection
    assert collect(shot).resumed == {str(shot): key}


@pytest.mark.usefixtures("settled_at_once")
def test_a_file_larger_than_any_photograph_is_reported_and_never_read(
    shot: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = configs_in_force()
    small = small.model_copy(update={"ingest": small.ingest.model_copy(update={"max_bytes": 5})})
    for room in (hot_folder, answers):
        monkeypatch.setattr(room, "configs_in_force", lambda: small)
    for folder in (drop_prefix(shot.in_batch), job_returned_prefix(shot)):
        put(folder + "A1_MAIN.tif", b"too large")
    found = collect(shot)
    assert not found.resumed
    assert set(found.unknown.values()) == {"it has 9 bytes, and at most 5 are read"}
    assert len(found.unknown) == 2
    said = follow(shot, answer(shot, Choice.RETURN)).objection
    assert "9 bytes" in said
    assert "at most 5 bytes" in said
