"""Batches: find closed ones, take stock of their files, list shots by state, and sum up what became of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from prefect import task
from prefect.runtime import flow_run
from pydantic import Field

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ManifestError, NamingError, ObjectMissingError, PackshotError, RecordDamagedError
from packshot.export import sets
from packshot.export.left_out import LeftOut, in_words, left_out_of
from packshot.export.warned import Warned, warned_of
from packshot.figures import counted
from packshot.handoff import late
from packshot.handoff.board import wait_of
from packshot.ingest import stock as stocking
from packshot.ingest.manifest import Manifest, read_manifest
from packshot.naming import (
    READY,
    BatchId,
    ShotId,
    batch_from_ready_key,
    batch_lease,
    batch_record_key,
    inbox_key,
    inbox_prefix,
    path_in_inbox,
    shots_prefix,
)
from packshot.record import DONE, WAITING, ShotRecord, Source, State
from packshot.shot_names import shot_names
from packshot.specs.nearest import did_you_mean
from packshot.types import Finding, Status, Value
from tasks.configs import configs_in_force, fingerprint
from tasks.displays import show_table
from tasks.handovers import ApprovedShot, BatchStock
from tasks.index.asking import etags_of_finished
from tasks.leases import holding
from tasks.lives import ALWAYS, actor, now
from tasks.logs import log
from tasks.records import (
    change_batch,
    change_record,
    create_batch,
    create_record,
    find_batch,
    find_record,
    load_batch,
    load_records,
)
from tasks.sets import held_for_sets, sets_of
from tasks.storage import ObjectInfo, Storage, open_storage
from tasks.tickets import promise_shown

TO_DELIVER = (State.APPROVED, State.EXPORTED, State.VERIFIED)
AT_WORK = "at work"
"""`Fate.kind` of a shot that a live run has not finished yet."""

_AT_ONCE = 16
_AT_REST = frozenset({*WAITING, *DONE, *TO_DELIVER, State.REFUSED})


class Fate(Value):
    """What became of one file.

    Attributes:
        kind: exactly one of delivered, waiting, refused, failed; while a run is at work also `AT_WORK`.
        with_whom, since, due: for a waiting shot: who has to act, since when, and until when. On hold it waits for the
            client.
        left_out: platform name or file path -> why this photograph was not delivered there.
        product: its product, where the client asks for certain views of each.
        lacks: views of its product that are not there, and why; empty if it is complete.
        unreadable: it has no record, or one that can't be read.
        passing: why it failed may pass by itself: the storage or a server was away, a disk was full.
    """

    shot: str
    file: str
    kind: str
    state: State
    why: str
    category: str = ""
    score: float | None = None
    files: int = 0
    with_whom: str = ""
    since: datetime | None = None
    due: datetime | None = None
    left_out: Mapping[str, str] = Field(default_factory=dict)
    product: str = ""
    lacks: str = ""
    unreadable: bool = False
    passing: bool = False

    @property
    def on_hold(self) -> bool:
        return self.state is State.ON_HOLD


class Summary(Value):
    """What became of a batch, file by file.

    Attributes:
        findings: about the batch and its manifest.
        warnings: about its photographs; each distinct warning once.
        products: which of its products have all views that the client asks for; empty if it asks for none.
        stands: progress in words while a run is at work; empty at the end.
    """

    batch: BatchId
    fates: tuple[Fate, ...]
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Warned, ...] = ()
    products: tuple[sets.ProductSet, ...] = ()
    stands: str = ""

    def of(self, kind: str) -> tuple[Fate, ...]:
        """Return the fates of one kind, for example ``of("failed")``."""
        return tuple(fate for fate in self.fates if fate.kind == kind)

    @property
    def failed(self) -> tuple[Fate, ...]:
        return self.of("failed")

    @property
    def passing(self) -> tuple[Fate, ...]:
        """Failed files that are worth another try in the same run."""
        return tuple(fate for fate in self.failed if fate.passing)

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of files by kind; the counts add up to all files received."""
        found = Counter(fate.kind for fate in self.fates)
        kinds = ("delivered", "waiting", "refused", "failed", *([AT_WORK] if found[AT_WORK] else []))
        return {kind: found[kind] for kind in kinds}

    @property
    def sentence(self) -> str:
        held = sum(fate.on_hold for fate in self.fates)
        words = {"waiting": f" ({held} of them on hold)"} if held else {}
        counts = ", ".join(f"{n} {kind}{words.get(kind, '')}" for kind, n in self.counts.items())
        told = f"{counted(len(self.fates), 'photograph')}: {counts}" if self.fates or not self.stands else ""
        return "; ".join(filter(None, (self.stands, told, sets.in_words(self.products), in_words(self.left_out))))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Platforms that get nothing, or not every file, of a photograph."""
        return tuple(
            LeftOut(shot=fate.shot, name=name, why=why) for fate in self.fates for name, why in fate.left_out.items()
        )

    @property
    def rows(self) -> list[dict[str, object]]:
        """The batch as table rows, one for each photograph."""
        return [
            {
                "shot": fate.shot,
                "file": fate.file,
                "became": "on hold" if fate.on_hold else fate.kind,
                "score": fate.score,
                "files": fate.files,
                **({"product": _product_cell(fate)} if self.products else {}),
                "left out": "; ".join(f"{name}: {why}" for name, why in fate.left_out.items()),
                "waits for": fate.with_whom,
                "since": f"{fate.since:%Y-%m-%d %H:%M}" if fate.since else "",
                "due": f"{fate.due:%Y-%m-%d %H:%M}" if fate.due else "",
                "why": fate.why,
            }
            for fate in self.fates
        ]

    @property
    def failure_sentence(self) -> str:
        """The first five failed shots with their reasons, and what was left out of other shots."""
        named = "; ".join(f"{fate.shot}: {fate.why}" for fate in self.failed[:5])
        failed = f"{len(self.failed)} of {counted(len(self.fates), 'shot')} failed: {named}"
        named_already = {fate.shot for fate in self.failed}
        others = in_words(one for one in self.left_out if one.shot not in named_already)
        return "; ".join(filter(None, (failed, others)))


def _product_cell(fate: Fate) -> str:
    """Return a product with what it lacks, for a table."""
    return f"{fate.product} {f'lacks {fate.lacks}' if fate.lacks else 'complete'}" if fate.product else ""


class ClosedBatches(Value):
    """The batches to process in a night.

    Attributes:
        left_out: key of a "batch is closed" marker whose folder has no valid batch name -> why.
    """

    batches: tuple[BatchId, ...]
    left_out: Mapping[str, str] = {}


@task(name="find closed batches", task_run_name="find closed batches", **ALWAYS)
def closed_batches() -> ClosedBatches:
    """Return closed batches that are not finished yet, the one that was closed first at the top.

    A folder whose name is not valid for a batch is listed in `left_out`; it doesn't stop the others.
    """
    storage, waiting, left_out = open_storage(), list[tuple[datetime, str, BatchId]](), dict[str, str]()
    finished = _finished(storage)
    for folder in _inbox_folders(storage):
        try:
            batch = batch_from_ready_key(f"{folder}{READY}")
        except NamingError as error:
            if _closed(storage, folder):
                log().warning("%r closes no batch: %s", f"{folder}{READY}", error)
                left_out[f"{folder}{READY}"] = str(error)
            continue
        if batch is None or batch in finished:
            continue
        closed = _closed(storage, folder)
        if closed and not _is_finished(batch):
            waiting.append((closed.modified or now(), str(batch), batch))
    return ClosedBatches(batches=tuple(batch for _, _, batch in sorted(waiting)), left_out=left_out)


def _inbox_folders(storage: Storage) -> Iterator[str]:
    """Yield ``inbox/<client>/<batch>/`` for each batch, without a look at the files in it."""
    for client in storage.folders("inbox/"):
        yield from (f"inbox/{client}/{batch}/" for batch in storage.folders(f"inbox/{client}/"))


def _closed(storage: Storage, folder: str) -> ObjectInfo | None:
    """Return the object that closes a batch; None if the batch is not closed."""
    first = next(storage.list(f"{folder}{READY}"), None)  # the first key with a prefix is itself
    return first if first is not None and first.key == f"{folder}{READY}" else None


def _finished(storage: Storage) -> set[BatchId]:
    """Return the batches that the index knows as finished and whose records have not changed since."""

    def is_unchanged(known: tuple[BatchId, str]) -> bool:
        try:
            return storage.head(batch_record_key(known[0])).etag.strip('"') == known[1]
        except ObjectMissingError:
            return False

    known = list(etags_of_finished().items())
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="batches") as pool:
        return {batch for (batch, _), same in zip(known, pool.map(is_unchanged, known), strict=True) if same}


def _is_finished(batch: BatchId) -> bool:
    try:
        record = find_batch(batch)
    except RecordDamagedError:
        return False  # the batch's own run reports it; the other batches go on
    return record is not None and record.finished_at is not None


@contextmanager
def at_work_on(batch: BatchId) -> Iterator[None]:
    """Hold the lease of a batch for the duration of the block, so that only one run works on it.

    Raises:
        LeaseHeldError: another live run holds the lease; the message names it.
    """
    known = create_batch(BatchRecord(batch=batch, received_at=now()))
    name, me = batch_lease(batch), str(flow_run.id or "")
    with holding(name, above=known.fences.get(name, 0)):
        change_batch(batch, lambda record: record.model_copy(update={"claimed_by": me}))
        try:
            yield
        finally:
            _let_go(batch, me)


def _let_go(batch: BatchId, me: str) -> None:
    """Clear the record's ``claimed_by``. It only informs people (the lease protects the batch), so an error is just
    logged.
    """
    try:
        change_batch(
            batch, lambda one: one.model_copy(update={"claimed_by": "" if one.claimed_by == me else one.claimed_by})
        )
    except PackshotError as error:
        log().warning("%s still names this run as the one that processes it: %s", batch, error)


def _key(files: Mapping[str, ObjectInfo], path: str | None) -> str:
    return files[path].key if path else ""


def _etag(files: Mapping[str, ObjectInfo], path: str | None) -> str:
    return files[path].etag.strip('"') if path else ""


@task(name="take stock", task_run_name="take stock · {batch}", **ALWAYS)
def take_stock(batch: BatchId) -> BatchStock:
    """Compare a batch's files with its manifest, create missing records, and return the shots that still need work.

    Raises:
        ObjectMissingError: nothing was uploaded for this batch.
    """
    storage = open_storage()
    files = {path_in_inbox(batch, one.key): one for one in storage.list(inbox_prefix(batch))}
    if not files:
        raise ObjectMissingError(
            "nothing was uploaded for this batch",
            inbox_prefix(batch),
            next_step="Check the names of client and batch, or upload the batch first.",
        )
    manifest, trouble = _manifest(batch, files)
    found = stocking.take_stock(
        {path: stocking.StockedFile(sha256=one.etag, size_bytes=one.size_bytes) for path, one in files.items()},
        manifest,
    )
    names = shot_names({path: files[path].etag.strip('"') for path in found.shots})
    refs = tuple(
        ShotRef(
            shot=ShotId(client=batch.client, batch=batch.batch, shot=names[path]),
            path=path,
            key=files[path].key,
            etag=files[path].etag.strip('"'),
            size_bytes=files[path].size_bytes,
            sidecar=_key(files, found.sidecars.get(path)),
            sidecar_etag=_etag(files, found.sidecars.get(path)),
            row=found.rows.get(path, {}),
        )
        for path in found.shots
    )
    findings = (*_client_finding(batch), *trouble, *(manifest.findings if manifest else ()), *_stock_findings(found))

    def count(record: BatchRecord) -> BatchRecord:
        shots = tuple(ref.model_copy(update={"generation": _generation(record, ref.shot.shot)}) for ref in refs)
        return record.model_copy(update={"shots": shots, "ignored": found.ignored, "findings": findings})

    refs = change_batch(batch, count).shots
    states = _receive(refs)
    return BatchStock(
        batch=batch,
        configs_fingerprint=fingerprint(configs_in_force()),
        shots=tuple(ref for ref in refs if states[ref.shot.shot] not in _AT_REST),
        unedited=tuple(name for name, state in states.items() if state in (State.RECEIVED, State.MASTERED)),
        waiting=tuple(name for name, state in states.items() if state in WAITING),
    )


def _client_finding(batch: BatchId) -> tuple[Finding, ...]:
    """Return a finding if the client has no style guide, so that the default one is used."""
    configs = configs_in_force()
    if batch.client in configs.clients or batch.client in configs.broken_clients:
        return ()
    meant = did_you_mean(batch.client, configs.clients)
    message = f"The client {batch.client!r} has no style guide{meant}; the default one is used."
    return (Finding(code="client_unknown", status=Status.WARNING, message=message),)


def _manifest(batch: BatchId, files: Iterable[str]) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Return the manifest and findings. If it is missing or unreadable, only file names and metadata describe the
    shots.
    """
    name = stocking.manifest_among(files)
    if not name:
        return None, ()
    try:
        return read_manifest(open_storage().get(inbox_key(batch, name)), name=name), ()
    except ManifestError as error:
        return None, (Finding(code="manifest_unreadable", status=Status.FAILED, message=str(error)),)


