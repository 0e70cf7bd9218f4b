"""A corpus of tones: label by pitch; files are made by `write` and prepared from wherever they lie."""

import re
import zlib

import numpy as np
import soundfile

from serab_core import DatasetSpec, Entry, SplitVariant, hookimpl, index_by_name

SPEAKERS = ("a", "b", "c", "d", "e", "f")
PITCH = {"low": 200.0, "mid": 500.0, "high": 1200.0}
TAKES = 3
NAME = re.compile(r"([a-f])_(low|mid|high)_(\d)")


def ids():
    return frozenset(f"{s}_{label}_{take}" for s in SPEAKERS for label in PITCH for take in range(TAKES))


def tone(identifier, rate=8000):
    rng = np.random.RandomState(zlib.crc32(identifier.encode()))
    speaker, label, _ = identifier.split("_")
    pitch = PITCH[label] * (1 + 0.02 * SPEAKERS.index(speaker)) * np.exp(rng.normal(0, 0.05))
    time = np.arange(int(rate * rng.uniform(0.2, 0.3))) / rate
    wave = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.02 * rng.standard_normal(len(time))
    return np.round(32767 * np.clip(wave, -1, 1)).astype(np.int16)


def write(folder, names=None, suffix=".wav", subfolder="wav", rate=8000):
    (folder / subfolder).mkdir(parents=True, exist_ok=True)
    for name in sorted(names or ids()):
        soundfile.write(folder / subfolder / f"{name}{suffix}", tone(name, rate), rate, subtype="PCM_16")


def parse(file):
    match = NAME.fullmatch(file.name.stem)
    if match is None:
        return None
    return Entry(
        id=file.name.stem,
        file=file,
        label=match[2],
        speaker=match[1],
        groups={"take": match[3]},
        targets={"pitch": PITCH[match[2]]},
    )


SPEC = DatasetSpec(
    name="tones",
    title="Tones",
    language="zxx",
    labels=tuple(PITCH),
    index=index_by_name(parse, known_bad={"f_high_9": "known to be damaged"}),
    licence="none",
    citation="@misc{tones}",
    how_to_get="the tests write it",
    expected_counts=dict.fromkeys(PITCH, len(SPEAKERS) * TAKES),
    expected_speakers=len(SPEAKERS),
    expected_ids=ids,
    example=lambda: {f"wav/{name}.wav": b"" for name in ids()},
    variants=(
        SplitVariant(groups=SPEAKERS),
        SplitVariant(
            name="as_released",
            group="take",
            shares_speakers=True,
            excluded_labels=("mid",),
            note="cut by takes, not speakers",
        ),
    ),
    released_variant="as_released",
    continuous={"tune": ("pitch",)},
)


@hookimpl
def serab_register_datasets(register):
    register(SPEC)
