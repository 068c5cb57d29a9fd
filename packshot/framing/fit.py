"""Which part of the picture becomes the canvas, and how large: integers and ratios only, no pixels.

The canvas is found backwards. First the *window*: the rectangle of the picture, in its own pixels, that has the
canvas's shape and in which the product has the fill asked for; it may reach beyond the picture. Then the
canvas: the window, scaled to the size aimed at, as far as the limits on size and enlargement allow.
"""

from __future__ import annotations

from fractions import Fraction

from packshot.specs.models import Canvas
from packshot.types import Box, Finding, Size, Status, Value


class Placement(Value):
    """How the picture comes onto the canvas.

    Attributes:
        window: the part of the picture that becomes the canvas, in the picture's pixels; may reach beyond it.
        canvas: size of the rendition.
        subject: the product's box in the picture.
        findings: limits that were met on the way.
    """

    window: Box
    canvas: Size
    subject: Box
    findings: tuple[Finding, ...] = ()

    @property
    def scale(self) -> float:
        """Canvas pixels for one pixel of the picture, along the canvas's longest side."""
        return self.canvas.longest / self.window.size.longest

    @property
    def fill_ratio(self) -> float:
        """The fill that is reached; see `fill_ratio_of`."""
        return fill_ratio_of(self.subject.size, self.window.size)

    @property
    def left(self) -> float:
        """Where the picture's left edge lies on the canvas: canvas pixel = scale * picture pixel + left."""
        return -self.window.left * self.scale

    @property
    def top(self) -> float:
        """Where the picture's upper edge lies on the canvas."""
        return -self.window.top * self.scale

    @property
    def subject_on_canvas(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the product on the canvas, in canvas pixels and their fractions."""
        across = self.canvas.width / self.window.width
        down = self.canvas.height / self.window.height
        return (
            (self.subject.left - self.window.left) * across,
            (self.subject.top - self.window.top) * down,
            (self.subject.right - self.window.left) * across,
            (self.subject.bottom - self.window.top) * down,
        )


def fill_ratio_of(subject: Size, canvas: Size) -> float:
    """Return how much of the canvas the product takes, along the side where it takes most.

    On a square canvas that is the product's longest side. On an oblong one it is the side that leaves the least
    room, so that a product which fills it can never reach beyond the canvas.
    """
    return max(subject.width / canvas.width, subject.height / canvas.height)


def fit(subject: Box, *, canvas: Canvas, fill_ratio: float, max_upscale_ratio: float) -> Placement:
    """Return where the product comes to stand: centred, with the fill and the shape asked for.

    The fill is reached to within a pixel of the picture or of the canvas, whichever is larger; so is the shape. It is
    enlarged only as far as the platform's least size asks, and never beyond the limit: the canvas becomes smaller
    instead, and below the least size that is a failed gate.

    Args:
        subject: the product's box in the picture.
        canvas: shape and sizes; without an aspect the canvas follows the product with even margins, without a
            recommended size it keeps the picture's resolution.
        fill_ratio: in 0..1 (0 excluded); see `fill_ratio_of`.
        max_upscale_ratio: at least 1.
    """
    shape = _shape(subject.size, canvas.aspect, Fraction(str(fill_ratio)))
    window = Size(max(1, round(shape[0])), max(1, round(shape[1])))
    longest = _canvas_longest(window.longest, canvas, Fraction(str(max_upscale_ratio)))
    # Each side is rounded by itself: then an error on one cannot grow on the other, however oblong the canvas is.
    size = window if longest == window.longest else _sides(longest, shape)
    return Placement(
        window=_centred(window, subject),
        canvas=size,
        subject=subject,
        findings=_size_findings(longest, canvas, subject),
    )


def _shape(subject: Size, aspect: str | None, fill_ratio: Fraction) -> tuple[Fraction, Fraction]:
    """The window's exact sides, in the picture's pixels."""
    if aspect is None:
        margins = subject.longest / fill_ratio - subject.longest
        return subject.width + margins, subject.height + margins
    width, height = (Fraction(side) for side in aspect.split(":"))
    unit = max(subject.width / fill_ratio / width, subject.height / fill_ratio / height)
    return width * unit, height * unit


def _canvas_longest(window_longest: int, canvas: Canvas, max_upscale_ratio: Fraction) -> int:
    aimed_at = canvas.recommended_px or window_longest
    reachable = int(window_longest * max_upscale_ratio)
    enlarged = min(canvas.min_px, reachable)
    return max(1, min(aimed_at, max(window_longest, enlarged), canvas.max_px or aimed_at))


def _sides(longest: int, shape: tuple[Fraction, Fraction]) -> Size:
    """Whole sides in the proportions of `shape`, the longest exactly as given."""
    unit = longest / max(shape)
    return Size(max(1, round(shape[0] * unit)), max(1, round(shape[1] * unit)))


def _centred(window: Size, subject: Box) -> Box:
    left = (subject.left + subject.right - window.width) // 2
    top = (subject.top + subject.bottom - window.height) // 2
    return Box(left, top, left + window.width, top + window.height)


def _size_findings(longest: int, canvas: Canvas, subject: Box) -> tuple[Finding, ...]:
    if longest < canvas.min_px:
        finding = Finding(
            code="resolution_too_low",
            status=Status.FAILED,
            gate=True,
            message=f"The product is only {subject.size} px; without enlarging it beyond the limit the longest side "
            f"comes to {longest} px, the platform asks for {canvas.min_px} px.",
            measured=longest,
            limit=canvas.min_px,
            unit="px",
        )
        return (finding,)
    if canvas.recommended_px is not None and longest < canvas.recommended_px:
        finding = Finding(
            code="below_recommended_size",
            status=Status.WARNING,
            message=f"The longest side is {longest} px instead of {canvas.recommended_px} px, because the product "
            "would have to be enlarged beyond the limit.",
            measured=longest,
            limit=canvas.recommended_px,
            unit="px",
        )
        return (finding,)
    return ()
