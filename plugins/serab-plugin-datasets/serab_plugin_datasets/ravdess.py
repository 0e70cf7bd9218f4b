"""RAVDESS (Livingstone & Russo, 2018): English, 24 actors, eight emotions; its speech, audio only."""

from __future__ import annotations

from serab_core.plugin import DatasetSpec, ExpectedAudio, RemoteFile, SplitVariant, ZenodoSource, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern, with_reasons

LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
SPEAKERS = tuple(f"{number:02d}" for number in range(1, 25))

# Modality 03 (audio), channel 01 (speech), emotion, intensity, statement, repetition, actor: "03-01-06-01-02-01-12.wav"
parse = by_pattern(r"03-01-(?P<label>0[1-8])-0[12]-0[12]-0[12]-(?P<speaker>[01]\d|2[0-4])", LABELS)
_REST = r"-0[1-8]-0[12]-0[12]-0[12]-[012]\d"
OTHER_FILES = {
    rf"0[123]-02{_REST}": "a song (vocal channel 02 in its name); the task uses the speech, channel 01",
    rf"0[12]-01{_REST}": "from a video (modality 01 or 02 in its name); the task uses the audio files, modality 03",
}


SPEC = DatasetSpec(
    name="ravdess",
    title="RAVDESS",
    language="en",
    labels=tuple(LABELS.values()),
    index=with_reasons(index_by_name(parse), OTHER_FILES),
    licence="CC BY-NC-SA 4.0",
    citation="""@article{livingstone2018ravdess,
  title   = {The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS})},
  author  = {Livingstone, Steven R. and Russo, Frank A.},
  journal = {PLoS ONE},
  volume  = {13},
  number  = {5},
  pages   = {e0196391},
  year    = {2018}
}""",
    how_to_get="download Audio_Speech_Actors_01-24.zip (208 MB) from zenodo.org/record/1188976",
    sources=(
        ZenodoSource(
            "1188976",
            (RemoteFile("Audio_Speech_Actors_01-24.zip", 208_468_073, md5="bc696df654c87fed845eb13823edef8a"),),
        ),
    ),
    expected_counts={label: 96 if label == "neutral" else 192 for label in LABELS.values()},
    expected_speakers=24,
    expected_ids=ids_of("ravdess"),
    example=example_of("ravdess", lambda row: f"Actor_{row.speaker}/{row.utterance}"),
    expected_audio=ExpectedAudio(hours=1.4803, rates=(48000,), shortest_s=2.936, longest_s=5.272),
    sentence=lambda utterance: utterance.split("-")[4],
    variants=(SplitVariant(groups=SPEAKERS),),
    speaker_sex={speaker: "m" if int(speaker) % 2 else "f" for speaker in SPEAKERS},
    logmel=(-10.320347785949707, 4.999551773071289),
)
