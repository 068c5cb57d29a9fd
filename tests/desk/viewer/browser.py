"""Chromium with the viewer in it: a page of the desk's shape, served with the desk's headers; its pixels."""

from __future__ import annotations

import html
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.access.doorkeeper import HEADERS
from desk.app import STATIC
from desk.pictures.tiles import routes
from infra.local.processes import free_ports
from packshot.record import ShotRecord
from packshot.types import Pixels8
from tasks.records.stored import load_record
from tests.patience import PATIENCE_S

_STAGE = """(() => {
  const box = document.querySelector(".pv-stage").getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom].map((side) => Math.round(side * devicePixelRatio));
})()"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shot</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/desk.css"></head>
<body><main><div class="shot"><section class="picture">
<div id="viewer" data-shot="{shot}" data-kinds='{kinds}' data-findings='{findings}'></div>
</section><aside class="side">Findings</aside></div></main>
<script type="module" src="/static/viewer/viewer.js"></script></body></html>"""


class _Headers:
    """Every answer gets the desk's headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}
                message["headers"] = [*message["headers"], *named.items()]
            await send(message)

        await self._app(scope, receive, with_headers)


@contextmanager
def serving(record: ShotRecord, *, findings: list[dict[str, Any]], kinds: dict[str, str]) -> Iterator[str]:
    """Serve a page with the viewer of a shot; yields its address."""

    async def page(request: Request) -> Response:
        told = {kind: load_record(record.shot).objects[file][:16] for kind, file in kinds.items()}
        values = {"shot": str(record.shot), "kinds": json.dumps(told), "findings": json.dumps(findings)}
        values = {name: html.escape(value) for name, value in values.items()}
        return HTMLResponse(PAGE.format(**values))

    app = Starlette(
        routes=[
            Route("/", page),
            Mount("/pictures", routes=routes()),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(_Headers)],
    )
    port = free_ports(1)[0]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.02)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


class Sight:
    """A page that is looked at. Words in its console, violations of its policy and failed requests are kept."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url} {request.failure}"))
        page.on(
            "response",
            lambda answer: self.troubles.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None,
        )

    def open(self, address: str) -> Sight:
        self.page.goto(address)
        self.until("window.packshotViewer !== undefined")
        return self.sharp()

    def until(self, condition: str) -> None:
        """Wait until an expression holds. Playwright's own function evaluates text, which the page's policy forbids."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def sharp(self) -> Sight:
        """Wait until everything that is seen is loaded and drawn."""
        self.page.evaluate("window.packshotViewer.whenSharp()")
        return self

    def do(self, call: str) -> Sight:
        """Call the viewer as the desk's page does, then wait until it is sharp."""
        self.page.evaluate(f"window.packshotViewer.{call}")
        return self.sharp()

    def stage(self) -> Pixels8:
        """The stage as it is on the screen, in device pixels, without what lies above the picture."""
        self.page.evaluate("document.querySelector('.pv-layer').setAttribute('visibility', 'hidden')")
        page = np.asarray(Image.open(io.BytesIO(self.page.screenshot(scale="device"))).convert("RGB"))
        self.page.evaluate("document.querySelector('.pv-layer').removeAttribute('visibility')")
        left, top, right, bottom = self.page.evaluate(_STAGE)
        return page[top:bottom, left:right]

    def filled_stage(self) -> Pixels8:
        """The stage, once it has more than one colour: it is empty for a moment after the browser lost its canvas."""
        deadline = time.monotonic() + PATIENCE_S
        seen = self.stage()
        while seen.min() == seen.max():
            assert time.monotonic() < deadline, "The stage stays empty."
            time.sleep(0.2)
            seen = self.stage()
        return seen

    def place(self) -> tuple[float, int, int]:
        """Magnification, and where the picture's corner lies on the stage, in device pixels."""
        told = self.page.evaluate("window.packshotViewer.place()")
        return told["magnification"], told["left"], told["top"]


def expected(picture: Pixels8, shape: tuple[int, ...], place: tuple[float, int, int]) -> tuple[Pixels8, slice, slice]:
    """What the stage shows of a picture at a whole magnification, and the rows and columns of the stage it covers."""
    times, left, top = int(place[0]), place[1], place[2]
    assert times == place[0]
    rows = slice(max(0, top), min(shape[0], top + times * picture.shape[0]))
    columns = slice(max(0, left), min(shape[1], left + times * picture.shape[1]))
    from_rows = (np.arange(rows.start, rows.stop) - top) // times
    from_columns = (np.arange(columns.start, columns.stop) - left) // times
    return picture[from_rows[:, None], from_columns], rows, columns
