"""Decide who edits a shot: first by the client's rule for its category, then by measurements of the master.

    condition                        complexity
    the category has a rule          as the rule says, whatever was measured
    a measurement reaches its        complex
    limit
    there is a model                 simple if the refusal probability is within the promise's limit; medium otherwise,
                                     or if there are too few labelled shots for a promise
    there is no model                medium if a measurement reaches its medium limit, or the colour-match risk is high;
                                     simple otherwise

The first condition that holds decides. The machine edits simple shots. People edit medium and complex ones.

The colour-match risk is the risk that product and backdrop cannot be told apart.

There is one exception. It concerns shots of unknown category, and shots whose category has no rule and comes only from
a word in a text. If such a shot looks like a category with a rule, a person edits it, whatever was measured.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from packshot.routing.features import Features
from packshot.routing.model import ModelUse, RoutingModel
from packshot.routing.picture import Looks
from packshot.routing.words import WORD_SOURCES
from packshot.specs.models import Category, Feature, PictureConfig, RoutingConfig
from packshot.types import Complexity, Route, Value

Risk = Literal["low", "medium", "high"]

RULES_ONLY = "rules only"
MODEL_NAME = "routing model"
_MOST_REASONS = 3
_WORDS: Mapping[Feature, str] = {
    Feature.EDGE_DENSITY: "fine detail",
    Feature.THIN_STRUCTURE: "thin parts",
    Feature.HOLE_DENSITY: "gaps to see through",
    Feature.SEE_THROUGH: "see-through parts",
    Feature.TEXTURE: "texture",
    Feature.OUTLINE_COMPLEXITY: "complicated outline",
    Feature.FUZZY_OUTLINE: "hair or fur along the outline",
    Feature.BACKDROP_ROUGHNESS: "uneven backdrop",
    Feature.TOUCHES_FRAME: "product at the edge of the frame",
    Feature.OBJECTS: "separate objects",
    Feature.COLOUR_MATCH: "outline in the backdrop's colour",
    Feature.LOW_CONTRAST: "weak contrast with the backdrop",
    Feature.WEAK_OUTLINE: "outline that hardly shows",
    Feature.PALE_INSIDE: "parts as light as the backdrop",
    Feature.SPECULAR: "highlights",
    Feature.SHADOW: "shadow",
    Feature.STRAY_DETAIL: "stray hairs or threads",
    Feature.BACKDROP_NOISE: "grainy backdrop",
    Feature.HOLLOW: "glass-like inside",
    Feature.SAME_HUE: "parts in the backdrop's hue",
    Feature.THREADS: "threads",
    Feature.GAP_AREA: "area of gaps",
    Feature.BACKDROP_CHROMA: "coloured backdrop",
    Feature.BACKDROP_DARKNESS: "dark backdrop",
}
"""What people call a figure."""
IN_FIGURES = "refusal probability"
"""Begins the bracket with the model's figures, at the end of a reason that the model has given."""
_FIGURES = re.compile(rf":? \(?{IN_FIGURES} \d.*", re.S)
_MAY_MEAN = {Feature.BACKDROP_ROUGHNESS: " (the backdrop is not smooth, or the product fills the frame)"}
"""What a figure may mean besides what its name says."""


class CategoryTag(Value):
    """The category that a shot probably has, and how that is known.

    Attributes:
        value: the category's name.
        source: where it comes from: ``picture`` if only from the look of the photograph, else a source as in `Sourced`,
            such as ``manifest`` or ``file_name``.
        probability: 0..1; 1 unless the source is the picture.
    """

    value: str
    source: str
    probability: float


class RouteDecision(Value):
    """Who edits a shot, the machine or a person, and the reason. `decide` makes it.

    Attributes:
        complexity: simple, medium or complex.
        route: the machine or a person.
        category: name of the category; empty if it is unknown.
        category_source: where the category comes from, such as ``manifest``; empty if it is unknown.
        colour_match_risk: the risk that product and backdrop cannot be told apart: low, medium or high.
        reason: the reason in words, for people.
        model: name and version of the model that was asked, with a space between them; ``rules only`` if none was.
        refusal_probability: the model's probability that a person refuses the edit, 0..1; None without a model.
        tag: the shot's category, with its source and probability. If no category was stated, the tag has the category
            that the photograph looks like, which no rule uses. None if the photograph does not look enough like any.
    """

    complexity: Complexity
    route: Route
    category: str
    category_source: str
    colour_match_risk: Risk
    reason: str
    model: str
    refusal_probability: float | None = None
    tag: CategoryTag | None = None


