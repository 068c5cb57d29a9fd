"""Client's eyes: what a share link opens, for how long, what it shows, and what never."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.routing import Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

from deployments.commands.deliveries import commands
from deployments.demo import environment
from desk.access.attempts import Attempts
from desk.access.roles import Role
from desk.app import application, routes
from desk.pages import shared
from desk.state import Desk
from desk.work.delivered import File, Picture, Sight, seen_file, sight_of
from packshot.decision import Choice, ColourWord, Reason
from packshot.errors import TerminalError
from packshot.keys import shares_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import State
from packshot.types import Box, Size
from tasks.batches.approved import approved_shots
from tasks.deliveries import share_links
from tasks.deliveries.delivering import deliver
from tasks.deliveries.share_links import Shared, form_token, links_of, read_token, share, token_of, unshare
from tasks.people.jobs import open_waiting_run
from tasks.records.stored import load_record
from tasks.runs.resuming import waiting_run_of
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import Storage
from tests.desk.access.test_roles import MAY
from tests.desk.pages.test_decisions import sent_to
from tests.desk.people import PASSWORD, Browser, said_on
from tests.tasks.by_people import answer, cut_out_by_hand, follow, put_back
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import approved

AT = "http://127.0.0.1:4280"
EDITOR, SENIOR = "Ada Lovelace", "Sen Ior"
INTERNAL = (
    *("score", "finding", "gate", "flow run", "verdict", "matte", "halo", "master", "delta e", "u2net", "pipeline"),
    *("leftover_", "below_recommended", "machine", "editor", "senior", "reviewer", "awaiting", "route", "audit"),
)
"""Words of the line that mean nothing to a client, or are none of their business."""


class Guest:
    """Somebody without an account, who may have a link."""

    def __init__(self, desk: Desk, link: str = "") -> None:
        self.client = TestClient(application(desk), base_url=AT, follow_redirects=False)
        self.link = link

    def get(self, path: str = "") -> httpx.Response:
        answered: httpx.Response = self.client.get(f"/shared/{self.link}{path}", headers={"accept": "text/html"})
        return answered

    def sends_back(self, file: File, **fields: str) -> httpx.Response:
        shown = self.get(f"/{file.digest}").text
        opened = read_token(self.link)
        before = form_token(opened) if opened else ""
        (form,) = re.findall(r'name="form" value="([^"]+)"', shown) or [before]  # of a page that was opened before
        given = {"form": form, "reason": "edge", "note": "the rim is bitten", "marks": "", **fields}
        answered: httpx.Response = self.client.post(f"/shared/{self.link}/{file.digest}/send-back", data=given)
        return answered


@pytest.fixture(scope="module")
def out(line_environment: dict[str, str], nobody_takes_runs: None) -> Iterator[BatchId]:
    """A delivered batch of some pictures, each with three files; an editor made one of them."""
    batch = batch_id("acme", f"shared-{uuid.uuid4().hex[:8]}")
    with environment(line_environment):
        for one in approved(
            batch, dict.fromkeys(("A1", "B1", "C1", "D1", "E1"), 0.43), platforms="amazon_main,shopify"
        ):
            export_shot.fn(one)
        assert deliver.fn(batch, only=["A1", "B1", "C1", "D1", "E1"]).sentence.startswith("delivery 1: 5 shots")
        yield batch


@pytest.fixture
def sight(line: Storage, out: BatchId) -> Sight:
    return sight_of(out, 1)


@pytest.fixture
def guest(sight: Sight, desk: Desk) -> Guest:
    """Somebody with a link to the delivery."""
    return Guest(desk, share(sight.batch, 1, by="a test")[1])


def of(sight: Sight, name: str) -> tuple[Picture, File]:
    picture = next(one for one in sight.pictures if one.shot == name)
    return picture, next(one for one in picture.files if one.path.startswith("shopify/") and one.path.endswith(".jpg"))


# --- what is shown


def test_the_link_opens_all_pictures_of_its_delivery_with_their_files(guest: Guest, sight: Sight) -> None:
    shown = guest.get()
    assert shown.status_code == 200
    words = said_on(shown.text)
    assert "Delivery 1" in words
    assert "5 pictures in 15 files" in words
    for picture, file in sight.files:
        assert picture.name in words
        assert f"/{file.digest}" in shown.text
        page = guest.get(f"/{file.digest}")
        assert page.status_code == 200
        assert file.name in said_on(page.text)
        assert f"{file.size.width} x {file.size.height} px" in said_on(page.text)


def test_the_viewer_gets_the_pixels_of_the_delivered_file(guest: Guest, sight: Sight, line: Storage) -> None:
    for _, file in [one for one in sight.files if one[0].shot == "A1"]:
        told = guest.get(f"/{file.digest}/tiles/picture.json").json()
        assert (told["width"], told["height"]) == tuple(file.size)
        expected = np.asarray(Image.open(io.BytesIO(line.get(file.key))).convert("RGB"))
        level = len(told["levels"]) - 1
        tile = guest.get(f"/{file.digest}/tiles/{level}/0_0.webp")
        seen = np.asarray(Image.open(io.BytesIO(tile.content)))
        assert np.array_equal(seen, expected[: seen.shape[0], : seen.shape[1]]), file.path
        assert guest.get(f"/{file.digest}/tiles/{level}/99_0.webp").status_code == 404


def test_small_pictures_are_of_the_file_also_when_the_shot_has_newer_ones(
    guest: Guest, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = of(sight, "A1")
    first = guest.get(f"/{file.digest}/small.webp")
    assert first.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(first.content)).size) <= 400
    monkeypatch.setattr("desk.work.delivered._has", lambda record, file: False)
    assert guest.get(f"/{file.digest}/small.webp").content == first.content


def test_each_file_is_downloaded_by_a_link_of_some_minutes_and_all_in_one_zip(
    guest: Guest, sight: Sight, line: Storage
) -> None:
    _, file = of(sight, "A1")
    leads = guest.get(f"/{file.digest}/file")
    assert leads.status_code == 303
    assert f"X-Amz-Expires={shared.FILE_LINK_S}" in leads.headers["location"]
    got = httpx.get(leads.headers["location"])
    assert hashlib.sha256(got.content).hexdigest() == file.sha256
    assert file.name in got.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(guest.get("/all.zip").content)) as archive:
        assert {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()} == {
            one.path: one.sha256 for _, one in sight.files
        }


def test_no_page_says_a_word_of_the_line(guest: Guest, sight: Sight, desk: Desk) -> None:
    """Also of a correction, which people have made, and in every state that a page can show."""
    _, file = of(sight, "A1")
    shot = sight.batch.shot("A1")
    assert guest.sends_back(file).status_code == 303
    waits = guest.get(f"/{file.digest}").text
    put_back(shot, "better.png", cut_out_by_hand())
    returned = answer(shot, Choice.RETURN, person=EDITOR, returned_file="better.png")
    assert not in_a_run(lambda: follow(shot, returned, question="run-1")).objection
    signed = answer(shot, Choice.SIGN, person=SENIOR, colour=ColourWord.NOT_COMPARED)
    assert not follow(shot, signed, question="run-2").objection
    for one in approved_shots.fn(sight.batch, only=["A1"]):
        export_shot.fn(one)
    assert deliver.fn(sight.batch, only=["A1"]).sentence.startswith("delivery 2: 1 shot")
    again = Guest(desk, share(sight.batch, 2, by="Max Manager")[1])
    corrected = again.get()
    assert "Corrects the picture of delivery 1." in said_on(corrected.text)
    first = guest.get(f"/{file.digest}").text
    assert "Corrected in delivery 2." in said_on(first)
    assert "Send this picture back" not in said_on(first)
    _, newest = sight_of(sight.batch, 2).files[0]
    pages = [waits, corrected.text, first, guest.get().text, again.get(f"/{newest.digest}").text]
    for text in pages:
        shown = said_on(re.sub(r"/shared/[^\"' ?]+", "", text)).lower()
        assert not [
            word for word in (*INTERNAL, EDITOR.lower(), SENIOR.lower(), "max manager", "birch") if word in shown
        ]
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", shown), "the id of a run"
    assert guest.get(f"/{newest.digest}").status_code == 404, "a link opens one delivery"


# --- for how long, and for whom


def test_an_expired_link_opens_nothing_and_says_what_to_do(
    guest: Guest, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = of(sight, "B1")
    later = datetime.now(UTC) + timedelta(days=share_links.USUAL_DAYS, seconds=1)
    monkeypatch.setattr("desk.pages.shared.now", lambda: later)
    for path in ADDRESSES:
        answered = guest.get(path.format(digest=file.digest))
        assert answered.status_code == 410, path
        assert "This link has expired. Ask whoever sent it to you for a new one." in said_on(answered.text)
        assert sight.batch.batch not in answered.text.replace(guest.link, "")
    assert guest.client.post(f"/shared/{guest.link}/{file.digest}/send-back", data={}).status_code == 410


def test_a_withdrawn_link_opens_nothing_and_a_new_one_does(guest: Guest, sight: Sight, desk: Desk) -> None:
    _, file = of(sight, "B1")
    assert guest.get().status_code == 200
    assert unshare(sight.batch, 1, by="Max Manager") >= 1
    for path in ("", f"/{file.digest}", f"/{file.digest}/file", "/all.zip"):
        answered = guest.get(path)
        assert answered.status_code == 410, path
        assert "This link was withdrawn." in said_on(answered.text)
    assert guest.sends_back(file).status_code == 410
    assert guest.get(f"/{file.digest}/tiles/picture.json").status_code == 410
    assert Guest(desk, share(sight.batch, 1, by="a test")[1]).get().status_code == 200
    assert unshare(sight.batch, 1, by="a test") == 1


ADDRESSES = (
    "",
    "/all.zip",
    "/{digest}",
    "/{digest}/small.webp",
    "/{digest}/file",
    "/{digest}/tiles/picture.json",
    "/{digest}/tiles/0/0_0.webp",
)
"""Every address that a link opens, but the one that sends a picture back."""


def test_the_list_of_these_addresses_has_every_one() -> None:
    own = [one for one in routes() if isinstance(one, Route) and one.path.startswith("/shared/{token}")]
    for route in own:
        if "POST" in (route.methods or ()):
            assert route.path.endswith("/send-back")
        else:
            assert any(route.path_regex.match(f"/shared/x{path.format(digest='0' * 16)}") for path in ADDRESSES), (
                route.path
            )


def test_whoever_has_a_link_gets_its_addresses_and_none_of_the_desk(guest: Guest, sight: Sight) -> None:
    _, file = of(sight, "B1")
    for path in ADDRESSES:
        assert guest.get(path.format(digest=file.digest)).status_code in (200, 303), path
    for method, address in MAY:
        answered = guest.client.request(method, address, headers={"accept": "image/webp"})
        assert answered.status_code == 401, (method, address)


@pytest.mark.parametrize("role", Role)
def test_an_account_alone_opens_no_shared_address(desk: Desk, sight: Sight, role: Role) -> None:
    _, file = of(sight, "B1")
    desk.accounts.add("Any Body", {role}, PASSWORD)
    browser = Browser(TestClient(application(desk), base_url=AT, follow_redirects=False)).signed_in("Any Body")
    for path in ADDRESSES:
        assert browser.get(f"/shared/nothing{path.format(digest=file.digest)}").status_code == 404, path


def test_no_token_opens_anything_that_the_line_has_not_signed(guest: Guest, sight: Sight, desk: Desk) -> None:
    said, _, signed = guest.link.partition(".")
    other = share(sight.batch, 1, by="a test")[1]
    shared_ = read_token(guest.link)
    assert shared_
    (link,) = [one for one in links_of(sight.batch, 1) if one.id == shared_.id]
    longer = token_of(sight.batch, 1, link.model_copy(update={"expires_at": link.expires_at + timedelta(days=99)}))
    forged = [
        *(
            said[:place] + ("A" if said[place] != "A" else "B") + said[place + 1 :] + "." + signed
            for place in (0, 5, 20)
        ),
        *(
            f"{said}.{signed[:place]}{'A' if signed[place] != 'A' else 'B'}{signed[place + 1 :]}"
            for place in (0, 9, 30)
        ),
        f"{other.partition('.')[0]}.{signed}",
        f"{longer.partition('.')[0]}.{signed}",
        *(said, f"{said}.", f".{signed}", f"{said}..{signed}", guest.link + "=", f"{said}.{'é' * 4}", "..%2f..", "%00"),
    ]
    for token in forged:
        desk.guests.unknown = Attempts()
        assert Guest(desk, token).get().status_code == 404, token
    unknown = Shared(sight.batch, 1, "0" * 16, link.expires_at)
    assert Guest(desk, token_of(sight.batch, 1, link.model_copy(update={"id": unknown.id}))).get().status_code == 410


def test_guessing_is_slowed_and_whoever_has_a_link_does_not_notice(guest: Guest, desk: Desk) -> None:
    stranger = Guest(desk, "guessed.token")
    answers = [stranger.get().status_code for _ in range(40)]
    assert answers[:20] == [404] * 20
    assert answers[-1] == 429
    assert guest.get().status_code == 200


def test_every_answer_has_the_headers_and_no_search_engine_keeps_it(guest: Guest, sight: Sight) -> None:
    _, file = of(sight, "B1")
    for path in ("", f"/{file.digest}", "/nothing", f"/{file.digest}/small.webp"):
        headers = guest.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin", "the storage never learns the address"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["cache-control"].startswith("private" if path.endswith("webp") else "no-store")


def test_a_link_lasts_no_longer_than_allowed_and_only_for_what_was_delivered(sight: Sight) -> None:
    for days in (0, share_links.LONGEST_DAYS + 1):
        with pytest.raises(TerminalError, match="cannot last so long"):
            share(sight.batch, 1, days=days, by="a test")
    with pytest.raises(TerminalError, match="there is no such delivery"):
        share(sight.batch, 99, by="a test")


def test_what_is_kept_of_a_link_opens_nothing(guest: Guest, sight: Sight, line: Storage) -> None:
    """Whoever reads the bucket has no link: the line's key is not there."""
    assert guest.link not in line.get(shares_key(sight.batch, 1)).decode()
    assert guest.link.partition(".")[2] not in line.get(shares_key(sight.batch, 1)).decode()


