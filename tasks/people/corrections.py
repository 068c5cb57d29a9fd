"""Correct the name or the services of a shot on hold. Its facts and its plan are then computed again."""

from __future__ import annotations

from collections.abc import Mapping

from packshot.decision import Decision
from packshot.errors import ConfigError, DecisionRefusedError
from packshot.handoff.holds import Missing
from packshot.ingest.corrections import facts_given
from packshot.pipeline.mastering import plan_from
from packshot.record import ShotRecord, State
from packshot.specs.models import Plan
from packshot.specs.resolve import style_guide
from packshot.types import Sourced, Value
from tasks.environment.configs import configs_in_force
from tasks.people.holds import still_missing
from tasks.records.bookkeeping import now


class Correction(Value):
    """What follows if a person corrects the name or the services of a shot on hold.

    Attributes:
        facts: name of a fact, such as ``sku`` -> its value and source; all facts of the shot, not only the corrected
            ones.
        plan: the plan that follows from the facts.
        missing: what the client must still send or answer for the shot under its new name, one entry for each; empty if
            nothing is missing.
    """

    facts: Mapping[str, Sourced]
    plan: Plan
    missing: tuple[Missing, ...]

    @property
    def plan_file(self) -> bytes:
        """The plan as it is stored: JSON in UTF-8."""
        return self.plan.model_dump_json(indent=1).encode()

    def over(self, record: ShotRecord) -> ShotRecord:
        """Return a shot's record with the corrected facts. If the shot still lacks something, it is on hold again.

        Args:
            record: the shot's record, which already has the person's decision.
        """
        named = record.model_copy(update={"facts": self.facts, "plan_fingerprint": self.plan.fingerprint})
        if not self.missing or record.state is not State.ROUTED:
            return named
        why = " ".join(one.sentence for one in self.missing)
        needs = {"hold": {"needs": [one.need.value for one in self.missing]}}
        return named.advance(State.ON_HOLD, at=now(), actor=record.decisions[-1].by, why=why, reports=needs)


def correct(record: ShotRecord, decision: Decision) -> Correction:
    """Return what follows from a person's correction of a shot's name or services. Nothing is stored.

    Args:
        record: the record of the shot on hold.
        decision: the person's answer, with the new name or the new services.
    Raises:
        DecisionRefusedError: the client's pattern finds no product in the name, a service is unknown, or no platform of
            the client takes the view.
    """
    configs, client = configs_in_force(), record.shot.client
    path = record.source.key.rpartition("/")[2]
    given = facts_given(decision, client=style_guide(configs, client), path=path)
    facts = {**record.facts, **given}
    try:
        plan = plan_from(facts, client=client, configs=configs)
    except ConfigError as error:
        raise DecisionRefusedError(
            f"the shot cannot be called so: {error.what}",
            str(record.shot),
            found=error.found,
            allowed=error.allowed,
            next_step="Give a name with another view.",
        ) from None
    named = record.model_copy(update={"facts": facts})
    return Correction(facts=facts, plan=plan, missing=still_missing(named, plan))
