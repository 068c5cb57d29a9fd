"""How many shots one run works on at a time."""

from __future__ import annotations

from typing import Any, cast

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.settings import get_settings

PACE = cast(TaskRunner[PrefectFuture[Any]], ThreadPoolTaskRunner(max_workers=get_settings().worker_threads))
"""Read once, when a run's process loads its flow. Without a bound Prefect starts every shot of a batch at once, each
with its own full-size picture in memory."""
