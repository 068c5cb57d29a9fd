"""Find finished pictures that editors put into hot folders, match them to shots, and resume those shots' runs.

Each file is used once. A file counts as complete if its name doesn't mark it as temporary and nobody has written to it
for a while. A file that matches no shot is reported and stays where it is.

If a shot of a batch waits for an editor, the batch's folder is listed at every look. Nobody expects a file in the other
folders, but somebody may put one there by mistake. So some of them are listed at each look, in turn. The cost of a look
therefore grows with the number of waiting shots, not with the number of all batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, TypeVar

from prefect import task

from packshot.decision import Choice, Reason
from packshot.errors import (
    ConfigError,
    DecisionRefusedError,
    NamingError,
    ObjectMissingError,
    PackshotError,
    RecordConflictError,
    RecordDamagedError,
)
from packshot.handoff.deciding import UNKNOWN_EDITOR, picture_shown, taken_by
from packshot.handoff.filenames import is_litter, is_picture, is_unfinished, shot_of, version_of
from packshot.handoff.holds import Need, Sibling, paired
from packshot.keys import batch_from_drop_key, job_returned_prefix, jobs_prefix, shot_from_returned_key
from packshot.naming import BatchId, ShotId, is_name
from packshot.record import ShotRecord, State
from packshot.types import Value
from tasks.environment.configs import configs_in_force
from tasks.environment.logs import log
from tasks.environment.style_guides import promise_to
from tasks.people.holds import still_missing
from tasks.people.questions import SHOWN_DIGITS
from tasks.queries.asking import records_of_products, waiting_records
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import find_batch, find_record, load_records
from tasks.runs.resuming import resume, waiting_run_of
from tasks.storage.bucket import ObjectInfo, open_storage
from tasks.telling.notices import Notice, send_once, tell_of_misnamed

V = TypeVar("V")
OTHERS = 20
"""Folders of batches without a waiting job that are listed at each look; holds that no photograph answers, likewise."""
SLACK = timedelta(seconds=60)
"""Tolerance between our clock and the storage's clock. A file that is older than the question by more than this
belongs to an earlier question.
"""


class Collected(Value):
    """What one look into the hot folders has found. Editors put their finished pictures there.

    Attributes:
        resumed: shot (CLIENT/BATCH/SHOT) whose run goes on now -> key of the file that was handed in for it.
        waiting: keys of files that are still being uploaded, or were replaced during the look.
        unknown: key of a file that was not used -> the reason: it matches no shot, is no picture, or has a name that is
            not allowed.
        told: shot (CLIENT/BATCH/SHOT) that somebody else answered at the same moment -> why the file was not used.
    """

    resumed: Mapping[str, str] = {}
    waiting: tuple[str, ...] = ()
    unknown: Mapping[str, str] = {}
    told: Mapping[str, str] = {}

    @property
    def sentence(self) -> str:
        """The numbers in words, such as "2 returned, 1 still uploading, 0 fit no shot"."""
        return f"{len(self.resumed)} returned, {len(self.waiting)} still uploading, {len(self.unknown)} fit no shot" + (
            f", {len(self.told)} answered by somebody else" if self.told else ""
        )


@task(name="collect returned files", task_run_name="collect returned files", **ALWAYS)
def collect_returned(client: str = "") -> Collected:
    """Look for finished pictures that editors have put into hot folders, and return what was found.

    For each shot with a new file, its run is resumed, as if the editor had answered with that file.

    Args:
        client: only this client's folders; empty means those of all clients.
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
        """Note that a file in a hot folder is not used, and log the reason. The file stays where it is.

        Args:
            file: the file.
            why: the error, such as a name that is not allowed, a wrong config, or a damaged record.
        """
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
    for file in _listed(client, found.at):
        try:
            shot, batch = shot_from_returned_key(file.key), batch_from_drop_key(file.key)
        except NamingError as error:
            found.left(file, error)
            continue
        if (shot is None and batch is None) or is_litter(file.key):
            continue
        try:
            uploading, most = _is_uploading(file, found.at), configs_in_force().ingest.max_bytes
        except ConfigError as error:
            found.left(file, error)
            continue
        if uploading:
            found.waiting.append(file.key)
        elif not is_picture(file.key):
            why, hint = "not a kind of file that can be returned", "Return a TIFF, PSD, PNG, JPEG or WebP."
            _report_unknown(shot or batch, file, why, found, hint=hint)
        elif file.size_bytes > most:
            why = f"it has {file.size_bytes:,} bytes, and at most {most:,} are read"
            _report_unknown(shot or batch, file, why, found, hint="Return it with fewer layers, or compressed.")
        elif shot is not None:
            yield shot, file
        elif batch is not None:
            yield from _from_drop(batch, file, known, found)


