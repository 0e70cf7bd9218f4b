"""The speakers and moods of `demo`, and the function that writes its files."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from serab_plugin_datasets.demo.voice import RATE, Mood, Speaker, speak

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

CAST = {
    "s01": Speaker(pitch=104.0, tract=0.92, breath=0.05),
    "s02": Speaker(pitch=208.0, tract=1.14, breath=0.09),
    "s03": Speaker(pitch=122.0, tract=0.97, breath=0.03),
    "s04": Speaker(pitch=190.0, tract=1.10, breath=0.06),
    "s05": Speaker(pitch=94.0, tract=0.88, breath=0.04),
    "s06": Speaker(pitch=224.0, tract=1.18, breath=0.05),
    "s07": Speaker(pitch=138.0, tract=1.00, breath=0.08),
    "s08": Speaker(pitch=176.0, tract=1.07, breath=0.04),
    "s09": Speaker(pitch=114.0, tract=0.95, breath=0.06),
    "s10": Speaker(pitch=236.0, tract=1.21, breath=0.07),
}
MOODS = {
    "anger": Mood(pitch=1.25, span=3.2, tempo=5.0, energy=5.0, tilt=0.72, breath=0.7),
    "happiness": Mood(pitch=1.30, span=3.8, tempo=4.6, energy=2.5, tilt=0.80, breath=1.0),
    "neutral": Mood(pitch=1.00, span=1.8, tempo=4.2, energy=0.0, tilt=0.86, breath=1.0),
    "sadness": Mood(pitch=0.93, span=1.2, tempo=3.3, energy=-4.0, tilt=0.92, breath=1.8),
}


def utterance(identifier: str) -> npt.NDArray[np.int16]:
    """Return the samples of an utterance such as `s01_anger_1`: int16 at 16 kHz, 1-D."""
    speaker, mood, _ = identifier.split("_")
    return speak(CAST[speaker], MOODS[mood], np.random.RandomState(zlib.crc32(identifier.encode())))


def write_corpus(folder: Path, identifiers: Iterable[str]) -> None:
    """Write a WAV file for each utterance. Raises OSError when a file cannot be written."""
    for identifier in identifiers:
        encoded = io.BytesIO()  # libsndfile reports a full disk without a reason
        soundfile.write(encoded, utterance(identifier), RATE, format="WAV", subtype="PCM_16")
        (folder / f"{identifier}.wav").write_bytes(encoded.getvalue())
