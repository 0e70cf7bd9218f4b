"""`mfcc-stats`: mean and deviation over time of 20 MFCCs and their deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl
from serab_plugin_baselines.citations import MFCC

if TYPE_CHECKING:
    from serab_core.plugin import Extractor, Register

SERAB_API_VERSION = 1


def _factory() -> Extractor:
    from serab_plugin_baselines.statistics import MfccStatistics

    return MfccStatistics()


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register `mfcc-stats`."""
    register(
        ExtractorSpec(
            name="mfcc-stats",
            factory=_factory,
            dim=80,
            summary="mean and deviation over time of 20 MFCCs and their deltas",
            licence="Apache-2.0",
            citation=MFCC,
            parameters={"front_end": "mfcc"},
            batch_size=64,
        )
    )
