"""Every place that shows something, with everything that somebody else writes: nothing becomes more than text.

Sources: cells of a manifest, names of files, categories, notes and marks of clients, editors and reviewers, names of
people, messages that quote them. Places: forms, artifacts, notices, pages, terminal, log.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import message_from_string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from deployments import summaries
from deployments.commands import jobs
from deployments.demo import environment
from packshot.cli import editing, ending, looking, paths, showing
from packshot.decision import Choice, Decision, Mark, Reason
from packshot.errors import NamingError
from packshot.export.delivery import DeliveredFile
from packshot.export.report_page import ShotPictures, report_html
from packshot.handoff.board import wait_of
from packshot.handoff.ticket_page import ticket_html
from packshot.naming import BatchId, batch_id
from packshot.record import Event, ShotRecord, State
from packshot.types import Finding, Size, Sourced, Status
from tasks.batches.fates import Fate, Summary
from tasks.environment.logs import log
from tasks.environment.style_guides import promise_to
from tasks.people.job_commands import Job
from tasks.people.questions import question_about, show_question
from tasks.people.tickets import ticket_of
from tasks.records.stored import change_record
from tasks.reports import board
from tasks.storage.bucket import Storage
from tasks.telling import displays
from tasks.telling.artifacts import artifact_key, table_artifact
from tasks.telling.notices import Notice, send
from tests.hostile_texts import EVERYTHING, links_of_markdown, steering, tags_of_html
from tests.packshot.export.deliveries import delivery
from tests.packshot.export.deliveries import record as drawn_record
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import routed
from tests.tasks.telling.test_notices import mailbox, webhook  # noqa: F401  fixtures

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
STORABLE = EVERYTHING.replace("\ud800", "")
"""No record can be stored with half a character."""
OURS = ("http://127.0.0.1:", "data:image/")
"""What the line itself links to."""
FORGED = ("packshot: all is well", "packshot: 7,500 delivered", "Bcc:")
FACTS = ("sku", "asin", "gtin", "view", "category", "notes", "reference", "services")


def with_everything(record: ShotRecord, text: str) -> ShotRecord:
    """A record in which everybody has written this wherever they can."""
    finding = Finding(code="fringe", status=Status.FAILED, message=text, measured=1.0, limit=0.5, unit="px", gate=True)
    said = {"by": text, "at": AT, "reason": Reason.OTHER, "picture": "ab" * 32, "note": text, "edited_by": text}
    mark = Mark(left=1, top=1, right=9, bottom=9, text=text)
    decisions = tuple(
        Decision(choice=choice, marks=(mark,), override=text, **said)
        for choice in (Choice.TAKE, Choice.RETURN, Choice.REJECT_WORK)
    )
    edit = {
        **record.reports.get("edit", {}),
        "score": 87.0,
        "components": {"edge": 20.0},
        "verdict": "human_review",
        "method": text,
        "evidence": [{"code": "fringe", "box": [1, 2, 3, 4], "message": text}],
    }
    routing = {**record.reports.get("routing", {}), "reason": text, "complexity": "medium", "category": text}
    return record.model_copy(
        update={
            "facts": {name: Sourced(value=text, source="manifest") for name in FACTS},
            "findings": (finding,),
            "reports": {**record.reports, "edit": edit, "routing": routing},
            "decisions": decisions,
            "events": (
                *record.events,
                Event(at=AT, actor=text, from_state=State.SCORED, to_state=record.state, why=text),
            ),
        }
    )


def foreign(markdown: str) -> list[str]:
    """Links, pictures and HTML in Markdown that are not the line's own."""
    return [one for one in links_of_markdown(markdown) if not one.startswith(OURS)]


WAITS = (State.IN_REVIEW, State.AWAITING_EDITOR, State.AWAITING_SIGNOFF, State.ON_HOLD)


def test_no_form_ticket_or_artifact_makes_more_of_a_text_than_text(line: Storage, batch: BatchId) -> None:
    (shot,) = routed(batch, {"A1": 0.43})
    record = change_record(shot.shot, lambda one: with_everything(one, STORABLE))
    key = artifact_key("shot", batch.client, batch.batch, "A1")

    def ask(state: State) -> str:
        asked = record.model_copy(update={"state": state})
        question = question_about(asked, objection=STORABLE)
        show_question(asked, question)
        return question.description

    def show() -> None:
        displays.show_edit(record)

    for state in WAITS:
        description = in_a_run(functools.partial(ask, state))
        assert "evil" in description
        assert not foreign(description), state
        assert str(artifact(key).data) == description
    in_a_run(show)
    assert "evil" in str(artifact(key).data)
    assert not foreign(str(artifact(key).data))
    in_a_run(lambda: displays.show_refusal(record.shot, STORABLE))
    assert not foreign(str(artifact(key).data))
    ticket = ticket_of(shot.shot)
    page = ticket_html(ticket, preview=b"").decode()
    links = [attributes["href"] for tag, attributes in tags_of_html(page) if tag == "a"]
    assert links
    assert all(str(link).startswith(OURS) for link in links)
    assert {tag for tag, _ in tags_of_html(page)}.isdisjoint({"script", "img", "b"})
    assert not steering(page)


