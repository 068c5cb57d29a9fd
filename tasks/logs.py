"""Where tasks and flows say what they do: the run's own log, or Python's where there is no run."""

from __future__ import annotations

import logging
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger

from packshot.escaping import terminal


class _OneLine(logging.Filter):
    """Keeps what somebody wrote from steering a terminal or writing a line of its own into a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = terminal(record.getMessage()), ()
        return True


_ONE_LINE = _OneLine()


def log() -> logging.Logger | logging.LoggerAdapter[Any]:
    """Return the logger of the present run."""
    in_a_run = FlowRunContext.get() or TaskRunContext.get()
    logger = get_run_logger() if in_a_run else logging.getLogger("packshot")
    speaks = logger.logger if isinstance(logger, logging.LoggerAdapter) else logger
    speaks.addFilter(_ONE_LINE)  # once: a logger has each filter once
    return logger