def decide(
    features: Features,
    *,
    category: Category | None,
    category_source: str,
    config: RoutingConfig,
    model: RoutingModel | None = None,
    ruled_out: Collection[str] = (),
    looks: Looks | None = None,
) -> RouteDecision:
    """Return who edits a shot, the machine or a person, with complexity and reason.

    The client's rule for the category decides first. Then a measurement at its complex limit makes the shot complex.
    Then the model's probability, or without a model the medium limits, tell simple from medium. The machine edits
    simple shots only.

    Args:
        features: measurements of the master.
        category: the shot's category with its rule; None if it is unknown.
        category_source: where the category comes from, such as ``manifest``.
        config: limits of the measurements, and the promise.
        model: the trained model. If None, only the limits decide.
        ruled_out: names of categories to which the shot certainly does not belong.
        looks: what the photograph looks like; None if no network looked. It can only send a simple shot to a person,
            and only if the category is unknown or guessed from a word (`may_be_otherwise`).
    """
    risk = colour_match_risk(features, config)
    measured, why = _measured(features, risk, config)
    probability = model.route.forest.probability(features.model_dump()) if model else None
    if model and probability is not None and not _reached(features, config.complex):
        measured, why = _promised(features, probability, model, config, ruled_out)
    complexity, reason = measured, why
    if category is not None and category.complexity is not None:
        complexity, reason = category.complexity, _rule_in_words(category, measured, why)
    heeded = looks if may_be_otherwise(category, category_source) else None
    if heeded and config.picture and complexity is Complexity.SIMPLE:
        complexity, reason = _by_looks(heeded, config.picture, reason)
    return RouteDecision(
        complexity=complexity,
        route=Route.AUTOMATED if complexity is Complexity.SIMPLE else Route.HUMAN,
        category=category.name if category else "",
        category_source=category_source if category else "",
        colour_match_risk=risk,
        reason=reason,
        model=f"{MODEL_NAME} {model.version}" if model else RULES_ONLY,
        refusal_probability=round(probability, 5) if probability is not None else None,
        tag=_tag(category, category_source, heeded, config),
    )


def may_be_otherwise(category: Category | None, source: str) -> bool:
    """Return True if the look of the photograph may change who edits the shot.

    It may in two cases. Either the category is unknown. Or no rule says who edits shots of the category, and the
    category was only concluded from a word in a text, such as the file's name.

    Example: the file name says "vase", so the category is home. Only the photograph shows that the vase is made of
    glass.

    Args:
        category: the shot's category; None if it is unknown.
        source: where the category comes from, such as ``file_name``.
    """
    return category is None or (category.complexity is None and source in WORD_SOURCES)


def colour_match_risk(features: Features, config: RoutingConfig) -> Risk:
    """Return the risk that product and backdrop cannot be told apart, because their colours match: low, medium or high.

    Args:
        features: measurements of the master; `colour_match` counts.
        config: its `colour_match` has the limits from which the risk is medium and high.
    """
    if features.colour_match >= config.colour_match.high:
        return "high"
    return "medium" if features.colour_match >= config.colour_match.medium else "low"


def _by_looks(looks: Looks, config: PictureConfig, reason: str) -> tuple[Complexity, str]:
    """Return (complexity, reason).

    A person edits the shot if it may belong to a category that a rule sends to people.
    """
    if not looks.ruled_category or looks.ruled_probability < config.people_from:
        return Complexity.SIMPLE, reason
    return Complexity.MEDIUM, (
        f"nobody is sure what it shows, and it may be {looks.ruled_category}, which people edit: "
        f"{_compared('probability by its look', looks.ruled_probability, config.people_from)}; else: {reason}"
    )


