"""Two shots under review, of which one was drawn for an audit: whatever is shown of it before the answer is silent."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from rich.console import Console

from deployments.commands.jobs import _print_job
from deployments.demo import environment
from deployments.summaries import WHY_UNTOLD, show_summary
from packshot.decision import Choice
from packshot.keys import delivery_prefix, notice_key
from packshot.naming import ShotId, batch_id
from packshot.outcomes.daily import figures_of, report_of
from packshot.outcomes.daily_page import daily_page
from packshot.outcomes.daily_values import Day
from packshot.record import EDIT, ShotRecord, State
from packshot.types import Finding, Status, Verdict
from tasks.batches.status import standing_of
from tasks.batches.summing_up import summarise
from tasks.deliveries.delivering import deliver
from tasks.environment.configs import configs_in_force
from tasks.environment.desk_pages import desk_page
from tasks.people.job_commands import job_of
from tasks.people.jobs import open_waiting_run
from tasks.people.questions import question_about
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, load_record
from tasks.reports.board import BOARD, update_board, waits
from tasks.reports.daily_artifact import daily_markdown
from tasks.results.handovers import ApprovedShot
from tasks.runs.resuming import waiting_run_of
from tasks.stages.first_edit import DRAWN
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import open_storage
from tasks.telling.artifacts import artifact_key
from tasks.telling.displays import show_edit
from tests.tasks.by_people import answer, follow
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import edited, routed

BATCH = batch_id("acme", "blind")
BLIND, SEEN, DONE = (BATCH.shot(name) for name in ("BLIND", "OTHER", "DONE"))
MESSAGE = "Backdrop may be left near the handle."
OPINION = f"score 73.5, a reviewer decides: {MESSAGE}"
TELLING = ("73.4", "73.5", "near the handle", "leftover_suspected", DRAWN)
"""What gives away the machine's opinion of these two, or that one was drawn."""


def judged(shot: ShotId, *, drawn: bool) -> None:
    """Have the machine think this of a shot's edit, and ask a reviewer."""
    edited(shot, verdict=Verdict.HUMAN_REVIEW)

    def change(record: ShotRecord) -> ShotRecord:
        sha256 = record.objects[EDIT]
        finding = Finding(code="leftover_suspected", status=Status.WARNING, message=MESSAGE, picture=sha256)
        why = DRAWN if drawn else OPINION
        last = {State.EDITING_AUTO, State.SCORED}
        events = tuple(one.model_copy(update={"why": why}) if one.from_state in last else one for one in record.events)
        edit = {**record.reports["edit"], "score": 73.46}
        audit = {"audit": {"approved": True, "ratio": 1.0, "score": 73.46}} if drawn else {}
        reports = {**record.reports, "edit": edit, **audit}
        return record.model_copy(update={"findings": (finding,), "events": events, "reports": reports})

    record = change_record(shot, change)
    in_a_run(lambda: show_edit(record))
    open_waiting_run(record, generation=0, category="boxes")


@pytest.fixture(scope="module")
def reviews(line_environment: dict[str, str]) -> Iterator[None]:
    """The two under review, beside one that is approved and delivered."""
    with environment(line_environment):
        open_storage().ensure_bucket()
        routed(BATCH, {BLIND.shot: 0.43, SEEN.shot: 0.42, DONE.shot: 0.41})
        edited(DONE, verdict=Verdict.AUTO_APPROVE)
        export_shot.fn(ApprovedShot.of(load_record(DONE), generation=0))
        judged(BLIND, drawn=True)
        judged(SEEN, drawn=False)
        deliver.fn(BATCH, only=[DONE.shot])
        in_a_run(lambda: summarise.fn(BATCH))
        in_a_run(lambda: update_board.fn())
        yield


def printed(show: Callable[[Console], None]) -> str:
    page = io.StringIO()
    show(Console(file=page, width=300))
    return page.getvalue()


def shown(key: str) -> str:
    return str(artifact(key).data)


def _of_delivery(name: str) -> str:
    return open_storage().get(delivery_prefix(BATCH, 1) + name).decode()


def _days_report() -> str:
    at = now()
    day = Day(date=at.date(), begins=at - timedelta(days=1), ends=at + timedelta(minutes=1))
    figures = figures_of([load_record(one) for one in (BLIND, SEEN, DONE)], day, received={BATCH: at})
    counts = {one.verdict: one.edits for one in figures.verdicts}
    assert counts[Verdict.AUTO_APPROVE] == 1, "the verdict on the drawn one counts once its reviewer has answered"
    report = report_of([figures], last=day.date, length=1, config=configs_in_force().daily, zone="UTC")
    return daily_page(report).decode() + daily_markdown(report, link="", key="")


