"""Define every error that Packshot raises on purpose, as a tree. An error's branch says whether a retry may help.

    PackshotError
    ├── TransientError                 trying again may help: Packshot retries it
    │   ├── StorageUnavailableError    S3 did not answer, or answered 5xx / SlowDown
    │   ├── RecordConflictError        somebody else changed the record first
    │   └── DiskFullError              a disk of this machine is full
    └── TerminalError                  trying again cannot help: shown to a person
        ├── RefusedInputError          this file is not accepted; the original goes to quarantine
        │   ├── UnreadableError        not an image, damaged, or a format we do not read
        │   ├── TooSmallError          below the client's least number of pixels
        │   ├── TooLargeError          beyond the limits on bytes, pixels or frames
        │   ├── DecoderCrashedError    opening it ended the process that opened it, twice
        │   └── BadProfileError        colours cannot be interpreted
        ├── ConfigError                a config file is wrong: names file, line, field, found, allowed
        ├── ManifestError              a manifest cannot be read
        ├── NamingError                a name cannot be built, or two files want the same one
        ├── IllegalTransitionError     a shot cannot go from this state to that one
        ├── LeaseHeldError             another run works on the same batch, delivery or night
        ├── LeaseLostError             another run has taken this run's work over
        ├── BatchCancelledError        somebody has cancelled the batch
        ├── DecisionRefusedError       a person's decision cannot be followed: stale, not theirs, without a reason
        ├── EmptySubjectError          no product found in the picture
        ├── ByteLimitError             no permitted quality meets the platform's byte limit
        ├── VerificationError          the delivered bytes are not what was promised
        ├── ModelError                 a model file is missing or is not the one expected
        ├── TrainingError              there is too little, or too one-sided, to train a model on
        ├── ObjectMissingError         an object that must exist in storage does not
        ├── RecordDamagedError         a record cannot be read, or another version wrote it
        └── StorageDeniedError         S3 refused: credentials, bucket or permissions

A message says what happened, to which object, what was found, what is allowed and what to do next.
The docstring of a class says what it means and what to do: `packshot explain` and ``docs/errors.md`` take it from
there. All arguments go to ``super().__init__``, so an error survives pickling between processes.
"""

from __future__ import annotations


class PackshotError(Exception):
    """Root of all errors raised on purpose.

    Args:
        what: what happened, one clause without a full stop, such as "no such platform".
        subject: name of the object it happened to: a file, a shot, a config key. It begins the message; empty for none.
        found: what was found, in words; empty leaves it out of the message.
        allowed: what would have been accepted, in words; empty leaves it out.
        next_step: what a person can do now, as a sentence; empty leaves it out.
    """

    code = "error"

    def __init__(self, what: str, subject: str = "", found: str = "", allowed: str = "", next_step: str = "") -> None:
        super().__init__(what, subject, found, allowed, next_step)
        self.what = what
        self.subject = subject
        self.found = found
        self.allowed = allowed
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.subject}: {self.without_subject}" if self.subject else self.without_subject

    @property
    def without_subject(self) -> str:
        """The message without the object's name, for a table or page that shows the name beside it.

        Example: ``no such platform; found amazn; allowed amazon_main. Check its spelling.``
        """
        text = self.what
        if self.found:
            text += f"; found {self.found}"
        if self.allowed:
            text += f"; allowed {self.allowed}"
        return f"{text}. {self.next_step}" if self.next_step else f"{text}."


class TransientError(PackshotError):
    """Trying again may help, so the work is retried."""

    code = "transient"


class TerminalError(PackshotError):
    """Trying again cannot help, so the work is not retried."""

    code = "terminal"


class StorageUnavailableError(TransientError):
    """Storage did not answer, is overloaded, or bytes were damaged during the transfer.

    What to do: see "S3 is away" in runbook.md.
    """

    code = "storage_unavailable"


class RecordConflictError(TransientError):
    """Other runs kept changing the same record for a minute.

    What to do: retry the run.
    """

    code = "record_conflict"


class DiskFullError(TransientError):
    """A disk of this machine is full. The message names the folder and what is free there.

    Nothing half-written stays.

    What to do: make room. See "A disk is full" in runbook.md.
    """

    code = "disk_full"


class RefusedInputError(TerminalError):
    """A file is not accepted.

    Most refusals have a more exact code, such as `too_small`. The code `refused` itself means that a file that an
    editor returned does not fit the master.

    What to do: read the reason, which the job shows again. Return the whole picture, uncropped and in its own format.
    """

    code = "refused"


