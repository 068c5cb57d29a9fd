"""Find the services (kinds of handwork) that a shot needs from people, the reason for each, and the amount of work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packshot.specs.handoff import Tier
from packshot.specs.models import Feature, RoutingConfig
from packshot.specs.services import Service, service_of
from packshot.types import Complexity, Value


class NeededService(Value):
    """A service (kind of handwork) that a shot needs. `needed_services` makes it.

    Attributes:
        service: the service, such as a clipping path.
        why: why the shot needs it, in words, such as "the manifest asks for it". Several reasons are joined by "; ".
    """

    service: Service
    why: str


_PHRASES: Mapping[Feature, tuple[str, Service]] = {
    Feature.OUTLINE_COMPLEXITY: ("the outline is intricate", Service.CLIPPING_PATH),
    Feature.THIN_STRUCTURE: ("there are thin parts", Service.CLIPPING_PATH),
    Feature.HOLE_DENSITY: ("there are gaps to look through", Service.COMPOUND_PATH),
    Feature.OBJECTS: ("there are several objects", Service.COMPOUND_PATH),
    Feature.FUZZY_OUTLINE: ("the outline is hairy or soft", Service.HAIR_MASK),
    Feature.SEE_THROUGH: ("the backdrop shows through", Service.TRANSPARENCY_MASK),
}
"""Measured feature -> (words for it, service). These are the criteria of the trade for the price of a clipping path."""

_HEAVY = frozenset({Service.HAIR_MASK, Service.TRANSPARENCY_MASK, Service.GHOST_MANNEQUIN})


def needed_services(
    *,
    features: Mapping[str, float],
    limits: RoutingConfig,
    asked: Mapping[str, str],
    reference: str = "",
) -> tuple[NeededService, ...]:
    """Return the services (kinds of handwork) that a shot needs, each once, in the order of `Service`.

    Every shot needs at least a clipping path, because every product is cut out.

    Args:
        features: measurements of the master: name of a `Feature`, such as thin parts -> measurement.
        limits: for each feature, the smallest value at which it calls for a service.
        asked: word for a service, as the manifest or the category has it -> who asks for the service, in words, such as
            "the manifest asks for it". An unknown word counts as retouching.
        reference: the colour reference of the product, in words. If it is not empty, the shot needs a colour
            correction.
    """
    found: dict[Service, list[str]] = {}
    for service, why in _reasons(features, limits, asked, reference):
        found.setdefault(service, []).append(why)
    if not {Service.CLIPPING_PATH, Service.COMPOUND_PATH} & found.keys():
        found[Service.CLIPPING_PATH] = ["every product is cut out"]
    return tuple(
        NeededService(service=one, why="; ".join(dict.fromkeys(found[one]))) for one in Service if one in found
    )


def _reasons(
    features: Mapping[str, float], limits: RoutingConfig, asked: Mapping[str, str], reference: str
) -> Iterator[tuple[Service, str]]:
    for word, who in asked.items():
        service = service_of(word) or Service.RETOUCH
        spelled = word.replace("_", " ")
        yield service, f"{who}" if service is not Service.RETOUCH else f"{spelled} ({who})"
    for feature, (phrase, service) in _PHRASES.items():
        if _level(feature, features, limits):
            yield service, f"{phrase} (measured {features[feature]:.2g})"
    if reference:
        yield Service.COLOUR_CORRECTION, f"to be held against {reference}"


def _level(feature: Feature, features: Mapping[str, float], limits: RoutingConfig) -> int:
    """Return 0 if a feature is absent, 1 if it is present, 2 if it is strong."""
    figure = features.get(feature, 0.0)
    if feature in limits.complex and figure >= limits.complex[feature]:
        return 2
    return 1 if feature in limits.medium and figure >= limits.medium[feature] else 0


class Estimate(Value):
    """How much handwork a shot needs. `estimate` makes it.

    Attributes:
        tier: one of four classes, from basic to super complex.
        why: the reason for the tier, in words, such as "one outline". Several reasons are joined by "; ".
    """

    tier: Tier
    why: str


def estimate(
    *, features: Mapping[str, float], limits: RoutingConfig, services: tuple[NeededService, ...], complexity: Complexity
) -> Estimate:
    """Return how much handwork a shot needs, in four tiers that are usual in the trade.

    A feature is a property of the photograph that makes work harder, such as thin parts. The route is the decision who
    edits the shot. The last line of the table that fits decides.

    | tier | when |
    |---|---|
    | basic | one outline, no other feature |
    | medium | a feature is present, or the route says medium |
    | complex | one strong feature, hair, transparency or a neck joint; or the route says complex |
    | super_complex | two of these, not counting the route; strong features that call for the same service count once |

    Args:
        features: measurements of the master, by names of `Feature`.
        limits: for each feature, the value from which it is present (medium), and from which it is strong (complex).
        services: the services that the shot needs.
        complexity: the shot's complexity, as the route states it. The tier is never lower.
    """
    much = {
        service: phrase for feature, (phrase, service) in _PHRASES.items() if _level(feature, features, limits) == 2
    }
    for one in services:
        if one.service in _HEAVY:
            much.setdefault(one.service, one.service.value)
    some = [phrase for feature, (phrase, _) in _PHRASES.items() if _level(feature, features, limits)]
    if len(much) > 1:
        return Estimate(tier=Tier.SUPER_COMPLEX, why="; ".join(much.values()))
    if much or complexity is Complexity.COMPLEX:
        return Estimate(tier=Tier.COMPLEX, why="; ".join(much.values()) or "the photograph was judged complex")
    if some or complexity is Complexity.MEDIUM:
        return Estimate(tier=Tier.MEDIUM, why="; ".join(some) or "the photograph was judged medium")
    return Estimate(tier=Tier.BASIC, why="one outline")
