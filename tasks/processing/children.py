"""Start child processes that decode files from outside, keep them running, and kill them when they fail.

A file that makes its decoder crash, hang or use too much memory can't harm this process. Such a file is tried once more
in a new child. If that child ends too, the file is refused with a `DecoderCrashedError`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import cv2
import numpy as np

from packshot import errors
from packshot.errors import DecoderCrashedError, PackshotError
from packshot.specs.models import ApartLimits
from tasks.processing.child import HEAD, READY
from tasks.processing.kernels import kernel_folder, kernel_variables

_TRIES = 2
_START_S = 120
_MOST_ANSWER_BYTES = 256_000_000
_MOST_CALLS = 200
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_DTYPES = frozenset({"uint8", "uint16", "float32", "bool"})
_PIPE_BYTES, _SET_PIPE_SIZE = 1 << 20, 1031


class Answer(NamedTuple):
    """What a function that ran in a child process has returned.

    Attributes:
        value: plain JSON. Validate it: it comes from a process that has read untrusted bytes.
        parts: name -> bytes, or a NumPy array of dtype uint8, uint16, float32 or bool.
    """

    value: Any
    parts: Mapping[str, Any]


class _DiedError(Exception):
    """A child ended; the message says how."""


class Child:
    """One confined child process. `Children` makes and ends it.

    Attributes:
        layers: name of each layer of confinement, such as ``files`` -> why it doesn't work on this system; an empty
            text if it works.
        memory_bytes: memory that the process may use beyond what it has when it is ready.
        calls: number of calls that it has answered.
    """

    def __init__(self, memory_bytes: int, *, packages: tuple[str, ...]) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        kernels = kernel_folder()
        options = {
            "packages": packages,
            "kernels": str(kernels or ""),
            "memory_bytes": memory_bytes,
            "threads": cv2.getNumThreads(),
        }
        code = (
            f"import sys; sys.path[:] = {[entry or os.getcwd() for entry in sys.path]!r}; "  # noqa: PTH109
            f"from tasks.processing.child import main; main({theirs_in}, {theirs_out}, **{options!r})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code],
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
            | dict(kernel_variables(kernels)),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        _widen(ours_in, ours_out)
        self._answers: IO[bytes] = os.fdopen(ours_in, "rb")
        self._requests: IO[bytes] = os.fdopen(ours_out, "wb")
        self.memory_bytes, self.calls = memory_bytes, 0
        try:
            with self._killed_after(_START_S) as late:
                head, _ = self._read(late)
        except _DiedError:
            self.end()
            raise
        self.layers: dict[str, str] = {str(name): str(why) for name, why in head[READY].items()}

    def call(
        self, function: str, arguments: tuple[Any, ...], options: Mapping[str, Any], within: ApartLimits
    ) -> Answer:
        """Call a function in the child process, and return what it returns.

        Args:
            function: ``module:name`` of a function that returns (plain JSON, mapping of name to bytes or array).
            arguments, options: its positional and keyword arguments; they are pickled.
            within: the time and the processor time that the call may take.
        Raises:
            _DiedError: the child ended, needed too much memory, or was killed because it took too long. `Children`
                tries again.
            PackshotError: raised by the function.
            RuntimeError: the function raised any other error.
        """
        request = pickle.dumps((function, arguments, dict(options), within.processor_s), protocol=5)
        with self._killed_after(within.deadline_s) as late:
            try:
                self._requests.write(HEAD.pack(len(request)))
                self._requests.write(request)
                self._requests.flush()
            except OSError as error:
                raise self._death(late) from error
            head, parts = self._read(late)
        self.calls += 1
        if head.get("memory"):
            raise _DiedError(f"it needs more than {self.memory_bytes:,} bytes of memory")
        if "error" in head:
            raise _error_of(head["error"])
        if "unexpected" in head:
            raise RuntimeError(str(head["unexpected"])[:2000])
        return Answer(head.get("value"), parts)

    def end(self) -> None:
        """Kill the child process and every process that it started, and wait until it has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._answers, self._requests):
            with contextlib.suppress(OSError):
                stream.close()

    @contextlib.contextmanager
    def _killed_after(self, seconds: float) -> Any:
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _read(self, late: threading.Event) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            (size,) = HEAD.unpack(self._exactly(HEAD.size, late))
            if size > _MOST_ANSWER_BYTES:
                raise _DiedError("it answered what no decoder answers")
            head = json.loads(self._exactly(size, late))
            parts, left = {}, 4 * self.memory_bytes
            for name, dtype, shape, n_bytes in head.pop("parts"):
                left -= int(n_bytes)
                if left < 0 or int(n_bytes) < 0:
                    raise _DiedError("its answer is larger than its memory limit")
                parts[str(name)] = _part(self._exactly(int(n_bytes), late), dtype, shape)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _DiedError("it answered what no decoder answers") from error
        return head, parts

    def _exactly(self, size: int, late: threading.Event) -> bytes:
        data = self._answers.read(size)
        if len(data) < size:
            raise self._death(late)
        return data

    def _death(self, late: threading.Event) -> _DiedError:
        code = self._process.wait()
        if late.is_set():
            return _DiedError("it did not end within its time")
        if code == -signal.SIGXCPU:
            return _DiedError("it took more than its processor time")
        return _DiedError(f"it ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with status {code}")


