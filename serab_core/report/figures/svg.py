"""Draws with lines, dots and words. Whatever comes from plugins or files is escaped."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for."""

    ink: str
    soft: str
    grid: str
    mark: str
    second: str
    paper: str


PAPER = Theme("#1b1f24", "#57606a", "#d8dee4", "#1f4e9c", "#b34700", "#ffffff")
"""For files."""
PAGE = Theme("var(--ink)", "var(--soft)", "var(--grid)", "var(--mark)", "var(--second)", "var(--paper)")
"""For the report: whatever the page's colours are, light or dark."""


@dataclass(slots=True)
class Svg:
    """A drawing.

    Args:
        width, height: in px.
        title: what it shows, for those who cannot see it.
        theme: colours.
    """

    width: float
    height: float
    title: str
    theme: Theme
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dash: str = "") -> None:
        """A line."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width:g}"{dashed}/>'
        )

    def dot(self, x: float, y: float, colour: str, radius: float = 4.5, hint: str = "", opacity: float = 1.0) -> None:
        """A dot, with words that show where the pointer rests."""
        faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        told = f"<title>{escape(hint)}</title>" if hint else ""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"{faint}>{told}</circle>')

    def box(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """A filled box."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" '
            f'fill-opacity="{opacity:g}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str,
        *,
        size: float = 13,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Words; `anchor` is start, middle or end."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}"{weight}>'
            f"{escape(words)}</text>"
        )

    def path(self, points: list[tuple[float, float]], colour: str, width: float = 2.0) -> None:
        """A line through points."""
        way = " ".join(f"{'M' if place == 0 else 'L'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
        self.parts.append(f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')

    def rendered(self) -> str:
        """The SVG element."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img" font-family="{escape(FONT)}">'
            f"<title>{escape(self.title)}</title>{''.join(self.parts)}</svg>"
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """Values along a stretch of px."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.begin + share * (self.end - self.begin)


def percent_axis(low: float, high: float, begin: float, end: float) -> tuple[Axis, list[float]]:
    """An axis of shares that begins and ends at round ones, and its marks."""
    step = 0.1 if high - low > 0.35 else 0.05 if high - low > 0.12 else 0.02
    first, last = int(max(0.0, low) / step), int(-(-min(1.0, high) // step))
    marks = [round(step * place, 4) for place in range(first, max(last, first + 1) + 1)]
    return Axis(marks[0], marks[-1], begin, end), marks
