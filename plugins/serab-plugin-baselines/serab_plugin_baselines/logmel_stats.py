"""`logmel-stats`: mean and deviation over time of 64 log-mels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl
from serab_plugin_baselines.citations import SERAB

if TYPE_CHECKING:
    from serab_core.plugin import Extractor, Register

SERAB_API_VERSION = 1


def _factory() -> Extractor:
    from serab_plugin_baselines.statistics import LogMelStatistics

    return LogMelStatistics()


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register `logmel-stats`."""
    register(
        ExtractorSpec(
            name="logmel-stats",
            factory=_factory,
            dim=128,
            summary="mean and deviation over time of 64 log-mels",
            licence="Apache-2.0",
            citation=SERAB,
            parameters={"front_end": "serab"},
            batch_size=64,
        )
    )