def _generation(record: BatchRecord, shot: str) -> int:
    known = record.ref(shot)
    return known.generation if known else 0


def _stock_findings(found: stocking.Stock) -> list[Finding]:
    """Return a warning for each mismatch of manifest and files, each unusable file name, and each duplicate."""
    warnings = [
        ("row_without_file", f"The manifest names {one}, which was not uploaded.") for one in found.rows_without_file
    ]
    warnings += [("file_without_row", f"{one} has no row in the manifest.") for one in found.files_without_row]
    warnings += [
        ("misnamed_file", f"{path!r} was left out: {why}.")
        for path, why in found.ignored.items()
        if why.startswith(stocking.MISNAMED)
    ]
    warnings += [
        ("table_not_taken", f"{path!r} was left out: {why}.")
        for path, why in found.ignored.items()
        if why == stocking.OTHER_TABLE
    ]
    warnings += [("duplicate", f"The same photograph more than once: {', '.join(same)}.") for same in found.duplicates]
    return [Finding(code=code, status=Status.WARNING, message=message) for code, message in warnings]


def _receive(refs: Iterable[ShotRef]) -> dict[str, State]:
    """Create a record for each new photograph; return the state of every shot by name."""
    shots = list(refs)
    there = set(open_storage().folders(shots_prefix(shots[0].shot.in_batch))) if shots else set()
    known = {
        record.shot.shot: record.state for record in load_records([one.shot for one in shots if one.shot.shot in there])
    }
    for ref in shots:
        if ref.shot.shot not in known:
            source = Source(key=ref.key, sha256="", size_bytes=ref.size_bytes)
            known[ref.shot.shot] = _first_state(ShotRecord(shot=ref.shot, source=source))
    return known


