"""Pack all files of an editor's job into one zip, which the editor downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from desk.work.zips import zipped
from packshot.keys import job_out_key
from packshot.naming import ShotId
from tasks.people.tickets import TICKET_HTML, TICKET_JSON, ticket_of


def zip_of(shot: ShotId) -> Iterator[bytes]:
    """Yield the bytes of a zip with all files that an editor needs for a shot, in parts, while they are read.

    The zip holds the job's ticket, as a page and as JSON, and every file that the ticket names for taking. It has no
    folders: each file has the last part of its key as its name.

    Args:
        shot: the shot.

    Raises:
        ObjectMissingError: the shot has no ticket (raised at once), or one of the files is missing; the zip then breaks
            off.
    """
    keys = [job_out_key(shot, TICKET_HTML), job_out_key(shot, TICKET_JSON), *(one.key for one in ticket_of(shot).take)]
    return zipped([(key, PurePosixPath(key).name) for key in dict.fromkeys(keys)])
