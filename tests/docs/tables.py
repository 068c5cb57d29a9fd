"""Tables of the documents that are made from the code: `python -m tests.docs.tables` writes them anew.

A table stands between ``<!-- table: name -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel

from packshot.cli.ending import EXIT_STATUSES
from packshot.decision import REASONS
from packshot.errors import PackshotError, RefusedInputError, TransientError
from packshot.explained import ERRORS, GROUPS, Group, error_in_words
from packshot.ingest.limits import most_pixels
from packshot.qc.report import BACKGROUND_RULES, COLOUR_RULES, EDGE_RULES, FILL_RULES
from packshot.specs import models as specs
from packshot.specs.handoff import LateDeliveries
from packshot.specs.models import Feature, Platform
from packshot.specs.returns import TableLimits, Writing
from packshot.specs.schema import meanings
from packshot.specs.services import BY_MACHINE, WORDS, Service
from packshot.specs.sets import ProductSets
from tasks.environment.settings import settings_table
from tests.configs import shipped_configs
from tests.packshot.formats.test_conformance import FILES, opened

BY_USER = (130, "ended by Ctrl-C")
DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = list(head)
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def services() -> str:
    return table(
        ("service", "by", "words for it"),
        (
            (one.value, "machine" if one in BY_MACHINE else "people", _code(w for w, s in WORDS.items() if s is one))
            for one in Service
        ),
    )


def exit_statuses() -> str:
    return table(("status", "meaning"), [*((code.value, text) for code, text in EXIT_STATUSES.items()), BY_USER])


def reasons() -> str:
    choices: dict[str, list[str]] = {}
    for choice, ones in REASONS.items():
        choices.setdefault(_code(ones), []).append(choice.value)
    return table(("decision", "reason codes"), ((", ".join(words), codes) for codes, words in choices.items()))


def platforms() -> str:
    known = shipped_configs().platforms
    rows = (_platform(name, one) for name, one in known.items() if one.enabled)
    return table(("platform", "file", "size", "background", "limit", "says who"), rows)


def _platform(name: str, platform: Platform) -> tuple[str, ...]:
    encoding, canvas = platform.encoding, platform.canvas
    kind = f"{encoding.format.upper()} q{encoding.quality}" if encoding.quality else encoding.format.upper()
    depth = f" {encoding.bit_depth} bit" if encoding.bit_depth != 8 else ""
    sizes = [canvas.min_px, canvas.recommended_px or "full", canvas.max_px or "-"]
    size = " / ".join(str(side) for side in sizes) + (f", {canvas.aspect}" if canvas.aspect else "")
    limit = f"{platform.max_bytes / 1e6:g} MB" if platform.max_bytes else "-"
    return name, kind + depth, size, str(platform.background), limit, str(platform.authority)


def refusals() -> str:
    known = shipped_configs().platforms
    rows = (
        (name, ", ".join(one.accepts or one.delivered_formats), _code(one.refused_by_marketplace) or "-", one.authority)
        for name, one in known.items()
        if one.enabled
    )
    return table(("platform", "accepts", "refuses for", "says who"), rows)


def categories() -> str:
    known = shipped_configs().categories
    rows = ((name, one.complexity or "as measured", _code(one.services) or "-") for name, one in known.items())
    return table(("category", "complexity", "usual services"), rows)


def rules() -> str:
    configs = shipped_configs()
    known = configs.qc.rules

    def gate(code: str) -> str:
        return "yes" if known[code].gate else "no"

    parts = {
        "background": BACKGROUND_RULES,
        "edge": EDGE_RULES,
        "fill": FILL_RULES,
        "colour": COLOUR_RULES,
    }
    rows = (
        (
            f"`{code}`",
            part,
            *(f"{one:g}" for one in (known[code].weight, known[code].good, known[code].bad)),
            gate(code),
        )
        for part, codes in parts.items()
        for code in codes
    )
    return table(("rule", "component", "weight", "good", "bad", "gate"), rows)


def accepted() -> str:
    ingest = shipped_configs().ingest
    rows = (
        ("longest side, at least", f"{ingest.min_px:,} px"),
        ("any side, at most", f"{ingest.max_side_px:,} px"),
        ("pixels, at most", f"{ingest.max_pixels:,}"),
        ("memory while it is worked on, from the header, at most", f"{ingest.max_working_bytes:,} bytes"),
        ("that is, 8 bits a channel, RGB", f"{most_pixels(ingest, channels=3, depth=8) / 1e6:.0f} megapixels"),
        ("that is, 16 bits a channel, RGB", f"{most_pixels(ingest, channels=3, depth=16) / 1e6:.0f} megapixels"),
        (
            "that is, 16 bits a channel, RGB and transparency",
            f"{most_pixels(ingest, channels=4, depth=16) / 1e6:.0f} megapixels",
        ),
        ("the file, at most", f"{ingest.max_bytes:,} bytes"),
        ("pages or frames, at most", f"{ingest.max_frames}"),
        ("pixels times scans of a progressive JPEG, at most", f"{ingest.max_scanned_pixels:,}"),
    )
    return table(("what", "limit"), rows)


KEYS: Mapping[str, type[BaseModel]] = {
    "platforms/<name>.yaml": specs.Platform,
    "encoding": specs.Encoding,
    "canvas": specs.Canvas,
    "later": specs.LaterSize,
    "fill": specs.Fill,
    "Edit rules": specs.EditRules,
    "categories.yaml": specs.Category,
    "routing.yaml": specs.RoutingConfig,
    "A promise": specs.Promise,
    "audit": specs.AuditConfig,
    "picture": specs.PictureConfig,
    "colour_match": specs.ColourMatch,
    "qc.yaml": specs.QcConfig,
    "One entry of rules": specs.RuleLimits,
    "ingest.yaml": specs.IngestConfig,
    "apart": specs.ApartLimits,
    "profiles": specs.ProfilePolicy,
    "groups": specs.GroupLimits,
    "handoff.yaml": specs.HandoffConfig,
    "Late deliveries": LateDeliveries,
    "returns.yaml": specs.ReturnsConfig,
    "tables": TableLimits,
    "daily.yaml": specs.DailyConfig,
    "models.yaml": specs.Model,
    "One entry of sources": specs.ModelSource,
    "clients/<name>.yaml": specs.Client,
    "sets of a client": ProductSets,
    "handoff of a client": specs.ClientHandoff,
    "tables of a client": Writing,
}
"""Heading in configs.md, without backticks -> the model of the keys below it."""


def keys(model: type[BaseModel]) -> str:
    """Return the keys of a model in the order of its fields; neighbours that mean the same share a row."""
    told = meanings(model.__doc__ or "")
    names = [name for name in model.model_fields if name != "name"]  # the file or the entry gives it
    rows = [(_code(group), _linked(text)) for text, group in groupby(names, key=told.__getitem__)]
    return table(("key", "what it says"), rows)


def features() -> str:
    told = meanings(Feature.__doc__ or "")
    return table(("feature", "what it is"), ((f"`{one.value}`", told[one.value]) for one in Feature))


def _linked(text: str) -> str:
    return re.sub(r"\b([a-z_]+\.md)\b", r"[\1](\1)", text)


def findings(group: Group) -> str:
    """Return the codes of a group; a column that would be empty is left out."""
    gates = {True: "yes", False: "no", None: ""}
    columns = ("code", "status", "measured", "limit", "unit", "gate", "what it says, what to do")
    rows = [
        (f"`{code}`", one.status, one.measured, one.limit, one.unit, gates[one.gate], _linked(one.text))
        for code, one in group.codes.items()
    ]
    used = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    return table((columns[place] for place in used), ([row[place] for place in used] for row in rows))


def advised_findings(group: Group) -> str:
    """Return the same below the group's title and advice."""
    return f"**{group.title}**: {group.advice}\n\n{findings(group)}"


