"""Decode files from outside in a child process, which confines itself first and then answers call after call.

Requests come from our own process and are trusted: the name of a function and its arguments, pickled. Answers come from
a process that has read untrusted bytes, so they are never unpickled. They are JSON, then raw bytes and arrays.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tasks.processing.confinement import confine, limit_memory, limit_processor, own_size

HEAD = struct.Struct(">Q")
READY = "ready"


def main(
    requests: int, answers: int, *, packages: tuple[str, ...], kernels: str, memory_bytes: int, threads: int
) -> None:
    """Confine this process, then answer calls until the parent process closes the pipe. Nothing is returned.

    The parent starts it (`tasks.processing.children`). The first answer tells which layers of confinement work here.

    Args:
        requests, answers: file descriptors of the two pipes to the parent.
        packages: names of packages that may be imported later. Their folders and those of installed libraries stay
            readable.
        kernels: folder with compiled code, which stays readable; empty if there is none.
        memory_bytes: memory that the process may use beyond what it has when it is ready.
        threads: number of threads for OpenCV.
    """
    sys.dont_write_bytecode = True
    with os.fdopen(requests, "rb") as incoming, os.fdopen(answers, "wb") as outgoing:
        folders = [Path(folder) for name in packages for folder in importlib.import_module(name).__path__]
        libraries = [Path(entry) for entry in sys.path if _holds_libraries(Path(entry))]
        libraries += [Path(kernels)] if kernels else []
        size = own_size()
        layers = confine([*folders, *libraries, Path(sys.prefix) / "lib", Path(sys.base_prefix) / "lib"])
        _warm_up(threads)
        layers["memory"] = limit_memory(memory_bytes, size)
        _send(outgoing, {READY: layers}, {})
        while (request := _received(incoming)) is not None:
            _send(outgoing, *_answer(*request))


def _holds_libraries(entry: Path) -> bool:
    """Return whether an entry of ``sys.path`` holds installed libraries. A checkout's folder doesn't count: it may hold
    secrets.
    """
    return entry.name in ("site-packages", "dist-packages") or entry.suffix == ".zip"


def _warm_up(threads: int) -> None:
    """Import what every file needs, before the first one arrives."""
    import cv2

    from packshot.memory import reuse_freed_memory

    reuse_freed_memory()
    cv2.setNumThreads(threads)
    importlib.import_module("packshot.pipeline.opening")


def _received(incoming: IO[bytes]) -> tuple[str, tuple[Any, ...], dict[str, Any], int] | None:
    head = incoming.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    request: tuple[str, tuple[Any, ...], dict[str, Any], int] = pickle.loads(incoming.read(*HEAD.unpack(head)))  # noqa: S301
    return request


def _answer(
    function: str, arguments: tuple[Any, ...], options: dict[str, Any], cpu_s: int
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    from packshot.errors import PackshotError

    limit_processor(cpu_s)
    module, _, name = function.partition(":")
    try:
        value, parts = getattr(importlib.import_module(module), name)(*arguments, **options)
    except PackshotError as error:
        return {"error": [type(error).__name__, *map(str, error.args)]}, {}
    except MemoryError:
        return {"memory": True}, {}
    except Exception as error:  # noqa: BLE001  it is raised again where the call came from
        return {"unexpected": f"{type(error).__name__}: {error}"}, {}
    return {"value": value}, parts


def _send(outgoing: IO[bytes], answer: dict[str, Any], parts: Mapping[str, Any]) -> None:
    """Write an answer: its length, its JSON, then each part. The JSON lists each part's name, dtype, shape and size in
    bytes.
    """
    listed: list[tuple[str, str, list[int], int]] = []
    for name, part in parts.items():
        is_bytes = isinstance(part, bytes)
        dtype, shape = ("", []) if is_bytes else (part.dtype.name, list(part.shape))
        listed.append((name, dtype, shape, len(part) if is_bytes else part.nbytes))
    text = json.dumps({**answer, "parts": listed}).encode()
    outgoing.write(HEAD.pack(len(text)))
    outgoing.write(text)
    for part in parts.values():
        outgoing.write(part if isinstance(part, bytes) else memoryview(part).cast("B"))
    outgoing.flush()
