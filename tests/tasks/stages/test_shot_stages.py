"""The stages as tasks in a run, on real servers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import pytest

from deployments.demo import environment
from packshot.errors import VerificationError
from packshot.keys import inbox_prefix, quarantine_key, quarantine_reason_key, shot_key, shots_prefix
from packshot.naming import BatchId, batch_id
from packshot.pipeline import opening
from packshot.record import ShotRecord, State
from packshot.specs.models import ApartLimits
from packshot.types import Route
from tasks.batches.summing_up import survey
from tasks.environment.configs import configs_in_force, fingerprint
from tasks.environment.settings import get_settings
from tasks.processing.children import Children
from tasks.processing.networks import cached_model
from tasks.records.stored import load_batch, load_record
from tasks.results.handovers import EditedShot, Handover, MasteredShot, RoutedShot
from tasks.stages import shot_stages
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import edit_shot, export_shot, master_shot, route_shot
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.shot_objects import plan_of
from tasks.telling.artifacts import artifact_key
from tests.tasks import bad_decoders
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import approved, photograph, submitted

BATCH = batch_id("acme", "stages")
GOOD, SMALL, TEXT = "A1_MAIN.jpg", "small.jpg", "no *picture* [<b>at all</b>].jpg"
ROWS = "A1_MAIN.jpg,A1,B0PACK0001,boxes,MAIN,shopify\n"


@cache
def photographs() -> dict[str, bytes]:
    """What the client uploaded, by the file's name."""
    return {GOOD: photograph(), SMALL: photograph(640, 480), TEXT: b"on the other disk"}


class Night(NamedTuple):
    """What the first two stages gave, by file."""

    inbox: Mapping[str, bytes]
    mastered: Mapping[str, MasteredShot]
    routed: RoutedShot


def inbox() -> dict[str, bytes]:
    storage = open_storage()
    return {one.key: storage.get(one.key) for one in storage.list(inbox_prefix(BATCH))}