# --- sending a picture back


def test_a_picture_comes_back_with_the_client_s_words_and_place(
    guest: Guest, sight: Sight, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    _, file = of(sight, "C1")
    shot, marks = sight.batch.shot("C1"), '[{"x": 10, "y": 20, "width": 100, "height": 50}]'
    with caplog.at_level(logging.INFO):
        sent = guest.sends_back(file, marks=marks)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/shared/{guest.link}/{file.digest}?sent")
        again = guest.sends_back(file, reason="colour", note="too red")
    assert again.status_code == 303
    shown = said_on(guest.get(f"/{file.digest}?sent").text)
    assert "Thank you." in shown
    assert "It is being corrected, and comes in a later delivery." in shown
    record = load_record(shot)
    (told,) = record.decisions
    assert record.state is State.AWAITING_EDITOR
    assert (told.by, told.note, told.reason, len(told.marks)) == ("client acme", "the rim is bitten", Reason.EDGE, 1)
    audited = [one.getMessage() for one in caplog.records if one.name == "packshot.desk.audit"]
    assert any("client sent a picture back" in one and str(shot) in one for one in audited)
    ours = [one.getMessage() for one in caplog.records if one.name != "httpx"]  # the browser of the test
    assert not [one for one in ours if guest.link[:60] in one], "the token is in no log"


def test_a_client_reads_our_answer_where_the_picture_was_sent_back(
    guest: Guest, sight: Sight, desk: Desk, browse: Callable[[str], Browser]
) -> None:
    _, file = of(sight, "B1")
    shot = sight.batch.shot("B1")
    assert guest.sends_back(file).status_code == 303
    in_a_run(lambda: open_waiting_run(load_record(shot), generation=7, category="boxes"))
    desk.waiting.refresh()
    run = waiting_run_of(shot)
    assert "no fault of ours" not in browse("Edi Tor").page_of(shot), "an editor does not answer a client"
    assert "Edi Tor has this shot open." in said_on(
        browse("Sen Ior").decide(shot, "no fault of ours", "as_ordered", note="It is so.").text
    )
    desk.claims.release("Edi Tor")
    senior = browse("Sen Ior")
    choice = "no fault of ours"
    silent = senior.decide(shot, choice, "as_ordered")
    assert "the client must be told why" in said_on(silent.text)
    assert senior.decide(shot, choice, "as_ordered", note="The strap <belongs> to the bag.").status_code == 303
    desk.outbox.tick(at_once=True)
    assert not in_a_run(lambda: follow(shot, sent_to(shot, run))).objection
    assert load_record(shot).state is State.DELIVERED
    page = guest.get(f"/{file.digest}").text
    assert "it stays as it is: The strap <belongs> to the bag." in unescape(page)
    assert "<belongs>" not in page
    assert "Sen Ior" not in page
    assert 'id="send-back"' not in page


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"reason": ""}, 409, shared.NO_REASON),
        ({"reason": "meets_standard"}, 409, shared.NO_REASON),
        ({"note": " "}, 409, shared.NOTHING_SAID),
        (
            {"reason": "other", "note": "", "marks": '[{"x": 1, "y": 1, "width": 9, "height": 9}]'},
            409,
            shared.OTHER_WORDS,
        ),
        ({"marks": "[" * 9000}, 400, "The marks cannot be read."),
        ({"marks": '[{"x": "nan", "y": 0, "width": 1, "height": 1}]'}, 400, "The marks cannot be read."),
        ({"marks": "{}"}, 400, "The marks cannot be read."),
        ({"form": "x"}, 403, "This page is no longer valid."),
        ({"form": ""}, 403, "This page is no longer valid."),
    ],
)
def test_what_a_page_cannot_have_sent_changes_nothing(
    guest: Guest, sight: Sight, fields: dict[str, str], status: int, words: str
) -> None:
    _, file = of(sight, "D1")
    answered = guest.sends_back(file, **fields)
    assert answered.status_code == status
    assert words in said_on(answered.text)
    assert load_record(sight.batch.shot("D1")).state is State.DELIVERED


