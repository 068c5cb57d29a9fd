"""Measure each process's processor time while nothing happens: first without shots, then with many waiting ones.

    python -m benchmarks.idle --waiting 2000 --minutes 5

The whole system is started as by ``packshot up``, with servers, worker, watch and desk, in a temporary folder. It is
measured first without a shot: this is what Prefect, PostgreSQL and the other parts take by themselves. Then it is
measured with shots that wait for an editor, each with its run.

Processor time is counted, not wall time, so other work on the machine does not count. Still, a busy machine makes the
results a little larger. The results are printed; nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil

from benchmarks.waiting_runs import BATCH, create_waiting, waiting_shot
from deployments.background import down, up
from deployments.demo import environment
from infra.local.postgres import DATABASE, OWNER
from tasks.runs.suspended import run_name

SETTLING_S = 90.0
"""So long after a start or a change nothing is counted: caches fill, the board is written."""
PARTS = {
    "infra.prefect_app": "Prefect's server",
    "prefect.server": "Prefect's server",
    "postgres": "PostgreSQL",
    "weed": "S3",
    "worker start": "worker",
    "deployments watch": "watch",
    "deployments desk": "desk",
    "deployments serve": "supervisor",
    "infra.local.watchdog": "watchdogs",
}
ASKED_BY_THE_LINE = 20
"""So many waiting runs are created as the line does it; the others are copies."""
_COPY = "INSERT INTO {0} SELECT (jsonb_populate_record(one, $2::jsonb)).* FROM {0} AS one WHERE id = $1"
OURS = frozenset({"watch", "desk", "supervisor", "watchdogs"})


def main() -> None:
    """Start the whole system, and print the processor time of each of its processes while nothing happens."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waiting", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=5.0)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="packshot-idle-"))
    folder.chmod(0o711)
    os.environ["PACKSHOT_SCRATCH_DIR"] = str(folder / "scratch")
    process = psutil.Process(up(folder / "state")[0])
    try:
        _look("nothing waits", process, minutes=given.minutes)
        with environment(_variables(folder / "state" / "environment")):
            create_waiting(min(given.waiting, ASKED_BY_THE_LINE))
            for number in range(ASKED_BY_THE_LINE, given.waiting):
                waiting_shot(number)
            password = (folder / "state" / "postgres-password").read_text()
            asyncio.run(_ask_about(range(ASKED_BY_THE_LINE, given.waiting), password))
        _look(f"{given.waiting} wait", process, minutes=given.minutes)
    finally:
        down(folder / "state")


async def _ask_about(numbers: range, password: str) -> None:
    """Copy one waiting run for each shot, in Prefect's database: to create 2,000 by its API takes minutes."""
    port = urlsplit(os.environ["PACKSHOT_INDEX_URL"]).port
    connection = await asyncpg.connect(f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{DATABASE}")
    async with connection.transaction():
        one = await connection.fetchrow("SELECT * FROM flow_run WHERE state_type = 'PAUSED' LIMIT 1")
        for number in numbers:
            run, state, shot = uuid.uuid4(), uuid.uuid4(), BATCH.shot(f"RNG{number:05}_MAIN")
            asked = {"client": BATCH.client, "batch": BATCH.batch, "shot": shot.shot}
            new = {"id": str(run), "name": run_name(shot), "parameters": asked, "idempotency_key": str(run)}
            await connection.execute(_COPY.format("flow_run"), one["id"], json.dumps({**new, "state_id": None}))
            said = json.dumps({"id": str(state), "flow_run_id": str(run)})
            await connection.execute(_COPY.format("flow_run_state"), one["state_id"], said)
            await connection.execute("UPDATE flow_run SET state_id = $2 WHERE id = $1", run, state)
    await connection.close()


def _variables(file: Path) -> dict[str, str]:
    words = [shlex.split(line.removeprefix("export "))[0] for line in file.read_text().splitlines()]
    return dict(word.split("=", 1) for word in words)


def _look(what: str, process: psutil.Process, *, minutes: float) -> None:
    time.sleep(SETTLING_S)
    before, started = taken(process), time.monotonic()
    time.sleep(minutes * 60.0)
    after, seconds = taken(process), time.monotonic() - started
    spent = {part: after[part] - before[part] for part in after}
    print(f"\n{what}: processor time over {seconds:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for part, used in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"  {part:<18} {used:7.2f} s  {100 * used / seconds:5.2f} % of a core")
    ours = sum(used for part, used in spent.items() if part in OURS)
    for name, used in (("Packshot's own", ours), ("all", sum(spent.values()))):
        print(f"  {name:<18} {used:7.2f} s  {100 * used / seconds:5.2f} % of a core", flush=True)


def taken(process: psutil.Process) -> Counter[str]:
    """Return the processor seconds of a process and its descendants: name of the part of the system -> seconds.

    The parts are those of Packshot, such as ``PostgreSQL`` and ``desk``. Another process has the beginning of its
    command as its name. The time of a descendant that has ended counts for the process that started it.

    Args:
        process: the first process of the system.
    """
    found: Counter[str] = Counter()
    for one in (process, *process.children(recursive=True)):
        try:
            times, words = one.cpu_times(), " ".join(one.cmdline())
        except psutil.Error:
            continue
        part = next((part for word, part in PARTS.items() if word in words), words[:60] or "others")
        found[part] += times.user + times.system + times.children_user + times.children_system
    return found


if __name__ == "__main__":
    main()
