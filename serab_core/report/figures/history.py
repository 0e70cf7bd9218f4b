"""A plot of the cost of extractors over saved runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from serab_core.report.figures.svg import Axis, Svg, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.bench.history import Moment

_WIDE, _PANEL, _LEFT, _RIGHT = 720.0, 84.0, 60.0, 150.0  # px: width of the plot, height of a panel, margins


def history_plot(moments: Sequence[Moment], theme: Theme) -> str:
    """Return a plot with a panel for each extractor: its ratio to the reference workload, relative to the first run.

    The band covers changes of a quarter up or down; a dashed line marks a change of serab's version or the processor.
    """
    names = sorted({(moment.extractor, moment.threads) for moment in moments})
    drawing = Svg(_WIDE, 40 + _PANEL * len(names) + 22, "Cost of extractors from run to run", theme)
    drawing.text(_LEFT, 14, "ratio to the reference workload, relative to the first run", theme.soft, size=12)
    for place, name in enumerate(names):
        series = [moment for moment in moments if (moment.extractor, moment.threads) == name]
        _panel(drawing, series, 30 + _PANEL * place)
    days = sorted({moment.when[:10] for moment in moments})
    bottom = 40 + _PANEL * len(names) + 8
    drawing.text(_LEFT, bottom, days[0], theme.soft, size=11)
    if days[1:]:
        drawing.text(_WIDE - _RIGHT, bottom, days[-1], theme.soft, size=11, anchor="end")
    return drawing.rendered()


def _panel(drawing: Svg, series: Sequence[Moment], top: float) -> None:
    theme = drawing.theme
    factors = [moment.ratio / series[0].ratio for moment in series]
    reach = max(0.5, *(abs(math.log2(factor)) for factor in factors)) * 1.1
    y = Axis(-reach, reach, top + _PANEL - 14, top)
    x = Axis(0, max(1, len(series) - 1), _LEFT, _WIDE - _RIGHT - 10)
    high, low = y.at(math.log2(1.25)), y.at(-math.log2(1.25))
    drawing.box(_LEFT, high, _WIDE - _RIGHT - _LEFT, low - high, theme.grid, 0.5)
    drawing.line(_LEFT, y.at(0), _WIDE - _RIGHT, y.at(0), theme.grid)
    for factor in (0.5, 1.0, 2.0):
        if abs(math.log2(factor)) < reach:
            drawing.text(_LEFT - 8, y.at(math.log2(factor)) + 4, f"{factor:g}", theme.soft, size=11, anchor="end")
    points = [(x.at(place), y.at(math.log2(factor))) for place, factor in enumerate(factors)]
    for place in range(1, len(series)):
        before, now = series[place - 1], series[place]
        if (before.version, before.machine) != (now.version, now.machine):
            middle = (points[place - 1][0] + points[place][0]) / 2
            drawing.line(middle, top, middle, top + _PANEL - 14, theme.soft, 1, "3 4")
    if points[1:]:
        drawing.path(points, theme.mark, 1.5)
    for moment, factor, (left, height) in zip(series, factors, points, strict=True):
        hint = f"{moment.when[:16]}, {moment.version}, {moment.machine}: {moment.ratio:.3g} ({factor:.2f} of the first)"
        drawing.dot(left, height, theme.mark, 3.5, hint)
    label = moment.extractor if moment.threads == 1 else f"{moment.extractor}, {moment.threads} threads"
    drawing.text(_WIDE - _RIGHT + 8, y.at(0), label, theme.ink, size=12, bold=True)
    drawing.text(
        _WIDE - _RIGHT + 8, y.at(0) + 15, f"now {series[-1].ratio:.3g}, {factors[-1]:.2f}x", theme.soft, size=11
    )
