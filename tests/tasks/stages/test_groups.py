"""Groups of a batch on a real S3 server: always of all its shots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from packshot.batch import BatchRecord, ShotRef
from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.normalise import Kind
from packshot.colour.reference import parse_reference
from packshot.colour.target_values import lab_of_linear
from packshot.colour.transform import working_to_srgb8
from packshot.errors import RecordConflictError, TransientError
from packshot.ingest.grouping import ShotLight
from packshot.ingest.stock import REFERENCE_FILE
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from tasks.records import stored
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import create_batch, create_record, load_batch
from tasks.results.handovers import MasteredShot
from tasks.stages import groups
from tasks.stages.groups import group_shots
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox
from tests import drawn_products
from tests.drawn_targets import CAMERA, photograph_of_chart

SPRING = batch_id("acme", "spring")
SETTINGS = "1/160 s, f/11"


def backdrop(level: float) -> BackdropReading:
    linear = (level, level, level)
    red, green, blue = (float(value) for value in lab_of_linear(np.array(linear)))
    return BackdropReading(linear=linear, lab=(red, green, blue), share=1.0)


def light(name: str, *, level: float = 0.5, group: str = "", reference: str = "") -> ShotLight:
    camera = "" if group else "c1"
    return ShotLight(
        shot=name,
        shoot_group=group,
        camera=camera,
        settings=SETTINGS,
        backdrop=backdrop(level),
        reference=reference,
    )


def batch_of(*lights: ShotLight, ignored: dict[str, str] | None = None) -> list[MasteredShot]:
    """Shots that stage 1 has just mastered, in a batch with records."""
    refs = tuple(
        ShotRef(shot=SPRING.shot(one.shot), path=f"{one.shot}.jpg", key="", etag="", size_bytes=1) for one in lights
    )
    create_batch(BatchRecord(batch=SPRING, received_at=now(), shots=refs, ignored=ignored or {}))
    for one in lights:
        shot = SPRING.shot(one.shot)
        create_record(ShotRecord(shot=shot, source=Source(key="", sha256="", size_bytes=1)))
        Life(shot).reach(State.MASTERED, why="it is", reports={"light": one.model_dump(mode="json")})
    return [
        MasteredShot(shot=SPRING.shot(one.shot), source_sha256="", plan_fingerprint="", light=one) for one in lights
    ]


def edited(*names: str) -> None:
    """Take shots on, as the stages after grouping do."""
    statements = load_batch(SPRING).statements
    for name in names:
        part = next(part for part, stated in statements.items() if name in stated["shots"])
        states = (State.ROUTED, State.EDITING_AUTO, State.SCORED, State.APPROVED)
        Life(SPRING.shot(name)).reach(*states, why="it went on", reports={"group": {"part": part}})


def test_a_retry_groups_the_whole_batch_not_only_what_is_unfinished(storage: Storage) -> None:
    mastered = batch_of(*(light(f"A{n}") for n in range(6)))
    first = group_shots.fn(SPRING, mastered)
    edited("A0", "A1", "A2", "A3")
    second = group_shots.fn(SPRING, mastered[4:])
    assert {shot: one.part for shot, one in second.items()} == {shot: one.part for shot, one in first.items()}
    assert set(load_batch(SPRING).groups) == {f"A{n}" for n in range(6)}
    assert len(load_batch(SPRING).statements) == 1


def test_refused_shots_have_no_group(storage: Storage) -> None:
    mastered = batch_of(light("A1", group="red"), light("A2", group="red"))
    refused = MasteredShot(shot=SPRING.shot("X"), source_sha256="", plan_fingerprint="", refused="too small")
    assert set(group_shots.fn(SPRING, [*mastered, refused])) == {"A1", "A2"}


def test_what_was_stated_stays_while_an_edited_shot_followed_it(storage: Storage) -> None:
    bright, dark = [light(f"A{n}") for n in range(4)], [light(f"B{n}", level=0.4) for n in range(3)]
    mastered = batch_of(*bright, *dark)
    first = group_shots.fn(SPRING, mastered)
    assert first["B0"].correction.kind is Kind.EVENED
    edited("B0")
    changed = light("A0", level=0.6)
    again = [one.model_copy(update={"light": changed}) if one.name == "A0" else one for one in mastered]
    second = group_shots.fn(SPRING, again)
    assert second["B1"].correction == first["B1"].correction


def test_a_target_in_a_reference_file_corrects_the_shots_that_name_it(storage: Storage) -> None:
    chart = drawn_products.encoded(working_to_srgb8(photograph_of_chart(camera=CAMERA * 0.8)))
    open_inbox().upload(SPRING, "refs/chart.png", chart, content_type="image/png")
    named = [light(f"A{n}", group="red", reference="refs/chart.png") for n in range(3)]
    others = [light(f"B{n}", group="blue") for n in range(3)]
    mastered = batch_of(*named, *others, ignored={"refs/chart.png": REFERENCE_FILE})
    decisions = group_shots.fn(SPRING, mastered)
    assert decisions["A0"].correction.kind is Kind.TARGET
    assert decisions["A0"].verified is not None
    assert decisions["A0"].verified.mean < 2
    assert decisions["A0"].target_in == "refs/chart.png"
    assert decisions["B0"].correction.is_identity
    assert load_batch(SPRING).statements[decisions["A0"].part]["fit"]["before"]["mean"] > 5


def test_a_swatch_is_a_reference_and_a_text_file_is_none(storage: Storage) -> None:
    swatch = np.full((300, 300, 3), (150, 82, 60), np.uint8)
    open_inbox().upload(SPRING, "red.png", drawn_products.encoded(swatch), content_type="image/png")
    open_inbox().upload(SPRING, "note.png", b"no picture", content_type="image/png")
    lights = (light("A1", reference="red.png"), light("A2", reference="note.png"), light("A3", reference="who knows"))
    decisions = group_shots.fn(
        SPRING, batch_of(*lights, ignored=dict.fromkeys(("red.png", "note.png"), REFERENCE_FILE))
    )
    stated = parse_reference("#96523C")
    assert stated is not None
    assert decisions["A1"].reference_lab == pytest.approx(stated.lab, abs=0.02)
    assert [one.code for one in decisions["A2"].findings] == ["reference_unusable"]
    assert [one.code for one in decisions["A3"].findings] == ["reference_unusable"]


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[BatchRecord], BatchRecord]) -> None:
    """Let another run change the batch's record between what grouping reads and what it writes, once."""
    changes = iter([change])

    def change_batch(batch: BatchId, mine: Callable[[BatchRecord], BatchRecord]) -> BatchRecord:
        for theirs in changes:
            stored.change_batch(batch, theirs)
        return stored.change_batch(batch, mine)

    monkeypatch.setattr(groups, "change_batch", change_batch)


