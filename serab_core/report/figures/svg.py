"""SVG drawings of lines, dots, boxes and text. Text is escaped, because it may come from plugins or files."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by their use."""

    ink: str
    soft: str
    grid: str
    mark: str
    second: str
    paper: str


PAPER = Theme("#1b1f24", "#57606a", "#d8dee4", "#1f4e9c", "#b34700", "#ffffff")
"""The theme of figure files."""
PAGE = Theme("var(--ink)", "var(--soft)", "var(--grid)", "var(--mark)", "var(--second)", "var(--paper)")
"""The theme of the report, which uses the colours of the page, light or dark."""


@dataclass(slots=True)
class Svg:
    """A drawing.

    Args:
        width, height: size in px.
        title: a description for readers who cannot see the drawing.
        theme: the colours.
    """

    width: float
    height: float
    title: str
    theme: Theme
    elements: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Add a line."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.elements.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width:g}"{dashed}/>'
        )

    def dot(self, x: float, y: float, colour: str, radius: float = 4.5, hint: str = "", opacity: float = 1.0) -> None:
        """Add a dot, with a hint that appears under the pointer."""
        faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        tooltip = f"<title>{escape(hint)}</title>" if hint else ""
        self.elements.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"{faint}>{tooltip}</circle>'
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """Add a filled box."""
        self.elements.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" '
            f'fill-opacity="{opacity:g}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        content: str,
        colour: str,
        *,
        size: float = 13,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Add text; `anchor` is start, middle or end."""
        weight = ' font-weight="600"' if bold else ""
        self.elements.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}"{weight}>'
            f"{escape(content)}</text>"
        )

    def path(self, points: list[tuple[float, float]], colour: str, width: float = 2.0) -> None:
        """Add a line through points."""
        commands = " ".join(f"{'M' if place == 0 else 'L'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
        self.elements.append(f'<path d="{commands}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')

    def rendered(self) -> str:
        """Return the SVG element."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" role="img" font-family="{escape(FONT)}">'
            f"<title>{escape(self.title)}</title>{''.join(self.elements)}</svg>"
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis: the values `low` to `high` lie at `begin` to `end`, in px."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the position of a value in px."""
        fraction = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.begin + fraction * (self.end - self.begin)


def score_axis(
    low: float, high: float, begin: float, end: float, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[Axis, list[float]]:
    """Return an axis of scores that begins and ends at round values within bounds, and the positions of its marks."""
    step = 0.1 if high - low > 0.35 else 0.05 if high - low > 0.12 else 0.02
    first, last = int(max(bounds[0], low) // step), int(-(-min(bounds[1], high) // step))
    marks = [round(step * place, 4) for place in range(first, max(last, first + 1) + 1)]
    return Axis(marks[0], marks[-1], begin, end), marks