def _first_state(record: ShotRecord) -> State:
    """Create a record and return its state; `FAILED` if a record exists that can't be read."""
    try:
        return create_record(record).state
    except RecordDamagedError:
        return State.FAILED  # the shot's first stage reports it; the other shots go on


@task(name="find approved shots", task_run_name="find approved shots · {batch}", **ALWAYS)
def approved_shots(batch: BatchId, *, only: list[str]) -> list[ApprovedShot]:
    """Return the shots that are approved and not yet delivered, without those that wait for the rest of their product.

    Args:
        only: names of shots to consider; empty means all of the batch.
    """
    record = load_batch(batch)
    refs = {ref.shot.shot: ref for ref in record.shots}
    records = load_records([ref.shot for ref in record.shots])
    held = held_for_sets(record, sets_of(record, records))
    wanted = [one for one in records if (not only or one.shot.shot in only) and one.shot.shot not in held]
    return [ApprovedShot.of(one, generation=refs[one.shot.shot].generation) for one in wanted if is_approved(one)]


def is_approved(record: ShotRecord) -> bool:
    """Return whether a shot is approved and not yet delivered; a shot whose export failed counts too."""
    return (record.failed_from or record.state) in TO_DELIVER


class Restarted(Value):
    """A shot that starts again, and the fingerprint of the configs it starts with."""

    ref: ShotRef
    configs_fingerprint: str