def _tag(
    category: Category | None, category_source: str, looks: Looks | None, config: RoutingConfig
) -> CategoryTag | None:
    if category is not None:
        return CategoryTag(value=category.name, source=category_source, probability=1.0)
    if looks and looks.category and config.picture and looks.probability >= config.picture.tag_from:
        return CategoryTag(value=looks.category, source="picture", probability=looks.probability)
    return None


def _measured(features: Features, risk: Risk, config: RoutingConfig) -> tuple[Complexity, str]:
    """Return (complexity, reason) from the measurements alone."""
    reached = _reached(features, config.complex)
    if reached:
        return Complexity.COMPLEX, "; ".join(reached)
    reached = _reached(features, config.medium)
    if risk == "high":
        figure, limit = features.colour_match, config.colour_match.high
        reached.insert(
            0, f"product and backdrop are alike: {_compared(_in_words(Feature.COLOUR_MATCH), figure, limit)}"
        )
    if reached:
        return Complexity.MEDIUM, "; ".join(reached[:_MOST_REASONS])
    return Complexity.SIMPLE, f"every measured figure is below its limit ({_nearest(features, config.medium)})"


def without_figures(reason: str) -> str:
    """Return a route's reason, or a sentence that ends with one, without the bracket that holds the model's figures.

    Example: ``"people seldom refuse what the machine makes of such a photograph (refusal probability 0.003 ...)"``
    becomes the same up to the bracket. Where an older version gave nothing but the figures, the result is the
    complexity alone, such as ``"simple"``. A reason that the model has not given stays as it is.

    Args:
        reason: the reason of a route, in words.
    """
    return _FIGURES.sub("", reason)


def _promised(
    features: Features, probability: float, model: RoutingModel, config: RoutingConfig, ruled_out: Collection[str]
) -> tuple[Complexity, str]:
    """Return (complexity, reason) from the model's probability and the promise."""
    limit = model.limit(ModelUse.ROUTE, config.route, without=ruled_out)
    said = f"{IN_FIGURES} {probability:.3f}"
    if limit.probability is not None and probability <= limit.probability:
        return (
            Complexity.SIMPLE,
            f"people seldom refuse what the machine makes of such a photograph "
            f"({said} within {limit.probability:.3f}; {limit.sentence})",
        )
    reasons = ", ".join(_WORDS[Feature(name)] for name in model.route.forest.reasons(features.model_dump()))
    because = f"; by {reasons}" if reasons else ""
    return (
        Complexity.MEDIUM,
        f"people may refuse what the machine makes of such a photograph{because} ({said}; {limit.sentence})",
    )


def _reached(features: Features, limits: Mapping[Feature, float]) -> list[str]:
    """Return descriptions of the measurements at or above their limits, the farthest above first."""
    above = [
        (_figure(features, name) / limit if limit else 1.0, name, limit)
        for name, limit in limits.items()
        if _figure(features, name) >= limit
    ]
    above.sort(key=lambda entry: (-entry[0], entry[1]))
    return [
        _compared(_in_words(name), _figure(features, name), limit) + _MAY_MEAN.get(name, "")
        for _, name, limit in above[:_MOST_REASONS]
    ]


def _nearest(features: Features, limits: Mapping[Feature, float]) -> str:
    """Return a description of the measurement that came closest to its limit."""
    if not limits:
        return "no limits are set"
    name = max(limits, key=lambda name: (_figure(features, name) / limits[name] if limits[name] else 1.0, name))
    return f"nearest: {_in_words(name)} {_figure(features, name):.2f} below {limits[name]:.2f}"


def _rule_in_words(category: Category, measured: Complexity, why: str) -> str:
    """Return the client's rule in words. If the measurements disagree, it says so; the rule still applies."""
    rule = category.reason or f"{category.name} is always {category.complexity} (client's rule)"
    return rule if measured is category.complexity else f"{rule}; measured alone it would be {measured}: {why}"


def _compared(what: str, figure: float, limit: float) -> str:
    return f"{what} {figure:.2f} at or above {limit:.2f}"


def _figure(features: Features, name: Feature) -> float:
    return float(getattr(features, name.value))


def _in_words(name: Feature) -> str:
    return _WORDS[name]
