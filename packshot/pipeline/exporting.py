"""Run stage 4 on one shot: place the edit on each platform's canvas, and write verified files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from packshot.errors import PackshotError
from packshot.export.labels import Labels
from packshot.export.names import delivered_name
from packshot.export.render import Rendered, render_all
from packshot.framing.frame import frame
from packshot.framing.place import Framed
from packshot.specs.models import Plan, RenditionPlan
from packshot.threads import side_by_side
from packshot.types import Matte, Pixels16, Size, Status


@dataclasses.dataclass(frozen=True)
class Rendition:
    """One file of a shot for one platform, decoded again and checked.

    Attributes:
        platform: the platform's name.
        path: relative to the delivery's folder: ``<platform>/<name>.<extension>``.
        size: size of the picture.
        rendered: the file's bytes, and the findings of the checks.
    """

    platform: str
    path: str
    size: Size
    rendered: Rendered


@dataclasses.dataclass(frozen=True)
class Export:
    """Result of stage 4, the export, for one shot.

    Attributes:
        verified: files that may be delivered: each passed every check of its decoded bytes. If the client takes all or
            nothing, and something is left out, this is empty.
        rejected: files that failed a check. They may be looked at but never delivered.
        failures: platform -> why no file could be made for it.
        left_out: platform -> why it gets nothing, in the order in which platforms were asked for. If a platform gets
            only some of its files, the key is the path of the missing file.
    """

    verified: tuple[Rendition, ...]
    rejected: tuple[Rendition, ...]
    failures: Mapping[str, PackshotError]
    left_out: Mapping[str, str]


def export(
    composite: Pixels16,
    matte: Matte,
    plan: Plan,
    *,
    known: Mapping[str, str],
    labels: Labels,
    framed: Framed | None = None,
) -> Export:
    """Return a shot's files for all platforms, each decoded again and checked.

    If a file for one platform cannot be made or fails its check, no error is raised: the result says so, and the others
    still get their files. If the client takes all or nothing, then none gets a file.

    Args:
        composite: the edit on white, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the size of `composite`.
        plan: the shot's plan: all its settings, resolved.
        known: known facts of the shot, by the names that naming templates use; includes ``shot``.
        labels: metadata to write into the files; SKU and GTIN are added if known.
        framed: the product on the first rendition's canvas (`Edit.framed`), which saves framing it again; None: it is
            framed anew.
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
    verified = tuple(one for one in made if one.rendered.passed)
    rejected = tuple(one for one in made if not one.rendered.passed)
    left_out = _left_out(plan, verified, rejected, failures)
    if plan.all_or_nothing and left_out:
        missing = ", ".join(left_out)
        held = dict.fromkeys((one.platform for one in verified), f"The client takes all or nothing; {missing} fails.")
        return Export((), rejected, failures, {**left_out, **held})
    return Export(verified, rejected, failures, left_out)


def _left_out(
    plan: Plan,
    verified: Iterable[Rendition],
    rejected: Iterable[Rendition],
    failures: Mapping[str, PackshotError],
) -> dict[str, str]:
    served = {one.platform for one in verified}
    reasons = dict(plan.left_out) | {name: error.without_subject for name, error in failures.items()}
    for one in rejected:
        name = one.path if one.platform in served else one.platform
        why = " ".join(finding.message for finding in one.rendered.findings if finding.status is Status.FAILED)
        reasons[name] = f"{reasons[name]} {why}" if name in reasons and reasons[name] != why else why
    asked = [*plan.left_out, *(rendition.platform.name for rendition in plan.renditions)]
    return {name: reasons[name] for name in sorted(reasons, key=lambda name: (asked.index(name.split("/")[0]), name))}


def _rendition(platform: str, name: str, file: Rendered) -> Rendition:
    return Rendition(platform, f"{platform}/{name}.{file.encoded.extension}", file.encoded.size, file)
