"""Pack a delivery's files into one archive, with a table of them. The same files always give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO

from packshot.errors import NamingError
from packshot.export.delivery import DeliveredFile, DeliverySummary, ShotSummary
from packshot.export.left_out import LeftOut
from packshot.naming import path_trouble
from packshot.tables import Cell, csv_table, figure
from packshot.workbooks import workbook

MANIFEST_COLUMNS = (
    "file",
    "platform",
    "shot",
    "original",
    "sku",
    "asin",
    "gtin",
    "view",
    "category",
    "width_px",
    "height_px",
    "format",
    "quality",
    "bit_depth",
    "profile",
    "bytes",
    "sha256",
    "fill_ratio",
    "off_white_px",
    "delta_e_mean",
    "delta_e_p95",
    "score",
    "approved_by",
    "product_lacks",
    "remarks",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP archive can store
_FILE_MODE = 0o100644
_COMPRESSIBLE = frozenset({".csv", ".json", ".html", ".txt"})


def manifest_csv(delivery: DeliverySummary) -> bytes:
    """Return ``manifest.csv`` of a delivery, with commas, UTF-8: a row for each delivered file, sorted by path.

    Its first row names the columns, `MANIFEST_COLUMNS`, such as ``sku``, ``platform`` and ``sha256``.

    After the rows of files comes one row without a file for each platform that gets no file of a shot, and for each
    missing file; the column ``remarks`` gives the reason. The column ``product_lacks`` names the views that the file's
    product must have and that are still missing.

    No cell can be run as a formula by a spreadsheet: see `packshot.tables`.

    Args:
        delivery: the delivery that the table describes.
    """
    return csv_table(MANIFEST_COLUMNS, _rows(delivery)).encode()


def manifest_xlsx(delivery: DeliverySummary) -> bytes:
    """Return ``manifest.xlsx`` of a delivery, as bytes: the table of `manifest_csv`, for Excel.

    A GTIN keeps all its digits.

    Args:
        delivery: the delivery that the table describes.
    """
    return workbook(MANIFEST_COLUMNS, _rows(delivery), title="manifest")


def _rows(delivery: DeliverySummary) -> list[list[Cell]]:
    """Return the cells of each row, in the order of the columns."""
    by_name = {shot.shot: shot for shot in delivery.shots}
    rows = [(shot.shot, _row(shot, file)) for shot, file in delivery.files]
    rows += [(one.shot, _row_without_file(by_name[one.shot], one)) for one in delivery.left_out]
    lacks = {shot: one.lacking for one in delivery.products for shot in one.shots}
    return [
        [{**row, "product_lacks": lacks.get(shot, "")}.get(name) for name in MANIFEST_COLUMNS] for shot, row in rows
    ]


def _row(shot: ShotSummary, file: DeliveredFile) -> dict[str, Cell]:
    """Return the row of a file."""
    return {
        "file": file.path,
        "platform": file.platform,
        **_of_shot(shot),
        "format": file.format,
        "profile": file.profile,
        "sha256": file.sha256,
        "approved_by": shot.approved_by,
        "remarks": " ".join([*_corrects(shot), *(finding.message for finding in file.remarks)]),
        "width_px": file.size.width,
        "height_px": file.size.height,
        "quality": file.quality,
        "bit_depth": file.bit_depth,
        "bytes": file.size_bytes,
        "fill_ratio": figure(file.fill_ratio, 4),
        "off_white_px": file.background.off_white_px if file.background else None,
        "delta_e_mean": figure(file.colour.mean_delta_e, 2) if file.colour else None,
        "delta_e_p95": figure(file.colour.p95_delta_e, 2) if file.colour else None,
        "score": figure(shot.score, 1),
    }


def _corrects(shot: ShotSummary) -> list[str]:
    return [] if shot.corrects is None else [f"Replaces the file of delivery {shot.corrects}."]


def _row_without_file(shot: ShotSummary, left_out: LeftOut) -> dict[str, Cell]:
    """Return the row of a platform that gets nothing of a shot."""
    name = "" if left_out.name == left_out.platform else f"{left_out.name}: "
    return {"platform": left_out.platform, **_of_shot(shot), "remarks": f"Not delivered: {name}{left_out.why}"}


def _of_shot(shot: ShotSummary) -> dict[str, Cell]:
    """Return the columns that describe the shot."""
    facts = {name: shot.fact(name) for name in ("sku", "asin", "gtin", "view")}
    return {"shot": shot.shot, "original": shot.file, "category": shot.category, **facts}


def write_package(target: BinaryIO, entries: Iterable[tuple[str, bytes]]) -> None:
    """Write a delivery's ZIP archive entry by entry, so that a large delivery need not fit into memory.

    Nothing comes back. The same entries give the same bytes: all have the same time and permissions. Pictures are
    stored uncompressed; tables and pages are deflated.

    Args:
        target: opened for writing in binary.
        entries: pairs of (path in the archive, content), in their final order.
    Raises:
        NamingError: a path leads out of the archive, or occurs twice in it (ignoring case).
    """
    taken: set[str] = set()
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for path, content in entries:
            _check_path(path, taken)
            entry = zipfile.ZipInfo(path, date_time=_EPOCH)
            entry.create_system = 3  # Unix, wherever it is written
            entry.external_attr = _FILE_MODE << 16
            deflated = PurePosixPath(path).suffix in _COMPRESSIBLE
            entry.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
            archive.writestr(entry, content)


def _check_path(path: str, taken: set[str]) -> None:
    """Check a path, and add it to those taken."""
    trouble = path_trouble(path) or ("it has a backslash or a colon" if set(path) & {"\\", ":"} else "")
    if trouble:
        raise NamingError(
            f"this path is not allowed in an archive: {trouble}",
            repr(path),
            allowed="<platform>/<name>, without '..'",
            next_step="Correct the naming template.",
        )
    if path.lower() in taken:
        raise NamingError(
            "two files have the same path in the archive",
            path,
            allowed="each path once, whatever its case",
            next_step="Give the shots different views, or use {shot} in the client's naming template.",
        )
    taken.add(path.lower())
