"""Facts about a prepared corpus that a reader of its scores must know: leaks between splits, repeated audio, silence.

They are computed from the rows of its index, so that every command that shows a score can repeat them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from serab_core.data.splits import crossing_speakers
from serab_core.system.text import list_names
from serab_core.types import SPLITS, Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from serab_core.types import Fold, ProtocolSpec

SYNTHETIC = "synthetic corpus: says nothing about real speech"
PARTIAL = "partial corpus: not comparable with the whole"
MIN_UTTERANCES = (
    10  # utterances of a speaker in a split; fewer give an unreliable mean (docs/protocols.md has a figure)
)
PER_SPEAKER = ("few-utterances", "one-class")  # kinds of notices that concern normalisation per speaker only
MIN_SENTENCE_GAIN = 0.05  # accuracy that guessing by the sentence gains over guessing one class; chance gains less
MAX_PLAUSIBLE_PEAK = 8.0  # full scale is 1; a mix may reach 2 or 3, and integers that were never scaled reach thousands
_SEVERITIES = ("fault", "caution", "info")
MAX_NAMES = 5  # names that a notice lists; it counts the others


def corpus_notices(
    rows: Sequence[Mapping[str, Any]], variant: Mapping[str, Any], labels: Sequence[str]
) -> tuple[Notice, ...]:
    """Return the notices of a split variant, faults first.

    Args:
        rows: the utterances of the variant, as the index of the corpus holds them.
        variant: the variant, as the index describes it: `name` and `shares_speakers`.
        labels: the classes of the task; empty for a continuous target, which has no classes.
    """
    cuts = {str(row["id"]): row["cut"][variant["name"]] for row in rows}
    notices = [
        *_crossing(rows, cuts, declared=bool(variant.get("shares_speakers"))),
        *_repeated_audio(rows, cuts, with_labels=bool(labels)),
        *_missing_classes(rows, cuts, labels),
        *_few_utterances(cuts),
        *(_one_class(rows, cuts) if len(labels) > 1 else ()),
        *level_notices(rows),
        *_sentences(rows, cuts, labels),
    ]
    return tuple(sorted(notices, key=lambda notice: _SEVERITIES.index(notice.severity)))


def fold_notices(
    rows: Sequence[Mapping[str, Any]], folds: Sequence[Fold], labels: Sequence[str], protocol: ProtocolSpec
) -> tuple[Notice, ...]:
    """Return the notices of a task with folds, faults first. No speaker can be in two splits of a fold.

    Args:
        rows: the utterances, as the index of the corpus holds them.
        folds: the folds.
        labels: the classes of the task; empty for a continuous target.
        protocol: the protocol, with its normalisation and the origin of its folds.
    """
    speakers = {str(row["id"]): (str(row["speaker"]), str(row["speaker"])) for row in rows}
    per_speaker = {identifier: (speaker, "fold") for identifier, (speaker, _) in speakers.items()}
    transductive = protocol.normalisation == "speaker"
    notices = [
        *_repeated_audio(rows, speakers, with_labels=bool(labels)),
        *_classes_missing_in_folds(rows, folds, labels),
        *(_few_utterances(per_speaker) if transductive else ()),
        *(_one_class(rows, per_speaker) if transductive and len(labels) > 1 else ()),
        *level_notices(rows),
        *_divided_folds(rows, protocol),
        *_common_sentences(rows, labels),
    ]
    return tuple(sorted(notices, key=lambda notice: _SEVERITIES.index(notice.severity)))


def _classes_missing_in_folds(
    rows: Sequence[Mapping[str, Any]], folds: Sequence[Fold], labels: Sequence[str]
) -> Iterator[Notice]:
    spoken: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        spoken[str(row["speaker"])].add(row["label"])
    consequence = {"train": "no classifier can predict it there", "validation": "it has no part in the choice there"}
    for split in ("train", "validation"):
        lacking: dict[str, list[str]] = defaultdict(list)
        for fold in folds:
            present = set().union(*(spoken[speaker] for speaker, of in fold.splits.items() if of == split))
            for label in labels:
                if label not in present:
                    lacking[label].append(fold.name)
        for label, names in lacking.items():
            text = (
                f"the {split} split of {len(names)} of {len(folds)} folds ({list_names(names, MAX_NAMES)}) has no "
                f"utterance of {label}: {consequence[split]}"
            )
            yield Notice("missing-classes", "caution", text, tuple(names))


def _divided_folds(rows: Sequence[Mapping[str, Any]], protocol: ProtocolSpec) -> Iterator[Notice]:
    """Yield a notice if the corpus has folds, such as sessions, and the protocol does not keep them together."""
    names = sorted({str(row["fold"]) for row in rows if row.get("fold")})
    if names and protocol.splits != "corpus":
        text = (
            f"the speakers of one fold of the corpus ({list_names(names, MAX_NAMES)}), such as a session, are in "
            "training and in test: the protocol folds keeps them together"
        )
        yield Notice("divided-folds", "caution", text, tuple(names))


def _common_sentences(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Iterator[Notice]:
    """Yield notices about sentences that several speakers say, and about sentences that give labels away."""
    spoken: dict[str, Counter[str]] = defaultdict(Counter)
    by_speaker: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        if "sentence" in row:
            spoken[str(row["sentence"])][str(row["label"])] += 1
            by_speaker[str(row["speaker"]), str(row["sentence"])][str(row["label"])] += 1
    speakers = Counter(sentence for _, sentence in by_speaker)
    common = sorted(sentence for sentence, count in speakers.items() if count > 1)
    if not common:
        return
    if labels:
        guess = _most_frequent(sum(spoken.values(), Counter()))
        by_sentence = by_class = tested = 0
        for (_, sentence), counts in by_speaker.items():
            others = spoken[sentence] - counts  # what the other speakers say; a Counter keeps positive counts only
            by_sentence += counts[_most_frequent(others) if others else guess]
            by_class += counts[guess]
            tested += counts.total()
        if by_sentence - by_class >= MIN_SENTENCE_GAIN * tested:
            text = (
                "the words give labels away: to guess the label that other speakers give a sentence most often is "
                f"right for {100 * by_sentence / tested:.0f} % of the utterances, to guess {guess} for "
                f"{100 * by_class / tested:.0f} %"
            )
            yield Notice("telling-sentences", "caution", text)
    which = "the sentences" if len(common) == len(spoken) else "some of the sentences"
    text = f"{which} are spoken by several speakers"
    if labels and all(spoken[sentence].keys() >= set(labels) for sentence in common):
        text += ", each in every class"
    yield Notice("shared-sentences", "info", text, tuple(common))


def _crossing(
    rows: Sequence[Mapping[str, Any]], cuts: Mapping[str, Sequence[str]], *, declared: bool
) -> Iterator[Notice]:
    speakers = {str(row["id"]): str(row["speaker"]) for row in rows}
    crossing = crossing_speakers(speakers, {i: cut[1] for i, cut in cuts.items()})  # type: ignore[misc]
    if not crossing:
        return
    everybody = len(set(speakers.values()))
    text = (
        f"{len(crossing)} of {everybody} speakers are in more than one split ({list_names(list(crossing), MAX_NAMES)})"
    )
    if declared:
        yield Notice("crossing-speakers", "info", f"{text}, as this variant is known to do", tuple(crossing))
    else:
        yield Notice("crossing-speakers", "fault", f"{text}: scores are too high", tuple(crossing))


def _repeated_audio(
    rows: Sequence[Mapping[str, Any]], cuts: Mapping[str, Sequence[str]], *, with_labels: bool
) -> Iterator[Notice]:
    """Yield notices about utterances with equal samples. A group is reported once, as its most severe kind."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.get("silent") is None:
            groups[row["sha256"]].append(row)
    kinds: dict[str, list[str]] = defaultdict(list)
    members: dict[str, list[str]] = defaultdict(list)
    for group in groups.values():
        if len(group) < 2:
            continue
        ids = [str(row["id"]) for row in group]
        kind = "repeated-audio"
        shown = " = ".join(ids)
        if with_labels and len({row["label"] for row in group}) > 1:
            kind = "contradicting-labels"
            shown = " = ".join(f"{row['id']} ({row['label']})" for row in group)
        elif len({cuts[i][1] for i in ids}) > 1:
            kind = "shared-audio"
            shown = " = ".join(f"{i} ({cuts[i][1]})" for i in ids)
        elif len({row["speaker"] for row in group}) > 1:
            kind = "contradicting-speakers"
            shown = " = ".join(f"{row['id']} ({row['speaker']})" for row in group)
        kinds[kind].append(shown)
        members[kind] += ids
    texts = {
        "contradicting-labels": "of equal audio have different labels",
        "shared-audio": "of equal audio are in more than one split: scores are too high",
        "contradicting-speakers": "of equal audio have different speakers",
        "repeated-audio": "hold the audio of another utterance of the same split, label and speaker",
    }
    for kind, text in texts.items():
        if kinds[kind]:
            summary = f"{len(members[kind])} utterances {text} ({list_names(kinds[kind], MAX_NAMES)})"
            yield Notice(kind, "caution" if kind == "repeated-audio" else "fault", summary, tuple(members[kind]))


