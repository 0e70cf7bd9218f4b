"""EmoDB, the Berlin database of emotional speech (Burkhardt et al., 2005)."""

from __future__ import annotations

from serab_core.plugin import DatasetSpec, ExpectedAudio, RemoteFile, SplitVariant, ZenodoSource, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

# In the order of the corpus's letters (Angst, Ekel, Freude, Langeweile, neutral, Trauer, Wut). The order of classes
# decides ties in a classifier's vote: one validation utterance of a random forest on ComParE_2016 depends on it.
LABELS = {
    "A": "fear",
    "E": "disgust",
    "F": "happiness",
    "L": "boredom",
    "N": "neutral",
    "T": "sadness",
    "W": "anger",
}
SEX = {
    "03": "m", "08": "f", "09": "f", "10": "m", "11": "m",
    "12": "m", "13": "f", "14": "f", "15": "m", "16": "f",
}  # fmt: skip
# Speaker, text, emotion, version: "03a01Fa.wav". The list has the 535 utterances of the first release. Later releases
# add utterances on which listeners disagreed.
parse = by_pattern(r"(?P<speaker>0[389]|1[0-6])[ab]\d\d(?P<label>[A-Z])[a-z]", LABELS)


SPEC = DatasetSpec(
    name="emodb",
    title="EmoDB",
    language="de",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence="free for research; CC BY 4.0 by its current distributor",
    citation="""@inproceedings{burkhardt2005emodb,
  title     = {A database of German emotional speech},
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F. and Weiss, Benjamin},
  booktitle = {Interspeech},
  pages     = {1517--1520},
  year      = {2005}
}""",
    how_to_get="download it from emodb.bilderbar.info/download (40 MB)",
    # A package of release 1 in the format of audformat. The file of emodb.bilderbar.info has no published checksum.
    sources=(ZenodoSource("7447302", (RemoteFile("emodb.zip"),)),),
    expected_counts={
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    },
    expected_speakers=10,
    expected_ids=ids_of("emodb"),
    example=example_of("emodb", lambda row: f"wav/{row.utterance}"),
    expected_audio=ExpectedAudio(hours=0.4131, rates=(16000,), shortest_s=1.226, longest_s=8.978),
    siblings={"laryngo": "the laryngograph signal, not the speech; the task uses the recordings in wav"},
    sentence=lambda utterance: utterance[2:5],
    variants=(SplitVariant(groups=tuple(SEX)),),
    speaker_sex=SEX,
    logmel=(-2.6927330493927, 4.103071212768555),
)
