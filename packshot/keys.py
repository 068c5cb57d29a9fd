"""Build every key (an object's name) in storage. No other module builds keys.

The layout is the storage contract:

    inbox/<client>/<batch>/...                       read-only to us; an empty object READY closes the batch
    batches/<client>/<batch>/batch.json
    batches/<client>/<batch>/references/<file>       copies of the reference photographs that were measured
    batches/<client>/<batch>/deliveries/<n>.json     what a delivery will say of itself, kept from when it was opened
    batches/<client>/<batch>/shots/<shot>/...        record.json, master.tif, matte.png, edit.tif, preview.webp, ...
    jobs/<client>/<batch>/<shot>/out|returned|uploads/...
    deliveries/<client>/<batch>/<n>/...
    quarantine/<client>/<batch>/...
    products/<client>/<product>/...                  photographs that other shots of a product may wait for
    returns/<client>/...                             a client's orders and returns, and the report on its return rate
    models/routing/...                               trained routing models, which of them serves, what audits say
    reports/daily/<date>.json|html                   a day's figures and its page
    reports/daily/<date>.shots.json                  the shots behind a day's numbers
    notices/<notice>.json                            what was told about the whole line, so that it is told once
    leases/night|collection.json                     who is at work: on the night, on what arrives meanwhile,
    leases/batches|deliveries/<client>/<batch>.json  on a batch, on its delivery,
    leases/parts/<client>/<batch>/<part>.json        on a part of a batch's shots,
    leases/runs/<id>.json                            and which flow runs have a process that lives
    leases/notices/<id>.json                         notices that are being sent, or are to be sent again
    prefect-results/...                              results of finished tasks, so that nothing is done twice
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from packshot.naming import READY, BatchId, ShotId, batch_id, checked_path, is_name

_HOT_FOLDER = "_returned"
_STRAYS = "_strays"


def inbox_prefix(batch: BatchId) -> str:
    """Return the beginning of the keys of a batch's uploaded files: ``inbox/<client>/<batch>/``."""
    return f"inbox/{batch.client}/{batch.batch}/"


def inbox_key(batch: BatchId, path: str) -> str:
    """Return the key of an uploaded file: ``inbox/<client>/<batch>/<path>``.

    Args:
        batch: the batch.
        path: path of the file, relative to the batch's folder.
    Raises:
        NamingError: the path leads out of the folder, or is not allowed in a key.
    """
    return inbox_prefix(batch) + checked_path(path, what="uploaded file")


def path_in_inbox(batch: BatchId, key: str) -> str:
    """Return the path of an uploaded file inside its batch's inbox folder, such as ``front/BTL201_MAIN.jpg``.

    Args:
        batch: the batch.
        key: the file's key, as `inbox_key` returns it. A key outside the folder comes back unchanged.
    """
    return key.removeprefix(inbox_prefix(batch))


def batch_from_ready_key(key: str) -> BatchId | None:
    """Return the batch that an object closes by its key ``inbox/<client>/<batch>/READY``; None for any other key.

    A client uploads an empty object ``READY`` as the last file. It says that the upload is complete.

    Raises:
        NamingError: client or batch in the key is not a valid name.
    """
    parts = key.split("/")
    if len(parts) != 4 or parts[0] != "inbox" or parts[3] != READY:
        return None
    return batch_id(parts[1], parts[2])


def batches_prefix(client: str = "") -> str:
    """Return the beginning of the keys of batches' and shots' records: ``batches/``, or ``batches/<client>/``.

    Args:
        client: the client's name; empty for all clients.
    """
    return f"batches/{client}/" if client else "batches/"


def batch_record_key(batch: BatchId) -> str:
    """Return the key of a batch's record: ``batches/<client>/<batch>/batch.json``."""
    return f"batches/{batch.client}/{batch.batch}/batch.json"


def batch_from_record_key(key: str) -> BatchId | None:
    """Return the batch to which a batch's record belongs, by the record's key.

    The result is None if the key is not ``batches/<client>/<batch>/batch.json``, or if its names are not valid.
    """
    parts = key.split("/")
    if len(parts) != 4 or parts[0] != "batches" or parts[3] != "batch.json" or not all(map(is_name, parts[1:3])):
        return None
    return BatchId(client=parts[1], batch=parts[2])


def shots_prefix(batch: BatchId) -> str:
    """Return the beginning of the keys of a batch's shots: ``batches/<client>/<batch>/shots/``."""
    return f"batches/{batch.client}/{batch.batch}/shots/"


def shot_key(shot: ShotId, file: str) -> str:
    """Return the key of one of a shot's own objects: ``batches/<client>/<batch>/shots/<shot>/<file>``.

    Args:
        shot: the shot.
        file: name of the object: ``record.json``, ``master.tif``, ``evidence/<n>.webp``, ...
    """
    return f"{shots_prefix(shot.in_batch)}{shot.shot}/{file}"


