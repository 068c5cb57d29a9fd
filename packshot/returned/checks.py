"""Check the picture that an editor has returned against its master, before another person looks at it.

An editor cuts a product out by hand. The master is the photograph that the editor was given. If a check that is marked
as a gate fails, the work goes back to the editor, with the reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np

from packshot.colour.difference import Lab, delta_e_2000, lab_of
from packshot.colour.spaces import working_profile
from packshot.qc.white import away_from, find_off_white
from packshot.returned.alignment import Alignment, Pair, align, reduced_pair, warped_back
from packshot.returned.read import MatteSource, ReturnedWork, near_white_around, overlap
from packshot.types import Box, Finding, Mask, Matte, Pixels16, Size, Status, Value, size_of

_RING_PX = {True: 24, False: 4}
_CLEARLY_TURNED = 1.0
_LENT_ONLY = (MatteSource.CLIPPING_PATH, MatteSource.LAYER_MASK, MatteSource.SAVED_CHANNEL)


class Permits(Value):
    """Changes that an editor may make to a photograph, besides cutting the product out on white.

    An editor is a person who edits a photograph by hand. Each attribute is True if the client's rules and the ordered
    services allow the change. False means that `check_returned` looks for the change and reports it.

    Attributes:
        colour: correct the product's colours.
        retouch: paint over parts of the product.
        shadow: leave a shadow of the product on the white background.
    """

    colour: bool = False
    retouch: bool = False
    shadow: bool = False


class ReturnLimits(Value):
    """Limits beyond which an editor's returned work is sent back or reported.

    Attributes:
        least_likeness: minimum correlation of the product's lightness between master and work.
        most_moved_px: maximum displacement of a corner of the product's box, in pixels of the master. On masters over
            1,500 px it grows with the longest side.
        most_rescaled: maximum change of the product's size, as a ratio.
        most_drift: maximum colour change, delta E 2000, median over the product.
        repainted_from: a pixel counts as painted over from this delta E 2000 on.
        most_repainted: maximum size of the largest area that is painted over, as a share of the product.
        least_product, most_product: minimum and maximum share of the picture that the matte may cover.
        least_like_draft: a smaller overlap (intersection over union) with the machine's matte gives a warning.
        unchanged_from: from this overlap with the machine's matte on, the matte counts as unchanged.
    """

    least_likeness: float = 0.8
    most_moved_px: float = 1.5
    most_rescaled: float = 0.005
    most_drift: float = 2.0
    repainted_from: float = 8.0
    most_repainted: float = 0.005
    least_product: float = 0.001
    most_product: float = 0.98
    least_like_draft: float = 0.85
    unchanged_from: float = 0.99995


@dataclasses.dataclass(frozen=True)
class _Job:
    work: ReturnedWork
    master: Pixels16
    draft: Matte | None
    permits: Permits
    limits: ReturnLimits

    @property
    def size(self) -> Size:
        return size_of(self.master)

    @property
    def lends_matte_only(self) -> bool:
        """True for work of another size: only its path, mask or channel is used, with the pixels of the master."""
        return self.work.size != self.size and self.work.has_aspect_of(self.size) and self.work.source in _LENT_ONLY


def check_returned(
    work: ReturnedWork,
    master: Pixels16,
    *,
    draft: Matte | None = None,
    permits: Permits | None = None,
    limits: ReturnLimits | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of all checks of a picture that an editor returned.

    Checks that passed or were skipped have findings too. First come the findings made while the file was read. A failed
    finding with `gate` sends the work back to the editor.

    Args:
        work: the work as `read_returned` returns it.
        master: (rows, columns, 3) uint16, Adobe RGB: the picture that the editor was given.
        draft: (rows, columns) float32 in 0..1: the machine's matte that the editor was given, at the master's size;
            None if there was none.
        permits: the changes that the job allowed; None allows nothing but the background.
        limits: beyond which work is sent back or reported; None: the defaults.
    """
    job = _Job(work, master, draft, permits or Permits(), limits or ReturnLimits())
    found = [_size(job), *_matte(job), *_draft(job), *_profile(job), _depth(job), _white(job)]
    return (*work.findings, *found, *_product(job))


