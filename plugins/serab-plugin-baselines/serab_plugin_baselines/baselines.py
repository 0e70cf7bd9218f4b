"""Registers the baselines. All entry points of this distribution name this module.

The extractors are `chance` and `chance/stratified`, constant embeddings that are scored with classifiers that guess;
`logmel-stats`; and `mfcc-stats`. The classifiers are `majority` and `stratified`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import ExtractorSpec, hookimpl
from serab_plugin_baselines.guesses import spec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import ClassifierSpec, Embeddings, Extractor, Register, Waveform

SERAB_API_VERSION = 1
SERAB = """@inproceedings{scheidwasser2022serab,
  title     = {{SERAB}: A Multi-Lingual Benchmark for Speech Emotion Recognition},
  author    = {Scheidwasser-Clow, Neil and Kegler, Mikolaj and Beckmann, Pierre and Cernak, Milos},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  pages     = {7697--7701},
  year      = {2022}
}"""
"""The paper of the benchmark, for baselines without a paper of their own."""
MFCC = """@article{davis1980comparison,
  title   = {Comparison of parametric representations for monosyllabic word recognition in continuously spoken
             sentences},
  author  = {Davis, Steven and Mermelstein, Paul},
  journal = {IEEE Transactions on Acoustics, Speech, and Signal Processing},
  volume  = {28},
  number  = {4},
  pages   = {357--366},
  year    = {1980}
}"""


class ConstantExtractor:
    """Extractor that returns the same number for every waveform."""

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return zeros, float32, shape (len(waveforms), 1)."""
        return np.zeros((len(waveforms), 1), np.float32)


def _logmel_statistics() -> Extractor:
    from serab_plugin_baselines.statistics import LogMelStatistics

    return LogMelStatistics()


def _mfcc_statistics() -> Extractor:
    from serab_plugin_baselines.statistics import MfccStatistics

    return MfccStatistics()


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register both ways of guessing, and both kinds of statistics. The name `chance` means the majority class."""
    for name, classifier, description in (
        ("chance", "majority", "always the most frequent class of training"),
        ("chance/stratified", "stratified", "draws classes as often as in training"),
    ):
        register(
            ExtractorSpec(
                name=name,
                factory=ConstantExtractor,
                dim=1,
                summary=f"no embedding: {description}",
                licence="Apache-2.0",
                citation=SERAB,
                parameters={"guess": classifier},
                batch_size=256,
                classifiers=(classifier,),
            )
        )
    register(
        ExtractorSpec(
            name="logmel-stats",
            factory=_logmel_statistics,
            dim=128,
            summary="mean and deviation over time of 64 log-mels",
            licence="Apache-2.0",
            citation=SERAB,
            parameters={"front_end": "serab"},
            batch_size=64,
        )
    )
    register(
        ExtractorSpec(
            name="mfcc-stats",
            factory=_mfcc_statistics,
            dim=80,
            summary="mean and deviation over time of 20 MFCCs and their deltas",
            licence="Apache-2.0",
            citation=MFCC,
            parameters={"front_end": "mfcc"},
            batch_size=64,
        )
    )


@hookimpl
def serab_register_classifiers(register: Register[ClassifierSpec]) -> None:
    """Register both ways of guessing."""
    register(spec_of("majority", "most_frequent", "always the most frequent class of training"))
    register(spec_of("stratified", "stratified", "draws classes as often as they are in training"))
