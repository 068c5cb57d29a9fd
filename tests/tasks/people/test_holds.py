"""Shots on hold: the client is told, and they go on when what was missing arrives in whatever batch."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from deployments.demo import environment
from packshot.batch import BatchRecord, ShotRef
from packshot.decision import Choice
from packshot.export.left_out import left_out_of
from packshot.handoff.deciding import since_restart
from packshot.keys import notice_key, record_key
from packshot.learning.audits import audit_of
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from packshot.specs.load import default_folder
from packshot.types import Sourced
from tasks.batches.closed import closed_batches
from tasks.batches.stock import take_stock
from tasks.batches.submitting import submit_folder
from tasks.people import hot_folder
from tasks.people.holds import hold_back
from tasks.people.hot_folder import release_holds
from tasks.people.questions import question_about
from tasks.processing.networks import LoadedModel
from tasks.queries.asking import judged_records, repair
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, create_batch, load_record
from tasks.results.handovers import ApprovedShot, RoutedShot
from tasks.runs.resuming import waiting_run_of
from tasks.stages import first_edit, redo
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import edit_shot, export_shot, master_shot, route_shot
from tasks.storage.bucket import Storage
from tasks.storage.shot_objects import plan_of
from tests.drawn_products import ContrastNetwork
from tests.hostile_names import ANY_SCRIPT
from tests.tasks.by_people import answer, follow
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import photograph, submitted


@pytest.fixture
def ghosts(line: Storage, tmp_path: Path) -> Iterator[Storage]:
    """A line whose client wants neck joints."""
    configs = tmp_path / "configs"
    shutil.copytree(default_folder(), configs)
    (configs / "clients" / "acme.yaml").write_text(
        "title: Acme\nplatforms: [shopify]\nhandoff: {ghost_mannequin: true, hold_hours: 5}\n"
    )
    with environment({"PACKSHOT_CONFIGS": str(configs)}):
        yield line


def routed_view(batch: BatchId, product: str, view: str, *, platforms: str = "shopify") -> RoutedShot:
    """One photograph of a garment after stage 2."""
    name = f"{product}_{view}"
    rows = f'{name}.jpg,{product},,clothing,{view},"{platforms}"\n'
    stock = submitted(batch, {f"{name}.jpg": photograph(radius_ratio=0.43)}, rows=rows)
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    return route_shot.fn(mastered[0], group=groups[mastered[0].name])


def test_a_garment_without_its_neck_shot_is_held_and_goes_on_when_it_arrives(ghosts: Storage, batch: BatchId) -> None:
    product = batch.batch.upper()  # no other test has it
    shot = routed_view(batch, product, "MAIN")
    assert in_a_run(lambda: hold_back.fn(batch, [shot])).on_hold == (shot.name,)
    record = load_record(shot.shot)
    assert record.state is State.ON_HOLD
    assert f"The neck shot of {product} is missing" in record.events[-1].why
    told = notice_key(batch, shot.name, "").removesuffix(".json")
    assert [one.key for one in ghosts.list(told)]  # the client was told
    run = waiting_run_of(shot.shot)
    assert run
    assert {"on_hold", "service:ghost-mannequin"} <= set(run.tags)

    assert str(shot.shot) not in in_a_run(release_holds.fn)
    early = follow(shot.shot, answer(shot.shot, Choice.ARRIVED, person="the client"))
    assert "has not arrived" in early.objection

    later = batch_id(batch.client, f"{batch.batch}-later")
    assert in_a_run(lambda: hold_back.fn(later, [routed_view(later, product, "NECK")])).names == ()
    assert str(shot.shot) in in_a_run(release_holds.fn)
    assert waiting_run_of(shot.shot) is None
    assert not follow(shot.shot, answer(shot.shot, Choice.ARRIVED, person="the line"), question="run-2").objection
    assert load_record(shot.shot).state is State.ROUTED


def test_a_person_may_let_it_go_on_with_name_and_reason(ghosts: Storage, batch: BatchId) -> None:
    shot = routed_view(batch, batch.batch.upper(), "MAIN")
    in_a_run(lambda: hold_back.fn(batch, [shot]))
    said = answer(shot.shot, Choice.GO_ON, person="Stu Dio", note="flat lay, no mannequin")
    assert not follow(shot.shot, said).objection
    record = load_record(shot.shot)
    assert (record.state, record.events[-1].actor) == (State.ROUTED, "Stu Dio")


def test_a_released_shot_is_drawn_for_an_audit_and_counted_like_one_that_was_never_held(
    ghosts: Storage, batch: BatchId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both shots are of the same photograph, so the same draw decides about them."""
    audit_each(tmp_path / "configs", ratio=1.0)
    monkeypatch.setattr(first_edit, "load_model", lambda: LoadedModel("contrast", ContrastNetwork(), ()))
    product, other = batch.batch.upper(), batch_id(batch.client, f"{batch.batch}-straight")
    straight, held = routed_view(other, f"{product}-S", "MAIN"), routed_view(batch, product, "MAIN")

    in_a_run(lambda: edit_shot.fn(straight))
    assert in_a_run(lambda: hold_back.fn(batch, [held])).on_hold == (held.name,)
    go_on = answer(held.shot, Choice.GO_ON, person="Stu Dio", note="flat lay, no mannequin")
    assert not follow(held.shot, go_on, question="run-1").objection
    in_a_run(lambda: redo.edit_released.fn(held.shot))

    drawn = [load_record(one.shot) for one in (straight, held)]
    assert [one.state for one in drawn] == [State.IN_REVIEW] * 2
    assert drawn[0].reports["audit"] == drawn[1].reports["audit"]
    assert drawn[0].reports["edit"].keys() == drawn[1].reports["edit"].keys()
    for one in (straight, held):
        approve = answer(one.shot, Choice.APPROVE)
        assert not in_a_run(lambda one=one, given=approve: follow(one.shot, given, question="run-2")).objection
    repair()
    judged = [one for where in (other, batch) for one in judged_records(client=where.client, batch=where.batch)]
    found = [audit_of(one, since_restart(one)) for one in judged]
    assert len(found) == 2
    assert [one and (one.client, one.category, one.refused) for one in found] == [(batch.client, "clothing", False)] * 2


