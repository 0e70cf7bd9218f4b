"""IEM4: IEMOCAP (Busso et al., 2008) in four classes, excitement counted as happiness. English, ten speakers.

Labels come from the evaluation files beside the dialogues. A name such as `Ses01F_impro01_M003` says session 01, the
dialogue in which the woman wore the markers, and a turn of the man: the speaker is 01M. The authors' code takes 01F, so
that each of its groups holds two people: that is the variant `as_released`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serab_core import DataError, DatasetSpec, Entry, Index, SourceFile, SplitVariant, hookimpl, index_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.hookspecs import Register

SERAB_API_VERSION = 1

LABELS = {"ang": "anger", "hap": "happiness", "neu": "neutral", "sad": "sadness"}
_MERGED = {**LABELS, "exc": "happiness"}
SPEAKERS = tuple(f"{session:02d}{sex}" for session in range(1, 6) for sex in "FM")
_NAME = re.compile(r"Ses(?P<dialogue>0[1-5][FM])_[A-Za-z0-9_]+_(?P<sex>[FM])\d{3}")
# [start - end] TAB name TAB label TAB [valence, arousal, dominance]
_LINE = re.compile(
    r"\[[^\]]*\]\t(?P<name>\S+)\t(?P<label>[a-z]{3})\t\[(?P<v>[\d.]+), (?P<a>[\d.]+), (?P<d>[\d.]+)\]\s*"
)


def read_evaluations(files: Sequence[SourceFile]) -> dict[str, tuple[str, dict[str, float]]]:
    """Label code, and valence, arousal and dominance (1 to 5), by utterance.

    Raises:
        DataError: an evaluation file is no text, or gives an utterance two labels.
    """
    table: dict[str, tuple[str, dict[str, float]]] = {}
    for file in files:
        if file.name.suffix != ".txt" or file.name.parent.name != "EmoEvaluation" or file.name.name.startswith("."):
            continue
        try:
            text = file.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError("is no text", where=str(file.name), next_step="replace it with an intact copy") from error
        for match in filter(None, map(_LINE.fullmatch, text.splitlines())):
            value = (
                match["label"],
                {"valence": float(match["v"]), "arousal": float(match["a"]), "dominance": float(match["d"])},
            )
            if table.setdefault(match["name"], value) != value:
                raise DataError(f"gives {match['name']} another label than a file before it", where=str(file.name))
    return table


def index(files: Sequence[SourceFile]) -> Index:
    """The turns with one of the four labels; turns with other labels, and files that are no turns, are passed over."""
    evaluations = read_evaluations(files)

    def parse(file: SourceFile) -> Entry | None:
        match = _NAME.fullmatch(file.name.stem)
        code, targets = evaluations.get(file.name.stem, ("", {}))
        if match is None or code not in _MERGED:
            return None
        return Entry(
            id=file.name.stem,
            file=file,
            label=_MERGED[code],
            speaker=match["dialogue"][:2] + match["sex"],
            groups={"dialogue": match["dialogue"]},
            targets=targets,
        )

    # Whole dialogues, and turns of other labels, are no faults of the copy: nothing to report.
    return Index(index_by_name(parse)(files).entries)


COUNTS = {"anger": 1103, "happiness": 1636, "neutral": 1708, "sadness": 1084}
_CODES = {"ang": 1103, "hap": 595, "exc": 1041, "neu": 1708, "sad": 1084, "fru": 200, "xxx": 200, "oth": 3}


def example() -> dict[str, bytes]:
    """Made-up turns with the corpus's counts, layout and naming, for it comes on request; some have other labels."""
    lines: dict[str, list[str]] = {}
    made: dict[str, bytes] = {}
    codes = [code for code, count in _CODES.items() for _ in range(count)]
    for position, code in enumerate(codes):
        dialogue, sex = SPEAKERS[position % 10], "FM"[position // 10 % 2]
        name = f"Ses{dialogue}_impro01_{sex}{position // 20:03d}"
        root = f"IEMOCAP_full_release/Session{int(dialogue[:2])}"
        made[f"{root}/sentences/wav/Ses{dialogue}_impro01/{name}.wav"] = b""
        valence, arousal, dominance = (1 + (position // step) % 9 / 2 for step in (1, 9, 81))
        values = f"[{valence:.4f}, {arousal:.4f}, {dominance:.4f}]"
        told = f"[6.2901 - 8.2357]\t{name}\t{code}\t{values}\nC-E2:\tNeutral;\t()\n\n"
        lines.setdefault(f"{root}/dialog/EmoEvaluation/Ses{dialogue}_impro01.txt", []).append(told)
    head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    return made | {file: (head + "".join(own)).encode() for file, own in lines.items()}


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Registers `iem4`."""
    register(
        DatasetSpec(
            name="iem4",
            title="IEM4 (IEMOCAP, four classes)",
            language="en",
            labels=tuple(LABELS.values()),
            index=index,
            licence="on request, for research",
            citation="""@article{busso2008iemocap,
  title   = {{IEMOCAP}: interactive emotional dyadic motion capture database},
  author  = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and Mower, Emily and Kim, Samuel and
             Chang, Jeannette N. and Lee, Sungbok and Narayanan, Shrikanth S.},
  journal = {Language Resources and Evaluation},
  volume  = {42},
  number  = {4},
  pages   = {335--359},
  year    = {2008}
}""",
            how_to_get="ask for IEMOCAP_full_release at sail.usc.edu/iemocap",
            expected_counts=COUNTS,
            expected_speakers=10,
            example=example,
            variants=(
                SplitVariant(
                    groups=SPEAKERS, note="speaker-disjoint; the partner of a dialogue is audible across splits"
                ),
                SplitVariant(
                    name="as_released",
                    shares_speakers=True,
                    group="dialogue",
                    groups=SPEAKERS,
                    note="cut by dialogue in place of speaker: every test and validation speaker is in training",
                ),
            ),
            released_variant="as_released",
            continuous={"vad": ("valence", "arousal", "dominance")},
            speaker_sex={speaker: speaker[2].lower() for speaker in SPEAKERS},
            logmel=(-5.752230644226074, 3.403254508972168),
        )
    )