def record_key(shot: ShotId) -> str:
    """Return the key of a shot's record: ``batches/<client>/<batch>/shots/<shot>/record.json``."""
    return shot_key(shot, "record.json")


def reference_key(batch: BatchId, file: str) -> str:
    """Return the key of the copy of a reference photograph: ``batches/<client>/<batch>/references/<file>``.

    Args:
        batch: the batch that the photograph came with.
        file: SHA-256 of its bytes in hexadecimal, with the ending of its name: ``9f86...0a08.jpg``.
    """
    return f"batches/{batch.client}/{batch.batch}/references/{file}"


def job_out_key(shot: ShotId, file: str) -> str:
    """Return the key of a file that an editor downloads for a job: ``jobs/<client>/<batch>/<shot>/out/<file>``.

    Args:
        shot: the shot.
        file: name of the file, such as ``master.tif``.
    """
    return f"jobs/{shot.client}/{shot.batch}/{shot.shot}/out/{file}"


def job_upload_key(shot: ShotId, upload: str, file: str) -> str:
    """Return the key of a finished picture that its editor has not handed in yet.

    It is ``jobs/<client>/<batch>/<shot>/uploads/<upload>/<file>``.

    Args:
        shot: the shot.
        upload: a name that no other upload of the shot has.
        file: name of the picture's file.
    """
    return f"jobs/{shot.client}/{shot.batch}/{shot.shot}/uploads/{upload}/{file}"


def is_upload(key: str) -> bool:
    """Return whether a key is that of a finished picture that its editor has not handed in yet (`job_upload_key`)."""
    parts = key.split("/")
    return len(parts) == 7 and parts[0] == "jobs" and parts[4] == "uploads"


def job_returned_prefix(shot: ShotId) -> str:
    """Return the hot folder of one shot: the beginning of the keys under which an editor puts the finished picture.

    It is ``jobs/<client>/<batch>/<shot>/returned/``.
    """
    return f"jobs/{shot.client}/{shot.batch}/{shot.shot}/returned/"


def jobs_prefix(client: str = "", batch: str = "") -> str:
    """Return the beginning of the keys of editors' jobs, such as ``jobs/acme/spring/``.

    It is ``jobs/`` for all clients, ``jobs/<client>/`` for one client, ``jobs/<client>/<batch>/`` for one batch.

    Args:
        client: the client's name; empty for all clients.
        batch: the batch's name; empty for all batches of the client. It is ignored without a client.
    """
    return "/".join(["jobs", *filter(None, (client, client and batch))]) + "/"


def drop_prefix(batch: BatchId) -> str:
    """Return the hot folder of a whole batch: the beginning of the keys under which editors put finished pictures.

    It is ``jobs/<client>/<batch>/_returned/``. Files in it are matched to shots by name. No shot's name starts with
    ``_``.
    """
    return f"jobs/{batch.client}/{batch.batch}/{_HOT_FOLDER}/"


def shot_from_returned_key(key: str) -> ShotId | None:
    """Return the shot for which somebody put a finished picture into the shot's hot folder.

    The result is None if the key does not begin with ``jobs/<client>/<batch>/<shot>/returned/``, or names no file.

    Raises:
        NamingError: no shot can have this name, or the file's name cannot be used.
    """
    parts = key.split("/")
    if len(parts) < 6 or parts[0] != "jobs" or parts[4] != "returned" or not parts[-1]:
        return None
    checked_path("/".join(parts[5:]), what="returned file")
    return ShotId(client=parts[1], batch=parts[2], shot=parts[3])


def batch_from_drop_key(key: str) -> BatchId | None:
    """Return the batch for which somebody put a finished picture into the batch's hot folder.

    The result is None if the key does not begin with ``jobs/<client>/<batch>/_returned/``, or names no file.

    Raises:
        NamingError: no batch can have this name, or the file's name cannot be used.
    """
    parts = key.split("/")
    if len(parts) < 5 or parts[0] != "jobs" or parts[3] != _HOT_FOLDER or not parts[-1]:
        return None
    if parts[4] == "told" and key.endswith(".json"):
        return None  # where earlier versions noted what was told; nobody returned these
    checked_path("/".join(parts[4:]), what="returned file")
    return BatchId(client=parts[1], batch=parts[2])


def notice_key(batch: BatchId, shot: str, notice: str) -> str:
    """Return the key that marks a notice about a shot as sent: ``jobs/<client>/<batch>/<shot>/told/<notice>.json``.

    An object under this key keeps people from being told twice. The key is outside the hot folders. Inside them, the
    object would be reported as an unknown returned file.

    Args:
        batch: the batch.
        shot: the shot's name; empty if the notice is about the batch's hot folder. ``_strays`` then stands for it.
        notice: ``<kind>-<text>``: the kind of the notice, such as ``misnamed``, and a text that tells it from others of
            its kind, such as a due time or a hash.
    """
    return f"jobs/{batch.client}/{batch.batch}/{shot or _STRAYS}/told/{notice}.json"


