"""CREMA-D (Cao et al., 2014): English, 91 actors, six emotions; the 7,438 utterances that TFDS and SERAB use."""

from __future__ import annotations

from serab_core.plugin import DatasetSpec, ExpectedAudio, SplitVariant, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

LABELS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
SPEAKERS = tuple(str(number) for number in range(1001, 1092))
# Pairs of byte-identical files with two labels: the first is left out, the second is used.
CONTRADICTIONS = {
    "1006_TIE_NEU_XX": "1006_TIE_HAP_XX",
    "1013_WSI_DIS_XX": "1013_WSI_SAD_XX",
    "1017_IWW_FEA_XX": "1017_IWW_ANG_XX",
}
# The four utterances that TensorFlow Datasets, and so SERAB, leaves out.
LEFT_OUT = {
    "1040_ITH_SAD_XX": "left out, as TFDS and SERAB do: its name lacked an X in the corpus's table of labels",
    **{
        left: f"left out, as TFDS and SERAB do: it is the same recording as {stays}, which has another label"
        for left, stays in CONTRADICTIONS.items()
    },
}
KNOWN_DEFECTS = {
    "1076_MTI_SAD_XX": 'the corpus\'s README calls it "no audio, very short"; TFDS and SERAB keep it',
    **{
        stays: f"the corpus holds the same recording as {left}, with another label; one of the two labels is wrong"
        for left, stays in CONTRADICTIONS.items()
    },
}
SIBLINGS = {
    "AudioMP3": "lossy MP3 copies of the recordings in AudioWAV",
    "VideoFlash": "the video clips; the task uses the recordings in AudioWAV",
}

# Actor, sentence, emotion, level: "1001_DFA_ANG_XX.wav"; a file of the release has a single X.
parse = by_pattern(
    r"(?P<speaker>10[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})_(?P<label>[A-Z]{3})_(?P<level>XX?|LO|MD|HI)",
    LABELS,
    identify=lambda m: "_".join((m["speaker"], m["sentence"], m["label"], "XX" if m["level"] == "X" else m["level"])),
)


SPEC = DatasetSpec(
    name="crema_d",
    title="CREMA-D",
    language="en",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse, known_bad=LEFT_OUT),
    licence="Open Database License",
    citation="""@article{cao2014cremad,
  title   = {{CREMA-D}: Crowd-sourced emotional multimodal actors dataset},
  author  = {Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and Nenkova, Ani and
             Verma, Ragini},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {5},
  number  = {4},
  pages   = {377--390},
  year    = {2014}
}""",
    how_to_get="clone github.com/CheyneyComputerScience/CREMA-D with git-lfs, and name its folder AudioWAV",
    expected_counts={
        "anger": 1271,
        "disgust": 1270,
        "fear": 1270,
        "happiness": 1271,
        "neutral": 1086,
        "sadness": 1270,
    },
    expected_speakers=91,
    expected_ids=ids_of("crema_d"),
    example=example_of("crema_d", lambda row: f"AudioWAV/{row.utterance}"),
    # 7,438 utterances: 5.2567 h for all 7,442, minus 9.4 s for the four that are left out.
    expected_audio=ExpectedAudio(hours=5.2541, rates=(16000,), shortest_s=1.268, longest_s=5.005),
    siblings=SIBLINGS,
    sentence=lambda utterance: utterance.split("_")[1],
    known_defects=KNOWN_DEFECTS,
    variants=(SplitVariant(ratios=(0.7, 0.1, 0.2), groups=SPEAKERS),),
    logmel=(-4.993728160858154, 3.1366026401519775),
)
