"""Rounds of one extractor, for another timer such as pytest-benchmark."""

from __future__ import annotations

from serab_core import plugins
from serab_core.bench.clips import TYPICAL_S, clip
from serab_core.bench.measure import Figure
from serab_core.bench.reference import Reference
from serab_core.bench.sampling import REFERENCE_SHARE, Lap, Samples, lap
from serab_core.errors import UsageError
from serab_core.types import CorpusExtractor, WarmExtractor


class Rounds:
    """Rounds that embed the same clips, with the reference workload before each round.

    Args:
        extractor: name of the extractor.
        seconds: length of a clip.
        clips: number of clips in a round; 0 for the batch size of the extractor.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working extractor.
        UsageError: the length or the number is invalid.
    """

    def __init__(self, extractor: str, seconds: float = TYPICAL_S, clips: int = 1) -> None:
        if not 0 < seconds <= 3600 or clips < 0:
            raise UsageError(
                "clips must be above 0 and at most 3600 seconds long, and their number at least 0",
                where=extractor,
                next_step="change seconds or clips",
            )
        spec = plugins.extractor(extractor)
        self._extractor = spec.factory()
        self._seconds, self._clips = seconds, clips or spec.batch_size
        self._waveforms = [clip(seconds, spec.sample_rate)] * self._clips
        if isinstance(self._extractor, WarmExtractor):
            self._extractor.warm()
        if isinstance(self._extractor, CorpusExtractor) and spec.uses_corpus:
            self._extractor.use_corpus(self._extractor.fit_corpus(self._waveforms[:1]))
        self._reference = Reference()
        once = lap(self._embed, 2).clock
        self._references = max(1, round(REFERENCE_SHARE * once / lap(self._reference.run).clock))
        self._laps: list[Lap] = []
        self._reference_laps: list[Lap] = []

    def setup(self) -> None:
        """Run the reference workload, before a round."""
        self._reference_laps.append(lap(self._reference.run, self._references))

    def call(self) -> None:
        """Run a round."""
        self._laps.append(lap(self._embed))

    @property
    def figure(self) -> Figure:
        """The figure of the rounds so far; rounds without a reference workload before them are left out."""
        count = min(len(self._laps), len(self._reference_laps))
        samples = Samples(tuple(self._laps[-count:]), tuple(self._reference_laps[-count:]))
        return Figure(self._seconds, self._clips, samples)

    def _embed(self) -> None:
        self._extractor.embed(self._waveforms)
