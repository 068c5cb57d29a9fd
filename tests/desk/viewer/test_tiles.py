"""Tiles over HTTP: exactly the picture's pixels, for whoever knows its hash, made once."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from desk.pictures import previews
from desk.pictures.tile_cache import TileShelf
from desk.pictures.tiles import routes
from packshot.colour.transform import working_to_srgb8
from packshot.errors import DiskFullError
from packshot.ingest.shoot_groups import GroupDecision
from packshot.looking.overlays import Overlay
from packshot.looking.pack import Pack, Tile
from packshot.looking.pyramid import picture_pack
from packshot.naming import BatchId
from packshot.qc.white import find_off_white
from packshot.record import ShotRecord
from packshot.types import Pixels8
from tasks.environment.settings import Settings
from tasks.records.stored import change_record
from tests.desk.viewer.shots import HEIGHT, WIDTH, address, drawn, stored
from tests.small_disk import fill, make_room, small_disk


def picture(data: bytes) -> Pixels8:
    return np.asarray(Image.open(io.BytesIO(data)))


def overlays_of(client: TestClient, record: ShotRecord) -> str:
    return f"{address(record)}/{client.get(f'{address(record)}/overlays.json').json()['address']}"


@pytest.mark.parametrize(("kind", "file"), [("edit", "edit.tif"), ("master", "master.tif")])
def test_tiles_are_the_pixels_of_the_file(client: TestClient, batch: BatchId, kind: str, file: str) -> None:
    place = address(stored(batch), kind, file)
    layout = client.get(f"{place}/picture.json").json()
    assert (layout["width"], layout["height"], layout["levels"][-1]) == (WIDTH, HEIGHT, [WIDTH, HEIGHT])
    tile = picture(client.get(f"{place}/{len(layout['levels']) - 1}/1_1.webp").content)
    whole = working_to_srgb8(drawn().edit if kind == "edit" else drawn().master)
    np.testing.assert_array_equal(tile, whole[511:1025, 511:1025])


def test_tiles_may_be_kept_for_ever_by_one_browser_only(client: TestClient, batch: BatchId) -> None:
    answer = client.get(f"{address(stored(batch))}/0/0_0.webp")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/webp"


def test_an_address_with_another_hash_leads_nowhere(client: TestClient, batch: BatchId) -> None:
    record = stored(batch)
    right = record.objects["edit.tif"][:16]
    for wrong in (
        "0" * 16,
        right[:15],
        right + record.objects["edit.tif"][16],
        record.objects["master.tif"][:16],
        "%20",
    ):
        assert client.get(address(record).replace(right, wrong) + "/0/0_0.webp").status_code == 404


@pytest.mark.parametrize("shot", ["B2_MAIN", "..", "%2e%2e", "a%00b", "A1_MAIN%2F..%2FA1_MAIN"])
def test_another_shots_address_leads_nowhere(client: TestClient, batch: BatchId, shot: str) -> None:
    place = address(stored(batch)).replace("A1_MAIN", shot)
    assert client.get(f"{place}/picture.json").status_code == 404


@pytest.mark.parametrize("tile", ["0/1_0", "9/0_0", "2/3_0", "2/0_3", "0/-1_0"])
def test_a_tile_that_does_not_exist_leads_nowhere(client: TestClient, batch: BatchId, tile: str) -> None:
    assert client.get(f"{address(stored(batch))}/{tile}.webp").status_code == 404


def test_a_picture_that_was_replaced_is_gone_at_once_for_its_new_address_and_soon_for_the_old(
    client: TestClient, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = stored(batch)
    old = f"{address(record)}/picture.json"
    assert client.get(old).status_code == 200
    newer = {**record.objects, "edit.tif": record.objects["master.tif"]}
    changed = change_record(record.shot, lambda one: one.model_copy(update={"objects": newer}))
    assert changed.objects["edit.tif"] == record.objects["master.tif"]
    assert client.get(f"{address(changed)}/overlays.json").status_code == 200
    monkeypatch.setattr(previews, "RECORD_KEPT_S", 0.0)
    assert client.get(old).status_code == 404


def test_whoever_may_not_see_a_shot_gets_no_picture_of_it(client: TestClient, batch: BatchId) -> None:
    record = stored(batch)
    app = Starlette(routes=[Mount("/pictures", routes=routes(allows=lambda request, record: False))])
    assert TestClient(app).get(f"{address(record)}/picture.json").status_code == 404


def test_bytes_that_are_not_the_records_are_not_shown(client: TestClient, batch: BatchId) -> None:
    record = stored(batch)
    wrong = "f" * 64
    change_record(record.shot, lambda one: one.model_copy(update={"objects": {**one.objects, "edit.tif": wrong}}))
    answer = client.get(address(record).replace(record.objects["edit.tif"][:16], wrong[:16]) + "/picture.json")
    assert answer.status_code == 404
    assert "its record says" in answer.text


def test_tiles_are_made_ahead_and_then_are_there(client: TestClient, batch: BatchId) -> None:
    place = address(stored(batch))
    assert client.get(f"{place}/prefetch").status_code == 202
    assert client.get(f"{place}/0/0_0.webp").status_code == 200


def test_an_edits_off_white_pixels_are_counted_as_the_checker_counts_them(client: TestClient, batch: BatchId) -> None:
    edit, _, matte = drawn()
    place = f"{overlays_of(client, stored(batch))}/{Overlay.OFF_WHITE}"
    told = client.get(f"{place}/picture.json").json()
    counted = find_off_white(edit, matte == 0)
    assert (told["count"], told["compared"]) == (counted.count, counted.background)
    assert told["sentence"].startswith(f"{counted.count} background pixels are not exactly white")
    last = len(told["levels"]) - 1
    shown = 0
    for column in range(3):
        for row in range(3):
            data = client.get(f"{place}/{last}/{column}_{row}.webp").content
            tile = picture(data) if data.startswith(b"RIFF") else np.zeros((1, 1, 4), np.uint8)
            inside = tile[(1 if row else 0) :, (1 if column else 0) :][:512, :512]
            shown += int((inside[..., 3] > 0).sum())
    assert shown == counted.count


@pytest.mark.parametrize("overlay", list(Overlay))
def test_each_overlay_has_tiles_and_a_sentence(client: TestClient, batch: BatchId, overlay: Overlay) -> None:
    record = stored(batch)
    if overlay is Overlay.REFERENCE:
        record = change_record(record.shot, with_reference)
    place = f"{overlays_of(client, record)}/{overlay}"
    assert client.get(f"{place}/picture.json").json()["sentence"].endswith(".")
    assert client.get(f"{place}/0/0_0.webp").status_code == 200


def with_reference(record: ShotRecord) -> ShotRecord:
    """The shot with a reference that is a colour, as stage 2 states it."""
    group = GroupDecision(group="light 1", part="1", why="", reference="#5a783c", reference_lab=(47.0, -18.0, 29.0))
    return record.model_copy(update={"reports": {"group": group.model_dump(mode="json")}})


def test_the_colour_is_compared_with_the_reference_only_where_there_is_one(client: TestClient, batch: BatchId) -> None:
    record = stored(batch)
    without = overlays_of(client, record)
    assert Overlay.REFERENCE not in client.get(f"{address(record)}/overlays.json").json()["overlays"]
    assert client.get(f"{without}/{Overlay.REFERENCE}/picture.json").status_code == 404
    named = change_record(stored(batch, "B1_MAIN").shot, with_reference)
    assert client.get(f"{address(named)}/overlays.json").json()["overlays"][-1] == Overlay.REFERENCE
    told = client.get(f"{overlays_of(client, named)}/{Overlay.REFERENCE}/picture.json").json()
    assert "compared with the reference #5a783c without light and shade" in told["sentence"]
    assert told["count"] > 1000, "the drawn product has another colour"


def test_the_guides_are_those_of_the_plans_platforms(client: TestClient, batch: BatchId) -> None:
    told = client.get(f"{overlays_of(client, stored(batch))}/guides.json").json()
    assert [one["platform"] for one in told] == ["amazon_main", "shopify"]


def test_a_shot_without_a_matte_has_no_overlays(client: TestClient, batch: BatchId) -> None:
    record = stored(batch, without=frozenset({"matte.png"}))
    assert client.get(f"{address(record)}/overlays.json").json() == {"address": "", "overlays": []}


def test_overlays_have_addresses_that_change_with_what_they_are_made_of(client: TestClient, batch: BatchId) -> None:
    record = stored(batch)
    place = overlays_of(client, record)
    assert client.get(place[:-1] + ("0" if place[-1] != "0" else "1") + "/guides.json").status_code == 404
    assert client.get(f"{place}/sparkle/picture.json").status_code == 404


# The shelf

NAME = "0123456789abcdef-8"


def pack(side: int = 20) -> Pack:
    return picture_pack(np.full((side, side, 3), 60_000, np.uint16))


def test_however_many_ask_at_once_a_pack_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, made, begin = tmp_path_factory.mktemp("shelf"), [], threading.Barrier(6)

    def ask(_: int) -> bytes:
        shelf = TileShelf(folder, max_bytes=10**9)  # one for each, as in processes of their own
        begin.wait()
        shelf.make(NAME, lambda: made.append(1) or pack())  # type: ignore[func-returns-value]
        return shelf.tile(NAME, Tile(0, 0, 0))

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(ask, range(6)))) == 1
    assert made == [1]


def test_the_shelf_stays_below_its_size_and_removes_what_was_not_used_for_longest(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    size = len(pack().data)
    shelf = TileShelf(tmp_path_factory.mktemp("shelf"), max_bytes=3 * size)
    names = [f"{number:08x}-8" for number in range(8)]
    for age, name in enumerate(names):
        shelf.make(name, pack)
        os.utime(shelf.folder / f"{name}.tiles", (10**9 * 1.7 + age,) * 2)
        shelf.keep_s = 10**12
    kept = [name for name in names if (shelf.folder / f"{name}.tiles").exists()]
    assert kept == names[-3:]


def test_what_nobody_asked_for_in_a_day_is_removed_when_the_next_is_made(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    shelf = TileShelf(tmp_path_factory.mktemp("shelf"), max_bytes=10**9)
    shelf.make(NAME, pack)
    os.utime(shelf.folder / f"{NAME}.tiles", (1, 1))
    shelf.make("fedcba98-8", pack)
    assert [path.stem for path in shelf.folder.glob("*.tiles")] == ["fedcba98-8"]


def test_a_pack_that_could_not_be_made_leaves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    shelf = TileShelf(tmp_path_factory.mktemp("shelf"), max_bytes=10**9)

    def fails() -> Pack:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shelf.make(NAME, fails)
    assert not shelf.has(NAME)
    assert not [path for path in shelf.folder.iterdir() if not path.name.startswith(".lock")]


def test_a_full_disk_is_named_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        shelf = TileShelf(disk / "tiles", max_bytes=10**9)
        fill(disk)
        with pytest.raises(DiskFullError, match="tiles of a picture could not be written; found 0 MB free") as raised:
            shelf.make(NAME, lambda: pack(200))
        assert raised.value.subject == str(shelf.folder)
        assert not shelf.has(NAME)
        make_room(disk)
        shelf.make(NAME, lambda: pack(200))
        assert shelf.has(NAME)
        assert not list(shelf.folder.glob("*.part"))


def test_packs_can_be_read_by_their_user_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    shelf = TileShelf(tmp_path_factory.mktemp("shelf") / "tiles", max_bytes=10**9)
    shelf.make(NAME, pack)
    assert (shelf.folder.stat().st_mode & 0o777, (shelf.folder / f"{NAME}.tiles").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


@pytest.mark.parametrize("damage", ["cut off", "empty", "another head", "a changed byte", "an older form"])
def test_a_damaged_pack_is_made_anew(client: TestClient, batch: BatchId, s3_settings: Settings, damage: str) -> None:
    """Kind of test that was missing: one that spoils what lies on the disk."""
    place = address(stored(batch))
    described = client.get(f"{place}/picture.json").json()
    last = f"{place}/{len(described['levels']) - 1}/2_2.webp"
    whole = client.get(last).content
    (path,) = (s3_settings.scratch_dir / "tiles").glob("*.tiles")
    data = path.read_bytes()
    spoilt = {
        "cut off": data[:-10],
        "empty": b"",
        "another head": bytes(12) + data[12:],
        "a changed byte": data[:-1] + bytes([data[-1] ^ 1]),
        "an older form": data.replace(b"PKTILES2", b"PKTILES1"),
    }
    path.write_bytes(spoilt[damage])
    with TestClient(Starlette(routes=[Mount("/pictures", routes=routes())])) as restarted:
        for desk in (client, restarted):
            assert desk.get(last).content == whole
            assert desk.get(f"{place}/picture.json").json() == described
    assert path.read_bytes() == data