def test_no_cell_of_a_table_artifact_is_a_link_and_none_looks_different(line: Storage, batch: BatchId) -> None:
    written = {"shot": STORABLE, "why": STORABLE, "score": 96.4}
    in_a_run(lambda: displays.show_table(batch, [written], STORABLE))
    shown = artifact(artifact_key("batch", batch.client, batch.batch))
    (row,) = json.loads(str(shown.data))
    assert row["score"] == 96.4
    for text in (row["shot"], row["why"], str(shown.description)):
        assert "evil" in text
        assert not links_of_markdown(text)
        assert not steering(text)


def test_the_board_says_names_and_reasons_as_text(line: Storage, batch: BatchId) -> None:
    record = with_everything(drawn_record("A1"), STORABLE).model_copy(update={"state": State.AWAITING_EDITOR})
    wait = wait_of(record, at=AT, promise=promise_to("acme"))
    assert wait is not None
    row = board._row(wait)
    in_a_run(lambda: table_artifact([row], key=f"board-{batch.batch}", description="1 waits"))
    (row,) = json.loads(str(artifact(f"board-{batch.batch}").data))
    assert "evil" in row["why"]
    assert not any(links_of_markdown(str(cell)) for cell in row.values())


def test_a_notice_calls_nobody_and_its_mail_has_no_header_but_the_line_s(
    line: Storage,
    webhook: tuple[str, list[dict[str, Any]]],  # noqa: F811
    mailbox: tuple[int, list[str]],  # noqa: F811
) -> None:
    hostile = dict.fromkeys(("client", "batch", "shot", "state", "message", "due"), STORABLE)
    settings = {
        "PACKSHOT_NOTIFY_WEBHOOK_URL": webhook[0],
        "PACKSHOT_NOTIFY_SMTP_HOST": "127.0.0.1",
        "PACKSHOT_NOTIFY_SMTP_PORT": str(mailbox[0]),
        "PACKSHOT_NOTIFY_SMTP_STARTTLS": "false",
        "PACKSHOT_NOTIFY_MAIL_FROM": "line@studio.example",
        "PACKSHOT_NOTIFY_MAIL_TO": "lead@studio.example",
    }
    with environment(settings):
        send(Notice(kind="unknown_file", **hostile))
    (told,), (mail,) = webhook[1], mailbox[1]
    assert "evil" in told["text"]
    assert not {"<", ">", "\n"} & set(told["text"])
    assert not links_of_markdown(told["text"])
    assert not any(steering(str(value)) for value in told.values())
    read = message_from_string(mail)
    assert set(read.keys()) == {"Subject", "From", "To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert read["To"] == "lead@studio.example"
    assert not steering(read.get_payload(decode=True).decode().replace("\r\n", "\n"))  # type: ignore[union-attr]


def test_half_a_character_stops_no_notice(
    line: Storage,
    webhook: tuple[str, list[dict[str, Any]]],  # noqa: F811
) -> None:
    with environment({"PACKSHOT_NOTIFY_WEBHOOK_URL": webhook[0]}):
        send(Notice(kind="overdue", client="acme", batch="b", shot="A1", state="in_review", message="a\ud800b"))
    assert [one["message"] for one in webhook[1]] == ["a\ufffdb"]


def finding(text: str) -> Finding:
    return Finding(code="fringe", status=Status.WARNING, message=text, measured=1.0, limit=0.5, unit="px")


def inspection(text: str) -> Any:
    metadata = SimpleNamespace(model_dump=lambda **_: {"camera_make": text, "keywords": (text,)})
    return SimpleNamespace(
        **{"name": text, "accepted": False, "refusal": text, "size": Size(9, 9), "kind": "JPEG", "bit_depth": 8},
        **{"colour_model": "rgb", "profile": text, "profile_assumed": False, "orientation": 1, "size_bytes": 1},
        **{"metadata": metadata, "findings": (finding(text),)},
    )


def edit_row(text: str) -> dict[str, Any]:
    file = {"file": text, "passed": False, "findings": (finding(text),)}
    left_out = {text: text}
    platforms = [{"platform": text, "score": 1.0, "verdict": text}] * 2
    return {"file": text, "score": 1.0, "verdict": "human_review", "findings": (finding(text),)} | {
        "platforms": platforms,
        "files": [file],
        "left_out": left_out,
    }


def route_row(text: str) -> dict[str, Any]:
    said = dict.fromkeys(("file", "reason", "category", "colour_match_risk", "model"), text)
    return {**said, "complexity": "simple", "route": "automated", "features": {"gap_ratio": 0.1}}


def path_row(text: str) -> dict[str, Any]:
    one = {"name": text, "record_id": 2000, "subpaths": 1, "knots": 4, "is_clipping": True}
    return {"file": text, "kind": "TIFF", "size": [9, 9], "used": text, "why": text} | {
        "paths": [one],
        "findings": (finding(text),),
    }


def summary(text: str) -> Summary:
    fate = Fate(shot=text, file=text, kind="waiting", state=State.IN_REVIEW, why=text, with_whom=text)
    return Summary(batch=batch_id("acme", "b"), fates=(fate,), findings=(finding(text),))


def job(text: str) -> Job:
    record = with_everything(drawn_record("A1"), text)
    return Job(
        shot=text, state=State.IN_REVIEW, picture="ab", links={"a": text}, findings=record.findings, trail=record.events
    )


def raised(text: str) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise NamingError(text, text, found=text, allowed=text, next_step=text)

    ending.run(app)


PRINTED: Mapping[str, Callable[[str], object]] = {
    "packshot inspect": lambda text: looking._show_inspection(inspection(text)),
    "packshot check": lambda text: showing.terminal_console().print(showing.findings_table(text, [finding(text)])),
    "packshot route": lambda text: looking._show_route(route_row(text)),
    "packshot route, refused": lambda text: looking._show_route({"file": text, "refused": text}),
    "packshot edit": lambda text: editing._show_edit(edit_row(text), {}),
    "packshot paths": lambda text: paths._show(path_row(text)),
    "packshot batch status": lambda text: summaries.show_summary(showing.terminal_console(), summary(text)),
    "packshot job show": lambda text: jobs._print_job(job(text)),
    "--json": lambda text: showing.print_json([summary(text).model_dump(mode="json"), {"name": text}]),
    "an error": raised,
}


@pytest.mark.parametrize("command", PRINTED)
@pytest.mark.parametrize("coloured", [False, True])
def test_nothing_printed_steers_a_terminal_or_forges_a_line(
    command: str, coloured: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "4000")
    monkeypatch.setattr("sys.argv", ["packshot"])
    if coloured:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
    PRINTED[command](STORABLE)
    printed = "".join(capsys.readouterr())
    assert "evil" in printed
    without_colours = re.sub(r"\x1b\[[\d;]*m", "", printed)
    assert not steering(without_colours)
    assert not [line for line in without_colours.splitlines() if line.strip(" │|").startswith(FORGED)]


def test_every_command_prints_on_the_console_that_cleans() -> None:
    root = Path(__file__).resolve().parents[2]
    files = [*(root / "packshot" / "cli").glob("*.py"), *(root / "deployments").rglob("*.py")]
    makers = [one.name for one in files if re.search(r"(?<![\w.])Console\(", one.read_text())]
    assert makers == ["showing.py"]


def test_no_line_of_the_log_is_forged_and_none_steers(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log().info("the file %s of %s was left out", STORABLE, "acme")
        log().info(STORABLE)
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert "evil" in record.getMessage()
        assert "\n" not in record.getMessage()
        assert not steering(record.getMessage())


def delivered(text: str) -> DeliveredFile:
    said = dict.fromkeys(("path", "platform", "format", "profile", "chroma", "sha256"), text)
    figures = {"size": Size(9, 9), "bit_depth": 8, "quality": 90, "size_bytes": 9, "fill_ratio": 0.8, "scale": 1.0}
    nothing = {"passed": True, "background": None, "colour": None}
    return DeliveredFile(**said, **figures, **nothing, findings=(finding(text),))


def test_no_page_has_a_tag_that_is_not_its_template_s() -> None:
    def page_with(text: str) -> bytes:
        plain = delivery(delivered(text))
        shot = plain.shots[0].model_copy(
            update={
                **dict.fromkeys(("file", "why", "category", "route_reason", "approved_by", "approved_why"), text),
                "facts": {name: Sourced(value=text, source="manifest") for name in FACTS},
                "findings": (finding(text),),
                "left_out": {"walmart": text},
                "decisions": ({"by": text, "why": text, "choice": text, "note": text},),
            }
        )
        waiting = tuple(one.model_copy(update={"file": text, "why": text}) for one in plain.shots[1:])
        said = {"shots": (shot, *waiting), "ignored": {text: text}, "findings": (finding(text),)}
        return report_html(plain.model_copy(update=said), pictures=lambda _: ShotPictures())

    def tags(page: str) -> list[tuple[str, set[str]]]:
        return [(tag, set(attributes)) for tag, attributes in tags_of_html(page)]

    hostile, usual = page_with(EVERYTHING).decode(), page_with("usual").decode()
    assert "evil" in hostile
    assert tags(hostile) == tags(usual)
    assert not steering(hostile)
