"""Give tasks and flows a logger: Prefect's run log inside a run, Python's own logger outside."""

from __future__ import annotations

import logging
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger

from packshot.escaping import terminal


class _OneLine(logging.Filter):
    """Escape control characters and line breaks: text from outside must not steer a terminal or forge a log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = terminal(record.getMessage()), ()
        return True


_ONE_LINE = _OneLine()


def log() -> logging.Logger | logging.LoggerAdapter[Any]:
    """Return the logger for the code that runs now: Prefect's run logger, which shows lines on the run's page.

    Outside a flow run or task run it is Python's logger ``packshot``. Control characters and line breaks in messages
    are escaped, because a client's file name may contain them.
    """
    in_a_run = FlowRunContext.get() or TaskRunContext.get()
    logger = get_run_logger() if in_a_run else logging.getLogger("packshot")
    speaks = logger.logger if isinstance(logger, logging.LoggerAdapter) else logger
    speaks.addFilter(_ONE_LINE)  # a logger keeps each filter only once
    return logger
