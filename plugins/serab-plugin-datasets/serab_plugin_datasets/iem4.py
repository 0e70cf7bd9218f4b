"""IEM4: IEMOCAP (Busso et al., 2008) in four classes, excitement counted as happiness. English, ten speakers.

Labels come from the evaluation files next to the dialogues. The name `Ses01F_impro01_M003` means session 01, the
dialogue in which the woman wore the markers, and a turn of the man: the speaker is 01M. The authors' code uses 01F as
the speaker, so each of its groups contains two people. That is the variant `as_released`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from serab_core.plugin import (
    DataError,
    DatasetSpec,
    Entry,
    ExpectedAudio,
    Index,
    Skipped,
    SourceFile,
    SplitVariant,
    index_by_name,
)
from serab_plugin_datasets._lists import ids_of, read_list, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


LABELS = {"ang": "anger", "hap": "happiness", "neu": "neutral", "sad": "sadness"}
_MERGED = {**LABELS, "exc": "happiness"}
SPEAKERS = tuple(f"{session:02d}{sex}" for session in range(1, 6) for sex in "FM")
# Utterances by label code; happiness is 595 happy and 1,041 excited turns.
_CODES = {"ang": 1103, "hap": 595, "exc": 1041, "neu": 1708, "sad": 1084}
_DIALOGUE = re.compile(r"Ses0[1-5][FM]_[A-Za-z0-9_]+")
_NAME = re.compile(r"Ses(?P<dialogue>0[1-5][FM])_[A-Za-z0-9_]+_(?P<sex>[FM])\d{3}")
# [start - end] TAB name TAB label TAB [valence, arousal, dominance]
_LINE = re.compile(
    r"\[[^\]]*\]\t(?P<name>\S+)\t(?P<label>[a-z]{3})\t\[(?P<v>[\d.]+), (?P<a>[\d.]+), (?P<d>[\d.]+)\]\s*"
)


WORDS = "training has the scripts of the test split, and words tell labels of this corpus (arXiv:2403.07767)"
PARTNERS = (
    "speaker-disjoint, but the dialogue partner of every test and validation speaker is in training, and is audible in "
    f"the recordings (cross-talk); {WORDS}"
)


def read_evaluations(files: Sequence[SourceFile]) -> dict[str, tuple[str, dict[str, float]]]:
    """Return label code, and valence, arousal and dominance (1 to 5), by utterance.

    Raises:
        DataError: an evaluation file is not text, or an utterance has two labels.
    """
    table: dict[str, tuple[str, dict[str, float]]] = {}
    for file in files:
        if (
            file.name.suffix.lower() != ".txt"
            or file.name.parent.name.lower() != "emoevaluation"
            or file.name.name.startswith(".")
        ):
            continue
        try:
            text = file.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                "is not a text file", where=str(file.name), next_step="replace it with an intact copy"
            ) from error
        for match in filter(None, map(_LINE.fullmatch, text.splitlines())):
            value = (
                match["label"],
                {"valence": float(match["v"]), "arousal": float(match["a"]), "dominance": float(match["d"])},
            )
            if table.setdefault(match["name"], value) != value:
                raise DataError(
                    f"gives {match['name']} another label than a previous evaluation file",
                    where=str(file.name),
                    next_step="keep only one copy of the release",
                )
    return table


def index(files: Sequence[SourceFile]) -> Index:
    """Return the turns with one of the four labels. Turns with another label or without a label are counted.

    Raises:
        DataError: there are turns, but no evaluation file with their labels.
    """
    evaluations = read_evaluations(files)
    unlabelled: dict[str, SourceFile] = {}
    others: dict[str, str] = {}

    def parse(file: SourceFile) -> Entry | None:
        match = _NAME.fullmatch(file.name.stem)
        if match is None:
            return None
        code, targets = evaluations.get(file.name.stem, ("", {}))
        if not code:
            unlabelled.setdefault(file.name.stem, file)
        elif code not in _MERGED:
            others[file.name.stem] = code
        else:
            return Entry(
                id=file.name.stem,
                file=file,
                label=_MERGED[code],
                speaker=match["dialogue"][:2] + match["sex"],
                groups={"dialogue": match["dialogue"]},
                targets=targets,
                fold=f"session {int(match['dialogue'][:2])}",
            )
        return None

    indexed = index_by_name(parse)(files)
    if unlabelled and not evaluations:
        raise DataError(
            f"{len(unlabelled):,} turns have no labels, because there is no file EmoEvaluation/*.txt",
            where=unlabelled[min(unlabelled)].shown,
            next_step="name the whole IEMOCAP_full_release, or all of its Session folders or zips: in a session, "
            "dialog/EmoEvaluation holds the labels and sentences/wav the audio",
        )
    # Whole dialogues are part of the release, so they are not reported. The summaries report turns.
    skipped = [skip for skip in indexed.skipped if not _is_summed_up(PurePosixPath(skip.file).stem, unlabelled, others)]
    return Index(indexed.entries, (*skipped, *_summaries(list(unlabelled), others)))


def _is_summed_up(stem: str, *groups: Mapping[str, object]) -> bool:
    """Return whether a skipped file is a whole dialogue, or a turn that a summary counts."""
    is_dialogue = _NAME.fullmatch(stem) is None and _DIALOGUE.fullmatch(stem) is not None
    return is_dialogue or any(stem in names for names in groups)


def _summaries(unlabelled: Sequence[str], others: Mapping[str, str]) -> Iterator[Skipped]:
    """Yield one line for the turns with other labels, and one for each session's turns without a label."""
    if others:
        counts = ", ".join(f"{code} {count}" for code, count in sorted(Counter(others.values()).items()))
        yield Skipped(f"{len(others):,} turns", f"their labels are none of the four classes: {counts}")
    for session in sorted({name[:5] for name in unlabelled}):
        names = [name for name in unlabelled if name.startswith(session)]
        yield Skipped(
            f"{len(names):,} turns of session {int(session[3:])}, such as {min(names)}",
            "no file EmoEvaluation/*.txt gives their labels",
        )


