"""What people are told: once, as an event, to a webhook and by mail; and nothing stops the line."""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Failed

from benchmarks.night import measured
from deployments.demo import environment
from packshot.decision import Choice
from packshot.keys import lease_key, notice_lease
from packshot.naming import BatchId, ShotId
from tasks.people.job_commands import take_job
from tasks.people.jobs import open_job
from tasks.records.bookkeeping import now
from tasks.records.stored import load_record
from tasks.reports import board
from tasks.reports.board import stuck, update_board, waits
from tasks.runs.resuming import waiting_run_of
from tasks.storage.bucket import Storage
from tasks.telling import notices
from tasks.telling.notices import Notice, raise_alarm, send_again, send_once, tell
from tests.tasks.by_people import answer, follow
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import routed

NOTICE = Notice(kind="overdue", client="acme", batch="b", shot="A1", state="in_review", message="Look.", due="today")


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes posts, and what came there."""
    came: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", came
        server.shutdown()


class Mailbox(socketserver.StreamRequestHandler):
    """A mail server that takes everything (RFC 5321, as much as is needed)."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(mail.decode())  # type: ignore[attr-defined]
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """A mail server's port, and what came there."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.mails  # type: ignore[attr-defined]
        server.shutdown()


def test_a_notice_goes_to_the_webhook_once(
    line: Storage, batch: BatchId, webhook: tuple[str, list[dict[str, Any]]]
) -> None:
    address, came = webhook
    notice = NOTICE.model_copy(update={"batch": batch.batch, "page": "http://desk.example/shots/acme/b/A1"})
    with environment({"PACKSHOT_NOTIFY_WEBHOOK_URL": address}):
        assert [send_once(notice, mark="1") for _ in range(3)] == [True, False, False]
        assert send_once(notice, mark="2")
    assert [(one["kind"], one["shot"], one["message"]) for one in came] == [("overdue", "A1", "Look.")] * 2
    assert "is overdue" in came[0]["text"]
    assert came[0]["text"].endswith(" http://desk.example/shots/acme/b/A1"), "a chat shows only the text"


def test_a_notice_goes_by_mail(line: Storage, batch: BatchId, mailbox: tuple[int, list[str]]) -> None:
    port, mails = mailbox
    settings = {
        "PACKSHOT_NOTIFY_SMTP_HOST": "127.0.0.1",
        "PACKSHOT_NOTIFY_SMTP_PORT": str(port),
        "PACKSHOT_NOTIFY_SMTP_STARTTLS": "false",
        "PACKSHOT_NOTIFY_MAIL_FROM": "line@studio.example",
        "PACKSHOT_NOTIFY_MAIL_TO": "lead@studio.example",
    }
    with environment(settings):
        send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
    (mail,) = mails
    for part in ("To: lead@studio.example", "is overdue", "Look.", "Due: today"):
        assert part in mail


def test_a_target_that_does_not_answer_stops_nothing_and_no_secret_is_told(
    line: Storage, batch: BatchId, caplog: pytest.LogCaptureFixture
) -> None:
    with environment({"PACKSHOT_NOTIFY_WEBHOOK_URL": "http://127.0.0.1:9/secret-token"}):
        assert send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
    assert "could not tell" in caplog.text
    assert "secret-token" not in caplog.text


@pytest.fixture
def for_editor(line: Storage, batch: BatchId) -> ShotId:
    (shot,) = routed(batch, {"A1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    return shot.shot


def test_the_board_names_what_is_overdue_and_tells_it_once(for_editor: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Notice] = []
    monkeypatch.setattr(notices, "send", sent.append)
    due = next(wait.due for record, wait in waits(batch=for_editor.batch) if record.shot == for_editor)
    monkeypatch.setattr(board, "now", lambda: due)
    for _ in range(2):
        in_a_run(update_board.fn)
    mine = [one for one in sent if one.batch == for_editor.batch]
    assert [(one.kind, one.shot, one.due) for one in mine] == [("overdue", for_editor.shot, due.isoformat())]
    rows = json.loads(str(artifact("board").data))
    (row,) = [row for row in rows if row["batch"] == for_editor.batch]
    assert (row["urgency"], row["with"], row["state"]) == ("overdue", "an editor", "awaiting editor")


def test_a_hold_is_told_again_only_when_it_is_another_hold(for_editor: ShotId) -> None:
    record = load_record(for_editor)
    assert [tell(record, "on_hold", "The neck shot is missing.") for _ in range(2)] == [True, False]


def test_who_took_a_job_stands_on_the_board(for_editor: ShotId) -> None:
    take_job(str(for_editor), person="Ada Editor")
    ((_, wait),) = waits(batch=for_editor.batch)
    assert (wait.with_whom, wait.since <= now()) == ("Ada Editor", True)
    follow(for_editor, answer(for_editor, Choice.REJECT))
    assert waits(batch=for_editor.batch) == []


def test_a_shot_whose_run_failed_stands_on_the_board_too(for_editor: ShotId) -> None:
    run = waiting_run_of(for_editor)
    assert run
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Failed(message="the storage was full"), force=True)
    sentence = in_a_run(update_board.fn)
    assert "whose run failed" in sentence
    (row,) = [row for row in json.loads(str(artifact("board").data)) if row["batch"] == for_editor.batch]
    assert (row["shot"], row["why"]) == (for_editor.shot, "the storage was full")
    assert "retry it in the UI" in row["with"]


def test_failed_runs_about_shots_that_wait_no_more_are_not_looked_into(for_editor: ShotId) -> None:
    """Else the board would cost more with each failure there ever was."""
    run = waiting_run_of(for_editor)
    assert run
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Failed(message="the storage was full"), force=True)
    there = {str(one.shot) for one, _ in stuck(())}
    assert str(for_editor) in there
    assert stuck(there) == []
    follow(for_editor, answer(for_editor, Choice.REJECT))
    found: list[object] = []
    cost = measured(lambda: found.append(stuck(there - {str(for_editor)})))
    assert (found, cost.requests["GetObject"]) == ([[]], 0)


class Answers:
    """A webhook that answers each post with the next of some statuses, the last one for ever; and what came there."""

    def __init__(self, *statuses: int, hangs: threading.Event | None = None) -> None:
        self.came: list[str] = []
        self._statuses, self._hangs = list(statuses), hangs
        self.posted = threading.Event()

    def next(self, message: str) -> int:
        self.came.append(message)
        self.posted.set()
        if self._hangs is not None:
            self._hangs.wait(30)
        return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """Serve such a webhook, and set it as that of the line; yield its address."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with suppress(OSError):  # who asked has gone
                self.send_response(answers.next(posted["message"]))
                self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/hook"
        with environment({"PACKSHOT_NOTIFY_WEBHOOK_URL": address}):
            yield address
        server.shutdown()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is over at once."""
    for name in ("SENDING_S", "FIRST_WAIT_S", "LONGEST_WAIT_S"):
        monkeypatch.setattr(notices, name, 0.0)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("kind", ["shot", "marked alarm", "alarm"])
def test_a_notice_that_was_refused_is_tried_again_and_arrives_once(
    line: Storage, batch: BatchId, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    message, hook = f"{kind} in {batch.batch}", Answers(500, 500, 200)
    once = batch.batch if kind == "marked alarm" else ""

    def told() -> bool:
        if kind == "shot":
            return send_once(NOTICE.model_copy(update={"batch": batch.batch, "message": message}), mark="1")
        return raise_alarm("night_stopped", message, about="night", once=once)

    with answering(hook):
        assert told()
        if kind != "alarm":
            assert not told(), "a second caller leaves it to the look"
        found = [send_again() for _ in range(3)]
        if kind != "alarm":
            assert not told()
    assert [(one.waiting, one.sent) for one in found] == [(1, 0), (0, 1), (0, 0)]
    assert hook.came == [message] * 3, "two refused, one taken, and no copy"
    assert caplog.text.count("it is tried again") == 2


@pytest.mark.usefixtures("soon")
def test_only_where_a_notice_has_not_arrived_is_it_sent_again(
    line: Storage, batch: BatchId, mailbox: tuple[int, list[str]]
) -> None:
    port, mails = mailbox
    settings = {
        "PACKSHOT_NOTIFY_SMTP_HOST": "127.0.0.1",
        "PACKSHOT_NOTIFY_SMTP_PORT": str(port),
        "PACKSHOT_NOTIFY_SMTP_STARTTLS": "false",
        "PACKSHOT_NOTIFY_MAIL_FROM": "line@studio.example",
        "PACKSHOT_NOTIFY_MAIL_TO": "lead@studio.example",
    }
    hook = Answers(500, 200)
    with answering(hook), environment(settings):
        send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
        send_again()
    assert (len(hook.came), len(mails)) == (2, 1)


def test_a_notice_rests_before_it_is_tried_again(line: Storage, batch: BatchId) -> None:
    hook = Answers(500)
    with answering(hook):
        send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
        assert [send_again().waiting for _ in range(3)] == [1, 1, 1]
    assert len(hook.came) == 1


@pytest.mark.usefixtures("soon")
def test_a_notice_that_nobody_takes_is_given_up_and_the_log_says_so(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notices, "MOST_TRIES", 3)
    hook, notice = Answers(500), NOTICE.model_copy(update={"batch": batch.batch})
    with answering(hook):
        send_once(notice, mark="1")
        assert [send_again().given_up for _ in range(3)] == [0, 1, 0]
        assert not send_once(notice, mark="1")
    assert len(hook.came) == 3
    assert "webhook did not take the notice in 3 tries: Look." in caplog.text


@pytest.mark.usefixtures("soon")
def test_a_webhook_that_hangs_gets_the_notice_when_it_answers(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "TIMEOUT_S", 0.2)
    answers = threading.Event()
    hook = Answers(200, hangs=answers)
    with answering(hook):
        send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
        assert send_again().waiting == 1
        answers.set()
        monkeypatch.setattr(notices, "TIMEOUT_S", 20)
        assert send_again().sent == 1
        assert not send_again().sentence


KILLED = """
from tasks.telling.notices import Notice, send_once
notice = Notice(kind="overdue", client="acme", batch={batch!r}, shot="A1", state="in_review", message="Look.")
send_once(notice, mark="1")
"""


def test_a_notice_whose_process_was_killed_while_it_was_sent_is_sent_again(line: Storage, batch: BatchId) -> None:
    answers = threading.Event()
    hook = Answers(200, hangs=answers)
    with answering(hook):
        process = subprocess.Popen([sys.executable, "-c", KILLED.format(batch=batch.batch)])
        assert hook.posted.wait(60)
        process.kill()
        process.wait()
        answers.set()
        assert send_again().waiting == 1, "until the pause is over, it may live"
        (waiting,) = line.list(lease_key(notice_lease("")).removesuffix(".json"))
        left = notices.Unsent.model_validate_json(line.get(waiting.key))
        over = left.model_copy(update={"rests_s": 0.0}).model_dump_json().encode()  # as if two minutes had passed
        line.put(waiting.key, over, content_type="application/json", replaces=True)
        assert send_again().sent == 1
        assert not send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
        assert not send_again().sentence
    assert hook.came == ["Look."] * 2


def test_of_many_who_look_at_once_one_sends_a_notice(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, notice = Answers(500, 200), NOTICE.model_copy(update={"batch": batch.batch})
    with answering(hook), ThreadPoolExecutor(8) as pool:
        monkeypatch.setattr(notices, "FIRST_WAIT_S", 0.0)
        first = list(pool.map(lambda _: send_once(notice, mark="1"), range(8)))
        assert (sum(first), len(hook.came)) == (1, 1)
        found = list(pool.map(lambda _: send_again(), range(8)))
    assert (sum(one.sent for one in found), len(hook.came)) == (1, 2)


def test_a_stored_notice_that_cannot_be_read_stops_no_other(
    line: Storage, batch: BatchId, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.put(lease_key(notice_lease("of a later version")), b'{"who": "knows"}', content_type="application/json")
    monkeypatch.setattr(notices, "FIRST_WAIT_S", 0.0)
    hook = Answers(500, 200)
    with answering(hook):
        send_once(NOTICE.model_copy(update={"batch": batch.batch}), mark="1")
        assert send_again().sent == 1
    assert "is not a notice that can be sent" in caplog.text


def remove_waiting(storage: Storage) -> None:
    """Delete the notices that wait, so that no other test finds them."""
    for info in list(storage.list(lease_key(notice_lease("")).removesuffix(".json"))):
        storage.remove_lease(info.key.removeprefix("leases/").removesuffix(".json"))


@pytest.fixture(autouse=True)
def none_waits(line: Storage) -> Iterator[None]:
    """A notice that waits is of the test that sent it."""
    remove_waiting(line)
    yield
    remove_waiting(line)
