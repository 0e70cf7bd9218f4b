"""Audio files of every container, and programs that write them to a pipe, for the tests of decoding."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

RATE = 16_000


def speech(samples: int = 24_000, rate: int = RATE) -> np.ndarray:
    """Quiet, then loud: an mp3's first frame says little of the others."""
    time = np.arange(samples) / rate
    noise = np.random.default_rng(samples).standard_normal(samples)
    loud = time > time[-1] / 2
    return (0.3 * np.sin(2 * np.pi * 280 * time) * loud + (0.002 + 0.05 * loud) * noise).astype(np.float32)


def written(samples: np.ndarray, kind: str = "WAV", subtype: str = "PCM_16", rate: int = RATE, **options) -> bytes:
    """The file that soundfile writes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype, **options)
    return buffer.getvalue()


def run(command: str, data: bytes) -> bytes:
    """What a program writes to a pipe that reads `data` from one; skips the test where it is not installed."""
    arguments = command.split()
    if shutil.which(arguments[0]) is None:
        pytest.skip(f"{arguments[0]} is not installed")
    if arguments[0] == "ffmpeg":
        arguments[1:1] = ["-v", "error"]
    process = subprocess.run(arguments, input=data, capture_output=True, check=False)
    assert process.stdout, process.stderr.decode()[-500:]
    return process.stdout


def ffmpeg_samples(path, rate: int, channels: int) -> np.ndarray:
    """What ffmpeg decodes of a file, averaged over its channels."""
    raw = run(f"ffmpeg -i {path} -f f32le -ar {rate} -", b"")
    return np.frombuffer(raw[: len(raw) // (4 * channels) * 4 * channels], "<f4").reshape(-1, channels).mean(axis=1)
