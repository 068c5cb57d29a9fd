"""Where tasks and flows say what they do: the run's own log, or Python's where there is no run."""

from __future__ import annotations

import logging
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger


def log() -> logging.Logger | logging.LoggerAdapter[Any]:
    """Return the logger of the present run."""
    in_a_run = FlowRunContext.get() or TaskRunContext.get()
    return get_run_logger() if in_a_run else logging.getLogger("packshot")
