"""Resolve the configs into one plan for one shot: the rules of its category, its platforms and its client.

Which of them takes precedence is decided only here, in `merged_rules`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from packshot.errors import ConfigError
from packshot.specs.models import (
    Background,
    Category,
    Client,
    Configs,
    EditRules,
    GroupCorrection,
    Plan,
    Platform,
    PressProfile,
    Profile,
    RenditionPlan,
    ResolvedRules,
    Shadow,
)
from packshot.types import Complexity

FALLBACK_CLIENT = "default"
"""The style guide of every client that has none of its own."""


def resolve(
    configs: Configs,
    *,
    client: str,
    category: str = "",
    view: str = "",
    platforms: tuple[str, ...] = (),
    services: tuple[str, ...] = (),
) -> Plan:
    """Return a shot's plan: all decisions about the shot that can be made before its pixels are edited.

    Args:
        configs: all configs.
        client: the client's name. A client without a style guide of its own gets the one named ``default``.
        category: the words in the manifest, file name or metadata. If they are empty, the client's default category
            counts. If they name no category, the category stays unknown.
        view: ``MAIN``, ``PT01``, ...; empty means the client's default.
        platforms: names of the platforms that are asked for, in this order; empty means the client's own. A platform
            that does not accept the view gets no rendition. If it was asked for here, `Plan.left_out` says why.
        services: services (kinds of handwork) that the manifest asks for, in its words, such as ``retouch``.

    Raises:
        ConfigError: the client's style guide is wrong or missing, a platform doesn't exist or is disabled, none
            accepts the view, or a client's rule breaks a platform's rule.
    """
    guide = style_guide(configs, client)
    kind = find_category(configs.categories, category or guide.default_category)
    shown = (view or guide.default_view).upper()
    wanted = [_platform(configs, name, client=client) for name in dict.fromkeys(platforms or guide.platforms)]
    taking = tuple(platform for platform in wanted if platform.takes(shown))
    if not taking:
        raise ConfigError(
            f"no platform takes the view {shown}",
            f"client {client}",
            found=", ".join(platform.name for platform in wanted),
            allowed=", ".join(f"{platform.name}: {' '.join(platform.views)}" for platform in wanted),
            next_step="Correct the view in the manifest, or give the client another platform.",
        )
    renditions = resolve_platforms(configs, client=guide, category=kind, platforms=taking)
    ingest = configs.ingest.model_copy(update={"min_px": guide.min_px} if guide.min_px else {})
    plan = Plan(
        client=client,
        style_guide=guide.name,
        category=kind,
        view=shown,
        rules=renditions[0].rules,
        renditions=renditions,
        left_out={one.name: _not_taken(one, shown) for one in wanted if platforms and one not in taking},
        ingest=ingest,
        routing=configs.routing,
        qc=configs.qc,
        services=services,
        partial=guide.partial,
        approve_unproven_kinds=guide.approve_unproven_kinds,
        all_or_nothing=guide.all_or_nothing,
        copyright=guide.copyright,
        source_credit=guide.source_credit,
        print_clipping_path=guide.print_clipping_path,
    )
    return Plan.model_validate_json(plan.model_dump_json())  # states every field, as its fingerprint needs it


def _not_taken(platform: Platform, view: str) -> str:
    return f"It takes the views {', '.join(platform.views)}; this is {view}."


def style_guide(configs: Configs, client: str) -> Client:
    """Return a client's style guide; that of the client ``default`` if the client has none.

    Args:
        configs: all configs.
        client: the client's name.

    Raises:
        ConfigError: there is neither of the two, or the client's own style guide is wrong.
    """
    if client in configs.broken_clients:
        raise ConfigError(
            "this client's style guide is wrong",
            client,
            found=configs.broken_clients[client],
            next_step="Then start its batches again; those of other clients go on.",
        )
    guide = configs.clients.get(client) or configs.clients.get(FALLBACK_CLIENT)
    if guide is None:
        raise ConfigError(
            "this client has no style guide, and there is none for all",
            client,
            allowed=", ".join(sorted(configs.clients)),
            next_step=f"Write configs/clients/{client}.yaml.",
        )
    return guide


def _platform(configs: Configs, name: str, *, client: str) -> Platform:
    platform = configs.platforms.get(name)
    if platform is None or not platform.enabled:
        raise ConfigError(
            "this platform is disabled" if platform else "no such platform",
            f"client {client}",
            found=name,
            allowed=", ".join(sorted(n for n, p in configs.platforms.items() if p.enabled)),
            next_step=platform.notes if platform else "Check its spelling in the manifest or the client's file.",
        )
    return platform


def resolve_platforms(
    configs: Configs, *, client: Client, category: Category | None, platforms: Iterable[Platform]
) -> tuple[RenditionPlan, ...]:
    """Return the renditions of one shot, in the order of the platforms.

    A rendition is one file for one platform. All renditions of a shot are made from one edit, so their rules for
    shadow, colour reference and group correction are made equal. The shadow is dropped if one platform drops it. A
    colour reference is required if one platform requires it. The most restrictive group correction applies.

    Args:
        configs: all configs.
        client: the style guide.
        category: the shot's category; None if it is unknown.
        platforms: the platforms; at least one.
    Raises:
        ConfigError: a client's rule breaks a platform's rule, or a platform is in CMYK and the client has no profile of
            its press.
    """
    targets = tuple(platforms)
    rules = [
        merged_rules(configs.defaults, category=category, platform=target, client=client.rules_for(target.name))
        for target in targets
    ]
    shared = {
        "shadow": Shadow.DROP if any(rule.shadow is Shadow.DROP for rule in rules) else Shadow.KEEP,
        "colour_reference_required": any(rule.colour_reference_required for rule in rules),
        "group_correction": min((rule.group_correction for rule in rules), key=list(GroupCorrection).index),
    }
    return tuple(
        RenditionPlan(
            platform=target,
            rules=rule.model_copy(update=shared),
            naming=client.naming.get(target.name, target.naming),
            press=_press(configs, client, target),
        )
        for target, rule in zip(targets, rules, strict=True)
    )


def _press(configs: Configs, client: Client, platform: Platform) -> PressProfile | None:
    if platform.profile is not Profile.CMYK:
        return None
    press = configs.press_profiles.get(client.cmyk_profile)
    if press is None:
        raise ConfigError(
            "this platform is printed in CMYK, and the client gives no profile of its press",
            f"client {client.name}, platform {platform.name}",
            found=f"cmyk_profile: {client.cmyk_profile or 'missing'}",
            allowed="cmyk_profile: a file in configs/profiles",
            next_step="Ask the client for the profile of its press; without it inks would be a guess.",
        )
    return press


def merged_rules(
    defaults: ResolvedRules, *, category: Category | None, platform: Platform, client: EditRules
) -> ResolvedRules:
    """Return the edit rules of one shot for one platform.

    They are merged field by field: defaults < category < platform < client. Defaults and categories don't know the
    platform, so their fill ratio is clamped to the platform's range, and their shadow is dropped on pure white. The
    client's fill ratio must be in the range.

    Args:
        defaults: the rules in ``configs/defaults.yaml``.
        category: the shot's category; None if it is unknown.
        platform: the platform.
        client: the client's rules for this platform.

    Raises:
        ConfigError: the client's fill ratio is outside the platform's range, or the client keeps a shadow on pure
            white.
    """
    below = {**defaults.model_dump(), **(category.rules.stated() if category else {})}
    fill = platform.fill
    below["fill_ratio"] = min(max(below["fill_ratio"], fill.least_ratio), fill.most_ratio)
    if platform.background is Background.PURE_WHITE:
        below["shadow"] = Shadow.DROP
    rules = ResolvedRules(**{**below, **platform.rules.stated(), **client.stated()})
    if not fill.least_ratio <= rules.fill_ratio <= fill.most_ratio:
        raise ConfigError(
            "the client's fill_ratio is outside what the platform accepts",
            platform.name,
            found=str(rules.fill_ratio),
            allowed=f"{fill.least_ratio} to {fill.most_ratio}",
            next_step="Correct the client's rules or platform_rules.",
        )
    if platform.background is Background.PURE_WHITE and rules.shadow is Shadow.KEEP:
        raise ConfigError(
            "the client keeps a shadow where the platform asks for pure white",
            platform.name,
            found="shadow: keep",
            allowed="shadow: drop",
            next_step="Say shadow: keep in platform_rules, for the platforms that allow it.",
        )
    return rules


_STRICTNESS = {Complexity.COMPLEX: 0, Complexity.MEDIUM: 1, None: 2, Complexity.SIMPLE: 3}
"""Precedence if words match two categories: the rule that sends more shots to people wins."""


def find_category(categories: Mapping[str, Category], words: str) -> Category | None:
    """Return the category that a text names, by name or synonym; None if it names none.

    First the whole text is compared. Then each name and synonym is looked for as whole words anywhere in the text, so
    that ``Apparel > Jewellery > Rings`` names the category ``jewelry``. If several match, the one whose fixed
    `complexity` is strictest wins: such shots go to people. Among equals the word that stands last wins, because paths
    and English noun phrases end with the main word (``clothing/hat``, ``camera bag``).

    Args:
        categories: all categories, by name.
        words: the text. Case, accents and signs between words do not matter.
    """
    text = normal_words(words)
    whole = [c for c in categories.values() if text in _words_of(c)] if text else []
    if whole:
        return min(whole, key=lambda category: (_STRICTNESS[category.complexity], category.name))
    fits = [
        (_STRICTNESS[category.complexity], -end, -len(word), category.name)
        for category in categories.values()
        for word in _words_of(category)
        if (end := _end_of_last(word, text))
    ]
    return categories[min(fits)[-1]] if fits else None


def _end_of_last(word: str, text: str) -> int:
    """Return the position where a whole word last ends in a text; 0 if it isn't there."""
    place = f" {text} ".rfind(f" {word} ") if word else -1
    return place + len(word) if place >= 0 else 0


def _words_of(category: Category) -> tuple[str, ...]:
    return tuple(normal_words(word) for word in (category.name, *category.synonyms))


def normal_words(text: str) -> str:
    """Return a text in lower case, without accents and punctuation, with single spaces between words.

    Example: ``Apparel > Jewellery_Rings`` becomes ``apparel jewellery rings``.
    """
    # Some signs have a capital letter as their plain form: lower case comes before and after.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(re.findall(r"\w+", plain.replace("_", " ")))
