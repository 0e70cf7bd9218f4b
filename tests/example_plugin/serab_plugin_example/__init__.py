"""Mean and deviation over time of the level in sixteen bands, in dB."""

import numpy as np

from serab_core.plugin import ExtractorSpec, hookimpl

BANDS, FRAME = 16, 512


class BandLevels:
    """Levels of 32 ms frames, in bands of equal width."""

    def embed(self, waveforms):
        return np.stack([self._one(waveform) for waveform in waveforms])

    def _one(self, waveform):
        padded = np.pad(waveform, (0, -len(waveform) % FRAME))
        power = np.abs(np.fft.rfft(padded.reshape(-1, FRAME) * np.hanning(FRAME))) ** 2
        levels = 10 * np.log10(power[:, :-1].reshape(len(power), BANDS, -1).mean(axis=2) + 1e-9)
        return np.concatenate([levels.mean(axis=0), levels.std(axis=0)]).astype(np.float32)


@hookimpl
def serab_register_extractors(register):
    register(
        ExtractorSpec(
            name="example",
            factory=BandLevels,
            dim=2 * BANDS,
            summary="mean and deviation of sixteen band levels",
            licence="Apache-2.0",
            citation="@misc{example, title = {Band levels}}",
            parameters={"bands": BANDS, "frame": FRAME},
        )
    )
