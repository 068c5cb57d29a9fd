"""A batch's record: what came in, what became of the whole, what was delivered.

The shots' own lives stand in their own records; here stands only what belongs to the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from packshot.lease import Lease, require_not_passed
from packshot.naming import BatchId, ShotId
from packshot.stored import Stored
from packshot.types import Finding, Value


class ShotRef(Value):
    """One uploaded photograph: where it is and what the manifest says of it.

    Attributes:
        path: inside the batch's inbox folder.
        etag: the storage's word for the content; changes with it.
        sidecar, sidecar_etag: key of the XMP file beside it and the storage's word for its content; empty without one.
        row: the manifest's row for this file, by column; empty without one.
        generation: how often the shot was started again; part of every cache key.
    """

    shot: ShotId
    path: str
    key: str
    etag: str
    size_bytes: int
    sidecar: str = ""
    sidecar_etag: str = ""
    row: Mapping[str, str] = Field(default_factory=dict)
    generation: int = 0


class Delivery(Value):
    """One package handed over.

    Attributes:
        number: counts from 1; later ones supplement the earlier.
        shots: names of the shots in it.
        files: how many renditions.
        opened_by: the flow run that opened it; whoever delivers next goes on with it.
        certificate_sha256: empty until everything has been handed over.
    """

    number: int
    at: datetime
    shots: tuple[str, ...]
    opened_by: str
    files: int = 0
    certificate_sha256: str = ""


class BatchRecord(Stored):
    """All that is known of a batch.

    Attributes:
        shots: every photograph, in the order of their names.
        ignored: uploaded files that are not photographs (manifest, READY, sidecars), with the reason.
        findings: rows without a file, files without a row, duplicates.
        groups: shot name -> shoot group.
        statements: set-up -> what holds for it (`packshot.ingest.shoot_groups.Statement`), its correction among it.
        gathered: shots that were approved after the batch went out -> when they go out; None: when it is closed. One
            that was delivered since counts no more.
        claimed_by: id of the flow run that last took it up; empty when it has let go. The lease decides, this tells.
        fences: lease -> the highest number that has written here; whoever has a lower one was taken over.
    """

    batch: BatchId
    received_at: datetime
    shots: tuple[ShotRef, ...] = ()
    ignored: Mapping[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    groups: Mapping[str, str] = Field(default_factory=dict)
    statements: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    gathered: Mapping[str, datetime | None] = Field(default_factory=dict)
    claimed_by: str = ""
    finished_at: datetime | None = None
    fences: Mapping[str, int] = Field(default_factory=dict)

    def written_under(self, lease: Lease) -> BatchRecord:
        """Return the record with the mark of the lease it is changed under.

        Raises:
            LeaseLostError: a later owner has written already.
        """
        require_not_passed(lease, self.fences.get(lease.name, 0))
        return self.model_copy(update={"fences": {**self.fences, lease.name: lease.number}})

    @property
    def next_delivery(self) -> int:
        """The number the next delivery gets."""
        return max((one.number for one in self.deliveries), default=0) + 1

    def ref(self, shot: str) -> ShotRef | None:
        """Return the photograph of that name, or None."""
        return next((ref for ref in self.shots if ref.shot.shot == shot), None)
