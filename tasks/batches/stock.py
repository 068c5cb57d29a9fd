"""Take stock of a batch: compare its files with its manifest, and make a record for each photograph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence

from prefect import task

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ManifestError, ObjectMissingError, RecordDamagedError
from packshot.ingest import stock as stocking
from packshot.ingest.manifest import Manifest, read_manifest
from packshot.keys import inbox_prefix, path_in_inbox, shots_prefix
from packshot.naming import BatchId
from packshot.record import DONE, WAITING, ShotRecord, Source, State
from packshot.shot_names import shot_names
from packshot.specs.nearest import did_you_mean
from packshot.types import Finding, Status
from tasks.batches.approved import TO_DELIVER
from tasks.environment.configs import configs_in_force, fingerprint
from tasks.records.bookkeeping import ALWAYS, Life
from tasks.records.stored import change_batch, create_record, load_records
from tasks.results.handovers import BatchStock
from tasks.storage.bucket import ObjectInfo, open_storage

_LISTINGS = 3
_AT_REST = frozenset({*WAITING, *DONE, *TO_DELIVER, State.REFUSED})


@task(name="take stock", task_run_name="take stock · {batch}", **ALWAYS)
def take_stock(batch: BatchId) -> BatchStock:
    """Compare a batch's files with its manifest, and return the shots that need work.

    The batch's record gets the list of its shots and what the comparison has found. Each new photograph gets a record
    of its own. Shots that wait for people, or are approved, delivered or refused, need no work. All others do: new
    ones, failed ones, and those that stopped in the middle of their work.

    A batch never loses a shot. If the file of one was deleted since, and nothing was made of it yet, the shot fails;
    if the file is still away when the batch is taken up again, the shot is refused.

    Raises:
        ObjectMissingError: nothing was uploaded for this batch, it has no record, or its manifest was replaced each
            time it was read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    files, manifest, trouble = _listed(batch)
    found = stocking.take_stock(
        {path: stocking.StockedFile(sha256=one.etag, size_bytes=one.size_bytes) for path, one in files.items()},
        manifest,
    )
    references = {path: _etag(files, path) for path, why in found.ignored.items() if why == stocking.REFERENCE_FILE}
    told = manifest.findings if manifest else ()
    findings = (*client_finding(batch.client), *trouble, *told, *_stock_findings(found))

    def count(record: BatchRecord) -> BatchRecord:
        update = {
            "shots": _refs(batch, files, found, known=record.shots),
            "ignored": found.ignored,
            "references": references,
            "findings": findings,
        }
        return record.model_copy(update=update)

    refs = change_batch(batch, count).shots
    states = _receive(refs)
    states |= _given_up([ref for ref in refs if ref.path not in files and states[ref.shot.shot] is State.FAILED])
    return BatchStock(
        batch=batch,
        configs_fingerprint=fingerprint(configs_in_force(), client=batch.client),
        shots=tuple(ref for ref in refs if states[ref.shot.shot] not in _AT_REST),
        unedited=tuple(name for name, state in states.items() if state in (State.RECEIVED, State.MASTERED)),
        waiting=tuple(name for name, state in states.items() if state in WAITING),
    )


def _refs(
    batch: BatchId, files: Mapping[str, ObjectInfo], found: stocking.Stock, *, known: Sequence[ShotRef]
) -> tuple[ShotRef, ...]:
    """Return the shots of a batch: those whose files are there, and those that it had and whose files are gone."""
    gone = {ref.path: ref for ref in known if ref.path not in files}
    etags = {path: _etag(files, path) for path in found.shots}
    names = shot_names(etags | {path: ref.etag for path, ref in gone.items()})  # nobody's name changes as one goes
    generations = {ref.shot.shot: ref.generation for ref in known}
    there = {
        path: ShotRef(
            shot=batch.shot(names[path]),
            path=path,
            key=files[path].key,
            etag=etags[path],
            size_bytes=files[path].size_bytes,
            sidecar=_key(files, found.sidecars.get(path)),
            sidecar_etag=_etag(files, found.sidecars.get(path)),
            row=found.rows.get(path, {}),
            generation=generations.get(names[path], 0),
        )
        for path in found.shots
    }
    return tuple(ref for _, ref in sorted((there | gone).items()))


def _given_up(refs: Iterable[ShotRef]) -> dict[str, State]:
    """Refuse shots whose files are gone and that failed before anything was made of them; return the new states."""
    refs = list(refs)
    failed = [one.shot for one in load_records([ref.shot for ref in refs]) if one.failed_from is State.RECEIVED]
    why = "its file was deleted from the inbox before it was read"
    report = {"refusal": {"code": ObjectMissingError.code}}
    return {shot.shot: Life(shot).reach(State.REFUSED, why=why, reports=report).state for shot in failed}


def _key(files: Mapping[str, ObjectInfo], path: str | None) -> str:
    return files[path].key if path else ""


def _etag(files: Mapping[str, ObjectInfo], path: str | None) -> str:
    return files[path].etag.strip('"') if path else ""


def client_finding(client: str) -> tuple[Finding, ...]:
    """Return a finding, a warning, if a client has no style guide, so that the default one is used; else nothing.

    Args:
        client: the client's short name, for example ``acme``.
    Raises:
        ConfigError: a config file that all clients share is wrong.
    """
    configs = configs_in_force()
    if client in configs.clients or client in configs.broken_clients:
        return ()
    meant = did_you_mean(client, configs.clients)
    message = f"The client {client!r} has no style guide{meant}; the default one is used."
    return (Finding(code="client_unknown", status=Status.WARNING, message=message),)


def _listed(batch: BatchId) -> tuple[Mapping[str, ObjectInfo], Manifest | None, tuple[Finding, ...]]:
    """Return the files of a batch by path, its manifest, and findings about the manifest.

    The manifest is the listed one. If the client has replaced or deleted it since, the files are listed again.
    """
    for _ in range(_LISTINGS):
        files = {path_in_inbox(batch, one.key): one for one in open_storage().list(inbox_prefix(batch))}
        if not files:
            raise ObjectMissingError(
                "nothing was uploaded for this batch",
                inbox_prefix(batch),
                next_step="Check the names of client and batch, or upload the batch first.",
            )
        name = stocking.manifest_among(files)
        if not name:
            return files, None, ()
        with contextlib.suppress(ObjectMissingError):
            data, etag = open_storage().get_with_etag(files[name].key)
            if etag.strip('"') == _etag(files, name):
                return files, *_manifest(data, name)
    raise ObjectMissingError(
        "this manifest was replaced each time the batch was listed",
        files[name].key,
        found=f"another file, {_LISTINGS} times",
        allowed="the file that was listed",
        next_step="Start the batch again when its upload has ended.",
    )


def _manifest(data: bytes, name: str) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Return the manifest and findings. If it is missing or unreadable, only file names and metadata describe the
    shots.
    """
    try:
        return read_manifest(data, name=name), ()
    except ManifestError as error:
        return None, (Finding(code="manifest_unreadable", status=Status.FAILED, message=str(error)),)


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
    warnings += [
        (
            "names_alike",
            f"These names all read as {name!r} in plain letters, and so count as one product: {', '.join(same)}.",
        )
        for name, same in found.alike.items()
    ]
    warnings += [
        ("reference_is_shot", f"The manifest names {one} as a reference, and has a row for it; it is a shot.")
        for one in found.shots_as_references
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
