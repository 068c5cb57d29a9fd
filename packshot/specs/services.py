"""Define the services (kinds of handwork) that clients and categories name, and which of them the machine can do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from packshot.specs.nearest import did_you_mean


class Service(StrEnum):
    """A kind of handwork on a picture, by the trade's name.

    Attributes:
        CLIPPING_PATH: the product is cut out along its outline.
        COMPOUND_PATH: also its gaps are cut out, such as the inside of a handle.
        HAIR_MASK: soft edges are masked, such as hair and fur.
        TRANSPARENCY_MASK: see-through parts are masked, such as glass and veil.
        GHOST_MANNEQUIN: the mannequin is removed, and the garment's inside is put in its place.
        COLOUR_CORRECTION: the colours are brought to those of a reference.
        RETOUCH: anything else, such as dust, creases and shadows.
    """

    CLIPPING_PATH = "clipping path"
    COMPOUND_PATH = "compound path"
    HAIR_MASK = "hair/fur mask"
    TRANSPARENCY_MASK = "transparency mask"
    GHOST_MANNEQUIN = "ghost mannequin (neck joint)"
    COLOUR_CORRECTION = "colour correction"
    RETOUCH = "retouch"


BY_MACHINE = frozenset({Service.CLIPPING_PATH, Service.COMPOUND_PATH})
"""Services that the machine's edit includes: the product cut out on exact white, with gaps opened.

People do all others.
"""

_WORDS: Mapping[Service, tuple[str, ...]] = {
    Service.CLIPPING_PATH: (
        *("clipping_path", "path", "cut_out", "cutout", "background_removal", "white_background", "deep_etch"),
    ),
    Service.COMPOUND_PATH: ("compound_path", "multi_path"),
    Service.HAIR_MASK: ("hair_masking", "hair_mask", "fur_masking", "fur_mask", "image_masking"),
    Service.TRANSPARENCY_MASK: ("transparency_masking", "transparency_mask", "sheer_fabric_masking"),
    Service.GHOST_MANNEQUIN: ("ghost_mannequin", "neck_joint", "invisible_mannequin"),
    Service.COLOUR_CORRECTION: (
        *("colour_correction", "color_correction", "colour_matching", "color_matching", "recolouring", "recoloring"),
    ),
    Service.RETOUCH: (
        *("retouch", "retouching", "dust_removal", "scratch_removal", "stain_removal", "blemish_removal"),
        *("wrinkle_removal", "crease_removal", "reflection_retouch", "reflection_removal", "glare_removal"),
        *("logo_removal", "label_removal", "tag_removal", "stand_removal", "pin_removal", "thread_removal"),
        *("symmetry", "straightening", "reshaping", "liquify", "sharpening", "shadow", "drop_shadow"),
        *("natural_shadow", "reflection_shadow", "mirror_reflection", "image_stitching", "compositing"),
    ),
}
WORDS: Mapping[str, Service] = MappingProxyType({word: service for service, words in _WORDS.items() for word in words})
"""Every word that manifests and categories may use for a service."""


def normal_word(word: str) -> str:
    """Return a word for a service in lower case, with underscores between its parts.

    Example: ``Neck joint`` becomes ``neck_joint``. The keys of `WORDS`, all known words, are written so.
    """
    return re.sub(r"[\s_-]+", "_", word.strip().lower())


def service_of(word: str) -> Service | None:
    """Return the service that a word names; None if it names none.

    Args:
        word: a word of a manifest or category, such as ``neck joint``. Case, spaces and dashes do not matter.
    """
    return WORDS.get(normal_word(word))


def beyond_the_machine(words: Iterable[str]) -> tuple[str, ...]:
    """Return those words that ask for a person's work, in their order.

    A word asks for a person's work unless it names a service that the machine's edit includes (`BY_MACHINE`). So an
    unknown word counts too.

    Args:
        words: services, in the words of a manifest.
    """
    return tuple(word for word in words if service_of(word) not in BY_MACHINE)


def unknown_services(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words that name no service, in their order, for an error message.

    Each is in quotes. If a known word is similar, it follows: ``'retuch' (did you mean retouch?)``.

    Args:
        words: services, in the words of a manifest.
    """
    return tuple(f"{word!r}{did_you_mean(normal_word(word), WORDS)}" for word in words if service_of(word) is None)