def _size(job: _Job) -> Finding:
    if job.work.size == job.size:
        return _passed("returned_size", f"The picture is as large as the master, {job.size}.")
    if job.lends_matte_only:
        message = f"The picture is {job.work.size}, the master {job.size}: its {job.work.source} is laid on the master."
        return Finding(code="returned_size", status=Status.WARNING, message=message)
    turned = job.work.size == (job.size.height, job.size.width)
    how = " It was turned by a quarter." if turned else " Return it uncropped and at its full size."
    return _failed("returned_size", f"The picture is {job.work.size}, the master {job.size}.{how}")


def _matte(job: _Job) -> Iterator[Finding]:
    matte, limits = job.work.matte, job.limits
    if matte is None:
        yield _failed("returned_matte", "Nothing in the file says what is product: no path, mask or alpha, no white.")
        return
    share = float((matte >= 0.5).mean())
    border = float(np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]]).mean())
    name = f" {job.work.source_name!r}" if job.work.source_name else ""
    where = f"The {job.work.source}{name} covers {share:.1%} of the picture"
    quarter = matte.shape[0] // 4
    if border > 0.9 and matte[quarter : matte.shape[0] - quarter].mean() < border:
        yield _failed("returned_matte", f"{where} and nearly all of its border: it is inverted.", share, "ratio")
    elif not limits.least_product <= share <= limits.most_product:
        yield _failed("returned_matte", f"{where}: that is no product.", share, "ratio")
    else:
        yield _passed("returned_matte", f"{where}.", share, "ratio")


def _draft(job: _Job) -> Iterator[Finding]:
    """Compare the matte with the machine's. Warn if they differ much, or if the machine's matte came back unchanged."""
    matte = job.work.matte_at(job.size) if job.work.has_aspect_of(job.size) else None
    if job.draft is None or matte is None:
        why = "The machine made no cut-out to compare with." if job.draft is None else "There is no cut-out to compare."
        yield Finding(code="returned_like_draft", status=Status.SKIPPED, message=why)
        return
    on_white = job.work.source is MatteSource.WHITE_BACKGROUND  # such a matte covers partly transparent pixels too
    share = overlap(matte, (job.draft > 0).astype(np.float32) if on_white else job.draft)
    if share >= job.limits.unchanged_from and not on_white:
        message = f"The {job.work.source} is the machine's draft, unchanged."
        yield Finding(code="draft_unchanged", status=Status.WARNING, message=message, measured=share, unit="overlap")
    like = share >= job.limits.least_like_draft
    yield Finding(
        code="returned_like_draft",
        status=Status.PASSED if like else Status.WARNING,
        message=f"The cut-out and the machine's overlap by {share:.1%}." + ("" if like else " Look at both."),
        measured=share,
        limit=job.limits.least_like_draft,
        unit="overlap",
    )


def _profile(job: _Job) -> Iterator[Finding]:
    work = job.work
    if job.lends_matte_only:
        yield Finding(code="returned_profile", status=Status.SKIPPED, message="Only its cut-out is used.")
    elif work.profile_assumed:
        yield _failed("returned_profile", "The picture lost its colour profile. Embed the master's when saving.")
    else:
        yield _passed("returned_profile", f"The picture says what its colours mean: {work.profile_name}.")


def _depth(job: _Job) -> Finding:
    if job.lends_matte_only:
        return Finding(code="returned_depth", status=Status.SKIPPED, message="Only its cut-out is used.")
    deep = job.work.bit_depth >= 16
    return Finding(
        code="returned_depth",
        status=Status.PASSED if deep else Status.WARNING,
        message=f"{job.work.bit_depth} bits of the master's 16 were kept.",
        measured=job.work.bit_depth,
        limit=16,
        unit="bit",
    )


