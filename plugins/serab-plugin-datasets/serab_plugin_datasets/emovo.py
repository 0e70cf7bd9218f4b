"""EMOVO (Costantini et al., 2014): Italian, six actors, seven emotions."""

from __future__ import annotations

from serab_core.plugin import DatasetSpec, ExpectedAudio, SplitVariant, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

LABELS = {
    "dis": "disgust",
    "gio": "happiness",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")

# Emotion, actor, sentence: "rab-f1-b1.wav"
parse = by_pattern(r"(?P<label>[a-z]{3})-(?P<speaker>[fm][123])-[bdln]\d", LABELS)


SPEC = DatasetSpec(
    name="emovo",
    title="EMOVO",
    language="it",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence="CC BY-NC-SA 4.0, according to a second-hand source",
    citation="""@inproceedings{costantini2014emovo,
  title     = {{EMOVO} corpus: an {Italian} emotional speech database},
  author    = {Costantini, Giovanni and Iaderola, Iacopo and Paoloni, Andrea and Todisco, Massimiliano},
  booktitle = {LREC},
  pages     = {3501--3504},
  year      = {2014}
}""",
    how_to_get="download emovo.zip from voice.fub.it/activities/corpora/emovo",
    expected_counts=dict.fromkeys(LABELS.values(), 84),
    expected_speakers=6,
    expected_ids=ids_of("emovo"),
    example=example_of("emovo", lambda row: f"EMOVO/{row.speaker}/{row.utterance}"),
    expected_audio=ExpectedAudio(hours=0.5098, rates=(48000,), shortest_s=1.291, longest_s=13.995),
    sentence=lambda utterance: utterance.rpartition("-")[2],
    variants=(SplitVariant(groups=SPEAKERS),),
    speaker_sex={speaker: speaker[0] for speaker in SPEAKERS},
    logmel=(-6.7016167640686035, 4.619407653808594),
)
