"""Record what is known of a batch (one upload of photographs by a client): its files, its progress, its deliveries.

Each shot has its own record; this one has only facts about the batch as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from packshot.errors import BatchCancelledError
from packshot.lease import Lease, require_not_passed
from packshot.naming import BatchId, ShotId
from packshot.stored import Stored
from packshot.types import Finding, Value


class ShotRef(Value):
    """A reference to one uploaded photograph of a batch: where its file is in storage, and its row in the manifest.

    It holds no pixels.

    Attributes:
        shot: the shot that it becomes.
        path: relative to the batch's inbox folder, such as ``front/BTL201_MAIN.jpg``.
        key: the key of the uploaded file in storage.
        etag: the ETag of the uploaded file in storage; changes with the content.
        size_bytes: the file's length.
        sidecar, sidecar_etag: key and ETag of the sidecar, the XMP file beside the photograph; empty if there is none.
        row: the manifest's row for this file: name of the column, such as ``sku``, -> value; empty if there is none.
            A column that Packshot knows has Packshot's name for it, whatever the client called it.
        generation: how many times the shot was started again from the beginning. Results of earlier starts are not used
            again.
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
    """One numbered package of finished pictures for the client.

    Attributes:
        number: counts from 1 within the batch. Number 1 is the main delivery; later ones supplement it.
        at: when a run opened the delivery, in UTC: the run fixed the number and the shots, before any file was written.
        shots: names of the shots in it.
        opened_by: id of the flow run that opened the delivery; ``command line`` outside of a flow run. Another run may
            finish the delivery.
        files: number of renditions (files for one platform each).
        certificate_sha256: hash of the delivery's certificate in hexadecimal; empty until the whole delivery has been
            written.
    """

    number: int
    at: datetime
    shots: tuple[str, ...]
    opened_by: str
    files: int = 0
    certificate_sha256: str = ""


class Cancellation(Value):
    """The cancellation of a batch by a person. While it is in force, no run works on the batch.

    Attributes:
        at, by, why: when it was cancelled (UTC), by whom, and the reason in words.
        taken_up_at: when the batch was submitted again. That ends the cancellation. None if it was not submitted
            again.
        closed_at: when the batch's client had closed it (by uploading ``READY``), by the storage's clock; None if it
            was not closed when it was cancelled.
    """

    at: datetime
    by: str
    why: str
    taken_up_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def sentence(self) -> str:
        """The cancellation in words: ``Cancelled by Ana López at 2026-05-01 09:30 UTC: wrong photographs``."""
        return f"Cancelled by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC: {self.why}"

    def is_followed_by(self, closed_at: datetime | None) -> bool:
        """Return whether the client has closed the batch again since the cancellation, so that it is to be processed.

        A client closes a batch by uploading ``READY``. The result is True only if the batch was closed before the
        cancellation (the attribute `closed_at`), and again at a later time (the argument). If the batch was not closed
        before the cancellation, the result is always False: ``READY`` may just end an upload that had already begun.

        Args:
            closed_at: when the client last closed the batch, by the storage's clock; None if the client never did.
        """
        return self.closed_at is not None and closed_at is not None and closed_at > self.closed_at


class BatchRecord(Stored):
    """All facts about a batch as a whole, as they are stored. Each shot has a record of its own besides.

    Attributes:
        batch: client and name of the batch.
        received_at: when the batch was received (UTC).
        shots: every photograph, sorted by name.
        ignored: path of an uploaded file that is not a photograph -> why it is none, in words. Examples are the
            manifest, ``READY`` and an XMP file beside a photograph.
        references: path of a reference photograph (one that shows the true colour of products), below the inbox
            folder -> the file's ETag in storage when the batch was listed. Its path is in `ignored` too.
        findings: what was noticed about the batch as a whole: manifest rows without a file, files without a row,
            duplicates and the like.
        groups: shot name -> name of its shoot group (shots in the same light).
        statements: name of a lighting set-up -> the decision about the colours of its shots, among them the colour
            correction that they get (`packshot.ingest.shoot_groups.Statement`, as JSON).
        deliveries: the deliveries opened so far, in order of their numbers.
        gathered: name of a shot that was approved after the batch's first delivery -> when it is delivered (UTC); None
            if it waits until somebody closes the batch. The entry goes when the shot is delivered.
        sent_back: name of a delivered shot -> when its client last sent it back (UTC). The entry stays when the shot
            is delivered again.
        cancellations: the cancellations of the batch, oldest first; only the last one can be in force.
        closed_at: when a person closed the batch. From then on, shots no longer wait for the rest of their product.
            None until then.
        claimed_by: id of the flow run that works on the batch; empty if none does. It is only shown to people. Whether
            a run may work is decided by its lease, a small object in storage.
        finished_at: when a run over the batch first ended without a failed shot; None before, and again after a
            cancellation.
        fences: name of a lease -> the highest number under which a run has changed this record (fencing token). A run
            with a lower number has lost the lease, and its change is refused.
    """

    batch: BatchId
    received_at: datetime
    shots: tuple[ShotRef, ...] = ()
    ignored: Mapping[str, str] = Field(default_factory=dict)
    references: Mapping[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    groups: Mapping[str, str] = Field(default_factory=dict)
    statements: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    gathered: Mapping[str, datetime | None] = Field(default_factory=dict)
    sent_back: Mapping[str, datetime] = Field(default_factory=dict)
    cancellations: tuple[Cancellation, ...] = ()
    closed_at: datetime | None = None
    claimed_by: str = ""
    finished_at: datetime | None = None
    fences: Mapping[str, int] = Field(default_factory=dict)

    def written_under(self, lease: Lease) -> BatchRecord:
        """Return the record, marked with the lease under which a run changes it.

        A lease shows which run is at work on the batch. The record keeps the lease's number, so that a run which has
        lost the lease to another run cannot overwrite what that other run wrote.

        Args:
            lease: the lease of the run that writes.

        Raises:
            LeaseLostError: a later owner of the lease has already written.
            BatchCancelledError: somebody has cancelled the batch. No run may change its record any more.
        """
        self.require_not_cancelled()
        require_not_passed(lease, self.fences.get(lease.name, 0))
        return self.model_copy(update={"fences": {**self.fences, lease.name: lease.number}})

    @property
    def cancelled(self) -> Cancellation | None:
        """The cancellation that is in force; None if nobody has cancelled the batch, or it was submitted again."""
        last = self.cancellations[-1] if self.cancellations else None
        return last if last is not None and last.taken_up_at is None else None

    def require_not_cancelled(self) -> None:
        """Raise an error if somebody has cancelled the batch.

        Raises:
            BatchCancelledError: its message says who, when and why.
        """
        if self.cancelled is not None:
            raise BatchCancelledError(
                "somebody has cancelled this batch",
                str(self.batch),
                found=self.cancelled.sentence,
                next_step="If it is to be processed all the same, submit it again: packshot batch submit.",
            )

    @property
    def next_delivery(self) -> int:
        """The number that the next delivery gets: 1 if there is none yet, otherwise the highest one plus 1."""
        return max((one.number for one in self.deliveries), default=0) + 1

    def ref(self, shot: str) -> ShotRef | None:
        """Return the reference to the uploaded photograph of a shot: where its file is in storage, and its manifest
        row. None if the batch has no shot of that name.

        Args:
            shot: the shot's name, such as ``BTL201_MAIN``.
        """
        return next((ref for ref in self.shots if ref.shot.shot == shot), None)
