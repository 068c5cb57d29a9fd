"""The hot folder: find finished pictures that editors put back, match them to shots, and resume those shots' runs.

Each file is used once. A file is complete if its name doesn't mark it as temporary and nobody has written to it for a
while. A file that fits no shot is reported. It stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from prefect import task
from prefect.client.schemas.objects import FlowRun

from packshot.decision import Choice, Reason
from packshot.errors import (
    ConfigError,
    DecisionRefusedError,
    NamingError,
    ObjectMissingError,
    PackshotError,
    RecordDamagedError,
)
from packshot.handoff.deciding import UNKNOWN_EDITOR, picture_shown, taken_by
from packshot.handoff.filenames import is_litter, is_picture, is_unfinished, shot_of, version_of
from packshot.naming import (
    BatchId,
    ShotId,
    batch_from_drop_key,
    job_returned_prefix,
    jobs_prefix,
    shot_from_returned_key,
)
from packshot.record import ShotRecord, State
from packshot.types import Value
from tasks.holding import still_missing
from tasks.lives import ALWAYS, now
from tasks.logs import log
from tasks.notices import Notice, send_once, tell_of_misnamed
from tasks.questions import SHOWN_DIGITS
from tasks.records import find_batch, find_record, load_records
from tasks.resuming import resume, shot_of_run, waiting_run_of, waiting_runs
from tasks.storage import ObjectInfo, open_storage
from tasks.style_guides import promise_to

SLACK = timedelta(seconds=60)
"""Tolerance between our clock and the storage's clock. A file that is older than the question by more than this
belongs to an earlier question.
"""


class Collected(Value):
    """Result of one look into the hot folders.

    Attributes:
        resumed: shot -> key of the file it was resumed with.
        waiting: files that are still being uploaded.
        unknown: files that fit no shot that waits for an editor -> why.
        told: shot that somebody else answered at the same moment -> what Prefect replied.
    """

    resumed: Mapping[str, str] = {}
    waiting: tuple[str, ...] = ()
    unknown: Mapping[str, str] = {}
    told: Mapping[str, str] = {}

    @property
    def sentence(self) -> str:
        return f"{len(self.resumed)} returned, {len(self.waiting)} still uploading, {len(self.unknown)} fit no shot" + (
            f", {len(self.told)} answered by somebody else" if self.told else ""
        )


@task(name="collect returned files", task_run_name="collect returned files", **ALWAYS)
def collect_returned(client: str = "") -> Collected:
    """Find returned files and resume the run of each shot that has a new one.

    Args:
        client: only this client's folders; empty means all.
    """
    found = _Findings(at=now())
    by_shot: dict[str, list[ObjectInfo]] = {}
    shots: dict[str, ShotId] = {}
    for shot, file in _files(client, found):
        shots[str(shot)] = shot
        by_shot.setdefault(str(shot), []).append(file)
    for name, files in by_shot.items():
        try:
            _take_up(shots[name], files, found)
        except RecordDamagedError as error:
            for file in files:
                found.left(file, error)
    return found.collected()


class _Findings:
    """What the search has found so far."""

    def __init__(self, *, at: datetime) -> None:
        self.at = at
        self.resumed: dict[str, str] = {}
        self.waiting: list[str] = []
        self.unknown: dict[str, str] = {}
        self.told: dict[str, str] = {}

    def left(self, file: ObjectInfo, why: PackshotError) -> None:
        """Leave a file where it is because of an error (name, config, damaged record); go on with the others."""
        self.unknown[file.key] = str(why)
        log().warning("%s stays where it is: %s", file.key, why)
        if isinstance(why, NamingError):
            tell_of_misnamed(file.key, why, about="returned work")

    def collected(self) -> Collected:
        return Collected(resumed=self.resumed, waiting=tuple(self.waiting), unknown=self.unknown, told=self.told)


def _files(client: str, found: _Findings) -> Iterator[tuple[ShotId, ObjectInfo]]:
    """Yield each complete picture that was put back, with its shot. A file in a batch's folder is copied to its
    shot's folder.
    """
    known: dict[str, dict[str, tuple[str, ...]]] = {}
    for file in open_storage().list(jobs_prefix(client)):
        try:
            shot, batch = shot_from_returned_key(file.key), batch_from_drop_key(file.key)
        except NamingError as error:
            found.left(file, error)
            continue
        if (shot is None and batch is None) or is_litter(file.key):
            continue
        try:
            uploading = _is_uploading(file, found.at)
        except ConfigError as error:
            found.left(file, error)
            continue
        if uploading:
            found.waiting.append(file.key)
        elif not is_picture(file.key):
            _report_unknown(shot or batch, file, "not a kind of file that can be returned", found)
        elif shot is not None:
            yield shot, file
        elif batch is not None:
            yield from _from_drop(batch, file, known, found)


def _is_uploading(file: ObjectInfo, at: datetime) -> bool:
    settle = timedelta(seconds=promise_to(file.key.split("/")[1]).settle_s)
    return is_unfinished(file.key) or not file.size_bytes or (file.modified is not None and at - file.modified < settle)


def _from_drop(
    batch: BatchId, file: ObjectInfo, known: dict[str, dict[str, tuple[str, ...]]], found: _Findings
) -> Iterator[tuple[ShotId, ObjectInfo]]:
    if str(batch) not in known:
        try:
            known[str(batch)] = _names_of(batch)
        except RecordDamagedError as error:
            found.left(file, error)
            return
    fits = shot_of(file.key, shots=known[str(batch)])
    if not fits.shot:
        _report_unknown(batch, file, fits.why, found)
        return
    shot = batch.shot(fits.shot)
    target = job_returned_prefix(shot) + _rest(file.key)
    copied = open_storage().copy(file.key, target)
    yield shot, copied.model_copy(update={"modified": file.modified})


def _rest(key: str) -> str:
    """Return the path below the batch's hot folder. It may contain a folder named after the editor."""
    return key.split("/_returned/", 1)[1]


