"""Rounds of one extractor for whoever else times them, such as pytest-benchmark."""

from __future__ import annotations

from serab_core import plugins
from serab_core.bench.clips import TYPICAL_S, clip
from serab_core.bench.measure import Figure
from serab_core.bench.reference import Reference
from serab_core.bench.sampling import REFERENCE_SHARE, Lap, Samples, lap
from serab_core.errors import UsageError
from serab_core.types import CorpusExtractor, WarmExtractor


class Rounds:
    """Embeds the same clips in every round, and does the reference workload in between.

    Args:
        extractor: its name.
        seconds: of a clip.
        clips: at a time; 0 for as many as it likes.

    Raises:
        UnknownNameError, PluginError: it is none.
        UsageError: the length or the number is none.
    """

    def __init__(self, extractor: str, seconds: float = TYPICAL_S, clips: int = 1) -> None:
        if not 0 < seconds <= 3600 or clips < 0:
            raise UsageError("clips last seconds above 0, and there is a whole number of them", where=extractor)
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
        self._taken: list[Lap] = []
        self._beside: list[Lap] = []

    def setup(self) -> None:
        """Before a round: the reference workload."""
        self._beside.append(lap(self._reference.run, self._references))

    def call(self) -> None:
        """A round."""
        self._taken.append(lap(self._embed))

    @property
    def figure(self) -> Figure:
        """What the rounds so far came to; those without a reference before them are left out."""
        count = min(len(self._taken), len(self._beside))
        samples = Samples(tuple(self._taken[-count:]), tuple(self._beside[-count:]))
        return Figure(self._seconds, self._clips, samples)

    def _embed(self) -> None:
        self._extractor.embed(self._waveforms)
