"""What each platform would get of an edit, before it is signed off: the exporter's own bytes, stored nowhere."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from desk.state import Desk
from packshot import pipeline
from packshot.export.labels import labels_of
from packshot.ingest.master import read_master
from packshot.keys import shots_prefix
from packshot.naming import ShotId
from tasks.records.stored import change_record, load_record
from tasks.stages import stored_edits
from tasks.storage import shot_objects
from tasks.storage.bucket import Storage
from tests.chromium import needs_chromium
from tests.desk.people import Browser, said_on
from tests.desk.serving import At
from tests.desk.test_accessibility import violations
from tests.often import few_often

Browse = Callable[[str], Browser]


def exported(shot: ShotId) -> bytes:
    """The file that the export makes of the shot's edit."""
    record = load_record(shot)
    plan = shot_objects.plan_of(record)
    made = pipeline.export(
        read_master(shot_objects.fetch(record, "edit.tif")),
        stored_edits.read_matte(shot_objects.fetch(record, "matte.png")),
        plan,
        known=stored_edits.known_of(record),
        labels=labels_of(plan, stored_edits.metadata_of(record)),
    )
    return made.verified[0].rendered.encoded.data


def test_the_page_shows_the_export_s_own_file_pixel_by_pixel_and_writes_nothing(
    line: Storage, browse: Browse, for_review: list[ShotId], desk: Desk
) -> None:
    desk.waiting.refresh()
    shot, browser = for_review[0], browse("Rea Viewer")
    there = {one.key: one.etag for one in line.list(shots_prefix(shot.in_batch))}
    (link,) = re.findall(r'href="(/shots/[^"?]+/as-delivered/shopify)', browser.page_of(shot))
    page = browser.get(link)
    data = exported(shot)
    with Image.open(io.BytesIO(data)) as picture:
        expected = np.asarray(picture.convert("RGB"))
    height, width = expected.shape[:2]
    words = said_on(page.text)
    assert f"JPEG, {width} x {height} px" in words
    assert "It passes every check of a delivered file." in words
    assert re.search(r"<details><summary>\d+ remarks?</summary>", page.text), "what passes is folded"

    (base,) = re.findall(r'data-base="([^"]+)"', page.text)
    told = browser.get(f"{base}/picture.json").json()
    assert (told["width"], told["height"]) == (width, height)
    level = len(told["levels"]) - 1
    tile = browser.get(f"{base}/{level}/0_0.webp")
    with Image.open(io.BytesIO(tile.content)) as shown:
        pixels = np.asarray(shown.convert("RGB"))
    assert np.array_equal(pixels, expected[: pixels.shape[0], : pixels.shape[1]])
    assert {one.key: one.etag for one in line.list(shots_prefix(shot.in_batch))} == there


@pytest.mark.parametrize("of", ["key", "platform"])
def test_an_address_that_nobody_was_given_opens_nothing(
    browse: Browse, for_review: list[ShotId], desk: Desk, of: str
) -> None:
    desk.waiting.refresh()
    other = hashlib.sha256(b"other").hexdigest()[:32]
    rest = {"key": f"shopify/{other}-as-delivered/picture.json", "platform": "ebay"}[of]
    assert browse("Rea Viewer").get(f"/shots/{for_review[0]}/as-delivered/{rest}").status_code == 404


def test_a_blind_review_and_an_editor_have_none(browse: Browse, for_review: list[ShotId], desk: Desk) -> None:
    shot = for_review[0]
    address = f"/shots/{shot}/as-delivered/shopify"
    assert browse("Edi Tor").get(address).status_code == 403
    change_record(shot, lambda one: one.model_copy(update={"reports": {**one.reports, "audit": {"chosen": True}}}))
    reviewer = browse("Rea Viewer")
    assert "as-delivered" not in reviewer.page_of(shot)
    assert reviewer.get(address).status_code == 404


@needs_chromium
@pytest.mark.parametrize("ratio", few_often([2, 1], 1))
def test_a_senior_looks_at_it_in_full_size_and_comes_back_by_keyboard(
    for_review: list[ShotId], desk: Desk, at: At, ratio: int
) -> None:
    desk.waiting.refresh()
    senior = at("Sen Ior", device_scale_factor=ratio).open(f"/shots/{for_review[0]}")
    with senior.page.expect_navigation():
        senior.page.get_by_role("link", name="Shopify").click()
    senior.until("window.packshotViewer !== undefined")
    senior.page.evaluate("window.packshotViewer.whenSharp()")
    assert violations(senior) == []
    senior.page.keyboard.press("z")
    senior.page.evaluate("window.packshotViewer.whenSharp()")
    with senior.page.expect_navigation():
        senior.page.keyboard.press("Escape")
    senior.page.wait_for_selector(f"h1:has-text('{for_review[0].shot}')")
