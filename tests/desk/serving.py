"""The desk served to a real browser: people sign in, and whatever their pages complain about fails the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import uvicorn

from desk.app import application
from desk.state import Desk
from infra.local.processes import free_ports
from tests.desk.people import PASSWORD
from tests.patience import PATIENCE_S

LONG_MS = PATIENCE_S * 1000
LAPTOP = {"width": 1280, "height": 720}


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Serve a desk, and yield its address."""
    (port,) = free_ports(1)
    config = uvicorn.Config(application(desk), host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=copy_context().run, args=(server.run,))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class Person:
    """Somebody at a page of the desk in Chromium."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.page = browser.new_context(**{"viewport": LAPTOP, **options}).new_page()
        self.page.set_default_timeout(LONG_MS)
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        """A complaint that holds one of these words is none; it may come at any time."""
        self.page.on(
            "console",
            lambda said: self._complain(said.text) if said.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self._complain(str(error)))

    def _complain(self, said: str) -> None:
        if not any(word in said for word in self.expected):
            self.complaints.append(said)

    def signed_in(self, name: str) -> Person:
        self.page.goto(f"{self.address}/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("text=Sign out")
        return self

    def open(self, path: str) -> Person:
        self.page.goto(f"{self.address}{path}")
        return self

    def until(self, condition: str) -> Person:
        """Wait until an expression holds; the page's policy forbids Playwright's own way."""
        deadline = time.monotonic() + LONG_MS / 1000
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)
        return self

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.tagName"))


At = Callable[..., Person]
"""Seats somebody at the desk by their name; without a name, nobody is signed in."""
