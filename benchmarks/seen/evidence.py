"""Put people's verdicts on edits of real photographs into the routing model that comes with Packshot, as proof of its
promise. The routing model predicts whether a person would refuse an edit; the promise is the greatest share of wrong
approvals.

Only verdicts on the half of the photographs on which limits may be chosen are used. The other half is kept for
reporting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.seen.photographs import Half
from benchmarks.seen.table import Pair
from packshot.routing.model import JudgedPhoto, Labelled, RoutingModel, version_of
from packshot.specs.stages import Unproven
from packshot.types import Route


def evidence_of(pairs: Iterable[Pair]) -> tuple[JudgedPhoto, ...]:
    """Return what people's verdicts prove about the machine's approvals: one entry for each photograph.

    An entry has the model's probability of a refusal, whether people refused the edit, the category and its kinds. The
    entries are sorted by these, in this order. Only photographs of the half on which limits may be chosen count, and
    only if they are routed to the machine, approved by quality control, and looked at.

    Args:
        pairs: edits, each with the machine's verdict and people's.
    """
    return tuple(
        sorted(
            JudgedPhoto(night["refusal_probability"], not pair.signed, night["category"], tuple(night["kinds"]))
            for pair in pairs
            if pair.result.half == Half.CHOSEN_ON and pair.result.approved
            for night in (pair.result.night,)
            if night["route"] == Route.AUTOMATED
        )
    )


def with_evidence(model: RoutingModel, seen: Sequence[JudgedPhoto]) -> RoutingModel:
    """Return a copy of the routing model (which predicts whether a person would refuse an edit), with real photographs
    as proof of its promise and under a new version.

    The new photographs replace the real photographs that the model had as proof. Its trees stay as they are. They were
    never trained on these photographs.

    Args:
        model: the model.
        seen: the photographs, from `evidence_of`.
    """
    shots = Counter(model.approve.calibration)
    shots.subtract(_labelled(model.approve.seen))
    shots.update(_labelled(seen))
    approve = model.approve.model_copy(update={"calibration": tuple(sorted(shots.elements())), "seen": tuple(seen)})
    version = version_of(trained_at=model.trained_at, route=model.route, approve=approve)
    refused = sum(one.refused for one in seen)
    card = {
        **model.card,
        "real": f"{len(seen)} real photographs looked at by eye, {refused} of them refused",
        "real_by_kind": {kind.value: _counted([one for one in seen if kind in one.kinds]) for kind in Unproven}
        | {"none of these": _counted([one for one in seen if not one.kinds])},
    }
    return model.model_copy(update={"approve": approve, "version": version, "card": card})


def _counted(seen: Sequence[JudgedPhoto]) -> dict[str, int]:
    return {"judged": len(seen), "refused": sum(one.refused for one in seen)}


def _labelled(seen: Iterable[JudgedPhoto]) -> list[Labelled]:
    return [Labelled(one.probability, one.refused, one.category) for one in seen]