LISTS: Mapping[str, Callable[[], str]] = {
    "batch status": lambda: printed(lambda console: show_summary(console, standing_of(BATCH))),
    "batch status as JSON": lambda: standing_of(BATCH).model_dump_json(),
    "the batch's table": lambda: shown(artifact_key("batch", BATCH.client, BATCH.batch)),
    "the board": lambda: shown(BOARD),
    "job list": lambda: json.dumps([one.model_dump(mode="json") for _, one in waits(batch=BATCH.batch)]),
    **{name: partial(_of_delivery, name) for name in ("certificate.json", "manifest.csv", "report.html")},
    "the daily report": _days_report,
}
ALONE: Mapping[str, Callable[[ShotId], str]] = {
    "job show": lambda shot: _said_by_job_show(shot),
    "job show as JSON": lambda shot: job_of(str(shot)).model_dump_json(exclude={"links", "run", "picture"}),
    "the form": lambda shot: question_about(load_record(shot)).description,
    "the artifact": lambda shot: shown(artifact_key("shot", BATCH.client, BATCH.batch, shot.shot)),
}


def _said_by_job_show(shot: ShotId) -> str:
    job = job_of(str(shot)).model_copy(update={"links": {}})
    with pytest.MonkeyPatch.context() as patch:
        page = io.StringIO()
        patch.setattr("deployments.commands.jobs.terminal_console", lambda: Console(file=page, width=300))
        _print_job(job)
    return page.getvalue()


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize("place", LISTS)
def test_no_list_tells_the_machine_s_opinion_of_a_review_or_which_was_drawn(place: str) -> None:
    said = LISTS[place]()
    for word in TELLING:
        assert word not in said, (place, word)


@pytest.mark.usefixtures("reviews")
def test_the_terminal_says_why_a_review_has_no_score() -> None:
    summary = standing_of(BATCH)
    assert WHY_UNTOLD in printed(lambda console: show_summary(console, summary))
    others = summary.model_copy(update={"fates": tuple(one for one in summary.fates if one.shot == DONE.shot)})
    assert others.fates
    assert WHY_UNTOLD not in printed(lambda console: show_summary(console, others))


@pytest.mark.usefixtures("reviews")
def test_in_the_batch_both_reviews_look_alike() -> None:
    rows = {row["shot"]: row for row in standing_of(BATCH).rows}
    same = [{**rows[one.shot], "shot": "", "file": "", "since": "", "due": ""} for one in (BLIND, SEEN)]
    assert same[0] == same[1]
    assert rows[DONE.shot]["score"] is not None
    absent = {one["shot"]: one for one in json.loads(_of_delivery("certificate.json"))["not_in_this_delivery"]}
    told = [{**absent[one.shot], "shot": "", "file": ""} for one in (BLIND, SEEN)]
    assert told[0] == told[1]


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize("place", ALONE)
def test_of_a_blind_review_no_place_tells_the_machine_s_opinion(place: str) -> None:
    """The other review shows that the place would tell it."""
    blind, seen = ALONE[place](BLIND), ALONE[place](SEEN)
    for word in TELLING:
        assert word not in blind, (place, word)
    assert "near the handle" in seen


@pytest.mark.usefixtures("reviews")
def test_neither_run_nor_notice_tells_which_was_drawn() -> None:
    said: list[Any] = []
    for one in (BLIND, SEEN):
        run = waiting_run_of(one)
        assert run
        message = (run.state and run.state.message) or ""
        assert f"Look at it at full size: {desk_page(one)}" in message
        said.append((list(run.tags), *(text.replace(one.shot, "") for text in (run.name or "", message))))
    assert said[0] == said[1]
    told = notice_key(BATCH, BLIND.shot, "").removesuffix(".json")
    notices = b"".join(open_storage().get(one.key) for one in open_storage().list(told)).decode()
    assert not [word for word in TELLING if word in notices]


@pytest.mark.usefixtures("reviews")
def test_once_it_is_judged_all_is_told() -> None:
    in_a_run(lambda: follow(BLIND, answer(BLIND, Choice.APPROVE)))
    (row,) = (one for one in standing_of(BATCH).rows if one["shot"] == BLIND.shot)
    assert row["score"] == pytest.approx(73.46)
    assert "near the handle" in shown(artifact_key("shot", BATCH.client, BATCH.batch, BLIND.shot))
