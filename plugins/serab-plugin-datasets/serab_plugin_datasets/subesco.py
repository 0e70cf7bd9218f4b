"""SUBESCO (Sultana et al., 2021): Bangla, twenty actors, seven emotions. It is not one of the nine tasks."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from serab_core import DatasetSpec, hookimpl, index_by_name
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_core.hookspecs import Register

SERAB_API_VERSION = 1

LABELS = {
    "ANGRY": "anger",
    "DISGUST": "disgust",
    "FEAR": "fear",
    "HAPPY": "happiness",
    "NEUTRAL": "neutral",
    "SAD": "sadness",
    "SURPRISE": "surprise",
}

# Sex, number, actor, sentence, emotion, take: "F_01_OISHI_S_1_ANGRY_1.wav"; the authors' own mono copies end in _mono.
parse = by_pattern(
    r"(?P<stem>[FM]_\d\d_(?P<speaker>[A-Z]+)_S_\d{1,2}_(?P<label>[A-Z]+)_\d)(?:_mono)?",
    LABELS,
    identify=lambda m: m["stem"],
)


def example() -> dict[str, bytes]:
    """The corpus's files but for the actors' names: two sexes, ten actors each, ten sentences, five takes."""
    actors = [f"{sex}_{number:02d}_ACTOR{'ABCDEFGHIJ'[number - 1]}{sex}" for sex in "FM" for number in range(1, 11)]
    spoken = product(actors, range(1, 11), LABELS, range(1, 6))
    return {f"SUBESCO/{actor}_S_{text}_{label}_{take}.wav": b"" for actor, text, label, take in spoken}


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Registers `subesco`."""
    register(
        DatasetSpec(
            name="subesco",
            title="SUBESCO",
            language="bn",
            labels=tuple(LABELS.values()),
            index=index_by_name(parse),
            licence="CC BY 4.0",
            citation="""@article{sultana2021subesco,
  title   = {{SUST} {Bangla} Emotional Speech Corpus ({SUBESCO}): an audio-only emotional speech corpus for {Bangla}},
  author  = {Sultana, Sadia and Rahman, M. Shahidur and Selim, M. Reza and Iqbal, M. Zafar},
  journal = {PLoS ONE},
  volume  = {16},
  number  = {4},
  pages   = {e0250173},
  year    = {2021}
}""",
            how_to_get="download SUBESCO.zip (2 GB) from zenodo.org/record/4526477",
            expected_counts=dict.fromkeys(LABELS.values(), 1000),
            expected_speakers=20,
            example=example,
        )
    )
