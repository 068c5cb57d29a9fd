"""People with a share link: the link that they opened, and limits on how often they may try things."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from desk.access.attempts import Attempts, Pace
from desk.work.delivered import Sight, Small
from tasks.deliveries.share_links import Shared


class Opened(NamedTuple):
    """A request with a valid share link."""

    token: str
    shared: Shared
    sight: Sight

    @property
    def address(self) -> str:
        return f"/shared/{self.token}"

    @property
    def name(self) -> str:
        """The delivery and the id of the link, for the audit log. The link's token is never logged."""
        return f"{self.shared.batch} delivery {self.shared.number} link {self.shared.id}"


@dataclasses.dataclass
class Guests:
    """The desk's memory of people with share links: their attempts, and links that it has already read."""

    unknown: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(20, 3.0, 20, 3.0)))
    rejections: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(30, 5.0, 200, 0.5)))
    zips: Attempts = dataclasses.field(default_factory=lambda: Attempts(Pace(3, 60.0, 10, 10.0)))
    small: Small = dataclasses.field(default_factory=Small)
    looked_up: dict[str, tuple[float, Opened]] = dataclasses.field(default_factory=dict)
