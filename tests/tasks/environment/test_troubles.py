"""What is said of a step that fails again and again."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from packshot.errors import StorageUnavailableError
from tasks.environment.troubles import LONGEST_S, Troubles

AWAY = StorageUnavailableError("the storage did not answer", "leases/night.json")


class Hours:
    """A clock that a test sets forward, and the lines of a log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now_s, self._caplog = 0.0, caplog
        self.troubles = Troubles(logging.getLogger("packshot.test"), clock=lambda: self.now_s)

    def fails(self, error: Exception, *, for_s: float, every_s: float = 5.0) -> list[str]:
        """Let a step fail for a while, and return what was logged meanwhile."""
        self._caplog.clear()
        until = self.now_s + for_s
        while self.now_s < until:
            try:
                raise error
            except Exception as raised:  # noqa: BLE001  (it has a traceback now)
                self.troubles.say("look", raised)
            self.now_s += every_s
        return self.said()

    def said(self) -> list[str]:
        found = [one.getMessage() + (" + traceback" if one.exc_info else "") for one in self._caplog.records]
        self._caplog.clear()
        return found


@pytest.fixture
def hours(caplog: pytest.LogCaptureFixture) -> Hours:
    caplog.set_level(logging.INFO)
    return Hours(caplog)


def test_a_server_that_is_away_is_said_once_then_seldom_and_once_more_when_it_is_back(hours: Hours) -> None:
    first = "look: this failed and is tried again: leases/night.json: the storage did not answer."
    assert hours.fails(AWAY, for_s=60) == [first]
    assert hours.fails(AWAY, for_s=60) == [
        "look: this has failed for 60 s: leases/night.json: the storage did not answer."
    ]
    day = hours.fails(AWAY, for_s=24 * 3600)
    assert 24 <= len(day) <= 24 + 6
    assert day[-1].startswith("look: this has failed for 23 hours: ")
    hours.troubles.over("look")
    assert hours.said() == ["look: works again after 24 hours"]
    hours.troubles.over("look")
    assert hours.said() == []
    assert hours.fails(AWAY, for_s=5) == [first], "the next time it is said at once"


def test_a_server_that_is_away_in_several_ways_is_one_trouble_and_has_no_traceback(hours: Hours) -> None:
    away = (AWAY, httpx.ReadTimeout(""), httpx.ConnectError("refused\nmore about it"), ConnectionResetError("gone"))
    said = [line for _ in range(100) for error in away for line in hours.fails(error, for_s=5)]
    assert len(said) <= 7
    assert not [line for line in said if "traceback" in line or "\n" in line]


def test_an_error_that_nobody_foresaw_is_said_with_its_traceback_once(hours: Hours) -> None:
    assert hours.fails(KeyError("state"), for_s=60) == [
        "look: this failed and is tried again: KeyError: 'state' + traceback"
    ]
    assert [line.endswith("traceback") for line in hours.fails(KeyError("state"), for_s=LONGEST_S)] == [False] * 5
    assert hours.fails(ValueError("another"), for_s=5) == [
        "look: this failed and is tried again: ValueError: another + traceback"
    ]


def test_steps_have_their_own_troubles(hours: Hours) -> None:
    hours.fails(AWAY, for_s=5)
    hours.troubles.over("another step")
    assert hours.said() == []
    hours.troubles.say("another step", AWAY)
    assert len(hours.said()) == 1


WATCH = """
import logging, threading
from functools import partial
from flows import watching
from tasks.environment.troubles import Troubles
from tasks.storage import leases

logging.basicConfig(level=logging.INFO, format="%(message)s")
leases._OUTAGE_S = 0.0
tried, rest, ended = [], watching._rest, threading.Event()

def counted(ended, seconds, alive):
    tried.append(1)
    if len(tried) == 40:
        ended.set()
    rest(ended, seconds, alive)

watching._rest = counted
watching.Troubles = partial(Troubles, clock=lambda: 30.0 * len(tried))  # half a minute between two tries
watching.watch(ended, every_s=0.01)
print("tried", len(tried))
"""


def test_the_log_of_a_process_whose_storage_is_away_gets_a_line_at_rising_intervals(tmp_path: Path) -> None:
    """`packshot watch` itself, with no server at all; 40 tries, for its log half a minute apart."""
    away = {
        "PACKSHOT_S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "PACKSHOT_S3_ACCESS_KEY": "key",
        "PACKSHOT_S3_SECRET_KEY": "secret",
        "PACKSHOT_S3_BUCKET": "away",
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "PREFECT_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCH], env={**os.environ, **away}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "look after the line: this " in line]
    assert "tried 40" in done.stdout
    assert ["tried again" in line for line in lines] == [True] + [False] * 4, "at once, then after 1, 3, 7, 15 minutes"
    assert "Traceback" not in done.stdout + done.stderr
