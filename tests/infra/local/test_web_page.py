"""A page that the operator opens in a browser, on another origin than Prefect's, sends what a page may send unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from infra.guard import App, Guard, Receive, Scope, Send
from infra.local.prefect_server import START_S, settings
from infra.local.processes import answers, free_ports
from infra.local.stack import Stack
from tests.chromium import needs_chromium
from tests.infra.local.chromium import report_of
from tests.infra.local.test_stack import call
from tests.patience import PATIENCE_S

SENT = {"fetch", "typed", "beacon", "form", "websocket", "picture"}
PAGE = """
<script>
const targets = TARGETS, done = [];
for (const [base, path, body] of targets) {
  const url = name => `${base}${path}?by=${name}`;
  const bytes = () => new Blob([body]);  // a body without a type: the browser sends no Content-Type
  done.push(fetch(url('fetch'), {method: 'POST', mode: 'no-cors', body: bytes()}));
  done.push(fetch(url('typed'), {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body}));
  navigator.sendBeacon(url('beacon'), bytes());
  done.push(new Promise(end => {
    const frame = document.createElement('iframe'), form = document.createElement('form');
    frame.name = 'frame' + Math.random();
    document.documentElement.append(frame, form);
    Object.assign(form, {method: 'POST', action: url('form'), target: frame.name, enctype: 'text/plain'});
    const field = document.createElement('input');
    field.name = body.slice(0, -1) + ', "x": "';
    field.value = '"}';
    form.append(field);
    form.submit();
    frame.onload = end;
  }));
  done.push(new Promise(end => {
    const socket = new WebSocket(base.replace('http', 'ws') + '/api/events/in?by=websocket', 'prefect');
    socket.onopen = socket.onerror = end;
  }));
  done.push(new Promise(end => {
    const picture = new Image();
    picture.onload = picture.onerror = end;
    picture.src = url('picture');
  }));
}
Promise.allSettled(done).then(() => setTimeout(() => report('sent'), 500));
</script>
"""


class Recorder:
    """An application that does what it is asked, and notes by what it was asked."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.asked.add(scope["query_string"].decode().removeprefix("by="))
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "prefect"})
            await receive()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})


@contextmanager
def served(app: App) -> Iterator[str]:
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < deadline, "the recorder does not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.force_exit = server.should_exit = True
        thread.join()


@contextmanager
def unguarded(folder: Path) -> Iterator[str]:
    """Prefect's own server as it comes, without guard and password, on a database of its own."""
    (port,) = free_ports(1)
    url, folder = f"http://127.0.0.1:{port}", folder / "unguarded"
    folder.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PACKSHOT_"))},
        **settings(folder),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(folder / "ui"),
        "HOME": str(folder),
    }
    command = ["prefect.server.api.server:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *command], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            healthy = answers(f"{url}/api/health")
            deadline = time.monotonic() + START_S
            while not healthy():
                assert process.poll() is None, (folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, "the unguarded server does not start"
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait()


def asked(url: str, path: str, body: object) -> Any:
    """Return what a server without a password answers."""
    request = urllib.request.Request(
        f"{url}/api{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


@pytest.mark.slow  # the next test holds that the attack works where there is no guard
@needs_chromium
def test_the_same_page_starts_runs_on_a_prefect_server_without_guard_and_password(tmp_path: Path) -> None:
    """What is held off below is no invention: it works on Prefect's server as it comes."""
    with unguarded(tmp_path) as url:
        flow = asked(url, "/flows/", {"name": "victim"})
        run = json.dumps({"flow_id": flow["id"], "name": "intruder"})
        page = PAGE.replace("TARGETS", json.dumps([(url, "/api/flow_runs/", run)]))
        assert report_of(page, tmp_path / "elsewhere") == "sent"
        started = asked(url, "/flow_runs/filter", {"flow_runs": {"name": {"any_": ["intruder"]}}})
        assert started, "the attack works"


@needs_chromium
def test_a_page_of_another_origin_reaches_nothing_behind_the_guard_and_everything_without(
    prefect_stack: Stack, tmp_path: Path
) -> None:
    flow: Any = call(prefect_stack, "/flows/", {"name": "victim"})
    run = json.dumps({"flow_id": flow["id"], "name": "intruder"})
    bare, behind = Recorder(), Recorder()
    with served(bare) as open_url, served(Guard(behind)) as guarded_url:
        targets = [(url, "/api/flow_runs/", run) for url in (open_url, guarded_url, prefect_stack.prefect_ui_url)]
        for host in ("elsewhere.example", "127.0.0.1"):  # of another site; and of this machine, on another port
            page = PAGE.replace("TARGETS", json.dumps(targets))
            assert report_of(page, tmp_path / host, host=host) == "sent"
            assert bare.asked == SENT, host  # the attack works where there is no guard
            assert behind.asked == set(), host
            bare.asked.clear()
    assert call(prefect_stack, "/flow_runs/filter", {"flow_runs": {"name": {"any_": ["intruder"]}}}) == []
