"""An editor's work at the desk, on a real storage and Prefect; nobody takes the runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from desk.access.roles import Role
from desk.state import Desk
from desk.work.waiting import waiting
from packshot.decision import Choice, Decision, Reason
from packshot.handoff.deciding import taken_by
from packshot.keys import job_out_key, job_returned_prefix
from packshot.naming import ShotId
from packshot.record import State
from tasks.environment.style_guides import promise_shown
from tasks.people.job_commands import first_time_rates
from tasks.people.uploads import KEPT, abort_broken_off
from tasks.records.bookkeeping import now
from tasks.records.stored import load_record
from tasks.runs.resuming import waiting_run_of
from tasks.storage.bucket import Storage
from tests.desk.conftest import MARKS
from tests.desk.pages.test_decisions import sent_to
from tests.desk.people import LEAST_PART_BYTES, PASSWORD, Browser, in_three_parts, picture_on, said_on
from tests.tasks.by_people import another_product_by_hand, answer, cut_out_by_hand, follow
from tests.tasks.in_runs import in_a_run

Browse = Callable[[str], Browser]


@pytest.fixture
def job(desk: Desk, for_editor: ShotId) -> ShotId:
    desk.waiting.refresh()
    return for_editor


@pytest.fixture
def mine(browse: Browse, job: ShotId) -> Browser:
    """Edi Tor's browser, with the job taken."""
    browser = browse("Edi Tor")
    assert browser.post(f"/shots/{job}/job/take").status_code == 303
    return browser


def begin(browser: Browser, job: ShotId, data: bytes, name: str = "E1.png", changed: str = "1") -> dict[str, Any]:
    answer = browser.post(f"/shots/{job}/job/upload", name=name, size=str(len(data)), changed=changed)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def put(begun: dict[str, Any], data: bytes, *numbers: int) -> None:
    """Put parts straight to the storage, as the page does; no number means all that are missing."""
    size = begun["part_bytes"]
    for number in numbers or map(int, begun["links"]):
        link = begun["links"][str(number)]
        sent = httpx.put(link, content=data[(number - 1) * size : number * size])
        assert sent.status_code == 200, sent.text


def bring(browser: Browser, job: ShotId, data: bytes, name: str = "E1.png") -> bool:
    put(begin(browser, job, data, name), data)
    answer = browser.post(f"/shots/{job}/job/check")
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["passed"])


def test_a_job_is_taken_in_the_account_s_name_and_given_back(browse: Browse, job: ShotId, desk: Desk) -> None:
    browser = browse("Edi Tor")
    assert "Nobody has taken this job." in said_on(browser.page_of(job))
    browser.post(f"/shots/{job}/job/take")
    record = load_record(job)
    assert (taken_by(record), record.decisions[-1].verified) == ("Edi Tor", True)
    assert "You have this job." in said_on(browser.page_of(job))
    assert "Edi Tor" in said_on(browse("Sen Ior").get("/queues/editor-jobs").text)
    browser.post(f"/shots/{job}/job/give-back")
    assert taken_by(load_record(job)) == ""
    assert "Nobody has taken this job." in said_on(browser.page_of(job))


def test_nobody_takes_another_s_job_over_but_a_senior_gives_it_back(
    browse: Browse, mine: Browser, job: ShotId, desk: Desk
) -> None:
    desk.accounts.add("Ada Editor", {Role.EDITOR}, PASSWORD)
    ada = browse("Ada Editor")
    assert "somebody else has this job" in ada.post(f"/shots/{job}/job/take").text
    assert ada.post(f"/shots/{job}/job/give-back").status_code == 403
    assert ada.post(f"/shots/{job}/job/upload", name="a.png", size="9").status_code == 409
    assert browse("Sen Ior").post(f"/shots/{job}/job/give-back").status_code == 303
    assert ada.post(f"/shots/{job}/job/take").status_code == 303
    assert taken_by(load_record(job)) == "Ada Editor"


