"""ShEMO, the Sharif Emotional Speech Database (Mohamad Nezami et al., 2019): Persian, 87 speakers, six emotions.

The name `F03S02` consists of sex and speaker (F03), emotion (S) and the utterance's number (02). The authors' code uses
the number as the speaker, so its splits share nearly all speakers. That is the variant `as_released`.

This is the release of 2019, which SERAB used. The release of 2022 corrected names and labels; it is another task,
`shemo-2022`. 2,838 names are in both releases. Each release has 162 names that the other lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import DatasetSpec, ExpectedAudio, RemoteFile, SplitVariant, UrlSource, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_plugin_datasets._lists import Listed

LABELS = {
    "A": "anger",
    "F": "fear",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
    "W": "surprise",
}
SPEAKERS = (*(f"F{number:02d}" for number in range(1, 32)), *(f"M{number:02d}" for number in range(1, 57)))
NUMBERS = tuple(f"{number:02d}" for number in range(1, 88))
LICENCE = "free for academic use"
CITATION = """@article{nezami2019shemo,
  title   = {{ShEMO}: a large-scale validated database for {Persian} speech emotion detection},
  author  = {Mohamad Nezami, Omid and Jamshid Lou, Paria and Karami, Mansoureh},
  journal = {Language Resources and Evaluation},
  volume  = {53},
  number  = {1},
  pages   = {1--16},
  year    = {2019}
}"""

parse = by_pattern(
    r"(?P<speaker>F(?:[0-2]\d|3[01])|M(?:[0-4]\d|5[0-6]))(?P<label>[A-Z])(?P<number>\d\d)",
    LABELS,
    groups=lambda m: {"utterance number": m["number"]},
)


def layout(row: Listed) -> str:
    """Return a file's path in the download, which has one zip for each sex."""
    return f"{'female' if row.speaker[0] == 'F' else 'male'}/{row.utterance}"


SPEC = DatasetSpec(
    name="shemo",
    title="ShEMO",
    language="fa",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence=LICENCE,
    citation=CITATION,
    how_to_get=(
        "clone github.com/mansourehk/ShEMO or github.com/pariajm/sharif-emotional-speech-database with "
        "git-lfs at its state of 2019, and name both of its halves, female.zip and male.zip"
    ),
    sources=(
        UrlSource(
            (
                RemoteFile(
                    "female.zip",
                    374_368_830,
                    sha256="663d8d7dceb44adbbf87d84be3a080fb691d169fbd972f6941e6302bc39f71e6",
                    url="https://github.com/mansourehk/ShEMO/raw/master/female.zip",
                ),
                RemoteFile(
                    "male.zip",
                    496_606_401,
                    sha256="747670d0d918e59d5e5020cf66610242890b093d42968c467c4f02eb5e6a6b1a",
                    url="https://github.com/mansourehk/ShEMO/raw/master/male.zip",
                ),
            )
        ),
    ),
    expected_counts={
        "anger": 1059,
        "fear": 38,
        "happiness": 201,
        "neutral": 1028,
        "sadness": 449,
        "surprise": 225,
    },
    expected_speakers=87,
    expected_ids=ids_of("shemo"),
    releases=("shemo-2022",),
    example=example_of("shemo", layout),
    # The authors publish 3 h 25 min. One file in twenty has a rate of 22,050 Hz.
    expected_audio=ExpectedAudio(hours=3 + 25 / 60, rates=(22050, 44100), shortest_s=0.359, longest_s=33.328),
    variants=(
        SplitVariant(groups=SPEAKERS),
        SplitVariant(
            name="as_released",
            shares_speakers=True,
            group="utterance number",
            groups=NUMBERS,
            note="cut by utterance number in place of speaker: speakers cross the splits, test has no fear",
        ),
    ),
    released_variant="as_released",
    speaker_sex={speaker: speaker[0].lower() for speaker in SPEAKERS},
    logmel=(-3.533191204071045, 4.027871608734131),
)

# The names have the format of the release of 2019, and 2,838 of them are in both releases. The same name may mean
# different recordings: where a label was corrected, the following recordings were renumbered.
SPEC_2022 = DatasetSpec(
    name="shemo-2022",
    title="ShEMO (release of 2022)",
    language="fa",
    labels=tuple(LABELS.values()),
    index=index_by_name(parse),
    licence=LICENCE,
    citation=CITATION,
    how_to_get=(
        "download female.zip and male.zip by the links in the README of "
        "github.com/pariajm/sharif-emotional-speech-dataset, and name both"
    ),
    expected_counts={
        "anger": 1042,
        "fear": 32,
        "happiness": 203,
        "neutral": 1160,
        "sadness": 362,
        "surprise": 201,
    },
    expected_speakers=87,
    expected_ids=ids_of("shemo-2022"),
    releases=("shemo",),
    example=example_of("shemo-2022", layout),
    variants=(SplitVariant(groups=SPEAKERS),),
    speaker_sex={speaker: speaker[0].lower() for speaker in SPEAKERS},
)