def _names_of(batch: BatchId) -> dict[str, tuple[str, ...]]:
    """Return every shot of a batch with the other file names that editors give it."""
    record = find_batch(batch)
    if record is None:
        return {}
    shots = load_records([ref.shot for ref in record.shots])
    return {one.shot.shot: tuple(_aliases(one)) for one in shots}


def _aliases(record: ShotRecord) -> Iterator[str]:
    yield PurePosixPath(record.source.key).stem
    for fact in ("sku", "asin", "gtin"):
        if record.fact(fact) and record.fact("view"):
            yield f"{record.fact(fact)}_{record.fact('view')}"


def _report_unknown(owner: ShotId | BatchId | None, file: ObjectInfo, why: str, found: _Findings) -> None:
    """Report a file that can't be used: in the run's result, and once as a notice."""
    found.unknown[file.key] = why
    _, client, batch, *_ = file.key.split("/")
    name = owner.shot if isinstance(owner, ShotId) else ""
    message = f"{file.key}: {why}. It stays where it is. Rename it, or move it into its shot's own folder."
    notice = Notice(kind="unknown_file", client=client, batch=batch, shot=name, state="", message=message)
    send_once(notice, mark=f"{file.etag.strip(chr(34))[:16]}")


def _take_up(shot: ShotId, files: Iterable[ObjectInfo], found: _Findings) -> None:
    """Answer for a shot with the newest file that was not used yet: highest version first, then latest time."""
    record = find_record(shot)
    if record is None:
        for file in files:
            _report_unknown(shot, file, "there is no such shot", found)
        return
    if record.state is not State.AWAITING_EDITOR:
        return
    new = [file for file in files if _is_new(record, file)]
    run = waiting_run_of(shot) if new else None
    if run is None:
        return
    file = max(new, key=lambda one: (version_of(one.key), one.modified or found.at, one.key))
    try:
        resume(run, _answer(record, file))
    except DecisionRefusedError as error:
        found.told[str(shot)] = str(error)
    else:
        found.resumed[str(shot)] = file.key


def _is_new(record: ShotRecord, file: ObjectInfo) -> bool:
    """Return whether a file was put back after the question was asked and was not used yet."""
    seen = record.reports.get("returned", {}).get("seen", {})
    since = record.since
    in_time = file.modified is None or since is None or file.modified >= since - SLACK
    return in_time and seen.get(file.key) != file.etag


def _answer(record: ShotRecord, file: ObjectInfo) -> dict[str, Any]:
    below = file.key.removeprefix(job_returned_prefix(record.shot))
    return {
        "decision": Choice.RETURN.value,
        "person": _editor(below) or taken_by(record) or UNKNOWN_EDITOR,
        "reason": Reason.WORK_DONE.value,
        "picture": picture_shown(record)[:SHOWN_DIGITS],
        "note": "",
        "returned_file": below,
    }


def _editor(below: str) -> str:
    """Return the editor's name, taken from the folder that a file lies in; empty if it lies in none."""
    folder = PurePosixPath(below).parent.name
    return " ".join(folder.replace("_", " ").replace("-", " ").split())


@task(name="release what has arrived", task_run_name="release what has arrived", **ALWAYS)
def release_holds(client: str = "") -> list[str]:
    """Resume every shot on hold for which nothing is missing any more, and return their names."""
    tags = [State.ON_HOLD.value, *([f"client:{client}"] if client else [])]
    released = []
    for run in list(waiting_runs(tags)):  # read all pages first: resuming a run shifts the pages
        shot = shot_of_run(run)
        try:
            released += _released(run, shot)
        except (ConfigError, RecordDamagedError) as error:
            log().warning("%s stays on hold: %s", shot, error)
    return released


def _released(run: FlowRun, shot: ShotId) -> list[str]:
    record = find_record(shot)
    if record is None or record.state is not State.ON_HOLD or still_missing(record):
        return []
    try:
        resume(run, _arrived(record))
    except (DecisionRefusedError, ObjectMissingError):
        return []  # somebody else resumed it at the same moment
    return [str(shot)]


def _arrived(record: ShotRecord) -> dict[str, Any]:
    return {
        "decision": Choice.ARRIVED.value,
        "person": "the line",
        "reason": Reason.ARRIVED.value,
        "picture": picture_shown(record)[:SHOWN_DIGITS],
        "note": "",
    }
