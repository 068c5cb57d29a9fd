"""Make the report on a client's return rate from the orders and returns in storage.

returns/<client>/orders/...     exports of orders, CSV or Parquet, as they come
returns/<client>/returns/...    exports of returns, if they are separate files
returns/<client>/golive.*       sku and date, written by people; takes precedence over the dates of deliveries
returns/<client>/report/...     the report as a page and as JSON
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import PurePosixPath

from prefect import task

from packshot.errors import ObjectMissingError, PackshotError, TooLargeError
from packshot.escaping import code, markdown
from packshot.keys import client_deliveries_prefix, returns_key
from packshot.naming import checked_name, checked_path
from packshot.outcomes.exports import Export
from packshot.outcomes.return_page import headline, return_page
from packshot.outcomes.return_report import SEND_REPORT, ReturnReport
from packshot.sheets.identifiers import identifier
from packshot.specs.models import Configs
from packshot.specs.returns import Writing
from packshot.types import Value
from tasks.environment.configs import configs_in_force
from tasks.processing.children import children
from tasks.records.bookkeeping import ALWAYS
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.links import link_to
from tasks.telling.artifacts import artifact_key, page_artifact

_DAY_S = 86_400


class Told(Value):
    """What one client's report on the return rate says.

    Attributes:
        client: the client's short name, for example ``acme``.
        sentence: the change of the return rate in words; if there is no report, why.
        failed: True if the report could not be made or read.
    """

    client: str
    sentence: str
    failed: bool = False


@task(name="clients with orders", task_run_name="clients with orders", **ALWAYS)
def clients_with_orders() -> list[str]:
    """Return the short names of the clients whose orders are in storage, below ``returns/<client>/orders/``; sorted.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    keys = (PurePosixPath(one.key).parts for one in open_storage().list(returns_key("")))
    return sorted({parts[1] for parts in keys if len(parts) > 3 and parts[2] == "orders"})


@task(name="report returns", task_run_name="report returns · {client}", **ALWAYS)
def report_client(client: str) -> Told:
    """Make and store a client's report on how new pictures changed its return rate; return the main result in words.

    The report is also shown in Prefect's UI. If the client's files can't be read, that is the result, and nothing is
    raised, so that the reports of other clients are made.

    Args:
        client: the client's short name, for example ``acme``.
    """
    storage = open_storage()
    try:
        checked_name(client, what="client")
        report = _reported(storage, client)
    except PackshotError as error:
        return Told(client=client, sentence=f"{client}: {error}", failed=True)
    except Exception as error:  # noqa: BLE001  one client's files never end the report of the others
        return Told(client=client, sentence=f"{client}: {type(error).__name__}: {error}", failed=True)
    page = returns_key(client, "report/report.html")
    storage.put(page, return_page(report), content_type="text/html; charset=utf-8")
    told = report.model_dump_json(indent=1).encode()
    storage.put(returns_key(client, "report/report.json"), told, content_type="application/json")
    sentence = headline(report.overall)
    link = link_to(page, expires_s=7 * _DAY_S)
    warnings = "".join(f"\n\n> {markdown(one)}" for one in report.overall.warnings)
    page_artifact(
        f"## {markdown(client)}\n\n{markdown(sentence)}{warnings}\n\n"
        f"[The report as a page]({link}), for a week; {code(page)}",
        key=artifact_key("returns", client),
        description=sentence,
    )
    return Told(client=client, sentence=f"{client}: {sentence}")


def told_changes() -> list[Told]:
    """Return what the last report of each client says about its return rate, sorted by client.

    A report that can't be read gives a result that failed. The time that this takes grows with the number of clients
    and their files, not with the number of shots.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    storage = open_storage()
    keys = [one.key for one in storage.list(returns_key("")) if one.key.endswith("/report/report.json")]
    return [_told(storage, key) for key in sorted(keys)]


def _told(storage: Storage, key: str) -> Told:
    client = PurePosixPath(key).parts[1]
    try:
        report = ReturnReport.model_validate_json(storage.get(key))
    except (PackshotError, ValueError) as error:
        return Told(client=client, sentence=f"Its report cannot be read ({type(error).__name__}).", failed=True)
    return Told(client=client, sentence=headline(report.overall))


def _reported(storage: Storage, client: str) -> ReturnReport:
    """Return the report. It is computed in a confined child process, because the tables come from outside."""
    configs = configs_in_force()
    config = configs.returns
    kinds = (f"{kind}/" for kind in ("orders", "returns"))
    listed = [list(storage.list(returns_key(client, kind))) for kind in kinds]
    by_hand = [one for one in storage.list(returns_key(client, "golive.")) if one.key.count("/") == 2]
    total = sum(one.size_bytes for kind in (*listed, by_hand) for one in kind)
    if total > config.tables.max_decoded_bytes:
        allowed = f"{config.tables.max_decoded_bytes:,} bytes together"
        raise TooLargeError(
            "the client's tables are too large",
            client,
            found=f"{total:,} bytes",
            allowed=allowed,
            next_step="Send fewer months, or raise `tables` in configs/returns.yaml.",
        )
    orders, returns, golive = ([_export(storage, client, one.key) for one in kind] for kind in (*listed, by_hand[:1]))
    answer = children().call(
        SEND_REPORT,
        orders,
        returns,
        delivered_on(storage, client),
        about=f"orders of {client}",
        within=configs.ingest.apart,
        by_hand=golive[0] if golive else None,
        config=config,
        writing=client_writing(configs, client),
    )
    return ReturnReport.model_validate(answer.value)


def client_writing(configs: Configs, client: str) -> Writing:
    """Return how a client writes its tables, such as the order of day and month, from its style guide.

    For a client without a style guide of its own nothing is stated: both fields are None.

    Args:
        configs: all configs.
        client: the client's short name, for example ``acme``.
    """
    guide = configs.clients.get(client)
    return guide.tables if guide else Writing()


def _export(storage: Storage, client: str, key: str) -> Export:
    name = checked_path(key.removeprefix(returns_key(client)), what="file of orders")
    return Export(name, storage.get(key))


def delivered_on(storage: Storage, client: str) -> dict[str, int]:
    """Return the day of each product's first delivery to a client: SKU -> day, in days since 1970-01-01 (UTC).

    From that day on the product's new pictures could be in the client's shop. The days are those on which the manifests
    of deliveries were written. Products without a SKU are left out. To save requests, the storage is asked for the
    manifests only, not for the delivered pictures.

    Args:
        storage: the bucket.
        client: the client's short name, for example ``acme``.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    days: dict[str, int] = {}
    for key in _manifests_of_deliveries(storage, client_deliveries_prefix(client)):
        try:
            table, info = storage.get_with_info(key)
        except ObjectMissingError:  # the delivery is being written: its manifest comes last
            continue
        if info.modified is None:
            continue
        day = int(info.modified.timestamp() // _DAY_S)
        for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig"))):
            sku = identifier(row.get("sku") or "")
            if sku:
                days[sku] = min(day, days.get(sku, day))
    return days


def _manifests_of_deliveries(storage: Storage, prefix: str) -> Iterator[str]:
    """Yield the key of the manifest of each delivery of a client, also of one that is being written and has none."""
    for batch in storage.folders(prefix):
        for number in storage.folders(f"{prefix}{batch}/"):
            yield f"{prefix}{batch}/{number}/manifest.csv"