def test_one_zip_has_all_that_the_job_needs(line: Storage, browse: Browse, job: ShotId) -> None:
    answer = browse("Edi Tor").get(f"/shots/{job}/job/files.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"ticket.html", "ticket.json", "master.tif", "draft.tif"}
        for name in archive.namelist():
            assert archive.read(name) == line.get(job_out_key(job, name))


def test_a_finished_picture_is_checked_and_handed_in_by_the_line_s_own_mechanism(
    line: Storage, desk: Desk, mine: Browser, job: ShotId
) -> None:
    run = waiting_run_of(job)
    picture = picture_on(mine.page_of(job))
    assert mine.post(f"/shots/{job}/job/hand-in", picture=picture).status_code == 409  # nothing to hand in yet
    assert bring(mine, job, cut_out_by_hand())
    assert "Every check passed" in said_on(mine.page_of(job))
    assert mine.post(f"/shots/{job}/job/hand-in", picture=picture, note="redrew the rim").status_code == 303
    assert not list(line.list(job_returned_prefix(job))), "the hot folder has nothing before it is sent"
    desk.outbox.tick(at_once=True)
    given = sent_to(job, run)
    assert (given.decision, given.person, given.returned_file) == (Choice.RETURN, "Edi Tor", "E1.png")
    assert not in_a_run(lambda: follow(job, given)).objection
    record = load_record(job)
    assert record.state is State.AWAITING_SIGNOFF
    assert (record.decisions[-1].verified, record.decisions[-1].note) == (True, "redrew the rim")


def test_what_was_handed_in_is_taken_back_and_is_still_there(desk: Desk, mine: Browser, job: ShotId) -> None:
    bring(mine, job, cut_out_by_hand())
    mine.post(f"/shots/{job}/job/hand-in", picture=picture_on(mine.page_of(job)))
    assert "E1 handed in." in said_on(mine.get("/queues/editor-jobs").text)
    assert mine.post(f"/shots/{job}/job/give-back").status_code == 409
    mine.post("/undo")
    desk.outbox.tick(at_once=True)
    assert waiting_run_of(job)
    assert "Hand in" in said_on(mine.page_of(job))


def test_an_upload_that_broke_off_goes_on_with_what_is_missing(
    mine: Browser, job: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = in_three_parts(cut_out_by_hand())
    monkeypatch.setattr("tasks.people.uploads.PART_BYTES", LEAST_PART_BYTES)
    begun = begin(mine, job, data)
    assert sorted(begun["links"]) == ["1", "2", "3"]
    put(begun, data, 1, 3)
    early = mine.post(f"/shots/{job}/job/check")
    assert early.status_code == 409
    assert "1 of 3 parts are missing" in early.json()["said"]
    again = begin(mine, job, data)
    assert (list(again["links"]), again["parts"]) == (["2"], 3)
    put(again, data)
    assert mine.post(f"/shots/{job}/job/check").json() == {"passed": True}
    assert len(begin(mine, job, data, changed="2")["links"]) == 3  # the file was saved anew: another upload


def test_what_broken_off_uploads_left_is_removed_after_a_time_and_the_editor_begins_anew(
    mine: Browser, job: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = in_three_parts(cut_out_by_hand())
    monkeypatch.setattr("tasks.people.uploads.PART_BYTES", LEAST_PART_BYTES)
    put(begin(mine, job, data), data, 1)
    abort_broken_off(before=now() - KEPT)
    assert list(begin(mine, job, data)["links"]) == ["2", "3"], "it is not old enough"
    assert abort_broken_off(before=now() + timedelta(minutes=5)) >= 1
    again = begin(mine, job, data)
    assert list(again["links"]) == ["1", "2", "3"]
    put(again, data)
    assert mine.post(f"/shots/{job}/job/check").json() == {"passed": True}


def test_work_that_fails_its_checks_is_not_handed_in_and_says_why(mine: Browser, job: ShotId) -> None:
    picture = picture_on(mine.page_of(job))
    assert not bring(mine, job, another_product_by_hand())
    words = said_on(mine.page_of(job))
    assert "failed. Correct it and choose it again." in words
    assert "Must be corrected." in words, "an editor approves nothing"
    assert "Hand in" not in words
    assert mine.post(f"/shots/{job}/job/hand-in", picture=picture).status_code == 409
    assert not bring(mine, job, b"no picture at all", name="other.png")
    assert "other.png" in said_on(mine.page_of(job))
    assert bring(mine, job, cut_out_by_hand())


@pytest.mark.parametrize(
    ("name", "size"),
    [("../E1.png", "9"), ("a/E1.png", "9"), ("E1.exe", "9"), ("", "9"), ("E1.png", "0"), ("E1.png", str(10**14))],
)
def test_a_file_that_cannot_be_returned_is_refused_before_a_byte_is_sent(
    mine: Browser, job: ShotId, name: str, size: str
) -> None:
    answer = mine.post(f"/shots/{job}/job/upload", name=name, size=size)
    assert answer.status_code == 409
    assert "cannot be returned" in answer.json()["said"]


def test_an_editor_may_refuse_a_photograph(desk: Desk, browse: Browse, job: ShotId) -> None:
    run = waiting_run_of(job)
    assert browse("Edi Tor").decide(job, "reject the photograph", "out_of_focus").status_code == 303
    desk.outbox.tick(at_once=True)
    assert sent_to(job, run).decision is Choice.REJECT


def test_an_editor_sees_their_own_rate_and_nobody_else_s(
    desk: Desk, browse: Browse, for_signoff: ShotId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.work.rates.first_time_rates", lambda by: first_time_rates(by=by, client="acme"))
    browser = browse("Edi Tor")
    assert "No work of yours has been judged yet." in said_on(browser.get("/my-rate").text)
    back = answer(for_signoff, Choice.REJECT_WORK, person="Sen Ior", reason="edge")
    assert not in_a_run(lambda: follow(for_signoff, back, question="run-2")).objection
    desk.rates._counted = None
    words = said_on(browser.get("/my-rate").text)
    assert "0 of 1 of your shots that a second person has judged (0 %)." in words
    assert "Sent back for Times Edge 1" in words
    desk.accounts.add("Ada Editor", {Role.EDITOR}, PASSWORD)
    assert "No work of yours has been judged yet." in said_on(browse("Ada Editor").get("/my-rate").text)


def test_an_editor_s_list_says_what_is_to_be_done_and_the_job_s_page_begins_with_it(
    desk: Desk, browse: Browse, for_editor: ShotId
) -> None:
    """Kind of test that was missing: one that asks what stands first for whoever reads a page."""
    desk.waiting.refresh()
    editor = browse("Edi Tor")
    words = said_on(editor.get("/queues/editor-jobs").text)
    assert "What to do" in words
    assert "Clipping path" in words
    page = editor.page_of(for_editor)
    assert page.index('id="take"') < page.index('aria-label="Findings"')
    asked = {"note": "Close the hole.", "marks": (MARKS[1],), "reason": Reason.EDGE, "picture": "e" * 16}
    back = Decision(choice=Choice.SEND_TO_EDITOR, by="Rea Viewer", at=now(), **asked)
    record = load_record(for_editor)
    sent = record.model_copy(update={"decisions": (*record.decisions, back)})
    one = waiting(sent, promise=promise_shown(for_editor.client))
    assert one
    assert one.todo == "Edge: Close the hole.; Cut the strap."
