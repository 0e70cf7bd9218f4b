"""SAVEE (Haq & Jackson, 2010): British English, four men, seven emotions."""

from __future__ import annotations

import re

from serab_core.plugin import DatasetSpec, Entry, ExpectedAudio, SourceFile, SplitVariant, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of

LABELS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
# Emotion and number, in the speaker's folder: "DC/a01.wav"; or with the speaker in front: "DC_a01.wav"
_NAME = re.compile(r"(?:(?P<speaker>DC|JE|JK|KL)_)?(?P<label>a|d|f|h|n|sa|su)(?P<number>\d\d)")


# A file number counts within an emotion, so it does not tell the sentence; the makers' description does.
NOTE = (
    "the words give most labels away: by the description of the makers, of the 15 sentences of an emotion 3 occur in "
    "all emotions, 2 also in neutral and 10 in this emotion only; all speakers say the same sentences, so training has "
    "those of the test split"
)


def parse(file: SourceFile) -> Entry | None:
    """Read the emotion from the file's name, and the speaker from the name or the folder."""
    match = _NAME.fullmatch(file.name.stem)
    if match is None:
        return None
    speaker = match["speaker"] or file.name.parent.name.upper()
    if speaker not in SPEAKERS:
        return None
    identifier = f"{speaker}_{match['label']}{match['number']}"
    return Entry(id=identifier, file=file, label=LABELS[match["label"]], speaker=speaker)


SPEC = DatasetSpec(
    name="savee",
    title="SAVEE",
    language="en-GB",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence="free for research, after registration",
    citation="""@incollection{haq2010savee,
  title     = {Multimodal emotion recognition},
  author    = {Haq, Sanaul and Jackson, Philip J. B.},
  booktitle = {Machine Audition: Principles, Algorithms and Systems},
  publisher = {IGI Global},
  pages     = {398--423},
  year      = {2010}
}""",
    how_to_get="register at kahlan.eps.surrey.ac.uk/savee and download AudioData.zip",
    expected_counts={label: 120 if label == "neutral" else 60 for label in LABELS.values()},
    expected_speakers=4,
    expected_ids=ids_of("savee"),
    example=example_of("savee", lambda row: f"AudioData/{row.speaker}/{row.utterance[3:]}"),
    expected_audio=ExpectedAudio(hours=0.5119, rates=(44100,), shortest_s=1.631, longest_s=7.139),
    variants=(SplitVariant(groups=SPEAKERS, note=NOTE, fold_note=NOTE),),
    speaker_sex=dict.fromkeys(SPEAKERS, "m"),
    logmel=(-7.362058639526367, 4.717724800109863),
)
