"""Compute the SVG coordinates of line charts, for pages that need neither scripts nor the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from packshot.types import Value

TOP, RIGHT = 8.0, 24.0
_NOTHING = 1e-9
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Line(Value):
    """One series of a chart, to be drawn as a line.

    Attributes:
        name: what the series shows, for the legend.
        tone: colour, as in CSS.
        values: one for each position on the x axis. None leaves a gap.
        dashed: True for a limit, False for a measurement.
    """

    name: str
    tone: str
    values: tuple[float | None, ...]
    dashed: bool = False


class DrawnLine(Value):
    """A series of a chart in SVG coordinates. `line_chart` makes it from a `Line`.

    Attributes:
        name: what the series shows, for the legend.
        tone: colour, as in CSS.
        dashed: True for a limit, False for a measurement.
        runs: the ``points`` of a polyline for each stretch without a gap, for example ``"10.0,50.0 20.0,40.0"``.
        dots: (x, y) of points without neighbours. A polyline would not show them.
    """

    name: str
    tone: str
    dashed: bool
    runs: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]


class Chart(Value):
    """A line chart in SVG coordinates, for a page's template. `line_chart` makes it.

    All lengths are in SVG units; x runs to the right and y downwards.

    Attributes:
        width, height: size of the whole chart.
        left, bottom: x of the left end and y of the lower end of the lines' area.
        ticks: (y, text) of each horizontal grid line.
        marks: (x, text) of each label below the chart.
        places: x of each position, from left to right.
        lines: the series.
    """

    width: float
    height: float
    left: float
    bottom: float
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    places: tuple[float, ...]
    lines: tuple[DrawnLine, ...]


def line_chart(
    lines: Sequence[Line],
    marks: Iterable[tuple[int, str]],
    *,
    show: Callable[[float], str],
    width: float,
    height: float,
    left: float,
    least_step: float = 0.0,
    most: float = math.inf,
) -> Chart | None:
    """Return a chart of several series over the same positions, with y from 0 upwards; None if there are no values.

    Args:
        lines: the series.
        marks: (number of a position, counted from 0, label below it).
        show: called with a grid line's value; returns the text beside the line.
        width, height: size of the whole chart, in SVG units.
        left: width of the space left of the lines, in SVG units, for the texts of the grid lines.
        least_step: minimum distance of two grid lines, in units of the values; 1 for counts.
        most: maximum value that is shown. Greater values are drawn at the top.
    """
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return None
    ticks = nice_ticks(min(max(known), most), least_step=least_step)
    bottom = height - 26.0
    count = max(len(line.values) for line in lines)
    across = (width - left - RIGHT) / max(1, count - 1)
    places = tuple(round(left + number * across, 1) for number in range(count))

    def y(value: float) -> float:
        return round(bottom - (bottom - TOP) * min(value / ticks[-1], 1.0), 1)

    return Chart(
        width=width,
        height=height,
        left=left,
        bottom=bottom,
        ticks=tuple((y(tick), show(tick)) for tick in ticks),
        marks=tuple((places[number], text) for number, text in marks),
        places=places,
        lines=tuple(_drawn(line, places, y) for line in lines),
    )


def nice_ticks(most: float, *, least_step: float = 0.0) -> tuple[float, ...]:
    """Return round values for a chart's grid lines: at least three, from 0 to at least `most`, at equal distances.

    Example: ``nice_ticks(37)`` is 0, 10, 20, 30, 40.

    Args:
        most: greatest value of the chart.
        least_step: minimum distance of two values; 1 for counts.
    """
    rough = most / 4 if most > _NOTHING else least_step or 0.01
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(least_step, next(one * power for one in _STEPS if one * power >= rough * (1 - 1e-9)))
    count = max(2, math.ceil(most / step - 1e-9))
    return tuple(round(number * step, 10) for number in range(count + 1))


def _drawn(line: Line, places: Sequence[float], y: Callable[[float], float]) -> DrawnLine:
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in zip(places, line.values, strict=False):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, y(value)))
    return DrawnLine(
        name=line.name,
        tone=line.tone,
        dashed=line.dashed,
        runs=tuple(" ".join(f"{x},{height}" for x, height in run) for run in runs if len(run) > 1),
        dots=tuple(run[0] for run in runs if len(run) == 1),
    )
