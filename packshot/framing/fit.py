"""Compute which part of the picture becomes the canvas, and the canvas's size. No pixel is read.

First a *window* is computed: a rectangle in the picture's pixels. The window has the canvas's aspect ratio, and the
product has the wanted fill ratio in the window. The window may reach beyond the picture. The canvas is the window,
scaled to the recommended size as far as the limits on size and enlargement allow.
"""

from __future__ import annotations

from fractions import Fraction

from packshot.specs.models import Canvas
from packshot.types import Box, Finding, Size, Status, Value


class Placement(Value):
    """Which part of a picture (the edit) becomes the canvas of a rendition, and the canvas's size.

    It is computed by `fit` before a pixel is moved.

    Attributes:
        window: the part of the picture that becomes the canvas, in the picture's pixels; it may reach beyond the
            picture.
        canvas: size of the canvas, in pixels.
        subject: the product's box, in the picture's pixels.
        findings: empty, or one finding: the canvas is smaller than the platform's least size (failed; it forbids
            approval by the machine), or only smaller than its recommended size (a warning).
    """

    window: Box
    canvas: Size
    subject: Box
    findings: tuple[Finding, ...] = ()

    @property
    def scale(self) -> float:
        """Canvas pixels per pixel of the picture, along the longest side."""
        return self.canvas.longest / self.window.size.longest

    @property
    def fill_ratio(self) -> float:
        """The product's share of the canvas's width or of its height, whichever is greater (`fill_ratio_of`)."""
        return fill_ratio_of(self.subject.size, self.window.size)

    @property
    def left(self) -> float:
        """Where the picture's left edge lies on the canvas, in canvas pixels: canvas x = scale * picture x + left."""
        return -self.window.left * self.scale

    @property
    def top(self) -> float:
        """Where the picture's upper edge lies on the canvas, in canvas pixels: canvas y = scale * picture y + top."""
        return -self.window.top * self.scale

    @property
    def subject_on_canvas(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the product on the canvas, in fractional canvas pixels."""
        across = self.canvas.width / self.window.width
        down = self.canvas.height / self.window.height
        return (
            (self.subject.left - self.window.left) * across,
            (self.subject.top - self.window.top) * down,
            (self.subject.right - self.window.left) * across,
            (self.subject.bottom - self.window.top) * down,
        )


def fill_ratio_of(subject: Size, canvas: Size) -> float:
    """Return the product's share of the canvas's width or of its height, whichever is greater.

    A ratio of at most 1 means that the product fits.

    Example: a product of 400 x 300 on a canvas of 1000 x 500 has the fill ratio max(0.4, 0.6) = 0.6.

    Args:
        subject: size of the product's box.
        canvas: size of the canvas, in the same pixels.
    """
    return max(subject.width / canvas.width, subject.height / canvas.height)


def fit(subject: Box, *, canvas: Canvas, fill_ratio: float, max_upscale_ratio: float) -> Placement:
    """Return where a picture lies on a canvas, so that the product is centred with the wanted fill and aspect ratio.

    Both ratios are reached to within one pixel of the picture or of the canvas, whichever is larger. The product is
    enlarged only to reach the platform's least size, and by at most `max_upscale_ratio`. If that is not enough, the
    canvas gets smaller. If it gets smaller than the platform's least size, the placement has a finding that forbids
    approval.

    Args:
        subject: the product's box, in the picture's pixels.
        canvas: aspect ratio and sizes. Without an aspect ratio the canvas gets the product's shape with equal
            margins. Without a recommended size it keeps the picture's resolution.
        fill_ratio: greater than 0, at most 1; see `fill_ratio_of`.
        max_upscale_ratio: greatest enlargement, at least 1.
    """
    shape = _shape(subject.size, canvas.aspect, Fraction(str(fill_ratio)))
    window = Size(max(1, round(shape[0])), max(1, round(shape[1])))
    longest = _canvas_longest(window.longest, canvas, Fraction(str(max_upscale_ratio)))
    # Round each side separately, so that the rounding error of one is not magnified on the other.
    size = window if longest == window.longest else _sides(longest, shape)
    return Placement(
        window=_centred(window, subject),
        canvas=size,
        subject=subject,
        findings=_size_findings(longest, canvas, subject),
    )


def _shape(subject: Size, aspect: str | None, fill_ratio: Fraction) -> tuple[Fraction, Fraction]:
    """Return the window's exact sides, in the picture's pixels."""
    if aspect is None:
        margins = subject.longest / fill_ratio - subject.longest
        return subject.width + margins, subject.height + margins
    width, height = (Fraction(side) for side in aspect.split(":"))
    unit = max(subject.width / fill_ratio / width, subject.height / fill_ratio / height)
    return width * unit, height * unit


def _canvas_longest(window_longest: int, canvas: Canvas, max_upscale_ratio: Fraction) -> int:
    """Return the canvas's longest side, in pixels."""
    aimed_at = canvas.recommended_px or window_longest
    reachable = int(window_longest * max_upscale_ratio)
    enlarged = min(canvas.min_px, reachable)
    return max(1, min(aimed_at, max(window_longest, enlarged), canvas.max_px or aimed_at))


def _sides(longest: int, shape: tuple[Fraction, Fraction]) -> Size:
    """Return whole sides in the proportions of `shape`; the longest is exactly `longest`."""
    unit = longest / max(shape)
    return Size(max(1, round(shape[0] * unit)), max(1, round(shape[1] * unit)))


def _centred(window: Size, subject: Box) -> Box:
    """Return the window's box, centred on the product."""
    left = (subject.left + subject.right - window.width) // 2
    top = (subject.top + subject.bottom - window.height) // 2
    return Box(left, top, left + window.width, top + window.height)


def _size_findings(longest: int, canvas: Canvas, subject: Box) -> tuple[Finding, ...]:
    """Return the findings on a canvas that is smaller than wanted."""
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
