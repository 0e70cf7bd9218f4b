"""`metrics.csv`: one row for each logged step. A resumed run appends to it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from serab_core.plugin import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = ("step", "loss", "deviation", "effective_rank", "steps_per_s", "waiting_share")


class Table(Logger):
    """Logger that appends to a CSV file, on the first process only.

    Args:
        path: path of the file. Its rows stay, up to `step`.
        step: step that the run resumes from. Rows of later steps are deleted, as the run logs them again.
        probe: the task of the probe, or "".
    """

    def __init__(self, path: Path, step: int, probe: str) -> None:
        super().__init__()
        self._path, self._step, self._probe = path, step, probe
        self._columns: list[str] = []

    @property
    def name(self) -> str:
        """Name of the kind of log."""
        return "table"

    @property
    def version(self) -> str:
        """The version, which is always empty."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, *arguments: Any, **named: Any) -> None:
        """Do nothing: config.toml holds the hyper-parameters."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row."""
        if not self._columns:
            self._open()
        # Lightning counts a finished step from 0.
        number = (step or 0) if f"probe_{self._probe}" in metrics else (step or 0) + 1
        with self._path.open("a", newline="", encoding="utf-8") as file:
            row = {name: f"{value:.6g}" for name, value in metrics.items() if name in self._columns}
            csv.DictWriter(file, self._columns).writerow({**row, "step": number})

    def _open(self) -> None:
        """Rewrite the file with the rows that stay."""
        rows: list[dict[str, str]] = []
        if self._path.exists():
            text = self._path.read_text(encoding="utf-8")
            complete = text[: text.rfind("\n") + 1]  # a killed run may have left half a row
            rows = [row for row in csv.DictReader(complete.splitlines()) if _number(row) <= self._step]
        columns = [*COLUMNS, *([f"probe_{self._probe}"] if self._probe else [])]
        self._columns = [*columns, *(name for name in (rows[0] if rows else ()) if name and name not in columns)]
        with replacing(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def _number(row: Mapping[str, str | None]) -> float:
    text = row.get("step") or ""
    return int(text) if text.isdigit() else float("inf")
