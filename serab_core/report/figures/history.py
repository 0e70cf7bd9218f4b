"""How an extractor's cost went from run to run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from serab_core.report.figures.svg import Axis, Svg, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.bench.history import Moment

_WIDE, _PANEL, _LEFT, _RIGHT = 720.0, 84.0, 60.0, 150.0


def history_plot(moments: Sequence[Moment], theme: Theme) -> str:
    """A panel an extractor: its ratio to the reference, relative to the first run, in the runs' order.

    The band is a quarter more or less than at first; a dashed line marks another version of serab or another processor.
    """
    names = sorted({(own.extractor, own.threads) for own in moments})
    made = Svg(_WIDE, 40 + _PANEL * len(names) + 22, "Cost of extractors from run to run", theme)
    made.text(_LEFT, 14, "ratio to the reference workload, relative to the first run", theme.soft, size=12)
    for place, name in enumerate(names):
        own = [one for one in moments if (one.extractor, one.threads) == name]
        _panel(made, own, 30 + _PANEL * place)
    days = sorted({own.when[:10] for own in moments})
    bottom = 40 + _PANEL * len(names) + 8
    made.text(_LEFT, bottom, days[0], theme.soft, size=11)
    if days[1:]:
        made.text(_WIDE - _RIGHT, bottom, days[-1], theme.soft, size=11, anchor="end")
    return made.rendered()


def _panel(made: Svg, own: Sequence[Moment], top: float) -> None:
    theme = made.theme
    factors = [one.ratio / own[0].ratio for one in own]
    reach = max(0.5, *(abs(math.log2(factor)) for factor in factors)) * 1.1
    y = Axis(-reach, reach, top + _PANEL - 14, top)
    x = Axis(0, max(1, len(own) - 1), _LEFT, _WIDE - _RIGHT - 10)
    high, low = y.at(math.log2(1.25)), y.at(-math.log2(1.25))
    made.box(_LEFT, high, _WIDE - _RIGHT - _LEFT, low - high, theme.grid, 0.5)
    made.line(_LEFT, y.at(0), _WIDE - _RIGHT, y.at(0), theme.grid)
    for factor in (0.5, 1.0, 2.0):
        if abs(math.log2(factor)) < reach:
            made.text(_LEFT - 8, y.at(math.log2(factor)) + 4, f"{factor:g}", theme.soft, size=11, anchor="end")
    points = [(x.at(place), y.at(math.log2(factor))) for place, factor in enumerate(factors)]
    for place in range(1, len(own)):
        before, now = own[place - 1], own[place]
        if (before.version, before.machine) != (now.version, now.machine):
            middle = (points[place - 1][0] + points[place][0]) / 2
            made.line(middle, top, middle, top + _PANEL - 14, theme.soft, 1, "3 4")
    if points[1:]:
        made.path(points, theme.mark, 1.5)
    for one, factor, (left, height) in zip(own, factors, points, strict=True):
        hint = f"{one.when[:16]}, {one.version}, {one.machine}: {one.ratio:.3g} ({factor:.2f} of the first)"
        made.dot(left, height, theme.mark, 3.5, hint)
    words = one.extractor if one.threads == 1 else f"{one.extractor}, {one.threads} threads"
    made.text(_WIDE - _RIGHT + 8, y.at(0), words, theme.ink, size=12, bold=True)
    made.text(_WIDE - _RIGHT + 8, y.at(0) + 15, f"now {own[-1].ratio:.3g}, {factors[-1]:.2f}x", theme.soft, size=11)