def _listed(client: str, at: datetime) -> Iterator[ObjectInfo]:
    """Yield the objects in the folders where a file may have been put back; see the head of this module."""
    storage = open_storage()
    waiting = {one.shot.in_batch for one in waiting_records([State.AWAITING_EDITOR], client=client)}
    others = []
    for owner in [client] if client else list(storage.folders(jobs_prefix())):
        for name in storage.folders(f"{jobs_prefix()}{owner}/"):
            if is_name(owner) and is_name(name) and BatchId(client=owner, batch=name) in waiting:
                yield from storage.list(f"{jobs_prefix()}{owner}/{name}/")
            else:
                others.append(f"{jobs_prefix()}{owner}/{name}/")
    for prefix in in_turn(others, at=at):
        yield from storage.list(prefix)


def in_turn(every: Sequence[V], *, at: datetime) -> Sequence[V]:
    """Return those of many things that are to be looked at in this minute: at most 20 (`OTHERS`).

    In the next minute the next 20 are returned; after the last one the first one follows. Only the minute decides: two
    calls in one minute return the same. With at most 20 things, all are returned each time.

    Args:
        every: the things, such as folders, in the same order at each call.
        at: the time whose minute counts.
    """
    begin = OTHERS * int(at.timestamp() // 60) % max(1, len(every))
    return (*every[begin:], *every[:begin])[:OTHERS]


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
    try:
        copied = open_storage().copy(file.key, target, etag=file.etag.strip('"'))
    except RecordConflictError:
        found.waiting.append(file.key)
        log().warning("%s was replaced while it was being looked at; the next look takes the new file", file.key)
        return
    except ObjectMissingError:
        log().warning("%s was moved or deleted while it was being looked at", file.key)
        return
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


def _report_unknown(
    owner: ShotId | BatchId | None,
    file: ObjectInfo,
    why: str,
    found: _Findings,
    *,
    hint: str = "Rename it, or move it into its shot's own folder.",
) -> None:
    """Report a file that can't be used: in the run's result, and once as a notice, which says what helps."""
    found.unknown[file.key] = why
    _, client, batch, *_ = file.key.split("/")
    name = owner.shot if isinstance(owner, ShotId) else ""
    message = f"{file.key}: {why}. It stays where it is. {hint}"
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
    used = record.reports.get("returned", {}).get("seen", {}).get(file.key, "")
    since = record.since
    in_time = file.modified is None or since is None or file.modified >= since - SLACK
    return in_time and used.strip('"') != file.etag.strip('"')


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
    """Take the shots off hold for which everything has arrived; return these shots, each as CLIENT/BATCH/SHOT.

    At each call, all shots on hold are checked for which the index (the table of all shots) has a photograph that they
    wait for. Of the others, twenty are checked at each call, in turn. A shot whose record, or whose client's style
    guide, is wrong stays on hold; that is logged.

    Args:
        client: only this client's shots; empty means those of all clients.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    at, released = now(), list[str]()
    held = waiting_records([State.ON_HOLD], client=client)
    answered = _answered(held)
    others = [one.shot for one in held if one.shot not in answered]
    for shot in (*answered, *in_turn(others, at=at)):
        try:
            released += _released(shot)
        except (ConfigError, RecordDamagedError) as error:
            log().warning("%s stays on hold: %s", shot, error)
    return released


def _answered(held: Sequence[ShotRecord]) -> list[ShotId]:
    """Return those shots on hold of whose product the index has the photograph that they wait for.

    Of the others, nothing that the index knows can have changed. They are looked at in turn: a client's rules, or the
    batch's groups, may have.
    """
    found = []
    for client in {one.shot.client for one in held}:
        mine = [one for one in held if one.shot.client == client and one.product]
        try:
            promise = promise_to(client)
        except ConfigError as error:
            log().warning("%s: what is on hold stays so: %s", client, error)
            continue
        views: dict[str, list[Sibling]] = {}
        for other in records_of_products(client, {one.product for one in mine}):
            names = {"batch": other.shot.batch, "shot": other.shot.shot, "product": other.product}
            views.setdefault(other.product.casefold(), []).append(Sibling(**names, view=other.fact("view")))
        for one in mine:
            needs = [Need(need) for need in one.reports.get("hold", {}).get("needs", ())]
            siblings = views.get(one.product.casefold(), [])
            if any(paired(need, product=one.product, siblings=siblings, config=promise) for need in needs):
                found.append(one.shot)
    return found


def _released(shot: ShotId) -> list[str]:
    record = find_record(shot)
    if record is None or record.state is not State.ON_HOLD or still_missing(record):
        return []
    run = waiting_run_of(shot)
    if run is None:
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
