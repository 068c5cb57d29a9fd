"""A shot on hold in Chromium: somebody who knows what it shows names it by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo import environment
from desk.state import Desk
from packshot.naming import BatchId, ShotId
from packshot.record import State
from packshot.specs.load import default_folder
from tasks.people.holds import hold_back
from tasks.records.stored import load_record
from tasks.runs.resuming import waiting_run_of
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import Storage
from tests.chromium import needs_chromium
from tests.desk.pages.test_decisions import sent_to
from tests.desk.serving import At
from tests.tasks.by_people import follow
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import photograph, submitted

pytestmark = needs_chromium


@pytest.fixture
def unread(line: Storage, batch: BatchId, tmp_path: Path) -> Iterator[ShotId]:
    """A photograph whose name its client's pattern does not read; another one of the batch has a right name."""
    configs = tmp_path / "configs"
    shutil.copytree(default_folder(), configs)
    (configs / "clients" / f"{batch.client}.yaml").write_text(
        "title: Acme\nplatforms: [shopify]\nfile_name_pattern: '^(?P<sku>EX-\\d{5})_(?P<view>MAIN|PT01)$'\n"
    )
    with environment({"PACKSHOT_CONFIGS": str(configs)}):
        files = {"EX-20331_MAIN.jpg": photograph(radius_ratio=0.41), "IMG_0815.jpg": photograph(radius_ratio=0.43)}
        stock = submitted(batch, files)
        mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
        groups = group_shots.fn(batch, mastered)
        shots = [route_shot.fn(one, group=groups[one.name]) for one in mastered]
        assert in_a_run(lambda: hold_back.fn(batch, shots)).on_hold == ("IMG_0815",)
        yield batch.shot("IMG_0815")


def test_a_manager_names_a_photograph_by_keyboard_and_a_wrong_name_is_explained_and_kept(
    desk: Desk, unread: ShotId, at: At
) -> None:
    desk.waiting.refresh()
    run = waiting_run_of(unread)
    person = at("Max Manager").open(f"/shots/{unread}")
    page = person.page
    assert "as in EX-20331_MAIN.jpg" in page.locator("#offer-2").text_content()
    assert "The file's name is IMG_0815.jpg." in page.locator("aside").inner_text()
    page.keyboard.press("c")
    assert person.focused() == "new_name"
    page.keyboard.type("1 cup")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.wait_for_selector("text=Your decision did not count.")
    said = page.locator("aside").get_by_role("alert").first.inner_text()  # the viewer has one of its own
    assert said.startswith("Your decision did not count.")
    assert "the client's pattern reads no product from this name; found '1 cup'" in said
    page.keyboard.press("c")
    assert page.locator("input[name=new_name]").input_value() == "1 cup"
    page.keyboard.press("Control+a")
    page.keyboard.type("EX-20400_PT01")
    with page.expect_navigation():
        page.keyboard.press("Enter")
        page.keyboard.press("1")
    assert "corrected" in page.locator("#undo").inner_text()
    desk.outbox.tick(at_once=True)
    assert not in_a_run(lambda: follow(unread, sent_to(unread, run))).objection
    record = load_record(unread)
    assert (record.state, record.product, record.fact("view")) == (State.ROUTED, "EX-20400", "PT01")
    assert (record.decisions[-1].by, record.decisions[-1].verified) == ("Max Manager", True)
    person.complaints[:] = [one for one in person.complaints if "409" not in one]  # the refusal's own status