class Children:
    """The child processes of this process. A free one takes the next call; if none is free, a new one is started.

    After a failure, and after 200 calls, a child is ended.

    Args:
        packages: names of the packages whose functions the children may call.
    """

    def __init__(self, *, packages: tuple[str, ...] = ("packshot",)) -> None:
        self._packages = packages
        self._lock = threading.Lock()
        self._idle: list[Child] = []

    def call(self, function: str, *arguments: Any, about: str, within: ApartLimits, **options: Any) -> Answer:
        """Call a function in a child process, for example on bytes from outside, and return what it returns.

        If the child ends during the call, the call is made once more in another child.

        Args:
            function: ``module:name`` of a function that returns (plain JSON, mapping of name to bytes or array).
            arguments: positional arguments for the function; they are pickled.
            about: name of the file, for messages.
            within: the memory, time and processor time that the call may take.
            options: keyword arguments for the function; they are pickled.
        Raises:
            DecoderCrashedError: two children ended during the call.
            PackshotError: raised by the function.
            RuntimeError: no child could be started, or the function raised any other error.
        """
        ends = []
        for _ in range(_TRIES):
            try:
                child = self._taken(within.memory_bytes)
            except _DiedError as error:
                raise RuntimeError(f"no child could be started to open {about!r}: {error}") from error
            keep = False
            try:
                answer = child.call(function, arguments, options, within)
                keep = child.calls < _MOST_CALLS
            except PackshotError:
                keep = child.calls < _MOST_CALLS
                raise
            except _DiedError as error:
                ends.append(str(error))
            else:
                return answer
            finally:
                self._give_back(child, keep=keep)
        raise DecoderCrashedError(
            "the process that opened the file ended early, twice",
            about,
            found="; then ".join(dict.fromkeys(ends)),
            allowed=f"{within.memory_bytes:,} bytes, {within.deadline_s} s, {within.processor_s} s of processor time",
            next_step="Export the picture again, smaller or as a plain TIFF.",
        )

    def layers(self, limits: ApartLimits) -> dict[str, str]:
        """Return for each layer of confinement why it doesn't work on this system; an empty text if it works.

        Example: ``{"namespaces": "unshare: Operation not permitted", "files": ""}``.

        Args:
            limits: of the child that is asked; its memory limit is a layer too.
        """
        child = self._taken(limits.memory_bytes)
        self._give_back(child, keep=True)
        return child.layers

    def close(self) -> None:
        """End the child processes that do no work now. Child processes that are at work go on."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _taken(self, memory_bytes: int) -> Child:
        with self._lock:
            fitting = [child for child in self._idle if child.memory_bytes == memory_bytes]
            if fitting:
                self._idle.remove(fitting[-1])
                return fitting[-1]
        return Child(memory_bytes, packages=self._packages)

    def _give_back(self, child: Child, *, keep: bool) -> None:
        if not keep:
            child.end()
            return
        with self._lock:
            self._idle.append(child)


def _widen(*pipes: int) -> None:
    if sys.platform == "linux":
        import fcntl

        for pipe in pipes:
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)


def _part(data: bytes, dtype: str, shape: list[int]) -> Any:
    if not dtype:
        return data
    if dtype not in _DTYPES:
        raise ValueError(dtype)
    return np.frombuffer(data, dtype).reshape([int(side) for side in shape])


def _error_of(told: list[str]) -> PackshotError:
    kind = getattr(errors, str(told[0]), None)
    words = [str(one)[:4000] for one in told[1:6]]
    if isinstance(kind, type) and issubclass(kind, PackshotError):
        return kind(*words)
    return PackshotError(*words)


_making = threading.Lock()
_made: list[tuple[int, Children]] = []


def children() -> Children:
    """Return this process's pool of child processes, in which files from outside are opened.

    Every call returns the same pool; a forked process gets a pool of its own. At the end of the process its free
    children are ended.
    """
    with _making:
        if not _made or _made[0][0] != os.getpid():
            _made[:] = [(os.getpid(), Children())]
            atexit.register(_made[0][1].close)
        return _made[0][1]
