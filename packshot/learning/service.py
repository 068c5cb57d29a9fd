"""Define what storage says of the routing model: which model is in use, how strict its promises are, and their history.

The routing model says how likely it is that a person refuses the machine's edit. A promise limits the share of
refusals.
"""

from __future__ import annotations

from datetime import datetime

from packshot.errors import ModelError
from packshot.specs.models import Promise
from packshot.types import Value

SHIPPED = "shipped"
_STEP = 0.5
_STRICTEST = 0.125


class Change(Value):
    """One entry of the history of the routing model, which predicts whether a person would refuse the machine's edit:
    another model was put into use, or the strictness changed.

    Attributes:
        at: time of the change.
        by: the person or the flow that made it.
        version: the model's version after the change.
        strictness: factor for the promised error ratios (greatest shares of wrong edits) after the change; below 1 is
            stricter.
        why: the reason in words.
    """

    at: datetime
    by: str
    version: str
    strictness: float
    why: str


class ModelInService(Value):
    """The state of the routing model (which predicts whether a person would refuse the machine's edit): its version,
    and how strict its promises are. The state is stored in one object.

    A promise is the share of the machine's approvals that people would refuse at most. Audits check it: a person judges
    some approved edits without seeing the score.

    Attributes:
        version: version of a model in storage; ``shipped`` for the model that comes with Packshot.
        strictness: factor for the promised error ratios. It is below 1 after audits found a promise broken.
        audited: number of all audits at the last change of strictness. Only new audits change it again.
        heard: number of audit verdicts in the last `window_days` of the config (``audit`` in ``routing.yaml``), when
            they were last counted. If it is low, more shots are audited.
        changes: the history, oldest first.
    """

    version: str = SHIPPED
    strictness: float = 1.0
    audited: int = 0
    heard: int = 0
    changes: tuple[Change, ...] = ()

    def promised(self, promise: Promise) -> Promise:
        """Return the promise that the machine must keep now.

        It has the confidence that the configs state. Its error ratio is the ratio in the configs times the strictness.

        Args:
            promise: the promise as the configs state it.
        """
        return promise.model_copy(update={"ratio": promise.ratio * self.strictness})

    def counted(self, heard: int) -> ModelInService:
        """Return a copy with another number of recent audit verdicts. The history gets no entry.

        Args:
            heard: number of audit verdicts in the last `window_days` of the config (``audit`` in ``routing.yaml``).
        """
        return self.model_copy(update={"heard": heard})

    def promote(self, version: str, *, at: datetime, by: str, why: str) -> ModelInService:
        """Return a copy of this state in which another routing model is in use, with one more entry in the history.

        Args:
            version: the new model's version.
            at, by, why: time, person or flow, and reason, for the history.
        """
        return self._changed(at=at, by=by, why=why, version=version)

    def roll_back(self, *, at: datetime, by: str, why: str) -> ModelInService:
        """Return a copy in which the model that was in use before the present one is in use again.

        The history gets one more entry.

        Args:
            at, by, why: time, person or flow, and reason, for the history.

        Raises:
            ModelError: there was no model before the present one.
        """
        before = [SHIPPED, *(one.version for one in self.changes)]
        others = [version for version in before if version != self.version]
        if not others:
            raise ModelError(
                "there is no model to go back to", self.version, next_step="The one that comes with Packshot serves."
            )
        return self._changed(at=at, by=by, why=why, version=others[-1])

    def tighten(self, *, audited: int, at: datetime, by: str, why: str) -> ModelInService:
        """Return a copy with half the promised error ratio, because audits found a promise broken.

        The ratio never gets below an eighth of the one in the configs. The history gets one more entry. If the promises
        are stricter already, and no audits have come since the last change of strictness, nothing changes and the same
        object comes back.

        Args:
            audited: number of all audits so far.
            at, by, why: time, person or flow, and reason, for the history.
        """
        if audited <= self.audited and self.strictness < 1:
            return self
        strictness = max(_STRICTEST, self.strictness * _STEP)
        return self._changed(at=at, by=by, why=why, strictness=strictness, audited=audited)

    def relax(self, *, audited: int, at: datetime, by: str, why: str) -> ModelInService:
        """Return a copy in which the promised error ratios are those of the configs again.

        The history gets one more entry. If the ratios are those of the configs already, the same object comes back.

        Args:
            audited: number of all audits so far.
            at, by, why: time, person or flow, and reason, for the history.
        """
        if self.strictness == 1:
            return self
        return self._changed(at=at, by=by, why=why, strictness=1.0, audited=audited)

    def _changed(self, *, at: datetime, by: str, why: str, **new: float | str) -> ModelInService:
        after = self.model_copy(update=new)
        change = Change(at=at, by=by, version=after.version, strictness=after.strictness, why=why)
        return after.model_copy(update={"changes": (*self.changes, change)})
