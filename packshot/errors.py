"""Every error Packshot raises on purpose.

    PackshotError
    ├── TransientError                 trying again may help: retried by the line
    │   ├── StorageUnavailableError    S3 did not answer, or answered 5xx / SlowDown
    │   └── RecordConflictError        somebody else changed the record first
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
        ├── LeaseHeldError             another run is at work on it
        ├── LeaseLostError             another run has taken this run's work over
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
        what: what happened, one clause.
        subject: the object it happened to: a file, a shot, a config key.
        found: what was found.
        allowed: what would have been accepted.
        next_step: what a person can do now.
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
        """The message for a place that names the object itself."""
        text = self.what
        if self.found:
            text += f"; found {self.found}"
        if self.allowed:
            text += f"; allowed {self.allowed}"
        return f"{text}. {self.next_step}" if self.next_step else f"{text}."


class TransientError(PackshotError):
    """Trying again may help."""

    code = "transient"


class TerminalError(PackshotError):
    """Trying again cannot help."""

    code = "terminal"


class StorageUnavailableError(TransientError):
    """Storage did not answer, is overloaded, or bytes were garbled on the way.

    What to do: see "S3 is away" in runbook.md.
    """

    code = "storage_unavailable"


class RecordConflictError(TransientError):
    """Others changed the same record over and over for a minute.

    What to do: retry the run.
    """

    code = "record_conflict"


class RefusedInputError(TerminalError):
    """A file is not accepted. As a code of its own: returned work is not as large as the master.

    What to do: the form comes back with the reason; return it uncropped.
    """

    code = "refused"


class UnreadableError(RefusedInputError):
    """No picture, damaged, cut off, or a format that is not read: JPEG 2000, SVG, PDF, ...

    A whole camera RAW is not read if LibRaw does not know the camera or the compression, such as JPEG XL in a DNG; the
    message says which. What to do: ask for a whole JPEG, TIFF, PNG, WebP, HEIC, AVIF, JPEG XL, PSD or camera RAW;
    instead of a RAW that is not read, for a DNG with lossless compression or a TIFF of 16 bits.
    """

    code = "unreadable"


class TooSmallError(RefusedInputError):
    """The longest side is under `min_px`.

    What to do: ask for the full size.
    """

    code = "too_small"


class TooLargeError(RefusedInputError):
    """Beyond the limits on bytes, sides, pixels or frames; nothing was decoded.

    What to do: ask for a smaller file, or raise the limit.
    """

    code = "too_large"


class DecoderCrashedError(RefusedInputError):
    """Opening it ended two processes of its own: they crashed, ran out of memory or of time. Nothing else stopped.

    What to do: ask for the picture again, smaller or as a plain TIFF; or raise `apart` in ingest.yaml.
    """

    code = "decoder_crashed"


class BadProfileError(RefusedInputError):
    """A CMYK or Lab profile that connects to no colour space.

    What to do: ask for RGB with a profile.
    """

    code = "bad_profile"


class ConfigError(TerminalError):
    """A config file or an environment variable is wrong; the message names file, line and field.

    What to do: correct it; `packshot config check` finds all.
    """

    code = "config"


class ManifestError(TerminalError):
    """The manifest cannot be read. In a batch this becomes `manifest_unreadable`.

    What to do: save it as CSV in UTF-8.
    """

    code = "manifest"


class NamingError(TerminalError):
    """A name needs what is not known (an ASIN, say), has characters that are not allowed, or is wanted twice.

    What to do: correct the template, or give the fact.
    """

    code = "naming"


class IllegalTransitionError(TerminalError):
    """A shot cannot go from this state to that one.

    What to do: read the record's last events; reprocess the shot.
    """

    code = "illegal_transition"


class LeaseHeldError(TerminalError):
    """Another run is at work on the same batch, delivery or night, and lives. The run ends as *Skipped*.

    What to do: nothing. If the other run dies, the next one takes over.
    """

    code = "lease_held"


class LeaseLostError(TerminalError):
    """This run was not heard of for longer than `PACKSHOT_LEASE_S`, and another one took over.

    It writes nothing more and ends as *Taken over*.

    What to do: nothing.
    """

    code = "lease_lost"


class DecisionRefusedError(TerminalError):
    """A person's decision cannot be followed.

    The picture has changed since it was shown, it is their own work, somebody was first, or it says too little.

    What to do: look at the shot as it is now, then decide again.
    """

    code = "decision_refused"


class EmptySubjectError(TerminalError):
    """No product is in the matte.

    What to do: give it to an editor.
    """

    code = "empty_subject"


class ByteLimitError(TerminalError):
    """The file is too large even at `quality_floor`; that platform gets nothing.

    What to do: lower the platform's `quality_floor`, or leave it out.
    """

    code = "byte_limit"


class VerificationError(TerminalError):
    """No rendition of the shot passes its verification; nothing is delivered.

    What to do: read the findings in the message; correct the style guide, or reprocess.
    """

    code = "verification"


class ModelError(TerminalError):
    """A network's file is missing, damaged, another one, or not on the list.

    What to do: run `packshot models fetch`; look at `PACKSHOT_SEGMENTER`.
    """

    code = "model"


class TrainingError(TerminalError):
    """There are too few judged shots, or only refused or only accepted ones, to train the routing model on.

    What to do: wait for more verdicts; raise `audit.ratio` in `configs/routing.yaml`.
    """

    code = "training"


class ObjectMissingError(TerminalError):
    """An object is not in storage, or not with the bytes that the record knows.

    What to do: restore it from the bucket's versions, or reprocess the shot.
    """

    code = "object_missing"


class RecordDamagedError(TerminalError):
    """A record or plan was edited by hand, damaged, or written by a newer version. Its shot fails alone.

    What to do: upgrade and retry if a newer version wrote it; else restore its former version.
    """

    code = "record_damaged"


class StorageDeniedError(TerminalError):
    """Credentials, bucket or permissions are wrong, a clock is off; or a closed batch was to be changed.

    What to do: correct the settings (settings.md); send changed files as another batch.
    """

    code = "storage_denied"