def test_another_site_s_page_and_another_link_s_form_send_nothing_back(guest: Guest, sight: Sight, desk: Desk) -> None:
    _, file = of(sight, "D1")
    address = f"/shared/{guest.link}/{file.digest}/send-back"
    shared_ = read_token(guest.link)
    assert shared_
    given = {"form": form_token(shared_), "reason": "edge", "note": "x"}
    assert guest.client.post(address, data=given, headers={"origin": "https://elsewhere.example"}).status_code == 403
    other = read_token(share(sight.batch, 1, by="a test")[1])
    assert other
    assert guest.client.post(address, data={**given, "form": form_token(other)}).status_code == 403
    assert load_record(sight.batch.shot("D1")).state is State.DELIVERED


def test_a_picture_that_changed_meanwhile_is_not_sent_back(
    guest: Guest, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = of(sight, "D1")
    stale = file._replace(sha256="0" * 64)
    monkeypatch.setattr("desk.work.delivered.seen_file", lambda number, one: seen_file(number, stale))
    answered = guest.sends_back(file)
    assert answered.status_code == 409
    assert shared.CHANGED in said_on(answered.text)
    assert "awaiting" not in answered.text


def test_a_line_that_is_away_is_said_and_nothing_counts_twice(
    guest: Guest, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = of(sight, "E1")

    def away(shot: ShotId, *args: object) -> None:
        raise httpx.ConnectError("nobody there")

    with monkeypatch.context() as cut:
        cut.setattr("desk.pages.shared.send_back", away)
        answered = guest.sends_back(file)
        assert answered.status_code == 503
        assert shared.AWAY in said_on(answered.text)
        assert "the rim is bitten" in answered.text, "what was written is still there"
    assert guest.sends_back(file).status_code == 303
    assert len(load_record(sight.batch.shot("E1")).decisions) == 1


def test_one_link_sends_back_at_a_pace(guest: Guest, sight: Sight, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, file = of(sight, "D1")
    monkeypatch.setattr("desk.pages.shared.send_back", lambda *args: None)
    answers = [guest.sends_back(file).status_code for _ in range(32)]
    assert answers[0] == 303
    assert answers[-1] == 429


# --- managers


def test_a_manager_makes_links_at_the_desk_and_withdraws_them(
    browse: Callable[[str], Browser], sight: Sight, desk: Desk
) -> None:
    unshare(sight.batch, 1, by="a test")
    manager = browse("Max Manager")
    address = f"/deliveries/{sight.batch}"
    assert address in manager.get("/deliveries").text
    assert manager.post(f"{address}/1/share", days="7").status_code == 303
    shown = manager.get(address).text
    links = re.findall(r'value="http://127.0.0.1:4280/shared/([^"]+)"', shown)
    (link,) = [one for one in links if (opened := read_token(one)) and opened.number == 1]
    assert Guest(desk, link).get().status_code == 200
    assert "Max Manager" in said_on(shown)
    assert manager.post(f"{address}/1/unshare").status_code == 303
    assert Guest(desk, link).get().status_code == 410
    assert "withdrawn by Max Manager" in said_on(manager.get(address).text)
    assert "cannot last so long" in said_on(manager.post(f"{address}/1/share", days="365").text)
    assert "there is no such delivery" in said_on(manager.post(f"{address}/99/share", days="7").text)
    assert manager.get("/deliveries/acme/nothing").status_code == 404


def test_the_command_line_prints_a_link_that_opens_and_withdraws_it(
    sight: Sight, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_DESK_PUBLIC_URL", "https://desk.example.com/")
    named = ["--client", sight.batch.client, "--batch", sight.batch.batch, "--number", "1"]
    made = CliRunner().invoke(commands(), ["share", *named, "--days", "3", "--json"])
    assert made.exit_code == 0, made.output
    link = json.loads(made.output)["link"]
    assert link.startswith("https://desk.example.com/shared/")
    guest = Guest(desk, link.rpartition("/")[2])
    assert guest.get().status_code == 200
    gone = CliRunner().invoke(commands(), ["unshare", *named])
    assert "withdrawn" in gone.output
    assert guest.get().status_code == 410


def test_a_shared_page_is_a_guest_s_also_for_who_is_signed_in(browse: Callable[[str], Browser], guest: Guest) -> None:
    shown = browse("Max Manager").get(f"/shared/{guest.link}").text
    assert "Max Manager" not in shown
    assert "Sign out" not in shown


def test_places_are_kept_within_the_file() -> None:
    size = Size(300, 200)
    drawn = '[{"x": -5, "y": 1e9, "width": 1e9, "height": 3}]'
    assert shared._boxes(drawn, size) == (Box(0, 199, 300, 200),)
