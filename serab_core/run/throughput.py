"""Throughput of extractors. It is stored separately from results, which must be the same for every run."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from serab_core.errors import StoreError
from serab_core.store import codec
from serab_core.store.jsonio import write_json
from serab_core.store.results import folder_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serab_core.run.evaluation import Evaluation
    from serab_core.run.folded import FoldedEvaluation
    from serab_core.run.plan import Plan
    from serab_core.score.board import Board
    from serab_core.store.home import Home

SCHEMA = "serab.pace/1"
MIN_AUDIO_S = 20.0  # minimum audio, in seconds, for a meaningful throughput figure


class ThroughputDocument(msgspec.Struct, frozen=True):
    """The throughput of an extractor as it is stored."""

    schema: Literal["serab.pace/1"]
    extractor: str
    audio_s: Annotated[float, msgspec.Meta(gt=0.0, le=1e12)]
    seconds: Annotated[float, msgspec.Meta(ge=1e-6, le=1e12)]


def write_throughputs(plan: Plan, evaluations: Sequence[Evaluation | FoldedEvaluation]) -> None:
    """Store the throughput of each extractor that embedded enough audio; a failure to write is ignored."""
    for entry in plan.extractors:
        measured = [e.throughput for e in evaluations if e.extractor.fingerprint == entry.fingerprint]
        audio, seconds = sum(m.audio for m in measured), sum(m.seconds for m in measured)
        if audio >= MIN_AUDIO_S and seconds > 0.0:
            value = {"schema": SCHEMA, "extractor": entry.spec.name, "audio_s": audio, "seconds": seconds}
            with contextlib.suppress(StoreError):
                write_json(_path(plan.home, entry.spec.name), value)


def read_throughputs(home: Home, board: Board) -> dict[str, float]:
    """Return the last measured throughput by extractor: seconds of audio that one worker embeds per second.

    Args:
        home: the home.
        board: a leaderboard, whose ranked extractors are read; the keys are the labels of their rows.
    """
    throughputs = {}
    for row in board.rows:
        if row.current:
            with contextlib.suppress(StoreError):
                document = codec.read(_path(home, row.version.name), ThroughputDocument)
                throughputs[row.extractor] = document.audio_s / document.seconds
    return throughputs


def _path(home: Home, extractor: str) -> Path:
    return home.speed / "embedding" / f"{folder_name(extractor)}.json"