def _white(job: _Job) -> Finding:
    """Check that the background is exactly white, in a picture without a matte of its own.

    Other pictures are composited on white later, so they are not checked.
    """
    if job.work.source is not MatteSource.WHITE_BACKGROUND:
        message = "The picture was not flattened: the line lays it on exact white."
        return Finding(code="returned_white", status=Status.SKIPPED, message=message)
    if job.permits.shadow:
        return Finding(code="returned_white", status=Status.SKIPPED, message="A shadow may lie on the white.")
    background = _background(job)
    off = find_off_white(job.work.pixels16, background)
    if not off.count:
        return _passed("returned_white", f"All {off.background:,} background pixels are exactly white.", 1.0, "ratio")
    message = f"{off.count:,} background pixels are not exactly white, by up to {off.worst_levels:.1f} levels."
    if job.draft is None:
        message += " Nothing says for certain that they are background."
        return Finding(
            code="returned_white", status=Status.WARNING, message=message, measured=off.exact_ratio, box=off.box
        )
    return _failed("returned_white", message, off.exact_ratio, "ratio", box=off.box)


def _background(job: _Job) -> Mask:
    """Return the mask of the background.

    It is background in the draft, nearly white, connected to the border, and away from the product.
    """
    near = near_white_around(job.work.pixels16)
    draft = job.draft if job.draft is not None and job.draft.shape == near.shape else None
    product = ~near if draft is None else (draft > 0)
    return np.asarray(near & away_from(product, _RING_PX[job.work.lossy]))


def _product(job: _Job) -> Iterator[Finding]:
    """Check that photograph, position and colours are the same, all inside the product."""
    if job.work.matte is None:
        why = "There is no cut-out to say where the product is."
        yield _skipped("same_shot", why)
        yield from _not_compared(why)
        return
    pair = reduced_pair(job.master, job.work.pixels16, job.work.matte, draft=job.draft)
    alignment = align(pair)
    yield _same_shot(job, alignment)
    likeness = alignment.likeness
    if alignment.turned or (likeness is not None and likeness < job.limits.least_likeness):
        yield from _not_compared("It is turned." if alignment.turned else "It is another photograph.")
        return
    if likeness is None:
        yield _skipped("product_moved", "The product has too little detail to tell where it stands.")
        alignment = dataclasses.replace(alignment, warp=np.eye(2, 3))
    else:
        yield _moved(job, alignment)
    if job.lends_matte_only:
        yield from _no_colours("Only its cut-out is used.")
    else:
        yield from _colours(job, pair, alignment)


def _not_compared(why: str) -> Iterator[Finding]:
    yield _skipped("product_moved", why)
    yield from _no_colours(why)


def _no_colours(why: str) -> Iterator[Finding]:
    yield _skipped("returned_colour", why)
    yield _skipped("product_repainted", why)


def _same_shot(job: _Job, alignment: Alignment) -> Finding:
    if alignment.likeness is None:
        return _skipped("same_shot", "The product has too little detail to tell one photograph from another.")
    figure, limit = round(alignment.likeness, 3), job.limits.least_likeness
    if alignment.turned:
        return _failed("same_shot", f"The picture is {alignment.turned}.", figure, "correlation", limit=limit)
    if alignment.likeness < limit:
        message = f"Inside the product it is another photograph than the master: they agree by {figure:.2f}."
        return _failed("same_shot", message, figure, "correlation", limit=limit)
    return _passed("same_shot", "It is the photograph that was handed out.", figure, "correlation", limit=limit)


def _moved(job: _Job, alignment: Alignment) -> Finding:
    limit = job.limits.most_moved_px * max(1.0, job.size.longest / 1500)
    figure = round(alignment.moved_px, 2)
    rescaled = abs(alignment.scale - 1) > job.limits.most_rescaled
    if not rescaled and alignment.moved_px <= limit:
        return _passed("product_moved", "The product stands where it stood.", figure, "px", limit=limit)
    how = f"was made {alignment.scale:.1%} of its size" if rescaled else f"was moved by {figure:.1f} px"
    if abs(alignment.degrees) > _CLEARLY_TURNED:
        how = f"was turned by {abs(alignment.degrees):.0f} degrees"
    message = f"The product {how}. Leave it where it was: the line places it for each platform."
    return _failed("product_moved", message, figure, "px", limit=limit)


