"""AESDD, the Acted Emotional Speech Dynamic Database (Vryzas et al., 2018): Greek, six actors, five emotions."""

from __future__ import annotations

from serab_core.plugin import DatasetSpec, ExpectedAudio, SplitVariant, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

LABELS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
SEX = {"1": "m", "2": "f", "3": "m", "4": "f", "5": "m", "6": "f"}

# Emotion letter, sentence, (speaker), take: "a03 (4).wav"; some speakers are written with a zero, "f12 (01).wav", and
# some sentences were spoken twice, "f18 (5)b.wav".
parse = by_pattern(
    r"(?P<label>[adfhs])(?P<sentence>\d\d) ?\(0?(?P<speaker>[1-6])\)(?P<take>[ab]?)",
    LABELS,
    identify=lambda m: f"{m['label']}{m['sentence']} ({m['speaker']}){m['take']}",
)


SPEC = DatasetSpec(
    name="aesdd",
    title="AESDD",
    language="el",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse, known_bad={"s05 (3)": "damaged in the corpus itself (it has no data chunk)"}),
    licence="not stated by its authors; a mirror says CC BY 4.0",
    citation="""@article{vryzas2018aesdd,
  title   = {Speech emotion recognition for performance interaction},
  author  = {Vryzas, Nikolaos and Kotsakis, Rigas and Liatsou, Aikaterini and Dimoulas, Charalampos A. and
             Kalliris, George},
  journal = {Journal of the Audio Engineering Society},
  volume  = {66},
  number  = {6},
  pages   = {457--467},
  year    = {2018}
}""",
    how_to_get="download it from m3c.web.auth.gr/research/aesdd-speech-emotion-recognition",
    expected_counts={"anger": 121, "disgust": 122, "fear": 120, "happiness": 119, "sadness": 122},
    expected_speakers=6,
    expected_ids=ids_of("aesdd"),
    example=example_of("aesdd", lambda row: f"{row.label}/{row.utterance}"),
    expected_audio=ExpectedAudio(hours=0.6886, rates=(44100,), shortest_s=0.981, longest_s=12.735),
    # The README of the corpus: the actors said utterances 1 to 19 in every emotion; number 20 is improvised.
    sentence=lambda utterance: utterance[1:3],
    variants=(SplitVariant(groups=tuple(SEX)),),
    speaker_sex=SEX,
    logmel=(-4.1785407066345215, 4.3656463623046875),
)
