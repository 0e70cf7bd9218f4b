"""Folds: several assignments of all speakers to training, validation and test, so that one split decides nothing.

A fold assigns speakers, never utterances, so that no speaker can be in two splits. The speakers that are not tested are
divided again: some of them are the validation split, on which points and the classifier are chosen.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serab_core.data.splits import SEED, draw_groups
from serab_core.errors import DataError, UsageError
from serab_core.store.jsonio import digest
from serab_core.system.text import list_names
from serab_core.types import SPLITS, Fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from serab_core.types import ProtocolSpec, Split, Task

VALIDATION_SHARE = 0.25  # of the speakers that are not tested: 60/20/20 leaves a quarter of the rest for validation


def make_folds(
    protocol: ProtocolSpec,
    speakers: Iterable[str],
    *,
    sexes: Mapping[str, str],
    corpus_folds: Mapping[str, Iterable[str]],
    ratios: Sequence[float],
    where: str,
) -> tuple[Fold, ...]:
    """Return the folds of a corpus under a protocol.

    Args:
        protocol: a protocol with folds.
        speakers: the true speakers, with or without repeats.
        sexes: `f` or `m` by speaker, as far as it is known.
        corpus_folds: the folds that the corpus defines, as the folds in which each speaker has utterances; empty if
            it defines none.
        ratios: fractions of the speakers for train, validation and test, for random draws.
        where: the name of the corpus in messages.

    Returns:
        the folds, in the order of their names; every split of every fold has a speaker.

    Raises:
        UsageError: the corpus has no folds, or too few speakers.
        DataError: a speaker of the corpus is in two of its folds.

    Example:
        >>> from serab_core.data.protocols import find_protocol
        >>> folds = make_folds(find_protocol("loso"), "abcd", sexes={}, corpus_folds={}, ratios=(), where="toy")
        >>> [fold.test_speakers for fold in folds]
        [('a',), ('b',), ('c',), ('d',)]
    """
    names = sorted(set(speakers))
    if len(names) < 3:
        raise UsageError(
            f"has {len(names)} speakers; protocol {protocol.name} needs three, one for each split",
            where=where,
            next_step="choose another task or protocol",
        )
    if protocol.splits == "corpus":
        return _of_units(_corpus_units(names, corpus_folds, where), names)
    if protocol.splits == "draws":
        return _draws(names, protocol.draws, ratios, where)
    count = math.ceil(len(names) / protocol.held_out)
    if count < 2 or len(names) - protocol.held_out < 2:
        raise UsageError(
            f"has {len(names)} speakers, so that no {protocol.held_out} of them can be left out",
            where=where,
            next_step=f"leave out at most {max(1, len(names) - 2)}",
        )
    order = balanced_order(names, sexes)
    units = [tuple(sorted(order[place] for place in places)) for places in np.array_split(np.arange(len(order)), count)]
    titles = [", ".join(unit) for unit in units]
    if len(set(titles)) < len(titles):  # names of speakers that contain commas
        titles = [str(number) for number in range(1, len(units) + 1)]
    return _of_units(dict(zip(titles, units, strict=True)), order)


def balanced_order(speakers: Sequence[str], sexes: Mapping[str, str]) -> list[str]:
    """Return the speakers in a random order in which women and men are spread evenly.

    The order depends on the names and sexes only. If the sex of a speaker is not known, the order is random.
    """
    shuffled = sorted(speakers)
    np.random.RandomState(SEED).shuffle(shuffled)
    if not all(speaker in sexes for speaker in shuffled):
        return shuffled
    groups: dict[str, list[str]] = defaultdict(list)
    for speaker in shuffled:
        groups[sexes[speaker]].append(speaker)
    places = {
        speaker: ((place + 0.5) / len(group), sex)
        for sex, group in groups.items()
        for place, speaker in enumerate(group)
    }
    return sorted(shuffled, key=lambda speaker: places[speaker])


def validation_units(count: int) -> int:
    """Return how many of the units that are not tested validate: a quarter, at least one, and never all of them.

    A unit is what is tested together: a speaker, several speakers, or a fold of the corpus.

    Example:
        >>> [validation_units(count) for count in (2, 4, 9, 23)]
        [1, 1, 2, 6]
    """
    return min(max(1, round(VALIDATION_SHARE * count)), count - 1)


def count_draws(sizes: Sequence[int]) -> int:
    """Return the number of different draws of groups of these sizes.

    Example:
        >>> count_draws((3, 1, 2))
        60
    """
    count = math.factorial(sum(sizes))
    for size in sizes:
        count //= math.factorial(size)
    return count


def describe_folds(protocol: ProtocolSpec, folds: Sequence[Fold]) -> str:
    """Return a phrase that says how the splits of the folds were drawn."""
    count = len(folds)
    if protocol.splits == "draws":
        fewer = ", all there are" if count < protocol.draws else ""
        return f"{count} random splits over speakers, by the paper's rule with other seeds{fewer}"
    if protocol.splits == "corpus":
        return f"{count} folds of the corpus; no speaker is in two of them"
    sizes = sorted({len(fold.test_speakers) for fold in folds})
    speakers = "one speaker" if sizes == [1] else f"{' or '.join(map(str, sizes))} speakers"
    return f"{count} folds, each of which tests {speakers}"


def fold_tasks(task: Task) -> tuple[Task, ...]:
    """Return a task with one split for each fold of a task with folds.

    The digest of a fold depends on its own splits only, so that protocols with equal folds share studies, such as
    `repeated` and `repeated+draws=10`.
    """
    rows = [[u.id, u.targets[task.target] if task.target else u.label, u.speaker, u.group] for u in task.utterances]
    without_splits = digest([task.name, task.variant, task.target or task.labels, rows])
    of_split = {split: [replace(u, split=split) for u in task.utterances] for split in SPLITS}
    return tuple(
        replace(
            task,
            utterances=tuple(of_split[fold.splits[u.speaker]][place] for place, u in enumerate(task.utterances)),
            digest=digest([without_splits, dict(fold.splits)]),
            folds=(),
            fold=fold.name,
        )
        for fold in task.folds
    )


def _of_units(units: Mapping[str, Sequence[str]], order: Sequence[str]) -> tuple[Fold, ...]:
    """Return a fold for each unit. The units behind it validate, in a circle; so each unit validates equally often."""
    names = list(units)
    folds = []
    for place, name in enumerate(names):
        splits: dict[str, Split] = dict.fromkeys(units[name], "test")
        others = [names[(place + step) % len(names)] for step in range(1, len(names))]
        if len(others) > 1:
            for unit in others[: validation_units(len(others))]:
                splits |= dict.fromkeys(units[unit], "validation")
        else:  # two folds: the speakers of the other one are divided
            rest = [speaker for speaker in order if speaker not in splits]
            splits |= dict.fromkeys(rest[: validation_units(len(rest))], "validation")
        folds.append(Fold(name, {speaker: splits.get(speaker, "train") for speaker in sorted(order)}))
    return tuple(sorted(folds, key=lambda fold: _natural(fold.name)))


def _corpus_units(names: Sequence[str], corpus_folds: Mapping[str, Iterable[str]], where: str) -> dict[str, list[str]]:
    """Return the speakers of each fold of the corpus. Raises UsageError, DataError."""
    units: dict[str, list[str]] = defaultdict(list)
    crossing, without = [], []
    for speaker in names:
        folds = sorted(set(corpus_folds.get(speaker, ())))
        if not folds or not all(folds):
            without.append(speaker)
        elif len(folds) > 1:
            crossing.append(f"{speaker}: {', '.join(folds)}")
        else:
            units[folds[0]].append(speaker)
    if not units and not crossing:
        raise UsageError(
            "defines no folds",
            where=where,
            next_step="choose the protocol loso or repeated; a corpus of your own can have a column fold",
        )
    if crossing:
        raise DataError(
            f"has {len(crossing)} speakers in more than one of its folds ({list_names(crossing, 3)}), so that a test "
            "speaker would be in training",
            where=where,
            next_step="correct the folds, or choose the protocol loso",
        )
    if without:
        raise DataError(
            f"has {len(without)} speakers without a fold ({list_names(without, 3)})",
            where=where,
            next_step="give a fold to every utterance, and prepare the corpus again",
        )
    if len(units) < 2:
        raise UsageError(f"has one fold only, {next(iter(units))}", where=where, next_step="choose another protocol")
    smallest = min(len(names) - len(members) for members in units.values())
    if smallest < 2:
        raise UsageError(
            "has a fold that leaves one speaker for training and validation together",
            where=where,
            next_step="choose another protocol",
        )
    return {name: units[name] for name in sorted(units, key=_natural)}


def _draws(names: Sequence[str], count: int, ratios: Sequence[float], where: str) -> tuple[Fold, ...]:
    """Return different random splits by the paper's rule, with the seeds 1, 2, ...; seed 0 gives the paper's split.

    If there are fewer different splits, each of them is returned once.
    """
    first = draw_groups(names, ratios)
    sizes = [list(first.values()).count(split) for split in SPLITS]
    if min(sizes) < 1:
        raise UsageError(
            f"has {len(names)} speakers, too few for three splits", where=where, next_step="choose another task"
        )
    count = min(count, count_draws(sizes))
    folds: dict[frozenset[tuple[str, Split]], Fold] = {}
    for seed in itertools.count(SEED + 1):
        drawn = dict(sorted(draw_groups(names, ratios, seed).items()))
        folds.setdefault(frozenset(drawn.items()), Fold(str(len(folds) + 1), drawn))
        if len(folds) == count:
            break
    return tuple(folds.values())


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts numbers inside names by value."""
    texts = re.split(r"([0-9]+)", name)
    return tuple((0, int(text), "") if text.isdecimal() else (1, 0, text) for text in texts if text)