class UnreadableError(RefusedInputError):
    """The file is not a picture, is damaged or cut off, or has a format that is not read: JPEG 2000, SVG, PDF, ...

    An undamaged camera RAW is not read if LibRaw does not know the camera or the compression, such as JPEG XL in a DNG.
    The message says which.

    What to do: ask for a whole JPEG, TIFF, PNG, WebP, HEIC, AVIF, JPEG XL, PSD or camera RAW. If a RAW is not read, ask
    for a DNG with lossless compression or a TIFF of 16 bits.
    """

    code = "unreadable"


class TooSmallError(RefusedInputError):
    """The photograph's longest side has fewer pixels than the limit `min_px`.

    What to do: ask for the full size.
    """

    code = "too_small"


class TooLargeError(RefusedInputError):
    """The file exceeds the limits on bytes, sides, pixels or frames. It was not decoded.

    What to do: ask for a smaller file, or raise the limit.
    """

    code = "too_large"


class DecoderCrashedError(RefusedInputError):
    """The file ended two processes that tried to open it: they crashed, or ran out of memory or time.

    Work on the other files went on.

    What to do: ask for the picture again, smaller or as a plain TIFF; or raise the limits under `apart` in ingest.yaml.
    """

    code = "decoder_crashed"


class BadProfileError(RefusedInputError):
    """The file's colours cannot be read: it is HDR, or its profile is missing or damaged and may not be guessed.

    What to do: ask for an RGB picture without HDR, with its profile.
    """

    code = "bad_profile"


class ConfigError(TerminalError):
    """A config file or an environment variable is wrong; the message names file, line and field.

    What to do: correct it. `packshot config check` finds all such errors.
    """

    code = "config"


class ManifestError(TerminalError):
    """The manifest cannot be read. In a batch this becomes the finding `manifest_unreadable`.

    What to do: save it as CSV in UTF-8.
    """

    code = "manifest"


class NamingError(TerminalError):
    """A name needs an unknown value (for example an ASIN), has forbidden characters, or would be used twice.

    What to do: correct the template, or give the value.
    """

    code = "naming"


class IllegalTransitionError(TerminalError):
    """A shot cannot go from its state to the one asked for.

    What to do: read the record's last events, then reprocess the shot.
    """

    code = "illegal_transition"


class LeaseHeldError(TerminalError):
    """Another run is still working on the same batch, delivery or night. This run ends as *Skipped*.

    What to do: nothing. If the other run dies, the next one takes over.
    """

    code = "lease_held"


class LeaseLostError(TerminalError):
    """This run gave no sign of life for longer than the setting `PACKSHOT_LEASE_S`, so another run took over.

    This run writes nothing more and ends as *Taken over*.

    What to do: nothing.
    """

    code = "lease_lost"


class BatchCancelledError(TerminalError):
    """Somebody has cancelled the batch. Nothing more of it is processed or delivered.

    What to do: if it is to be processed all the same, submit it again.
    """

    code = "batch_cancelled"


class DecisionRefusedError(TerminalError):
    """A person's decision cannot be followed.

    Either the picture has changed since it was shown, the person judged their own work, somebody else decided first, or
    the decision says too little.

    What to do: look at the shot as it is now, then decide again.
    """

    code = "decision_refused"


class EmptySubjectError(TerminalError):
    """No product was found in the picture: the cut-out is empty.

    What to do: give the shot to an editor.
    """

    code = "empty_subject"


class ByteLimitError(TerminalError):
    """The file is too large even at the lowest quality that the platform permits (`quality_floor`).

    This platform gets no file.

    What to do: lower the platform's `quality_floor`, or leave this platform out.
    """

    code = "byte_limit"


class VerificationError(TerminalError):
    """No rendition of the shot passes its verification. Nothing is delivered.

    What to do: read the findings in the message. Then correct the style guide, or reprocess the shot.
    """

    code = "verification"


class ModelError(TerminalError):
    """A model's file is missing, damaged or not the expected one, or the model is not on the list.

    What to do: run `packshot models fetch`, and check `PACKSHOT_SEGMENTER`.
    """

    code = "model"


class TrainingError(TerminalError):
    """The routing model cannot be trained: too few shots are judged, or all are refused, or all are accepted.

    What to do: wait for more verdicts, or raise `audit.ratio` in `configs/routing.yaml`.
    """

    code = "training"


class ObjectMissingError(TerminalError):
    """An object is missing in storage, or its bytes differ from those in the record.

    What to do: restore it from the bucket's versions, or reprocess the shot.
    """

    code = "object_missing"


class RecordDamagedError(TerminalError):
    """A record or plan was edited by hand, damaged, or written by a newer version. Only its shot fails.

    What to do: if a newer version wrote it, upgrade and retry. Otherwise restore its previous version.
    """

    code = "record_damaged"


class StorageDeniedError(TerminalError):
    """Credentials, bucket, permissions or a clock are wrong; or something tried to change a closed batch.

    What to do: correct the settings (settings.md). Send changed files as another batch.
    """

    code = "storage_denied"
