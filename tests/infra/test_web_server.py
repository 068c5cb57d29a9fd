"""A web server that ticks seldom still answers with the time, and ends when it is told to."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import uvicorn

from infra import web_server
from infra.local.processes import free_ports
from infra.web_server import SeldomTicking
from tests.patience import PATIENCE_S

_SERVED = """
import sys, uvicorn
from infra import web_server
web_server.TICK_S = 3600.0
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})
web_server.serve(uvicorn.Config(app, port=int(sys.argv[1]), lifespan="off", log_level="info"))
"""


def test_a_signal_ends_it_without_waiting_for_its_tick() -> None:
    port = free_ports(1)[0]
    command = [sys.executable, "-c", _SERVED, str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stderr is not None
        assert any("Uvicorn running" in line for line in child.stderr)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S) as answer:
            assert answer.read() == b"here"
            assert parsedate_to_datetime(answer.headers["date"])
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=PATIENCE_S)
    assert child.returncode == -signal.SIGTERM


def test_each_tick_renews_the_date(monkeypatch: Any) -> None:
    monkeypatch.setattr(web_server, "TICK_S", 0.01)
    server, dates = SeldomTicking(uvicorn.Config(lambda: None)), []
    renewed = server.on_tick

    async def tick(counter: int) -> bool:
        server.server_state.default_headers = []
        ends = await renewed(counter)
        dates.append(dict(server.server_state.default_headers)[b"date"])
        server.should_exit = len(dates) == 3
        return ends

    monkeypatch.setattr(server, "on_tick", tick)
    asyncio.run(server.main_loop())
    assert len(dates) == 4