def refused_files() -> str:
    kinds = [kind for kind in ERRORS.values() if issubclass(kind, RefusedInputError)]
    return table(("code", "class", "what it means", "what to do"), map(_error, kinds))


def other_errors() -> str:
    kinds = [kind for kind in ERRORS.values() if not issubclass(kind, RefusedInputError)]
    again = {
        kind: "" if kind is PackshotError else "yes" if issubclass(kind, TransientError) else "no" for kind in kinds
    }
    rows = ((code, name, again[kind], *told) for kind in kinds for code, name, *told in [_error(kind)])
    return table(("code", "class", "transient", "what it means", "what to do"), rows)


def _error(kind: type[PackshotError]) -> tuple[str, ...]:
    return f"`{kind.code}`", f"`{kind.__name__}`", *map(_linked, error_in_words(kind))


def formats() -> str:
    """What is read of a picture that was written in each format with everything that it can have."""
    heads = ("written as", "upright", "colours", "copyright", "creator", "time", "place", "AI label", "findings")
    return table(heads, (_format(name) for name in FILES))


def _format(name: str) -> tuple[str, ...]:
    photo = opened(name)
    about = photo.metadata
    known = (about.copyright, about.creator, about.taken_at, about.has_gps, about.ai_provenance)
    said = ("yes" if one else "no" for one in (photo.size == (64, 96), not photo.profile_assumed, *known))
    return (name, *said, _code(one.code for one in photo.findings))


TABLES: Mapping[str, tuple[str, Callable[[], str]]] = {
    **{
        f"findings: {title}": ("errors.md", partial(advised_findings if group.advice else findings, group))
        for title, group in GROUPS.items()
    },
    "refused files": ("errors.md", refused_files),
    "other errors": ("errors.md", other_errors),
    **{f"keys of {heading}": ("configs.md", partial(keys, model)) for heading, model in KEYS.items()},
    "features": ("configs.md", features),
    "services": ("people.md", services),
    "settings": ("settings.md", settings_table),
    "formats": ("formats.md", formats),
    "exit statuses": ("errors.md", exit_statuses),
    "reasons": ("people.md", reasons),
    "platforms": ("configs.md", platforms),
    "what marketplaces refuse": ("configs.md", refusals),
    "categories": ("configs.md", categories),
    "rules": ("configs.md", rules),
    "accepted": ("limits.md", accepted),
}
"""Name of the table -> its document and what makes it."""


def block(name: str) -> re.Pattern[str]:
    """Return the pattern of a table in its document; its one group is the table."""
    return re.compile(rf"<!-- table: {re.escape(name)} -->\n(.*?)\n?<!-- end -->", re.DOTALL)


def write() -> None:
    for name, (document, made) in TABLES.items():
        path = DOCS / document
        text = block(name).sub(lambda _, n=name, m=made: f"<!-- table: {n} -->\n{m()}\n<!-- end -->", path.read_text())  # type: ignore[misc]
        path.write_text(text)


if __name__ == "__main__":
    write()
