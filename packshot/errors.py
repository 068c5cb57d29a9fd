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
All arguments go to ``super().__init__``, so an error survives pickling between processes.
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
        text = f"{self.subject}: {self.what}" if self.subject else self.what
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
    """S3 did not answer in time, or answered that it is overloaded."""

    code = "storage_unavailable"


class RecordConflictError(TransientError):
    """A record was changed by somebody else between reading and writing it."""

    code = "record_conflict"


class RefusedInputError(TerminalError):
    """A client's file that is not accepted."""

    code = "refused"


class UnreadableError(RefusedInputError):
    """Not an image, damaged, or in a format that is not supported."""

    code = "unreadable"


class TooSmallError(RefusedInputError):
    """Fewer pixels than the client's minimum."""

    code = "too_small"


class TooLargeError(RefusedInputError):
    """More bytes, pixels or frames than the limits allow."""

    code = "too_large"


class DecoderCrashedError(RefusedInputError):
    """Two processes ended while they opened the file: they crashed, ran out of memory, or ran out of time."""

    code = "decoder_crashed"


class BadProfileError(RefusedInputError):
    """The file's colours cannot be interpreted."""

    code = "bad_profile"


class ConfigError(TerminalError):
    """A config file is wrong."""

    code = "config"


class ManifestError(TerminalError):
    """A batch's manifest cannot be read."""

    code = "manifest"


class NamingError(TerminalError):
    """A name can't be built from the known facts, or is already used."""

    code = "naming"


class IllegalTransitionError(TerminalError):
    """A shot was asked to go from one state to another that may not follow it."""

    code = "illegal_transition"


class LeaseHeldError(TerminalError):
    """Another run is already doing the same work."""

    code = "lease_held"


class LeaseLostError(TerminalError):
    """This run was taken for dead and another run has taken over its work, so this one must write nothing more."""

    code = "lease_lost"


class DecisionRefusedError(TerminalError):
    """A person's decision can't be followed: it is about another picture, not theirs to make, or has no reason."""

    code = "decision_refused"


class EmptySubjectError(TerminalError):
    """No product was found in the picture."""

    code = "empty_subject"


class ByteLimitError(TerminalError):
    """The picture does not fit the platform's byte limit at any permitted quality."""

    code = "byte_limit"


class VerificationError(TerminalError):
    """The bytes to be delivered are not what the platform asks for."""

    code = "verification"


class ModelError(TerminalError):
    """A model file is missing, damaged or not the one that was asked for."""

    code = "model"


class TrainingError(TerminalError):
    """There are too few examples, or examples of only one kind, to train a model on."""

    code = "training"


class ObjectMissingError(TerminalError):
    """An object that must exist in storage is missing."""

    code = "object_missing"


class RecordDamagedError(TerminalError):
    """A record in storage cannot be read: damaged, edited by hand, or written by another version."""

    code = "record_damaged"


class StorageDeniedError(TerminalError):
    """S3 refused the request: credentials, bucket or permissions are wrong."""

    code = "storage_denied"
