"""A page opened in Chromium: what it does there comes back as what it reports to its own server."""

from __future__ import annotations

import http.server
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chromium import CHROMIUM

OPEN_S = 120.0


def report_of(
    page: str, profile: Path, *, host: str = "elsewhere.example", before_it_closes: Callable[[], object] = lambda: None
) -> Any:
    """Open a page as `host` and return what its `report(value)` sends; `host` is this machine under another name.

    Args:
        page: HTML; its scripts may call ``report``.
        profile: a new folder for the browser's own data.
        before_it_closes: called after the report, while the page is still open.
    """
    reports: queue.Queue[Any] = queue.Queue()
    text = f"<!doctype html><script>{REPORT}</script>{page}".encode()

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            *(str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-background-networking", "--no-proxy-server", f"--user-data-dir={profile}"),
            f"--host-resolver-rules=MAP {host} 127.0.0.1",
            f"http://{host}:{server.server_port}/",
        ]
        log = (profile.parent / "chromium.log").open("wb")
        browser = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            report = reports.get(timeout=OPEN_S)
            before_it_closes()
            return report
        finally:
            os.killpg(browser.pid, 9)
            browser.wait()
            log.close()
            server.shutdown()


REPORT = "function report(value) { fetch('/report', {method: 'POST', body: JSON.stringify(value)}); }"
