"""`metrics.csv`: a row a logged step, which a run that goes on continues."""

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
    """Appends to a CSV file, on the first process alone.

    Args:
        path: of the file. What is there stays, up to the step that the run goes on from.
        step: that step; what was logged after it, before a kill, comes again.
        probe: the task of the probe, or "".
    """

    def __init__(self, path: Path, step: int, probe: str) -> None:
        super().__init__()
        self._path, self._step, self._probe = path, step, probe
        self._columns: list[str] = []

    @property
    def name(self) -> str:
        """Of the kind of log."""
        return "table"

    @property
    def version(self) -> str:
        """There is one."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, *arguments: Any, **named: Any) -> None:
        """Nothing: they are in config.toml."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Adds a row."""
        if not self._columns:
            self._open()
        # Lightning counts a finished step from 0.
        number = (step or 0) if f"probe_{self._probe}" in metrics else (step or 0) + 1
        with self._path.open("a", newline="", encoding="utf-8") as file:
            row = {name: f"{value:.6g}" for name, value in metrics.items() if name in self._columns}
            csv.DictWriter(file, self._columns).writerow({**row, "step": number})

    def _open(self) -> None:
        """Writes the file anew with the rows that stay."""
        rows: list[dict[str, str]] = []
        if self._path.exists():
            text = self._path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]  # a kill may have cut the last row short
            rows = [row for row in csv.DictReader(whole.splitlines()) if _number(row) <= self._step]
        columns = [*COLUMNS, *([f"probe_{self._probe}"] if self._probe else [])]
        self._columns = [*columns, *(name for name in (rows[0] if rows else ()) if name and name not in columns)]
        with replacing(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def _number(row: Mapping[str, str | None]) -> float:
    text = row.get("step") or ""
    return int(text) if text.isdigit() else float("inf")