def first_stages() -> Night:
    stock = submitted(BATCH, photographs(), rows=ROWS)
    uploaded = inbox()

    def run() -> Night:
        futures = {
            ref.path: master_shot.submit(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots
        }
        mastered = {path: future.result() for path, future in futures.items()}
        groups = group_shots.fn(BATCH, list(mastered.values()))
        return Night(uploaded, mastered, route_shot(mastered[GOOD], group=groups[mastered[GOOD].name]))

    return in_a_run(run)


@pytest.fixture(scope="module")
def night(line_environment: dict[str, str]) -> Iterator[Night]:
    with environment(line_environment):
        yield first_stages()


def record_of(night: Night, file: str = GOOD) -> ShotRecord:
    return load_record(night.mastered[file].shot)


def held(record: ShotRecord) -> dict[str, str]:
    """Hash of every object that the record names, as storage has it."""
    storage = open_storage()
    return {name: hashlib.sha256(storage.get(shot_key(record.shot, name))).hexdigest() for name in record.objects}


# --- stage 1 ---


def test_files_that_end_their_decoder_are_refused_alone(
    line_environment: dict[str, str], line: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One crashes, one never ends, one takes memory without end; the fourth is mastered beside them."""
    batch = batch_id("acme", "crashes")
    words = {"crash.jpg": b"CRASH", "spin.jpg": b"SPIN", "swallow.jpg": b"SWALLOW", GOOD: b""}
    configs = configs_in_force()
    within = ApartLimits(memory_bytes=1_500_000_000, deadline_s=60, processor_s=3)
    tight = configs.model_copy(update={"ingest": configs.ingest.model_copy(update={"apart": within})})
    pool = Children(packages=("packshot", "tests", "tests.tasks"))
    monkeypatch.setattr(shot_stages, "configs_in_force", lambda: tight)
    monkeypatch.setattr(shot_stages, "children", lambda: pool)
    monkeypatch.setattr(opening, "MASTER", f"{bad_decoders.NAME}:by_its_words")
    stock = submitted(batch, {name: photograph() + word for name, word in words.items()}, rows=ROWS)

    def run() -> dict[str, MasteredShot]:
        futures = {
            ref.path: master_shot.submit(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots
        }
        return {path: future.result() for path, future in futures.items()}

    mastered = in_a_run(run)
    pool.close()
    assert not mastered[GOOD].refused
    assert load_record(mastered[GOOD].shot).state is State.MASTERED
    for file in ("crash.jpg", "spin.jpg", "swallow.jpg"):
        assert load_record(mastered[file].shot).state is State.REFUSED, file
        assert json.loads(line.get(quarantine_reason_key(batch, file)))["code"] == "decoder_crashed", file


def test_a_mastered_shot_has_its_facts_plan_and_objects_in_the_record(night: Night, line: Storage) -> None:
    record = record_of(night)
    assert [event.to_state for event in record.events] == [State.MASTERED, State.ROUTED]
    assert record.events[0].why.startswith("1000 x 1000 px, ")
    assert record.events[0].actor.startswith("flow run ")
    assert record.fact("asin") == "B0PACK0001"
    assert record.source.sha256 == hashlib.sha256(photographs()[GOOD]).hexdigest()
    assert set(record.objects) == {"master.tif", "plan.json", "preview.webp"}
    assert held(record) == record.objects
    assert plan_of(record).fingerprint == record.plan_fingerprint


def test_the_client_s_files_stay_as_they_were(night: Night, line: Storage) -> None:
    assert inbox() == night.inbox


@pytest.mark.parametrize(("file", "code"), [(SMALL, "too_small"), (TEXT, "unreadable")])
def test_a_refused_file_lies_in_quarantine_with_the_reason(night: Night, line: Storage, file: str, code: str) -> None:
    assert line.get(quarantine_key(BATCH, file)) == photographs()[file]
    reason = json.loads(line.get(quarantine_reason_key(BATCH, file)))
    assert (reason["file"], reason["code"]) == (file, code)
    assert reason["sha256"] == hashlib.sha256(photographs()[file]).hexdigest()
    for part in ("what", "found", "allowed", "next_step"):
        assert reason[part], part
        assert reason[part] in reason["message"]
    assert record_of(night, file).state is State.REFUSED
    assert night.mastered[file].refused == reason["message"] == record_of(night, file).events[-1].why


def test_a_refused_file_is_counted_with_its_reason(night: Night, line: Storage) -> None:
    refused = {fate.file: fate.why for fate in survey(BATCH).of("refused")}
    assert refused == {file: night.mastered[file].refused for file in (SMALL, TEXT)}


def test_a_refusal_is_shown_with_the_client_s_text_as_text(night: Night, line: Storage) -> None:
    shot = night.mastered[TEXT].shot
    shown = str(artifact(artifact_key("shot", shot.client, shot.batch, shot.shot)).data)
    assert "<b>" not in shown
    assert r"\<b\>at all" in shown
    assert r"\*picture\*" in shown


def test_what_a_stage_hands_on_is_small(night: Night, line: Storage) -> None:
    for handover in (*night.mastered.values(), night.routed):
        assert isinstance(handover, Handover)
        assert len(handover.model_dump_json()) < 4000


# --- stage 2 ---


def test_a_routed_shot_says_why_and_in_which_light_it_was_taken(night: Night, line: Storage) -> None:
    record = record_of(night)
    routing = record.reports["routing"]
    assert night.routed.route is Route.AUTOMATED
    assert (routing["route"], routing["category"], routing["reason"]) == ("automated", "boxes", night.routed.reason)
    assert routing["tag"] == {"value": "boxes", "source": "manifest", "probability": 1.0}
    assert record.events[-1].why == f"{night.routed.complexity}: {night.routed.reason}"
    assert routing["features"] == night.mastered[GOOD].features.model_dump()  # type: ignore[union-attr]
    assert record.reports["group"]["group"] == night.routed.group


# --- found again ---


def test_the_same_stages_in_another_run_find_what_is_done(night: Night, line: Storage) -> None:
    def seen() -> dict[str, str]:
        return {one.key: one.etag for one in line.list(shots_prefix(BATCH))}

    before = seen()

    def again() -> None:
        for ref in load_batch(BATCH).shots:
            mastered = master_shot(ref, configs_fingerprint=fingerprint(configs_in_force(), client=ref.shot.client))
            assert mastered == night.mastered[ref.path]
        assert (
            route_shot(
                night.mastered[GOOD], group=group_shots.fn(BATCH, [night.mastered[GOOD]])[night.mastered[GOOD].name]
            )
            == night.routed
        )

    in_a_run(again)
    assert seen() == before


# --- stage 3A, with a real network ---


@pytest.fixture(scope="module")
def edited(night: Night) -> EditedShot:
    settings = get_settings()
    if cached_model(configs_in_force().models[settings.segmenter], folder=settings.models_dir) is None:
        pytest.skip(f"{settings.segmenter} is not on this machine: run `packshot models fetch`")
    return in_a_run(lambda: edit_shot(night.routed))


def test_an_edited_shot_has_a_score_by_component_and_the_network_s_name(
    night: Night, edited: EditedShot, line: Storage
) -> None:
    record = record_of(night)
    report = record.reports["edit"]
    assert report["score"] == edited.score == pytest.approx(sum(report["components"].values()), abs=0.02)
    assert (report["model"], report["verdict"]) == ("u2netp", edited.verdict)
    assert {"edit.tif", "matte.png", "preview.webp", "qc.json"} <= set(record.objects)
    assert held(record) == record.objects


def test_the_verdict_decides_who_looks_next(night: Night, edited: EditedShot, line: Storage) -> None:
    after = {"auto_approve": State.APPROVED, "human_review": State.IN_REVIEW, "reject_and_redo": State.AWAITING_EDITOR}
    audited = "audit" in record_of(night).reports  # drawn by the hash of bytes, which processors may end differently
    decides = "human_review" if audited else edited.verdict
    assert record_of(night).state is after[decides]
    assert edited.needs_person == (decides != "auto_approve")
    assert record_of(night).events[-1].why == edited.reason


# --- stage 4 ---


def test_an_exported_shot_s_files_are_in_storage_as_the_record_says(line: Storage, batch: BatchId) -> None:
    (shot,) = approved(batch, {"A1": 0.43})
    exported = export_shot.fn(shot)
    record = load_record(shot.shot)
    assert [event.to_state for event in record.events][-2:] == [State.EXPORTED, State.VERIFIED]
    files = {one["path"]: one for one in record.reports["export"]["files"]}
    assert set(exported.files) == set(files) == {"shopify/A1-MAIN.webp", "shopify/A1-MAIN.jpg"}
    for path, file in files.items():
        data = line.get(shot_key(shot.shot, f"renditions/{path}"))
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert line.exists(shot_key(shot.shot, f"thumbnails/{path}.webp"))


def test_a_platform_that_a_shot_is_too_small_for_does_not_keep_it_from_the_others(
    line: Storage, batch: BatchId
) -> None:
    (shot,) = approved(batch, {"A1": 0.36}, platforms="amazon_main,shopify")
    exported = export_shot.fn(shot)
    assert {path.split("/")[0] for path in exported.files} == {"shopify"}
    files = load_record(shot.shot).reports["export"]["files"]
    assert [one["path"] for one in files if not one["passed"]] == ["amazon_main/B0PACK0000.MAIN.jpg"]
    assert not line.exists(shot_key(shot.shot, "renditions/amazon_main/B0PACK0000.MAIN.jpg"))


def test_a_shot_that_no_platform_can_take_fails_and_its_record_says_why(line: Storage, batch: BatchId) -> None:
    (shot,) = approved(batch, {"A1": 0.2}, platforms="amazon_main")
    with pytest.raises(VerificationError, match="no rendition passes"):
        export_shot.fn(shot)
    record = load_record(shot.shot)
    assert (record.state, record.failed_from) == (State.FAILED, State.APPROVED)
    assert "amazon_main" in record.events[-1].why
    assert not list(line.list(shot_key(shot.shot, "renditions/")))
