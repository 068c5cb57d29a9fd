"""Make the findings (noted observations about a file) that the readers of several formats use."""

from __future__ import annotations

from packshot.figures import counted
from packshot.types import Finding, Status


def extra_channels(count: int) -> Finding:
    """Return the warning `extra_channels_ignored`: a file has channels that are neither colour nor transparency.

    Args:
        count: number of such channels, at least 1. It is the finding's value.
    """
    return Finding(
        code="extra_channels_ignored",
        status=Status.WARNING,
        message=f"The file has {counted(count, 'more channel that is', 'more channels that are')} neither colour nor "
        "transparency; left out.",
        measured=count,
    )


def on_white_already() -> Finding:
    """Return the warning `transparency`: a document is transparent, and its flattened picture on white was taken."""
    return Finding(
        code="transparency",
        status=Status.WARNING,
        message="The document is transparent; its flattened picture, which lies on white, was taken.",
    )


def first_of_several() -> Finding:
    """Return the warning `first_frame_only`: a file is animated, and its first picture was taken.

    It is for files whose header does not say how many frames they have.
    """
    return Finding(
        code="first_frame_only", status=Status.WARNING, message="The file is animated; its first picture was taken."
    )


def film_left_out() -> Finding:
    """Return the warning `first_frame_only`: a HEIC or AVIF holds a film (image sequence) beside its main picture."""
    message = "The file also holds a film (image sequence); its main picture was taken."
    return Finding(code="first_frame_only", status=Status.WARNING, message=message)


def gain_map_left_out() -> Finding:
    """Return the warning `gain_map_left_out`: a picture has an HDR gain map, and was taken without it.

    A gain map brightens parts of the picture on HDR screens. The picture for usual screens is used.
    """
    message = "The file holds a gain map for HDR screens; it was left out. Its picture for usual screens was taken."
    return Finding(code="gain_map_left_out", status=Status.WARNING, message=message)


def inks_left_out() -> Finding:
    """Return the finding `inks_left_out`: of a Photoshop duotone, the grey picture was taken, without its inks.

    Adobe does not publish how the inks of a duotone are stored, so their colours cannot be known. The finding
    stops automatic approval.
    """
    message = "The document is a duotone. Its grey picture was taken; the colours of its inks were left out."
    return Finding(code="inks_left_out", status=Status.FAILED, message=message, gate=True)


def contradictory(message: str) -> Finding:
    """Return the finding `file_contradictory`: a file says two things about its picture, and one was followed.

    It stops automatic approval: a person looks whether the right one was followed.

    Args:
        message: what the file says, and what was followed; a sentence.
    """
    return Finding(code="file_contradictory", status=Status.FAILED, message=message, gate=True)
