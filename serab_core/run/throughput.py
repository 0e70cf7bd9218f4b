"""How fast extractors were while they embedded: noted down beside the results, for they must be the same every time."""

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

    from serab_core.run.evaluation import Pair
    from serab_core.run.plan import Plan
    from serab_core.store.home import Home

SCHEMA = "serab.pace/1"
LEAST_AUDIO_S = 20.0
"""Less says too little."""


class PaceDocument(msgspec.Struct, frozen=True):
    """How fast an extractor was, as it is written."""

    schema: Literal["serab.pace/1"]
    extractor: str
    audio_s: Annotated[float, msgspec.Meta(gt=0.0, le=1e12)]
    seconds: Annotated[float, msgspec.Meta(ge=1e-6, le=1e12)]


def note_paces(plan: Plan, pairs: Sequence[Pair]) -> None:
    """Writes down each extractor's pace, if it embedded enough; a home that is full does not matter here."""
    for entry in plan.extractors:
        own = [pair.pace for pair in pairs if pair.extractor.fingerprint == entry.fingerprint]
        audio, seconds = sum(pace.audio for pace in own), sum(pace.seconds for pace in own)
        if audio >= LEAST_AUDIO_S and seconds > 0.0:
            value = {"schema": SCHEMA, "extractor": entry.spec.name, "audio_s": audio, "seconds": seconds}
            with contextlib.suppress(StoreError):
                write_json(_path(plan.home, entry.spec.name), value)


def paces(home: Home, extractors: Sequence[str]) -> dict[str, float]:
    """Seconds of audio that a worker embedded in a second, the last time that it did, by extractor."""
    found = {}
    for name in extractors:
        with contextlib.suppress(StoreError):
            document = codec.read(_path(home, name), PaceDocument)
            found[name] = document.audio_s / document.seconds
    return found


def _path(home: Home, extractor: str) -> Path:
    return home.speed / "embedding" / f"{folder_name(extractor)}.json"
