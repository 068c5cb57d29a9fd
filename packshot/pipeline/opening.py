"""Decode files from outside in a child process, and send the results back as plain JSON, bytes and arrays.

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
    """The result of stage 1 for a shot, in a form that a child process can send: without the master and its preview.

    Attributes:
        facts: name of the fact -> value and source.
        plan: all settings resolved for this shot.
        features: measurements of the master, for the route.
        light: data from which its shoot group (shots in the same light) is found.
        looks: the category network's prediction; None if the category is certain, or no network is used.
        findings: on the file, its colours, and doubtful facts.
        report: how the file was read and converted, as plain JSON for the record.
        category_source: where the category comes from, for example ``manifest``; empty if it is unknown.
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
    """Return a photograph's master as a child process can send it: (a `MasteredFile` as plain JSON, files by name).

    The files are ``master.tif`` and ``preview.webp``. `packshot.pipeline.mastering.master` does the work. A file that
    crashes its decoder then ends only the child process.

    Args:
        data: the whole file.
        known: the other arguments of `packshot.pipeline.mastering.master`.

    Raises:
        RefusedInputError: the file is not accepted.
        ConfigError: no plan can be resolved from the facts and the configs.
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
    """Return what a photograph of a colour reference shows, as a child process can send it: (plain JSON, no files).

    `received_reference` reads the JSON.

    Args:
        data: the whole file.
        path: path of the file in its batch, for messages.
        limits: the greatest picture, and which assumptions about colours are allowed.

    Raises:
        RefusedInputError: the file can't be read.
    """
    return read_reference(data, path=path, limits=limits).model_dump(mode="json"), {}


def received_reference(value: Any) -> ReferencePhoto:
    """Return what a photograph of a colour reference shows, built again from what a child process has sent.

    The JSON is checked.

    Args:
        value: the first part of the result of `send_reference`, plain JSON.

    Raises:
        ValueError: the JSON does not have the right fields.
    """
    return ReferencePhoto.model_validate(value)


def send_returned(data: bytes, *, name: str, limits: IngestConfig, prefer_path: str = "") -> tuple[Any, Parts]:
    """Return an editor's picture as a child process can send it: (a description as plain JSON, arrays by name).

    ``pixels16`` is (rows, columns, 3) uint16, Adobe RGB. ``matte`` is (rows, columns) float32 in 0..1; it is missing if
    the file has none. `received_returned` builds the picture again.

    Args:
        data: the whole file.
        name: the file's name, for messages.
        limits: limits on bytes and pixels.
        prefer_path: name of the path in the client's rule, in any encoding and case; empty if there is no such rule.

    Raises:
        RefusedInputError: the file cannot be read.
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
        "lossy": work.lossy,
    }
    arrays: dict[str, NDArray[Any]] = {"pixels16": np.ascontiguousarray(work.pixels16)}
    if work.matte is not None:
        arrays["matte"] = np.ascontiguousarray(work.matte, np.float32)
    return told, arrays


def received_returned(value: Any, parts: Parts) -> ReturnedWork:
    """Return an editor's picture, checked and built again from what a child process has sent.

    Args:
        value: the description, the first part of the result of `send_returned`.
        parts: the arrays, the second part.

    Raises:
        ValueError: an array has the wrong shape or dtype, or a field of the description is wrong.
        KeyError: an array or a field of the description is missing.
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
        lossy=bool(value["lossy"]),
    )
