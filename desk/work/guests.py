"""Know people with a share link: the link that they opened, limits on how often they may try things, and what they have
sent back.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import NamedTuple

from desk.access.attempts import Attempts, Pace
from desk.work.delivered import Sight, Small
from packshot.handoff.rejecting import Delivered
from packshot.naming import ShotId
from tasks.deliveries.share_links import Shared
from tasks.people.rejected_deliveries import Words, send_back


class Opened(NamedTuple):
    """A share link that was checked and opens a delivery.

    Attributes:
        token: the text in the link's address.
        shared: what the token says: the batch, the delivery's number, the link's id, and until when the link is valid.
        sight: the delivery as its client sees it.
    """

    token: str
    shared: Shared
    sight: Sight

    @property
    def address(self) -> str:
        """The address of the delivery's page at the desk, without the server's name: ``/shared/<token>``."""
        return f"/shared/{self.token}"

    @property
    def name(self) -> str:
        """The delivery and the id of the link, for the audit log: ``acme/spring delivery 2 link k3f``.

        The link's token is never logged, because it would open the delivery.
        """
        return f"{self.shared.batch} delivery {self.shared.number} link {self.shared.id}"


class Unfinished:
    """Pictures that clients have sent back and about which nobody has been asked yet.

    The shot's record has what the client said, but a later step failed: the storage or Prefect could not be reached.
    The client can do nothing more, so the desk repeats the steps.
    """

    def __init__(self) -> None:
        self._left: dict[tuple[ShotId, int], tuple[Delivered, Words]] = {}
        self._lock = threading.Lock()

    def add(self, shot: ShotId, file: Delivered, words: Words) -> None:
        """Note a picture whose later steps have failed.

        Args:
            shot: the shot that was sent back.
            file: the delivered file that the client looked at.
            words: what the client says about it.
        """
        with self._lock:
            self._left[shot, file.number] = (file, words)

    def finish(self) -> None:
        """Try the remaining steps of each picture again. What fails, stays for the next time.

        Raises:
            PackshotError, OSError, httpx.HTTPError, PrefectException: a step failed again; the pictures after it were
                not tried.
        """
        with self._lock:
            left = dict(self._left)
        for (shot, number), (file, words) in left.items():
            send_back(shot, file, words)
            with self._lock:
                self._left.pop((shot, number), None)

    def __len__(self) -> int:
        return len(self._left)


@dataclasses.dataclass
class Guests:
    """What one running desk remembers of people with share links, so that nobody can try or fetch too much.

    Attributes:
        unknown: counts attempts with a token that Packshot has not signed, of all people together.
        rejections: counts pictures sent back, by the link's id.
        zips: counts downloads of a whole delivery, by the link's id.
        small: small pictures of delivered files.
        looked_up: token -> (when its link was looked up, in seconds of `passed_s`; what it opens).
        unfinished: pictures sent back about which nobody has been asked yet.
    """

    unknown: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(20, 3.0, 20, 3.0)))
    rejections: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(30, 5.0, 200, 0.5)))
    zips: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(3, 60.0, 10, 10.0)))
    small: Small = dataclasses.field(default_factory=Small)
    looked_up: dict[str, tuple[float, Opened]] = dataclasses.field(default_factory=dict)
    unfinished: Unfinished = dataclasses.field(default_factory=Unfinished)
