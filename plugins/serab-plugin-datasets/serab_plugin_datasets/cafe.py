"""CaFE, the Canadian French Emotional speech dataset (Gournay et al., 2018): twelve actors, seven emotions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import DatasetSpec, ExpectedAudio, RemoteFile, SplitVariant, ZenodoSource, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_plugin_datasets._lists import Listed

LABELS = {
    "C": "anger",
    "D": "disgust",
    "J": "happiness",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}
SPEAKERS = tuple(f"{number:02d}" for number in range(1, 13))

# Actor, emotion, intensity, sentence: "01-C-1-1.wav". Neutral has one intensity.
parse = by_pattern(r"(?P<speaker>0[1-9]|1[0-2])-(?P<label>[CDJNPST])-[12]-[1-6]", LABELS)

FOLDERS = {"C": "Colère", "D": "Dégoût", "J": "Joie", "N": "Neutre", "P": "Peur", "S": "Surprise", "T": "Tristesse"}
STRENGTHS = {"1": "/Faible", "2": "/Fort"}
_RAW = "the recordings at 192 kHz; the task uses those of CaFE_48k"
SIBLINGS = dict.fromkeys(("CaFE_192k", "CaFE_192k_1", "CaFE_192k_2"), _RAW)


def _layout(row: Listed) -> str:
    """Return a file's path in the download: a folder for each emotion, with subfolders for the two intensities."""
    emotion, strength = row.utterance[3], row.utterance[5]
    return f"{FOLDERS[emotion]}{'' if emotion == 'N' else STRENGTHS[strength]}/{row.utterance}"


SPEC = DatasetSpec(
    name="cafe",
    title="CaFE",
    language="fr-CA",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence="for academic use, on terms of its own",
    citation="""@inproceedings{gournay2018cafe,
  title     = {A Canadian French emotional speech dataset},
  author    = {Gournay, Philippe and Lahaie, Olivier and Lefebvre, Roch},
  booktitle = {Proceedings of the 9th ACM Multimedia Systems Conference},
  pages     = {399--402},
  year      = {2018}
}""",
    how_to_get="download CaFE_48k.zip from zenodo.org/record/1478765",
    sources=(ZenodoSource("1478765", (RemoteFile("CaFE_48k.zip"),)),),
    expected_counts={label: 72 if label == "neutral" else 144 for label in LABELS.values()},
    expected_speakers=12,
    expected_ids=ids_of("cafe"),
    example=example_of("cafe", _layout),
    expected_audio=ExpectedAudio(hours=1.1549, rates=(48000,), shortest_s=2.557, longest_s=7.745),
    siblings=SIBLINGS,
    sentence=lambda utterance: utterance[-1],
    variants=(
        SplitVariant(groups=SPEAKERS),
        SplitVariant(
            name="without_neutral",
            groups=SPEAKERS,
            excluded_labels=("neutral",),
            note="864 utterances without neutral, which the authors' code missed until January 2022",
        ),
    ),
    logmel=(-7.9731621742248535, 5.112339973449707),
)