def _missing_classes(
    rows: Sequence[Mapping[str, Any]], cuts: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> Iterator[Notice]:
    present: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        present[cuts[str(row["id"])][1]].add(row["label"])
    consequence = {
        "train": ": no classifier can predict it",
        "validation": ": it has no part in choosing the classifier",
        "test": ": UAR is the mean over the other classes",
    }
    for split in SPLITS:
        absent = [label for label in labels if label not in present[split]]
        if absent:
            text = f"the {split} split has no utterance of {' and '.join(absent)}{consequence[split]}"
            yield Notice("missing-classes", "caution", text, tuple(absent))


def _few_utterances(cuts: Mapping[str, Sequence[str]]) -> Iterator[Notice]:
    """Yield a notice about groups with too few utterances in a split for per-speaker normalisation."""
    counts = Counter((str(group), str(split)) for group, split in cuts.values())
    fewest: dict[str, tuple[int, str]] = {}
    for (group, split), count in sorted(counts.items()):
        if count < MIN_UTTERANCES:
            fewest[group] = min(fewest.get(group, (count, split)), (count, split))
    if not fewest:
        return
    shown = list_names([f"{group}: {count} in {split}" for group, (count, split) in fewest.items()], MAX_NAMES)
    text = (
        f"{len(fewest)} of {len({group for group, _ in counts})} speakers have fewer than {MIN_UTTERANCES} utterances "
        f"in a split ({shown}): "
        "normalisation per speaker distorts their features"
    )
    single = sum(count == 1 for count, _ in fewest.values())
    if single:
        text += f", and sets all features of the {single} with one utterance to zero"
    yield Notice("few-utterances", "caution", text, tuple(fewest))


def _one_class(rows: Sequence[Mapping[str, Any]], cuts: Mapping[str, Sequence[str]]) -> Iterator[Notice]:
    """Yield a notice about groups whose utterances in a split are all of one class."""
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        group, split = cuts[str(row["id"])]
        labels[str(group), str(split)].append(str(row["label"]))
    alone = {
        group: f"{group}: {members[0]} in {split}"
        for (group, split), members in sorted(labels.items())
        if len(set(members)) == 1 < len(members)
    }
    if alone:
        text = (
            f"{len(alone)} of {len({group for group, _ in labels})} speakers have utterances of one class only in a "
            f"split ({list_names(list(alone.values()), MAX_NAMES)}): normalisation per speaker removes the difference "
            "to the other classes"
        )
        yield Notice("one-class", "caution", text, tuple(alone))


def level_notices(rows: Iterable[Mapping[str, Any]]) -> Iterator[Notice]:
    """Yield the notices about silence and peaks; `rows` have `id`, `peak` and, for silent audio, `silent`."""
    rows = list(rows)
    silent = [str(row["id"]) for row in rows if row.get("silent") == "zero"]
    if silent:
        text = f"{_utterances(silent)} digital silence, every sample zero ({list_names(silent, MAX_NAMES)})"
        yield Notice("silent", "caution", text, tuple(silent))
    cancelled = [str(row["id"]) for row in rows if row.get("silent") == "cancelled"]
    if cancelled:
        text = (
            f"{_utterances(cancelled)} zero after averaging channels, which cancel out "
            f"({list_names(cancelled, MAX_NAMES)}): keep one channel of each file"
        )
        yield Notice("cancelled", "caution", text, tuple(cancelled))
    loud = {str(row["id"]): row["peak"] for row in rows if row.get("peak", 0.0) > MAX_PLAUSIBLE_PEAK}
    if loud:
        shown = list_names([f"{i}: {peak:,.0f}" for i, peak in loud.items()], MAX_NAMES)
        text = (
            f"{'1 utterance has a peak' if len(loud) == 1 else f'{len(loud)} utterances have peaks'} far above 1.0 "
            f"({shown}): probably integers that were never divided by their full scale"
        )
        yield Notice("loud", "caution", text, tuple(loud))


def _utterances(ids: Sequence[str]) -> str:
    return "1 utterance is" if len(ids) == 1 else f"{len(ids)} utterances are"


def _sentences(
    rows: Sequence[Mapping[str, Any]], cuts: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> Iterator[Notice]:
    """Yield notices about sentences that training and test share, and about sentences that give labels away."""
    trained: dict[str, Counter[str]] = defaultdict(Counter)
    tested: list[tuple[str, str]] = []
    for row in rows:
        split = cuts[str(row["id"])][1]
        if "sentence" in row and split == "train":
            trained[str(row["sentence"])][str(row["label"])] += 1
        elif "sentence" in row and split == "test":
            tested.append((str(row["sentence"]), str(row["label"])))
    known = {sentence for sentence, _ in tested}
    shared = sorted(known & trained.keys())
    if not shared:
        return
    if labels:
        yield from _telling_sentences(trained, tested)
    which = "the sentences" if len(shared) == len(known) else "some of the sentences"
    text = f"{which} of the test split are spoken in the training split, too"
    if labels and all(trained[sentence].keys() >= set(labels) for sentence in shared):
        text += ", each in every class"
    yield Notice("shared-sentences", "info", text, tuple(shared))


def _telling_sentences(trained: Mapping[str, Counter[str]], tested: Sequence[tuple[str, str]]) -> Iterator[Notice]:
    """Yield a notice if the sentences of test utterances predict their labels.

    Args:
        trained: number of training utterances by label, for each sentence.
        tested: sentence and label of each test utterance.
    """
    whole: Counter[str] = sum(trained.values(), Counter())
    guess = _most_frequent(whole)
    by_sentence = sum(_most_frequent(trained.get(sentence, whole)) == label for sentence, label in tested)
    by_class = sum(label == guess for _, label in tested)
    if by_sentence - by_class < MIN_SENTENCE_GAIN * len(tested):
        return
    single = {sentence for sentence, _ in tested if len(trained.get(sentence, ())) == 1}
    count = sum(sentence in single for sentence, _ in tested)
    text = (
        f"the words give labels away: {count} of {len(tested)} test utterances have a sentence that occurs in training "
        f"with one label only; to guess the most frequent label of the sentence in training is right for "
        f"{100 * by_sentence / len(tested):.0f} % of the test utterances, to guess {guess} for "
        f"{100 * by_class / len(tested):.0f} %"
    )
    yield Notice("telling-sentences", "caution", text, tuple(sorted(single)))


def _most_frequent(counts: Counter[str]) -> str:
    """Return the label with the largest count, the first by name of equals."""
    return min(counts, key=lambda label: (-counts[label], label))
