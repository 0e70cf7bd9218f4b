"""A small source-filter voice (Fant, 1960): a glottal source with a spectral tilt, through four formant resonators.

It speaks syllables without meaning. A mood changes the properties that differ in real emotional speech: level and range
of pitch, tempo, energy, and the tilt of the source's spectrum (Scherer, 2003). All random numbers come from the given
generator, so the same seed gives the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    import numpy.typing as npt

    Signal = npt.NDArray[np.float64]

RATE = 16_000

# First four formants in Hz of five vowels, for a vocal tract of average length (Peterson & Barney, 1952, rounded).
VOWELS = {
    "a": (730, 1090, 2440, 3400),
    "e": (530, 1840, 2480, 3500),
    "i": (270, 2290, 3010, 3600),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3300),
}
_BANDWIDTHS = (70.0, 100.0, 140.0, 200.0)


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice.

    Attributes:
        pitch: habitual fundamental frequency, Hz.
        tract: formant scale; above 1 for a shorter vocal tract.
        breath: fraction of noise in the source.
    """

    pitch: float
    tract: float
    breath: float


@dataclass(frozen=True, slots=True)
class Mood:
    """How a mood changes the voice.

    Attributes:
        pitch: factor on the habitual pitch.
        span: standard deviation of the syllables' pitch, in semitones.
        tempo: syllables per second.
        energy: gain in dB.
        tilt: pole of the source's low-pass; values nearer to 1 sound duller.
        breath: factor on the speaker's breath.
    """

    pitch: float
    span: float
    tempo: float
    energy: float
    tilt: float
    breath: float


def speak(speaker: Speaker, mood: Mood, rng: np.random.RandomState) -> npt.NDArray[np.int16]:
    """Return one utterance of 2 to 3 s.

    Args:
        speaker: the voice.
        mood: the mood; each utterance deviates a little from it.
        rng: generator of all random numbers.

    Returns:
        int16 samples at 16 kHz, 1-D.
    """
    seconds = rng.uniform(2.0, 3.0)
    tempo = mood.tempo * np.exp(rng.normal(0.0, 0.10))
    level = speaker.pitch * mood.pitch * np.exp(rng.normal(0.0, 0.08))
    tilt = float(np.clip(mood.tilt + rng.normal(0.0, 0.02), 0.5, 0.98))
    count = max(3, round(seconds * tempo))
    bounds = np.cumsum(rng.uniform(0.7, 1.3, count + 1))
    bounds = (bounds / bounds[-1] * seconds * RATE).astype(int)
    signal = np.zeros(int(seconds * RATE))
    for position, (start, end) in enumerate(pairwise(bounds)):
        fall = 2.0 * (0.5 - position / count)  # declination, in semitones
        pitch = level * 2.0 ** ((fall + rng.normal(0.0, mood.span)) / 12.0)
        length = min(int((end - start) * rng.uniform(0.85, 1.05)), len(signal) - start)
        signal[start : start + length] += _syllable(speaker, mood, pitch, tilt, length, rng)
    loudness = mood.energy + rng.normal(0.0, 2.0)
    rms = np.sqrt(np.mean(signal**2))
    signal *= 0.05 * 10.0 ** (loudness / 20.0) / rms
    signal += rng.normal(0.0, 4e-4, len(signal))  # a quiet room
    quantised: npt.NDArray[np.int16] = np.round(np.clip(signal, -0.999, 0.999) * 32767.0).astype(np.int16)
    return quantised


def _syllable(
    speaker: Speaker, mood: Mood, pitch: float, tilt: float, length: int, rng: np.random.RandomState
) -> Signal:
    """Return a vowel with a soft or noisy onset."""
    vowel = VOWELS["aeiou"[rng.randint(5)]]
    glide = 2.0 ** (rng.normal(0.0, 0.3 * mood.span) / 12.0)
    source = _source(np.geomspace(pitch, pitch * glide, length), tilt, speaker.breath * mood.breath, rng)
    shaped = source
    for formant, bandwidth in zip(vowel, _BANDWIDTHS, strict=True):
        shaped = _resonate(shaped, formant * speaker.tract, bandwidth)
    shaped /= np.sqrt(np.mean(shaped**2)) + 1e-12
    if rng.uniform() < 0.5:  # a fricative onset
        burst = min(length // 4, int(0.06 * RATE))
        noise = _resonate(rng.normal(0.0, 1.0, burst), 5200.0 * min(speaker.tract, 1.25), 1500.0)
        shaped[:burst] = 0.35 * noise / (np.sqrt(np.mean(noise**2)) + 1e-12) + shaped[:burst] * np.linspace(0, 1, burst)
    fade = min(length // 3, int(0.03 * RATE))
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / max(1, fade))
    shaped[:fade] *= ramp
    shaped[length - fade :] *= ramp[::-1]
    scaled: Signal = shaped * 10.0 ** (rng.normal(0.0, 2.0) / 20.0)
    return scaled


def _source(pitch: Signal, tilt: float, breath: float, rng: np.random.RandomState) -> Signal:
    """Return pulses with jitter at the given pitch (Hz, one value per sample) and breath noise, low-pass filtered."""
    phase = np.cumsum(pitch * (1.0 + rng.normal(0.0, 0.004, len(pitch)))) / RATE
    pulses = np.diff(np.floor(phase), prepend=0.0)
    pulses -= pulses.mean()
    noise = rng.normal(0.0, breath, len(pitch))
    filtered: Signal = lfilter([1.0 - tilt], [1.0, -tilt], pulses + noise)
    return filtered


def _resonate(signal: Signal, frequency: float, bandwidth: float) -> Signal:
    """Filter with a two-pole resonator with unit gain at 0 Hz (Klatt, 1980, eq. 1); frequency and bandwidth in Hz."""
    frequency = min(frequency, 0.46 * RATE)
    c = -np.exp(-2.0 * np.pi * bandwidth / RATE)
    b = 2.0 * np.exp(-np.pi * bandwidth / RATE) * np.cos(2.0 * np.pi * frequency / RATE)
    resonated: Signal = lfilter([1.0 - b - c], [1.0, -b, -c], signal)
    return resonated