def test_a_released_shot_ends_like_one_that_was_never_held_where_renditions_may_go_ahead(
    ghosts: Storage, batch: BatchId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The photograph has pixels enough for one of the two platforms, and the client has such ones delivered at once."""
    guide = tmp_path / "configs" / "clients" / "acme.yaml"
    guide.write_text(f"{guide.read_text()}partial: ship\n")
    audit_each(tmp_path / "configs", ratio=0.0)
    monkeypatch.setattr(first_edit, "load_model", lambda: LoadedModel("contrast", ContrastNetwork(), ()))
    product, other = batch.batch.upper(), batch_id(batch.client, f"{batch.batch}-straight")
    straight = routed_view(other, f"{product}-S", "MAIN", platforms="shopify,walmart")
    held = routed_view(batch, product, "MAIN", platforms="shopify,walmart")

    in_a_run(lambda: edit_shot.fn(straight))
    assert in_a_run(lambda: hold_back.fn(batch, [held])).on_hold == (held.name,)
    go_on = answer(held.shot, Choice.GO_ON, person="Stu Dio", note="flat lay, no mannequin")
    assert not follow(held.shot, go_on).objection
    in_a_run(lambda: redo.edit_released.fn(held.shot))

    ends = []
    for one in (straight, held):
        assert load_record(one.shot).state is State.APPROVED
        in_a_run(lambda one=one: export_shot.fn(ApprovedShot.of(load_record(one.shot), generation=0)))
        record = load_record(one.shot)
        edited = record.reports["edit"]
        sentences = [event.why for event in record.events if event.from_state in (State.EDITING_AUTO, State.SCORED)]
        exported = [(file["platform"], file["passed"]) for file in record.reports["export"]["files"]]
        ends.append((record.state, edited["held"], edited["platforms"], sentences, exported, left_out_of(record)))
    assert ends[0] == ends[1]
    assert set(ends[1][1]) == {"walmart"}
    assert set(ends[1][4]) == {("shopify", True)}


def audit_each(configs: Path, *, ratio: float) -> None:
    """Have this share of the machine's edits judged blindly."""
    routing = yaml.safe_load((configs / "routing.yaml").read_text())
    routing["audit"] |= {"ratio": ratio, "first_ratio": ratio}
    (configs / "routing.yaml").write_text(yaml.safe_dump(routing))


def test_a_shot_that_cannot_be_looked_at_stops_alone(ghosts: Storage, batch: BatchId) -> None:
    product = batch.batch.upper()
    neck = routed_view(batch, product, "NECK")
    other = batch_id(batch.client, f"{batch.batch}-main")
    main = routed_view(other, product, "MAIN")
    lost = main.model_copy(update={"shot": other.shot("LOST_MAIN")})
    damaged = main.model_copy(update={"shot": other.shot("DAMAGED_MAIN")})
    ghosts.put(record_key(damaged.shot), b'{"schema_version": 99}', content_type="application/json")
    stopped = in_a_run(lambda: hold_back.fn(other, [lost, damaged, main, neck]))
    assert (stopped.on_hold, stopped.failed) == ((), ("LOST_MAIN", "DAMAGED_MAIN"))


def test_both_shots_in_one_batch_hold_nothing(ghosts: Storage, batch: BatchId) -> None:
    neck = routed_view(batch, batch.batch.upper(), "NECK")
    other = batch_id(batch.client, f"{batch.batch}-main")
    main = routed_view(other, batch.batch.upper(), "MAIN")
    assert in_a_run(lambda: hold_back.fn(batch, [main, neck])).names == ()


def test_all_that_has_arrived_goes_on_in_one_look_and_the_others_are_looked_at_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def photographed(name: str, *, product: str, view: str) -> ShotRecord:
        shot = batch_id("acme", "holds").shot(name)
        facts = {"sku": Sourced(value=product, source="manifest"), "view": Sourced(value=view, source="manifest")}
        source = Source(key=name, sha256="0" * 64, size_bytes=1)
        hold = {"hold": {"needs": ["neck_shot"]}}
        return ShotRecord(shot=shot, source=source, state=State.ON_HOLD, facts=facts, reports=hold)

    held = [photographed(f"S{n:02}", product=f"P{n}", view="MAIN") for n in range(70)]
    necks = [photographed(f"N{n:02}", product=f"p{n}", view="NECK") for n in range(25)]
    read: list[str] = []
    monkeypatch.setattr(hot_folder, "waiting_records", lambda states, client: held)
    monkeypatch.setattr(hot_folder, "records_of_products", lambda client, products: [*held, *necks])
    monkeypatch.setattr(hot_folder, "_released", lambda shot: read.append(shot.shot) or [])
    seen: set[str] = set()
    for minute in range(3):
        at = datetime.fromtimestamp(60 * minute, UTC)
        monkeypatch.setattr(hot_folder, "now", lambda at=at: at)
        read.clear()
        release_holds.fn()
        assert read[:25] == [one.shot.shot for one in held[:25]]
        assert len(read) == 25 + hot_folder.OTHERS
        seen.update(read)
    assert seen == {one.shot.shot for one in held}


def test_a_name_that_the_client_s_pattern_does_not_read_waits_for_its_product(
    ghosts: Storage, batch: BatchId, tmp_path: Path
) -> None:
    """The question goes to the client; nothing is shipped under a SKU that somebody made up."""
    guide = tmp_path / "configs" / "clients" / f"{batch.client}.yaml"
    guide.write_text("title: Acme\nplatforms: [shopify]\nfile_name_pattern: '(?P<sku>EX-\\d{5})_(?P<view>MAIN)'\n")
    files = {"IMG_0815.jpg": photograph(radius_ratio=0.43), "EX-20331_MAIN.jpg": photograph(radius_ratio=0.41)}
    stock = submitted(batch, files)
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    shots = [route_shot.fn(one, group=groups[one.name]) for one in mastered]
    assert in_a_run(lambda: hold_back.fn(batch, shots)).on_hold == ("IMG_0815",)
    record = load_record(batch.shot("IMG_0815"))
    assert record.state is State.ON_HOLD
    assert record.fact("sku") == ""
    assert record.events[-1].why.startswith("Which product is on IMG_0815.jpg? The file's name does not say it")
    assert waiting_run_of(record.shot)
    assert load_record(batch.shot("EX-20331_MAIN")).fact("sku") == "EX-20331"

    assert not follow(
        record.shot, answer(record.shot, Choice.GO_ON, person="Stu Dio", note="a prop, goes on")
    ).objection
    released = load_record(record.shot)
    assert (released.state, released.fact("sku")) == (State.ROUTED, "")

    again = batch_id(batch.client, f"{batch.batch}-again")
    rows = "IMG_0815.jpg,EX-20400,,boxes,MAIN,shopify\n"
    named = submitted(again, {"IMG_0815.jpg": files["IMG_0815.jpg"]}, rows=rows)
    mastered = [master_shot.fn(ref, configs_fingerprint=named.configs_fingerprint) for ref in named.shots]
    shots = [route_shot.fn(one, group=group_shots.fn(again, mastered)[one.name]) for one in mastered]
    assert in_a_run(lambda: hold_back.fn(again, shots)).names == ()
    assert load_record(shots[0].shot).fact("sku") == "EX-20400"


def test_names_in_any_script_come_from_a_folder_through_the_night_s_listing_to_the_question(
    ghosts: Storage, batch: BatchId, tmp_path: Path
) -> None:
    guide = tmp_path / "configs" / "clients" / f"{batch.client}.yaml"
    guide.write_text("title: Acme\nplatforms: [shopify]\nfile_name_pattern: '(?P<sku>EX-\\d{5})_(?P<view>MAIN)'\n")
    folder = tmp_path / "photographs"
    for number, name in enumerate(ANY_SCRIPT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photograph(radius_ratio=0.43) + bytes(number))
    left_out: list[str] = []
    sent = submit_folder(
        folder, batch, on_progress=lambda *_: None, on_left_out=lambda name, why: left_out.append(name)
    )
    assert (sent, left_out) == (len(ANY_SCRIPT), [])
    assert batch in closed_batches.fn().batches

    create_batch(BatchRecord(batch=batch, received_at=now()))
    stock = take_stock.fn(batch)
    assert {unicodedata.normalize("NFC", one.path) for one in stock.shots} == {
        unicodedata.normalize("NFC", name) for name in ANY_SCRIPT
    }
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    shots = [route_shot.fn(one, group=groups[one.name]) for one in mastered]
    held = in_a_run(lambda: hold_back.fn(batch, shots)).on_hold
    assert len(set(held)) == len(ANY_SCRIPT)
    for ref in stock.shots:
        record = load_record(ref.shot)
        assert (record.state, record.fact("sku")) == (State.ON_HOLD, "")
        assert f"Which product is on {ref.path}?" in question_about(record).lead

    chinese = next(ref.shot for ref in stock.shots if ref.path == ANY_SCRIPT[0])
    given = answer(chinese, Choice.CORRECT, person="Stu Dio", new_name="EX-20400_MAIN.jpg", note="")
    assert not follow(chinese, given).objection
    assert (load_record(chinese).state, load_record(chinese).product) == (State.ROUTED, "EX-20400")


def unread(batch: BatchId, guide: Path, more: str = "") -> ShotRef:
    """A photograph on hold whose name its client's pattern does not read."""
    guide.write_text(
        f"title: Acme\nplatforms: [shopify]\nfile_name_pattern: '(?P<sku>EX-\\d{{5}})_(?P<view>MAIN|PT01|NECK)'\n{more}"
    )
    stock = submitted(batch, {"IMG_0815.jpg": photograph(radius_ratio=0.43)})
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    shots = [route_shot.fn(one, group=groups[one.name]) for one in mastered]
    assert in_a_run(lambda: hold_back.fn(batch, shots)).on_hold == ("IMG_0815",)
    return stock.shots[0]


def test_a_shot_goes_on_under_the_name_that_a_person_gives_and_keeps_it_when_it_is_mastered_again(
    ghosts: Storage, batch: BatchId, tmp_path: Path
) -> None:
    guide = tmp_path / "configs" / "clients" / f"{batch.client}.yaml"
    ref = unread(batch, guide)
    shot = ref.shot
    before = load_record(shot)
    wrong = answer(shot, Choice.CORRECT, person="Stu Dio", new_name="CUP_MAIN", note="")
    assert "reads no product from this name" in follow(shot, wrong).objection
    assert load_record(shot).state is State.ON_HOLD

    right = answer(shot, Choice.CORRECT, person="Stu Dio", new_name="EX-20400_PT01.jpg", note="")
    assert not follow(shot, right, question="run-2").objection
    record = load_record(shot)
    assert (record.state, record.product, record.fact("view")) == (State.ROUTED, "EX-20400", "PT01")
    assert record.facts["sku"].source == "person"
    assert (plan := plan_of(record)).view == "PT01"
    assert plan.fingerprint == record.plan_fingerprint != before.plan_fingerprint

    change_record(shot, lambda one: one.restart(at=now(), actor="Stu Dio", why="once more"))
    mastered = master_shot.fn(ref.model_copy(update={"generation": 1}), configs_fingerprint="")
    assert load_record(shot).product == "EX-20400"
    assert mastered.plan_fingerprint == record.plan_fingerprint


def test_a_shot_with_a_new_name_waits_on_for_what_its_product_now_lacks(
    ghosts: Storage, batch: BatchId, tmp_path: Path
) -> None:
    guide = tmp_path / "configs" / "clients" / f"{batch.client}.yaml"
    more = "default_category: clothing\nhandoff: {ghost_mannequin: true}\n"
    shot = unread(batch, guide, more).shot
    given = answer(shot, Choice.CORRECT, person="Stu Dio", new_name="EX-20400_MAIN", note="")
    assert not follow(shot, given).objection
    record = load_record(shot)
    assert (record.state, record.product) == (State.ON_HOLD, "EX-20400")
    assert record.events[-1].why.startswith("The neck shot of EX-20400 is missing")
    assert record.reports["hold"] == {"needs": ["neck_shot"]}
