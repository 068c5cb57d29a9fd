"""The same error again and again has one traceback in the log, whatever was raised from it."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Iterator

import pytest

from infra import prefect_app, quiet


@pytest.fixture
def factory() -> Iterator[None]:
    """What makes records is as before after the test."""
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)


class Log:
    """A logger as a library has it, with its lines."""

    def __init__(self) -> None:
        self.now_s, self._text = 0.0, io.StringIO()
        self.logger = logging.Logger("prefect.server")
        self.logger.addHandler(logging.StreamHandler(self._text))
        quiet.install(clock=lambda: self.now_s)

    def text(self) -> str:
        found = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return found

    def asks_a_database_that_is_away(self) -> None:
        try:
            try:
                raise ConnectionRefusedError(111, "Connect call failed")
            except OSError as refused:
                raise ExceptionGroup("unhandled errors", [RuntimeError("a request")]) from refused
        except ExceptionGroup:
            self.logger.exception("Encountered exception in request:")


def test_the_same_error_has_one_traceback_and_a_line_each_time(factory: None) -> None:
    log = Log()
    log.asks_a_database_that_is_away()
    first = log.text()
    assert "Traceback" in first
    for _ in range(100):
        log.asks_a_database_that_is_away()
    lines = log.text().splitlines()
    assert len(lines) == 100
    assert set(lines) == {"Encountered exception in request: RuntimeError: a request (traceback: see above)"}
    log.now_s = quiet.QUIET_S + 1
    log.asks_a_database_that_is_away()
    assert "Traceback" in log.text(), "a log that was cut meanwhile has it again"


def test_a_server_that_does_not_answer_has_one_traceback_whoever_asks_it_wherever(factory: None) -> None:
    """Kind of test that was missing: one with the errors of a server that is stopped (SIGSTOP), from several places."""
    log = Log()

    async def asked() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    def by_a_service() -> None:
        try:
            asyncio.run(asked())
        except TimeoutError:
            log.logger.exception("Error running periodic evaluation")

    def by_a_request() -> None:
        try:
            asyncio.run(asked())
        except TimeoutError:
            logging.LoggerAdapter(log.logger).exception("Exception in ASGI application")

    by_a_service()
    assert log.text().count("Traceback") == 2, "that of the timeout, and of the wait that it called off"
    by_a_request()
    by_a_service()
    assert log.text().splitlines() == [
        "Exception in ASGI application TimeoutError:  (traceback: see above)",
        "Error running periodic evaluation TimeoutError:  (traceback: see above)",
    ]


def test_another_error_and_what_has_no_error_are_logged_as_they_are(factory: None) -> None:
    log = Log()
    log.asks_a_database_that_is_away()
    log.text()
    log.logger.error("the disk of %s is full", "s3")
    assert log.text() == "the disk of s3 is full\n"
    try:
        raise KeyError("another")
    except KeyError:
        log.logger.exception("it failed")
    assert "KeyError: 'another'" in log.text().splitlines()[-1]


def test_prefects_server_logs_so_before_it_does_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    class InstalledError(Exception):
        pass

    def install() -> None:
        raise InstalledError

    monkeypatch.setattr(sys, "argv", ["prefect_app", "--host", "127.0.0.1", "--port", "1"])
    monkeypatch.setattr(quiet, "install", install)
    with pytest.raises(InstalledError):
        prefect_app.main()
