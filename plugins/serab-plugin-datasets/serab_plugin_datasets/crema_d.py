"""CREMA-D (Cao et al., 2014): English, 91 actors, six emotions; the 7,438 utterances that TFDS and SERAB take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import DatasetSpec, SplitVariant, hookimpl, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_core.hookspecs import Register

SERAB_API_VERSION = 1

LABELS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
SPEAKERS = tuple(str(number) for number in range(1001, 1092))
_LEFT_OUT = "left out by TFDS, whose 7438 utterances SERAB takes"
LEFT_OUT = dict.fromkeys(("1040_ITH_SAD_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1017_IWW_FEA_XX"), _LEFT_OUT)

# Actor, sentence, emotion, level: "1001_DFA_ANG_XX.wav"; a file of the release has a single X.
parse = by_pattern(
    r"(?P<speaker>10[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})_(?P<label>[A-Z]{3})_(?P<level>XX?|LO|MD|HI)",
    LABELS,
    identify=lambda m: "_".join((m["speaker"], m["sentence"], m["label"], "XX" if m["level"] == "X" else m["level"])),
)


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Registers `crema_d`."""
    register(
        DatasetSpec(
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
            variants=(SplitVariant(ratios=(0.7, 0.1, 0.2), groups=SPEAKERS),),
            logmel=(-4.993728160858154, 3.1366026401519775),
        )
    )