@task(name="restart", task_run_name="restart · {shot.shot}", **ALWAYS)
def restart_shot(shot: ShotId, *, person: str, reason: str) -> Restarted:
    """Put a shot back to its first state because a person asked for it. Its history is kept.

    Its generation goes up by one, so that no cached result is used again.

    Raises:
        ObjectMissingError: the batch has no such shot.
    """
    batch = shot.in_batch
    if load_batch(batch).ref(shot.shot) is None:
        raise ObjectMissingError(
            "there is no such shot in this batch", str(shot), next_step="Take the name from the batch's table."
        )
    change_record(shot, lambda record: record.restart(at=now(), actor=f"{person} ({actor()})", why=reason))

    def count(record: BatchRecord) -> BatchRecord:
        again = (
            one.model_copy(update={"generation": one.generation + 1}) if one.shot == shot else one
            for one in record.shots
        )
        gathered = {name: at for name, at in record.gathered.items() if name != shot.shot}
        return record.model_copy(update={"shots": tuple(again), "gathered": gathered})

    ref = change_batch(batch, count).ref(shot.shot)
    assert ref is not None, "the shot was found just now, and a batch never loses a shot"
    return Restarted(ref=ref, configs_fingerprint=fingerprint(configs_in_force()))


def survey(batch: BatchId) -> Summary:
    """Return what became of every photograph of a batch, read from the records."""
    record = load_batch(batch)
    records = {one.shot.shot: one for one in load_records([ref.shot for ref in record.shots])}
    products = sets_of(record, records.values())
    held = held_for_sets(record, products)
    known = {shot: one for one in products for shot in one.shots}
    fates = tuple(
        _in_its_set(_gathered(record, fate_of(ref, records.get(ref.shot.shot))), known=known, held=held)
        for ref in record.shots
    )
    warnings = warned_of(records[ref.shot.shot] for ref in record.shots if ref.shot.shot in records)
    return Summary(batch=batch, fates=fates, findings=record.findings, warnings=warnings, products=products)


