"""Example clips for the checks of extractors, the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.testing.checks import ConformanceError
from serab_core.types import CorpusExtractor

if TYPE_CHECKING:
    from serab_core.types import Extractor, ExtractorSpec, Waveform


def build_extractor(spec: ExtractorSpec) -> Extractor:
    """Build an extractor that is ready to embed; its corpus statistics are those of the example clips."""
    fresh = spec.factory()
    if spec.uses_corpus:
        if not isinstance(fresh, CorpusExtractor):
            raise ConformanceError("uses_corpus is declared, but fit_corpus or use_corpus is missing")
        fresh.use_corpus(fresh.fit_corpus(example_clips(spec.sample_rate)))
    return fresh


def example_clips(rate: int) -> list[Waveform]:
    """Return three clips of noise, of different lengths, the same every time."""
    rng = np.random.RandomState(0)
    return [
        (0.1 * rng.standard_normal(int(seconds * rate)) * np.hanning(int(seconds * rate))).astype(np.float32)
        for seconds in (1.0, 0.4, 2.3)
    ]


def voiced_clips(rate: int) -> list[Waveform]:
    """Return four harmonic sounds of one second that differ as voices do: in pitch, spectral slope and tremor."""
    time = np.arange(rate) / rate
    clips = []
    for pitch, fall, tremor in ((110.0, 1.0, 2.0), (180.0, 1.6, 5.0), (260.0, 0.7, 3.0), (140.0, 2.2, 7.0)):
        phase = 2 * np.pi * (pitch * time - 0.05 * pitch / tremor * np.cos(2 * np.pi * tremor * time))
        harmonics = range(1, int(0.45 * rate / pitch))
        hum = sum((np.sin(n * phase) / n**fall for n in harmonics), np.zeros(rate))
        clips.append((0.1 * hum / np.std(hum) * np.hanning(rate)).astype(np.float32))
    return clips


def odd_clips(rate: int) -> dict[str, Waveform]:
    """Return unusual clips that occur in real corpora, by description."""
    time = np.arange(rate) / rate
    return {
        "a single sample": np.full(1, 0.1, np.float32),
        "10 ms": (0.1 * np.sin(2 * np.pi * 200 * time[: rate // 100])).astype(np.float32),
        "silence": np.zeros(rate, np.float32),
        "a constant": np.full(rate, 0.5, np.float32),
        "clipping": np.sign(np.sin(2 * np.pi * 150 * time)).astype(np.float32),
    }


def long_clip(rate: int, seconds: int = 600) -> Waveform:
    """Return ten minutes of noise whose level rises and falls once per second."""
    rng = np.random.RandomState(1)
    second = np.hanning(rate).astype(np.float32) * 0.1
    clip = np.empty(rate * seconds, np.float32)
    for begin in range(0, len(clip), rate):
        clip[begin : begin + rate] = second * rng.standard_normal(rate).astype(np.float32)
    return clip
