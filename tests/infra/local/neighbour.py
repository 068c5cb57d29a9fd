"""Another user of this machine: runs a command as one who owns nothing here, and finds out what a port gives away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.patience import PATIENCE_S

NEIGHBOUR = 61_234
"""A user id that owns nothing."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

ASK = """
import http.client, json, socket, ssl, sys
answers = []
unsafe = ssl.create_default_context(); unsafe.check_hostname = False; unsafe.verify_mode = ssl.CERT_NONE
for port, method, path, headers, body in json.load(sys.stdin):
    for kind in ("http", "https"):
        make = http.client.HTTPConnection if kind == "http" else http.client.HTTPSConnection
        more = {"context": unsafe} if kind == "https" else {}
        connection = make("127.0.0.1", port, timeout=60, **more)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            said = answer.read(2000).decode(errors="replace")
            answers.append([port, kind, method, path, answer.status, said])
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
print(json.dumps(answers))
"""
CONNECT = """
import json, socket, sys
open_ = []
for path in json.load(sys.stdin):
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(path)
            open_.append(path)
        except OSError:
            pass
print(json.dumps(open_))
"""
READ = """
import json, sys
read = []
for path in json.load(sys.stdin):
    try:
        open(path, "rb").close()
        read.append(path)
    except OSError:
        pass
print(json.dumps(read))
"""
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)  # noqa: PTH110
"""One that every user may run; it needs the standard library only."""


def act(code: str, given: object) -> Any:
    """Run Python code as the neighbour and return the JSON that it prints."""
    done = subprocess.run(
        [PYTHON, "-I", "-c", code],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        user=NEIGHBOUR,
        group=NEIGHBOUR,
        extra_groups=[],
        cwd="/",
        env={},
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ask(
    ports: Iterable[int],
    paths: Iterable[str],
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> list[tuple[int, str, str, str, int, str]]:
    """What the neighbour is answered, by HTTP and HTTPS: port, scheme, method, path, status, text."""
    requests = [(port, method, path, dict(headers or {}), body) for port in ports for path in paths]
    return [tuple(answer) for answer in act(ASK, requests)]
