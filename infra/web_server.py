"""Serve a web application at little cost while nobody asks it.

uvicorn's own server checks ten times a second whether it is to end. That costs processor time all day, even if no
request comes. The server here checks once a second.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from types import FrameType

import uvicorn

TICK_S = 1.0
"""How often the server looks around: its ``Date`` header is at most so old."""
_NOT_STARTED = 3


class SeldomTicking(uvicorn.Server):
    """uvicorn's web server, changed so that it costs little while nobody asks it.

    uvicorn's own server checks ten times a second whether it is to end; a `SeldomTicking` server checks once a second.
    It still ends at once after a signal.
    """

    _woken: asyncio.Event | None = None
    _runs_in: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Serve until the server is to end. It checks that once a second (`TICK_S`), and after each signal."""
        self._runs_in, self._woken = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):  # the tick with this number renews the header
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_S)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal to end, and wake the server, so that it ends now and not at its next check.

        Args:
            sig: the signal's number.
            frame: the frame that the signal interrupted, as Python passes it to a signal handler; it is only passed on.
        """
        super().handle_exit(sig, frame)
        if self._runs_in is not None and self._woken is not None:
            self._runs_in.call_soon_threadsafe(self._woken.set)


def serve(config: uvicorn.Config) -> None:
    """Serve a web application until a signal to end, in this process, as `uvicorn.run` does.

    If the server could not start, this process ends with status 3.

    Args:
        config: the application, with host and port.
    """
    server = SeldomTicking(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
