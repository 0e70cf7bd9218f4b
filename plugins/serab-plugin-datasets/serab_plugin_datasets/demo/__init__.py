"""`demo`: a small synthetic corpus for first experiments. Its scores say nothing about real speech."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serab_core.plugin import DatasetSpec, Entry, SourceFile, index_by_name

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ("anger", "happiness", "neutral", "sadness")
SPEAKERS = tuple(f"s{number:02d}" for number in range(1, 11))
TAKES = 4
_NAME = re.compile(rf"(?P<speaker>s\d\d)_(?P<label>{'|'.join(LABELS)})_(?P<take>\d)")


def parse(file: SourceFile) -> Entry | None:
    """Read speaker and emotion from a file name such as `s01_anger_1.wav`."""
    match = _NAME.fullmatch(file.name.stem)
    return Entry(id=file.name.stem, file=file, label=match["label"], speaker=match["speaker"]) if match else None


def expected_ids() -> frozenset[str]:
    """Return the ids of the 160 utterances: 10 speakers, 4 emotions, 4 takes."""
    return frozenset(f"{s}_{label}_{take}" for s in SPEAKERS for label in LABELS for take in range(1, TAKES + 1))


def generate(folder: Path) -> None:
    """Write the corpus into a folder as 16-bit WAV at 16 kHz. The bytes are always the same."""
    from serab_plugin_datasets.demo.corpus import write_corpus

    write_corpus(folder, sorted(expected_ids()))


SPEC = DatasetSpec(
    name="demo",
    title="Demo (synthetic)",
    language="zxx",
    labels=LABELS,
    index=index_by_name(parse),
    licence="Apache-2.0",
    citation="",
    how_to_get="serab generates it",
    expected_counts=dict.fromkeys(LABELS, len(SPEAKERS) * TAKES),
    expected_speakers=len(SPEAKERS),
    expected_ids=expected_ids,
    synthetic=True,
    generate=generate,
)