_OTHER_CODES = {"fru": 200, "xxx": 200, "oth": 3}
_EXAMPLE_TURN = "[6.2901 - 8.2357]\t{name}\t{code}\t[{v:.4f}, {a:.4f}, {d:.4f}]\nC-E2:\tNeutral;\t()\n\n"


def example() -> dict[str, bytes]:
    """Return files with the names and the layout of the corpus, and artificial labels with the corpus's counts.

    The true labels are part of the corpus, which is available on request, and not of this package. Some turns have
    labels outside the four classes.
    """
    codes = iter([code for code, count in _CODES.items() for _ in range(count)])
    turns = [(row.utterance, next(codes)) for row in read_list("iem4")]
    extra = [code for code, count in _OTHER_CODES.items() for _ in range(count)]
    turns += [
        (f"Ses{SPEAKERS[place % 10]}_impro01_{'FM'[place // 10 % 2]}{900 + place // 20:03d}", code)
        for place, code in enumerate(extra)
    ]
    texts: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for place, (name, code) in enumerate(turns):
        dialogue = name.rpartition("_")[0]
        root = f"IEMOCAP_full_release/Session{int(name[3:5])}"
        files[f"{root}/sentences/wav/{dialogue}/{name}.wav"] = b""
        v, a, d = (1 + (place // step) % 9 / 2 for step in (1, 9, 81))
        line = _EXAMPLE_TURN.format(name=name, code=code, v=v, a=a, d=d)
        texts.setdefault(f"{root}/dialog/EmoEvaluation/{dialogue}.txt", []).append(line)
    head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    return files | {file: (head + "".join(lines)).encode() for file, lines in texts.items()}


SPEC = DatasetSpec(
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
    expected_counts={
        "anger": _CODES["ang"],
        "happiness": _CODES["hap"] + _CODES["exc"],
        "neutral": _CODES["neu"],
        "sadness": _CODES["sad"],
    },
    expected_speakers=10,
    expected_ids=ids_of("iem4"),
    expected_audio=ExpectedAudio(hours=6.989, rates=(16000,), shortest_s=0.585, longest_s=34.139),
    expected_seconds=seconds_of("iem4"),
    example=example,
    variants=(
        SplitVariant(groups=SPEAKERS, note=PARTNERS, fold_note=WORDS),
        SplitVariant(
            name="as_released",
            shares_speakers=True,
            group="dialogue",
            groups=SPEAKERS,
            note=f"cut by dialogue in place of speaker: every test and validation speaker is in training; {WORDS}",
            fold_note=WORDS,
        ),
    ),
    released_variant="as_released",
    continuous={"vad": ("valence", "arousal", "dominance")},
    speaker_sex={speaker: speaker[2].lower() for speaker in SPEAKERS},
    logmel=(-5.752230644226074, 3.403254508972168),
)