def _in_its_set(fate: Fate, *, known: Mapping[str, sets.ProductSet], held: Mapping[str, str]) -> Fate:
    """Return a fate with its product; changed to waiting if it is approved and waits for the rest of its product."""
    product = known.get(fate.shot)
    if product is None:
        return fate
    fate = fate.model_copy(update={"product": product.product, "lacks": product.lacking})
    if fate.shot not in held or fate.state not in TO_DELIVER:
        return fate
    said = {"kind": "waiting", "with_whom": sets.THE_REST, "due": None, "why": held[fate.shot]}
    return fate.model_copy(update=said)


def fate_of(ref: ShotRef, record: ShotRecord | None) -> Fate:
    if record is None:
        why = _without_record(ref)
        return Fate(shot=ref.shot.shot, file=ref.path, kind="failed", state=State.RECEIVED, why=why, unreadable=True)
    kinds = {State.REFUSED: "refused"} | dict.fromkeys(DONE, "delivered") | dict.fromkeys(WAITING, "waiting")
    kind = kinds.get(record.state, "failed")
    last = record.events[-1].why if record.events else "nothing happened yet"
    stopped = kind == "failed" and record.state is not State.FAILED
    wait = wait_of(record, at=now(), promise=promise_shown(record.shot.client)) if kind == "waiting" else None
    return Fate(
        shot=ref.shot.shot,
        file=ref.path,
        kind=kind,
        state=record.state,
        why=f"stopped at '{record.state}': {last}" if stopped else _why(record),
        category=record.reports.get("routing", {}).get("category", "") or record.fact("category"),
        score=record.reports.get("edit", {}).get("score"),
        files=sum(one["passed"] for one in record.reports.get("export", {}).get("files", [])),
        with_whom=wait.with_whom if wait else "",
        since=wait.since if wait else None,
        due=wait.due if wait else None,
        left_out=left_out_of(record),
        passing=stopped or record.failed_in_passing,
    )


def _gathered(batch: BatchRecord, fate: Fate) -> Fate:
    """Return the fate of a shot, changed to waiting if its late approval is gathered for a later delivery."""
    if fate.shot not in batch.gathered or fate.state not in TO_DELIVER:
        return fate
    due = batch.gathered[fate.shot]
    if late.is_overdue(due, at=now()):
        why = f"approved, but not delivered at {due:%Y-%m-%d %H:%M} UTC; deliver it now: packshot batch close"
        return fate.model_copy(update={"why": why})
    said = {"kind": "waiting", "with_whom": late.NEXT_DELIVERY, "due": due, "why": late.in_words(due)}
    return fate.model_copy(update=said)


def _without_record(ref: ShotRef) -> str:
    try:
        find_record(ref.shot)
    except RecordDamagedError as error:
        return str(error)
    return "it has no record"


def _why(record: ShotRecord) -> str:
    """Return the reason for a shot's state. For a delivered shot it is the reason of its approval."""
    approved = [event.why for event in record.events if event.to_state is State.APPROVED]
    return approved[-1] if approved and record.state in DONE else record.events[-1].why


@task(name="sum up", task_run_name="sum up · {batch}", **ALWAYS)
def summarise(batch: BatchId) -> Summary:
    """Return what became of every file, show it as a table, and mark the batch as finished if no shot failed.

    Each distinct warning about the photographs is logged once.
    """
    summary = survey(batch)
    show_table(batch, summary.rows, summary.sentence)
    for finding in summary.findings:
        log().warning("%s: %s", finding.code, finding.message)
    for warned in summary.warnings:
        log().warning("%s", warned.sentence)
    if not summary.failed:
        change_batch(batch, lambda record: record.model_copy(update={"finished_at": record.finished_at or now()}))
    return summary
