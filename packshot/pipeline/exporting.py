"""Stage 4: the edit on each platform's canvas, as verified files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from packshot.errors import PackshotError
from packshot.export.labels import Labels
from packshot.export.names import delivered_name
from packshot.export.render import Rendered, render_all
from packshot.framing.frame import frame
from packshot.framing.place import Framed
from packshot.specs.models import Plan, RenditionPlan
from packshot.threads import side_by_side
from packshot.types import Matte, Pixels16, Size


@dataclasses.dataclass(frozen=True)
class Rendition:
    """One file for one platform, verified.

    Attributes:
        path: below the delivery's folder: ``<platform>/<name>.<extension>``.
    """

    platform: str
    path: str
    size: Size
    rendered: Rendered


@dataclasses.dataclass(frozen=True)
class Export:
    """Stage 4 of a shot.

    Attributes:
        renditions: all that were made; only those that passed may be delivered.
        failures: platform -> why it gets nothing.
    """

    renditions: tuple[Rendition, ...]
    failures: Mapping[str, PackshotError]


def export(
    composite: Pixels16,
    matte: Matte,
    plan: Plan,
    *,
    known: Mapping[str, str],
    labels: Labels,
    framed: Framed | None = None,
) -> Export:
    """Return the shot's verified files; a platform that cannot be served doesn't stop the others.

    Args:
        known: what is known of the shot, by the names that naming templates use, ``shot`` among them.
        labels: what the files say of themselves; SKU and GTIN are added where they are known.
        framed: the first rendition on its canvas, where it is at hand (`Edit.framed`); otherwise it is framed again.
    """
    labels = labels.model_copy(update={name: known[name] for name in ("sku", "gtin") if known.get(name)})

    def files_of(rendition: RenditionPlan) -> list[Rendition] | PackshotError:
        try:
            name = delivered_name(rendition, known, subject=known["shot"])
            at_hand = framed if rendition is plan.renditions[0] else None
            placed = at_hand or frame(composite, matte, rendition)
            files = render_all(placed, rendition, qc=plan.qc, labels=labels, clipping_path=plan.print_clipping_path)
        except PackshotError as error:
            return error
        return [_rendition(rendition.platform.name, name, file) for file in files]

    found = side_by_side(files_of, plan.renditions)
    failures = {
        rendition.platform.name: made
        for rendition, made in zip(plan.renditions, found, strict=True)
        if isinstance(made, PackshotError)
    }
    made = [file for files in found if not isinstance(files, PackshotError) for file in files]
    return Export(tuple(made), failures)


def _rendition(platform: str, name: str, file: Rendered) -> Rendition:
    return Rendition(platform, f"{platform}/{name}.{file.encoded.extension}", file.encoded.size, file)
