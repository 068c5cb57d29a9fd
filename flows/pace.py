"""Decide how many shots a run works on at the same time."""

from __future__ import annotations

from typing import Any, cast

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.environment.settings import get_settings

PACE = cast(TaskRunner[PrefectFuture[Any]], ThreadPoolTaskRunner(max_workers=get_settings().worker_threads))
"""Task runner with a limited number of threads; the setting is read once, when the run's process loads its flow.

Without a limit Prefect would start every shot of a batch at once, each with its full-size picture in memory.
"""
