"""ShEMO, the Sharif Emotional Speech Database (Mohamad Nezami et al., 2019): Persian, 87 speakers, six emotions.

A name such as `F03S02` is sex and speaker (F03), emotion (S) and the utterance's number (02). The authors' code takes
the number for the speaker, so that its splits share nearly all speakers: that is the variant `as_released`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import DatasetSpec, SplitVariant, hookimpl, index_by_name
from serab_plugin_datasets._naming import by_pattern

if TYPE_CHECKING:
    from serab_core.hookspecs import Register

SERAB_API_VERSION = 1

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

parse = by_pattern(
    r"(?P<speaker>F(?:[0-2]\d|3[01])|M(?:[0-4]\d|5[0-6]))(?P<label>[A-Z])(?P<number>\d\d)",
    LABELS,
    groups=lambda m: {"utterance number": m["number"]},
)

COUNTS = {"anger": 1059, "fear": 38, "happiness": 201, "neutral": 1028, "sadness": 449, "surprise": 225}


def example() -> dict[str, bytes]:
    """Made-up files with the corpus's counts and naming, for no list of the real ones is public."""
    halves, made = {"F": "female", "M": "male"}, {}
    for code, label in LABELS.items():
        for position in range(COUNTS[label]):
            who = position % len(SPEAKERS)
            number = (who + position // len(SPEAKERS)) % len(NUMBERS) + 1
            made[f"{halves[SPEAKERS[who][0]]}/{SPEAKERS[who]}{code}{number:02d}.wav"] = b""
    return made


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Registers `shemo`."""
    register(
        DatasetSpec(
            name="shemo",
            title="ShEMO",
            language="fa",
            labels=tuple(LABELS.values()),
            index=index_by_name(parse),
            licence="free for academic use",
            citation="""@article{nezami2019shemo,
  title   = {{ShEMO}: a large-scale validated database for {Persian} speech emotion detection},
  author  = {Mohamad Nezami, Omid and Jamshid Lou, Paria and Karami, Mansoureh},
  journal = {Language Resources and Evaluation},
  volume  = {53},
  number  = {1},
  pages   = {1--16},
  year    = {2019}
}""",
            how_to_get=(
                "clone github.com/mansourehk/ShEMO or github.com/pariajm/sharif-emotional-speech-database with "
                "git-lfs, and name both of its halves, female.zip and male.zip"
            ),
            expected_counts=COUNTS,
            expected_speakers=87,
            example=example,
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
    )