def line_notice_key(notice: str) -> str:
    """Return the key that marks a notice about the whole system as sent: ``notices/<notice>.json``.

    An object under this key keeps people from being told twice.

    Args:
        notice: ``<kind>-<text>``: the kind of the notice, such as ``misnamed``, and a text that tells it from others of
            its kind, such as a due time or a hash.
    """
    return f"notices/{notice}.json"


def returns_key(client: str, path: str = "") -> str:
    """Return the key of a file for the report on a client's return rate: ``returns/<client>/<path>``.

    Args:
        client: the client's name; empty gives ``returns/``, the beginning of all these keys.
        path: path of the file inside the client's folder, such as ``report/report.html``; empty gives the beginning of
            the client's keys.
    """
    return f"returns/{client}/{path}" if client else "returns/"


def routing_model_key(version: str) -> str:
    """Return the key of a trained routing model (which predicts whether a person would refuse the machine's edit):
    ``models/routing/<version>.json``.

    Args:
        version: the model's version, such as ``2026-03-01-1a2b3c4d``.
    """
    return f"models/routing/{version}.json"


def routing_service_key() -> str:
    """Return the key of the object that names the routing model in use: ``models/routing/service.json``."""
    return "models/routing/service.json"


def daily_prefix() -> str:
    """Return the beginning of the keys of the daily reports: ``reports/daily/``."""
    return "reports/daily/"


def daily_figures_key(date: dt.date) -> str:
    """Return the key of the numbers of a daily report: ``reports/daily/<date>.json``."""
    return f"{daily_prefix()}{date.isoformat()}.json"


def daily_page_key(date: dt.date) -> str:
    """Return the key of the page of a daily report: ``reports/daily/<date>.html``."""
    return f"{daily_prefix()}{date.isoformat()}.html"


def daily_shots_key(date: dt.date) -> str:
    """Return the key of the list of shots behind the numbers of a daily report: ``reports/daily/<date>.shots.json``."""
    return f"{daily_prefix()}{date.isoformat()}.shots.json"


def date_from_daily_figures_key(key: str) -> dt.date | None:
    """Return the date of the daily report whose numbers are stored under a key.

    The result is None if the key is not ``reports/daily/<date>.json``, or if there is no such day: ``2026-13-01``.
    """
    found = re.fullmatch(rf"{daily_prefix()}(\d{{4}}-\d\d-\d\d)\.json", key)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def siblings_prefix(client: str, product: str) -> str:
    """Return the beginning of the keys under which the shots of a product find each other.

    It is ``products/<client>/<product>/``. In the key, the product's name is in small letters. If it has characters
    that are not allowed in names, or is too long, it is changed and gets eight hex digits of its SHA-256.

    Args:
        client: the client's name.
        product: the product's SKU, ASIN or GTIN; case does not matter.
    """
    folded = product.casefold()
    safe = re.sub(r"[^a-z0-9._-]+", "-", folded).strip("-._")[:60]
    own = safe if safe == folded else f"{safe}-{hashlib.sha256(folded.encode()).hexdigest()[:8]}"
    return f"products/{client}/{own}/"


def sibling_key(shot: ShotId, product: str) -> str:
    """Return the key under which a shot announces itself to the other shots of its product.

    It is ``products/<client>/<product>/<batch>--<shot>.json``. A shot may wait for another photograph of the same
    product, for example the neck of a garment. The object under this key shows that the photograph has arrived.

    Args:
        shot: the shot.
        product: the product's SKU, ASIN or GTIN; case does not matter.
    """
    return f"{siblings_prefix(shot.client, product)}{shot.batch}--{shot.shot}.json"


def client_deliveries_prefix(client: str) -> str:
    """Return the beginning of the keys of a client's deliveries: ``deliveries/<client>/``."""
    return f"deliveries/{client}/"


def deliveries_prefix(batch: BatchId) -> str:
    """Return the beginning of the keys of a batch's deliveries: ``deliveries/<client>/<batch>/``."""
    return f"deliveries/{batch.client}/{batch.batch}/"


def delivery_prefix(batch: BatchId, number: int) -> str:
    """Return the beginning of the keys of one delivery: ``deliveries/<client>/<batch>/<number>/``.

    Args:
        batch: the batch.
        number: number of the delivery, from 1.
    """
    return f"{deliveries_prefix(batch)}{number}/"


