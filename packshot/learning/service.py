"""Which routing model serves, how strictly its promise is taken, and how that came about."""

from __future__ import annotations

from datetime import datetime

from packshot.errors import ModelError
from packshot.specs.models import Promise
from packshot.types import Value

SHIPPED = "shipped"
_STEP = 0.5
_STRICTEST = 0.125


class Change(Value):
    """Something that changed who serves, or how strictly."""

    at: datetime
    by: str
    version: str
    strictness: float
    why: str


class Service(Value):
    """The model in service.

    Attributes:
        version: of a model in storage; ``shipped`` for the one that comes with Packshot.
        strictness: factor on the promised ratios: below 1 since audits found a promise broken.
        audited: audits that the last change of strictness has seen; only new ones change it again.
        heard: verdicts of audits within the window when they were counted last; few of them mean many audits.
        changes: all that led here, the last one last.
    """

    version: str = SHIPPED
    strictness: float = 1.0
    audited: int = 0
    heard: int = 0
    changes: tuple[Change, ...] = ()

    def promised(self, promise: Promise) -> Promise:
        """Return a promise as strictly as it is taken now."""
        return promise.model_copy(update={"ratio": promise.ratio * self.strictness})

    def counted(self, heard: int) -> Service:
        """Return the service that knows how many audits were answered; nothing else changes."""
        return self.model_copy(update={"heard": heard})

    def promote(self, version: str, *, at: datetime, by: str, why: str) -> Service:
        """Return the service with another model."""
        return self._changed(at=at, by=by, why=why, version=version)

    def roll_back(self, *, at: datetime, by: str, why: str) -> Service:
        """Return the service with the model that served before the present one.

        Raises:
            ModelError: none did.
        """
        before = [SHIPPED, *(one.version for one in self.changes)]
        others = [version for version in before if version != self.version]
        if not others:
            raise ModelError(
                "there is no model to go back to", self.version, next_step="The one that comes with Packshot serves."
            )
        return self._changed(at=at, by=by, why=why, version=others[-1])

    def tighten(self, *, audited: int, at: datetime, by: str, why: str) -> Service:
        """Return the service with promises taken twice as strictly, once for the same audits."""
        if audited <= self.audited and self.strictness < 1:
            return self
        strictness = max(_STRICTEST, self.strictness * _STEP)
        return self._changed(at=at, by=by, why=why, strictness=strictness, audited=audited)

    def relax(self, *, audited: int, at: datetime, by: str, why: str) -> Service:
        """Return the service with promises taken as they are stated."""
        if self.strictness == 1:
            return self
        return self._changed(at=at, by=by, why=why, strictness=1.0, audited=audited)

    def _changed(self, *, at: datetime, by: str, why: str, **new: float | str) -> Service:
        after = self.model_copy(update=new)
        change = Change(at=at, by=by, version=after.version, strictness=after.strictness, why=why)
        return after.model_copy(update={"changes": (*self.changes, change)})
