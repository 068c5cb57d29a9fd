"""The routing model in service, how strictly its promise is applied, and the history of both."""

from __future__ import annotations

from datetime import datetime

from packshot.errors import ModelError
from packshot.specs.models import Promise
from packshot.types import Value

SHIPPED = "shipped"
_STEP = 0.5
_STRICTEST = 0.125


class Change(Value):
    """One entry of the history: another model went into service, or its strictness changed."""

    at: datetime
    by: str
    version: str
    strictness: float
    why: str


class ModelInService(Value):
    """The model in service.

    Attributes:
        version: version of a model in storage; ``shipped`` for the model that comes with Packshot.
        strictness: factor on the promised ratios. It is below 1 after audits found a promise broken.
        audited: number of audits at the last change of strictness. Only new audits change it again.
        heard: number of audit verdicts within the window at the last count. If this number is low, more shots are
            audited.
        changes: the history, oldest first.
    """

    version: str = SHIPPED
    strictness: float = 1.0
    audited: int = 0
    heard: int = 0
    changes: tuple[Change, ...] = ()

    def promised(self, promise: Promise) -> Promise:
        """Return a promise with its ratio multiplied by the strictness."""
        return promise.model_copy(update={"ratio": promise.ratio * self.strictness})

    def counted(self, heard: int) -> ModelInService:
        """Return the service with the number of audit verdicts. Nothing else changes."""
        return self.model_copy(update={"heard": heard})

    def promote(self, version: str, *, at: datetime, by: str, why: str) -> ModelInService:
        """Return the service with another model."""
        return self._changed(at=at, by=by, why=why, version=version)

    def roll_back(self, *, at: datetime, by: str, why: str) -> ModelInService:
        """Return the service with the model that served before the present one.

        Raises:
            ModelError: no model served before the present one.
        """
        before = [SHIPPED, *(one.version for one in self.changes)]
        others = [version for version in before if version != self.version]
        if not others:
            raise ModelError(
                "there is no model to go back to", self.version, next_step="The one that comes with Packshot serves."
            )
        return self._changed(at=at, by=by, why=why, version=others[-1])

    def tighten(self, *, audited: int, at: datetime, by: str, why: str) -> ModelInService:
        """Return the service with promises applied twice as strictly. The same audits tighten only once."""
        if audited <= self.audited and self.strictness < 1:
            return self
        strictness = max(_STRICTEST, self.strictness * _STEP)
        return self._changed(at=at, by=by, why=why, strictness=strictness, audited=audited)

    def relax(self, *, audited: int, at: datetime, by: str, why: str) -> ModelInService:
        """Return the service with promises applied as stated."""
        if self.strictness == 1:
            return self
        return self._changed(at=at, by=by, why=why, strictness=1.0, audited=audited)

    def _changed(self, *, at: datetime, by: str, why: str, **new: float | str) -> ModelInService:
        after = self.model_copy(update=new)
        change = Change(at=at, by=by, version=after.version, strictness=after.strictness, why=why)
        return after.model_copy(update={"changes": (*self.changes, change)})