def delivery_key(batch: BatchId, number: int, path: str) -> str:
    """Return the key of a delivered file: ``deliveries/<client>/<batch>/<n>/<path>``.

    Args:
        batch: the batch.
        number: number of the delivery, from 1.
        path: ``<platform>/<name>`` for a picture, else the name of a file about the delivery, such as its certificate.
    """
    return delivery_prefix(batch, number) + path


def quarantine_key(batch: BatchId, path: str) -> str:
    """Return the key under which a copy of a refused file is kept: ``quarantine/<client>/<batch>/<path>``.

    Args:
        batch: the batch.
        path: path of the file, relative to the batch's folder.
    """
    return f"quarantine/{batch.client}/{batch.batch}/{path}"


def quarantine_reason_key(batch: BatchId, path: str) -> str:
    """Return the key of the reason why a file was refused: ``quarantine/<client>/<batch>/<path>.reason.json``.

    Args:
        batch: the batch.
        path: path of the refused file, relative to the batch's inbox folder.
    """
    return quarantine_key(batch, path) + ".reason.json"


def result_key(name: str) -> str:
    """Return the key under which a result that Prefect needs again is stored: ``prefect-results/<name>``.

    Args:
        name: name of the result, such as the cache key of a task, or what `part_result_name` returns.
    """
    return f"prefect-results/{name}"


NIGHT_LEASE, COLLECTION_LEASE = "night", "collection"
"""Names of leases: of the nightly run, and of the run that collects returned files."""


def batch_lease(batch: BatchId) -> str:
    """Return the name of the lease for work on a batch: ``batches/<client>/<batch>``.

    Only the run that holds the lease works on the batch.
    """
    return f"batches/{batch.client}/{batch.batch}"


def delivery_lease(batch: BatchId) -> str:
    """Return the name of the lease for delivering a batch: ``deliveries/<client>/<batch>``.

    Only the run that holds the lease delivers the batch.
    """
    return f"deliveries/{batch.client}/{batch.batch}"


def part_lease(batch: BatchId, part: str = "") -> str:
    """Return the name of the lease of one part of a batch: ``parts/<client>/<batch>/<part>``.

    A part is some of a batch's shots, which one worker processes together. Whoever works on it holds this lease.

    Args:
        batch: the batch.
        part: the part's name, such as ``edit-14-`` and a hash; empty for the beginning that the names of all parts'
            leases of the batch share.
    """
    return f"parts/{batch.client}/{batch.batch}/{part}"


def part_result_name(batch: BatchId, part: str, what: str) -> str:
    """Return the name under which a part of a batch keeps its list of work or its results.

    It is ``parts/<client>/<batch>/<part>.<what>``. A part is some of a batch's shots, which one worker processes
    together. `result_key` makes a storage key of the name.

    Args:
        batch: the batch.
        part: the part's name, such as ``edit-14-`` and a hash.
        what: ``work`` for the shots to process, ``done`` for their results.
    """
    return f"parts/{batch.client}/{batch.batch}/{part}.{what}"


def run_lease(run_id: str) -> str:
    """Return the name of the lease that the process of a flow run holds as long as it lives: ``runs/<id>``.

    Others see by the lease whether the run's process has died.

    Args:
        run_id: the id of the flow run.
    """
    return f"runs/{run_id}"


def notice_lease(mark: str) -> str:
    """Return the name of the object of a notice that is being sent, or waits to be sent again: ``notices/<hash>``.

    Its key is `lease_key` of this name. Only these objects and leases are ever deleted.

    Args:
        mark: key of the object that says that the notice was sent, or another text that no other notice has; empty
            gives ``notices/``, the beginning of all these names.
    """
    return f"notices/{hashlib.sha256(mark.encode()).hexdigest()[:32] if mark else ''}"


def lease_key(name: str) -> str:
    """Return the key of a lease: ``leases/<name>.json``.

    Args:
        name: the lease's name, such as ``batches/acme/spring`` from `batch_lease`.
    """
    return f"leases/{name}.json"


def shares_key(batch: BatchId, number: int) -> str:
    """Return the key of the list of share links of a delivery: ``batches/<client>/<batch>/shares/<n>.json``.

    With a share link, a client looks at a delivery without an account.

    Args:
        batch: the batch.
        number: number of the delivery, from 1.
    """
    return f"batches/{batch.client}/{batch.batch}/shares/{number}.json"


def delivery_summary_key(batch: BatchId, number: int) -> str:
    """Return the key of a delivery's summary: ``batches/<client>/<batch>/deliveries/<n>.json``.

    The summary is stored when the delivery is opened. So whoever finishes an interrupted delivery writes the same
    files.

    Args:
        batch: the batch.
        number: number of the delivery, from 1.
    """
    return f"batches/{batch.client}/{batch.batch}/deliveries/{number}.json"
