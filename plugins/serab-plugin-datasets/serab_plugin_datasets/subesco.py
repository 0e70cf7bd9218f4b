"""SUBESCO (Sultana et al., 2021): Bangla, twenty actors, seven emotions. It is not one of the nine tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import DatasetSpec, ExpectedAudio, RemoteFile, SplitVariant, ZenodoSource, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of, seconds_of
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_plugin_datasets._lists import Listed

LABELS = {
    "ANGRY": "anger",
    "DISGUST": "disgust",
    "FEAR": "fear",
    "HAPPY": "happiness",
    "NEUTRAL": "neutral",
    "SAD": "sadness",
    "SURPRISE": "surprise",
}

SPEAKERS = {
    "OISHI": "f", "MONIKA": "f", "SMITA": "f", "SWARNALI": "f", "MOUNI": "f",
    "SIMI": "f", "TITHI": "f", "JOYEETA": "f", "CHAITY": "f", "FAHMEE": "f",
    "BASHIR": "m", "NIPUN": "m", "ILIAS": "m", "BIBHAS": "m", "DURANTO": "m",
    "SHUKANTO": "m", "SIBLY": "m", "PRASUN": "m", "SHUMANTA": "m", "EVAN": "m",
}  # fmt: skip
STRAY_BRACKET = "F_02_MONIKA_S_2_SURPRISE_3"
"""The utterance whose file name in the authors' zip has a stray bracket: `F_02_MONIKA_S_2_SURPRISE_3].wav`."""

# Sex, number, actor, sentence, emotion, take: "F_01_OISHI_S_1_ANGRY_1.wav"; the authors' own mono copies end in _mono.
parse = by_pattern(
    r"(?P<stem>[FM]_\d\d_(?P<speaker>[A-Z]+)_S_\d{1,2}_(?P<label>[A-Z]+)_\d)\]?(?:_mono\]?)?",
    LABELS,
    identify=lambda m: m["stem"],
)


def _layout(row: Listed) -> str:
    """Return a file's path in the authors' zip, with the stray bracket in one name."""
    return f"SUBESCO/{row.utterance}{']' if row.utterance == STRAY_BRACKET else ''}"


SPEC = DatasetSpec(
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
    sources=(
        ZenodoSource(
            "4526477",
            (
                RemoteFile(
                    "SUBESCO.zip",
                    1_664_512_929,
                    sha256="7505111bc864193d1906c05f83ca50d950250c65b62ae9b1740dee44f5cdb113",
                    md5="13d702cf944bf54d70d66bffc036ed7a",
                ),
            ),
        ),
    ),
    expected_counts=dict.fromkeys(LABELS.values(), 1000),
    expected_speakers=20,
    expected_ids=ids_of("subesco"),
    example=example_of("subesco", _layout),
    expected_audio=ExpectedAudio(hours=7.8321, rates=(44100, 48000), shortest_s=2.752, longest_s=6.026),
    expected_seconds=seconds_of("subesco"),
    sentence=lambda utterance: utterance.split("_")[4],
    variants=(SplitVariant(groups=tuple(SPEAKERS)),),
    speaker_sex=SPEAKERS,
)
