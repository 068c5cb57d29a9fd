"""What a decoder does that has been taken over, or that breaks. Run in a child, in place of a real one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packshot.errors import TooSmallError
from packshot.pipeline.opening import send_master

NAME = __name__


def crash(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return None, {}


def hang(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    threading.Event().wait()
    return None, {}


def spin(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    while True:
        pass


def swallow(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    held = []
    while True:
        held.append(b"x" * 50_000_000)


def refuse(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    raise TooSmallError("the picture is too small", "a.jpg", found="1 x 1", allowed="more", next_step="Send more.")


def go_wrong(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    raise LookupError("nothing there")


def lie(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    for number in range(3, 200):
        try:
            os.write(number, b"\0\0\0\0\0\0\0\x05hello")
        except OSError:
            continue
    time.sleep(60)
    return None, {}


def echo(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    return {"process": os.getpid(), "length": len(data)}, {"data": data}


def loops_found_on_disk(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    """The compiled loops that were found on disk, not compiled anew."""
    from packshot.formats.jpeg_codes import load_walk
    from packshot.formats.jpeg_lossless import load_lossless_walk
    from packshot.formats.jpeg_progressive import load_progressive_walk

    loops: list[Any] = [load_walk(), load_progressive_walk(), load_lossless_walk()]  # numba's dispatchers
    return sum(sum(loop.stats.cache_hits.values()) for loop in loops), {}


def by_its_words(data: bytes, **known: Any) -> tuple[Any, dict[str, Any]]:
    """Crash, hang or swallow memory for the files that ask for it; master all others."""
    for word, what in ((b"CRASH", crash), (b"SPIN", spin), (b"SWALLOW", swallow)):
        if word in data:
            return what(data)
    return send_master(data, **known)


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        return f"got in: {attempt()!r}"[:200]
    except Exception as error:  # noqa: BLE001  whatever stops it
        return type(error).__name__


def _connect() -> None:
    socket.create_connection(("127.0.0.1", 9), timeout=1)


def get_out(data: bytes, *, secret: str, parent: int, free: str) -> tuple[Any, dict[str, Any]]:
    """Try to get out in many ways, and tell what came of each."""
    tries: dict[str, Callable[[], object]] = {
        "a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "a connection": _connect,
        "a secret file": lambda: Path(secret).read_bytes(),
        "keys of the cloud": lambda: (Path.home() / ".aws" / "credentials").read_bytes(),
        "users of the machine": lambda: Path("/etc/passwd").read_text(),
        "the environment of the parent": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "the memory of the parent": lambda: Path(f"/proc/{parent}/mem").read_bytes(),
        "files of the parent": lambda: list(Path(f"/proc/{parent}/fd").iterdir()),
        "a new file": lambda: Path(free).write_text("x"),
        "a new file in tmp": lambda: Path("/tmp/packshot-escaped").write_text("x"),
        "a new folder": lambda: Path(free).mkdir(),
        "code of its own": lambda: Path(__file__).write_text(""),
        "a shell": lambda: subprocess.run(["/bin/sh", "-c", "id"], check=True, capture_output=True),
        "a program in its place": lambda: os.execv("/bin/true", ["true"]),
        "a process": os.fork,
        "a signal to the parent": lambda: os.kill(parent, 0),
        "the folder of the project": lambda: list(Path(__file__).parents[2].iterdir()),
    }
    found = {name: _outcome(attempt) for name, attempt in tries.items()}
    return {"tries": found, "environment": dict(os.environ)}, {}
