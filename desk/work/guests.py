"""Know people with a share link: the link that they opened, and limits on how often they may try things."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from desk.access.attempts import Attempts, Pace
from desk.work.delivered import Sight, Small
from tasks.deliveries.share_links import Shared


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


@dataclasses.dataclass
class Guests:
    """What one running desk remembers of people with share links, so that nobody can try or fetch too much.

    Attributes:
        unknown: counts attempts with a token that Packshot has not signed, of all people together.
        rejections: counts pictures sent back, by the link's id.
        zips: counts downloads of a whole delivery, by the link's id.
        small: small pictures of delivered files.
        looked_up: token -> (when its link was looked up, in seconds of `passed_s`; what it opens).
    """

    unknown: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(20, 3.0, 20, 3.0)))
    rejections: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(30, 5.0, 200, 0.5)))
    zips: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(3, 60.0, 10, 10.0)))
    small: Small = dataclasses.field(default_factory=Small)
    looked_up: dict[str, tuple[float, Opened]] = dataclasses.field(default_factory=dict)