def test_what_another_run_writes_meanwhile_is_not_lost(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    mastered = batch_of(*(light(f"A{n}") for n in range(3)))
    meanwhile(monkeypatch, lambda record: record.model_copy(update={"ignored": {"notes.txt": "no photograph"}}))
    group_shots.fn(SPRING, mastered)
    record = load_batch(SPRING)
    assert record.ignored == {"notes.txt": "no photograph"}
    assert set(record.groups) == {"A0", "A1", "A2"}


def test_groups_that_another_run_stated_meanwhile_are_heeded_the_next_time(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conflict is transient: the task is tried again, and begins with what the record says then."""
    mastered = batch_of(*(light(f"A{n}") for n in range(3)))
    group_shots.fn(SPRING, mastered)
    (theirs,) = load_batch(SPRING).statements.items()
    stored.change_batch(SPRING, lambda record: record.model_copy(update={"statements": {}, "groups": {}}))
    meanwhile(monkeypatch, lambda record: record.model_copy(update={"statements": dict([theirs])}))
    with pytest.raises(RecordConflictError, match="changed the batch's groups in the meantime") as raised:
        group_shots.fn(SPRING, mastered)
    assert isinstance(raised.value, TransientError)
    assert load_batch(SPRING).statements == dict([theirs])
    decisions = group_shots.fn(SPRING, mastered)
    assert {one.part for one in decisions.values()} == {theirs[0]}
