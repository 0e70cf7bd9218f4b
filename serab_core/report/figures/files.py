"""Figure files: SVG, and PNG at three times the size."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from serab_core.errors import UsageError, store_error
from serab_core.report.figures.plots import (
    confusion_plot,
    forest,
    optimism_plot,
    size_plot,
    speaker_plot,
    speed_plot,
    subset_plot,
)
from serab_core.report.figures.svg import PAPER
from serab_core.score.board import subset_scores
from serab_core.score.subsets import subset_bias
from serab_core.store.atomic import write_output
from serab_core.system.terminal import escape_controls, file_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from serab_core.score.board import Board

_ZOOM = 3  # PNG pixels per SVG pixel, enough for print
PNG_HINT = "pip install serab-core[figures]"


def write_figures(board: Board, speeds: Mapping[str, float], folder: Path) -> list[Path]:
    """Write every figure of a leaderboard as SVG, and also as PNG if resvg-py is installed.

    Returns:
        the paths of the files.

    Raises:
        StoreError: the folder cannot be written.
    """
    to_png = _png_maker() if can_write_png() else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(error, folder) from error
    written = []
    for name, drawing in _drawings(board, speeds):
        written.append(folder / f"{name}.svg")
        write_output(written[-1], file_content(drawing))
        if to_png is not None:
            written.append(folder / f"{name}.png")
            write_output(written[-1], to_png(escape_controls(drawing)))
    return written


def can_write_png() -> bool:
    """Return whether resvg-py, which converts SVG to PNG, is installed."""
    return find_spec("resvg_py") is not None


def write_drawing(drawing: str, path: Path) -> None:
    """Write a drawing, as PNG if the file name ends in .png, else as SVG.

    Raises:
        UsageError: resvg-py, which converts SVG to PNG, is not installed.
        StoreError: the file cannot be written.
    """
    write_output(
        path, _png_maker()(escape_controls(drawing)) if path.suffix.lower() == ".png" else file_content(drawing)
    )


def _png_maker() -> Callable[[str], bytes]:
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise UsageError("PNG files need resvg-py, which is not installed", next_step=PNG_HINT) from error
    return lambda drawing: bytes(svg_to_bytes(svg_string=drawing, zoom=_ZOOM, background="white"))


def _drawings(board: Board, speeds: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    yield "means", forest(board, PAPER)
    yield "size", size_plot(board, PAPER)
    if speeds:
        yield "speed", speed_plot(board, speeds, PAPER)
    scores = subset_scores(board)
    if len(scores) > 1 and 1 < len(board.ranked) <= 12:
        yield "subsets", subset_plot(subset_bias(scores, board.ranked), PAPER)
    for task in board.tasks:
        if any(task in row.cells for row in board.rows):
            yield f"optimism-{_safe(task)}", optimism_plot(board, task, PAPER)
            yield f"speakers-{_safe(task)}", speaker_plot(board, task, PAPER)
    for row in board.rows:
        for task, cell in row.cells.items():
            yield f"confusion-{_safe(row.extractor)}-{_safe(task)}", confusion_plot(cell, PAPER)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "--", name).strip(".-") or "unnamed"
