"""Functions that decode files from outside in a child process. Their results can be sent: plain JSON, bytes, arrays.

The tasks run the ``send_`` functions in a confined child. The ``received_`` functions validate the result before it is
used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from packshot.export.preview import before_and_after
from packshot.formats.sniff import FileKind
from packshot.ingest.grouping import ShotLight
from packshot.ingest.shoot_groups import ReferencePhoto
from packshot.paths.model import SavedPath
from packshot.pipeline.mastering import master, read_reference
from packshot.returned.read import MatteSource, ReturnedWork, read_returned
from packshot.routing.features import Features
from packshot.routing.picture import Looks
from packshot.specs.models import IngestConfig, Plan
from packshot.types import Finding, Sourced, Value

Parts = Mapping[str, Any]
"""Bytes or arrays by name."""

MASTER, REFERENCE, RETURNED = (f"{__name__}:{name}" for name in ("send_master", "send_reference", "send_returned"))
_PATHS: TypeAdapter[SavedPath] = TypeAdapter(SavedPath)


class MasteredFile(Value):
    """Result of stage 1, without its files (the master and its preview).

    Attributes:
        facts, plan, features, light, looks, findings, report: as in `mastering.Mastered`.
        category_source: where the category comes from; empty if it is unknown.
    """

    facts: Mapping[str, Sourced]
    plan: Plan
    features: Features
    light: ShotLight
    looks: Looks | None
    findings: tuple[Finding, ...]
    report: Mapping[str, Any]
    category_source: str


def send_master(data: bytes, **known: Any) -> tuple[Any, Parts]:
    """Return the result of `mastering.master` as (a `MasteredFile` in plain JSON, its files by name).

    The files are ``master.tif`` and ``preview.webp``.

    Args:
        data: the whole file.
        known: the other arguments of `mastering.master`.
    Raises:
        RefusedInputError, ConfigError: as `mastering.master`.
    """
    done = master(data, **known)
    told = MasteredFile(
        facts=done.facts,
        plan=done.plan,
        features=done.features,
        light=done.light,
        looks=done.looks,
        findings=done.findings,
        report=done.report,
        category_source=done.category_source,
    )
    files = {"master.tif": done.tiff, "preview.webp": before_and_after(done.master.pixels16, None)}
    return told.model_dump(mode="json"), files


def send_reference(data: bytes, *, path: str, limits: IngestConfig) -> tuple[Any, Parts]:
    """Return the result of `mastering.read_reference` as plain JSON, and no files.

    It runs in the child process that opens files from outside. `received_reference` reads the JSON.

    Args:
        data: the whole file.
        path: path of the file in its batch, for messages.
        limits: the greatest picture, and which assumptions about colours are allowed.
    Raises:
        RefusedInputError: the file can't be read.
    """
    return read_reference(data, path=path, limits=limits).model_dump(mode="json"), {}


def received_reference(value: Any) -> ReferencePhoto:
    """Return the colour reference from the first part of `send_reference`'s result.

    Args:
        value: plain JSON.
    """
    return ReferencePhoto.model_validate(value)


def send_returned(data: bytes, *, name: str, limits: IngestConfig, prefer_path: str = "") -> tuple[Any, Parts]:
    """Return an editor's finished picture as (a description in plain JSON, the arrays ``pixels16`` and ``matte``).

    The result is that of `read_returned`: ``pixels16`` is (rows, columns, 3) uint16, working space, and ``matte`` is
    (rows, columns) float32 in 0..1; it is missing if the file has none. `received_returned` reads the result.

    Args:
        data, name, limits, prefer_path: as in `read_returned`.
    """
    work = read_returned(data, name=name, limits=limits, prefer_path=prefer_path)
    path = None
    if work.path is not None:
        path = {**_PATHS.dump_python(work.path, exclude={"raw_name"}), "raw_name": work.path.raw_name.hex()}
    told = {
        "name": work.name,
        "kind": work.kind.value,
        "source": work.source.value if work.source else None,
        "source_name": work.source_name,
        "path": path,
        "bit_depth": work.bit_depth,
        "profile_name": work.profile_name,
        "profile_assumed": work.profile_assumed,
        "orientation": work.orientation,
        "findings": [finding.model_dump(mode="json") for finding in work.findings],
    }
    arrays: dict[str, NDArray[Any]] = {"pixels16": np.ascontiguousarray(work.pixels16)}
    if work.matte is not None:
        arrays["matte"] = np.ascontiguousarray(work.matte, np.float32)
    return told, arrays


def received_returned(value: Any, parts: Parts) -> ReturnedWork:
    """Return an editor's finished picture from the result of `send_returned`.

    Args:
        value: the description, as plain JSON.
        parts: the arrays.
    Raises:
        ValueError: the arrays have the wrong shape or dtype.
    """
    pixels, matte, path = parts["pixels16"], parts.get("matte"), value["path"]
    if pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels of the shape {pixels.shape}, {pixels.dtype}")
    if matte is not None and (matte.dtype != np.float32 or matte.shape != pixels.shape[:2]):
        raise ValueError(f"a matte of the shape {matte.shape}, {matte.dtype}")
    if path is not None:
        path = _PATHS.validate_python({**path, "raw_name": bytes.fromhex(path["raw_name"])})
    return ReturnedWork(
        name=str(value["name"]),
        kind=FileKind(value["kind"]),
        pixels16=pixels,
        matte=matte,
        source=MatteSource(value["source"]) if value["source"] else None,
        source_name=str(value["source_name"]),
        path=path,
        bit_depth=int(value["bit_depth"]),
        profile_name=str(value["profile_name"]),
        profile_assumed=bool(value["profile_assumed"]),
        orientation=int(value["orientation"]),
        findings=tuple(Finding.model_validate(one) for one in value["findings"]),
    )