def _colours(job: _Job, pair: Pair, alignment: Alignment) -> Iterator[Finding]:
    assert alignment.warp is not None
    inside = pair.compared(alignment.warp)
    ours, theirs = _soft_lab(pair.master), warped_back(_soft_lab(pair.returned), alignment.warp)
    if not inside.any():
        yield from _no_colours("The product is too thin to compare its colours.")
        return
    off = np.zeros(inside.shape, np.float32)
    off[inside] = delta_e_2000(ours[inside], theirs[inside])
    yield _drift(job, float(np.median(off[inside])))
    if job.permits.colour:  # a colour shift of the whole product is not painting
        shift = np.median(theirs[inside] - ours[inside], axis=0)
        off[inside] = delta_e_2000(ours[inside] + shift, theirs[inside])
    yield _repainted(job, off, inside, pair.enlargement)


def _soft_lab(pixels: Pixels16) -> Lab:
    """Return L*a*b*, blurred with sigma 1 px, so that grain and sharpening do not count."""
    return np.asarray(cv2.GaussianBlur(lab_of(pixels, icc=working_profile()), (0, 0), 1.0), np.float32)


def _drift(job: _Job, median: float) -> Finding:
    figure, limit = round(median, 2), job.limits.most_drift
    if median <= limit:
        return _passed("returned_colour", "The product kept its colours.", figure, "delta E 2000", limit=limit)
    if job.permits.colour:
        message = f"The product's colours were corrected by {figure:.1f}, as ordered."
        return _passed("returned_colour", message, figure, "delta E 2000", limit=limit)
    message = f"The product's colours drifted by {figure:.1f}, and no correction was ordered."
    return _failed("returned_colour", message, figure, "delta E 2000", limit=limit)


def _repainted(job: _Job, off: Matte, inside: Mask, enlargement: float) -> Finding:
    count, _, stats, _ = cv2.connectedComponentsWithStats(
        (off > job.limits.repainted_from).astype(np.uint8), connectivity=8
    )
    limit = job.limits.most_repainted
    areas = stats[1:count, cv2.CC_STAT_AREA]
    share = float(areas.max()) / int(np.count_nonzero(inside)) if len(areas) else 0.0
    if share <= limit:
        return _passed(
            "product_repainted", "Nothing of the product was painted over.", round(share, 4), "ratio", limit=limit
        )
    left, top, width, height, _ = (float(one) * enlargement for one in stats[1 + int(areas.argmax())])
    box = Box(int(left), int(top), int(np.ceil(left + width)), int(np.ceil(top + height)))
    if job.permits.retouch:
        message = f"{share:.1%} of the product was painted over in one place, as retouching was ordered."
        return _passed("product_repainted", message, round(share, 4), "ratio", limit=limit)
    message = f"{share:.1%} of the product was painted over in one place, and no retouching was ordered."
    return _failed("product_repainted", message, round(share, 4), "ratio", limit=limit, box=box)


def _passed(
    code: str, message: str, measured: float | None = None, unit: str = "", *, limit: float | None = None
) -> Finding:
    return Finding(
        code=code, status=Status.PASSED, message=message, measured=measured, limit=limit, unit=unit, gate=True
    )


def _failed(
    code: str,
    message: str,
    measured: float | None = None,
    unit: str = "",
    *,
    limit: float | None = None,
    box: Box | None = None,
) -> Finding:
    return Finding(
        code=code, status=Status.FAILED, message=message, measured=measured, limit=limit, unit=unit, gate=True, box=box
    )


def _skipped(code: str, why: str) -> Finding:
    return Finding(code=code, status=Status.SKIPPED, message=why)
